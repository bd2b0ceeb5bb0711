"""The contrasts of every set of patterns are those that were planted."""

import itertools

import numpy as np
import pytest
import torch

from tangermeme_gia.statistics.effects import interaction_contrast
from tangermeme_gia.statistics.factorial import factorial_contrasts


@pytest.fixture
def arms() -> np.ndarray:
    """Three arms on 30 backgrounds for four conditions."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(30, 4)) + rng.normal(2.0, 0.7, size=(3, 30, 4))


def test_factorial_contrasts_find_planted_interactions():
    rng = np.random.default_rng(0)
    arms = np.array([s for s in itertools.product([False, True], repeat=3) if any(s)])
    planted = rng.normal(size=(20, 7, 2))
    # Each arm has the sum of what all its subsets do.
    subset = ~(arms[:, None] & ~arms[None]).any(axis=2)
    local = np.einsum("nso,sa->nao", planted, subset.astype(float))
    contrasts = factorial_contrasts(torch.tensor(local), arms)
    assert contrasts.local.shape == (20, 7, 2)
    assert contrasts.sets.sum(axis=1).tolist() == [1, 1, 1, 2, 2, 2, 3]
    for i, chosen in enumerate(contrasts.sets):
        j = np.flatnonzero((arms == chosen).all(axis=1))[0]
        np.testing.assert_allclose(contrasts.local[:, i], planted[:, j], atol=1e-12)


def test_two_patterns_are_the_pairwise_contrast_in_any_order_of_arms(arms):
    a, b, ab = arms[:, :, 0]
    expected = interaction_contrast(ab, a, b).local
    contrasts = factorial_contrasts(
        np.stack([ab, b, a], axis=1), [[1, 1], [0, 1], [1, 0]]
    )
    assert contrasts.sets.tolist() == [[True, False], [False, True], [True, True]]
    np.testing.assert_allclose(contrasts.local, np.stack([a, b, expected], axis=1))
    # An empty arm that predicts something is subtracted as the background it is.
    raw = np.stack([a + 7, ab + 7, b + 7, np.full(30, 7.0)], axis=1)
    present = [[1, 0], [1, 1], [0, 1], [0, 0]]
    np.testing.assert_allclose(
        factorial_contrasts(raw, present).local, contrasts.local, atol=1e-12
    )


def test_arms_that_are_not_every_subset_once_are_named(arms):
    a = arms[0]
    arms_of_two = [[1, 0], [0, 1], [1, 1]]
    with pytest.raises(ValueError, match=r"`present` has shape \(3, 2\) and `local` "):
        factorial_contrasts(a, arms_of_two)
    with pytest.raises(ValueError, match=r"`present` has shape \(1, 0\); it holds no"):
        factorial_contrasts(a[:, :1], np.zeros((1, 0)))
    with pytest.raises(ValueError, match=r"the patterns \[0 1\] in 0 arms; every subs"):
        factorial_contrasts(a[:, :2], [[1, 0], [0, 1]])
    with pytest.raises(ValueError, match=r"the patterns \[1\] in 2 arms"):
        factorial_contrasts(a, [*arms_of_two, [0, 1]])
    with pytest.raises(ValueError, match=r"the patterns \[\] in 2 arms"):
        factorial_contrasts(
            arms[:, :, :].reshape(30, -1)[:, :5], [*arms_of_two, [0, 0], [0, 0]]
        )
