"""The effect of every motif of a collection, beside its own letters shuffled."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.anchored import check_one_place
from .._core.clusters import Labels, as_codes, as_labels
from .._core.engine import Engine
from .._core.kept import free_starts, resolve_keep
from .._core.letters import (
    RandomState,
    as_generator,
    as_seed,
    check_count,
    check_sequences,
    resolve_alphabet,
)
from .._core.memory import check_fits
from .._core.moments import ClusteredMoments, Moments
from .._core.motif import Motif
from .._core.options import document
from .._core.outputs import Label, Outputs, as_heads
from .._core.patterns import resolve_start
from .._core.readings import Block
from .._core.scans import KmerScan
from .._core.target import target_labels
from ..experiments.positions import draw_starts
from ..statistics.inputs import check_fraction
from .collection_designs import Collection, CollectionDesign, Row, read_collection
from .motif_scan_result import Measured, MotifScan

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options

Strands = Literal["+", "apart", "mean"]
_STRANDS: tuple[Strands, ...] = ("+", "apart", "mean")
# Fewer backgrounds than these on either side measure nothing again.
_FEWEST = 2
# The stream of the seed that divides the backgrounds.
_DIVISION_STREAM = 3


@document
def motif_scan(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    motifs: Collection,
    start: int | Literal["random"] | None = None,
    *,
    strands: Strands = "+",
    consensus: bool = False,
    n_controls: int = 1,
    selection_fraction: float = 0.5,
    alphabet: Sequence[str] | None = None,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> MotifScan:
    """Which motifs of a collection does the model read, and how much do they matter?

    Every motif is placed in every background, and in its place the same letters in a
    random order, which have the same information and GC: what a motif does beyond them
    is what the model reads. Only moments are kept, so that memory does not depend on
    the numbers of motifs and backgrounds.

    Parameters
    ----------
    {model}

    motifs: mapping or sequence of motifs, or path
        By identifier, such as from `read_motifs`; a list of letters, one-hot or PPMs;
        or the path of a motif file. Of a PPM each background gets one draw.

    start: int, "random" or None, optional
        The 0-based first base of each; None is the centre, as in tangermeme. "random"
        averages over positions: each background has a start of its own, uniform over
        those at which the motif lies between its paddings. Default is None.

    strands: {{"+", "apart", "mean"}}, optional
        Whether motifs are placed as they are given; also as their reverse complements,
        in rows of their own; or both, of which the mean effect on each background
        counts. Default is "+".

    consensus: bool, optional
        Whether a PPM is placed as its most likely letters instead of draws.
        Default is False.

    n_controls: int, optional
        How often the letters of each background are placed in another random order.
        Each background has orders of its own, so that their choice is in the interval
        of the difference. 0 leaves controls out, and half of the predictions.
        Default is 1.

    selection_fraction: float, optional
        Share of the backgrounds (or templates) that chooses the best for
        `MotifScan.top`, divided at random; the others measure these again. The table of
        all motifs is of all backgrounds. Default is 0.5.

    {options}

    Returns
    -------
    scan: MotifScan
        `to_frame()` has a row for each motif, `top()` the best, measured on backgrounds
        that did not choose them. A motif of one letter only, whose order cannot change,
        has no control: its difference is NaN, and a warning names it.

    Raises
    ------
    ValueError, TypeError
        If a motif runs past X, has letters outside the alphabet or is none, the
        alphabet has no complement for the other strand, an option is out of range, or
        X is not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> scan = motif_scan(model, X, ["GATAA", "CACGTG"], strands="apart")
    >>> scan.to_frame()[["motif", "strand"]].values.tolist()
    [['GATAA', '+'], ['GATAA', '-'], ['CACGTG', '+'], ['CACGTG', '-']]
    """
    letters, seed = resolve_alphabet(model, alphabet), as_seed(random_state)
    check_sequences(X, letters)
    check_count("n_controls", n_controls, 0)
    check_fraction("selection_fraction", selection_fraction)
    collection = read_collection(motifs, letters)
    rows = _as_rows(collection, strands, consensus)
    kept = resolve_keep(options.get("keep"), X.shape[-1])
    starts = _as_starts(X, rows, start, kept, seed)
    design = CollectionDesign(rows, starts, len(X), X.shape[-1], n_controls, seed)
    engine = Engine(model, X, **options)
    engine.check_kept(design)
    check_one_place(engine.target)
    halves = _divide(len(X), engine.clusters, selection_fraction, seed)
    parts = _run(engine, design, [None, *halves])
    whole, *divided = [_without_controls_of_one_letter(p, rows) for p in parts]
    conditions = _describe(collection, rows)
    pair = (divided[0], divided[1]) if divided else None
    return MotifScan(conditions, collection, whole, pair)


def _as_rows(
    collection: dict[str, Motif], strands: Strands, consensus: bool
) -> list[Row]:
    if strands not in _STRANDS:
        raise ValueError(f"`strands`={strands!r} must be one of {_STRANDS}.")
    rows = []
    for key, motif in collection.items():
        placed = motif.consensus() if consensus else motif
        if strands == "+":
            rows.append(Row(key, "+", (placed,)))
            continue
        other = placed.reverse_complement()
        if strands == "mean":
            rows.append(Row(key, "both", (placed, other)))
        else:
            rows += [Row(key, "+", (placed,)), Row(key, "-", (other,))]
    return rows


def _as_starts(
    X: torch.Tensor | PackedSequence,
    rows: Sequence[Row],
    start: int | Literal["random"] | None,
    kept: NDArray[np.bool_],
    seed: int,
) -> list[NDArray[np.int64]]:
    """Where each row stands in each background, or in all."""
    if isinstance(start, str) and start != "random":
        raise ValueError(f"`start`={start!r} must be an integer, 'random' or None.")
    of_length: dict[int, NDArray[np.int64]] = {}
    starts = []
    for row in rows:
        k = len(row.placed[0])
        if k not in of_length:
            try:
                if start == "random":
                    resolve_start(None, k, X.shape[-1])
                    free = free_starts(kept, np.arange(k), k)
                    of_length[k] = draw_starts(X, k, free, True, seed)
                else:
                    of_length[k] = np.array([resolve_start(start, k, X.shape[-1])])
            except (ValueError, TypeError) as error:
                raise type(error)(f"motif {row.key!r}: {error}") from error
        starts.append(of_length[k])
    return starts


def _divide(
    n: int, clusters: Labels | None, fraction: float, seed: int
) -> list[NDArray[np.intp]]:
    """Backgrounds that choose the best and those that measure them; none if too few."""
    codes = np.arange(n) if clusters is None else as_codes(as_labels(clusters, n))
    n_units = int(codes.max()) + 1
    n_first = round(fraction * n_units)
    if not _FEWEST <= n_first <= n_units - _FEWEST:
        return []
    order = as_generator(seed, _DIVISION_STREAM).permutation(n_units)
    chooses = np.isin(codes, order[:n_first])
    return [np.flatnonzero(chooses), np.flatnonzero(~chooses)]


class _Part(NamedTuple):
    """Moments over some of the backgrounds, of each head and of what is measured."""

    chosen: NDArray[np.intp] | None
    moments: list[list[Moments | ClusteredMoments]]

    def add(self, block: Block, rows: slice, head: int, values: torch.Tensor) -> None:
        """Take in values, shape=(n_rows, n_measured, n_motifs, ...)."""
        if self.chosen is not None:
            first, last = block.rows.start, block.rows.stop
            inside = (self.chosen >= first) & (self.chosen < last)
            values = values[torch.from_numpy(self.chosen[inside] - first)]
        if len(values):
            for moment, value in zip(
                self.moments[head], values.unbind(dim=1), strict=True
            ):
                moment.add(rows, value)


def _run(
    engine: Engine,
    design: CollectionDesign,
    choices: Sequence[NDArray[np.intp] | None],
) -> list[Measured]:
    """Effects, those of controls and differences, on all and on some backgrounds."""
    n_rows, has_controls = len(design.names), design.n_controls > 0
    n_measured = 3 if has_controls else 1
    with engine.held():
        before = engine.before()
        heads = as_heads(before)
        _check_fits(n_rows * n_measured * len(choices), heads)
        parts = [
            _Part(
                chosen,
                [
                    [
                        _moments(n_rows, tuple(y.shape[1:]), engine.clusters, chosen)
                        for _ in range(n_measured)
                    ]
                    for y in heads
                ],
            )
            for chosen in choices
        ]
        for block in engine.stream(design, heads, together=design.together):
            first, last = (
                at // design.together
                for at in (block.conditions.start, block.conditions.stop)
            )
            for head, (after, y) in enumerate(zip(block.y, heads, strict=True)):
                values = _measure(after, y[block.rows], design)
                for part in parts:
                    part.add(block, slice(first, last), head, values)
    labels = target_labels(engine.target, before)
    is_list = isinstance(before, list)
    return [_as_measured(p, engine, design, labels, is_list) for p in parts]


def _measure(
    after: torch.Tensor, before: torch.Tensor, design: CollectionDesign
) -> torch.Tensor:
    """Effects, their controls' and differences, (n_rows, n_measured, n_motifs, ...)."""
    local = after.to(torch.float64) - before[:, None].to(torch.float64)
    shape = (len(local), -1, 1 + design.n_controls, design.n_strands)
    # Strands first: a motif on both is one.
    local = local.reshape(*shape, *local.shape[2:]).mean(dim=3)
    effect = local[:, :, 0]
    if not design.n_controls:
        return effect[:, None]
    control = local[:, :, 1:].mean(dim=2)
    return torch.stack([effect, control, effect - control], dim=1)


