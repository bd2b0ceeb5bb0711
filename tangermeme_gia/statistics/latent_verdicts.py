"""From what is read off a link to an interval, a verdict and its reason in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import scipy

from .._core.clusters import Codes, Values
from .._core.moments import summarise
from .intervals import Interval
from .latent_grid import Reading

SURVIVES, EXPLAINED = "survives", "explained by saturation"
ADDS_UP, UNKNOWN = "adds up", "not identifiable"
# Of the resamples, in which what is asked must lie within the reach of other cells.
_REACHED = 0.9
# From which p on a check of the assumption is named.
_ALPHA = 0.05


def t_interval(local: Values, codes: Codes | None, confidence: float) -> Interval:
    """Of the mean over backgrounds, or templates."""
    found = summarise(local, codes)
    half = scipy.stats.t.ppf((1 + confidence) / 2, found.df) * found.se
    return Interval(found.mean, found.se, found.mean - half, found.mean + half, found.n)


def latent_interval(
    whole: Reading,
    resampled: Sequence[Reading],
    sizes: tuple[int, int],
    misfit: float,
    confidence: float,
) -> Interval:
    """The mean of what is within reach, if other cells deviate by this much.

    `sizes` are the numbers of backgrounds, and of templates.
    """

    def mean(reading: Reading) -> Values:
        inside = reading.inside
        three = reading.low[inside], reading.value[inside], reading.high[inside]
        return np.array([each.mean() for each in three])

    low, value, high = mean(whole)
    drawn = np.array([mean(each) for each in resampled]).T
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    n, units = sizes
    # Percentiles are those of a normal, and of errors that are a little too small.
    wider = scipy.stats.t.ppf(tails[1], units - 1) / scipy.stats.norm.ppf(tails[1])
    wider *= np.sqrt(units / (units - 1))
    beyond = scipy.stats.norm.ppf(tails[1]) * misfit
    return Interval(
        value,
        drawn[1].std(ddof=1),
        low - wider * (low - np.quantile(drawn[0], tails[0])) - beyond,
        high + wider * (np.quantile(drawn[2], tails[1]) - high) + beyond,
        n,
    )


def unread(whole: Reading | None, what: str) -> str:
    """Why nothing is read off the link, if so."""
    if whole is None:
        return "outputs are flat: too few cells differ to say what each grade is worth"
    if whole.inside.any():
        return ""
    if (whole.high == np.inf).all():
        bound = f"at least {whole.low.max():.2g}"
        return f"{what} above all other cells: the interaction may be {bound}"
    if (whole.low == -np.inf).all():
        bound = f"at most {whole.high.min():.2g}"
        return f"{what} below all other cells: the interaction may be {bound}"
    return f"{what} beyond all other cells"


def out_of_reach(n_read: int, n_resamples: int, what: str) -> str:
    """Whether too few resamples gave a reading."""
    if n_read >= _REACHED * n_resamples:
        return ""
    n = n_resamples - n_read
    return (
        f"{what} not within the reach of other cells in {n} of {n_resamples} resamples"
    )


def judge(
    latent: Interval,
    raw: Interval,
    reason: str,
    margin: float,
    rounding: float,
    unit: str,
) -> tuple[str, str]:
    """The verdict, and why."""
    if reason:
        return UNKNOWN, reason
    low, high = float(latent.low), float(latent.high)
    told = f"[{low:.2g}, {high:.2g}] {unit} on the latent scale"
    if low > 0 or high < 0:
        return SURVIVES, f"{told} excludes 0"
    if low < -margin or high > margin:
        return UNKNOWN, f"{told} is too wide to tell: it is not within {margin:g}"
    if raw.low > rounding or raw.high < -rounding:
        return EXPLAINED, f"{told} holds 0, and the output's scale does not"
    return ADDS_UP, f"{told} holds 0, and so does the output's scale"


def surely_broken(checks: pd.DataFrame) -> pd.DataFrame:
    """Which checks of the assumption fail (Bonferroni)?"""
    rows: pd.DataFrame = checks[checks["p"] * len(checks) < _ALPHA]
    return rows


def named(broken: pd.DataFrame, n_checks: int, misfit: float) -> str:
    """What of the assumption is surely not so, if anything."""
    if not len(broken):
        return ""
    columns = broken["condition"], broken["factors"]
    which = ", ".join(
        f"{condition} of {factors}" for condition, factors in zip(*columns, strict=True)
    )
    p = broken["p"].min() * n_checks
    size = "" if np.isnan(misfit) else f"; cells deviate by {misfit:.2g}"
    return f"; no scale makes the other cells add up ({which}: p = {p:.2g}){size}"
