"""Does an effect go along with a property of the backgrounds?"""

from __future__ import annotations

import numpy as np
import scipy
import torch
from numpy.typing import ArrayLike

from .._core.clusters import Labels
from .._core.moments import summarise
from .inputs import LocalImportance, as_local, as_pair, check_fraction, clusters_of
from .intervals import Interval

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
    two to be normal. It is a little narrow for skewed data (measured: 86 % of 90 % for
    sums of exponential numbers and 200 backgrounds).

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
        `effect` (the correlation), `se` (by the delta method), `low` and `high` (by
        Fisher's transformation, with that error) and `n`. NaN where either does not
        vary.

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
    # Each background's pull on the correlation, to first order.
    pull = a * b - r * (a**2 + b**2) / 2
    error = summarise(pull, clusters_of(clusters, len(first), local))
    certain = np.abs(r) == 1
    with np.errstate(divide="ignore", invalid="ignore"):
        margin = scipy.stats.t.ppf((1 + confidence) / 2, error.df) * error.se
        margin = np.where(certain, 0.0, margin / (1 - r**2))
        bounds = [np.tanh(np.arctanh(r) + sign * margin) for sign in (-1, 1)]
    shown = [np.where(varies, v, np.nan)[()] for v in (r, error.se, *bounds)]
    return Interval(shown[0], shown[1], shown[2], shown[3], error.n)
