"""Runs the designs of k-mer scans: all k-mers on all backgrounds, or a race."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from .._core.engine import Block, Design, Engine
from .._core.letters import as_generator
from .._core.moments import Moments
from ..statistics.racing import Indices, Values, race
from .designs import ScanDesign
from .results import KmerScan


class Rules(NamedTuple):
    """What a race is for: see `kmer_scan`."""

    top: int
    delta: float
    seed: int


def exhaustive_scan(
    engine: Engine, design: Design, names: Sequence[str], strands: int
) -> KmerScan:
    """The moments of every k-mer on every background."""
    with engine.held():
        before, is_list = engine.before()
        moments = [Moments(len(names), tuple(y.shape[1:])) for y in before]
        _take_in(engine, design, before, moments, strands)
    effects, errors = [m.mean for m in moments], [m.se for m in moments]
    n = len(engine.X)
    total = len(names) * strands * n
    if is_list:
        return KmerScan(names, effects, errors, n, len(names), total, total)
    return KmerScan(names, effects[0], errors[0], n, len(names), total, total)


def racing_scan(
    engine: Engine,
    design: ScanDesign,
    names: Sequence[str],
    strands: int,
    rules: Rules,
) -> KmerScan:
    """The moments of the best k-mers on every background."""
    n = len(engine.X)
    order = as_generator(rules.seed).permutation(n)
    with engine.held():
        before, is_list = engine.before()
        _check_one_output(before, is_list)

        def ask(kmers: Indices, rows: slice) -> Values:
            part = _Part(design, order[rows], kmers, strands)
            return _local(engine.on(part.rows), part, before[0][part.rows], strands)

        found = race(
            ask,
            len(names),
            n,
            top=rules.top,
            delta=rules.delta,
            max_values=engine.max_memory / np.dtype(np.float64).itemsize,
        )
        shape = tuple(before[0].shape[1:])
        moments = [
            _moments(found.measured_values, shape),
            _moments(found.values, shape),
        ]
        rest = _Part(design, order[len(found.values) :], found.others, strands)
        y = [before[0][rest.rows]]
        _take_in(engine.on(rest.rows), rest, y, moments[1:], strands)
    left = np.concatenate([found.measured, found.others])
    effect, se = (
        torch.cat([getattr(m, name) for m in moments]) for name in ("mean", "se")
    )
    best = _highest(effect.flatten().numpy(), left, rules.top)
    n_asked = found.n_asked + len(found.others) * len(rest.rows)
    return KmerScan(
        [names[i] for i in left[best].tolist()],
        effect[best],
        se[best],
        n,
        len(names),
        strands * n_asked,
        strands * len(names) * n,
    )


def _highest(effect: Values, kmers: Indices, top: int) -> Indices:
    """Places of the highest, in the order of the k-mers; of equal ones the first."""
    best = np.lexsort([kmers, -effect])[:top]
    return best[np.argsort(kmers[best])]


class _Part:
    """Some k-mers of a scan on some backgrounds, in any order."""

    def __init__(
        self, design: ScanDesign, rows: NDArray[np.int64], kmers: Indices, strands: int
    ) -> None:
        self._design, self.rows = design, rows
        self.any_device = design.any_device
        self._chosen = (kmers[:, None] * strands + np.arange(strands)).ravel()
        self.conditions = pd.DataFrame(index=pd.RangeIndex(len(self._chosen)))
        self.lengths: NDArray[np.int64] = design.lengths[self._chosen]

    def build(self, X: torch.Tensor, rows: slice, conditions: slice) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length)."""
        return self._design.build(X, self.rows[rows], self._chosen[conditions])


def _local(engine: Engine, part: _Part, before: torch.Tensor, strands: int) -> Values:
    """Local importances, shape=(n_rows, n_kmers)."""
    values = np.empty((len(part.rows), len(part.conditions) // strands))
    for block in engine.stream(part, [before], together=strands):
        effects = _effects(block.y[0], before[block.rows], strands)
        values[block.rows, _kmers(block, strands)] = effects.flatten(start_dim=1)
    return values


def _moments(values: Values, shape: tuple[int, ...]) -> Moments:
    """The moments of what is known of some k-mers, shape=(n_known, n_kmers)."""
    moments = Moments(values.shape[1], shape)
    if len(values):
        known = torch.from_numpy(values)
        moments.add(slice(None), known.reshape(*known.shape, *shape))
    return moments


def _take_in(
    engine: Engine,
    design: Design,
    before: list[torch.Tensor],
    moments: list[Moments],
    strands: int,
) -> None:
    for block in engine.stream(design, before, together=strands):
        for after, y, moment in zip(block.y, before, moments, strict=True):
            moment.add(_kmers(block, strands), _effects(after, y[block.rows], strands))


def _effects(after: torch.Tensor, before: torch.Tensor, strands: int) -> torch.Tensor:
    """Local importances of a block, shape=(n_rows, n_kmers, ...)."""
    effects = after.to(torch.float64) - before[:, None].to(torch.float64)
    if strands > 1:
        shape = (len(effects), -1, strands, *effects.shape[2:])
        effects = effects.reshape(shape).mean(dim=2)
    return effects


def _kmers(block: Block, strands: int) -> slice:
    first, last = block.conditions.start // strands, block.conditions.stop // strands
    return slice(first, last)


def _check_one_output(before: list[torch.Tensor], is_list: bool) -> None:
    """A race needs one number to rank by."""
    shapes = [tuple(y.shape[1:]) for y in before]
    if len(shapes) > 1 or is_list or math.prod(shapes[0]) != 1:
        given = ", ".join(map(str, shapes))
        raise ValueError(
            "`method`='racing' ranks k-mers by one number for each sequence, but "
            f"`func` gives outputs of shape {given}; wrap the model so that it returns "
            "the output to rank by, or use `method`='exhaustive'."
        )
