import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from tangermeme.utils import PackedSequence, random_one_hot
from torch import nn

from tangermeme_gia.backgrounds.by_name import (
    background_names,
    sample_background,
    sample_backgrounds,
)
from tangermeme_gia.backgrounds.profiles import profile_background
from tangermeme_gia.backgrounds.shuffles import (
    dinucleotide_shuffled_background,
    shuffled_background,
)
from tangermeme_gia.backgrounds.structured import structured_background
from tangermeme_gia.backgrounds.subsets import filtered_background, quantile_background


class Zero(nn.Module):
    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return X.sum(dim=(1, 2)) * 0


# Every sampler that takes observed sequences, as f(X, n, random_state).
SAMPLERS: dict[str, Callable[..., torch.Tensor]] = {
    "profile": profile_background,
    "shuffle": shuffled_background,
    "dinucleotide": dinucleotide_shuffled_background,
    "uniform": lambda *args: dinucleotide_shuffled_background(*args, uniform=True),
    "quantile": lambda X, n, seed: quantile_background(
        X, np.arange(len(X)), n, low=0.0, random_state=seed
    ),
    "filtered": lambda X, n, seed: filtered_background(
        Zero(), X, n=n, random_state=seed
    ),
    "structured": lambda X, n, seed: structured_background(
        X, "paper", n, random_state=seed
    ),
}
every_sampler = pytest.mark.parametrize("name", SAMPLERS)


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


@every_sampler
def test_backgrounds_are_int8_one_hot_on_the_cpu(X, name):
    background = SAMPLERS[name](X, 20, 0)
    assert background.shape == (20, 4, 41)
    assert background.dtype == torch.int8
    assert background.device.type == "cpu"
    assert set(background.unique().tolist()) == {0, 1}
    assert background.sum(dim=1).max() == 1


@every_sampler
def test_the_input_and_global_random_state_are_left_alone(X, name):
    before = X.clone()
    np_state = np.random.get_state()  # noqa: NPY002
    states = random.getstate(), torch.get_rng_state()
    for seed in (0, None):
        SAMPLERS[name](X, 20, seed)
    assert torch.equal(X, before)
    assert random.getstate() == states[0]
    assert torch.equal(torch.get_rng_state(), states[1])
    for now, then in zip(np.random.get_state(), np_state, strict=True):  # noqa: NPY002
        assert np.array_equal(now, then)


@every_sampler
def test_the_seed_decides(X, name):
    first = SAMPLERS[name](X, 20, 7)
    assert torch.equal(SAMPLERS[name](X, 20, 7), first)
    assert torch.equal(SAMPLERS[name](X, 20, np.int64(7)), first)
    assert not torch.equal(SAMPLERS[name](X, 20, 8), first)
    assert not torch.equal(SAMPLERS[name](X, 20, None), SAMPLERS[name](X, 20, None))


@every_sampler
@pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.bool]
)
def test_the_dtype_of_the_input_does_not_matter(X, name, dtype):
    assert torch.equal(SAMPLERS[name](X.to(dtype), 20, 0), SAMPLERS[name](X, 20, 0))


@every_sampler
def test_packed_sequences_give_the_same(X, name):
    packed = PackedSequence.from_one_hot(X)
    assert torch.equal(SAMPLERS[name](packed, 20, 0), SAMPLERS[name](X, 20, 0))


@every_sampler
def test_strided_and_differentiable_input_gives_the_same(X, name):
    strided = X.float().transpose(1, 2).contiguous().transpose(1, 2)
    strided.requires_grad_()
    background = SAMPLERS[name](strided, 20, 0)
    assert not background.requires_grad
    assert torch.equal(background, SAMPLERS[name](X, 20, 0))


@every_sampler
def test_one_sequence_and_one_background_are_enough(X, name):
    assert SAMPLERS[name](X[5:6], 1, 0).shape == (1, 4, 41)


@pytest.mark.parametrize(
    "name", ["profile", "shuffle", "dinucleotide", "quantile", "structured"]
)
def test_the_first_rows_are_the_same_for_every_n(X, name):
    assert torch.equal(SAMPLERS[name](X, 30, 0)[:10], SAMPLERS[name](X, 10, 0))


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "structured"])
@pytest.mark.parametrize("n_letters", [1, 2, 20])
def test_any_alphabet_will_do(name, n_letters):
    X = random_one_hot((30, n_letters, 25), random_state=0)
    X[:, :, 0] = 0
    background = SAMPLERS[name](X, 30, 0)
    assert background.shape == (30, n_letters, 25)
    assert torch.equal(background.sum(dim=1), X.sum(dim=1))


