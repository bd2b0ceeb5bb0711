"""An experiment that ends when the shapes of its outputs are known."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import torch

_only_shapes: ContextVar[bool] = ContextVar("_only_shapes", default=False)


class _Shapes(BaseException):
    """Ends an experiment when its shapes are known."""

    def __init__(self, shapes: list[tuple[int, ...]]) -> None:
        super().__init__()
        self.shapes = shapes


def output_shapes(run: Callable[[], Any]) -> list[tuple[int, ...]] | None:
    """Shapes of a sequence's outputs in an experiment, of which only they are found.

    None if it asks no model by an `Engine`.
    """
    token = _only_shapes.set(True)
    try:
        run()
    except _Shapes as found:
        return found.shapes
    finally:
        _only_shapes.reset(token)
    return None


def end_if_only_shapes(few: list[torch.Tensor]) -> None:
    """End the experiment here if only the shapes of its outputs are asked for."""
    if _only_shapes.get():
        raise _Shapes([tuple(y.shape[1:]) for y in few])
