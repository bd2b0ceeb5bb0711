import numpy as np
import pytest
import torch
from scipy import stats

from tangermeme_gia._core.agreement import FewEffectsWarning
from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.statistics.planning import backgrounds_needed


def narrow_enough(local, n, half_width, confidence, assurance):
    """How likely is an interval of n normal numbers so narrow, after this pilot?

    Its s^2 over that of the pilot follows F, whose degrees of freedom are fewer by the
    kurtosis of the pilot.
    """
    df = len(local) - 1
    kurtosis = max(0.0, float(stats.kurtosis(local, bias=False)))
    spread = 1 + kurtosis / 2
    t = stats.t.ppf((1 + confidence) / 2, n - 1)
    largest = half_width**2 * n / (t * local.std(ddof=1)) ** 2
    return stats.f.cdf(largest, (n - 1) / spread, df / spread) >= assurance


@pytest.mark.parametrize("assurance", [0.5, 0.9])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("asked", [3.0, 1.0, 0.3, 0.01])
def test_the_number_is_the_smallest_that_is_narrow_enough(asked, confidence, assurance):
    local = np.random.default_rng(0).normal(size=(30, 9)) * np.linspace(0.1, 3, 9)
    n = backgrounds_needed(local, asked, confidence, assurance=assurance)
    for each, column in zip(n, local.T, strict=True):
        options = (asked, confidence, assurance)
        assert narrow_enough(column, each, *options)
        assert each == 2 or not narrow_enough(column, each - 1, *options)
    assert n.max() > 2 or asked == 3


@pytest.mark.parametrize("power", [0.5, 0.9])
@pytest.mark.parametrize("assurance", [0.5, 0.9])
@pytest.mark.parametrize("effect", [2.0, 0.5, 0.05])
def test_the_power_is_that_of_a_t_test_at_the_upper_bound(effect, assurance, power):
    # Two values have the smallest kurtosis there is: what is known of their standard
    # deviation is taken to be what is known of normal numbers'.
    local = np.tile([-1.0, 1.0], 15)
    n = int(backgrounds_needed(local, effect=effect, power=power, assurance=assurance))
    sd = local.std(ddof=1) * np.sqrt(29 / stats.chi2.ppf(1 - assurance, 29))

    def power_of(n):
        t = stats.t.ppf(0.975, n - 1)
        shift = effect / sd * np.sqrt(n)
        return stats.nct.sf(t, n - 1, shift)

    assert power_of(n) >= power
    assert power_of(n - 1) < power


def test_a_scan_is_planned_by_its_moments():
    local = np.tile([-1.0, 1.0], 15)
    se = torch.tensor([[local.std(ddof=1) / np.sqrt(30)]])
    scan = KmerScan(["GA"], torch.zeros(1, 1), se.double(), 30)
    for options in ({"half_width": 0.1}, {"effect": 0.2, "assurance": 0.7}):
        found = backgrounds_needed(scan, **options)
        assert found == [backgrounds_needed(local, **options)]


@pytest.mark.parametrize("assurance", [0.6, 0.9])
def test_normal_experiments_do_as_often_what_was_asked(assurance):
    rng = np.random.default_rng(1)
    pilots = rng.normal(size=(25, 3000))
    n = backgrounds_needed(pilots, 0.25, assurance=assurance)
    sd = np.sqrt(rng.chisquare(n - 1) / (n - 1))
    narrow = stats.t.ppf(0.975, n - 1) * sd / np.sqrt(n) <= 0.25
    assert assurance - 0.03 < narrow.mean() < assurance + 0.06
    n = backgrounds_needed(pilots, effect=0.4, assurance=assurance)
    sharp = stats.nct.sf(stats.t.ppf(0.975, n - 1), n - 1, 0.4 * np.sqrt(n)) >= 0.9
    assert assurance - 0.03 < sharp.mean() < assurance + 0.06


def test_each_condition_may_have_its_own_half_width():
    local = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]])
    n = backgrounds_needed(local, [0.1, 0.2])
    assert n.dtype == np.int64
    assert n[0] == n[1] == backgrounds_needed(local[:, 0], 0.1)


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_a_pilot_without_spread_is_refused(value):
    # 1 - 0.05 ** (1 / 30) = 0.095
    with pytest.raises(ValueError, match=r"`local` is a pilot whose 30 .* 9\.5 %"):
        backgrounds_needed(np.full(30, value), 0.1)
    local = np.random.default_rng(0).normal(size=(30, 3))
    local[:, 1] = value
    with pytest.raises(ValueError, match="in 1 of 3 conditions, the first number 1:"):
        backgrounds_needed(local, effect=0.1)
    scan = KmerScan(["GA"], torch.zeros(1, 1), torch.zeros(1, 1), 30)
    with pytest.raises(ValueError, match="`local` is a pilot whose 30 backgrounds all"):
        backgrounds_needed(scan, 0.1)


def test_a_pilot_that_shows_nearly_nothing_comes_with_a_warning():
    local = np.zeros(30)
    local[:2] = 1.0, 2.0
    with pytest.warns(FewEffectsWarning, match="Most of 30 .* few, 2, do not"):
        n = backgrounds_needed(local, 0.1)
    assert n > 30


def test_bad_input_is_named():
    with pytest.raises(ValueError, match="`half_width`=0 must be above 0"):
        backgrounds_needed([1.0, 2.0], 0)
    with pytest.raises(ValueError, match=r"`half_width`=\[1.0, nan\] must be above 0"):
        backgrounds_needed([[1.0, 1.0], [2.0, 2.0]], [1.0, float("nan")])
    with pytest.raises(
        ValueError, match=r"`half_width` has shape \(3,\) and each .* \(2,\); give one"
    ):
        backgrounds_needed([[1.0, 1.0], [2.0, 2.0]], [0.1, 0.2, 0.3])
    with pytest.raises(TypeError, match="`half_width` must be numbers in one array"):
        backgrounds_needed([1.0, 2.0], "narrow")
    with pytest.raises(ValueError, match=r"more than 1e12 .* deviation is 0.707"):
        backgrounds_needed([1.0, 2.0], 1e-12)
    for options in ({}, {"half_width": 1, "effect": 1}):
        with pytest.raises(ValueError, match="one of `half_width` and `effect` is nee"):
            backgrounds_needed([1.0, 2.0], **options)
    with pytest.raises(ValueError, match="`effect`=-1 must be above 0"):
        backgrounds_needed([1.0, 2.0], effect=-1)
    for name in ("alpha", "power", "assurance"):
        with pytest.raises(ValueError, match=f"`{name}`=1.0 must be above 0 and below"):
            backgrounds_needed([1.0, 2.0], 1, **{name: 1.0})
    with pytest.raises(ValueError, match=r"`confidence`=1\.5 must be"):
        backgrounds_needed([1.0, 2.0], 0.1, 1.5)
    with pytest.raises(ValueError, match=r"`local` has shape \(1,\)"):
        backgrounds_needed([1.0], 0.1)


def test_templates_are_counted_where_backgrounds_share_them():
    # Of equal size: as many as of their means.
    rng = np.random.default_rng(0)
    means = rng.normal(size=12)
    local = np.repeat(means, 5) + np.tile([-2.0, -1, 0, 1, 2], 12)
    labels = np.repeat(range(12), 5)
    needed = backgrounds_needed(local, 0.2, clusters=labels)
    assert needed == backgrounds_needed(means, 0.2)
    assert needed > 12
    alone = backgrounds_needed(local, 0.2, clusters=range(60))
    assert alone == backgrounds_needed(local, 0.2)
