"""Could an effect of this size have come from the choice of backgrounds alone?

Tests of local importances, with the backgrounds on axis 0. Arms of an experiment share
their backgrounds, so the tests are paired; Welch's unpaired test serves comparison with
the paper.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from .._core.agreement import note_agreement, one_warning
from .._core.clusters import Codes, Labels, Values, sum_by
from .._core.letters import RandomState
from .._core.moments import summarise
from .._core.scans import KmerScan
from .flips import Alternative, flip_p_value
from .groups import difference_of_groups
from .inputs import LocalImportance, as_local, as_pair, check_fraction, clusters_of
from .intervals import noted_moments

ALTERNATIVES = ("two-sided", "greater", "less")
# Up to here all flips of sign, 8,192 of them, are tried for the signed-rank test.
MOST_FLIPPED = 13
# Up to here scipy's exact distribution is used where there are no ties and zeros.
MOST_COUNTED = 50


class Significance(NamedTuple):
    """The outcome of a test.

    `effect` (the mean tested against 0), `statistic`, `p` and `significant` (p < alpha)
    have the shape of the local importances without axis 0; `n` is the number of
    backgrounds.
    """

    effect: Values
    statistic: Values
    p: Values
    significant: NDArray[np.bool_]
    n: int


@one_warning
def paired_t_test(
    local: LocalImportance | KmerScan,
    other: LocalImportance | None = None,
    *,
    clusters: Labels | None = None,
    alternative: Alternative = "two-sided",
    alpha: float = 0.05,
) -> Significance:
    """Does a pattern have an effect, or one arm a larger one than another?

    Its level holds for the shapes and numbers for which `confidence_interval` covers.

    Parameters
    ----------
    local: GIAResult, KmerScan, array-like or torch.Tensor, shape=(n, ...)
        A result with one output, of which each condition is tested; local importances,
        one row per background; or, without `other`, a scan.

    other: GIAResult, array-like, torch.Tensor or None, same shape, optional
        A second arm on the same backgrounds; the test is then of `local` - `other`.
        None tests `local` against 0. Default is None.

    clusters: sequence or None, shape=(n,), optional
        The template each background was shuffled from; the test then uses the error
        and the degrees of freedom of `confidence_interval`. None takes those that a
        result carries, and others must group backgrounds alike. Default is None.

    alternative: {"two-sided", "greater", "less"}, optional
        Which effects count as evidence. Default is "two-sided".

    alpha: float, optional
        p values below it are significant. Default is 0.05.

    Returns
    -------
    test: Significance
        `effect`, `statistic` (t), `p`, `significant` and `n`. Where all backgrounds
        agree t is 0 and p 1 for an effect of 0, and otherwise t is infinite and p 0, or
        1 if the alternative is the other side; a warning says how little that is.

    Raises
    ------
    ValueError
        If there are fewer than two backgrounds or templates, a local importance is NaN
        or infinite, the shapes differ, or an option is out of range.

    Examples
    --------
    >>> test = paired_t_test([2.0, 3.0, 4.0], [1.0, 1.0, 1.0])
    >>> round(float(test.statistic), 3), round(float(test.p), 3)
    (3.464, 0.074)
    """
    # scipy.stats.ttest_rel has no clusters, and warns and returns NaN where all
    # backgrounds agree; elsewhere the two are equal, which is tested.
    _check_options(alternative, alpha)
    if other is None:
        summary = noted_moments(local, clusters)
    else:
        values, codes = _difference(local, other, clusters)
        note_agreement(values, codes)
        summary = summarise(values, codes)
    t, p = t_test_of_means(summary.mean, summary.se, summary.df, alternative)
    return Significance(summary.mean, t, p, p < alpha, summary.n)


@one_warning
def wilcoxon_test(
    local: LocalImportance,
    other: LocalImportance | None = None,
    *,
    clusters: Labels | None = None,
    alternative: Alternative = "two-sided",
    alpha: float = 0.05,
) -> Significance:
    """Does a pattern have an effect of one sign on most backgrounds, by rank?

    Wilcoxon's signed-rank test resists outliers. Its null hypothesis is that local
    importances are *symmetric* about 0, not that their mean is 0: it rejects skewed
    ones of mean 0.

    Parameters
    ----------
    local, other, alternative, alpha
        As in `paired_t_test`. Local importances of exactly 0 are left out of the
        ranking, as Wilcoxon did.

    clusters: sequence or None, shape=(n,), optional
        The template each background was shuffled from; the signed ranks of a template
        then change sign together (Rosner, Glynn and Lee, Biometrics 62:185, 2006), and
        the null hypothesis is that those of a template are symmetric about 0 together.
        None takes those that a result carries. Default is None.

    Returns
    -------
    test: Significance
        `effect` (the mean), `statistic` (the sum of positive ranks, or two-sided the
        smaller one of both signs), `p`, `significant` and `n`. p is exact up to 13
        backgrounds or templates, and up to 50 of one background each without ties and
        zeros; otherwise normal. Where every local importance is 0 it is 1.

    Raises
    ------
    ValueError
        As in `paired_t_test`.

    Examples
    --------
    >>> float(wilcoxon_test([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).p)
    0.03125
    """
    values, codes = _difference(local, other, clusters)
    _check_options(alternative, alpha)
    note_agreement(values, codes)
    shape = values.shape[1:]
    columns = values.reshape(len(values), int(np.prod(shape)))
    absent = columns == 0
    ranks = scipy.stats.rankdata(np.abs(columns), axis=0) - absent.sum(axis=0)
    signed = np.sign(columns) * ranks
    positive, negative = (np.maximum(side, 0).sum(axis=0) for side in (signed, -signed))
    both = np.minimum(positive, negative)
    statistic = both if alternative == "two-sided" else positive
    if codes is not None:
        signed = sum_by(signed, codes)
    n = len(signed)
    if n <= MOST_FLIPPED:
        p = flip_p_value(signed, alternative, 2**n, None)
    else:
        # Without an effect each rank, or sum of a template's, is positive half of the
        # time.
        error = np.sqrt((signed**2).sum(axis=0))
        z = np.divide(positive - negative, error, out=error * 0, where=error > 0)
        p = np.where(error > 0, _p_value(scipy.stats.norm.sf, z, alternative), 1.0)
    if MOST_FLIPPED < n <= MOST_COUNTED and n == len(values):
        # Column by column: scipy itself chooses a method for all columns alike, so
        # that a tie in one condition changes p of the others.
        distinct = np.diff(np.sort(ranks, axis=0), axis=0).all(axis=0)
        plain = distinct & ~absent.any(axis=0)
        if plain.any():
            p[plain] = scipy.stats.wilcoxon(
                columns[:, plain], axis=0, alternative=alternative, method="exact"
            ).pvalue
    p = p.reshape(shape)[()]
    effect = summarise(values, None).mean
    statistic = statistic.reshape(shape)[()]
    return Significance(effect, statistic, p, p < alpha, len(values))


@one_warning
def sign_flip_test(
    local: LocalImportance,
    other: LocalImportance | None = None,
    *,
    clusters: Labels | None = None,
    alternative: Alternative = "two-sided",
    n_resamples: int = 9999,
    random_state: RandomState = 0,
    alpha: float = 0.05,
) -> Significance:
    """Does a pattern have an effect, if it would be symmetric without one?

    The mean is compared with the means under flips of sign: exact if local importances
    are *symmetric* about 0 where there is no effect. For skewed ones of mean 0 it errs
    as the t test does: of 10 that are exponential on 30 % of the backgrounds and
    elsewhere the same, it finds 23 % at a level of 0.05, of 200 it finds 7 %.

    Parameters
    ----------
    local, other, alternative, alpha
        As in `paired_t_test`.

    clusters: sequence or None, shape=(n,), optional
        The template each background was shuffled from; the shuffles of a template then
        flip together. None takes those that a result carries. Default is None.

    n_resamples: int, optional
        If there are no more than this many flips (up to 13 backgrounds or templates at
        the default), all are tried and p is exact; otherwise this many are drawn and p
        is (b + 1) / (n_resamples + 1), of which b are as extreme as the mean (Phipson
        and Smyth 2010). No p is then below 1 / (n_resamples + 1): a search over
        thousands of conditions needs more. Default is 9999.

    random_state: int, numpy Generator or None, optional
        Seed of the flips, which all conditions share; None draws others each time.
        Default is 0.

    Returns
    -------
    test: Significance
        `effect`, `statistic` (the mean), `p`, `significant` and `n`.

    Raises
    ------
    ValueError
        If `n_resamples` is below 1, and as in `paired_t_test`.

    Examples
    --------
    >>> float(sign_flip_test([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).p)
    0.03125
    """
    values, codes = _difference(local, other, clusters)
    _check_options(alternative, alpha)
    if n_resamples < 1:
        raise ValueError(f"`n_resamples`={n_resamples} must be at least 1.")
    note_agreement(values, codes)
    n, effect = len(values), summarise(values, None).mean
    columns = values.reshape(n, int(np.prod(values.shape[1:])))
    if codes is not None:
        columns = sum_by(columns, codes)
    p = flip_p_value(columns, alternative, n_resamples, random_state)
    p = p.reshape(values.shape[1:])[()]
    return Significance(effect, effect, p, p < alpha, n)


@one_warning
def welch_test(
    a: LocalImportance,
    b: LocalImportance,
    *,
    clusters: tuple[Labels, Labels] | None = None,
    alternative: Alternative = "two-sided",
    alpha: float = 0.05,
) -> Significance:
    """Do two groups of independent backgrounds differ, as the paper tested it?

    Welch's t-test (paper, "Statistical tests"). Arms of one experiment share their
    backgrounds, which this test ignores unless they are in clusters: where they vary
    together it finds too little. Use `paired_t_test` for them.

    Parameters
    ----------
    a: GIAResult, array-like or torch.Tensor, shape=(n_a, ...)
        A result, or local importances, of one group.

    b: GIAResult, array-like or torch.Tensor, shape=(n_b, ...)
        The same of the other, for the same conditions.

    clusters: pair of sequences or None, shapes=(n_a,) and (n_b,), optional
        The template each background of either group was shuffled from; a label that
        both groups have is one template, as of two shuffles of the same sequences.
        None takes those that the results carry, if both do; a group without any has
        independent backgrounds, none of which is of a template of the other's.
        Default is None.

    alternative, alpha
        As in `paired_t_test`, for `a` minus `b`.

    Returns
    -------
    test: Significance
        `effect` (mean of `a` minus mean of `b`), `statistic` (t), `p`, `significant`
        and `n`, which is n_a + n_b. Groups that do not vary are treated as in
        `paired_t_test`. With clusters, errors are those of `confidence_interval`; where
        groups have templates in common, the covariance that these give the means is
        taken off, and the degrees of freedom are those of the group with fewer.

    Raises
    ------
    ValueError
        As in `paired_t_test`.

    Examples
    --------
    >>> round(float(welch_test([2.0, 3.0, 4.0], [1.0, 1.5, 1.0, 1.5]).p), 3)
    0.086
    """
    _check_options(alternative, alpha)
    effect, se, df, n = difference_of_groups(a, b, clusters)
    t, p = t_test_of_means(effect, se, df, alternative)
    return Significance(effect, t, p, p < alpha, n)


def _difference(
    local: LocalImportance | KmerScan,
    other: LocalImportance | None,
    clusters: Labels | None,
) -> tuple[Values, Codes | None]:
    """What is tested, and the clusters of the backgrounds."""
    if other is None:
        values = as_local(local)
    else:
        first, second = as_pair(local, other, ("local", "other"))
        values = first - second
    return values, clusters_of(clusters, len(values), local, other)


def _check_options(alternative: str, alpha: float) -> None:
    if alternative not in ALTERNATIVES:
        raise ValueError(
            f"`alternative`={alternative!r} must be one of {ALTERNATIVES}."
        )
    check_fraction("alpha", alpha)


def t_test_of_means(
    effect: Values,
    se: Values,
    df: Values | float,
    alternative: Alternative = "two-sided",
) -> tuple[Values, Values]:
    """t and p of means whose errors are known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(effect == 0, 0.0, effect / se)[()]
    p = _p_value(scipy.stats.t(df).sf, t, alternative)
    return t, np.where((effect == 0) & (se == 0), 1.0, p)[()]


def _p_value(
    survival: Callable[[Values], Values], statistic: Values, alternative: Alternative
) -> Values:
    """p of a statistic whose distribution without an effect is symmetric."""
    if alternative == "two-sided":
        return np.asarray(2 * survival(np.abs(statistic)))[()]
    towards = statistic if alternative == "greater" else -statistic
    return np.asarray(survival(towards))[()]
