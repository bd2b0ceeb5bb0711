"""What an experiment compares: a table of conditions, and how to lay them out."""

from __future__ import annotations

import itertools
from collections.abc import Hashable, Iterator, Sequence
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray


class Design(Protocol):
    """A table of conditions that can be laid out on any rows of the backgrounds."""

    @property
    def any_device(self) -> bool:
        """Whether `build` works on whichever device X is."""

    @property
    def conditions(self) -> pd.DataFrame:
        """One row per condition."""

    @property
    def columns(self) -> NDArray[np.int64] | None:
        """For each condition, which of those that are built it is; None if itself.

        Conditions that place the same are built, and predicted, once.
        """

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Length of the sequences of each condition that is built."""

    def describe(self, built: int, row: int) -> str:
        """Words for a condition that is built on a background, for messages."""

    def build(self, X: torch.Tensor, rows: slice, conditions: slice) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length).

        `X` holds the backgrounds `rows` only; the conditions have one length.
        """


class WholeDesign(Design, Protocol):
    """A design of which is known, before it is laid out, where it changes sequences."""

    def touching(self, kept: NDArray[np.bool_]) -> Sequence[bool]:
        """For each condition that is built: does it change any of these positions?"""


class Table:
    """A design's table; conditions are told apart by it."""

    conditions: pd.DataFrame
    columns: NDArray[np.int64] | None = None

    def describe(self, built: int, row: int) -> str:
        """Words for the first condition that is this one of those that are built."""
        number = built
        if self.columns is not None:
            number = int(np.flatnonzero(self.columns == built)[0])
        cells = self.conditions.iloc[number].dropna()
        told = ", ".join(f"{name}={value}" for name, value in cells.items())
        return f"condition {number} ({told})"


def distinct(keys: Sequence[Hashable]) -> tuple[list[int], NDArray[np.int64] | None]:
    """The first condition of each key, and for every condition which of these it is.

    Examples
    --------
    >>> distinct(["a", "b", "a"])
    ([0, 1], array([0, 1, 0]))
    """
    places: dict[Hashable, int] = {}
    columns = [places.setdefault(key, len(places)) for key in keys]
    if len(places) == len(keys):
        return list(range(len(keys))), None
    first = dict(zip(reversed(keys), reversed(range(len(keys))), strict=True))
    return [first[key] for key in places], np.array(columns)


def runs_of_equal(values: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First and one past the last index of each run of equal values."""
    if len(values) == 0:
        return
    edges = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), len(values)]
    yield from itertools.pairwise(edges)
