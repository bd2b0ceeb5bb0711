"""Runs a design into a folder, block by block, and goes on where it stopped."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from .conditions import WholeDesign, runs_of_equal
from .effects_folder import Begun, EffectsFolder
from .memory import check_fits
from .outputs import as_heads
from .precision import agree
from .progress import whole
from .questions import what_is_asked
from .readings import Reading, is_anchored, numbers_of
from .results import GIAResult
from .target import target_labels

if TYPE_CHECKING:
    from .engine import Engine

# A block that took less than half of these seconds is followed by one twice as large.
_SECONDS = 30
# Of the largest output, what numbers of single and of half precision differ by.
_ROUNDING = (1e-6, 1e-2)
_WAY_OUT = (
    "Choose outputs by `target`, reduce them in a `func`, or take fewer backgrounds at "
    "a time."
)


def run_saved(
    engine: Engine, design: WholeDesign, save_to: str | os.PathLike[str]
) -> GIAResult:
    """The result of a design whose outputs after lie in a folder.

    Conditions are written as they finish. A folder that holds some of them, or all,
    for the same question is gone on with, once the model gave a few of its outputs
    again.

    Raises
    ------
    TypeError, ValueError
        If it is no folder, holds something else, or is held by another run, or the
        model gives other outputs.

    OSError
        If something cannot be written; what is finished stays.
    """
    folder = EffectsFolder(save_to)
    asked = what_is_asked(engine, design)
    with folder.held(), engine.held():
        if folder.is_begun:
            begun = folder.check_asked(asked)
            done = folder.mend(begun)
            _check_again(engine, design, folder, begun, done)
        else:
            begun = _begin(engine, design, folder, asked)
            done = np.zeros(len(design.lengths), dtype=bool)
        if not done.all():
            _fill(engine, design, folder, begun, done)
        result: GIAResult = folder.mapped(begun)
        return result


def _begin(
    engine: Engine, design: WholeDesign, folder: EffectsFolder, asked: dict[str, str]
) -> Begun:
    """Predict the backgrounds, and make room for the conditions."""
    engine.check_lengths(design)
    reading = engine.reading(design, engine.before())
    sizes = {
        "backgrounds": len(engine.X),
        "bytes of outputs": sum(y[0].nbytes for y in as_heads(reading.y_before)),
    }
    check_fits("one condition", sizes, _WAY_OUT)
    beside = {
        "outputs": target_labels(engine.target, reading.y_before),
        "clusters": engine.clusters,
        "regions": None,
        "length": engine.X.shape[-1],
    }
    fields = reading.y_before, design.conditions, reading.built
    begun = Begun(asked, *fields, beside)
    folder.begin(begun)
    return begun


def _fill(
    engine: Engine,
    design: WholeDesign,
    folder: EffectsFolder,
    begun: Begun,
    done: NDArray[np.bool_],
) -> None:
    """Predict and write what is missing, in blocks that grow to half a minute."""
    before = engine.before() if is_anchored(engine.target) else begun.y_before
    reading = engine.reading(design, before)
    n = len(engine.X)
    n_bytes = sum(y.nbytes for y in as_heads(begun.y_before))
    most = max(1, engine.max_memory // 2 // n_bytes)
    width = min(most, engine.conditions_at_once(design, reading.heads))
    with whole(n * int((~done).sum()), "sequences", engine.verbose):
        for first, end in _missing(done):
            while first < end:
                last = _end(begun.built, first, min(first + width, end), most)
                began = time.monotonic()
                part = slice(first, last)
                # No name keeps a block while the next one is predicted.
                folder.write(begun, part, _predicted(engine, design, reading, part))
                if time.monotonic() - began < _SECONDS / 2:
                    width = min(2 * width, most)
                first = last


def _missing(done: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    for first, last in runs_of_equal(done.astype(np.int64)):
        if not done[first]:
            yield first, last


def _end(built: NDArray[np.int64], first: int, last: int, most: int) -> int:
    """Where a block ends that has few conditions, also where some place the same."""
    while last - first > 1 and len(numbers_of(built, slice(first, last))) > most:
        last = first + (last - first) // 2
    return last


def _predicted(
    engine: Engine, design: WholeDesign, reading: Reading, part: slice
) -> list[torch.Tensor]:
    """Outputs of a block's conditions, shape=(n_conditions, n, ...)."""
    numbers = numbers_of(reading.built, part)
    shape = len(numbers), len(engine.X)
    heads = [
        head.new_empty((*shape, *head.shape[1:])) for head in as_heads(reading.y_before)
    ]
    for block in engine.stream(design, reading.heads, part=part):
        those = numbers_of(reading.built, block.conditions)
        where = torch.from_numpy(np.searchsorted(numbers, those))
        for head, y in zip(heads, reading.read(block, those), strict=True):
            head[where, block.rows] = y.transpose(0, 1)
    return heads


def _check_again(
    engine: Engine,
    design: WholeDesign,
    folder: EffectsFolder,
    begun: Begun,
    done: NDArray[np.bool_],
) -> None:
    """Raise if the model does not give a few of the stored outputs again.

    Another `func` than `predict` may draw, and is not compared.
    """
    few = engine.first()
    if not engine.is_predicted:
        return
    rows = slice(0, len(few[0]))
    reading = engine.reading(
        design, few if isinstance(begun.y_before, list) else few[0]
    )
    stored = [[y[rows]] for y in as_heads(begun.y_before)]
    again = [[y] for y in as_heads(reading.y_before)]
    afters = as_heads(folder.mapped(begun).y_afters)
    there = np.flatnonzero(done)
    for i in there[:: max(1, len(there) - 1)].tolist():  # the first and the last
        block = engine.ask(design, rows, slice(i, i + 1))
        numbers = numbers_of(begun.built, slice(i, i + 1))
        for head, y in enumerate(reading.read(block, numbers)):
            again[head] += y.unbind(dim=1)
            stored[head] += afters[head][rows][:, numbers].unbind(dim=1)
    for one, other in zip(stored, again, strict=True):
        rounding = _ROUNDING[engine.caller.halves(one[0])]
        if not agree(torch.stack(one), torch.stack(other), rounding):
            raise ValueError(
                f"`save_to`={str(folder.path)!r} holds outputs of another model: "
                "`model` no longer gives a few of them. Give another folder, or delete "
                "this one."
            )
