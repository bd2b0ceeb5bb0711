"""A planted period comes back, nothing else is taken for it, and p is what it says."""

import numpy as np
import pytest

from tangermeme_gia.statistics import spacing_periodicity
from tangermeme_gia.statistics.periodicity import can_be_periodic, cosine_weights

AT = np.arange(42)


def cosine(period, peak=0.0, at=AT):
    return np.cos(2 * np.pi * (at - peak) / period)


def stairs(stride, starts):
    """A decay that a model sees which pools over a stride, from some starts on."""
    steps = (AT[None] + np.asarray(starts)[:, None] % stride) // stride
    return np.exp(-steps / 1.5).mean(axis=0)


class TestAPlantedCosine:
    @pytest.mark.parametrize("period", [9.5, 10.25, 10.5, 11.5])
    def test_its_period_size_and_place_come_back(self, period):
        found = spacing_periodicity(3 * cosine(period, peak=4), AT)
        assert found.period == period
        assert found.amplitude == pytest.approx(3)
        assert found.peak == pytest.approx(4)
        assert found.share == pytest.approx(1)
        assert found.p == 1 / 2000

    def test_what_a_line_explains_is_not_asked(self):
        bare = spacing_periodicity(cosine(10.5, 2), AT)
        tilted = spacing_periodicity(cosine(10.5, 2) - 7 + 0.3 * AT, AT)
        assert tilted[:4] == pytest.approx(bare[:4])

    def test_less_than_the_sum_has_its_top_half_a_turn_on(self):
        above, below = (spacing_periodicity(s * cosine(10.5, 2), AT) for s in (1, -1))
        assert below.period == above.period
        assert below.amplitude == pytest.approx(above.amplitude)
        assert below.peak == pytest.approx(2 + 10.5 / 2)
        assert below.p == above.p

    def test_it_is_seen_below_noise_of_its_size(self):
        rng = np.random.default_rng(0)
        found = [
            spacing_periodicity(
                cosine(10.5, rng.uniform(0, 10)) + rng.normal(size=len(AT)),
                AT,
                n_resamples=99,
            )
            for _ in range(100)
        ]
        off = [abs(each.period - 10.5) for each in found if each.p < 0.05]
        assert len(off) >= 90
        assert np.mean(off) < 0.5

    def test_other_periods_are_asked_for(self):
        assert spacing_periodicity(cosine(7.0), AT).p == 1
        found = spacing_periodicity(cosine(7.0), AT, period=(6, 8))
        assert (found.period, found.p) == (7, 1 / 2000)


def test_backgrounds_are_averaged_and_what_they_share_changes_nothing():
    rng = np.random.default_rng(0)
    local = rng.normal(size=(20, len(AT)))
    one = spacing_periodicity(local.mean(axis=0), AT)
    assert spacing_periodicity(local, AT) == pytest.approx(one)
    own = 10 * rng.normal(size=(20, 1))  # of a background at all spacings
    assert spacing_periodicity(local + own, AT) == pytest.approx(one)


def test_spacings_come_in_any_order():
    order = np.random.default_rng(0).permutation(len(AT))
    curve = cosine(10.5, 3) + 0.1 * np.sin(AT**2)
    shuffled = spacing_periodicity(curve[order], AT[order])
    assert shuffled[:4] == pytest.approx(spacing_periodicity(curve, AT)[:4])


@pytest.mark.parametrize("noise", ["normal", "skewed"])
def test_p_is_uniform_where_nothing_is_periodic(noise):
    rng, n = np.random.default_rng(1), 1500
    draw = {
        "normal": lambda: rng.normal(size=len(AT)),
        "skewed": lambda: rng.exponential(size=len(AT)) ** 2,
    }[noise]
    p = np.array(
        [
            spacing_periodicity(draw(), AT, n_resamples=99, random_state=i).p
            for i in range(n)
        ]
    )
    # p is 1 where another period fits better; below that it has its uniform share.
    for alpha in (0.01, 0.02, 0.05, 0.1):
        error = np.sqrt(alpha * (1 - alpha) / n)
        assert abs((p <= alpha).mean() - alpha) < 3 * error
    assert (p == 1).any()


