"""Three motifs whose pairs all act together: do they do more than the pairs say?"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..statistics.grammar import Grammar
from ..statistics.intervals import confidence_interval
from ..statistics.selection import benjamini_hochberg
from ..statistics.significance import paired_t_test
from .arrangements import Arrangement, Placed, Strands
from .measuring import Rows, Survey

_TESTED = ["effect", "se", "low", "high", "p", "q", "significant", "n"]


class _Neighbours(NamedTuple):
    """Two motifs side by side as they were confirmed, and how they stood out."""

    right: int
    spacing: int
    score: float


class _Row(NamedTuple):
    """Three motifs from left to right, with two spacings between them."""

    members: tuple[int, int, int]
    spacings: tuple[int, int]


def third_order(
    grammar: Grammar,
    survey: Survey,
    rows: Rows,
    arrangements: Sequence[Arrangement],
    alpha: float,
) -> tuple[pd.DataFrame, int]:
    """What do three motifs do that neither each nor each two of them do?

    Three motifs of which every pair was confirmed stand in the row whose two pairs of
    neighbours stood out most on the finding half; ABC - AB - AC - BC + A + B + C - 0 is
    measured on the confirming half (that of `factorial`).

    Parameters
    ----------
    grammar: Grammar
        What was confirmed.

    survey: Survey
        What is placed where.

    rows: numpy.ndarray
        The confirming half.

    arrangements: list of Arrangement
        Those of the survey.

    alpha: float
        False discovery rate over the triples.

    Returns
    -------
    table: pandas.DataFrame
        `a`, `b`, `c`, `arrangement` and `spacings` from left to right (missing where no
        confirmed neighbours fit side by side into X), `effect`, `se`, `low`, `high`,
        `p`, `q`, `significant`, `n`.

    n_asked: int
        Predictions made.
    """
    found = list(_triples(grammar, survey.strands))
    neighbours = _neighbours(grammar, arrangements)
    best = [_best_row(triple, neighbours, survey) for triple in found]
    names = survey.strands.names
    table = pd.DataFrame(
        [[names[i] for i in t] for t in found], columns=["a", "b", "c"]
    )
    table["arrangement"] = [
        None if row is None else _written(row, survey.strands) for row in best
    ]
    spacings: list[Any] = [None if row is None else row.spacings for row in best]
    table["spacings"] = spacings
    table[_TESTED] = np.nan
    fits = [row for row in best if row is not None]
    if not fits:
        return table, 0
    placed = [_placed(row, survey) for row in fits]
    measured = survey.together(rows, placed)
    clusters = survey.engine.clusters
    clusters = None if clusters is None else clusters[rows]
    interval = confidence_interval(measured.local, clusters=clusters)
    p = paired_t_test(measured.local, clusters=clusters).p
    q, significant = benjamini_hochberg(p, alpha)
    values = [*interval[:4], p, q, significant, np.full(len(p), interval.n)]
    is_there = [row is not None for row in best]
    table.loc[is_there, _TESTED] = np.stack(values, axis=1)
    return table, measured.n_asked


def _triples(grammar: Grammar, strands: Strands) -> Iterator[tuple[int, int, int]]:
    stands = grammar.pairs[grammar.pairs["significant"]]
    pairs = {frozenset(pair) for pair in zip(stands["a"], stands["b"], strict=True)}
    for triple in itertools.combinations(range(len(strands.names)), 3):
        names = [strands.names[i] for i in triple]
        if all(frozenset(two) in pairs for two in itertools.combinations(names, 2)):
            yield triple


def _neighbours(
    grammar: Grammar, arrangements: Sequence[Arrangement]
) -> dict[int, list[_Neighbours]]:
    """For each motif on a strand, what was confirmed on its right."""
    keys = ["a", "b", "order", "orientation"]
    by_key = {(a.a, a.b, a.order, a.orientation): a for a in arrangements}
    found = grammar.found.assign(
        t=lambda f: (f["effect"].abs() / f["se"]).fillna(0).clip(upper=1e9)
    )
    curves = found[found["spacing"].notna()].groupby(keys, sort=False)
    beside: dict[int, list[_Neighbours]] = {}
    for _, profile in grammar.profiles.iterrows():
        if profile["class"] == "none":
            continue
        key = tuple(profile[keys])
        curve = curves.get_group(key)
        best = curve.iloc[int(np.nanargmax(curve["t"].to_numpy(dtype=float)))]
        arrangement = by_key[key]
        beside.setdefault(arrangement.left, []).append(
            _Neighbours(arrangement.right, int(best["spacing"]), float(best["t"]))
        )
    return beside


def _best_row(
    triple: tuple[int, int, int],
    neighbours: dict[int, list[_Neighbours]],
    survey: Survey,
) -> _Row | None:
    """The row whose neighbours stood out most, of those that fit."""
    best: tuple[float, _Row] | None = None
    for left, middles in neighbours.items():
        for middle in middles:
            for right in neighbours.get(middle.right, []):
                members = (left, middle.right, right.right)
                if {i // 2 for i in members} != set(triple):
                    continue
                row = _Row(members, (middle.spacing, right.spacing))
                score = middle.score + right.score
                if _fits(row, survey) and (best is None or score > best[0]):
                    best = score, row
    return None if best is None else best[1]


def _width(row: _Row, strands: Strands) -> int:
    return sum(len(strands.motifs[i]) for i in row.members) + sum(row.spacings)


def _room(row: _Row, survey: Survey) -> int:
    """Bases that are left of the sequences."""
    length = survey.engine.X.shape[-1] - int(survey.offsets.max())
    return int(length - _width(row, survey.strands))


def _fits(row: _Row, survey: Survey) -> bool:
    return _room(row, survey) >= 0


def _placed(row: _Row, survey: Survey) -> tuple[Placed, ...]:
    """Each member with its start; the row stands where pairs did, or further left."""
    start = min(survey.start, _room(row, survey))
    placed = []
    for member, gap in zip(row.members, (*row.spacings, 0), strict=True):
        placed.append((member, start))
        start += len(survey.strands.motifs[member]) + gap
    return tuple(placed)


def _written(row: _Row, strands: Strands) -> str:
    return " ".join(strands.written(i) for i in row.members)
