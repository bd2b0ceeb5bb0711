from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
import torch
from scipy import stats
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.utils import characters, one_hot_encode, random_one_hot

from tangermeme_gia._core.letters import DRAW_STREAM, TEMPLATE_STREAM, as_generator
from tangermeme_gia.backgrounds import shuffles
from tangermeme_gia.backgrounds.shuffles import (
    dinucleotide_shuffled_background,
    draw_rows,
    shuffled_background,
)

SHUFFLES = {
    "shuffle": shuffled_background,
    "dinucleotide": dinucleotide_shuffled_background,
    "uniform": lambda *args: dinucleotide_shuffled_background(*args, uniform=True),
}
every_shuffle = pytest.mark.parametrize("name", SHUFFLES)


@pytest.fixture
def gapped() -> torch.Tensor:
    """Sequences of 30 to 41 bases centred in 41, some with N inside."""
    X = random_one_hot((60, 4, 41), random_state=1)
    for i, x in enumerate(X):
        missing = i % 12
        x[:, : missing // 2] = 0
        x[:, 41 - (missing - missing // 2) :] = 0
        x[:, [17, 18, 25][: i % 4]] = 0
    X[-1] = 0  # nothing but padding
    return X


def codes(X: torch.Tensor) -> np.ndarray:
    values, letters = X.float().max(dim=1)
    return torch.where(values == 0, X.shape[1], letters).numpy()


def all_dinucleotide_shuffles(sequence: str) -> set[str]:
    """By brute force: the same dinucleotides, from the same first letter."""
    found = set()

    def extend(path: str, left: Counter) -> None:
        if not left:
            found.add(path)
        for step in list(left):
            if step[0] == path[-1]:
                extend(path + step[1], left - Counter([step]))

    extend(sequence[0], Counter(map("".join, pairwise(sequence))))
    return {path for path in found if path[-1] == sequence[-1]}


def uniformity(counts: list[int]) -> float:
    return stats.chisquare(counts).pvalue


def test_templates_are_drawn_once_each_while_there_are_enough():
    assert sorted(draw_rows(500, n=500, random_state=0)) == list(range(500))
    rows = draw_rows(500, n=499, random_state=0)
    assert len(set(rows.tolist())) == 499
    assert uniformity(np.bincount(draw_rows(5, n=5000, random_state=0))) > 0.001
    firsts = [draw_rows(5, n=1, random_state=seed)[0] for seed in range(1000)]
    assert uniformity(np.bincount(firsts)) > 0.001


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 5), ValueError, "`n_observed`=0 must be at least 1"),
        ((5, 0), ValueError, "`n`=0 must be at least 1"),
        ((5, 2.0), TypeError, "`n`=2.0 must be an integer"),
        ((5, True), TypeError, "`n`=True must be an integer"),
        ((5, 2, -1), ValueError, "`random_state`=-1 must not be negative"),
        ((5, 2, "a"), TypeError, "`random_state`='a' must be an integer, a"),
    ],
)
def test_impossible_numbers_of_templates_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        draw_rows(*arguments)


def test_what_is_done_to_templates_is_independent_of_their_choice():
    choice, draws = (
        as_generator(0, stream).random(50) for stream in (TEMPLATE_STREAM, DRAW_STREAM)
    )
    assert abs(np.corrcoef(choice, draws)[0, 1]) < 0.5


@every_shuffle
@pytest.mark.parametrize("n", [20, 60, 150])
def test_each_row_keeps_padding_and_composition_of_its_template(gapped, name, n):
    background = SHUFFLES[name](gapped, n, 3)
    templates = gapped[draw_rows(len(gapped), n, 3)]
    assert torch.equal(background.sum(dim=1), templates.sum(dim=1))
    assert torch.equal(background.sum(dim=2), templates.sum(dim=2))
    assert not torch.equal(background, templates)


@pytest.mark.parametrize("name", ["dinucleotide", "uniform"])
def test_dinucleotide_counts_are_exact_also_around_N(gapped, name):
    background = codes(SHUFFLES[name](gapped, 200, 4))
    templates = codes(gapped[draw_rows(len(gapped), 200, 4)])
    changed = 0
    for shuffled, template in zip(background, templates, strict=True):
        assert Counter(pairwise(shuffled)) == Counter(pairwise(template))
        changed += (shuffled != template).any()
    assert changed > 150


@every_shuffle
def test_the_first_rows_do_not_depend_on_n(gapped, name):
    short, long = (SHUFFLES[name](gapped, n, 5) for n in (25, 60))
    assert torch.equal(short, long[:25]) == (name != "uniform")


def test_every_sequence_has_a_permutation_of_its_own():
    # With a letter of its own at each position, a shuffle shows its permutation.
    X = torch.eye(20, dtype=torch.int8)[None].expand(4000, 20, 20)
    background = codes(shuffled_background(X, 4000, 0))
    assert len(np.unique(background, axis=0)) == 4000
    for position in (0, 7, 19):
        counts = np.bincount(background[:, position], minlength=20)
        assert uniformity(counts) > 0.001
    # Neighbouring rows are independent: they agree in one position on average.
    agreement = (background[1:] == background[:-1]).sum(axis=1)
    assert agreement.mean() == pytest.approx(1, abs=5 / np.sqrt(3999))


