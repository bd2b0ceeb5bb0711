"""Does it matter where the motif is?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from ... import plot
from ..._core.results import GIAResult
from ...experiments.positions import positional_bias
from ...statistics.intervals import Interval, confidence_interval
from ..effects import ON_HALVES, Extremes, extremes, local_effects, unrounded
from ..section import Figure, Section
from ..store import Results
from ..study import Study
from ..wording import count, row_with_interval

_MOST_STARTS = 101


def obstacle(study: Study) -> str | None:
    """There is always at least one start."""
    return None


def compute(study: Study) -> Results:
    """The motif at every start, or at a hundred of long sequences."""
    last = study.inputs.length - len(study.motif)
    step = math.ceil((last + 1) / _MOST_STARTS)
    starts = list(range(0, last + 1, step))
    result = positional_bias(study.model, study.X, study.motif, starts, **study.ask)
    return {"position": result}


def describe(study: Study, results: Results) -> Section:
    """Where the effect is lowest and highest, if that is clear."""
    result: GIAResult = results["position"]
    starts = result.conditions["start"].tolist()
    local = local_effects(result)
    ends = extremes(unrounded(local, result), result.clusters)
    mean = confidence_interval(local.mean(axis=1), clusters=result.clusters)
    sentence, change = _texts(starts, mean, ends)
    every = ""
    if len(starts) > 1 and starts[1] > starts[0] + 1:
        every = f", every {starts[1] - starts[0]} {study.inputs.unit}s,"
    return Section(
        "position",
        "Does it matter where the motif is?",
        f"{study.motif} at {count(len(starts), 'start')}{every} of the same "
        "backgrounds.",
        [
            Figure(
                "position",
                partial(plot.position_curve, result),
                f"Effect by position: {change}{ON_HALVES}.",
            )
        ],
        {"position": result.to_frame()},
        sentence,
        [("Effect by position", change)],
        ends.numbers("position"),
    )


def _texts(starts: Sequence[int], mean: Interval, ends: Extremes) -> tuple[str, str]:
    """A sentence for the summary, and how the effect changes in more words."""
    low, high = (starts[place] for place in ends.places)
    difference = row_with_interval(ends.difference)
    if ends.differ:
        change = ends.between(f"at position {low}", f"at position {high}")
        sentence = f"By position, the effect is {change}."
        return sentence, f"{change}; difference {difference}"
    change = (
        f"no clear dependence, {row_with_interval(mean)} on average; the starts that "
        f"seemed to have the lowest and the highest effect ({low} and {high}) differ "
        f"by {difference}"
    )
    return f"By position, the effect has {change}.", change
