import numpy as np
import pytest
import torch
from scipy import stats
from tangermeme.utils import PackedSequence

from tangermeme_gia._core.letters import RNA
from tangermeme_gia.backgrounds.composition import (
    gc_comparison,
    kmer_divergence,
    motif_occurrences,
)


def encode(*sequences: str, alphabet: str = "ACGT") -> torch.Tensor:
    """One-hot sequences; N and - are zero columns."""
    X = torch.zeros(len(sequences), len(alphabet), len(sequences[0]))
    for i, sequence in enumerate(sequences):
        for j, letter in enumerate(sequence):
            if letter in alphabet:
                X[i, alphabet.index(letter), j] = 1
    return X


def draw(n: int, length: int, seed: int, p: tuple[float, ...] = (0.25,) * 4):
    letters = np.random.default_rng(seed).choice(4, size=(n, length), p=p)
    return np.eye(4, dtype=np.int8)[letters].transpose(0, 2, 1)


def test_divergence_by_hand():
    # 2-mers AC CA AC CA against AC CG GT: half of each mixture.
    result = kmer_divergence(encode("ACACA"), encode("ACGT"), k=2)
    p = {"AC": 1 / 2, "CA": 1 / 2}
    q = {"AC": 1 / 3, "CG": 1 / 3, "GT": 1 / 3}

    def to_mixture(a: dict[str, float], b: dict[str, float]) -> float:
        return sum(x * np.log2(2 * x / (x + b.get(kmer, 0))) for kmer, x in a.items())

    expected = (to_mixture(p, q) + to_mixture(q, p)) / 2
    assert result.divergence == pytest.approx(expected)
    assert (result.n_kmers, result.n_kmers_observed) == (4, 3)


def test_kmers_are_not_read_across_padding_or_n():
    padded = encode("--ACGT--", "ACNNNGT-")
    result = kmer_divergence(padded, encode("ACGT", "ACNN", "NNGT"), k=2)
    assert result.n_kmers == result.n_kmers_observed == 5
    assert result.divergence == 0


@pytest.mark.parametrize(("n", "k"), [(5, 3), (60, 1), (60, 4)])
def test_equal_samplers_diverge_by_little_more_than_chance(n, k):
    results = [
        kmer_divergence(draw(n, 41, seed), draw(100, 41, 1000 + seed), k=k)
        for seed in range(40)
    ]
    exceeded = np.mean([result.divergence > result.by_chance for result in results])
    assert exceeded < 0.2  # overlapping k-mers vary a little more than independent ones
    above = [result.divergence > result.by_chance + 0.01 for result in results]
    assert np.mean(above) < 0.1


def test_other_base_frequencies_diverge_beyond_chance():
    rich = draw(100, 41, 0, (0.2, 0.3, 0.3, 0.2))
    result = kmer_divergence(rich, draw(100, 41, 1))
    assert result.divergence > result.by_chance + 0.01
    # Sequences without a k-mer in common.
    assert kmer_divergence(encode("AAAA"), encode("CCCC")).divergence == 1


def test_many_sequences_are_counted_in_blocks(monkeypatch):
    X, X_observed = draw(30, 20, 0), draw(40, 20, 1)
    whole = kmer_divergence(X, X_observed)
    monkeypatch.setattr("tangermeme_gia.backgrounds.composition.WINDOWS_AT_ONCE", 50)
    assert kmer_divergence(X, X_observed) == whole


def test_a_packed_sequence_and_other_alphabets_are_read():
    X = encode("ACGTACGT", "GGCATNCA")
    packed = PackedSequence.from_one_hot(X)
    assert gc_comparison(packed, X).background == pytest.approx((0.5 + 4 / 7) / 2)
    assert gc_comparison(packed, X).p == 1
    assert motif_occurrences(packed, "CA").tolist() == [0, 2]
    assert motif_occurrences(packed, "CAU", RNA).tolist() == [0, 1]  # U is T
    assert kmer_divergence(packed, X, k=2).divergence == 0
    rna = encode("GCUUGC", alphabet="ACGU")
    assert motif_occurrences(rna, "CUU", RNA).tolist() == [1]
    letters = encode("ABCBD", alphabet="ABCD")
    assert motif_occurrences(letters, "BN", "ABCD").tolist() == [2]


def test_gc_is_compared_by_welch():
    X, X_observed = draw(40, 30, 0, (0.2, 0.3, 0.3, 0.2)), draw(60, 41, 1)
    gc = [X[:, 1:3].sum(axis=(1, 2)) / 30, X_observed[:, 1:3].sum(axis=(1, 2)) / 41]
    result = gc_comparison(X, X_observed)
    assert result.background == pytest.approx(gc[0].mean())
    assert result.observed == pytest.approx(gc[1].mean())
    assert result.difference == pytest.approx(gc[0].mean() - gc[1].mean())
    assert result.se == pytest.approx(np.hypot(*map(stats.sem, gc)))
    assert result.p == pytest.approx(stats.ttest_ind(*gc, equal_var=False).pvalue)
    assert gc_comparison(X, X).p == 1
    constant = encode("ACGT", "GCAT")
    assert gc_comparison(constant, constant).p == 1


