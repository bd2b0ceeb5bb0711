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
from ..placing import Patterns, diagnose_placing, gc_in_words
from ..section import Figure, Line, Section
from ..sentences import gc_changes
from ..store import Results
from ..study import Study
from ..thumbnails import strip
from ..wording import row_with_interval

# Sides of the motif, and what the experiment calls them.
_NAMES = {"5′": "left", "3′": "right"}
_UNDEFINED = "not defined, for want of a clear effect of the motif alone"


def obstacle(study: Study) -> str | None:
    """Flanks need room."""
    return no_flanks(study)


def compute(study: Study) -> Results:
    """The motif with GC-rich flanks on either side, both, and the flanks alone."""
    left, right = flank_starts(study)
    result = gc_flank(
        study.model,
        study.X,
        study.placed,
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
    flanks = _measure_flanks(results["gc"])
    named = _in_words(results["gc"])
    sums = _on_sides(flanks.beyond)
    left, right = flank_starts(study)
    section = Section(
        "gc",
        "Does GC beside the motif matter?",
        f"{FLANK} at position {left} (5′) and {right} (3′), with and without "
        f"{study.motif} at {study.start}. The GC-bias effect size of the paper is the "
        "effect of motif and flank together, divided by that of the motif alone: what "
        "GC does by itself is part of it. Without that part it is the effect of the "
        "motif beside GC, divided by its effect without.",
        [
            Figure(
                "gc",
                partial(plot.local_importance_boxes, named, "placed"),
                f"{flanks.times}. GC alone has an effect of {_on_sides(flanks.alone)}; "
                f"beyond the sum of motif and GC, both together do {sums}.",
            )
        ],
        {"gc": named.to_frame()},
        gc_changes(study.motif, flanks.inside),
        _thumbnail(flanks),
        summary=[
            Line("GC-bias effect size, GC's own effect included", flanks.sizes),
            Line("Effect beside GC over that without GC", flanks.own_sizes),
            Line("Motif and GC together minus the sum of each", sums),
            Line(
                "Effect with GC 5′ minus that with GC 3′",
                row_with_interval(flanks.difference),
                float(flanks.difference.effect),
            ),
        ],
        headline=flanks.numbers,
    )
    placed = diagnose_placing(study, _placed(study))
    if len(placed):
        section.tables["gc_placed"] = placed
        section.method += gc_in_words(placed)
    return section


def _placed(study: Study) -> dict[str, Patterns]:
    site = (study.placed, study.start)
    left, right = ((FLANK, start) for start in flank_starts(study))
    return {"GC 5′": [left, site], "GC 3′": [site, right], "both": [left, site, right]}


class _Flanks(NamedTuple):
    """What GC on either side does, for "5′" and "3′": with the motif as a ratio to it,
    the same less GC's own effect, alone, and beyond the sum; and 5′ minus 3′."""

    ratios: dict[str, Interval]
    inside: dict[str, Interval]
    alone: dict[str, Interval]
    beyond: dict[str, Interval]
    difference: Interval

    @property
    def defined(self) -> bool:
        """Whether the effect of the motif alone can be divided by."""
        return bool(np.isfinite(self.ratios["5′"].high))

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
        """The ratios in a table."""
        return _on_sides(self.ratios) if self.defined else _UNDEFINED

    @property
    def own_sizes(self) -> str:
        """The ratios without GC's own effect in a table."""
        return _on_sides(self.inside) if self.defined else _UNDEFINED

    @property
    def numbers(self) -> dict[str, float]:
        """For a table over many models; a ratio to no clear effect means nothing."""
        numbers: dict[str, float] = {}
        for side, name in _NAMES.items():
            numbers |= _parts(name, self.ratios[side], self.defined)
            numbers |= _parts(f"{name}_beyond", self.beyond[side])
        return numbers


def _parts(name: str, interval: Interval, defined: bool = True) -> dict[str, float]:
    parts = {"": "effect", "_low": "low", "_high": "high"}
    return {
        f"{name}{part}": float(getattr(interval, field)) if defined else float("nan")
        for part, field in parts.items()
    }


def _measure_flanks(result: GIAResult) -> _Flanks:
    local, known = local_effects(result), result.clusters
    arm = {name: local[:, i] for i, name in enumerate(result.conditions["arm"])}
    ratios, inside, alone, beyond = {}, {}, {}, {}
    for side, name in _NAMES.items():
        both = arm[f"motif+{name}"]
        ratios[side] = effect_ratio(both, arm["motif"], clusters=known)
        inside[side] = effect_ratio(both - arm[name], arm["motif"], clusters=known)
        alone[side] = confidence_interval(arm[name], clusters=known)
        beyond[side] = interaction_contrast(
            both, arm["motif"], arm[name], clusters=known
        ).interval
    ends = arm["motif+left"], arm["motif+right"]
    difference = effect_difference(*ends, clusters=known)
    return _Flanks(ratios, inside, alone, beyond, difference)


def _in_words(result: GIAResult) -> GIAResult:
    """The same result, which says in words what is placed."""
    words = {
        "motif": "motif",
        "left": "GC 5′",
        "right": "GC 3′",
        "motif+left": "motif, GC 5′",
        "motif+right": "motif, GC 3′",
        "both": "motif, GC 5′ and 3′",
    }
    placed = result.conditions["arm"].map(words)
    conditions = result.conditions.drop(columns=["arm", "left", "right"])
    conditions.insert(0, "placed", placed)
    return result._replace(conditions=conditions)


def _thumbnail(flanks: _Flanks) -> str:
    """The effect of the motif on either side beyond what GC does by itself."""
    rows = list(flanks.beyond.values())
    names = [f"GC {side}" for side in flanks.beyond]
    ends = [[getattr(v, end) for v in rows] for end in ("effect", "low", "high")]
    return strip(names, *ends)


def _on_sides(values: dict[str, Interval]) -> str:
    left, right = map(row_with_interval, values.values())
    return f"{left} (5′) and {right} (3′)"
