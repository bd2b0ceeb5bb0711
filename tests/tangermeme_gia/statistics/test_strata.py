import numpy as np
import pytest
import scipy

from tangermeme_gia.statistics.strata import (
    Stratum,
    estimate,
    hidden,
    surely_below,
    unseen_share,
)


def stratum(values: np.ndarray, n: int, first: int = 0) -> Stratum:
    return Stratum(np.arange(first, first + n), np.zeros(n), np.asarray(values, float))


def test_whoever_is_left_behind_is_below_the_exact_mean_by_its_interval():
    # Mean 1; the standard deviation with three degrees of freedom is the root of 4 / 3,
    # that of the mean of 4 of 8 members the root of 1 / 6. The interval ends at 5 if
    # t = 4 sqrt(6).
    part = stratum([[0.0], [2.0], [0.0], [2.0]], 8)
    full = np.full((8, 2), [5.0, 4.0])
    probability = scipy.stats.t.sf(4 * np.sqrt(6), 3)
    assert surely_below([part], full, 1, probability * 1.01).tolist() == [True]
    assert surely_below([part], full, 1, probability * 0.99).tolist() == [False]
    assert surely_below([part], full, 2, probability * 1.01).tolist() == [False]


def test_stratified_means_and_errors_have_the_textbook_formulas():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(3, 2)), rng.normal(size=(6, 2))
    found = estimate([stratum(a, 10), stratum(b, 30, 10)])
    np.testing.assert_allclose(found.mean, 0.25 * a.mean(0) + 0.75 * b.mean(0))
    parts = [
        0.25**2 * a.var(0, ddof=1) * (1 / 3 - 1 / 10),
        0.75**2 * b.var(0, ddof=1) * (1 / 6 - 1 / 30),
    ]
    np.testing.assert_allclose(found.se**2, sum(parts))
    df = sum(parts) ** 2 / (parts[0] ** 2 / 2 + parts[1] ** 2 / 5)
    np.testing.assert_allclose(found.df, df)


def test_equal_values_have_no_error_and_a_stratum_seen_whole_adds_none():
    found = estimate([stratum([[1.0]] * 2, 2), stratum([[3.0]] * 4, 6, 2)])
    assert found.mean.item() == pytest.approx(2.5)
    assert found.se.item() == 0
    assert found.df.item() >= 1
    varied = estimate([stratum([[1.0], [9.0]], 2), stratum([[3.0]] * 4, 6, 2)])
    assert varied.mean.item() == pytest.approx(0.25 * 5 + 0.75 * 3)
    assert varied.se.item() == 0


def test_what_a_member_does_to_all_alike_is_taken_from_every_value():
    offsets = np.array([30.0, -10.0, -10.0, -10.0])
    values = np.array([[31.0, 33.0], [-9.0, -7.0]])
    found = estimate([Stratum(np.arange(4), offsets, values)])
    assert found.mean.tolist() == [1.0, 3.0]
    assert found.se.tolist() == [0.0, 0.0]


def test_whoever_is_left_behind_could_not_hide_what_others_show():
    # A share of 0.415 can have been missed with a probability of 0.1. The last shows
    # a value so far above its mean that, in that share, it would lift the first to 5.
    share = 1 - 0.1 ** (1 / 4)
    share = min(share, np.log(0.1) / np.log(0.5) / 8)
    assert unseen_share(0.1, 4, 8) == pytest.approx(share)
    full = np.full((8, 1), 5.0)
    for lift, below in [(4.99, True), (5.01, False)]:
        values = np.zeros((4, 2))
        values[3, 1] = lift / share / 0.75
        assert surely_below([stratum(values, 8)], full, 1, 0.1)[0] == below


def test_those_measured_on_all_members_show_what_is_rare_in_a_stratum():
    # 50 of 1,000 members hold the four on which one that is measured has 9. After 5 of
    # the 50, a share of 0.658 can be unseen at 0.005, and its fifth is 7 of the 50.
    full = np.zeros((1000, 2))
    full[:4, 0] = 9
    few = stratum(np.zeros((5, 1)), 50)
    rest = stratum(np.zeros((900, 1)), 950, 50)
    share = unseen_share(0.005, 5, 50)
    assert share == pytest.approx(1 - 0.005 ** (1 / 5))
    above_mean = (4 * (9 - 0.036) - 3 * 0.036) / 7
    assert hidden([few, rest], full, 0.005) == pytest.approx(share * 0.05 * above_mean)
    assert hidden([stratum(np.zeros((50, 1)), 50), rest], full, 0.005) == 0


def test_the_share_that_can_be_missed_has_the_stated_probability():
    for n, n_seen, probability in [(1000, 32, 1e-4), (400, 256, 1e-3)]:
        share = int(np.ceil(unseen_share(probability, n_seen, n) * n))
        # All of so many members are missed less often, half as many more often.
        missed = scipy.stats.hypergeom.pmf(0, n, np.array([share, share // 2]), n_seen)
        assert missed[0] <= probability < missed[1]
    assert 0.9999 < unseen_share(1e-9, 2, 10) < 1
    assert unseen_share(1e-9, 10, 10) == 0


def test_no_number_leaves_nobody_behind():
    values = np.zeros((4, 2))
    values[0, 0] = np.nan
    full = np.full((8, 1), 5.0)
    assert not surely_below([stratum(values, 8)], full, 1, 0.1).any()
