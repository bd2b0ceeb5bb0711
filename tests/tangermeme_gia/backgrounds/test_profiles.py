import numpy as np
import pytest
import torch
from scipy import stats
from tangermeme.utils import PackedSequence, random_one_hot

from tangermeme_gia.backgrounds.profiles import (
    composition_background,
    profile_background,
)


@pytest.fixture
def X() -> torch.Tensor:
    """30 to 41 bases centred in 41, as RNAcompete probes are, two with N inside."""
    X = random_one_hot((48, 4, 41), random_state=1)
    for i, x in enumerate(X):
        missing = i % 12
        x[:, : missing // 2] = 0
        x[:, 41 - (missing - missing // 2) :] = 0
    X[:2, :, 18] = 0
    return X


def uniformity(observed: np.ndarray, expected: np.ndarray | None = None) -> float:
    return stats.chisquare(observed, expected).pvalue


def test_a_profile_background_has_the_frequencies_of_each_position(X):
    n = 20_000
    background = profile_background(X, n, 0)
    counts, drawn = X.sum(dim=0).double(), background.sum(dim=0).double()
    # Given that there is a letter: padding and N do not dilute it.
    expected = n * counts / counts.sum(dim=0)
    assert (background.sum(dim=1) == 1).all()
    assert (drawn[counts == 0] == 0).all()
    p_values = [
        uniformity(observed[wanted > 0], wanted[wanted > 0])
        for observed, wanted in zip(drawn.T.numpy(), expected.T.numpy(), strict=True)
    ]
    assert stats.kstest(p_values, "uniform").pvalue > 0.001
    assert min(p_values) > 0.001 / 41


def test_positions_of_a_profile_background_are_independent():
    X = torch.eye(4, dtype=torch.int8)[:, :, None].expand(4, 4, 6)  # AAAAAA, CCC...
    letters = profile_background(X, 16_000, 0).argmax(dim=1).numpy()
    for i, j in ((0, 1), (2, 5), (3, 4)):
        pairs = np.bincount(4 * letters[:, i] + letters[:, j], minlength=16)
        assert uniformity(pairs) > 0.001
    repeated = np.bincount(4 * letters[1:, 0] + letters[:-1, 0], minlength=16)
    assert uniformity(repeated) > 0.001


def test_padding_of_a_profile_stays_where_it_is_total(X):
    X[:, :, :3] = 0
    X[1:, :, 40] = 0
    X[0, :, 40] = torch.tensor([0, 0, 1, 0])
    background = profile_background(X, 500, 0)
    assert (background[:, :, :3] == 0).all()
    assert (background[:, :, 3:].sum(dim=1) == 1).all()
    assert (background[:, 2, 40] == 1).all()


def test_a_profile_equals_the_sequences_it_is_the_mean_of(X):
    expected = profile_background(X, 100, 0)
    mean = X.double().mean(dim=0)
    for profile in (mean, mean.numpy(), mean.numpy().tolist()):
        assert torch.equal(profile_background(profile, 100, 0), expected)


def test_the_profile_of_many_packed_sequences_counts_them_all():
    X = random_one_hot((9001, 4, 6), random_state=0)
    X[:8500, :, 0] = 0
    packed = PackedSequence.from_one_hot(X)
    expected = profile_background(X.double().mean(dim=0), 2000, 0)
    assert torch.equal(profile_background(packed, 2000, 0), expected)


@pytest.mark.parametrize("total", [0.9999999, 1.0000001, 0.999, 1.004, 0.25])
def test_a_profile_that_does_not_quite_sum_to_one_still_samples(total):
    profile = torch.full((4, 30), total / 4)
    background = profile_background(profile, 2000, 0)
    assert (background.sum(dim=1) == 1).all()
    assert uniformity(background.sum(dim=(0, 2)).numpy()) > 0.001


def test_letters_of_frequency_zero_are_never_drawn():
    third = np.float32(1 / 3)
    profile = torch.tensor([[0.0, third, 0.0], [third] * 3, [third] * 3, [third, 0, 0]])
    drawn = profile_background(profile, 20_000, 0).sum(dim=0)
    assert torch.equal(drawn > 0, profile > 0)


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        (torch.full((4, 3), 0.5), "column 0 sums to 2; at most 1 is allowed"),
        (torch.full((41, 4), 0.25), r"shape \(41, 4\) .* column 0 sums to 10.25"),
        (torch.tensor([[0.5, -0.5], [0.5, 0.5]]), "frequencies of at least 0"),
        (torch.full((4, 3), float("nan")), "frequencies of at least 0"),
        (torch.zeros(4, 0), r"shape \(4, 0\)"),
    ],
)
def test_what_is_not_a_profile_is_refused(profile, message):
    with pytest.raises(ValueError, match=message):
        profile_background(profile, 5)


def test_a_composition_is_the_same_at_every_position():
    frequencies = np.array([0.1, 0.2, 0.3, 0.4])
    background = composition_background(frequencies, 5000, length=20, random_state=0)
    assert background.shape == (5000, 4, 20)
    drawn = background.sum(dim=0).numpy()
    p_values = [uniformity(column, 5000 * frequencies) for column in drawn.T]
    assert min(p_values) > 0.001 / 20
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


def test_a_composition_may_have_any_alphabet():
    background = composition_background(np.full(20, 1 / 20), 50, length=9)
    assert background.shape == (50, 20, 9)
    assert (composition_background(torch.tensor([0.0, 1.0]), 5)[:, 1] == 1).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.5, 0.6],), "`frequencies` sum to 1.1; 1 is needed"),
        (([0.5, 0.4],), "`frequencies` sum to 0.9"),
        (([1.5, -0.5],), r"`frequencies`=\[1.5, -0.5\] must be one number of at least"),
        (([],), "`frequencies`=.* one number"),
        (([[1.0]],), "`frequencies`=.* one number"),
        (([1.0], 0), "`n`=0"),
        (([1.0], 5, 0), "`length`=0 must be at least 1"),
    ],
)
def test_impossible_compositions_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        composition_background(*arguments)
