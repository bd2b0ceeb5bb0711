"""A precision in which effects drown is said."""

import warnings

import pytest
import torch
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia

X = random_one_hot((6, 4, 20), random_state=0)


class Sum(torch.nn.Module):
    """Every base adds its weight to a constant."""

    def __init__(self, constant):
        super().__init__()
        self.dense = torch.nn.Linear(80, 1)
        with torch.no_grad():
            self.dense.weight.copy_(torch.linspace(-1, 1, 80)[None])
            self.dense.bias.fill_(constant)

    def forward(self, X):
        return self.dense(X.flatten(1))


def importance(constant, **kwargs):
    motifs = [[(letters, 8)] for letters in ("AAAA", "CCCC", "GGGG", "TTTT")]
    return gia.global_importance(Sum(constant), X, motifs, **kwargs)


def test_effects_that_a_dtype_rounds_away_are_said():
    with pytest.warns(RuntimeWarning, match="`dtype`: effects .* differ by up to"):
        importance(1000.0, dtype="bfloat16")


@pytest.mark.parametrize(
    ("constant", "kwargs"),
    [
        (1000.0, {"dtype": "float32"}),
        (1000.0, {}),
        (1000.0, {"dtype": None}),
        (0.0, {"dtype": "bfloat16"}),
    ],
)
def test_small_errors_are_no_reason_to_warn(constant, kwargs):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        importance(constant, **kwargs)
    assert not said
