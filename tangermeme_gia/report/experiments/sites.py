"""Do several sites add up?"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ... import plot
from ..._core.results import GIAResult
from ...experiments.importance import global_importance
from ...experiments.sites import multi_site
from ...statistics.additivity import AdditivityFit, additivity_fit
from ..layout import SITE_GAP, no_second_site, site_starts
from ..pairs import pair_interaction
from ..section import Figure, Line, Section
from ..sentences import Pairs, sites_add_up
from ..store import Results
from ..study import Study
from ..thumbnails import strip
from ..wording import count, listed, number, row_with_interval, with_interval

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
    alone = [[(study.placed, start)] for start in starts]
    return {
        "sites": multi_site(study.model, study.X, study.placed, starts, **study.ask),
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
    numbers = _numbers(fit)
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
        sites_add_up(last, SITE_GAP, _measured_pairs(study), study.inputs.unit),
        _thumbnail(fit.points),
        summary=[
            Line("Each further site adds", slope + r2, numbers["per_site"]),
            Line(
                f"{n_sites} minus the sum of each", expected, float(last["deviation"])
            ),
        ],
        headline=numbers,
    )


def _numbers(fit: AdditivityFit) -> dict[str, float]:
    """For a table over many models."""
    last = fit.points.iloc[-1]
    return {
        "per_site": float(fit.slope.effect),
        "per_site_low": float(fit.slope.low),
        "per_site_high": float(fit.slope.high),
        "r2": fit.r2,
    } | {name: float(last[name]) for name in _DEVIATION}


def _measured_pairs(study: Study) -> Pairs | None:
    """What two sites do by spacing, where the report has measured it, too."""
    held = study.finished.get("spacing")
    return Pairs.of(pair_interaction(held["spacing"])[0]) if held else None


def _thumbnail(points: pd.DataFrame) -> str:
    """The effect of one site and of more."""
    names = [count(int(n), "site") for n in points["n_sites"]]
    return strip(names, points["effect"], points["low"], points["high"])


def _deviation(point: Any) -> str:
    """Deviation from additivity with its interval."""
    return with_interval(*(point[name] for name in _DEVIATION))
