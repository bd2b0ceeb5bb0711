"""Which rank has one effect among many, and between which ranks does it surely lie?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy

from .._core.clusters import Values
from .inputs import check_fraction


class RankInterval(NamedTuple):
    """A rank, 1 for the highest, with the ranks that it surely lies between."""

    rank: int
    low: int
    high: int


def rank_interval(
    difference: Values,
    se: Values,
    df: float,
    confidence: float = 0.95,
    *,
    n_chosen_from: int = 1,
    tie: float = 0.0,
) -> RankInterval:
    """Which rank has one among many, and how sure is that?

    Each of the others that is surely higher, by a paired t interval, lowers the best
    rank that it may have, and each that is not surely lower raises the worst. The
    intervals hold for all of the others at once (Bonferroni), so that the ranks hold
    the true one with at least this confidence (Mogstad, Romano, Shaikh and Wilhelm
    2024).

    Parameters
    ----------
    difference: numpy.ndarray, shape=(n_others,)
        Mean effect of each of the others less its own, on the same backgrounds.

    se: numpy.ndarray, shape=(n_others,)
        Standard error of each.

    df: float
        Degrees of freedom of these.

    confidence: float, optional
        Of the ranks. Default is 0.95.

    n_chosen_from: int, optional
        Of how many it is the best, chosen on these backgrounds; all of them hold the
        confidence together. Default is 1.

    tie: float, optional
        Differences up to it are none. Default is 0.

    Returns
    -------
    interval: RankInterval
        `rank` is one more than there are others of a higher mean.

    Raises
    ------
    ValueError
        If `confidence` is not between 0 and 1.

    Examples
    --------
    >>> rank_interval(np.array([-2.0, -1.0, 0.1]), np.array([0.1, 0.1, 0.1]), 99)
    RankInterval(rank=2, low=1, high=2)
    """
    check_fraction("confidence", confidence)
    n_tests = max(len(difference), 1) * n_chosen_from
    bound = scipy.stats.t.isf((1 - confidence) / 2 / n_tests, df)
    # Of one background, or template, nothing is sure.
    wide = np.where(np.isfinite(se), bound * se, np.inf)
    told = np.where(np.abs(difference) <= tie, 0.0, difference)
    surely_lower = int((told + wide < 0).sum())
    return RankInterval(
        1 + int((told > 0).sum()),
        1 + int((told - wide > 0).sum()),
        1 + len(difference) - surely_lower,
    )
