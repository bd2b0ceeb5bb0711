"""The best k-mers by a race that leaves the others behind early."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.anchored import check_one_place
from .._core.conditions import Design
from .._core.engine import Engine
from .._core.letters import (
    RandomState,
    as_generator,
    as_seed,
    check_count,
    resolve_alphabet,
)
from .._core.moments import Moments
from .._core.named_motifs import MotifsLike
from .._core.options import document
from .._core.outputs import Outputs, as_heads
from .._core.progress import whole
from .._core.scans import KmerScan
from .._core.target import target_labels
from ..statistics.inputs import check_fraction
from ..statistics.racing import Race, race
from ..statistics.strata import Indices, Values
from .designs import ScanDesign, scan_design
from .measure import add_effects, block_effects, block_kmers, make_moments

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options


@document
def best_kmers(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    k: int = 6,
    kmers: MotifsLike | None = None,
    start: int | None = None,
    *,
    top: int = 10,
    lowest: bool = False,
    delta: float = 0.01,
    both_strands: bool = False,
    alphabet: Sequence[str] | None = None,
    consensus: bool = False,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> KmerScan:
    """Which few k-mers change the output most, without measuring all of them?

    A race: only those that lead on growing random subsets of the backgrounds (29, 46,
    74, ...) are measured on all of them. The others are left behind once they are
    surely below the best of these. A pilot of 50,000 predictions, other k-mers on each
    background, finds the backgrounds where effects differ most, which are drawn more
    often. Where effects are too close to tell, k-mers stay, if need be all of them to
    the end; so they do where the effects to be compared would take more than
    `max_memory`.

    Parameters
    ----------
    {model}

    k, kmers, start: optional
        What is scanned, and where, as for `kmer_scan`. Default is all 6-mers at the
        centre.

    top: int, optional
        How many of the best, that is of the highest effects. Default is 10.

    lowest: bool, optional
        Whether those of the lowest effects are the best instead. Default is False.

    delta: float, optional
        Accepted probability that other k-mers are found than by `kmer_scan`.
        It rests on t intervals with the finite population's correction, divided over
        rounds and the best k-mers, and on rare large effects being as large, and at
        most five times as frequent, as other k-mers show them. A k-mer that owes its
        rank to a few backgrounds, with effects as no other has any, can be missed:
        `unseen_share` of the result says on how many of them. Default is 0.01.

    both_strands: bool, optional
        Whether both strands count as one, as for `kmer_scan`. Default is False.

    {options}

    {consensus}

    Returns
    -------
    scan: KmerScan
        The `top` best in the order of the scan, with the same effects and errors over
        all backgrounds as `kmer_scan` gives them; `n_predictions` (the pilot included)
        and `n_exhaustive` tell what was saved, `unseen_share` what the rule could have
        missed. The race is about the given backgrounds, and finds the same with and
        without `clusters`; with them, the best are asked once more for their
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
    names, design = scan_design(X, k, kmers, start, letters, strands, consensus, seed)
    engine = Engine(model, X, **options)
    engine.check_kept(design)
    check_one_place(engine.target)
    # A race asks in many calls, and nobody knows how often.
    with engine.held(), whole(None, "sequences", engine.verbose):
        races = Races(engine, design, names, strands, seed)
        return races.best(top, delta, lowest)


class Races:
    """Races of the same k-mers on the same backgrounds, which share their pilot.

    Parameters
    ----------
    engine: Engine
        Where its model is held.

    design: ScanDesign
        Places the k-mers.

    names: sequence of str
        What they are called.

    strands: int
        Conditions of each, of which the mean counts.

    seed: int
        Of the draws.
    """

    def __init__(
        self,
        engine: Engine,
        design: ScanDesign,
        names: Sequence[str],
        strands: int,
        seed: int,
    ) -> None:
        self._engine, self._design, self._names = engine, design, names
        self._strands, self._seed = strands, seed
        self._before = _one_output(engine.before())
        self._pilots: dict[bytes, Values] = {}

    def best(
        self, top: int, delta: float, lowest: bool, known: Values | None = None
    ) -> KmerScan:
        """The k-mers of the highest or the lowest effects.

        `known` has the effects of all on the first backgrounds.
        """
        n, sign = len(self._engine.X), -1 if lowest else 1
        effects = _Effects(
            self._engine, self._design, self._before, self._strands, sign, self._pilots
        )
        found = race(
            effects,
            len(self._names),
            n,
            top=top,
            delta=delta,
            rng=as_generator(self._seed),
            max_values=self._engine.max_memory / np.dtype(np.float64).itemsize,
            known=None if known is None else sign * known,
        )
        kmers_left, effect, se, n_asked = effects.finish(found)
        ranked = effect.flatten().numpy()
        best = _highest(sign * ranked, kmers_left, top)
        kmers_left, effect, se = kmers_left[best], effect[best], se[best]
        if self._engine.clusters is not None:
            effect, se = effects.measure_in_clusters(kmers_left)
            n_asked += len(kmers_left) * n
        scan = KmerScan(
            [self._names[i] for i in kmers_left.tolist()],
            effect,
            se,
            n,
            len(self._names),
            self._strands * n_asked,
            self._strands * len(self._names) * n,
            outputs=target_labels(self._engine.target, self._before),
            clusters=self._engine.clusters,
        )
        return scan._after_race(found.unseen_share, lowest)


