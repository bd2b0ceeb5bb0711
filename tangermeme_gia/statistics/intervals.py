"""How large is a global importance, and how sure is it?

Standard errors and confidence intervals of local importances, with the backgrounds on
axis 0. Axis 0 is reduced; every other axis (conditions, outputs) is kept.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import scipy

from .._core.agreement import note_agreement, note_agreement_of_moments, one_warning
from .._core.clusters import Codes, Labels, Values, degrees_of_freedom, sum_by
from .._core.letters import RandomState, as_generator, as_seed
from .._core.moments import Summary, centre, summarise
from .._core.scans import KmerScan
from .._core.short import in_short
from .inputs import (
    LocalImportance,
    as_local,
    as_scan,
    check_fraction,
    clusters_of,
)

IntervalMethod = Literal["t", "bca", "bootstrap-t"]

INTERVAL_METHODS: tuple[IntervalMethod, ...] = ("t", "bca", "bootstrap-t")
# Sums over backgrounds that differ by less than this part of their terms are equal:
# the order in which a matrix product adds them changes their last bits.
ROUNDING = 1e-12
# Resamples drawn together, and numbers held together, to bound memory.
RESAMPLE_ROWS = 256
RESAMPLE_VALUES = 1 << 23


@in_short
class Interval(NamedTuple):
    """An effect over backgrounds with its uncertainty.

    `effect`, `se`, `low` and `high` have the shape of the local importances without
    axis 0 (a single number for local importances of one condition); `n` is the number
    of backgrounds.
    """

    effect: Values
    se: Values
    low: Values
    high: Values
    n: int


@one_warning
def confidence_interval(
    local: LocalImportance | KmerScan,
    confidence: float = 0.95,
    *,
    method: IntervalMethod = "t",
    clusters: Labels | None = None,
    n_resamples: int = 9999,
    random_state: RandomState = 0,
) -> Interval:
    """Between which values does the global importance lie?

    No finite interval covers for every shape. Measured (benchmarks/calibration.py), 95
    % intervals cover 94 to 96 %: "t" for normal, Laplace and discrete symmetric local
    importances from 10 backgrounds on (Student's with 3 df, too, where bootstraps with
    200 cover 92 to 93); all three methods for a skewness of up to 2 from 200, and for
    one of 6 from 1,000. Effects that are 0 on most backgrounds need about 100 that have
    one: below, there is a warning, and t intervals cover 78, 88 and 94 % (30 % with an
    exponential effect) or 54, 76 and 91 % (10 %) with 10, 30 and 200. For few skewed
    local importances "bootstrap-t" covers best and "bca" balances both sides without
    covering more: for 20 exponential numbers 94.9 % ("bootstrap-t"), 92.1 % ("t") and
    91.6 % ("bca").

    Parameters
    ----------
    local: GIAResult, KmerScan, array-like or torch.Tensor, shape=(n, ...)
        A result with one output, which gives a value for each condition (a single
        number for one); local importances, one row per background; or for the method
        "t" a scan.

    confidence: float, optional
        Coverage of each interval. Default is 0.95.

    method: {"t", "bca", "bootstrap-t"}, optional
        Student's t; the bias-corrected and accelerated bootstrap; or the studentised
        bootstrap (Efron and Tibshirani 1993, chapters 14 and 12). Default is "t".

    clusters: sequence or None, shape=(n,), optional
        The template each background was shuffled from. Shuffles of one template are
        not independent; with labels, only templates are taken to be. The error is then
        the cluster-robust one with the small-sample correction CR2 (Bell and McCaffrey
        2002), which for templates of equal size is the standard error of the template
        means; t has their degrees of freedom, one less than the number of templates of
        equal size; and the bootstraps draw whole templates. None takes those that a
        result carries, and others must group backgrounds alike; of arrays, all
        backgrounds are independent. Default is None.

    n_resamples: int, optional
        Resamples of the bootstraps, shared by all conditions. Default is 9999.

    random_state: int, numpy Generator or None, optional
        Seed of the bootstraps; None draws another each time. Default is 0.

    Returns
    -------
    interval: Interval
        `effect` (the mean), `se`, `low`, `high`, each of shape (...), and `n`. Where
        all backgrounds agree the interval is that one value, which says no more than
        its warning. "bootstrap-t" may be unbounded where resamples often hold one value
        only: with two or three backgrounds, or if all but a few have the same local
        importance.

    Raises
    ------
    TypeError
        If `local` is not numbers, or is a list of tensors, one for each output.

    ValueError
        If an option is out of range, there are several outputs, fewer than two
        backgrounds or templates, or NaN or infinite values, or `clusters` has another
        length, misses labels or is not as a result has it.

    Examples
    --------
    >>> interval = confidence_interval([1.0, 2.0, 3.0, 4.0])
    >>> [round(float(value), 2) for value in (interval.low, interval.high)]
    [0.45, 4.55]
    """
    check_fraction("confidence", confidence)
    if method not in INTERVAL_METHODS:
        raise ValueError(f"`method`={method!r} must be one of {INTERVAL_METHODS}.")
    if method == "t":
        mean, se, df, n, _ = noted_moments(local, clusters)
        margin = scipy.stats.t.ppf((1 + confidence) / 2, df) * se
        return Interval(mean, se, mean - margin, mean + margin, n)
    values = as_local(local)
    known = clusters_of(clusters, len(values), local)
    mean, se, _, n, _ = summarise(values, known)
    _check_resamples(n_resamples, confidence)
    note_agreement(values, known)
    codes = np.arange(n) if known is None else known
    columns = values.reshape(n, int(np.prod(values.shape[1:])))
    bounds = np.empty((2, columns.shape[1]))
    # The same seed for every block: all conditions share their resamples, and the
    # interval of one does not depend on which others are asked for.
    seed = as_seed(random_state)
    block = max(1, RESAMPLE_VALUES // n_resamples)
    bootstrap = _bca if method == "bca" else _bootstrap_t
    for first in range(0, columns.shape[1], block):
        part = slice(first, first + block)
        rng = as_generator(seed)
        bounds[:, part] = bootstrap(
            columns[:, part], codes, confidence, n_resamples, rng
        )
    low, high = (mean + bound.reshape(values.shape[1:]) for bound in bounds)
    return Interval(mean, se, low, high, n)


def moments(local: LocalImportance | KmerScan, clusters: Labels | None) -> Summary:
    """Mean, error and degrees of freedom of what a result, scan or array holds."""
    if not isinstance(local, KmerScan):
        values = as_local(local)
        return summarise(values, clusters_of(clusters, len(values), local))
    if clusters is not None and local.clusters is None:
        raise ValueError(
            "`clusters` are given, but `local` is a KmerScan whose standard errors "
            "take backgrounds as independent; give them to the scan."
        )
    codes = clusters_of(clusters, local.n, local)
    effect, se = as_scan(local)
    size = np.bincount(np.arange(local.n) if codes is None else codes)
    return Summary(effect, se, degrees_of_freedom(size), local.n, len(size))


def noted_moments(
    local: LocalImportance | KmerScan, clusters: Labels | None
) -> Summary:
    """The same, with a note where backgrounds agree."""
    summary = moments(local, clusters)
    if isinstance(local, KmerScan):
        codes = clusters_of(clusters, local.n, local)
        note_agreement_of_moments(summary.mean, summary.se, summary.n, codes)
    else:
        values = as_local(local)
        note_agreement(values, clusters_of(clusters, len(values), local))
    return summary


def _check_resamples(n_resamples: int, confidence: float) -> None:
    least = int(np.ceil(2 / (1 - confidence) - 1e-9)) - 1
    if n_resamples < least:
        raise ValueError(
            f"`n_resamples`={n_resamples} cannot resolve `confidence`={confidence}; "
            f"at least {least} are needed."
        )


def _draw_counts(rng: np.random.Generator, rows: int, n: int) -> Values:
    """How often each of n units stands in each of `rows` resamples."""
    drawn = rng.integers(n, size=(rows, n)) + np.arange(rows)[:, None] * n
    counts = np.bincount(drawn.ravel(), minlength=rows * n)
    return counts.reshape(rows, n).astype(np.float64)


def _bca(
    columns: Values,
    codes: Codes,
    confidence: float,
    n_resamples: int,
    rng: np.random.Generator,
) -> Values:
    """BCa bounds of the mean, less the mean; scipy's for each column, but at once.

    `scipy.stats.bootstrap` gathers every resample of every column in memory: for
    1,000 backgrounds of 20 conditions 1.6 GB and many times the seconds of the
    products with counts here. Equality is tested.
    """
    sums, size = sum_by(centre(columns)[1], codes), np.bincount(codes)
    means = np.empty((n_resamples, columns.shape[1]))
    for first in range(0, n_resamples, RESAMPLE_ROWS):
        rows = means[first : first + RESAMPLE_ROWS]
        counts = _draw_counts(rng, len(rows), len(size))
        rows[:] = counts @ sums / (counts @ size)[:, None]
    tie = ROUNDING * np.abs(sums).max(axis=0)
    below = ((means < -tie).mean(axis=0) + (means <= tie).mean(axis=0)) / 2
    bias = scipy.stats.norm.ppf(
        np.clip(below, 0.5 / n_resamples, 1 - 0.5 / n_resamples)
    )
    left_out = -sums / (len(codes) - size)[:, None]
    influence = left_out.mean(axis=0) - left_out
    spread = (influence**2).sum(axis=0) ** 1.5
    skew = np.divide(
        (influence**3).sum(axis=0),
        6 * spread,
        out=np.zeros_like(bias),
        where=spread > 0,
    )
    z = bias + scipy.stats.norm.ppf([[(1 - confidence) / 2], [(1 + confidence) / 2]])
    level = scipy.stats.norm.cdf(bias + z / np.maximum(1 - skew * z, 1e-9))
    means.sort(axis=0)
    position = level * (n_resamples - 1)
    lower = np.floor(position).astype(np.intp)
    upper = np.minimum(lower + 1, n_resamples - 1)
    below_, above = (np.take_along_axis(means, i, axis=0) for i in (lower, upper))
    bounds: Values = below_ + (above - below_) * (position - lower)
    return bounds


def _bootstrap_t(
    columns: Values,
    codes: Codes,
    confidence: float,
    n_resamples: int,
    rng: np.random.Generator,
) -> Values:
    """Studentised bootstrap bounds of the mean, less the mean."""
    sums, size = sum_by(centre(columns)[1], codes), np.bincount(codes)
    # Errors are without the factor of a small sample, which would cancel in the bounds.
    statistic = np.empty((n_resamples, columns.shape[1]))
    for first in range(0, n_resamples, RESAMPLE_ROWS):
        rows = statistic[first : first + RESAMPLE_ROWS]
        counts = _draw_counts(rng, len(rows), len(size))
        n = (counts @ size)[:, None]
        mean = counts @ sums / n
        raw = counts @ sums**2
        # The sum over drawn templates of (sum - mean * size) squared, multiplied out.
        square = raw - 2 * mean * (counts @ (sums * size[:, None]))
        square += mean**2 * (counts @ size**2)[:, None]
        square[square <= ROUNDING * raw] = 0  # one template drawn again and again
        se = np.sqrt(square) / n
        with np.errstate(divide="ignore", invalid="ignore"):
            rows[:] = np.where(mean == 0, 0.0, mean / se)
    statistic.sort(axis=0)
    tail = int((n_resamples + 1) * (1 - confidence) / 2 + 1e-9) - 1
    se = np.sqrt((sums**2).sum(axis=0)) / len(codes)
    bounds: Values = -statistic[[n_resamples - 1 - tail, tail]] * se
    return bounds
