"""Motifs are read from letters, probabilities and log-odds, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from residualbind.simulation.motifs import (
    motif_log_odds,
    motif_probabilities,
    parse_motif,
)

PPM = np.array([[0.7, 0.25], [0.1, 0.25], [0.1, 0.25], [0.1, 0.25]])


def test_letters_are_upper_case_rna():
    assert parse_motif("tgNaug") == "UGNAUG"


@pytest.mark.parametrize("matrix", [PPM, torch.tensor(PPM), PPM.tolist()])
def test_matrices_become_nested_tuples_row_by_row(matrix):
    assert parse_motif(matrix) == tuple(tuple(row) for row in PPM.tolist())


def test_letters_score_one_each_and_n_none():
    expected = [[0, 0, 1], [0, 0, 0], [0, 0, 0], [1, 0, 0]]
    np.testing.assert_array_equal(motif_log_odds("UNA"), expected)
    np.testing.assert_array_equal(
        motif_probabilities("UNA"),
        [[0, 0.25, 1], [0, 0.25, 0], [0, 0.25, 0], [1, 0.25, 0]],
    )


def test_probabilities_become_bits_against_equal_frequencies():
    np.testing.assert_allclose(
        motif_log_odds(PPM)[:, 0], np.log2(np.array([0.71, 0.11, 0.11, 0.11]) / 0.26)
    )
    np.testing.assert_allclose(motif_log_odds(PPM)[:, 1], 0, atol=1e-12)


def test_letters_of_probability_zero_stay_finite():
    certain = np.eye(4)
    assert np.isfinite(motif_log_odds(certain)).all()
    np.testing.assert_array_equal(motif_probabilities(certain), certain)


def test_log_odds_are_kept_and_give_their_probabilities():
    log_odds = np.log2(PPM / 0.25)
    np.testing.assert_array_equal(motif_log_odds(log_odds), log_odds)
    np.testing.assert_allclose(motif_probabilities(log_odds), PPM)


@pytest.mark.parametrize(
    ("motif", "error", "message"),
    [
        ("UGXA", ValueError, "`motif`='UGXA' must consist of A, C, G, U"),
        ("", ValueError, "`motif`='' must consist of"),
        ("NN", ValueError, "at least one letter that is not N"),
        (PPM.T, ValueError, r"shape \(2, 4\).*it looks transposed"),
        (
            PPM[:3],
            ValueError,
            r"shape \(3, 2\); a matrix must have shape \(4, length\)",
        ),
        (PPM[:, :0], ValueError, r"shape \(4, 0\)"),
        (PPM[:, 0], TypeError, "must be a string or a matrix of numbers"),
        (PPM * np.nan, ValueError, "NaN or infinite"),
        (PPM * 100, ValueError, "divide counts by their column sums"),
        (np.full((4, 3), 0.25), ValueError, "no best letter at any position"),
        (-PPM, ValueError, "none with log-odds above 0"),
        (None, TypeError, "`motif` of type NoneType"),
        ([["A", "C"]], TypeError, "`motif` of type list"),
        ([[1.0], [1.0, 0.0]], TypeError, "`motif` of type list"),
    ],
)
def test_what_is_no_motif_is_refused(motif, error, message):
    with pytest.raises(error, match=message):
        parse_motif(motif)
