import numpy as np
import pytest
import torch
from tangermeme.ersatz import substitute
from tangermeme.utils import (
    PackedSequence,
    characters,
    one_hot_encode,
    random_one_hot,
)

from tangermeme_gia.structure.pairing import forms_pairs, impose_pairs
from tangermeme_gia.structure.pairs import PAPER_HAIRPIN

PAIRS = PAPER_HAIRPIN.pairs
RNA = ("A", "C", "G", "U")


@pytest.fixture
def X() -> torch.Tensor:
    return random_one_hot((50, 4, 41), random_state=0)


def encode(*sequences: str) -> torch.Tensor:
    return torch.stack([one_hot_encode(sequence) for sequence in sequences])


def test_which_letters_pair():
    letters = "ACGT"
    X = encode(*(a + "AAA" + b for a in letters for b in letters))
    for wobble, expected in [(False, "AT CG GC TA"), (True, "AT CG GC GT TA TG")]:
        formed = forms_pairs(X, [[0, 4]], wobble=wobble)[:, 0]
        pairs = [a + b for a in letters for b in letters]
        found = [pair for pair, yes in zip(pairs, formed, strict=True) if yes]
        assert found == expected.split()


def test_padding_pairs_with_nothing():
    assert not forms_pairs(encode("NAAAT", "AAAAN"), [[0, 4]], wobble=True).any()


def test_the_right_arm_becomes_the_complement_of_the_left(X):
    before = X.clone()
    Y = impose_pairs(X, PAIRS)
    assert forms_pairs(Y, PAIRS).all()
    assert not forms_pairs(X, PAIRS).all()
    assert torch.equal(X, before)
    others = [i for i in range(41) if i not in PAPER_HAIRPIN.right_arm]
    assert torch.equal(Y[:, :, others], X[:, :, others])
    assert (Y.sum(dim=1) == 1).all()


def test_imposing_pairs_twice_changes_nothing_more(X):
    once = impose_pairs(X, PAIRS)
    assert torch.equal(impose_pairs(once, PAIRS), once)


@pytest.mark.parametrize("start", [3, 5, 8, 13, 16, 19, 24, 27, 30])
def test_a_motif_keeps_its_letters_and_carries_its_partners(X, start):
    stem = impose_pairs(X, PAIRS)
    motif = "GCTGG"  # around the loop it never covers both sides of a pair
    placed = range(start, start + len(motif))
    treated = impose_pairs(substitute(stem, motif, start=start), PAIRS, keep=placed)
    assert forms_pairs(treated, PAIRS).all()
    assert all(characters(x)[start : start + 5] == motif for x in treated)
    partner = dict(PAIRS.tolist()) | dict(PAIRS[:, ::-1].tolist())
    touched = {*placed, *(partner[i] for i in placed if i in partner)}
    others = [i for i in range(41) if i not in touched]
    assert torch.equal(treated[:, :, others], stem[:, :, others])


def test_a_wobble_pair_stays_only_if_it_is_allowed():
    X = encode("GAAAT", "TAAAG", "AAAAC")
    wobble = [characters(x) for x in impose_pairs(X, [[0, 4]], wobble=True)]
    strict = [characters(x) for x in impose_pairs(X, [[0, 4]])]
    assert wobble == ["GAAAT", "TAAAG", "AAAAT"]
    assert strict == ["GAAAC", "TAAAA", "AAAAT"]


def test_the_order_of_the_alphabet_is_followed(X):
    reordered = ("U", "A", "C", "G")
    channels = [reordered.index(letter) for letter in RNA]
    Y = impose_pairs(X, PAIRS, alphabet=reordered)
    expected = torch.empty_like(X)
    expected[:, channels] = impose_pairs(
        X[:, channels].contiguous(), PAIRS, alphabet=RNA
    )
    assert torch.equal(Y, expected)
    assert not torch.equal(Y, impose_pairs(X, PAIRS, alphabet=RNA))


