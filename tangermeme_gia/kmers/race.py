"""The best k-mers by a race that leaves the others behind early."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.engine import Engine
from .._core.letters import (
    RandomState,
    as_generator,
    as_seed,
    check_count,
    resolve_alphabet,
)
from .._core.moments import Moments
from .._core.options import document
from .._core.outputs import Outputs, as_heads
from .._core.scans import KmerScan
from .._core.target import target_labels
from ..statistics.inputs import check_fraction
from ..statistics.racing import Indices, Race, Values, race
from .designs import Kmers, ScanDesign, scan_design
from .measure import add_effects, block_effects, block_kmers, make_moments

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options


@document
def best_kmers(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    k: int = 6,
    kmers: Kmers | None = None,
    start: int | None = None,
    *,
    top: int = 10,
    delta: float = 0.01,
    both_strands: bool = False,
    alphabet: Sequence[str] | None = None,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> KmerScan:
    """Which few k-mers change the output most, without measuring all of them?

    A race: only those that lead on growing random subsets of the backgrounds (24, 36,
    54, ...) are measured on all of them. The others are left behind once they are
    surely below the best of these. Where effects are too close to tell, k-mers stay, if
    need be all of them to the end; so they do where the effects to be compared would
    take more than `max_memory`.

    Parameters
    ----------
    {model}

    k, kmers, start: optional
        What is scanned, and where, as for `kmer_scan`. Default is all 6-mers at the
        centre.

    top: int, optional
        How many of the best, that is of the highest effects. Default is 10.

    delta: float, optional
        Accepted probability that other k-mers are found than by `kmer_scan`.
        It rests on t intervals with the finite population's correction, divided over
        rounds and the best k-mers, and on rare large effects being as large, and at
        most five times as frequent, as other k-mers show them: one that owes its rank
        to a few backgrounds only, with effects as no other k-mer has any, can be
        missed. Default is 0.01.

    both_strands: bool, optional
        Whether both strands count as one, as for `kmer_scan`. Default is False.

    {options}

    Returns
    -------
    scan: KmerScan
        The `top` best in the order of the scan, with the same effects and errors over
        all backgrounds as `kmer_scan` gives them; `n_predictions` and `n_exhaustive`
        tell what was saved. The race is about the given backgrounds, and finds the same
        with and without `clusters`; with them, the best are asked once more for their
        cluster-robust errors.

    Raises
    ------
    ValueError, TypeError
        As for `kmer_scan`, if `top` or `delta` is not allowed, or if there is more than
        one output to rank by; `target` chooses one.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> best = best_kmers(model, X, k=3, top=5)
    >>> len(best.kmers), best.n_scanned
    (5, 64)
    """
    check_count("top", top)
    check_fraction("delta", delta)
    letters, seed = resolve_alphabet(model, alphabet), as_seed(random_state)
    strands = 2 if both_strands else 1
    names, design = scan_design(X, k, kmers, start, letters, strands, seed)
    engine = Engine(model, X, **options)
    order = as_generator(seed).permutation(len(engine.X))
    with engine.held():
        before = _one_output(engine.before())
        course = _Course(engine, design, before, order, strands)
        found = race(
            course.ask,
            len(names),
            len(order),
            top=top,
            delta=delta,
            max_values=engine.max_memory / np.dtype(np.float64).itemsize,
        )
        kmers_left, effect, se, n_asked = course.finish(found)
        best = _highest(effect.flatten().numpy(), kmers_left, top)
        kmers_left, effect, se = kmers_left[best], effect[best], se[best]
        if engine.clusters is not None:
            effect, se = course.measure_in_clusters(kmers_left)
            n_asked += len(kmers_left) * len(order)
    return KmerScan(
        [names[i] for i in kmers_left.tolist()],
        effect,
        se,
        len(order),
        len(names),
        strands * n_asked,
        strands * len(names) * len(order),
        outputs=target_labels(engine.target, before),
        clusters=engine.clusters,
    )


class _Course:
    """What a race runs on: the backgrounds in a random order, asked part by part."""

    def __init__(
        self,
        engine: Engine,
        design: ScanDesign,
        before: torch.Tensor,
        order: NDArray[np.int64],
        strands: int,
    ) -> None:
        self._engine, self._design, self._before = engine, design, before
        self._order, self._strands = order, strands

    def ask(self, kmers: Indices, rows: slice) -> Values:
        """Local importances of k-mers on some backgrounds, shape=(n_rows, n_kmers)."""
        part = _Part(self._design, self._order[rows], kmers, self._strands)
        before = self._before[part.rows]
        values = np.empty((len(part.rows), len(kmers)))
        stream = self._engine.on(part.rows).stream
        for block in stream(part, [before], together=self._strands):
            effects = block_effects(block.y[0], before[block.rows], self._strands)
            columns = block_kmers(block, self._strands)
            values[block.rows, columns] = effects.flatten(start_dim=1)
        return values

    def finish(self, found: Race) -> tuple[Indices, torch.Tensor, torch.Tensor, int]:
        """The k-mers left, their effects and errors, and how many were asked."""
        shape = tuple(self._before.shape[1:])
        moments = [
            _moments(found.measured_values, shape),
            _moments(found.values, shape),
        ]
        rows = self._order[len(found.values) :]
        part = _Part(self._design, rows, found.others, self._strands)
        before = [self._before[rows]]
        add_effects(moments[1:], self._engine.on(rows), part, before, self._strands)
        left = np.concatenate([found.measured, found.others])
        effect, se = (
            torch.cat([getattr(m, name) for m in moments]) for name in ("mean", "se")
        )
        return left, effect, se, found.n_asked + len(found.others) * len(rows)

    def measure_in_clusters(self, kmers: Indices) -> tuple[torch.Tensor, torch.Tensor]:
        """Effects and cluster-robust errors of a few k-mers, on all rows once more."""
        rows, shape = np.arange(len(self._order)), tuple(self._before.shape[1:])
        part = _Part(self._design, rows, kmers, self._strands)
        moments = make_moments(len(kmers), shape, self._engine.clusters)
        add_effects([moments], self._engine, part, [self._before], self._strands)
        return moments.mean, moments.se


class _Part:
    """Some k-mers of a scan on some backgrounds, in any order."""

    columns = None

    def __init__(
        self, design: ScanDesign, rows: NDArray[np.int64], kmers: Indices, strands: int
    ) -> None:
        self._design, self.rows = design, rows
        self.any_device = design.any_device
        self._chosen = (kmers[:, None] * strands + np.arange(strands)).ravel()
        self.conditions = pd.DataFrame(index=pd.RangeIndex(len(self._chosen)))
        self.lengths: NDArray[np.int64] = design.lengths[self._chosen]

    def describe(self, built: int) -> str:
        """The k-mer that is placed."""
        return self._design.describe(int(self._chosen[built]))

    def build(self, X: torch.Tensor, rows: slice, conditions: slice) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length)."""
        return self._design.build(X, self.rows[rows], self._chosen[conditions])


def _highest(effect: Values, kmers: Indices, top: int) -> Indices:
    """Places of the highest, in the order of the k-mers; of equal ones the first."""
    best = np.lexsort([kmers, -effect])[:top]
    return best[np.argsort(kmers[best])]


def _moments(values: Values, shape: tuple[int, ...]) -> Moments:
    """The moments of what is known of some k-mers, shape=(n_known, n_kmers)."""
    moments = Moments(values.shape[1], shape)
    if len(values):
        known = torch.from_numpy(values)
        moments.add(slice(None), known.reshape(*known.shape, *shape))
    return moments


def _one_output(before: Outputs) -> torch.Tensor:
    """A race needs one number to rank by."""
    if isinstance(before, torch.Tensor) and before[0].numel() == 1:
        return before
    shapes = ", ".join(str(tuple(y.shape[1:])) for y in as_heads(before))
    raise ValueError(
        "`best_kmers` ranks by one number for each sequence, but the outputs have "
        f"shape {shapes}; choose one with `target`, or use `kmer_scan`."
    )
