"""Ranks of one among many, and how often their intervals hold the truth."""

import numpy as np
import pytest
import scipy

from tangermeme_gia.statistics.ranks import rank_interval


def of_rows(values: np.ndarray, own: int, **options):
    """The rank of a column of values on the same rows."""
    difference = np.delete(values, own, axis=1) - values[:, [own]]
    n = len(values)
    se = difference.std(axis=0, ddof=1) / np.sqrt(n)
    return rank_interval(difference.mean(axis=0), se, n - 1, **options)


def test_those_surely_above_and_those_not_surely_below_bound_the_rank():
    bound = scipy.stats.t.isf(0.025 / 4, 20)
    difference = np.array([1.01 * bound, 0.99 * bound, -0.99 * bound, -1.01 * bound])
    told = rank_interval(difference, np.ones(4), 20)
    assert told == (3, 2, 4)
    # Of more candidates the bound is wider.
    assert rank_interval(difference, np.ones(4), 20, n_chosen_from=2) == (3, 1, 5)


def test_ties_and_errors_that_are_missing_tell_nothing():
    nothing = np.zeros(5)
    assert rank_interval(nothing, nothing, 9) == (1, 1, 6)
    assert rank_interval(nothing + 1e-9, nothing, 9, tie=1e-8) == (1, 1, 6)
    assert rank_interval(nothing + 1e-7, nothing, 9, tie=1e-8) == (6, 6, 6)
    assert rank_interval(nothing - 1, nothing + np.nan, np.nan) == (1, 1, 6)
    with pytest.raises(ValueError, match="`confidence`=2"):
        rank_interval(nothing, nothing, 9, 2)


@pytest.mark.parametrize("skewed", [False, True])
def test_intervals_hold_the_true_rank(skewed):
    """Effects close to each other, which share their backgrounds."""
    rng = np.random.default_rng(0)
    truth, held, decided = np.linspace(0, 1, 40), [], []
    for _ in range(300):
        shared = rng.standard_normal((100, 1))
        drawn = (
            rng.exponential(1, (100, 40)) - 1 if skewed else rng.normal(size=(100, 40))
        )
        told = of_rows(truth + shared + drawn / 2, 30)
        held.append(told.low <= 10 <= told.high)
        decided.append(told.high - told.low < 25)
    assert np.mean(held) >= 0.95
    assert np.mean(decided) > 0.9