@pytest.mark.parametrize(
    "curve",
    [
        np.exp(-AT / 5),
        np.exp(-AT / 20),
        cosine(30.0),
        cosine(5.0),
        cosine(16.0, 3),
        np.zeros(42),
        2.0 + 0.1 * AT,
    ],
    ids=["decay", "long decay", "30", "5", "16", "nothing", "line"],
)
def test_other_curves_are_not_helical(curve):
    noise = 1e-3 * np.random.default_rng(0).normal(size=len(AT))
    assert spacing_periodicity(curve + noise, AT).p > 0.05


def test_steps_of_a_pooling_model_even_out_over_as_many_starts():
    # From one start alone they look like a turn of the helix: that is the trap.
    assert spacing_periodicity(stairs(10, [0]), AT).p < 0.05
    assert spacing_periodicity(stairs(10, range(10)), AT).p > 0.05
    assert spacing_periodicity(stairs(4, range(4)), AT).p > 0.05


@pytest.mark.parametrize(
    ("spacings", "told"),
    [
        (np.arange(21), "21 of 20 bases"),  # no two turns
        (np.arange(0, 60, 5), "12 of 55 bases"),  # 10.5 looks like others
        (np.arange(0, 42, 3), "14 of 39 bases"),
        ([*range(12), *range(20, 30)], "22 of 29 bases"),  # a gap
        (np.repeat([0, 2, 4, 21], 6), "24 of 21 bases"),
    ],
)
def test_too_few_and_too_coarse_spacings_are_refused(spacings, told):
    spacings = np.asarray(spacings)
    assert not can_be_periodic(spacings.tolist())
    with pytest.raises(ValueError, match=f"`spacings` are {told}; 12 or more that"):
        spacing_periodicity(cosine(10.5, at=spacings), spacings)


def test_every_second_spacing_is_enough():
    at = np.arange(0, 42, 2)
    found = spacing_periodicity(cosine(10.5, at=at), at)
    assert found.period == 10.5
    # Of every fourth, a period of 6.5 would look the same: 1 / 4 - 1 / 10.5 = 1 / 6.5.
    assert not can_be_periodic(range(0, 84, 4))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"local": np.zeros(41)}, r"`local` has \(41,\) means and `spacings`"),
        ({"local": np.zeros((3, 41))}, r"`local` has \(41,\) means and `spacings`"),
        ({"n_resamples": 0}, "`n_resamples`=0 must be at least 1"),
        ({"period": (2, 3)}, r"`period`=\(2, 3\) must hold a period from 4.5 to 21"),
        ({"spacings": AT[None]}, "there must be one of each spacing"),
    ],
)
def test_what_does_not_fit_is_named(given, message):
    arguments = {"local": np.zeros(42), "spacings": AT, **given}
    with pytest.raises(ValueError, match=message):
        spacing_periodicity(**arguments)


def test_weights_give_the_amplitude_of_a_curve_like_theirs():
    curve = 0.5 * cosine(10.5, 4)
    weights = cosine_weights(curve, AT.tolist())
    assert weights @ (3 * cosine(10.5, 4)) == pytest.approx(3, rel=0.05)
    assert weights @ (5 + 0.2 * AT) == pytest.approx(0, abs=1e-12)
    # Of the other phase the opposite, and of a quarter of a turn on nothing.
    assert weights @ cosine(10.5, 4 + 10.5 / 2) == pytest.approx(-1, rel=0.05)
    assert abs(weights @ cosine(10.5, 4 + 10.5 / 4)) < 0.05
    assert not cosine_weights(np.zeros(42), AT.tolist()).any()
