"""What is kept of the outputs of each condition: all, or what is read at its place."""

from __future__ import annotations

from typing import NamedTuple, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray

from .anchored import reading_places
from .conditions import Design
from .outputs import Outputs, as_heads
from .readouts import Readout
from .target import Target


class Block(NamedTuple):
    """Outputs of some conditions on some backgrounds, shape=(rows, conditions, ...)."""

    rows: slice
    conditions: slice
    y: list[torch.Tensor]


class Reading:
    """All outputs, before and after.

    Parameters
    ----------
    design: Design
        The conditions.

    before: torch.Tensor or list of torch.Tensor
        What the model gives for the backgrounds.
    """

    def __init__(self, design: Design, before: Outputs) -> None:
        columns = design.columns
        self.y_before, self.heads = before, as_heads(before)
        self.built: NDArray[np.int64] = (
            np.arange(len(design.lengths)) if columns is None else columns
        )

    def read(self, block: Block, numbers: NDArray[np.int64]) -> list[torch.Tensor]:
        """Outputs of the conditions `numbers`, shape=(rows, conditions, ...)."""
        columns = self.built[numbers] - block.conditions.start
        if np.array_equal(columns, np.arange(block.y[0].shape[1])):
            return block.y
        return [y[:, columns] for y in block.y]


class AnchoredReading(Reading):
    """What each condition changes where it is read; `y_before` is 0."""

    def __init__(
        self, design: Design, before: Outputs, readout: Readout, length: int
    ) -> None:
        super().__init__(design, before)
        self._readout, self._length = readout, length
        self._places = reading_places(readout, design)
        (bins,) = self.heads
        self._before = {
            place: readout.at(bins, place, length) for place in set(self._places)
        }
        self.y_before = torch.zeros_like(self._before[self._places[0]])

    def read(self, block: Block, numbers: NDArray[np.int64]) -> list[torch.Tensor]:
        """Changes of the conditions `numbers`, shape=(rows, conditions, ...)."""
        changes = []
        for number in numbers.tolist():
            place = self._places[number]
            bins = block.y[0][:, self.built[number] - block.conditions.start]
            after = self._readout.at(bins, place, self._length)
            changes.append(after - self._before[place][block.rows])
        return [torch.stack(changes, dim=1)]


def is_anchored(target: Target | None) -> TypeGuard[Readout]:
    """Whether conditions are read at places of their own."""
    return isinstance(target, Readout) and target.around is not None


def reading_of(
    design: Design, before: Outputs, target: Target | None, length: int
) -> Reading:
    """What a target keeps of the outputs of a design."""
    if is_anchored(target):
        return AnchoredReading(design, before, target, length)
    return Reading(design, before)


def numbers_of(built: NDArray[np.int64], part: slice) -> NDArray[np.int64]:
    """The conditions that are one of some in a row of those that are built.

    Examples
    --------
    >>> numbers_of(np.array([0, 1, 0, 2]), slice(0, 2))
    array([0, 1, 2])
    """
    return np.flatnonzero((built >= part.start) & (built < part.stop))
