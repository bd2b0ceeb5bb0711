"""k-mers as numbers, against letters."""

import itertools

import numpy as np
import pytest
import torch

import residualbind as rb
from residualbind.methods.kmers import (
    kmer_correlations,
    kmer_counts,
    letters_of,
    window_codes,
)

SEQUENCES = ["ACGUACG", "GGNGG", "UUUUUUU", "CA"]


@pytest.mark.parametrize("k", [1, 2, 3])
def test_codes_are_places_in_the_order_of_the_alphabet(k):
    order = ["".join(kmer) for kmer in itertools.product("ACGU", repeat=k)]
    X = rb.encode_sequences(SEQUENCES, 7)
    codes = window_codes(X, k)
    for row, sequence in zip(codes.tolist(), SEQUENCES, strict=True):
        start = (7 - len(sequence)) // 2
        padded = "N" * start + sequence + "N" * (7 - len(sequence) - start)
        windows = [padded[i : i + k] for i in range(7 - k + 1)]
        assert row == [order.index(w) if "N" not in w else 4**k for w in windows]


def test_structure_behind_the_letters_says_nothing():
    X = rb.encode_sequences(SEQUENCES, 7).float()
    more = torch.cat([X, torch.rand(4, 5, 7)], dim=1)
    assert torch.equal(window_codes(more, 2), window_codes(X, 2))


def test_counts_and_letters():
    counts = kmer_counts(rb.encode_sequences(SEQUENCES, 7), 2).toarray()
    assert counts.shape == (4, 16)
    assert counts.sum(axis=1).tolist() == [6, 2, 6, 1]
    assert counts[2, 15] == 6
    assert letters_of(int(counts[2].argmax()), 2) == [3, 3]
    assert letters_of(27, 3) == [1, 2, 3]


def test_correlations_are_those_of_numpy():
    simulated = rb.simulate_rnacompete(200).data
    found = kmer_correlations(simulated.X, simulated.y, 3)
    counts = kmer_counts(simulated.X, 3).toarray()
    for code in (0, 17, 63):
        expected = np.corrcoef(counts[:, code], simulated.y[:, 0])[0, 1]
        assert found[code] == pytest.approx(expected, abs=1e-6)


def test_a_word_that_is_everywhere_as_often_correlates_with_nothing():
    X = rb.encode_sequences(["ACG", "ACU", "ACA"], 3)
    y = torch.tensor([[1.0], [2.0], [4.0]])
    correlations = kmer_correlations(X, y, 2)
    assert correlations[1] == 0  # AC
    assert np.isfinite(correlations).all()
