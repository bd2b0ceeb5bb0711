"""Does an effect follow the score of sites, and where does it stop growing?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy
from sklearn.isotonic import isotonic_regression

from .._core.clusters import Codes, Values, sum_by
from .._core.letters import RandomState, as_generator
from .._core.results import GIAResult
from .associations import correlation
from .inputs import as_arms, check_fraction, clusters_of
from .intervals import Interval

# Scores at which the fit is told.
_GRID = 25


class AffinityFit(NamedTuple):
    """How an effect goes with the score of sites.

    `spearman` is the rank correlation over sites. `curve` has the monotone fit at
    equally spaced scores: `score`, `fit`, `low` and `high`. `saturation` is the score
    from which the fit has made the asked share of its way, with `saturation_low` and
    `saturation_high`; `saturates` says whether that is before a straight line would.
    """

    spearman: Interval
    curve: pd.DataFrame
    saturation: float
    saturation_low: float
    saturation_high: float
    saturates: bool


def affinity_fit(
    result: GIAResult,
    confidence: float = 0.95,
    *,
    share: float = 0.9,
    n_resamples: int = 999,
    random_state: RandomState = 0,
) -> AffinityFit:
    """Does the model follow affinity, and where does it saturate?

    Parameters
    ----------
    result: GIAResult
        The outcome of `affinity_response`, with one output.

    confidence: float, optional
        Coverage of the intervals. Default is 0.95.

    share: float, optional
        The share of the way from the lowest to the highest fit at which the response
        counts as saturated. Default is 0.9.

    n_resamples: int, optional
        Resamples of the bootstrap. Default is 999.

    random_state: int, numpy Generator or None, optional
        Seed of the bootstrap. Default is 0.

    Returns
    -------
    fit: AffinityFit
        `spearman`: of scores and effects over sites, with an interval as of
        `statistics.correlation` of their ranks; noise of the effects lowers it.
        `curve`: isotonic regression of effects on scores (of a model in which better
        sites do less, a falling one), with percentile intervals of a bootstrap that
        draws backgrounds (or templates), and sites within their level. `saturates`:
        whether the interval of `saturation` lies below the score at which a straight
        line from the lowest to the highest site has gone the same share. Saturation is
        NaN, and false, where the interval of `spearman` includes 0.

    Raises
    ------
    ValueError, TypeError
        If the result has no column `score`, fewer than 4 sites or 2 backgrounds, or
        several outputs, or an option is out of range.

    Examples
    --------
    >>> import torch
    >>> from tangermeme_gia import affinity_response
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> result = affinity_response(
    ...     lambda X: X[:, 2, 7:12].sum(dim=1, keepdim=True),
    ...     X,
    ...     0.6 * torch.eye(4)[:, [2, 2, 2, 2, 2]] + 0.1,
    ...     frequencies=[0.25] * 4,
    ...     random_state=0,
    ... )
    >>> round(float(affinity_fit(result).spearman.effect), 2)
    1.0
    """
    check_fraction("confidence", confidence)
    check_fraction("share", share)
    missing = {"score", "level"} - {*result.conditions.columns}
    if missing:
        raise ValueError(
            f"`result` has no column {sorted(missing)[0]!r}; it must be the outcome of "
            "`affinity_response`."
        )
    local = as_arms(result, "result")
    known = clusters_of(None, len(local), result)
    score = result.conditions["score"].to_numpy(float)
    ranks = [scipy.stats.rankdata(v) for v in (local.mean(axis=0), score)]
    spearman = correlation(ranks[0], ranks[1], confidence)
    grid, fit, fits = _fits(
        local,
        np.arange(len(local)) if known is None else known,
        result.conditions,
        not spearman.effect < 0,
        as_generator(random_state).spawn(n_resamples),
    )
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile(fits, tails, axis=0)
    curve = pd.DataFrame({"score": grid, "fit": fit, "low": low, "high": high})
    if not spearman.low * spearman.high > 0:
        return AffinityFit(spearman, curve, np.nan, np.nan, np.nan, False)
    first, last = np.quantile([_reached(grid, f, share) for f in fits], tails)
    linear = score.min() + share * np.ptp(score)
    reached = _reached(grid, fit, share)
    return AffinityFit(
        spearman, curve, reached, float(first), float(last), bool(last < linear)
    )


def _fits(
    local: Values,
    codes: Codes,
    sites: pd.DataFrame,
    rises: bool,
    generators: Sequence[np.random.Generator],
) -> tuple[Values, Values, Values]:
    """A grid of scores, the fit there, and that of each resample."""
    score, level = sites["score"].to_numpy(float), sites["level"].to_numpy()
    grid = np.linspace(score.min(), score.max(), _GRID)
    sums, size = sum_by(local, codes), np.bincount(codes).astype(float)

    def fit(units: Values, often: Values) -> Values:
        return _fit(units @ sums / (units @ size), score, often, grid, rises)

    whole = fit(np.ones(len(size)), np.ones(len(score)))
    drawn = [fit(*_resample(len(size), level, rng)) for rng in generators]
    return grid, whole, np.stack(drawn)


def _resample(
    n_units: int, level: Values, rng: np.random.Generator
) -> tuple[Values, Values]:
    """How often each background, or template, and each site is drawn."""
    units = np.bincount(rng.integers(n_units, size=n_units), minlength=n_units)
    sites = np.zeros(len(level))
    for one in np.unique(level):
        inside = np.flatnonzero(level == one)
        np.add.at(sites, rng.choice(inside, len(inside)), 1)
    return units.astype(float), sites


def _fit(
    effect: Values, score: Values, often: Values, grid: Values, rises: bool
) -> Values:
    """The monotone fit of effects of sites, each so often, at the scores of a grid."""
    known, at = np.unique(score, return_inverse=True)
    weight = np.bincount(at, often)
    there = weight > 0
    mean = np.bincount(at, often * effect)[there] / weight[there]
    fitted = isotonic_regression(mean, sample_weight=weight[there], increasing=rises)
    smooth: Values = np.interp(grid, known[there], fitted)
    return smooth


def _reached(grid: Values, fit: Values, share: float) -> float:
    """The score at which a monotone fit has gone a share of its way, interpolated."""
    way = np.abs(fit - fit[0])
    if way[-1] == 0:
        return float(grid[-1])
    i = int(np.argmax(way >= share * way[-1] * (1 - 1e-12)))
    if i == 0:
        return float(grid[0])
    before, after = way[i - 1], way[i]
    part = (share * way[-1] - before) / (after - before)
    return float(grid[i - 1] + part * (grid[i] - grid[i - 1]))
