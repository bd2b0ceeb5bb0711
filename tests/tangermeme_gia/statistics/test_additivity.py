import numpy as np
import pytest
import torch
from scipy import stats

from tangermeme_gia.statistics.additivity import additivity_fit
from tangermeme_gia.statistics.intervals import confidence_interval
from tangermeme_gia.statistics.significance import paired_t_test


@pytest.fixture
def local() -> np.ndarray:
    """Sites that add about 0.5, 0.5, 0.3 and 0.1 to 50 backgrounds."""
    rng = np.random.default_rng(0)
    return np.cumsum(rng.normal([0.5, 0.5, 0.3, 0.1], 0.2, size=(50, 4)), axis=1)


def test_both_lines_equal_scipys(local):
    fits = additivity_fit(local, [1, 2, 3, 4]).fits
    assert fits["include_zero"].tolist() == [False, True]
    assert fits["n_points"].tolist() == [4, 5]
    effect = local.mean(axis=0)
    for row, x, y in (
        (fits.iloc[0], [1, 2, 3, 4], effect),
        (fits.iloc[1], [0, 1, 2, 3, 4], [0, *effect]),
    ):
        line = stats.linregress(x, y)
        assert row["slope"] == pytest.approx(line.slope)
        assert row["intercept"] == pytest.approx(line.intercept)
        assert row["r2"] == pytest.approx(line.rvalue**2)


@pytest.mark.parametrize("include_zero", [False, True])
def test_the_headline_is_the_fit_that_was_asked_for(local, include_zero):
    fit = additivity_fit(local, [1, 2, 3, 4], include_zero=include_zero)
    row = fit.fits.set_index("include_zero").loc[include_zero]
    assert fit.include_zero == include_zero
    assert fit.r2 == row["r2"]
    assert fit.slope.effect == row["slope"]
    assert (fit.slope.low, fit.slope.high) == (row["slope_low"], row["slope_high"])
    assert fit.intercept.effect == row["intercept"]
    assert fit.intercept.low == row["intercept_low"]


def test_intervals_are_those_of_a_line_for_each_background(local):
    labels = np.repeat(range(10), 5)
    fit = additivity_fit(local, [1, 2, 3, 4], confidence=0.9, clusters=labels)
    slopes, intercepts = np.polyfit([1, 2, 3, 4], local.T, deg=1)
    for interval, each in ((fit.slope, slopes), (fit.intercept, intercepts)):
        expected = confidence_interval(each, 0.9, clusters=labels)
        np.testing.assert_allclose(interval, expected)


def test_points_have_increments_and_deviations_of_each_background(local):
    points = additivity_fit(torch.tensor(local), [1, 2, 4, 6]).points
    assert points["n_sites"].tolist() == [1, 2, 4, 6]
    interval = confidence_interval(local)
    for column in ("effect", "se", "low", "high"):
        np.testing.assert_allclose(points[column], getattr(interval, column))
    gains = np.diff(local, axis=1, prepend=0) / [1, 1, 2, 2]
    increment = confidence_interval(gains)
    np.testing.assert_allclose(points["increment"], increment.effect)
    np.testing.assert_allclose(points["increment_low"], increment.low)
    np.testing.assert_allclose(points["increment_high"], increment.high)
    deviation = local - local[:, :1] * [1, 2, 4, 6]
    expected = confidence_interval(deviation)
    assert points.loc[0, "deviation":].isna().all()
    np.testing.assert_allclose(points["deviation"][1:], expected.effect[1:])
    np.testing.assert_allclose(points["deviation_low"][1:], expected.low[1:])
    np.testing.assert_allclose(points["deviation_high"][1:], expected.high[1:])
    p = stats.ttest_1samp(deviation[:, 1:], 0).pvalue
    np.testing.assert_allclose(points["deviation_p"][1:], p)
    np.testing.assert_allclose(
        points["additive"] + points["deviation"].fillna(0), points["effect"]
    )


def test_points_have_the_confidence_and_templates_of_the_fit(local):
    labels = np.repeat(range(10), 5)
    points = additivity_fit(local, [1, 2, 3, 4], confidence=0.9, clusters=labels).points
    expected = confidence_interval(local, 0.9, clusters=labels)
    np.testing.assert_allclose(points[["low", "high"]].T, expected[2:4])
    deviation = local - local[:, :1] * [1, 2, 3, 4]
    p = paired_t_test(deviation[:, 1:], clusters=labels).p
    np.testing.assert_allclose(points["deviation_p"][1:], p)


