"""How many backgrounds does an experiment need?"""

from __future__ import annotations

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from .._core.clusters import Labels
from .._core.letters import as_float64
from .._core.scans import KmerScan
from .inputs import LocalImportance, check_fraction
from .intervals import moments


def backgrounds_needed(
    local: LocalImportance | KmerScan,
    half_width: float | ArrayLike,
    confidence: float = 0.95,
    *,
    clusters: Labels | None = None,
) -> NDArray[np.int64]:
    """How many backgrounds give an interval as narrow as I need?

    Parameters
    ----------
    local: GIAResult, KmerScan, array-like or torch.Tensor, shape=(n, ...)
        A pilot: a result or scan with one output, or local importances, one row per
        background; only their standard deviation is used.

    half_width: float or array-like, broadcastable to shape (...)
        The margin asked for on either side of the global importance, in the units of
        `local`.

    confidence: float, optional
        Coverage of the interval. Default is 0.95.

    clusters: sequence or None, shape=(n,), optional
        The template each background of the pilot was shuffled from; None takes those
        that a result carries. Default is None.

    Returns
    -------
    n: numpy.ndarray of int, shape=(...)
        The smallest number of independent backgrounds whose t interval has at most
        this half-width if the standard deviation is that of the pilot; never less than
        2. With clusters it is the number of templates, of each of which there are as
        many backgrounds as in the pilot: more of the same templates add little.

    Raises
    ------
    ValueError
        If `half_width` is not positive, does not fit the conditions, or is so small
        that no computer could follow, and as in `confidence_interval`.

    Examples
    --------
    >>> int(backgrounds_needed([1.0, 2.0, 3.0, 4.0], half_width=0.1))
    643
    """
    check_fraction("confidence", confidence)
    margin = as_float64(half_width, "half_width")
    if not (margin > 0).all():
        raise ValueError(f"`half_width`={half_width!r} must be above 0.")
    summary = moments(local, clusters)
    try:
        np.broadcast_shapes(margin.shape, np.shape(summary.mean))
    except ValueError:
        raise ValueError(
            f"`half_width` has shape {margin.shape} and each background of `local` "
            f"{np.shape(summary.mean)}; give one number, or one for each condition."
        ) from None
    ratio = summary.se * np.sqrt(summary.units) / margin
    level = (1 + confidence) / 2
    if (ratio > 1e7).any():
        raise ValueError(
            f"`half_width`={half_width!r} asks for more than 1e14 backgrounds; the "
            f"largest standard deviation is {np.max(ratio * margin):.3g}."
        )
    # The normal quantile is below every t quantile, so this start is never too high;
    # t(n - 1) / sqrt(n) falls with n, so the first n that fits is the smallest.
    n = np.maximum(2, np.ceil((scipy.stats.norm.ppf(level) * ratio) ** 2)).astype(
        np.int64
    )
    wide = np.ones_like(n, dtype=bool)
    while wide.any():
        wide = scipy.stats.t.ppf(level, n - 1) * ratio > np.sqrt(n)
        n = n + wide
    needed: NDArray[np.int64] = n[()]
    return needed
