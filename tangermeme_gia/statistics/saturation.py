"""Where a monotone response to the score of sites has made a share of its way."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy

from .._core.clusters import Codes, Values, sum_by
from .intervals import ROUNDING

# Sites at either end, and of each window between: this share of all, but so many.
_WINDOW, _FEWEST = 1 / 8, 3


class Saturation(NamedTuple):
    """The score of saturation lies between `low` and `high`; NaN where it is unknown.

    `rises` says which end is higher, None that this is unknown. `level` is the effect
    at the score, and `straight` the score at which a straight line reaches it.
    """

    rises: bool | None
    low: float
    high: float
    level: float
    straight: float


def saturation_interval(
    local: Values, codes: Codes, score: Values, share: float, confidence: float
) -> Saturation:
    """From which score on has the response made the share of its way?

    The way is from the mean of the lowest sites to that of the highest, an eighth of
    all but at least three at either end. In windows of as many sites, the mean less
    what a share of the way reaches is a contrast that a response which gets there at a
    score s leaves no lower than 0 in windows above s, and no higher in those below it.
    From either end windows are tested until one is not rejected: as that of s comes
    before those beyond it, none of them needs a correction for the number of tests. The
    bounds are scores of sites, so that the step to the next site is inside.

    Parameters
    ----------
    local: numpy.ndarray, shape=(n, n_sites)
        Local importances.

    codes: numpy.ndarray, shape=(n,)
        The template of each background; its own number where all are independent.

    score: numpy.ndarray, shape=(n_sites,)
        In any order.

    share, confidence: float
        Of the way, and of the interval.

    Returns
    -------
    saturation: Saturation
        NaN where the ends do not surely differ, or there are fewer than six sites or
        two templates.

    Examples
    --------
    >>> score = np.arange(24.0)
    >>> local = np.minimum(score, 8) + np.random.default_rng(0).normal(0, 0.1, (50, 24))
    >>> found = saturation_interval(local, np.arange(50), score, 0.9, 0.95)
    >>> found.low < 7.3 < found.high < found.straight
    True
    """
    nothing = Saturation(None, *[np.nan] * 4)
    order = np.argsort(score, kind="stable")
    score, n_sites = score[order], len(score)
    width = max(_FEWEST, round(_WINDOW * n_sites))
    if 2 * width > n_sites or codes.max() == 0:
        return nothing
    first = np.arange(n_sites - width + 1)[:, None]
    at = np.arange(n_sites)
    windows = ((first <= at) & (at < first + width)) / width
    reached = (1 - share) * windows[0] + share * windows[-1]
    contrasts = np.vstack([windows[-1] - windows[0], windows - reached])
    way, *beyond = _signs(local[:, order], codes, score, contrasts, confidence)
    if way == 0:
        return nothing
    signs = way * np.array(beyond)
    n_low = int(np.argmax(np.append(signs >= 0, True)))
    n_high = int(np.argmax(np.append(signs[::-1] <= 0, True)))
    level = float(local[:, order].mean(axis=0) @ reached)
    return Saturation(
        bool(way > 0),
        float(score[max(n_low - 1, 0)]),
        float(score[min(n_sites - n_high, n_sites - 1)]),
        level,
        float(score @ reached),
    )


def _signs(
    local: Values, codes: Codes, score: Values, contrasts: Values, confidence: float
) -> Values:
    """1 or -1 where a contrast of sites is surely above or below 0, else 0.

    Its variance is that over backgrounds (or templates) and that of sites, whose
    effects deviate from the response: as much as the site deviates from a line through
    its two neighbours, less what backgrounds explain of that. Degrees of freedom are
    Satterthwaite's.
    """
    sums, size = sum_by(local, codes), np.bincount(codes)
    mean, n_units = sums.sum(axis=0) / size.sum(), len(size)
    influence = (sums - size[:, None] * mean) / size.sum()
    influence *= np.sqrt(n_units / (n_units - 1))
    bends = _bends(score)
    found = float(((bends @ mean) ** 2).mean())
    explained = float(((influence @ bends.T) ** 2).sum(axis=0).mean())
    of_sites = max(0.0, found - explained) * (contrasts**2).sum(axis=1)
    of_units = ((influence @ contrasts.T) ** 2).sum(axis=0)
    overlap = bends @ bends.T
    n_bends = np.trace(overlap) ** 2 / (overlap**2).sum()
    doubt = of_units**2 / (n_units - 1)
    if found > explained:
        doubt += (found * (contrasts**2).sum(axis=1)) ** 2 / n_bends
    variance = of_units + of_sites
    df = np.maximum(variance**2 / np.where(doubt > 0, doubt, np.inf), 1)
    margin = scipy.stats.t.ppf((1 + confidence) / 2, df) * np.sqrt(variance)
    effect = contrasts @ mean
    margin = np.maximum(margin, ROUNDING * np.abs(local).max())
    signs: Values = np.sign(effect) * (np.abs(effect) > margin)
    return signs


def _bends(score: Values) -> Values:
    """Contrasts, of length 1, of each site and the line through its neighbours."""
    gap = np.diff(score)
    both = gap[1:] + gap[:-1]
    left = np.where(both > 0, gap[1:] / np.where(both > 0, both, 1), 0.5)
    rows = np.arange(len(both))
    bends = np.zeros((len(both), len(score)))
    bends[rows, rows], bends[rows, rows + 1], bends[rows, rows + 2] = left, -1, 1 - left
    unit: Values = bends / np.sqrt((bends**2).sum(axis=1, keepdims=True))
    return unit
