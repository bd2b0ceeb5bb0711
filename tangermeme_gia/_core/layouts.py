"""What to write where a model does not take sequences as they come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import torch

from .asking import tensors_of

# Errors of shapes, types and indices, as torch, einops and checks of models raise them.
_OF_SHAPES = (RuntimeError, ValueError, IndexError, AssertionError, TypeError)

_FAILED = object()


def advise_layout(
    model: torch.nn.Module,
    X: torch.Tensor,
    args: Sequence[torch.Tensor] | None,
    error: BaseException,
) -> str:
    """How may a model that fails want its sequences?

    Two of them are tried in each layout.

    Parameters
    ----------
    model: torch.nn.Module
        The model.

    X: torch.Tensor, shape=(n, letters, length)
        Sequences on which it fails.

    args: sequence of torch.Tensor or None
        Its other inputs.

    error: BaseException
        How it fails.

    Returns
    -------
    advice: str
        What to write; empty where that is said already or the model is adapted, where
        it answers for two of the sequences, or fails for another reason than shapes.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Linear(4, 1), torch.nn.Flatten())
    >>> advise_layout(model, torch.zeros(2, 4, 20), None, RuntimeError())[:60]
    'The model answers for (n, length, letters): `adapt(model, la'
    """
    if not isinstance(error, _OF_SHAPES) or "`adapt(" in str(error):
        return ""
    if isinstance(error, TypeError) and "missing" in str(error):
        return "Inputs beside the sequence come by `args` (`--args`)."
    if any(getattr(part, "is_adapted", False) for part in model.modules()):
        return ""
    dtype = next((t.dtype for t in model.parameters()), torch.float32)
    few, rest = X[:2].to(dtype), [arg[:2] for arg in args or ()]
    if _answer(model, few, rest) is not _FAILED:
        return ""
    for shape, layout, turned in _layouts(few):
        y = tensors_of(_answer(model, turned, rest))
        if y and all(part.ndim and len(part) == len(few) for part in y):
            more = ", tokens=..." * (layout == "tokens")
            return (
                f'The model answers for {shape}: `adapt(model, layout="{layout}"'
                f"{more})`, or `--layout {layout}`."
            )
    return (
        "If the model reads (n, length, 4), "
        '`adapt(model, layout="channels_last")` (`--layout channels_last`); `adapt` '
        "has other layouts, too."
    )


def _layouts(X: torch.Tensor) -> Iterator[tuple[str, str, torch.Tensor]]:
    yield "(n, length, letters)", "channels_last", X.transpose(1, 2)
    yield "(n, letters, 1, length)", "conv2d", X[:, :, None]
    yield "(n, letters, length, 1)", "n c l 1", X[..., None]
    yield "(n, 1, letters, length)", "n 1 c l", X[:, None]
    yield "whole numbers, (n, length)", "tokens", X.argmax(dim=1)


def _answer(model: torch.nn.Module, X: Any, args: Sequence[torch.Tensor]) -> Any:
    """What it gives, if anything."""
    with torch.no_grad(), suppress(Exception, SystemExit):
        return model(X, *args)
    return _FAILED
