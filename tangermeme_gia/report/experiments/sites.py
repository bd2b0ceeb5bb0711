"""Do several sites add up?"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from ... import plot
from ..._core.results import GIAResult
from ...experiments.importance import global_importance
from ...experiments.sites import multi_site
from ...statistics.additivity import additivity_fit
from ..effects import ROUNDING
from ..layout import no_second_site, site_starts
from ..section import Figure, Section
from ..store import Results
from ..study import Study
from ..wording import listed, number, row_with_interval, with_interval

_BOXES = (
    "Each box holds the effects on single backgrounds; the diamond is their mean, the "
    "global importance."
)
_DEVIATION = ("deviation", "deviation_low", "deviation_high")


def obstacle(study: Study) -> str | None:
    """Two sites are needed."""
    return no_second_site(study)


def compute(study: Study) -> Results:
    """One to three copies of the motif, and each of them alone."""
    starts = site_starts(study)
    alone = [[(study.motif, start)] for start in starts]
    return {
        "sites": multi_site(study.model, study.X, study.motif, starts, **study.ask),
        "alone": global_importance(study.model, study.X, alone, **study.ask),
    }


def describe(study: Study, results: Results) -> Section:
    """What each further site adds, beside the sum of their single effects."""
    result: GIAResult = results["sites"]
    fit = additivity_fit(result, single_sites=results["alone"])
    last, slope = fit.points.iloc[-1], row_with_interval(fit.slope)
    n_sites, expected = f"{last['n_sites']:.0f} sites", _deviation(last)
    r2 = "" if np.isnan(fit.r2) else f", R² {number(fit.r2)}"
    reading = (
        f"Each further site adds {slope} (slope of the line{r2}); the effect of "
        f"{n_sites} differs from the sum of their single effects by {expected}."
    )
    line = partial(plot.additivity_line, result)
    boxes = partial(plot.local_importance_boxes, result, "n_sites")
    numbers = {"per_site": float(fit.slope.effect), "r2": fit.r2}
    return Section(
        "sites",
        "Do several sites add up?",
        f"{study.motif} at positions {listed(site_starts(study))}, one after the "
        "other, and each alone. The line is fitted without the background itself.",
        [
            Figure("sites", line, reading),
            Figure("sites_local", boxes, _BOXES),
        ],
        {"sites": result.to_frame(), "additivity": fit.points},
        f"Each further site adds {slope}; {n_sites} have {_against_sum(last)}.",
        [
            ("Each further site adds", slope + r2),
            ("Deviation from additivity", f"{expected} at {n_sites}"),
        ],
        numbers | {name: float(last[name]) for name in _DEVIATION},
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
    if max(abs(low), abs(high)) < ROUNDING * abs(point["additive"]):
        return f"the effect of {of_sum}"
    if low > 0:
        return f"more effect than {of_sum}"
    if high < 0:
        return f"less effect than {of_sum}"
    return f"no clearly other effect than {of_sum}"
