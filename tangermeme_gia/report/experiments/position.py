"""Does it matter where the motif is?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from ... import plot
from ..._core.results import GIAResult
from ...experiments.positions import positional_bias
from ...statistics.intervals import Interval, confidence_interval
from ..charts import curve_chart
from ..effects import ON_HALVES, Extremes, extremes, local_effects, unrounded
from ..figures import unit_of
from ..layout import all_starts
from ..section import Figure, Line, Section
from ..sentences import position_matters
from ..store import Results
from ..study import Study
from ..thumbnails import curve
from ..wording import count, row_with_interval

_MOST_STARTS = 101


def obstacle(study: Study) -> str | None:
    """There is always at least one start."""
    return None


def compute(study: Study) -> Results:
    """The motif at every start, or at a hundred of long sequences."""
    every = all_starts(study)
    starts = every[:: math.ceil(len(every) / _MOST_STARTS)]
    result = positional_bias(study.model, study.X, study.placed, starts, **study.ask)
    return {"position": result}


def describe(study: Study, results: Results) -> Section:
    """Where the effect is lowest and highest, if that is clear."""
    result: GIAResult = results["position"]
    starts = result.conditions["start"].tolist()
    local = local_effects(result)
    ends = extremes(unrounded(local, result), result.clusters)
    mean = confidence_interval(local.mean(axis=1), clusters=result.clusters)
    change, frame = _change(starts, mean, ends), result.to_frame()
    every = ""
    if len(starts) > 1 and starts[1] > starts[0] + 1:
        every = f", every {starts[1] - starts[0]} {study.inputs.unit}s,"
    return Section(
        "position",
        "Does it matter where the motif is?",
        f"{study.motif} at {count(len(starts), 'start')}{every} of the same "
        "backgrounds. A start is the position of the first letter, from 0.",
        [
            Figure(
                "position",
                partial(plot.position_curve, result),
                f"Effect by position: {change}{ON_HALVES}.",
                curve_chart(frame, "start", _titles(study)),
            )
        ],
        {"position": frame},
        position_matters(
            ends.low, ends.high, [starts[i] for i in ends.places], ends.differ
        ),
        curve(starts, frame["effect"], frame["low"], frame["high"]),
        summary=[Line("Effect by position", change)],
        headline=_numbers(ends, starts),
    )


def _numbers(ends: Extremes, starts: Sequence[int]) -> dict[str, float]:
    """For a table over many models; where both ends are, only if that is clear."""
    places = [starts[place] if ends.differ else math.nan for place in ends.places]
    named = zip(("lowest", "highest"), places, strict=True)
    return ends.numbers("position") | {f"position_{end}_start": at for end, at in named}


def _titles(study: Study) -> dict[str, str]:
    return {
        "start": "Start of the motif (from 0)",
        "effect": f"Effect ({unit_of(study.inputs.answer)})",
    }


def _change(starts: Sequence[int], mean: Interval, ends: Extremes) -> str:
    """How the effect changes, with numbers."""
    low, high = (starts[place] for place in ends.places)
    difference = row_with_interval(ends.difference)
    if ends.differ:
        change = ends.between(f"at position {low}", f"at position {high}")
        return f"{change}; difference {difference}"
    return (
        f"no clear dependence, {row_with_interval(mean)} on average; the starts that "
        f"seemed to have the lowest and the highest effect ({low} and {high}) differ "
        f"by {difference}"
    )