def _moments(
    n_rows: int,
    shape: tuple[int, ...],
    clusters: NDArray[np.generic] | None,
    chosen: NDArray[np.intp] | None,
) -> Moments | ClusteredMoments:
    if clusters is None:
        return Moments(n_rows, shape)
    labels = clusters if chosen is None else clusters[chosen]
    return ClusteredMoments(n_rows, shape, as_codes(labels))


def _as_measured(
    part: _Part,
    engine: Engine,
    design: CollectionDesign,
    labels: list[Label] | None,
    is_list: bool,
) -> Measured:
    clusters, n = engine.clusters, len(engine.X)
    if part.chosen is not None:
        n = len(part.chosen)
        clusters = None if clusters is None else clusters[part.chosen]
    scans = []
    for measured in zip(*part.moments, strict=True):
        effect: Outputs = [moment.mean for moment in measured]
        se: Outputs = [moment.se for moment in measured]
        if not is_list:
            effect, se = effect[0], se[0]
        scans.append(
            KmerScan(design.names, effect, se, n, outputs=labels, clusters=clusters)
        )
    if len(scans) == 1:
        return Measured(scans[0], None, None)
    return Measured(*scans)


def _without_controls_of_one_letter(
    measured: Measured, rows: Sequence[Row]
) -> Measured:
    """NaN for controls that can be nothing but the motif."""
    if measured.control is None or measured.difference is None:
        return measured
    same = [i for i, row in enumerate(rows) if _is_of_one_letter(row.placed[0])]
    for scan in (measured.control, measured.difference):
        for y in (scan.effect, scan.se):
            for head in as_heads(y):
                head[same] = torch.nan
    return measured