def test_single_sites_replace_multiples_of_the_first(local):
    rng = np.random.default_rng(1)
    singles = rng.normal([0.2, 0.9, 0.4, 0.5], 0.1, size=(50, 4))
    # Additive, though the sites differ: only the single sites can tell.
    additive = np.cumsum(singles, axis=1)[:, [0, 1, 3]]
    points = additivity_fit(additive, [1, 2, 4], single_sites=singles).points
    np.testing.assert_allclose(points["deviation"], 0, atol=1e-12)
    np.testing.assert_allclose(points["additive"], points["effect"])
    multiples = additivity_fit(additive, [1, 2, 4]).points
    assert (multiples["deviation"][1:] > 0.5).all()
    shifted = additivity_fit(additive + 0.3, [1, 2, 4], single_sites=singles).points
    np.testing.assert_allclose(shifted["deviation_low"], 0.3)


def test_the_first_arm_may_have_several_sites():
    effect = np.linspace(1, 2, 30)[:, None]
    points = additivity_fit(effect * [2, 3, 6], [2, 3, 6]).points
    np.testing.assert_allclose(points["additive"], [3, 4.5, 9])
    np.testing.assert_allclose(points["increment"], 1.5)


def test_additive_sites_have_a_slope_and_nothing_else():
    effect = np.linspace(1, 2, 30)[:, None]
    fit = additivity_fit(effect * [1, 2, 3], [1, 2, 3], include_zero=True)
    assert fit.slope.effect == pytest.approx(1.5)
    assert fit.intercept.effect == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(fit.fits["r2"], 1)
    np.testing.assert_allclose(fit.points["increment"], 1.5)
    assert fit.points["deviation"].tolist()[1:] == [0, 0]
    assert fit.points["deviation_p"].tolist()[1:] == [1, 1]


def test_the_zero_point_raises_r2_where_sites_saturate():
    saturated = np.tile([1.0, 1.3, 1.2], (5, 1))
    fits = additivity_fit(saturated, [1, 2, 3]).fits
    # Squared covariance over both variances, by hand.
    assert fits["r2"][0] == pytest.approx(0.2**2 / (2 * 0.14 / 3))
    assert fits["r2"][1] == pytest.approx(1.95**2 / (5 * 1.0675))


def test_r2_is_missing_where_it_says_nothing(local):
    two = additivity_fit(local[:, :2], [1, 2])
    assert np.isnan(two.r2)  # any two points lie on a line
    assert two.fits["r2"].notna().tolist() == [False, True]
    assert np.isnan(additivity_fit(np.zeros((5, 3)), [1, 2, 3]).r2)
    assert additivity_fit(np.zeros((5, 3)), [1, 2, 3]).fits["r2"].isna().all()


def test_bad_input_is_named(local):
    with pytest.raises(ValueError, match=r"`local` has shape \(50, 4, 1\); it must be"):
        additivity_fit(local[:, :, None], [1, 2, 3, 4])
    with pytest.raises(
        ValueError, match=r"`n_sites` has shape \(3,\) and `local` 4 ar"
    ):
        additivity_fit(local, [1, 2, 3])
    with pytest.raises(ValueError, match="at least 2 arms is needed"):
        additivity_fit(local[:, :1], [1])
    for wrong in ([0, 1, 2, 3], [1, 2, 2, 3], [4, 3, 2, 1], [1, 2, 2.5, 3]):
        with pytest.raises(ValueError, match="must be whole numbers that increase"):
            additivity_fit(local, wrong)
    with pytest.raises(
        ValueError, match=r"has shape \(50, 4\); an arm of 5 sites on 50"
    ):
        additivity_fit(local, [1, 2, 3, 5], single_sites=local)
    with pytest.raises(ValueError, match="`single_sites` holds 200 NaN of 200"):
        additivity_fit(local, [1, 2, 3, 4], single_sites=local * np.nan)
    with pytest.raises(ValueError, match="`confidence`=95 must be"):
        additivity_fit(local, [1, 2, 3, 4], confidence=95)
