"""Does GC beside the motif matter?"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np

from ... import plot
from ..._core.results import GIAResult
from ...experiments.flanks import gc_flank
from ...statistics.effects import effect_difference, effect_ratio, interaction_contrast
from ...statistics.intervals import Interval, confidence_interval
from ..effects import local_effects
from ..layout import FLANK, flank_starts, no_flanks
from ..section import Figure, Section
from ..store import Results
from ..study import Study
from ..wording import row_with_interval


def obstacle(study: Study) -> str | None:
    """Flanks need room."""
    return no_flanks(study)


def compute(study: Study) -> Results:
    """The motif with GC-rich flanks on either side, both, and the flanks alone."""
    left, right = flank_starts(study)
    result = gc_flank(
        study.model,
        study.X,
        study.motif,
        FLANK,
        FLANK,
        start=study.start,
        left_start=left,
        right_start=right,
        **study.ask,
    )
    return {"gc": result}


def describe(study: Study, results: Results) -> Section:
    """The GC-bias effect size, and what is left of it beyond GC itself."""
    result: GIAResult = results["gc"]
    flanks = _measure_flanks(result)
    sums = _on_sides(flanks.beyond)
    left, right = flank_starts(study)
    return Section(
        "gc",
        "Does GC beside the motif matter?",
        f"{FLANK} at position {left} (5′) and {right} (3′), with and without "
        f"{study.motif} at {study.start}. The GC-bias effect size is the effect of "
        "motif and flank together, divided by that of the motif alone; what GC does by "
        "itself is part of it.",
        [
            Figure(
                "gc",
                partial(plot.local_importance_boxes, result, "arm"),
                f"{flanks.times}. GC alone has an effect of {_on_sides(flanks.alone)}; "
                f"beyond the sum of motif and GC, both together do {sums}.",
            )
        ],
        {"gc": result.to_frame()},
        f"{flanks.times}; beyond what GC does by itself, that is {sums}.",
        [
            (
                "GC-bias effect size",
                f"{flanks.sizes}effect with 5′ GC minus that with 3′ GC "
                f"{row_with_interval(flanks.difference)}",
            ),
            ("Beyond what GC does by itself", sums),
        ],
        {
            side: float(ratio.effect) if flanks.defined else float("nan")
            for side, ratio in flanks.ratios.items()
        }
        | {f"{k}_beyond": float(v.effect) for k, v in flanks.beyond.items()},
    )


class _Flanks(NamedTuple):
    """What GC on either side does, for "left" and "right": with the motif as a ratio to
    it, alone, and beyond the sum of both; and left minus right."""

    ratios: dict[str, Interval]
    alone: dict[str, Interval]
    beyond: dict[str, Interval]
    difference: Interval

    @property
    def defined(self) -> bool:
        """Whether the effect of the motif alone can be divided by."""
        return bool(np.isfinite(self.ratios["left"].high))

    @property
    def times(self) -> str:
        """The ratios in a sentence."""
        if not self.defined:
            return (
                "How many times the effect of the motif alone it has beside GC is not "
                "defined, for want of a clear effect alone"
            )
        left, right = map(row_with_interval, self.ratios.values())
        return (
            f"With GC 5′ of it the effect is {left} times that of the motif alone, "
            f"with GC 3′ of it {right} times"
        )

    @property
    def sizes(self) -> str:
        """The ratios in a table, before what else stands there."""
        if not self.defined:
            return ""
        left, right = map(row_with_interval, self.ratios.values())
        return f"5′ {left}, 3′ {right}; "


def _measure_flanks(result: GIAResult) -> _Flanks:
    local, known = local_effects(result), result.clusters
    arm = {name: local[:, i] for i, name in enumerate(result.conditions["arm"])}
    ratios, alone, beyond = {}, {}, {}
    for side in ("left", "right"):
        both = arm[f"motif+{side}"]
        ratios[side] = effect_ratio(both, arm["motif"], clusters=known)
        alone[side] = confidence_interval(arm[side], clusters=known)
        beyond[side] = interaction_contrast(
            both, arm["motif"], arm[side], clusters=known
        ).interval
    ends = arm["motif+left"], arm["motif+right"]
    difference = effect_difference(*ends, clusters=known)
    return _Flanks(ratios, alone, beyond, difference)


def _on_sides(values: dict[str, Interval]) -> str:
    left, right = map(row_with_interval, values.values())
    return f"{left} (5′) and {right} (3′)"
