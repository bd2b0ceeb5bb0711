"""Named tuples and data classes that show the size of what is large, not numbers."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import torch

_Tuple = TypeVar("_Tuple")
# Of an array or list.
_MOST_SHOWN = 6
_LONGEST = 60


def in_short(kind: type[_Tuple]) -> type[_Tuple]:
    """A named tuple or data class whose `repr` is a few lines, whatever it holds.

    Examples
    --------
    >>> from typing import NamedTuple
    >>> @in_short
    ... class Test(NamedTuple):
    ...     p: np.ndarray
    ...     n: int
    >>> Test(np.ones(2), 9), Test(np.ones((200, 3)), 9)
    (Test(p=array([1., 1.]), n=9), Test(p=<array (200, 3) float64>, n=9))
    """

    def told(self: Any) -> str:
        names = getattr(self, "_fields", None) or [f.name for f in fields(self)]
        parts = (f"{name}={_short(getattr(self, name))}" for name in names)
        return f"{type(self).__name__}({', '.join(parts)})"

    kind.__repr__ = told  # type: ignore[method-assign]
    return kind


def _short(value: Any) -> str:
    if isinstance(value, pd.DataFrame):
        names = ", ".join(map(str, value.columns))
        more = "..." if len(names) > _LONGEST else ""
        return f"<table of {len(value):,} rows: {names[:_LONGEST]}{more}>"
    if isinstance(value, (np.ndarray, torch.Tensor)):
        size = value.size if isinstance(value, np.ndarray) else value.numel()
        what = "array" if isinstance(value, np.ndarray) else "tensor"
        dtype = str(value.dtype).removeprefix("torch.")
        large = f"<{what} {tuple(value.shape)} {dtype}>"
        return large if size > _MOST_SHOWN else repr(value)
    if isinstance(value, (list, tuple, dict)) and len(value) > _MOST_SHOWN:
        return f"<{type(value).__name__} of {len(value):,}>"
    return repr(value)
