import time

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from tangermeme_gia.statistics.intervals import confidence_interval

METHODS = ("t", "bca", "bootstrap-t")


@pytest.fixture
def local() -> np.ndarray:
    return np.random.default_rng(0).lognormal(size=(60, 3))


@pytest.fixture
def templates() -> np.ndarray:
    """Labels of 15 templates of 1 to 7 shuffles each."""
    return np.repeat(np.arange(15), np.resize([1, 7, 2, 6, 4], 15))


def test_errors_and_t_intervals_equal_scipy(local):
    interval = confidence_interval(local, 0.9)
    expected = stats.ttest_1samp(local, 0).confidence_interval(0.9)
    np.testing.assert_allclose(interval.effect, local.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(interval.se, stats.sem(local), rtol=1e-12)
    np.testing.assert_allclose(interval.low, expected.low, rtol=1e-10)
    np.testing.assert_allclose(interval.high, expected.high, rtol=1e-10)
    assert interval.n == 60


def test_bca_equals_scipy_on_the_same_resamples(local):
    # One generator draws the same indices for scipy and for the counts.
    interval = confidence_interval(local, method="bca", random_state=5)
    for column in range(3):
        expected = stats.bootstrap(
            (local[:, column],),
            np.mean,
            method="BCa",
            random_state=np.random.default_rng(np.random.SeedSequence(5)),
        ).confidence_interval
        assert interval.low[column] == pytest.approx(expected.low, rel=1e-10)
        assert interval.high[column] == pytest.approx(expected.high, rel=1e-10)


@pytest.mark.parametrize("clustered", [False, True])
def test_bootstrap_t_equals_a_loop_over_resampled_rows(local, templates, clustered):
    labels = templates if clustered else np.arange(60)
    x = local[:, 0]
    sums = np.bincount(labels, weights=x)
    size = np.bincount(labels)
    groups = len(size)

    def mean_and_error(drawn):
        n = size[drawn].sum()
        mean = sums[drawn].sum() / n
        square = ((sums[drawn] - mean * size[drawn]) ** 2).sum()
        return mean, np.sqrt(square * groups / (groups - 1)) / n

    mean, error = mean_and_error(np.arange(groups))
    rng = np.random.default_rng(np.random.SeedSequence(3))
    draws = rng.integers(groups, size=(199, groups))
    t = np.sort([(m - mean) / se for m, se in map(mean_and_error, draws)])
    interval = confidence_interval(
        x,
        method="bootstrap-t",
        clusters=templates if clustered else None,
        n_resamples=199,
        random_state=3,
    )
    # The 5th from either end of 199 has 2.5 % beyond it.
    assert interval.low == pytest.approx(mean - t[194] * error, rel=1e-9)
    assert interval.high == pytest.approx(mean - t[4] * error, rel=1e-9)


def test_equal_templates_give_the_error_and_interval_of_template_means(local):
    labels = np.repeat(["a", "b", "c", "d", "e", "f"], 10)
    means = local.reshape(6, 10, 3).mean(axis=1)
    np.testing.assert_allclose(
        confidence_interval(local, clusters=labels).se, stats.sem(means)
    )
    interval = confidence_interval(local, clusters=labels)
    expected = stats.ttest_1samp(means, 0).confidence_interval()
    np.testing.assert_allclose(interval.low, expected.low)
    np.testing.assert_allclose(interval.high, expected.high)


def test_the_clustered_bca_of_equal_templates_is_that_of_their_means(local):
    labels = np.repeat(np.arange(6), 10)
    means = local.reshape(6, 10, 3).mean(axis=1)
    clustered = confidence_interval(local, method="bca", clusters=labels)
    plain = confidence_interval(means, method="bca")
    np.testing.assert_allclose(clustered.low, plain.low)
    np.testing.assert_allclose(clustered.high, plain.high)


def test_the_clustered_bca_of_unequal_templates_equals_a_loop(local, templates):
    x = local[:, 0]
    groups = [x[templates == label] for label in range(15)]

    def mean_of(drawn):
        return np.concatenate([groups[i] for i in drawn]).mean()

    rng = np.random.default_rng(np.random.SeedSequence(3))
    means = [mean_of(drawn) for drawn in rng.integers(15, size=(999, 15))]
    left_out = np.array([mean_of(np.delete(np.arange(15), i)) for i in range(15)])
    influence = left_out.mean() - left_out
    skew = (influence**3).sum() / (6 * (influence**2).sum() ** 1.5)
    bias = stats.norm.ppf(np.mean(means < x.mean()))
    z = bias + stats.norm.ppf([0.025, 0.975])
    expected = np.quantile(means, stats.norm.cdf(bias + z / (1 - skew * z)))
    interval = confidence_interval(
        x, method="bca", clusters=templates, n_resamples=999, random_state=3
    )
    np.testing.assert_allclose([interval.low, interval.high], expected)


def test_unequal_templates_give_bell_and_mccaffreys_error(local, templates):
    # The definition with its n x n matrices, for a design of one constant column.
    n = len(templates)
    annihilate = np.eye(n) - 1 / n
    residual = annihilate @ local[:, 0]
    variance, forms = 0.0, []
    for label in np.unique(templates):
        rows = np.flatnonzero(templates == label)
        values, vectors = np.linalg.eigh(annihilate[np.ix_(rows, rows)])
        root = (vectors / np.sqrt(values)) @ vectors.T
        variance += (root @ residual[rows]).sum() ** 2 / n**2
        forms.append(root.sum(axis=0) @ annihilate[rows] / n)
    eigenvalues = np.linalg.eigvalsh(np.array(forms) @ np.array(forms).T)
    df = eigenvalues.sum() ** 2 / (eigenvalues**2).sum()
    interval = confidence_interval(local[:, 0], clusters=templates)
    assert interval.se == pytest.approx(np.sqrt(variance))
    margin = stats.t.ppf(0.975, df) * np.sqrt(variance)
    assert interval.high - interval.effect == pytest.approx(margin)
    assert 8 < df < 14  # unequal sizes cost degrees of freedom


@pytest.mark.parametrize("method", METHODS)
def test_every_background_its_own_template_changes_nothing(local, method):
    alone = confidence_interval(local, method=method, clusters=range(60))
    for one, other in zip(
        confidence_interval(local, method=method), alone, strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-10)


def test_labels_of_templates_may_be_of_any_kind_and_order(local, templates):
    expected = confidence_interval(local, clusters=templates).se
    order = np.random.default_rng(1).permutation(60)
    for labels in (
        [f"t{label}" for label in templates],
        torch.tensor(templates),
        pd.Series(templates, index=range(100, 160)),
        14 - templates,
    ):
        interval = confidence_interval(local, clusters=labels)
        np.testing.assert_allclose(interval.se, expected)
    shuffled = confidence_interval(local[order], clusters=templates[order])
    np.testing.assert_allclose(shuffled.se, expected)


@pytest.mark.parametrize("method", METHODS)
def test_conditions_do_not_influence_each_other(method):
    # 900 columns are more than one block of resamples.
    local = np.random.default_rng(2).normal(size=(20, 450, 2))
    whole = confidence_interval(local, method=method)
    assert whole.low.shape == whole.high.shape == whole.se.shape == (450, 2)
    one = confidence_interval(local[:, 440, 1], method=method)
    for bound, alone in zip(whole[:4], one[:4], strict=True):
        assert bound[440, 1] == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("clusters", [None, [0, 0, 1, 1, 2, 2, 2]])
@pytest.mark.parametrize("value", [0.0, 0.1, -1 / 3])
def test_backgrounds_that_agree_give_an_interval_of_one_value(method, clusters, value):
    local = np.full((7, 2), value)
    interval = confidence_interval(local, method=method, clusters=clusters)
    assert interval.se.tolist() == [0, 0]
    for bound in (interval.effect, interval.low, interval.high):
        assert bound.tolist() == [value, value]


def test_ties_do_not_shift_the_bca_interval():
    # Two values in equal numbers are symmetric: rounding errors of resampled means
    # that equal the mean must not count on one side.
    interval = confidence_interval(np.resize([0.1, 0.3], 50), method="bca")
    assert interval.low + interval.high == pytest.approx(0.4, abs=1e-3)


def test_two_backgrounds_are_enough_for_an_interval():
    t, bca, bootstrap_t = (
        confidence_interval([0.0, 1.0], method=method) for method in METHODS
    )
    assert t.high - t.effect == pytest.approx(stats.t.ppf(0.975, 1) / 2)
    assert (bca.low, bca.high) == (0, 1)
    assert (bootstrap_t.low, bootstrap_t.high) == (-np.inf, np.inf)


def test_resamples_of_one_background_have_no_error_however_sums_are_rounded():
    # One in nine resamples of three backgrounds holds one of them only.
    for values in np.random.default_rng(0).normal(size=(50, 3)) * 1e3:
        interval = confidence_interval(values, method="bootstrap-t")
        assert (interval.low, interval.high) == (-np.inf, np.inf)


@pytest.mark.parametrize("method", METHODS[1:])
def test_bootstraps_repeat_by_seed_and_leave_global_random_state_alone(local, method):
    np.random.seed(5)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other, fresh = (
        confidence_interval(local, method=method, random_state=seed).low.tolist()
        for seed in (1, 1, 2, None)
    )
    assert first == again
    assert first != other != fresh
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int8])
def test_torch_in_numpy_out(dtype):
    local = torch.tensor([[1, 4], [2, 5], [4, 9]], dtype=dtype)
    before = local.clone()
    interval = confidence_interval(local)
    assert interval.low.dtype == np.float64
    np.testing.assert_allclose(interval.se, stats.sem([[1.0, 4], [2, 5], [4, 9]]))
    assert torch.equal(local, before)


