"""Whether a motif that is given without a place has its effect at the centre."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from .._core.results import GIAResult
from ..experiments.positions import positional_bias
from ..statistics.effects import effect_difference
from ..statistics.intervals import Interval, confidence_interval
from .effects import first_half, local_effects
from .layout import all_starts
from .study import Study
from .wording import count, row_with_interval

_BACKGROUNDS, _MOST_STARTS = 32, 256
# An effect elsewhere is worth a word if it is so many times that at the centre.
_TIMES = 2


def scan_places(study: Study) -> GIAResult:
    """The motif at its own start and at all others, or at some of many."""
    starts = all_starts(study)
    step = math.ceil(len(starts) / _MOST_STARTS)
    chosen = sorted({*starts[::step], study.start})
    X, clusters, _ = study.drawn.part(slice(_BACKGROUNDS))
    ask = {**study.ask, "clusters": clusters}
    return positional_bias(study.model, X, study.placed, chosen, **ask)


class Elsewhere(NamedTuple):
    """Where the effect of a motif is clearly larger than at its place."""

    start: int
    effect: Interval
    n_starts: int

    def sentence(self, study: Study) -> str:
        """What the page says first."""
        return (
            f"{study.motif} was measured at the centre, position {study.start}, but "
            f"this is not where the model reads it: at {self.start} its effect is "
            f"{row_with_interval(self.effect)} (the largest of "
            f"{count(self.n_starts, 'start')}); `--start {self.start}` makes a report "
            "of it there."
        )


def find_elsewhere(study: Study, places: GIAResult) -> Elsewhere | None:
    """The start with the largest effect, up or down, if it is clearly larger.

    It is found on one half of the backgrounds and measured on the other.
    """
    starts = places.conditions["start"].tolist()
    local = local_effects(places)
    first, clusters = first_half(len(local), places.clusters), places.clusters
    found, measured = local[first].mean(axis=0), local[~first]
    held = None if clusters is None else clusters[~first]
    best, own = int(np.abs(found).argmax()), starts.index(study.start)
    there, here = (measured[:, i] * np.sign(found[i]) for i in (best, own))
    clear = (
        confidence_interval(there, clusters=held).low > 0
        and effect_difference(there, here, clusters=held).low > 0
    )
    if not clear or there.mean() < _TIMES * here.mean():
        return None
    effect = confidence_interval(measured[:, best], clusters=held)
    return Elsewhere(starts[best], effect, len(starts))
