import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import stats
from tangermeme.utils import PackedSequence, random_one_hot
from torch import nn

from tangermeme_gia.backgrounds import (
    background_names,
    composition_background,
    dinucleotide_shuffled_background,
    filtered_background,
    hairpin_background,
    profile_background,
    quantile_background,
    sample_background,
    shuffled_background,
    template_rows,
)
from tangermeme_gia.pairing import forms_pairs, impose_pairs
from tangermeme_gia.structure import PAPER_HAIRPIN, Hairpin


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
    "hairpin": lambda X, n, seed: hairpin_background(n, X=X, random_state=seed),
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


def uniformity(observed: np.ndarray, expected: np.ndarray | None = None) -> float:
    return stats.chisquare(observed, expected).pvalue


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


@pytest.mark.parametrize("name", ["profile", "shuffle", "dinucleotide", "quantile"])
def test_the_first_rows_are_the_same_for_every_n(X, name):
    assert torch.equal(SAMPLERS[name](X, 30, 0)[:10], SAMPLERS[name](X, 10, 0))


@pytest.mark.parametrize("name", [name for name in SAMPLERS if name != "hairpin"])
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
    with pytest.raises(TypeError, match=r"`X` is a str; it must be a torch.Tensor"):
        SAMPLERS[name]("ACGT", 20, 0)


@every_sampler
@pytest.mark.parametrize(
    ("n", "seed", "error", "message"),
    [
        (0, 0, ValueError, "`n`=0 must be at least 1"),
        (-3, 0, ValueError, "`n`=-3"),
        (5.0, 0, TypeError, "`n`=5.0 must be an integer"),
        (5, -1, ValueError, "`random_state`=-1 must not be negative"),
        (5, 1.5, TypeError, "`random_state`=1.5 must be an integer or None"),
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


def test_hairpins_pair_everywhere_in_the_stem_and_are_random_elsewhere():
    n = 8000
    background = hairpin_background(n, random_state=0)
    assert background.shape == (n, 4, 41)
    assert forms_pairs(background, PAPER_HAIRPIN.pairs).all()
    drawn = background.sum(dim=0).numpy()
    p_values = [uniformity(column) for column in drawn.T]
    assert min(p_values) > 0.001 / 41
    # Positions outside the stem pair by chance only: 4 of 16 combinations.
    chance = forms_pairs(background, [[3, 38], [16, 21]]).double().mean()
    assert chance == pytest.approx(0.25, abs=0.015)


def test_a_hairpin_changes_only_the_right_arm_of_its_template(X):
    background = hairpin_background(30, X=X, random_state=3)
    templates = X[template_rows(len(X), 30, 3)]
    assert forms_pairs(background, PAPER_HAIRPIN.pairs).all()
    kept = [i for i in range(41) if i not in PAPER_HAIRPIN.right_arm]
    assert torch.equal(background[:, :, kept], templates[:, :, kept])
    assert torch.equal(background.sum(dim=1), templates.sum(dim=1))


def test_a_hairpin_from_a_profile_is_the_profile_background_folded(X):
    profile = X.double().mean(dim=0)
    expected = impose_pairs(profile_background(profile, 50, 2), PAPER_HAIRPIN.pairs)
    background = hairpin_background(50, X=profile, random_state=2)
    assert torch.equal(background, expected)


def test_structure_alphabet_and_wobble_of_a_hairpin():
    structure = "((.((...))..((...))))"
    rna = ("A", "C", "G", "U")
    strict = hairpin_background(500, structure=structure, alphabet=rna, random_state=0)
    assert strict.shape == (500, 4, 21)
    assert torch.equal(
        strict, hairpin_background(500, structure=structure, random_state=0)
    )
    loose = hairpin_background(
        500, structure=structure, alphabet=rna, wobble=True, random_state=0
    )
    pairs = [[0, 20], [1, 19], [3, 9], [4, 8], [12, 18], [13, 17]]
    assert forms_pairs(strict, pairs, alphabet=rna).all()
    assert forms_pairs(loose, pairs, alphabet=rna, wobble=True).all()
    # G-U and U-G come about in 2 of 16 combinations.
    wobbles = ~forms_pairs(loose, pairs, alphabet=rna)
    assert wobbles.double().mean() == pytest.approx(1 / 8, abs=0.025)


def test_the_length_of_a_hairpin_follows_its_sources(X):
    short = Hairpin(stem_start=0, stem_length=3, loop_length=4)
    seeded = {"random_state": 0}  # some rows of X have an N where a stem would be
    assert hairpin_background(2, **seeded).shape[-1] == 41
    assert hairpin_background(2, 12, structure=short, **seeded).shape[-1] == 12
    cut = X[:, :, 10:30]
    assert hairpin_background(2, X=cut, structure=short, **seeded).shape[-1] == 20
    assert hairpin_background(2, 41, X=X, **seeded).shape[-1] == 41


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"length": 32}, "ends at 33 and runs past a sequence of length 32"),
        ({"length": 40, "structure": "(...)"}, "`structure` has 5 characters"),
        ({"structure": ""}, "`length`=0 must be at least 1"),
        ({"alphabet": ()}, "no complementary bases"),
        ({"alphabet": ("A", "B")}, "no complementary bases"),
        ({"X": torch.eye(4)[None].repeat(1, 1, 11), "length": 41}, "`length`=41, but"),
        ({"X": torch.zeros(2, 3, 41)}, "`X` has 3 channels"),
        ({"X": torch.zeros(2, 4, 41)}, "padding .* in sequence 0 at position 5,"),
    ],
)
def test_impossible_hairpins_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        hairpin_background(5, **options)


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
        assert torch.equal(sample_background(name, X, 12, scores, 1), background)


def test_unknown_names_and_missing_scores_are_refused(X):
    for name in ("quartile5", ["profile"], 1):
        with pytest.raises(ValueError, match=r"`name`=.* is not .*'profile'"):
            sample_background(name, X)
    with pytest.raises(ValueError, match="'quartile1' needs `scores`"):
        sample_background("quartile1", X)
    with pytest.raises(ValueError, match="`n`=13, but only 12 of the 48 sequences"):
        sample_background("quartile1", X, 13, np.arange(48))