def test_letters_are_permuted_uniformly_between_padding():
    X = one_hot_encode("NACNGTN")[None]
    found, counts = np.unique(
        codes(shuffled_background(X, 4800, 0)), axis=0, return_counts=True
    )
    assert len(found) == 24
    padding = codes(X)[0][0]
    assert (found[:, [0, 3, 6]] == padding).all()
    assert padding not in found[:, [1, 2, 4, 5]]
    assert uniformity(counts) > 0.001


# The last letter equal to the first and not; letters that follow themselves.
@pytest.mark.parametrize(
    ("sequence", "n_shuffles"),
    [("ACCCACGATGATA", 72), ("ACGACTACTAAC", 12), ("CCATGGACCAGT", 36), ("AACA", 2)],
)
def test_the_uniform_shuffle_reaches_every_shuffle_equally(sequence, n_shuffles):
    expected = all_dinucleotide_shuffles(sequence)
    assert len(expected) == n_shuffles
    X = one_hot_encode(sequence)[None]
    background = dinucleotide_shuffled_background(X, 200 * n_shuffles, 0, uniform=True)
    unique, counts = np.unique(codes(background), axis=0, return_counts=True)
    found = {"".join("ACGT"[code] for code in row) for row in unique}
    assert found == expected
    assert uniformity(counts) > 0.001


def test_the_uniform_shuffle_is_uniform_for_runs_of_one_length_together():
    sequences = ["ACCACGATGATA", "AATTCCGGATCA"]
    X = torch.stack([one_hot_encode(sequence) for sequence in sequences])
    background = codes(dinucleotide_shuffled_background(X, 12_000, 1, uniform=True))
    rows = draw_rows(2, 12_000, 1)
    for row, sequence in enumerate(sequences):
        _, counts = np.unique(background[rows == row], axis=0, return_counts=True)
        assert len(counts) == len(all_dinucleotide_shuffles(sequence))
        assert uniformity(counts) > 0.001


def test_the_uniform_shuffle_copes_with_a_rare_way_out():
    sequence = "AC" * 150 + "GT" * 150 + "A"
    X = one_hot_encode(sequence)[None]
    background = dinucleotide_shuffled_background(X, 20, 0, uniform=True)
    template = Counter(pairwise(sequence))
    for x in background:
        shuffled = characters(x)
        assert Counter(pairwise(shuffled)) == template


def test_the_default_reaches_what_tangermeme_reaches():
    X = one_hot_encode("ACCCACGATGATA")[None]
    theirs = dinucleotide_shuffle(X, n=2000, random_state=0)[0]
    reached = {characters(x) for x in theirs}
    ours = {characters(x) for x in dinucleotide_shuffled_background(X, 2000, 0)}
    assert ours == reached
    assert len(reached) == 9
    assert {s[-2:] for s in ours} == {"TA"}


@pytest.mark.parametrize("n_letters", [4, 5, 20])
def test_the_default_equals_tangermeme_seed_by_seed(monkeypatch, n_letters):
    seeds = []

    def spy(X, n, random_state):
        seeds.append(random_state)
        return dinucleotide_shuffle(X, n=n, random_state=random_state)

    monkeypatch.setattr(shuffles, "dinucleotide_shuffle", spy)
    X = random_one_hot((30, n_letters, 41), random_state=2)
    background = dinucleotide_shuffled_background(X, 30, 6)
    templates = X[draw_rows(30, 30, 6)]
    expected = dinucleotide_shuffle(templates, n=1, random_state=seeds[0])[:, 0]
    assert len(seeds) == 1
    assert len(set(seeds[0].tolist())) == 30
    assert torch.equal(background, expected)


@pytest.mark.parametrize("name", ["dinucleotide", "uniform"])
@pytest.mark.parametrize(
    "sequence", ["A", "AC", "ACG", "AAAAAAAA", "NNNN", "ACACAC", "ACGNNTGA"]
)
def test_a_sequence_without_another_shuffle_comes_back(name, sequence):
    X = one_hot_encode(sequence)[None]
    assert torch.equal(SHUFFLES[name](X, 30, 0), X.expand(30, -1, -1))


@pytest.mark.parametrize("n", [6, 200])
@pytest.mark.parametrize(
    "sample",
    [
        shuffled_background,
        dinucleotide_shuffled_background,
        lambda X, *args, **kw: dinucleotide_shuffled_background(
            X, *args, uniform=True, **kw
        ),
    ],
)
def test_templates_are_what_is_shuffled(gapped, sample, n):
    background, rows = sample(gapped, n, 3, return_templates=True)
    assert torch.equal(background, sample(gapped, n, 3))
    assert rows.shape == (n,)
    assert len(set(rows.tolist())) == min(n, len(set(rows.tolist())))
    counts = (x.sum(dim=2) for x in (background, gapped[rows]))
    assert torch.equal(*counts)
    assert torch.equal(background.sum(dim=1), gapped[rows].sum(dim=1))
    assert rows.tolist() == draw_rows(len(gapped), n, 3).tolist()