def test_a_tensor_that_requires_a_gradient_is_read():
    assert confidence_interval(torch.tensor([1.0, 3.0], requires_grad=True)).se == 1


def test_labels_that_numpy_would_turn_into_one_word_stay_apart():
    # 1 and "1" are two templates, and NaN among words is a missing label.
    local = [1.0, 2.0, 4.0, 8.0]
    expected = confidence_interval(local, clusters=[0, 1, 2, 2])
    assert confidence_interval(local, clusters=[1, "1", "b", "b"]).se == expected.se
    with pytest.raises(ValueError, match="`clusters` misses the label of 1 of 4"):
        confidence_interval(np.ones(4), clusters=["a", float("nan"), "b", "b"])


def test_outputs_of_a_model_with_several_are_not_taken_for_backgrounds():
    heads = [torch.ones(5, 2), torch.zeros(5, 2)]
    for several in (heads, tuple(heads)):
        with pytest.raises(TypeError, match=r"`local` is a (list|tuple) of tensors; "):
            confidence_interval(several)
    # Single numbers may come as tensors.
    assert confidence_interval([torch.tensor(1.0), torch.tensor(3.0)]).se == 1


def test_the_bootstrap_t_has_no_bound_where_resamples_often_hold_one_value():
    # 0.9^20 = 12 % of resamples miss both backgrounds with an effect.
    local = np.repeat([0.0, 1.0], [18, 2])
    interval = confidence_interval(local, method="bootstrap-t")
    assert np.isfinite(interval.low)
    assert interval.high == np.inf


