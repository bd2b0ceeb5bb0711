"""What a report says of a motif in context: copies, spacing, position."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from .. import plot
from .._core.results import GIAResult
from ..statistics.additivity import additivity_fit
from ..statistics.inputs import Values
from ..statistics.intervals import confidence_interval
from ..statistics.selection import benjamini_hochberg
from ..statistics.significance import paired_t_test
from .parts import site_starts
from .section import (
    ALPHA,
    Figure,
    Section,
    as_result,
    extremes,
    listed,
    local_effects,
)
from .store import Results
from .study import Study
from .wording import count, number, row_with_interval, with_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Single precision, with the few operations of a contrast.
_ROUNDING = 1e-6
_HALVES = " (found on one half of the backgrounds, measured on the other)"
_DEVIATION = ("deviation", "deviation_low", "deviation_high")


def sites(study: Study, results: Results) -> Section:
    result, alone = as_result(results["sites"]), as_result(results["alone"])
    local, single = local_effects(result), local_effects(alone)
    fit = additivity_fit(
        local, result.conditions["n_sites"].tolist(), single_sites=single
    )
    last = fit.points.iloc[-1]
    expected = _deviation(last)
    r2 = "" if np.isnan(fit.r2) else f", R² {number(fit.r2)}"
    reading = (
        f"Each further site adds {row_with_interval(fit.slope)} (slope of the line{r2})"
        f"; the effect of {last['n_sites']:.0f} sites differs from the sum of their "
        f"single effects by {expected}."
    )
    return Section(
        "sites",
        "Do several sites add up?",
        f"{study.motif} at positions {listed(site_starts(study))}, one after the "
        "other, and each alone. The line is fitted without the background itself.",
        [
            Figure("sites", partial(plot.additivity_line, result), reading),
            Figure(
                "sites_local",
                partial(plot.local_importance_boxes, result, "n_sites"),
                "Each box holds the effects on single backgrounds; the diamond is "
                "their mean, the global importance.",
            ),
        ],
        {"sites": result.to_frame(), "additivity": fit.points},
        f"Each further site adds {row_with_interval(fit.slope)}; "
        f"{last['n_sites']:.0f} sites have {_against_sum(last)}.",
        [
            ("Each further site adds", row_with_interval(fit.slope) + r2),
            ("Deviation from additivity", f"{expected} at {last['n_sites']:.0f} sites"),
        ],
        {
            "per_site": float(fit.slope.effect),
            "r2": fit.r2,
            **_numbers("deviation", *last[list(_DEVIATION)]),
        },
    )


def _pair_interaction(result: GIAResult) -> tuple[pd.DataFrame, Values]:
    """What a pair does beyond the sum of both sites: by spacing, and on each
    background, shape=(n, n_spacings)."""
    frame = result.conditions
    local = local_effects(result)
    arms = {
        arm: local[:, (frame["arm"] == arm).to_numpy()] for arm in ("all", "1", "2")
    }
    exact = _without_rounding(arms["all"] - arms["1"] - arms["2"], result)
    interval, p = confidence_interval(exact), paired_t_test(exact).p
    table = pd.DataFrame(
        {
            "spacing": frame.loc[frame["arm"] == "all", "spacing"].to_numpy(),
            "interaction": interval.effect,
            "se": interval.se,
            "low": interval.low,
            "high": interval.high,
            "p": p,
            "significant": benjamini_hochberg(p, ALPHA).significant,
            "n": interval.n,
        }
    )
    return table, exact


def spacing(study: Study, results: Results) -> Section:
    result = as_result(results["spacing"])
    table, local = _pair_interaction(result)
    spacings, significant = table["spacing"].to_numpy(), table["significant"]
    ends = extremes(local)
    unit = study.inputs.unit
    low, high = (count(int(spacings[place]), unit) for place in ends.places)
    mean = row_with_interval(confidence_interval(local.mean(axis=1)))
    where = f"without clear dependence on the spacing: {mean} on average"
    if ends.differ:
        where = (
            f"lowest at a spacing of {low}, {row_with_interval(ends.low)}, and highest "
            f"at {high}, {row_with_interval(ends.high)}"
        )
    differing = (
        f"{significant.sum() or 'none'} of {count(len(spacings), 'spacing')} "
        f"{'differ' if significant.sum() > 1 else 'differs'} from additivity at a "
        "false discovery rate of 5 %"
    )
    shown = table.rename(columns={"interaction": "effect"})
    return Section(
        "spacing",
        "How close may two sites be?",
        f"Two copies of {study.motif}, the first at {site_starts(study)[0]}, with 0 to "
        f"{count(int(spacings.max()), unit)} between them, and each alone at the same "
        "places. The interaction is what the pair does beyond the sum of both.",
        [
            Figure(
                "spacing",
                partial(_curve, result, unit, by="arm"),
                "The pair ('all') against each site alone: where the curves of the "
                "single sites fall, position matters, not spacing.",
            ),
            Figure(
                "spacing_interaction",
                partial(_curve, shown, unit, "Interaction"),
                f"The interaction is {where}{_HALVES if ends.differ else ''}; "
                f"{differing}.",
            ),
        ],
        {"spacing": result.to_frame(), "spacing_interaction": table},
        f"The interaction of two sites is {where}; {differing}.",
        [("Interaction of two sites", f"{where}; {differing}")],
        {
            "interaction_low": float(ends.low["effect"]),
            "interaction_high": float(ends.high["effect"]),
        },
    )


def _curve(
    result: Any, unit: str, label: str = "", by: str | tuple[str, ...] = ()
) -> Axes:
    ax = plot.spacing_curve(result, by=by)
    ax.set_xlabel(f"Spacing between motifs ({unit}s)")
    if label:
        ax.set_ylabel(label)
    return ax


def _without_rounding(contrast: Values, result: GIAResult) -> Values:
    """Contrasts of outputs, with 0 for what is rounding in single precision."""
    assert isinstance(result.y_afters, torch.Tensor)
    largest = float(result.y_afters.abs().max())
    return np.where(np.abs(contrast) < _ROUNDING * largest, 0.0, contrast)


def position(study: Study, results: Results) -> Section:
    result = as_result(results["position"])
    local = local_effects(result)
    starts = result.conditions["start"].to_numpy()
    ends = extremes(_without_rounding(local, result))
    low, high = (f"at position {starts[place]}" for place in ends.places)
    change = (
        f"lowest {low}, {row_with_interval(ends.low)}, and highest {high}, "
        f"{row_with_interval(ends.high)}"
    )
    difference = row_with_interval(ends.difference)
    if ends.differ:
        sentence = f"By position, the effect is {change}."
        change += f"; difference {difference}"
    else:
        mean = row_with_interval(confidence_interval(local.mean(axis=1)))
        change = (
            f"no clear dependence, {mean} on average; the starts that seemed to have "
            f"the lowest and the highest effect ({starts[ends.places[0]]} and "
            f"{starts[ends.places[1]]}) differ by {difference}"
        )
        sentence = f"By position, the effect has {change}."
    every = f", every {starts[1] - starts[0]} {study.inputs.unit}s,"
    return Section(
        "position",
        "Does it matter where the motif is?",
        f"{study.motif} at {count(len(starts), 'start')}"
        f"{every if len(starts) > 1 and starts[1] > starts[0] + 1 else ''} of the same "
        "backgrounds.",
        [
            Figure(
                "position",
                partial(plot.position_curve, result),
                f"Effect by position: {change}{_HALVES}.",
            )
        ],
        {"position": result.to_frame()},
        sentence,
        [("Effect by position", change)],
        {
            "position_low": float(ends.low["effect"]),
            "position_high": float(ends.high["effect"]),
        },
    )


def _deviation(point: Any) -> str:
    """Deviation from additivity with its interval."""
    return with_interval(*(point[name] for name in _DEVIATION))


def _against_sum(point: Any) -> str:
    """How several sites compare with the sum of their single effects."""
    low, high = point["deviation_low"], point["deviation_high"]
    if point["additive"] < 0:  # more of a negative effect is a larger one
        low, high = -high, -low
    of_sum = f"the sum of their single effects (deviation {_deviation(point)})"
    if max(abs(low), abs(high)) < _ROUNDING * abs(point["additive"]):
        return f"the effect of {of_sum}"
    if low > 0:
        return f"more effect than {of_sum}"
    if high < 0:
        return f"less effect than {of_sum}"
    return f"no clearly other effect than {of_sum}"


def _numbers(name: str, effect: float, low: float, high: float) -> dict[str, float]:
    """An effect and its interval for a table over many models."""
    return {name: effect, f"{name}_low": low, f"{name}_high": high}
