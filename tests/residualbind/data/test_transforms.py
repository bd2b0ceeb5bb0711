"""Tests of residualbind.data.transforms."""

import json

import numpy as np
import pytest
import torch

from residualbind.data.transforms import RECIPES, Transform

LOG = Transform(({"kind": "log", "minimum": -1.0},))
NAN = float("nan")


def skewed_scores(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).gamma(0.5, 2.0, size=shape) - 1.0


def test_log_goes_on_along_its_tangent_below_the_fitted_minimum():
    low = np.array([-1.5, -3.0, -1.0 - 1e-9])
    np.testing.assert_allclose(LOG.apply(low), low + 1.0)
    step = 1e-6
    slope = np.diff(LOG.apply([-1 - step, -1, -1 + step])) / step
    np.testing.assert_allclose(slope, 1.0, atol=1e-5)
    np.testing.assert_allclose(LOG.invert(LOG.apply(low)), low, atol=1e-12)


def test_clip_caps_at_the_percentile_and_keeps_low_scores():
    fitted = Transform.fit(np.arange(1001.0), "clip")
    assert fitted.steps[0] == {
        "kind": "clip",
        "percentile": 99.9,
        "n_std": None,
        "maximum": pytest.approx(999),
    }
    clip = Transform(fitted.steps[:1])
    np.testing.assert_allclose(
        clip.apply([2000.0, 999.0, 998.5, -7.0]), [999, 999, 998.5, -7]
    )


def test_clip_at_standard_deviations_is_counted_from_the_mean():
    y = skewed_scores(1000) + 50
    clip = Transform(Transform.fit(y, "clip-std").steps[:1])
    np.testing.assert_allclose(clip.apply([1e9]), [y.mean() + 4 * y.std()])


def test_zscore_has_mean_0_and_standard_deviation_1():
    y = skewed_scores(1000)
    z = Transform.fit(y, "zscore").apply(y)
    np.testing.assert_allclose([z.mean(), z.std()], [0, 1], atol=1e-12)


def test_recipes_are_what_their_names_say():
    y = skewed_scores(2000)

    def standard(values):
        return (values - values.mean()) / values.std()

    expected = {
        "log": standard(np.log(y - y.min() + 1)),
        "clip": standard(np.minimum(y, np.percentile(y, 99.9))),
        "clip-std": standard(np.minimum(y, y.mean() + 4 * y.std())),
        "zscore": standard(y),
        "none": y,
    }
    assert list(expected) == list(RECIPES)
    for name, values in expected.items():
        np.testing.assert_allclose(Transform.fit(y, name).apply(y), values)
    with pytest.raises(
        ValueError, match=r"`recipe`='Log' is not a transform; known: \['log'"
    ):
        Transform.fit(y, "Log")


def test_what_is_fitted_on_training_scores_is_used_for_others():
    train, test = skewed_scores(500), skewed_scores(500) * 3 + 2
    z = Transform.fit(train, "zscore").apply(test)
    np.testing.assert_allclose(z, (test - train.mean()) / train.std())


@pytest.mark.parametrize("name", RECIPES)
def test_each_output_is_fitted_on_its_own_and_nan_stays_nan(name):
    y = skewed_scores(400, 3) * [1, 10, 100]
    y[5, 1] = y[7, 2] = NAN
    transform = Transform.fit(y, name)
    z = transform.apply(y)
    for column in range(3):
        alone = Transform.fit(y[:, column], name)
        np.testing.assert_allclose(z[:, column], alone.apply(y[:, column]))
        np.testing.assert_allclose(
            transform.invert(z)[:, column], alone.invert(z[:, column])
        )
    assert np.argwhere(np.isnan(z)).tolist() == [[5, 1], [7, 2]]


@pytest.mark.parametrize("name", RECIPES)
def test_invert_returns_what_was_not_clipped(name):
    y = skewed_scores(400)
    transform = Transform.fit(y, name)
    back = transform.invert(transform.apply(y))
    kept = y < np.percentile(y, 95) if "clip" in name else np.full(400, True)
    np.testing.assert_allclose(back[kept], y[kept], atol=1e-12)
    assert (back <= y + 1e-12).all()


@pytest.mark.parametrize("name", RECIPES)
def test_saved_transform_is_the_same_bit_for_bit(name):
    y = skewed_scores(300, 2)
    transform = Transform.fit(y, name)
    text = json.dumps(transform.to_dict(), allow_nan=False)
    again = Transform.from_dict(json.loads(text))
    np.testing.assert_array_equal(again.apply(y), transform.apply(y))
    np.testing.assert_array_equal(again.invert(y), transform.invert(y))
    assert again == transform