@pytest.mark.parametrize("dtype", [torch.int8, torch.float32, torch.float16])
def test_dtype_is_kept(X, dtype):
    Y = impose_pairs(X.to(dtype), PAIRS)
    assert Y.dtype == dtype
    assert torch.equal(Y.to(torch.int8), impose_pairs(X, PAIRS))


def test_packed_sequences_give_the_same(X):
    packed = PackedSequence.from_one_hot(X)
    assert torch.equal(impose_pairs(packed, PAIRS), impose_pairs(X, PAIRS))
    assert torch.equal(forms_pairs(packed, PAIRS), forms_pairs(X, PAIRS))


def test_padding_outside_the_stem_stays(X):
    X[:, :, :5] = 0
    X[:, :, 33:] = 0
    X[:, :, 18] = 0
    Y = impose_pairs(X, PAIRS)
    assert forms_pairs(Y, PAIRS).all()
    assert torch.equal(Y.sum(dim=1), X.sum(dim=1))


@pytest.mark.parametrize(("position", "partner"), [(7, 30), (30, 7)])
def test_padding_in_the_stem_is_refused(X, position, partner):
    X[3, :, position] = 0
    message = f"sequence 3 at position {position}, .* pairs with position {partner}"
    with pytest.raises(ValueError, match=message):
        impose_pairs(X, PAIRS)


def test_kept_letters_that_clash_are_refused():
    X = encode("AAAAT", "AAAAC")
    assert impose_pairs(X[:1], [[0, 4]], keep=[0, 4]).shape == (1, 4, 5)
    with pytest.raises(
        ValueError, match=r"both sides of the pair \(0, 4\).*sequence 1"
    ):
        impose_pairs(X, [[0, 4]], keep=[0, 4])


def test_without_pairs_nothing_changes(X):
    assert torch.equal(impose_pairs(X, []), X)
    assert forms_pairs(X, []).shape == (50, 0)


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([[0, 41]], "`pairs` names positions 0 to 41, but `X` has positions 0 to 40"),
        ([[-1, 4]], "`pairs` names positions -1 to 4"),
        ([[0, 4], [4, 8]], "names position 4 more than once"),
        ([[4, 0]], r"holds \(4, 0\); the first must be below"),
        ([[3, 3]], r"holds \(3, 3\)"),
        ([[0.0, 4.0]], "dtype float64; it must be integers"),
        ([0, 4], r"shape \(2,\)"),
    ],
)
def test_impossible_pairs_are_refused(X, pairs, message):
    for function in (forms_pairs, impose_pairs):
        with pytest.raises(ValueError, match=message):
            function(X, pairs)


def test_kept_positions_are_checked(X):
    with pytest.raises(ValueError, match="`keep` names position 41"):
        impose_pairs(X, PAIRS, keep=[41])
    for wrong in (True, np.True_, 1.0, "1"):
        with pytest.raises(TypeError, match=r"`keep` holds .*; it must hold 0-based"):
            impose_pairs(X, PAIRS, keep=[wrong])
    kept = impose_pairs(X, PAIRS, keep=np.array([30]))
    assert torch.equal(kept, impose_pairs(X, PAIRS, keep=[30]))
    assert torch.equal(kept[:, :, 30], X[:, :, 30])


def test_X_has_to_be_one_hot_in_the_alphabet(X):
    with pytest.raises(ValueError, match="`X` is not one-hot: sequence 0 holds"):
        impose_pairs(X * 0.5, PAIRS)
    with pytest.raises(ValueError, match=r"`X` has shape \(2, 3, 41\)"):
        impose_pairs(torch.zeros(2, 3, 41), PAIRS)
    with pytest.raises(TypeError, match="`X` is of type str"):
        impose_pairs("ACGT", PAIRS)
    with pytest.raises(ValueError, match="no complementary bases"):
        impose_pairs(X, PAIRS, alphabet=("A", "C", "G", "X"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_the_result_is_on_the_device_of_X(X):
    Y = impose_pairs(X.cuda(), PAIRS, keep=[30])
    assert Y.device.type == "cuda"
    assert torch.equal(Y.cpu(), impose_pairs(X, PAIRS, keep=[30]))