@every_sampler
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda X: X[:0], r"`X` has shape \(0, 4, 41\); .* at least one sequence"),
        (lambda X: X[:, :, :0], r"`X` has shape \(48, 4, 0\)"),
        (lambda X: X * 0.5, "`X` is not one-hot: sequence 0 holds .* position 0;"),
        (lambda X: X + 1, "`X` is not one-hot"),
        (lambda X: -X, "`X` is not one-hot"),
        (lambda X: X.float() / 0, "`X` is not one-hot: sequence 0 holds .*nan"),
        (lambda X: torch.ones_like(X), r"holds \[1, 1, 1, 1\] at position 0"),
        (lambda X: X[:, :, :, None], r"`X` has shape \(48, 4, 41, 1\)"),
    ],
)
def test_what_is_not_one_hot_is_refused(X, name, spoil, message):
    with pytest.raises(ValueError, match=message):
        SAMPLERS[name](spoil(X), 20, 0)


@every_sampler
def test_other_types_are_refused(name):
    with pytest.raises(
        TypeError, match=r"`X` is of type str; it must be a torch.Tensor"
    ):
        SAMPLERS[name]("ACGT", 20, 0)


@every_sampler
@pytest.mark.parametrize(
    ("n", "seed", "error", "message"),
    [
        (0, 0, ValueError, "`n`=0 must be at least 1"),
        (-3, 0, ValueError, "`n`=-3"),
        (5.0, 0, TypeError, "`n`=5.0 must be an integer"),
        (5, -1, ValueError, "`random_state`=-1 must not be negative"),
        (5, 1.5, TypeError, "`random_state`=1.5 must be an integer, a numpy"),
        (5, True, TypeError, "`random_state`=True"),
    ],
)
def test_impossible_numbers_and_seeds_are_refused(X, name, n, seed, error, message):
    with pytest.raises(error, match=message):
        SAMPLERS[name](X, n, seed)


@every_sampler
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_result_is_on_the_device_of_the_input(X, name):
    background = SAMPLERS[name](X.cuda(), 20, 0)
    assert background.device.type == "cuda"
    assert torch.equal(background.cpu(), SAMPLERS[name](X, 20, 0))


def test_every_name_is_the_background_of_that_name(X):
    scores = np.random.default_rng(0).permutation(48)
    expected = {
        "profile": profile_background(X, 12, 1),
        "shuffle": shuffled_background(X, 12, 1),
        "dinucleotide": dinucleotide_shuffled_background(X, 12, 1),
    }
    for i in (1, 2, 3, 4):
        expected[f"quartile{i}"] = quantile_background(
            X, scores, 12, quartile=i, random_state=1
        )
    assert background_names() == tuple(expected)
    for name, background in expected.items():
        assert torch.equal(sample_background(X, name, 12, scores, 1), background)


def test_unknown_names_and_missing_scores_are_refused(X):
    for name in ("quartile5", ["profile"], 1):
        with pytest.raises(ValueError, match=r"`name`=.* is not .*'profile'"):
            sample_background(X, name)
    with pytest.raises(ValueError, match="'quartile1' needs `scores`"):
        sample_background(X, "quartile1")
    with pytest.raises(ValueError, match="`n`=13, but only 12 of the 48 sequences"):
        sample_background(X, "quartile1", 13, np.arange(48))


def test_templates_come_by_name_and_a_profile_has_none():
    X = random_one_hot((20, 4, 15), random_state=0)
    scores = range(20)
    plain = sample_backgrounds(X, n=5, scores=scores, random_state=2)
    drawn, templates = sample_backgrounds(
        X, n=5, scores=scores, random_state=2, return_templates=True
    )
    assert list(drawn) == list(templates) == list(background_names())
    for name, background in drawn.items():
        assert torch.equal(background, plain[name])
        one, rows = sample_background(X, name, 5, scores, 2, return_templates=True)
        assert torch.equal(one, background)
        if name == "profile":
            assert rows is None
            assert templates[name] is None
        else:
            assert rows.tolist() == templates[name].tolist()
            assert torch.equal(background.sum(dim=2), X[rows].sum(dim=2))