class _Effects:
    """What a race runs on: local importances of k-mers on backgrounds.

    With a sign of -1 those that are lowest come out highest.
    """

    def __init__(
        self,
        engine: Engine,
        design: ScanDesign,
        before: torch.Tensor,
        strands: int,
        sign: int,
        pilots: dict[bytes, Values],
    ) -> None:
        self._engine, self._design, self._before = engine, design, before
        self._strands, self._sign = strands, sign
        # Effects that were asked for by scattered k-mers, and how many of them again.
        self._pilots, self._n_again = pilots, 0

    def block(self, kmers: Indices, rows: Indices) -> Values:
        """Of k-mers on some backgrounds, shape=(n_rows, n_kmers)."""
        part = _Part(self._design, rows, kmers, self._strands)
        return self._run(part, rows, len(kmers))

    def scattered(self, kmers: Indices) -> Values:
        """Of each background's own k-mers on all, both shape=(n, n_each)."""
        key = kmers.tobytes()
        if key in self._pilots:
            self._n_again += kmers.size
        else:
            rows = np.arange(len(kmers))
            part = _Scattered(self._design, kmers, self._strands)
            self._pilots[key] = self._sign * self._run(part, rows, kmers.shape[1])
        return self._sign * self._pilots[key]

    def finish(self, found: Race) -> tuple[Indices, torch.Tensor, torch.Tensor, int]:
        """The k-mers left, their effects and errors, and how many were asked."""
        shape = tuple(self._before.shape[1:])
        moments = [
            _moments(self._sign * found.measured_values, shape),
            _moments(self._sign * found.values, shape),
        ]
        rows = np.setdiff1d(np.arange(len(self._before)), found.seen)
        part = _Part(self._design, rows, found.others, self._strands)
        before = [self._before[rows]]
        add_effects(moments[1:], self._engine.on(rows), part, before, self._strands)
        left = np.concatenate([found.measured, found.others])
        effect, se = (
            torch.cat([getattr(m, name) for m in moments]) for name in ("mean", "se")
        )
        n_asked = found.n_asked + len(found.others) * len(rows) - self._n_again
        return left, effect, se, n_asked

    def measure_in_clusters(self, kmers: Indices) -> tuple[torch.Tensor, torch.Tensor]:
        """Effects and cluster-robust errors of a few k-mers, on all rows once more."""
        rows, shape = np.arange(len(self._before)), tuple(self._before.shape[1:])
        part = _Part(self._design, rows, kmers, self._strands)
        moments = make_moments(len(kmers), shape, self._engine.clusters)
        add_effects([moments], self._engine, part, [self._before], self._strands)
        return moments.mean, moments.se

    def _run(self, part: Design, rows: Indices, n_kmers: int) -> Values:
        before = self._before[rows]
        values = np.empty((len(rows), n_kmers))
        stream = self._engine.on(rows).stream
        for block in stream(part, [before], together=self._strands):
            effects = block_effects(block.y[0], before[block.rows], self._strands)
            columns = block_kmers(block, self._strands)
            values[block.rows, columns] = self._sign * effects.flatten(start_dim=1)
        return values


class _Part:
    """Some k-mers of a scan on some backgrounds, in any order."""

    columns = None

    def __init__(
        self, design: ScanDesign, rows: Indices, kmers: Indices, strands: int
    ) -> None:
        self._design, self._rows = design, rows
        self.any_device = design.any_device
        self._built = _with_strands(kmers, strands)
        self.conditions = pd.DataFrame(index=pd.RangeIndex(len(self._built)))
        self.lengths: NDArray[np.int64] = design.lengths[self._built]

    def describe(self, built: int, row: int) -> str:
        """The k-mer that is placed."""
        return self._design.describe(int(self._built[built]), row)

    def build(self, X: torch.Tensor, rows: slice, conditions: slice) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length)."""
        return self._design.build(X, self._rows[rows], self._built[conditions])


class _Scattered:
    """k-mers of a scan on all backgrounds, on each its own."""

    columns = None

    def __init__(self, design: ScanDesign, kmers: Indices, strands: int) -> None:
        self._design = design
        self.any_device = design.any_device
        self._built = _with_strands(kmers, strands)
        self.conditions = pd.DataFrame(index=pd.RangeIndex(self._built.shape[1]))
        # A scan's k-mers replace letters, so that all sequences have one length.
        self.lengths: NDArray[np.int64] = design.lengths[self._built[0]]

    def describe(self, built: int, row: int) -> str:
        """The k-mer that is placed in the background."""
        return self._design.describe(int(self._built[row, built]), row)

    def build(self, X: torch.Tensor, rows: slice, conditions: slice) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length)."""
        numbers = np.arange(rows.start, rows.stop)[:, None]
        built = self._built[rows, conditions]
        one_by_one = zip(X[:, None], numbers, built, strict=True)
        return torch.cat([self._design.build(*each) for each in one_by_one])


def _with_strands(kmers: Indices, strands: int) -> Indices:
    """The conditions of k-mers, one for each strand, side by side on the last axis."""
    built: Indices = kmers[..., None] * strands + np.arange(strands)
    return built.reshape(*kmers.shape[:-1], -1)


def _highest(effect: Values, kmers: Indices, top: int) -> Indices:
    """Places of the highest, in the order of the k-mers; of equal ones the first.

    Sums of the same effects in another order are equal but for rounding.
    """
    scale = np.abs(effect).max(initial=np.finfo(float).tiny)
    best = np.lexsort([kmers, -np.round(effect / scale, 12)])[:top]
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
