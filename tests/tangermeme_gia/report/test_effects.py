"""Extremes are found on one half of the backgrounds and measured on the other."""

import numpy as np
import pytest

from tangermeme_gia.report.effects import extremes
from tangermeme_gia.statistics.intervals import confidence_interval


def test_extremes_are_measured_where_they_were_not_found():
    rng = np.random.default_rng(0)
    local = rng.normal(size=(40, 5)) + np.array([0, 3, 0, -2, 0])
    ends = extremes(local, None)
    assert ends.places == (3, 1)
    assert ends.differ
    other_half = confidence_interval(local[20:])
    for row, place in ((ends.low, 3), (ends.high, 1)):
        for name in ("effect", "low", "high"):
            assert row[name] == pytest.approx(getattr(other_half, name)[place])
    difference = confidence_interval(local[20:, 1] - local[20:, 3])
    assert ends.difference.effect == pytest.approx(difference.effect)
    assert ends.difference.low == pytest.approx(difference.low)


def test_noise_has_no_clear_extremes():
    rng = np.random.default_rng(1)
    clear = [extremes(rng.normal(size=(40, 30)), None).differ for _ in range(100)]
    # On the same half the largest of 30 would nearly always be clearly larger.
    assert sum(clear) < 10


def test_four_backgrounds_and_one_condition_are_enough():
    ends = extremes(np.arange(4.0)[:, None], None)
    assert ends.places == (0, 0)
    assert not ends.differ


def test_extremes_are_found_and_measured_on_other_templates():
    rng = np.random.default_rng(2)
    labels = rng.permutation(np.repeat(range(8), 5))
    local = rng.normal(size=(8, 3))[labels] + rng.normal(size=(40, 3)) + [0, 5, -5]
    # The first half of the templates, in the order in which they come.
    found = np.isin(labels, list(dict.fromkeys(labels.tolist()))[:4])
    ends = extremes(local, labels)
    assert ends.places == (2, 1)
    assert ends.low["selection_effect"] == pytest.approx(local[found, 2].mean())
    held = confidence_interval(local[~found, 2], clusters=labels[~found])
    assert ends.low["high"] == pytest.approx(held.high)
    apart = local[~found, 1] - local[~found, 2]
    apart = confidence_interval(apart, clusters=labels[~found])
    assert ends.difference.low == pytest.approx(apart.low)