@pytest.mark.parametrize("name", RECIPES)
def test_tensors_lists_and_arrays_are_the_same_scores(name):
    y = skewed_scores(50).astype(np.float32)
    tensor = torch.tensor(y, requires_grad=True)
    expected = Transform.fit(y, name).apply(y)
    for given in (tensor, y.tolist(), tensor.double()):
        z = Transform.fit(given, name).apply(given)
        assert z.dtype == np.float64
        np.testing.assert_array_equal(z, expected)
    half = tensor.bfloat16()
    np.testing.assert_array_equal(
        Transform.fit(half, name).apply(half),
        Transform.fit(half.float(), name).apply(half.float()),
    )


@pytest.mark.parametrize("name", RECIPES)
def test_scores_given_are_neither_changed_nor_shared(name):
    y = skewed_scores(50)
    before = y.copy()
    transform = Transform.fit(y, name)
    for result in (transform.apply(y), transform.invert(y)):
        result[:] = 0
    np.testing.assert_array_equal(y, before)


@pytest.mark.parametrize("name", ["log", "clip", "clip-std", "zscore"])
def test_one_output_may_be_given_with_or_without_its_axis(name):
    y = skewed_scores(30)
    transform = Transform.fit(y, name)
    flat = transform.apply(y)
    np.testing.assert_array_equal(transform.apply(y[:, None]), flat[:, None])
    np.testing.assert_array_equal(Transform.fit(y[:, None], name).apply(y), flat)


@pytest.mark.parametrize("name", ["log", "clip", "clip-std", "zscore"])
def test_another_number_of_outputs_is_an_error(name):
    message = r"`y` has shape \(5, 3\), but the transform was fitted on 1 output\(s\)"
    with pytest.raises(ValueError, match=message):
        Transform.fit(skewed_scores(30), name).apply(np.zeros((5, 3)))
    transform = Transform.fit(skewed_scores(30, 2), name)
    for wrong in (np.zeros(5), np.zeros((5, 3))):
        with pytest.raises(
            ValueError, match=r"fitted on 2 output\(s\): expected shape"
        ):
            transform.invert(wrong)


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([], "has no score to fit"),
        (np.zeros((0, 2)), "has no score to fit"),
        ([NAN, NAN], "has no score to fit"),
        ([[1.0, NAN], [2.0, NAN]], "has no score to fit"),
        ([1.0, float("inf")], "infinite scores"),
        (3.0, r"`y` has shape \(\); it must be \(n,\) or \(n, n_outputs\)"),
        (np.zeros((2, 2, 2)), r"`y` has shape \(2, 2, 2\)"),
    ],
)
def test_scores_that_cannot_be_fitted_are_errors(name, y, message):
    with pytest.raises(ValueError, match=message):
        Transform.fit(y, name)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e30])
@pytest.mark.parametrize("name", ["log", "clip", "clip-std", "zscore"])
def test_constant_scores_have_no_zscore(name, value):
    # The standard deviation of [0.1, 0.1, 0.1] is 1.4e-17, not 0.
    with pytest.raises(ValueError, match="`y` is constant in some output"):
        Transform.fit([[1.0, value], [2.0, value], [3.0, value], [4.0, NAN]], name)


def test_spread_too_small_for_a_standard_deviation_is_an_error():
    with pytest.raises(ValueError, match="`y` is constant in some output"):
        Transform.fit([0.0, 1e-200], "zscore")


def test_a_transform_cannot_be_changed():
    with pytest.raises(AttributeError, match="cannot assign to field"):
        LOG.steps = ()


def test_a_step_that_was_saved_alone_is_read():
    state = {"kind": "zscore", "mean": [2.0], "std": [0.5]}
    assert Transform.from_dict(state).apply([3.0]).tolist() == [2.0]


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({}, "unknown transform kind None; known: "),
        ({"kind": "sqrt"}, r"unknown transform kind 'sqrt'; known: \['clip', 'log'"),
        ({"kind": ["log"]}, "unknown transform kind"),
        (
            {"kind": "clip", "percentile": 5},
            r"'clip' transform lacks \['n_std', 'maximum'",
        ),
        ({"kind": "chain"}, r"'chain' transform lacks \['steps'\]"),
        ({"kind": "chain", "steps": [{"kind": "log"}]}, r"'log' transform lacks"),
        ({"kind": "log", "minimum": None}, r"'log' transform lacks \['minimum'"),
        ({"kind": "log", "minimum": "low"}, "could not convert"),
    ],
)
def test_descriptions_that_are_not_complete_are_errors(state, message):
    with pytest.raises(ValueError, match=message):
        Transform.from_dict(state)
