"""What statistics return shows its size, never pages of numbers."""

import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia import GIAResult, motifs, statistics

LOCAL = np.random.default_rng(0).normal(1, 1, (200, 3))
ARMS = pd.DataFrame({"A": [True, False, True], "B": [False, True, True]})


@pytest.mark.parametrize(
    "value",
    [
        statistics.confidence_interval(LOCAL[None].repeat(3, axis=0).reshape(3, -1)),
        statistics.paired_t_test(LOCAL.repeat(40, axis=1)),
        statistics.benjamini_hochberg(np.linspace(0.001, 1, 500)),
        statistics.interaction_contrast(*LOCAL.T),
        statistics.factorial_contrasts(LOCAL, ARMS.to_numpy()),
        statistics.additivity_fit(LOCAL, [1, 2, 3]),
        motifs.align_kmers(
            [a + b for a in "ACGT" for b in "ACGT"], np.arange(16.0), top=9
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_large_fields_are_told_by_their_size(value):
    text = repr(value)
    assert text.startswith(f"{type(value).__name__}(")
    assert len(text) < 800
    assert text.count("\n") < 6
    assert all(f"{name}=" in text for name in value._fields)
    assert "<" in text


def test_few_numbers_are_shown():
    interval = statistics.confidence_interval(LOCAL[:, 0])
    assert repr(interval).startswith(f"Interval(effect={interval.effect!r}, se=")
    y = torch.from_numpy(LOCAL)
    whole = GIAResult(torch.zeros(200), y, pd.DataFrame({"site": range(3)}))
    assert repr(statistics.confidence_interval(whole)).count("array([") == 4
