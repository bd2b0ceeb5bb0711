import itertools

import numpy as np
import pytest
import torch
from tangermeme.utils import random_one_hot, reverse_complement

from tangermeme_gia._core.motif import Motif
from tangermeme_gia._core.patterns import place
from tangermeme_gia.kmers.codes import (
    all_kmers,
    canonical_index,
    canonical_kmers,
    indices_from_codes,
    kmer_channels,
    kmer_from_index,
    n_kmers,
    place_kmers,
    reverse_complement_index,
)


def index_of(kmer: str, alphabet: str = "ACGT") -> int:
    codes = Motif.parse(kmer, alphabet).values
    return int(indices_from_codes(codes, len(alphabet))[0])


@pytest.mark.parametrize("alphabet", ["ACGT", "ACGU", "ABCDE"])
def test_indices_number_the_kmers_in_product_order(alphabet):
    expected = ["".join(letters) for letters in itertools.product(alphabet, repeat=3)]
    assert all_kmers(3, alphabet) == expected
    assert n_kmers(3, len(alphabet)) == len(expected)
    assert [kmer_from_index(i, 3, alphabet) for i in range(len(expected))] == expected
    assert [index_of(kmer, alphabet) for kmer in expected] == [*range(len(expected))]


def test_long_kmers_keep_their_index():
    kmer = "TGCATGCATTTGCCCAGAGATTTACAGATTA"
    index = index_of(kmer)
    assert index > 2**60
    assert kmer_from_index(index, 31) == kmer
    kmer_rc = kmer_from_index(reverse_complement_index([index], 31)[0], 31)
    assert kmer_rc == reverse_complement(kmer)


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_folding_keeps_one_of_each_pair_of_strands(k):
    kmers = all_kmers(k)
    partners = reverse_complement_index(np.arange(4**k), k)
    assert [kmers[i] for i in partners] == [reverse_complement(kmer) for kmer in kmers]
    kept = canonical_kmers(k)
    palindromes = 2**k if k % 2 == 0 else 0
    assert len(kept) == (4**k + palindromes) // 2
    assert set(kept) | set(partners[kept]) == set(range(4**k))
    np.testing.assert_array_equal(
        canonical_index(partners, k), canonical_index(np.arange(4**k), k)
    )


@pytest.mark.parametrize("start", [None, 0, 8])
@pytest.mark.parametrize("dtype", [torch.int8, torch.float32])
def test_placing_by_index_equals_placing_letters(start, dtype):
    X = random_one_hot((5, 4, 11), random_state=0).to(dtype)
    X[:, :, :2] = 0
    before = X.clone()
    indices = np.array([63, 0, 27, 27])
    treated = place_kmers(X, indices, 3, start)
    assert treated.dtype == dtype
    expected = [place(X, [(kmer_from_index(i, 3), start)]) for i in indices]
    assert torch.equal(treated, torch.stack(expected))
    assert torch.equal(X, before)


def test_other_alphabets_place_their_kmers():
    alphabet = "ACDEFGHIKLMNPQRSTVWY"
    X = random_one_hot((2, 20, 7), probs=[[0.05] * 20], random_state=0)
    index = index_of("WNY", alphabet)
    assert torch.equal(
        place_kmers(X, [index], 3, 1)[0], place(X, [("WNY", 1)], alphabet)
    )


def test_no_kmer_gives_no_sequence():
    assert place_kmers(torch.zeros(5, 4, 11), [], 3).shape == (0, 5, 4, 11)
    assert kmer_channels([], 3).shape == (0, 3)


def test_what_is_no_kmer_is_refused():
    with pytest.raises(ValueError, match="`indices` holds 64; the 3-mers of 4 letters"):
        kmer_channels([0, 64], 3)
    with pytest.raises(ValueError, match="`indices` holds -1"):
        canonical_index([-1], 3)
    with pytest.raises(ValueError, match="one-dimensional array of integers"):
        kmer_channels([0.5], 3)
    with pytest.raises(ValueError, match="`start`=9 with a 3-mer runs past"):
        place_kmers(torch.zeros(1, 4, 11), [0], 3, 9)


@pytest.mark.parametrize("k", [0, -1, 2.0, True])
def test_k_must_be_a_positive_integer(k):
    with pytest.raises(ValueError, match=f"`k`={k} must be an integer of at least 1"):
        all_kmers(k)


def test_kmers_beyond_64_bits_are_refused():
    with pytest.raises(ValueError, match="`k`=32 gives more k-mers than"):
        kmer_channels([0], 32)
