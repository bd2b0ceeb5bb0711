"""Which of many given motifs are worth asking about together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._core.results import GIAResult
from ..statistics.selection import benjamini_hochberg
from ..statistics.significance import paired_t_test
from ..surveys.motif_clusters import representatives, similarity
from .effects import ALPHA, local_effects
from .study import Study
from .wording import count, listed

# Pairs grow with the square of motifs; similar motifs of a collection are one question.
MOST_MOTIFS = 5
_SIMILAR = 0.01
_MOST_NAMED = 8


class Foremost(NamedTuple):
    """Motifs to ask about, and why others are left out, by reason."""

    names: list[str]
    left_out: dict[str, list[str]]

    def sentence(self) -> str:
        """What was left out and why; empty if nothing was."""
        said = [
            f"{_shown(names)} ({reason})"
            for reason, names in self.left_out.items()
            if names
        ]
        return f" Left out: {'; '.join(said)}." if said else ""


def foremost_motifs(study: Study, room: int) -> Foremost:
    """The motifs of the report's pairs, at most `MOST_MOTIFS`.

    All of few that fit twice into `room`. Of more, those with clear effects first, the
    largest first, on the backgrounds of the search, which are not those of the pairs;
    of motifs that are similar (TOMTOM) the first.
    """
    long = [name for name, motif in study.given.items() if 2 * len(motif) > room]
    left_out = {"no room for two": long}
    fit = [name for name in study.given if name not in long]
    if len(fit) <= MOST_MOTIFS:
        return Foremost(fit, left_out)
    ranked = [name for name in _ranked(study) if name not in long]
    q = similarity(tuple(study.given[name] for name in ranked))
    first = representatives(range(len(ranked)), q, _SIMILAR)
    distinct = [name for i, name in enumerate(ranked) if first[i] == i]
    kept = distinct[:MOST_MOTIFS]
    alike = [
        name
        for i, name in enumerate(ranked)
        if first[i] != i and ranked[first[i]] in kept
    ]
    named = {*kept, *alike}
    weaker = [name for name in ranked if name not in named]
    left_out |= {"similar to one of these": alike, "smaller effects": weaker}
    return Foremost(kept, left_out)


def _ranked(study: Study) -> list[str]:
    """Clear effects first, the largest first."""
    chosen: GIAResult = study.finished["motifs"]["chosen"]
    local = local_effects(chosen)
    p = paired_t_test(local, clusters=chosen.clusters).p
    clear = benjamini_hochberg(p, ALPHA).significant
    order = np.lexsort((-np.abs(local.mean(axis=0)), ~clear))
    names = chosen.conditions["motif"].tolist()
    return [names[i] for i in order]


def _shown(names: list[str]) -> str:
    if len(names) > _MOST_NAMED:
        return count(len(names), "motif")
    return listed(names)
