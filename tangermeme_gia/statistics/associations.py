"""Does an effect go along with a property of the backgrounds?"""

from __future__ import annotations

import numpy as np
import scipy
import torch
from numpy.typing import ArrayLike

from .._core.clusters import Codes, Labels, Values, sum_by
from .inputs import LocalImportance, as_local, as_pair, check_fraction, clusters_of
from .intervals import ROUNDING, Interval

# Fewer backgrounds than this say nothing about a correlation.
_FEWEST = 4


def correlation(
    local: LocalImportance,
    x: ArrayLike | torch.Tensor,
    confidence: float = 0.95,
    *,
    clusters: Labels | None = None,
) -> Interval:
    """Do local importances go up and down with another number of each background?

    Pearson's correlation over backgrounds, with an interval that takes neither of the
    two to be normal. As measured (benchmarks/calibration.py, section "correlations"),
    95 % intervals of 10 to 200 backgrounds hold correlations of 0 and 0.6 in 94 to 96 %
    for normal numbers; they are a little narrow for Laplace ones, 93 to 95 %, and for
    exponential ones, 91 to 94 %.

    Parameters
    ----------
    local: GIAResult, array-like or torch.Tensor, shape=(n, ...)
        A result with one output, or local importances, one row per background.

    x: array-like or torch.Tensor, shape=(n,) or that of `local`
        The other number, such as the free energy of each background; of one axis, the
        same for all conditions.

    confidence: float, optional
        Coverage of the interval. Default is 0.95.

    clusters: sequence or None, shape=(n,), optional
        The template each background was shuffled from, as in `confidence_interval`.
        Default is None.

    Returns
    -------
    interval: Interval
        `effect` (the correlation), `low` and `high` (by Fisher's transformation z, with
        the standard error of a jackknife of z that leaves out one background or
        template at a time, and t), `se` (the same error, by the delta method) and `n`.
        From -1 to 1 where all of the correlation hangs on one background; NaN where
        either does not vary.

    Raises
    ------
    TypeError, ValueError
        If the shapes differ, there are fewer than 4 backgrounds, `confidence` is not
        between 0 and 1, and as in `confidence_interval`.

    Examples
    --------
    >>> interval = correlation([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 5.0])
    >>> round(float(interval.effect), 3)
    0.8
    """
    first, second = as_local(local), as_local(x, "x")
    if second.ndim == 1 and first.ndim > 1 and len(first) == len(second):
        columns = second.reshape(-1, *[1] * (first.ndim - 1))
        second = np.broadcast_to(columns, first.shape)
    first, second = as_pair(first, second, ("local", "x"))
    check_fraction("confidence", confidence)
    if len(first) < _FEWEST:
        raise ValueError(
            f"`local` has {len(first)} backgrounds; at least {_FEWEST} are needed for "
            "a correlation."
        )
    # Less the first, a constant is exactly 0.
    a, b = (
        values - values[0] - (values - values[0]).mean(axis=0)
        for values in (first, second)
    )
    scale = [np.sqrt((values**2).mean(axis=0)) for values in (a, b)]
    varies = (scale[0] > 0) & (scale[1] > 0)
    a, b = (v / np.where(varies, s, 1.0) for v, s in zip((a, b), scale, strict=True))
    r = np.clip((a * b).mean(axis=0), -1, 1)
    certain = np.abs(r) == 1
    n = len(a)
    known = clusters_of(clusters, n, local)
    codes = np.arange(n) if known is None else known
    with np.errstate(divide="ignore", invalid="ignore"):
        se, df = _jackknife(a, b, codes)
        margin = np.where(
            certain, 0.0, scipy.stats.t.ppf((1 + confidence) / 2, df) * se
        )
        bounds = [np.tanh(np.arctanh(r) + sign * margin) for sign in (-1, 1)]
        error = np.where(certain, 0.0, se * (1 - r**2))
    shown = [np.where(varies, v, np.nan)[()] for v in (r, error, *bounds)]
    return Interval(shown[0], shown[1], shown[2], shown[3], n)


def _jackknife(a: Values, b: Values, codes: Codes) -> tuple[Values, int]:
    """Error of Fisher's z, by leaving out each unit, and its degrees of freedom.

    Infinite where the rest does not vary, or lies on a line. For few backgrounds it
    covers where the influence of each, to first order, does not (88 to 90 % of 95 for
    10 normal or Laplace numbers).
    """
    size = np.bincount(codes)
    left = (len(codes) - size).reshape(-1, *[1] * (a.ndim - 1))
    x, y, xx, yy, xy = (
        each.sum(axis=0) - sum_by(each, codes) for each in (a, b, a * a, b * b, a * b)
    )
    variance = (xx - x * x / left) * (yy - y * y / left)
    least = ROUNDING * len(codes) ** 2
    r = (xy - x * y / left) / np.sqrt(np.where(variance > least, variance, np.nan))
    z = np.arctanh(np.clip(r, -1, 1))
    spread = ((z - z.mean(axis=0)) ** 2).sum(axis=0)
    se = np.sqrt(spread * (len(size) - 1) / len(size))
    return np.where(np.isfinite(se), se, np.inf), len(size) - 1
