"""Do several sites of a motif act as the sum of their single effects?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._core.agreement import note_agreement, one_warning, unnoted
from .._core.clusters import Labels, Values
from .._core.results import GIAResult
from .._core.short import in_short
from .inputs import (
    LocalImportance,
    as_arms,
    check_fraction,
    clusters_of,
    without_controls,
)
from .intervals import Interval, confidence_interval
from .significance import paired_t_test


@in_short
class AdditivityFit(NamedTuple):
    """A line through global importances against the number of sites.

    `slope` (per site), `intercept` and `r2` are those of the fit that `include_zero`
    asked for; `fits` holds both, one row each; `points` has one row per number of
    sites.
    """

    include_zero: bool
    slope: Interval
    intercept: Interval
    r2: float
    fits: pd.DataFrame
    points: pd.DataFrame


@one_warning
def additivity_fit(
    local: LocalImportance,
    n_sites: Sequence[int] | NDArray[np.int64] | None = None,
    *,
    include_zero: bool = False,
    single_sites: LocalImportance | None = None,
    confidence: float = 0.95,
    clusters: Labels | None = None,
) -> AdditivityFit:
    """Does each further site of a motif add as much as the first?

    A line by least squares through the global importances (paper, multiple sites).
    Slope, intercept, increments and deviations are sums over the arms of each
    background, so their intervals are paired ones.

    Parameters
    ----------
    local: GIAResult, array-like or torch.Tensor, shape=(n, n_arms)
        The outcome of `multi_site` with one output, of which controls are left out; or
        local importances of the arms on the same backgrounds.

    n_sites: sequence of int or None, shape=(n_arms,), optional
        How many sites each arm holds, at least 1 and increasing. None is the column
        `n_sites` of a result. Default is None.

    include_zero: bool, optional
        Whether `slope`, `intercept` and `r2` are those of the line that also fits the
        background itself, 0 sites with an effect of 0 by definition. It raises R2, most
        of all where sites do not add up; `fits` states both. Default is False.

    single_sites: GIAResult, array-like, torch.Tensor or None, optional
        Each site alone, a result such as of `positional_bias` or shape=(n,
        max(n_sites)), in the order in which arms fill them up: an arm of k sites is
        then compared with the sum of the first k, which a position preference of the
        motif does not disturb. None compares it with a multiple of the first arm.
        Default is None.

    confidence: float, optional
        Coverage of the intervals. Default is 0.95.

    clusters: sequence or None, shape=(n,), optional
        The template each background was shuffled from; None takes those that a result
        carries. Default is None.

    Returns
    -------
    fit: AdditivityFit
        `fits` has the columns `include_zero`, `slope`, `slope_low`, `slope_high`,
        `intercept`, `intercept_low`, `intercept_high`, `r2` and `n_points`. R2 is that
        of the global importances, NaN for fewer than three points (any two lie on a
        line) or if none differ. `points` has `n_sites`, `effect`, `se`, `low`, `high`;
        `increment`, `increment_low`, `increment_high`, the gain per site over the arm
        before (over the background for the first); `additive`, the effect if sites add
        up; and `deviation` (effect - additive), `deviation_low`, `deviation_high` and
        `deviation_p` (paired t), NaN for the arm that the expectation is made from. The
        p values are not adjusted for their number.

    Raises
    ------
    ValueError
        If `local` is not of two axes, `n_sites` does not fit it or does not increase
        from at least 1, `single_sites` has another shape, there are fewer than two
        arms, and as in `statistics.confidence_interval`.

    Examples
    --------
    >>> fit = additivity_fit([[1.0, 2.0, 3.0], [2.0, 4.0, 7.0]], n_sites=[1, 2, 3])
    >>> round(float(fit.slope.effect), 3), round(fit.r2, 3)
    (1.75, 0.993)
    >>> fit.points["deviation"].tolist()
    [nan, 0.0, 0.5]
    """
    if isinstance(local, GIAResult):
        local = without_controls(local)
        n_sites = _column(local, "n_sites") if n_sites is None else n_sites
    values = as_arms(local)
    sites = _as_sites(n_sites, values)
    singles = _as_singles(single_sites, values, int(sites[-1]))
    check_fraction("confidence", confidence)
    clusters = clusters_of(clusters, len(values), local, single_sites)
    with unnoted():
        lines = {
            zero: _fit(values, sites, zero, confidence, clusters)
            for zero in (False, True)
        }
    slope, intercept, r2 = lines[include_zero]
    fits = pd.DataFrame(
        {
            "include_zero": zero,
            "slope": float(slope_.effect),
            "slope_low": float(slope_.low),
            "slope_high": float(slope_.high),
            "intercept": float(intercept_.effect),
            "intercept_low": float(intercept_.low),
            "intercept_high": float(intercept_.high),
            "r2": r2_,
            "n_points": len(sites) + zero,
        }
        for zero, (slope_, intercept_, r2_) in lines.items()
    )
    points = _points(values, sites, singles, confidence, clusters)
    return AdditivityFit(include_zero, slope, intercept, r2, fits, points)


def _fit(
    values: Values,
    sites: NDArray[np.int64],
    include_zero: bool,
    confidence: float,
    clusters: Labels | None,
) -> tuple[Interval, Interval, float]:
    effect = values.mean(axis=0)
    x = np.concatenate([[0.0] * include_zero, sites])
    y = np.concatenate([[0.0] * include_zero, effect])
    # Both coefficients are linear in y, and y in the backgrounds: each background has
    # its own slope and intercept, whose means are those of the line.
    weights = np.linalg.pinv(np.column_stack([x, np.ones_like(x)]))
    each = values @ weights[:, int(include_zero) :].T
    slope, intercept = (
        confidence_interval(each[:, i], confidence, clusters=clusters) for i in (0, 1)
    )
    total = ((y - y.mean()) ** 2).sum()
    if len(x) < 3 or np.ptp(y) == 0:
        return slope, intercept, float("nan")
    residual = y - slope.effect * x - intercept.effect
    return slope, intercept, float(1 - (residual**2).sum() / total)


def _points(
    values: Values,
    sites: NDArray[np.int64],
    singles: Values | None,
    confidence: float,
    clusters: Labels | None,
) -> pd.DataFrame:
    before = np.column_stack([np.zeros(len(values)), values[:, :-1]])
    gain = (values - before) / np.diff(sites, prepend=0)
    if singles is None:
        additive = values[:, :1] * (sites / sites[0])
    else:
        additive = np.cumsum(singles, axis=1)[:, sites - 1]
    local = values - additive
    # Without single sites the first arm is its own expectation: nothing is measured.
    measured = np.arange(len(sites)) >= (singles is None)
    # With the first site alone it may be, too.
    codes = clusters_of(clusters, len(values))
    note_agreement(local[:, 1:], codes, "deviation")
    effect = confidence_interval(values, confidence, clusters=clusters)
    with unnoted():
        increment, deviation = (
            confidence_interval(each, confidence, clusters=clusters)
            for each in (gain, local)
        )
        p = paired_t_test(local, clusters=clusters).p
    table: pd.DataFrame = pd.DataFrame(
        {
            "n_sites": sites,
            "effect": effect.effect,
            "se": effect.se,
            "low": effect.low,
            "high": effect.high,
            "increment": increment.effect,
            "increment_low": increment.low,
            "increment_high": increment.high,
            "additive": additive.mean(axis=0),
            "deviation": np.where(measured, deviation.effect, np.nan),
            "deviation_low": np.where(measured, deviation.low, np.nan),
            "deviation_high": np.where(measured, deviation.high, np.nan),
            "deviation_p": np.where(measured, p, np.nan),
        }
    )
    return table


def _column(result: GIAResult, name: str) -> NDArray[Any]:
    if name not in result.conditions:
        raise ValueError(
            f"`{name}`=None, but the conditions have no such column: "
            f"{list(result.conditions.columns)}."
        )
    return result.conditions[name].to_numpy()


def _as_sites(
    n_sites: Sequence[int] | NDArray[np.int64] | None, values: Values
) -> NDArray[np.int64]:
    if n_sites is None:
        raise ValueError("`n_sites`=None, but `local` is no result that has them.")
    sites = np.asarray(n_sites, dtype=np.float64)
    if values.ndim != 2:
        raise ValueError(
            f"`local` has shape {values.shape}; it must be (n, n_arms). Choose one "
            "output of a model with several."
        )
    if sites.shape != values.shape[1:] or len(sites) < 2:
        raise ValueError(
            f"`n_sites` has shape {sites.shape} and `local` {values.shape[1]} arms; "
            "one number of sites for each of at least 2 arms is needed."
        )
    if (sites % 1 != 0).any() or sites[0] < 1 or (np.diff(sites) < 1).any():
        raise ValueError(
            f"`n_sites`={sites.tolist()} must be whole numbers that increase from at "
            "least 1; the background without sites is added by `include_zero`."
        )
    return sites.astype(np.int64)


def _as_singles(
    single_sites: LocalImportance | None, values: Values, most: int
) -> Values | None:
    if single_sites is None:
        return None
    if isinstance(single_sites, GIAResult):
        single_sites = without_controls(single_sites)
    singles = as_arms(single_sites, "single_sites")
    if singles.shape != (len(values), most):
        raise ValueError(
            f"`single_sites` has shape {singles.shape}; an arm of {most} sites on "
            f"{len(values)} backgrounds needs ({len(values)}, {most})."
        )
    return singles
