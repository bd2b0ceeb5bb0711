import numpy as np
import pytest
import torch
from scipy import optimize, stats

from tangermeme_gia.statistics.effects import (
    effect_difference,
    effect_ratio,
    interaction_contrast,
    standardised_effect,
)
from tangermeme_gia.statistics.intervals import confidence_interval
from tangermeme_gia.statistics.significance import paired_t_test


@pytest.fixture
def arms() -> np.ndarray:
    """Three arms on 30 backgrounds for four conditions."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(30, 4)) + rng.normal(2.0, 0.7, size=(3, 30, 4))


@pytest.fixture
def templates() -> np.ndarray:
    return np.repeat(np.arange(10), 3)


def assert_equal_intervals(one, other):
    for value, expected in zip(one, other, strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-10)


def test_a_difference_is_taken_on_each_background(arms):
    a, b, _ = arms
    expected = stats.ttest_rel(a, b).confidence_interval(0.9)
    interval = effect_difference(torch.tensor(a), b, 0.9)
    np.testing.assert_allclose(interval.low, expected.low)
    np.testing.assert_allclose(interval.high, expected.high)


def test_a_difference_passes_its_options_on(arms, templates):
    a, b, _ = arms
    options = {"method": "bca", "clusters": templates, "n_resamples": 99}
    assert_equal_intervals(
        effect_difference(a, b, random_state=4, **options),
        confidence_interval(a - b, random_state=4, **options),
    )


def test_the_bounds_of_a_ratio_are_where_its_test_turns(arms):
    # Fieller's interval holds the ratios r that a paired t-test of a - r b = 0 at
    # 5 % does not reject.
    a, b, _ = arms[:, :, 0]
    interval = effect_ratio(a, b)
    assert interval.effect == pytest.approx(a.mean() / b.mean())

    def excess(r: float) -> float:
        return float(paired_t_test(a - r * b).p) - 0.05

    low = optimize.brentq(excess, interval.effect - 1, interval.effect)
    high = optimize.brentq(excess, interval.effect, interval.effect + 1)
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))


def test_the_ratio_of_clustered_arms_turns_with_the_clustered_test(arms, templates):
    a, b, _ = arms
    interval = effect_ratio(a, b, clusters=templates)
    for bound in (interval.low, interval.high):
        p = paired_t_test(a - bound * b, clusters=templates).p
        np.testing.assert_allclose(p, 0.05, rtol=1e-8)


def test_the_error_of_a_ratio_is_that_of_the_delta_method(arms):
    a, b, _ = arms
    covariance = [np.cov(a[:, i], b[:, i]) / 30 for i in range(4)]
    means, ratio = (a.mean(axis=0), b.mean(axis=0)), a.mean(axis=0) / b.mean(axis=0)
    expected = [
        np.sqrt(v[0, 0] - 2 * r * v[0, 1] + r**2 * v[1, 1]) / mean
        for v, r, mean in zip(covariance, ratio, means[1], strict=True)
    ]
    np.testing.assert_allclose(effect_ratio(a, b).se, expected)


def test_a_ratio_to_a_constant_is_a_scaled_interval(arms):
    interval = effect_ratio(arms[0], np.full((30, 4), -0.1))
    scaled = confidence_interval(arms[0] / -0.1)
    assert_equal_intervals(interval, scaled)


@pytest.mark.parametrize("noise", [1e-3, 1e-7, 1e-9])
def test_a_ratio_of_effects_that_hardly_vary_keeps_its_digits(noise):
    rng = np.random.default_rng(0)
    a, b = 3 + noise * rng.normal(size=50), 1 + noise * rng.normal(size=50)
    interval = effect_ratio(a, b)
    # With errors this small, Fieller's interval is that of the delta method.
    rest = confidence_interval(a - interval.effect * b)
    assert interval.high - interval.effect == pytest.approx(rest.high, rel=1e-3)
    assert interval.low - interval.effect == pytest.approx(rest.low, rel=1e-3)


def test_a_ratio_to_an_effect_that_may_be_0_is_unbounded():
    rng = np.random.default_rng(0)
    a, b = rng.normal(2, size=50), rng.normal(size=50)
    assert abs(stats.ttest_1samp(b, 0).statistic) < 2
    interval = effect_ratio(a, b)
    assert (interval.low, interval.high) == (-np.inf, np.inf)
    assert interval.effect == pytest.approx(a.mean() / b.mean())
    nothing = effect_ratio(a, np.zeros(50))
    assert np.isnan([nothing.effect, nothing.se]).all()
    assert (nothing.low, nothing.high) == (-np.inf, np.inf)


def test_arms_in_proportion_have_a_ratio_without_error(arms):
    interval = effect_ratio(3 * arms[0], arms[0])
    np.testing.assert_allclose(
        interval[:4], [[3] * 4, [0] * 4, [3] * 4, [3] * 4], atol=1e-13
    )


def test_the_standardised_effect_is_the_mean_over_the_standard_deviation(arms):
    a, b, _ = arms
    difference = a - b
    interval = standardised_effect(a, b)
    dz = difference.mean(axis=0) / difference.std(axis=0, ddof=1)
    np.testing.assert_allclose(interval.effect, dz)
    assert_equal_intervals(interval, standardised_effect(difference))
    # Scale-free, and odd.
    assert_equal_intervals(interval, standardised_effect(1e-5 * difference))
    np.testing.assert_allclose(standardised_effect(b, a).low, -interval.high)


def test_the_error_of_a_standardised_effect_is_that_of_normal_theory():
    # For normal data the variance of dz is (1 + dz^2 / 2) / n to first order.
    n = 200_000
    local = stats.norm.ppf((np.arange(n) + 0.5) / n) + 1.5
    expected = np.sqrt((1 + 1.5**2 / 2) / n)
    assert standardised_effect(local).se == pytest.approx(expected, rel=1e-3)


def test_the_error_of_a_standardised_effect_is_near_the_jackknife_of_skewed_data():
    n = 400
    local = np.random.default_rng(1).gamma(3, size=n) - 6
    left_out = np.tile(local, (n, 1))[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    values = left_out.mean(axis=1) / left_out.std(axis=1, ddof=1)
    jackknife = np.sqrt((n - 1) * values.var())
    se = standardised_effect(local).se
    assert se == pytest.approx(jackknife, rel=0.05)
    # Normal theory is far from it.
    assert np.sqrt((1 + values.mean() ** 2 / 2) / n) < 0.8 * se


def test_a_clustered_standardised_effect_has_the_error_of_its_templates():
    local = np.random.default_rng(1).normal(0.5, size=300)
    plain = standardised_effect(local)
    repeated = standardised_effect(
        np.repeat(local, 4), clusters=np.repeat(range(300), 4)
    )
    assert repeated.se == pytest.approx(plain.se, rel=0.01)
    # As many degrees of freedom as templates of equal size, less one.
    few = standardised_effect(local, clusters=np.repeat(range(10), 30))
    assert few.high - few.effect == pytest.approx(stats.t.ppf(0.975, 9) * few.se)


def test_a_standardised_effect_without_variation_is_0_or_infinite():
    interval = standardised_effect(np.tile([0.0, 0.1, -0.1], (5, 1)))
    expected = [0, np.inf, -np.inf]
    assert interval.effect.tolist() == interval.low.tolist() == expected
    assert interval.high.tolist() == expected
    assert interval.se.tolist() == [0, 0, 0]


def test_an_interaction_is_what_is_left_of_both_together(arms, templates):
    a, b, extra = arms
    interaction = interaction_contrast(a + b + extra, a, b, 0.9, clusters=templates)
    np.testing.assert_allclose(interaction.local, extra)
    assert_equal_intervals(
        interaction.interval, confidence_interval(extra, 0.9, clusters=templates)
    )
    test = paired_t_test(extra, clusters=templates)
    np.testing.assert_allclose(interaction.test.p, test.p)
    assert interaction.test.significant.all()


def test_an_interaction_passes_its_options_on(arms, templates):
    a, b, extra = arms
    options = {"method": "bca", "clusters": templates, "n_resamples": 99}
    test = interaction_contrast(
        a + b + extra, a, b, 0.9, random_state=4, alpha=1e-12, **options
    )
    expected = confidence_interval(test.local, 0.9, random_state=4, **options)
    assert_equal_intervals(test.interval, expected)
    assert (test.test.p > 1e-12).all()
    assert not test.test.significant.any()


def test_additive_patterns_do_not_interact():
    rng = np.random.default_rng(0)
    # Numbers that sums of floats hold exactly.
    a, b = rng.integers(-50, 50, size=(2, 30)) / 8
    interaction = interaction_contrast(a + b, a, b)
    assert (interaction.local == 0).all()
    assert interaction.test.p == 1
    assert interaction.interval[:4] == (0, 0, 0, 0)


def test_bad_input_is_named(arms):
    a, b, _ = arms
    with pytest.raises(ValueError, match=r"`a` has shape \(30, 4\) and `b` \(30, 3\)"):
        effect_difference(a, b[:, :3])
    with pytest.raises(ValueError, match="`denominator` holds 30 NaN of 120"):
        effect_ratio(a, np.where(np.arange(4) == 1, np.nan, b))
    with pytest.raises(ValueError, match="`confidence`=2 must be"):
        effect_ratio(a, b, 2)
    with pytest.raises(ValueError, match="`confidence`=0 must be"):
        standardised_effect(a, confidence=0)
    with pytest.raises(ValueError, match=r"`ab` has shape \(30, 4\) and `b` \(29, 4\)"):
        interaction_contrast(a, a, b[1:])
