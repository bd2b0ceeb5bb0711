import itertools
import time

import numpy as np
import pytest
import torch
from scipy import stats

from tangermeme_gia.statistics.significance import (
    paired_t_test,
    sign_flip_test,
    welch_test,
    wilcoxon_test,
)

ALTERNATIVES = ("two-sided", "greater", "less")
PAIRED = (paired_t_test, wilcoxon_test, sign_flip_test)


@pytest.fixture
def arms() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    shared = rng.normal(size=(40, 4))
    return shared + rng.lognormal(size=(40, 4)), shared + 1.2


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_paired_t_equals_scipy(arms, alternative):
    test = paired_t_test(*arms, alternative=alternative)
    expected = stats.ttest_rel(*arms, alternative=alternative)
    np.testing.assert_allclose(test.statistic, expected.statistic, rtol=1e-10)
    np.testing.assert_allclose(test.p, expected.pvalue, rtol=1e-10)
    np.testing.assert_allclose(test.effect, (arms[0] - arms[1]).mean(axis=0))
    assert test.n == 40


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("n", [2, 6, 20, 50, 60])
def test_wilcoxon_equals_scipy_column_by_column(alternative, n):
    local = np.random.default_rng(n).normal(0.2, size=(n, 4))
    local[: n // 3, 1] = 0  # left out of the ranks
    local[0, 3] = 0
    local[:, 2] = (local[:, 2] * 3).round() / 3 + 1 / 7  # ties, without zeros
    test = wilcoxon_test(local, alternative=alternative)
    for column in range(4):
        expected = stats.wilcoxon(local[:, column], alternative=alternative)
        assert test.statistic[column] == expected.statistic
        assert test.p[column] == pytest.approx(expected.pvalue)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_welch_equals_scipy(arms, alternative):
    a, b = arms[0], arms[1][:25]
    test = welch_test(a, b, alternative=alternative)
    expected = stats.ttest_ind(a, b, equal_var=False, alternative=alternative)
    np.testing.assert_allclose(test.statistic, expected.statistic, rtol=1e-10)
    np.testing.assert_allclose(test.p, expected.pvalue, rtol=1e-10)
    assert test.n == 65


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("n", [2, 7, 10])
def test_few_backgrounds_are_flipped_in_all_ways(arms, alternative, n):
    local = (arms[0] - arms[1])[:n]
    test = sign_flip_test(local, alternative=alternative)
    flipped = np.array(
        [np.array(signs) @ local for signs in itertools.product([-1, 1], repeat=n)]
    )
    observed = local.sum(axis=0)
    extreme = {
        "two-sided": np.abs(flipped) >= np.abs(observed) - 1e-9,
        "greater": flipped >= observed - 1e-9,
        "less": flipped <= observed + 1e-9,
    }[alternative]
    np.testing.assert_allclose(test.p, extreme.mean(axis=0), rtol=1e-12)


def test_flips_that_tie_but_for_rounding_count_as_extreme():
    whole = np.random.default_rng(0).integers(-4, 9, size=(10, 40))
    exact = sign_flip_test(whole).p
    np.testing.assert_array_equal(sign_flip_test(whole * 0.1).p, exact)
    np.testing.assert_array_equal(sign_flip_test(whole / 3).p, exact)


def test_drawn_flips_are_near_the_exact_p_and_never_give_0(arms):
    local = (arms[0] - arms[1])[:12]
    exact = sign_flip_test(local, n_resamples=4096).p
    drawn = sign_flip_test(local, n_resamples=4095).p
    assert (drawn * 4096 == np.round(drawn * 4096)).all()  # (b + 1) / (m + 1)
    error = np.sqrt(exact * (1 - exact) / 4095)
    assert (np.abs(drawn - exact) < 4 * error + 1 / 4096).all()
    assert (drawn != exact).any()
    assert sign_flip_test(np.ones(100) + np.arange(100), n_resamples=99).p == 0.01


def test_drawn_flips_do_not_depend_on_the_other_conditions():
    local = np.random.default_rng(3).normal(0.1, size=(50, 9000))
    # More columns than are held together in one block of flips.
    whole = sign_flip_test(np.tile(local, 4), n_resamples=300).p
    np.testing.assert_array_equal(
        whole[[5, 35_999]], sign_flip_test(local[:, [5, 8999]], n_resamples=300).p
    )


def test_shuffles_of_a_template_are_tested_as_one(arms):
    local = arms[0] - arms[1]
    labels = np.repeat(np.arange(8), 5)
    means = local.reshape(8, 5, 4).mean(axis=1)
    t = paired_t_test(*arms, clusters=labels)
    np.testing.assert_allclose(t.p, stats.ttest_1samp(means, 0).pvalue)
    flip = sign_flip_test(*arms, clusters=labels)
    np.testing.assert_allclose(flip.p, sign_flip_test(means).p)
    assert t.n == flip.n == 40


@pytest.mark.parametrize("test", PAIRED)
def test_two_arms_are_their_difference(arms, test):
    both, one = test(*arms), test(arms[0] - arms[1])
    for value, other in zip(both, one, strict=True):
        np.testing.assert_array_equal(value, other)


@pytest.mark.parametrize("test", PAIRED)
def test_every_axis_but_the_first_is_kept(arms, test):
    local = (arms[0] - arms[1])[:, :, None] * np.array([1, 2, 3])
    result = test(torch.tensor(local))
    assert result.p.shape == result.significant.shape == (4, 3)
    assert result.p[2, 1] == pytest.approx(test(local[:, 2, 1]).p)
    assert test(np.zeros((5, 0))).p.shape == (0,)


@pytest.mark.parametrize("test", PAIRED)
@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("n", [4, 20, 60])
def test_no_effect_on_any_background_is_no_evidence(test, alternative, n):
    result = test(np.zeros((n, 2)), alternative=alternative)
    assert result.p.tolist() == [1, 1]
    assert result.statistic.tolist() == [0, 0]
    assert not result.significant.any()


@pytest.mark.parametrize("value", [0.1, -0.1])
def test_the_same_effect_on_every_background_leaves_no_doubt(value):
    local = np.full(20, value)
    test = paired_t_test(local)
    assert (test.p, test.statistic) == (0, np.copysign(np.inf, value))
    assert test.effect == value
    assert paired_t_test(local, alternative="greater").p == (value < 0)
    welch = welch_test(local, np.zeros(5))
    assert (welch.p, welch.statistic) == (0, np.copysign(np.inf, value))
    for alternative in ALTERNATIVES:
        assert welch_test(local, local[:3], alternative=alternative).p == 1


def test_one_group_of_welch_may_be_constant():
    a, b = np.array([1.0, 2.0, 4.0]), np.full(6, 0.7)
    assert welch_test(a, b).p == pytest.approx(stats.ttest_1samp(a, 0.7).pvalue)


@pytest.mark.parametrize("test", [*PAIRED, welch_test])
def test_a_p_of_exactly_alpha_is_not_significant(arms, test):
    a, b = arms[0][:, 0], arms[1][:, 0]
    p = float(test(a, b).p)
    assert not test(a, b, alpha=p).significant
    assert test(a, b, alpha=p * 1.001).significant


def test_significant_is_p_below_alpha():
    local = np.arange(1.0, 7.0)
    assert sign_flip_test(local).p == 1 / 32
    assert sign_flip_test(local).significant
    assert not sign_flip_test(local, alpha=1 / 32).significant
    assert not sign_flip_test(local, alpha=0.01).significant


def test_sign_flips_repeat_by_seed(arms):
    first, again, other = (
        sign_flip_test(*arms, random_state=seed).p.tolist() for seed in (1, 1, 2)
    )
    assert first == again != other


def test_a_search_over_thousands_of_conditions_is_quick():
    local = np.random.default_rng(0).normal(size=(1000, 4096))
    start = time.process_time()
    assert 0.03 < paired_t_test(local).significant.mean() < 0.07
    assert time.process_time() - start < 1  # 0.05 s on an idle core


def test_bad_input_is_named():
    ones = np.ones((4, 2))
    with pytest.raises(
        ValueError, match=r"`local` has shape \(4, 2\) and `other` \(4,"
    ):
        paired_t_test(ones, np.ones((4, 1)))
    with pytest.raises(ValueError, match="`other` holds 1 NaN of 2"):
        sign_flip_test([1.0, 2.0], [np.nan, 1.0])
    with pytest.raises(ValueError, match=r"`local` has shape \(1,\); at least 2"):
        wilcoxon_test([1.0])
    for test in PAIRED:
        with pytest.raises(ValueError, match="`alternative`='both' must be one of"):
            test(ones, alternative="both")
        with pytest.raises(ValueError, match="`alpha`=5 must be above 0 and below 1"):
            test(ones, alpha=5)
    with pytest.raises(ValueError, match="`n_resamples`=0 must be at least 1"):
        sign_flip_test(ones, n_resamples=0)
    with pytest.raises(ValueError, match=r"`a` has shape \(4, 2\) and `b` \(4, 3\)"):
        welch_test(ones, np.ones((4, 3)))


def test_signed_ranks_of_a_template_change_sign_together():
    x = np.array([3.0, 1.0, -2.0, 5.0, 4.0, 6.0])
    labels = ["a", "a", "b", "c", "c", "c"]
    # Signed ranks 3 + 1, -2 and 5 + 4 + 6: of the eight sums of +-4, +-2 and +-15 four
    # are at least as far from 0 as 17, both ways.
    test = wilcoxon_test(x, clusters=labels)
    assert test.p == pytest.approx(4 / 8)
    assert test.statistic == 2
    assert test.n == 6
    assert wilcoxon_test(x, clusters=labels, alternative="greater").p == pytest.approx(
        2 / 8
    )
    assert wilcoxon_test(x, clusters=range(6)).p == pytest.approx(wilcoxon_test(x).p)


def test_many_templates_are_normal_as_rosner_has_it():
    rng = np.random.default_rng(0)
    labels = np.repeat(range(30), rng.integers(1, 5, size=30))
    x = rng.normal(size=30)[labels] + rng.normal(size=len(labels)) + 0.3
    ranks = np.sign(x) * stats.rankdata(np.abs(x))
    sums = np.bincount(labels, ranks)
    z = sums.sum() / np.sqrt((sums**2).sum())
    test = wilcoxon_test(x, clusters=labels)
    assert test.p == pytest.approx(2 * stats.norm.sf(abs(z)))
    many = rng.normal(size=40) + 0.2
    alone = wilcoxon_test(many, clusters=range(40))
    assert alone.p == pytest.approx(stats.wilcoxon(many, method="exact").pvalue)


@pytest.mark.parametrize("templates", [10, 20])
def test_few_templates_are_found_different_at_the_level(templates):
    rng = np.random.default_rng(templates)
    labels = np.repeat(range(templates), 20)
    local = rng.normal(size=(templates, 3000))[labels]
    local += rng.normal(size=(len(labels), 3000))
    rates = [
        float((wilcoxon_test(local, clusters=known).p < 0.05).mean())
        for known in (labels, None)
    ]
    # The Monte Carlo error of 5 % is 0.4.
    assert rates[0] == pytest.approx(0.05, abs=0.012)
    assert rates[1] > 0.4
