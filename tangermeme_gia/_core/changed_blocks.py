"""Sequences that are asked together, and where they differ from their backgrounds."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from .recorded import last_digit

# Conditions are asked together if their changes lie within so many bases more.
_CLOSE = 8
# Errors that do not matter: in parts of the size of effects, or if no operation is
# apart, and how many times the last digit of the outputs.
_OF_EFFECTS, _OF_EFFECTS_AT_MOST, _DIGITS = 1e-3, 0.05, 64


class Asking(NamedTuple):
    """Conditions of some backgrounds.

    `numbers` says which backgrounds these are, `X` has them and `args` their side
    inputs; `sequences` has shape=(n_rows, n_conditions, n_letters, length).
    """

    numbers: NDArray[np.int64]
    X: torch.Tensor
    args: list[torch.Tensor] | None
    sequences: torch.Tensor

    @property
    def shape(self) -> tuple[int, int]:
        """Backgrounds and conditions."""
        n_rows, n_conditions = self.sequences.shape[:2]
        return n_rows, n_conditions

    def part(self, n_rows: int, conditions: slice) -> Asking:
        """The first rows, and some conditions."""
        args = None if self.args is None else [arg[:n_rows] for arg in self.args]
        sequences = self.sequences[:n_rows, conditions]
        return Asking(self.numbers[:n_rows], self.X[:n_rows], args, sequences)

    def flat(self) -> tuple[torch.Tensor, list[torch.Tensor] | None]:
        """Sequences and their side inputs, a row for each."""
        n_conditions = self.shape[1]
        args = self.args and [a.repeat_interleave(n_conditions, 0) for a in self.args]
        return self.sequences.flatten(0, 1), args


class Group(NamedTuple):
    """Conditions in a row that differ from the backgrounds between two places."""

    conditions: slice
    first: int
    last: int

    @property
    def size(self) -> int:
        """Of the change: widths of one size are taken to be as fast."""
        return (self.last - self.first).bit_length()


def groups_of(asking: Asking) -> list[Group]:
    """Conditions in a row that change about the same places.

    Examples
    --------
    >>> X = torch.zeros(1, 4, 50)
    >>> sequences = X[:, None].repeat(1, 3, 1, 1)
    >>> sequences[:, 0, 0, 2:4] = sequences[:, 1, 0, 5] = sequences[:, 2, 0, 40] = 1
    >>> asking = Asking(np.arange(1), X, None, sequences)
    >>> [(group.first, group.last) for group in groups_of(asking)]
    [(2, 6), (40, 41)]
    """
    n_conditions, length = asking.shape[1], asking.X.shape[-1]
    differs = asking.X.new_zeros(n_conditions, length, dtype=torch.bool)
    for row, X in zip(asking.sequences, asking.X, strict=True):
        differs |= (row != X).any(dim=1)
    places = differs.cpu().numpy()
    first = places.argmax(axis=1)
    last = np.where(places.any(axis=1), length - places[:, ::-1].argmax(axis=1), 1)
    groups: list[Group] = []
    for i, (a, b) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        if groups:
            conditions, low, high = groups[-1]
            widest = max(b - a, high - low)
            if max(b, high) - min(a, low) <= widest + _CLOSE:
                together = slice(conditions.start, i + 1)
                groups[-1] = Group(together, min(a, low), max(b, high))
                continue
        groups.append(Group(slice(i, i + 1), a, b))
    return groups


def error_beyond_rounding(
    found: torch.Tensor,
    truth: torch.Tensor,
    before: torch.Tensor,
    apart: Callable[[], str | None],
) -> str:
    """By how much outputs are wrong, in words; "" if it is no more than rounding.

    The first two have shape=(n_rows, n_conditions, ...), `before` (n_rows, ...);
    `apart` says which operation gives something else.
    """
    if found.shape != truth.shape:
        shapes = f"{tuple(found.shape)} instead of {tuple(truth.shape)}"
        return f"the model gives shape {shapes}"
    a, b = found.to(torch.float64), truth.to(torch.float64)
    if not bool(torch.isfinite(b).all()):
        return ""  # which is said elsewhere
    effects = b - before[:, None].to(torch.float64)
    size = float(effects.square().mean().sqrt())  # also of a single one
    error, scale = float((a - b).abs().max()), float(b.abs().max())
    rounding = max(_OF_EFFECTS * size, _DIGITS * last_digit(truth) * scale)
    if error <= rounding:
        return ""
    # Activations may be much larger than outputs, and round more.
    name = apart()
    if name is None and error <= _OF_EFFECTS_AT_MOST * size:
        return ""
    who = "the model" if name is None else f"`{name}` of the model"
    return (
        f"{who} gives outputs that differ by up to {error:.3g} from those computed in "
        f"full, where effects are of a size of {size:.3g}"
    )
