"""The correlation against numpy's, and whether its interval holds the true one."""

import numpy as np
import pytest
import torch
from scipy import stats

from tangermeme_gia.statistics.associations import correlation


def draw(rng, n, rho, skewed=False):
    """Pairs with a correlation of `rho`, normal or with exponential parts."""
    parts = rng.exponential(size=(3, n)) if skewed else rng.standard_normal((3, n))
    share = np.sqrt(rho)
    return [share * parts[0] + np.sqrt(1 - rho) * parts[i] for i in (1, 2)]


def test_it_is_pearsons_for_every_condition():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 30, 3, 2))
    y += 0.5 * x
    interval = correlation(x, torch.from_numpy(y))
    assert interval.effect.shape == interval.low.shape == (3, 2)
    for i, j in np.ndindex(3, 2):
        expected = np.corrcoef(x[:, i, j], y[:, i, j])[0, 1]
        assert interval.effect[i, j] == pytest.approx(expected)
    assert (interval.low < interval.effect).all()
    assert (interval.effect < interval.high).all()
    assert interval.high.max() < 1
    assert interval.n == 30


@pytest.mark.parametrize("skewed", [False, True])
@pytest.mark.parametrize("rho", [0.0, 0.6])
@pytest.mark.parametrize("n", [10, 200])
def test_intervals_hold_the_true_correlation_as_often_as_they_say(n, rho, skewed):
    rng = np.random.default_rng(1)
    pairs = np.array([draw(rng, n, rho, skewed) for _ in range(4000)])
    interval = correlation(pairs[:, 0].T, pairs[:, 1].T)
    held = ((interval.low <= rho) & (rho <= interval.high)).mean()
    assert (0.92 if skewed else 0.94) < held < 0.96
    if n == 200:
        spread = interval.effect.std()
        assert interval.se.mean() == pytest.approx(spread, rel=0.1)


def test_the_error_is_that_of_a_jackknife_written_out():
    rng = np.random.default_rng(3)
    x, y = draw(rng, 12, 0.5)
    templates = np.repeat([2, 0, 1, 3], [3, 2, 4, 3])
    for clusters in (None, templates):
        units = np.arange(12) if clusters is None else clusters
        z = np.array(
            [
                np.arctanh(np.corrcoef(x[units != u], y[units != u])[0, 1])
                for u in np.unique(units)
            ]
        )
        se = np.sqrt((len(z) - 1) * z.var())
        interval = correlation(x, y, clusters=clusters)
        half = (np.arctanh(interval.high) - np.arctanh(interval.low)) / 2
        assert half == pytest.approx(stats.t.ppf(0.975, len(z) - 1) * se)
        assert interval.se == pytest.approx(se * (1 - interval.effect**2))


def test_what_hangs_on_one_background_has_no_bounds():
    x = np.array([0.0, 0.0, 0.0, 0.0, 0.0, 3.0])
    interval = correlation(x, np.arange(6.0))
    assert interval.low == -1
    assert interval.high == 1


def test_copies_of_one_template_do_not_narrow_it():
    rng = np.random.default_rng(2)
    x, y = draw(rng, 40, 0.5)
    alone = correlation(x, y)
    copied = correlation(np.repeat(x, 9), np.repeat(y, 9))
    templates = np.repeat(np.arange(40), 9)
    clustered = correlation(np.repeat(x, 9), np.repeat(y, 9), clusters=templates)
    assert clustered.effect == pytest.approx(alone.effect)
    assert copied.se < 0.5 * clustered.se
    assert clustered.se == pytest.approx(alone.se)


def test_a_line_is_certain_and_a_constant_has_none():
    x = np.arange(9.0)
    for sign in (-1, 1):
        interval = correlation(x, 3 + sign * 0.1 * x)
        ends = [float(v) for v in (interval.effect, interval.low, interval.high)]
        assert ends == pytest.approx([sign] * 3)
    constant = correlation(x, np.full(9, 0.1))
    assert np.isnan([constant.effect, constant.se, constant.low, constant.high]).all()


@pytest.mark.parametrize(
    ("x", "y", "options", "error", "message"),
    [
        ([1, 2, 3], [1, 2, 3], {}, ValueError, "`local` has 3 backgrounds; at lea"),
        ([1] * 5, [1] * 4, {}, ValueError, r"`local` has shape \(5,\) and `x` \(4"),
        ([1, 2, 3, np.nan], [1] * 4, {}, ValueError, "`local` holds 1 NaN"),
        (["a"] * 4, [1] * 4, {}, TypeError, "`local` must be numbers"),
        ([1] * 4, [1] * 4, {"confidence": 1}, ValueError, "`confidence`=1 must be"),
    ],
)
def test_what_has_no_correlation_is_refused(x, y, options, error, message):
    with pytest.raises(error, match=message):
        correlation(x, y, **options)
