import numpy as np
import pytest
from scipy import stats

from tangermeme_gia.statistics.planning import backgrounds_needed


def half_width(sd: np.ndarray, n: np.ndarray, confidence: float) -> np.ndarray:
    return stats.t.ppf((1 + confidence) / 2, n - 1) * sd / np.sqrt(n)


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("asked", [3.0, 1.0, 0.3, 0.01])
def test_the_number_is_the_smallest_that_is_narrow_enough(asked, confidence):
    local = np.random.default_rng(0).normal(size=(30, 40)) * np.linspace(0.1, 3, 40)
    n = backgrounds_needed(local, asked, confidence)
    sd = local.std(axis=0, ddof=1)
    assert (half_width(sd, n, confidence) <= asked).all()
    more = n > 2
    assert (half_width(sd, n - 1, confidence) > asked)[more].all()
    assert more.any() or asked == 3


def test_each_condition_may_have_its_own_half_width():
    local = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 4.0]])
    n = backgrounds_needed(local, [0.1, 0.2])
    assert n.dtype == np.int64
    assert n[0] == n[1] == backgrounds_needed(local[:, 0], 0.1)


def test_backgrounds_that_agree_need_only_two():
    assert backgrounds_needed(np.full(9, 0.1), 1e-6) == 2


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
    with pytest.raises(ValueError, match=r"more than 1e14 .* deviation is 0.707"):
        backgrounds_needed([1.0, 2.0], 1e-12)
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
