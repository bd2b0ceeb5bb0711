"""How many backgrounds does an experiment need?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from .._core.agreement import note_agreement, one_warning
from .._core.clusters import Labels, Values, sum_by
from .._core.letters import as_float64
from .._core.scans import KmerScan
from .inputs import LocalImportance, as_local, check_fraction, clusters_of
from .intervals import moments

_Counts: TypeAlias = NDArray[np.int64]


@one_warning
def backgrounds_needed(
    local: LocalImportance | KmerScan,
    half_width: float | ArrayLike | None = None,
    confidence: float = 0.95,
    *,
    clusters: Labels | None = None,
    effect: float | ArrayLike | None = None,
    alpha: float = 0.05,
    power: float = 0.9,
    assurance: float = 0.9,
) -> NDArray[np.int64]:
    """How many backgrounds give an interval as narrow, or a test as sharp, as I need?

    Parameters
    ----------
    local: GIAResult, KmerScan, array-like or torch.Tensor, shape=(n, ...)
        A pilot: a result or scan with one output, or local importances, one row per
        background; their standard deviation is used, and unless it is a scan their
        kurtosis, which says how well the former is known.

    half_width: float or array-like, broadcastable to shape (...), or None, optional
        The margin asked for on either side of the global importance, in the units of
        `local`. None if an `effect` is to be found. Default is None.

    confidence: float, optional
        Coverage of the interval. Default is 0.95.

    clusters: sequence or None, shape=(n,), optional
        The template each background of the pilot was shuffled from; None takes those
        that a result carries. Default is None.
    effect: float or array-like, broadcastable to shape (...), or None, optional
        The size of the global importance that a paired t test should find, in the units
        of `local`; instead of `half_width`. Default is None.

    alpha: float, optional
        Level of that two-sided test. Default is 0.05.

    power: float, optional
        How often it should find the effect. Default is 0.9.

    assurance: float, optional
        How surely the experiment does what is asked for, over pilots as this one: the
        probability that the interval is at most as wide, or that the test has at least
        this power. The standard deviation of the pilot taken for the true one would
        give about 0.5. Default is 0.9.

    Returns
    -------
    n: numpy.ndarray of int, shape=(...)
        The smallest number of independent backgrounds, at least 2. With clusters it is
        the number of templates, of each of which there are as many backgrounds as in
        the pilot: more of the same templates add little. For margins the ratio of both
        variances, of pilot and experiment, follows F; for tests the power is that of
        the noncentral t at the upper bound of the standard deviation. The degrees of
        freedom of a variance are divided by 1 + excess kurtosis / 2. As measured
        (benchmarks/calibration.py, section "planning"), 0.9 becomes 0.91 to 0.93 for
        normal effects. For skewed ones, whose kurtosis a pilot hides, it is less: 0.77
        to 0.86 for exponential ones after pilots of 20 to 200, 0.60 to 0.82 at a
        skewness of 6.

    Raises
    ------
    ValueError
        If not exactly one of `half_width` and `effect` is given, it is not positive,
        does not fit the conditions, or is so small that no computer could follow; if
        all backgrounds of the pilot agree, so that their spread is unknown; and as in
        `confidence_interval`.

    Warns
    -----
    FewEffectsWarning
        If most backgrounds of the pilot agree.

    Examples
    --------
    >>> pilot = np.random.default_rng(0).normal(size=50)
    >>> int(backgrounds_needed(pilot, half_width=0.1))
    441
    >>> int(backgrounds_needed(pilot, effect=0.2))
    299
    """
    for name, value in (("confidence", confidence), ("alpha", alpha)):
        check_fraction(name, value)
    for name, value in (("power", power), ("assurance", assurance)):
        check_fraction(name, value)
    given = {"half_width": half_width, "effect": effect}
    sizes = {name: size for name, size in given.items() if size is not None}
    if len(sizes) != 1:
        raise ValueError(
            "one of `half_width` and `effect` is needed: a margin, or an effect to "
            "find."
        )
    [(name, size)] = sizes.items()
    summary = moments(local, clusters)
    asked = _sizes(size, name, np.shape(summary.mean))
    sd = np.asarray(summary.se * np.sqrt(summary.units))
    _check_spread(sd, summary.units)
    ratio = sd / asked
    if (ratio > 1e6).any():
        raise ValueError(
            f"`{name}`={size!r} asks for more than 1e12 backgrounds; the largest "
            f"standard deviation is {np.max(sd):.3g}."
        )
    spread = 1 + _excess_kurtosis(local, clusters) / 2
    df = summary.df / spread
    if half_width is not None:
        return _smallest(
            lambda n: _is_narrow(n, ratio, confidence, assurance, spread, df),
            ratio.shape,
        )
    largest = ratio * np.sqrt(df / scipy.stats.chi2.ppf(1 - assurance, df))
    return _smallest(lambda n: _power(n, largest, alpha) >= power, ratio.shape)


def _sizes(size: float | ArrayLike, name: str, shape: tuple[int, ...]) -> Values:
    sizes = as_float64(size, name)
    if not (sizes > 0).all():
        raise ValueError(f"`{name}`={size!r} must be above 0.")
    try:
        np.broadcast_shapes(sizes.shape, shape)
    except ValueError:
        raise ValueError(
            f"`{name}` has shape {sizes.shape} and each background of `local` {shape}; "
            "give one number, or one for each condition."
        ) from None
    return sizes


def _check_spread(sd: Values, n: int) -> None:
    if (sd == 0).any():
        raise ValueError(
            f"`local` is a pilot whose {n} backgrounds all agree, in "
            f"{np.sum(sd == 0)} of {sd.size} conditions, the first number "
            f"{np.flatnonzero(sd == 0)[0]}: how effects differ is not known, only that "
            f"with 95 % confidence fewer than {100 * (1 - 0.05 ** (1 / n)):.2g} % of "
            "backgrounds show another one. Take more, or leave these conditions out."
        )


def _excess_kurtosis(
    local: LocalImportance | KmerScan, clusters: Labels | None
) -> Values:
    """That of each condition over units, 0 where it is negative or not known."""
    if isinstance(local, KmerScan):
        return np.zeros(())
    values = as_local(local)
    codes = clusters_of(clusters, len(values), local)
    note_agreement(values, codes)
    if codes is not None:
        size = np.bincount(codes).reshape(-1, *[1] * (values.ndim - 1))
        values = sum_by(values, codes) / size
    if len(values) < 4:
        return np.zeros(values.shape[1:])
    kurtosis = scipy.stats.kurtosis(values, axis=0, bias=False)
    return np.maximum(np.asarray(kurtosis, dtype=np.float64), 0)


def _is_narrow(
    n: _Counts,
    ratio: Values,
    confidence: float,
    assurance: float,
    spread: Values,
    df: Values,
) -> NDArray[np.bool_]:
    t = scipy.stats.t.ppf((1 + confidence) / 2, n - 1)
    larger = scipy.stats.f.ppf(assurance, (n - 1) / spread, df)
    return np.asarray(t**2 * ratio**2 * larger <= n)


def _power(n: _Counts, ratio: Values, alpha: float) -> Values:
    """Of a two-sided t test, for an effect of 1 / ratio standard deviations."""
    critical = scipy.stats.t.ppf(1 - alpha / 2, n - 1)
    shift = np.sqrt(n) / ratio
    # Far away the noncentral t overflows, and the normal is as good.
    near = scipy.stats.nct.sf(critical, n - 1, np.minimum(shift, 30))
    return np.where(shift > 30, 1.0, near)


def _smallest(
    is_enough: Callable[[_Counts], NDArray[np.bool_]], shape: tuple[int, ...]
) -> _Counts:
    """The smallest whole number from 2 that is enough, by bisection."""
    low, high = np.full(shape, 1), np.full(shape, 2)
    while not (enough := is_enough(high)).all():
        low, high = np.where(enough, low, high), np.where(enough, high, high * 2)
    while (high - low > 1).any():
        middle = np.maximum((low + high) // 2, 2)
        enough = is_enough(middle)
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    needed: _Counts = high.astype(np.int64)[()]
    return needed