def test_motifs_are_counted_with_overlaps_and_any_letter():
    X = encode("ACACACA", "ANACTCA", "-ACA---")
    assert motif_occurrences(X, "ACA").tolist() == [3, 0, 1]
    assert motif_occurrences(X, "ANA").tolist() == [3, 0, 1]  # N is no padding
    assert motif_occurrences(X, "ACACACA").tolist() == [1, 0, 0]
    assert motif_occurrences(X, "NACA").tolist() == [2, 0, 0]


def test_both_strands_count_a_window_once():
    X = encode("ACGTTTGAT", "GAATTCNNN")
    assert motif_occurrences(X, "ATCA").tolist() == [0, 0]
    assert motif_occurrences(X, "ATCA", both_strands=True).tolist() == [1, 0]
    # ACGT and GAATTC are their own reverse complements.
    assert motif_occurrences(X, "ACGT", both_strands=True).tolist() == [1, 0]
    assert motif_occurrences(X, "GAATTC", both_strands=True).tolist() == [0, 1]
    assert motif_occurrences(X, "NATCA", both_strands=True).tolist() == [0, 0]


@pytest.mark.parametrize(
    "dtype", [torch.int8, torch.bool, torch.float16, torch.bfloat16]
)
def test_one_hot_sequences_may_be_of_any_dtype(dtype):
    X = encode("ACGTACGT", "GGCATNCA")
    typed = X.to(dtype)
    assert motif_occurrences(typed, "CA").tolist() == [0, 2]
    assert gc_comparison(typed, X).background == (0.5 + 4 / 7) / 2
    assert kmer_divergence(typed, X, k=2) == kmer_divergence(X, X, k=2)


def test_inputs_are_not_changed():
    X = draw(5, 10, 0)
    before = X.copy()
    kmer_divergence(X, X)
    gc_comparison(X, X)
    motif_occurrences(X, "ACG")
    np.testing.assert_array_equal(X, before)


def test_codes_of_several_letters_match_each_of_them():
    X = encode("AGTA", "NTCW".replace("W", "A"))
    assert motif_occurrences(X, "W").tolist() == [3, 2]
    assert motif_occurrences(X, "rn").tolist() == [2, 0]
    assert motif_occurrences(X, "wg", both_strands=True).tolist() == [1, 1]


def test_bad_input_is_named():
    X = encode("ACGT", "ACGA")
    with pytest.raises(ValueError, match=r"`X` has shape \(4, 4\); it must be"):
        gc_comparison(X[0], X)
    with pytest.raises(ValueError, match=r"`X_observed` has shape \(0, 4, 4\)"):
        kmer_divergence(X, X[:0])
    for wrong in (X * 0.5, X + 1, 1 - X):
        with pytest.raises(ValueError, match="`X` is not one-hot: sequence 0 holds"):
            gc_comparison(wrong, X)
    with pytest.raises(ValueError, match="`X` has 4 channels and `X_observed` 3"):
        kmer_divergence(X, encode("ACG", alphabet="ACG"))
    for k in (0, 5, 10):
        with pytest.raises(ValueError, match=f"`k`={k} must be at least 1, at most"):
            kmer_divergence(X, X, k=k)
    with pytest.raises(ValueError, match="`X` holds no 3-mer without padding or N"):
        kmer_divergence(encode("ACNN"), X)
    with pytest.raises(ValueError, match=r"`X` has shape .* \(n, 3, length\)"):
        gc_comparison(X, X, "ACG")
    packed = PackedSequence.from_one_hot(X, alphabet=("A", "C", "T", "G"))
    with pytest.raises(ValueError, match="`X` was packed with the alphabet A, C, T, G"):
        motif_occurrences(packed, "ACG", "ACGT")
    ordered = PackedSequence.from_one_hot(X)
    with pytest.raises(ValueError, match=r"`X_observed` was packed with .* T, G"):
        kmer_divergence(ordered, packed)
    with pytest.raises(ValueError, match="has no G or no C"):
        gc_comparison(X, X, "ABCD")
    with pytest.raises(ValueError, match=r"1 sequences of padding only, .* index 1"):
        gc_comparison(encode("ACGT", "NNNN"), X)
    with pytest.raises(ValueError, match="`X_observed` holds 1 sequence; at least 2"):
        gc_comparison(X, X[:1])
    for motif in ("", "NN"):
        with pytest.raises(ValueError, match=f"`motif`='{motif}' must hold a letter"):
            motif_occurrences(X, motif)
    for motif, letter in (("ACX", "X"), ("J", "J")):
        with pytest.raises(ValueError, match=f"`motif` '{motif}' has '{letter}' at"):
            motif_occurrences(X, motif)
    with pytest.raises(ValueError, match=r"`motif`='ACGTA' of 5 .* than `X` \(4\)"):
        motif_occurrences(X, "ACGTA")
    with pytest.raises(ValueError, match="`alphabet` A, B, C, D has no complement"):
        motif_occurrences(X, "AB", "ABCD", both_strands=True)