def _is_of_one_letter(motif: Motif) -> bool:
    codes = motif.consensus().values
    return len(np.unique(codes[codes >= 0])) < 2


def _describe(collection: dict[str, Motif], rows: Sequence[Row]) -> pd.DataFrame:
    """The row of each in the table; motifs without control are named once."""
    stuck = [key for key, motif in collection.items() if _is_of_one_letter(motif)]
    if stuck:
        shown = ", ".join(map(repr, stuck[:3])) + (", ..." if stuck[3:] else "")
        warnings.warn(
            f"{len(stuck)} of {len(collection)} motifs are of one letter, whose order "
            f"is no control ({shown}): their difference and p are missing.",
            UserWarning,
            stacklevel=3,
        )
    table: pd.DataFrame = pd.DataFrame(
        {
            "motif": [row.key for row in rows],
            "name": [_name(row.key, collection[row.key]) for row in rows],
            "consensus": [collection[row.key].consensus().letters for row in rows],
            "strand": [row.strand for row in rows],
        }
    )
    return table


def _name(key: str, motif: Motif) -> str:
    """The rest of its title, or its identifier."""
    rest = motif.name.removeprefix(key).strip()
    return rest or motif.name or key


def _check_fits(n_moments: int, before: list[torch.Tensor]) -> None:
    sizes = {
        "moments": n_moments,
        "outputs": sum(y[0].numel() for y in before),
        "bytes (mean, squares and error of each)": 24,
    }
    way_out = "Choose outputs by `target`, or reduce them in a `func`."
    check_fits("the scan", sizes, way_out)