@pytest.mark.parametrize("method", METHODS)
def test_no_condition_gives_no_interval(method):
    interval = confidence_interval(np.zeros((5, 0)), method=method)
    assert interval.low.shape == interval.high.shape == (0,)


@pytest.mark.parametrize("method", METHODS[1:])
def test_bootstraps_of_a_thousand_backgrounds_are_quick(method):
    local = np.random.default_rng(0).normal(size=(1000, 20))
    start = time.process_time()
    confidence_interval(local, method=method)
    assert time.process_time() - start < 3  # 0.2 s on an idle core; scipy takes 10 s


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"`local` has shape \(1, 2\); at least 2 bac"):
        confidence_interval([[1.0, 2.0]])
    with pytest.raises(ValueError, match=r"`local` has shape \(0,\); at least 2"):
        confidence_interval([])
    with pytest.raises(ValueError, match=r"`local` has shape \(\); at least 2"):
        confidence_interval(3.0)
    local = np.ones((4, 5))
    local[[0, 1, 1], [2, 2, 3]] = np.nan
    with pytest.raises(ValueError, match=r"3 NaN of 20 local .*, in 2 of 5 conditions"):
        confidence_interval(local)
    with pytest.raises(ValueError, match="1 infinite of 2 local importances"):
        confidence_interval([1.0, np.inf])
    with pytest.raises(TypeError, match=r"`local` must be numbers .* not list"):
        confidence_interval(["a", "b"])
    ones = np.ones(4)
    with pytest.raises(ValueError, match="`confidence`=95 must be above 0 and below 1"):
        confidence_interval(ones, 95)
    with pytest.raises(ValueError, match="`method`='percentile' must be one of"):
        confidence_interval(ones, method="percentile")
    with pytest.raises(ValueError, match=r"`n_resamples`=10 cannot .* at least 39"):
        confidence_interval(ones, method="bca", n_resamples=10)
    with pytest.raises(ValueError, match=r"`clusters` has shape \(3,\); one label for"):
        confidence_interval(ones, clusters=[0, 1, 1])
    with pytest.raises(ValueError, match="`clusters` misses the label of 1 of 4"):
        confidence_interval(ones, clusters=["a", None, "b", "b"])
    with pytest.raises(ValueError, match="`clusters` holds 1 template; at least 2"):
        confidence_interval(ones, clusters=[7, 7, 7, 7])


def test_the_fewest_resamples_allowed_are_enough():
    interval = confidence_interval(
        np.arange(20.0), method="bootstrap-t", n_resamples=39
    )
    assert interval.low < 9.5 < interval.high
    # 2 / (1 - 0.9) is a little more than 20 in floating point.
    interval = confidence_interval(
        np.arange(20.0), 0.9, method="bootstrap-t", n_resamples=19
    )
    assert interval.low < 9.5 < interval.high


def test_resampled_means_that_all_lie_on_one_side_give_a_bca_interval():
    for seed in range(20):
        interval = confidence_interval(
            np.arange(5.0), 0.5, method="bca", n_resamples=3, random_state=seed
        )
        assert 0 <= interval.low <= interval.high <= 4
