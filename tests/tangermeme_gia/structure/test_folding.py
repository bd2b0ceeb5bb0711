"""Folding against ViennaRNA itself, and its independence of what a process holds."""

import re
import sys
from itertools import product

import numpy as np
import pytest
import RNA
import torch
from tangermeme.utils import PackedSequence, one_hot_encode, random_one_hot

from tangermeme_gia.structure.folding import (
    fold,
    folding_check,
    folds_and_probabilities,
    pair_probabilities,
    unpaired_probabilities,
)

RNA_LETTERS = ("A", "C", "G", "U")
HAIRPIN = "GGGGAAAACCCC"
# A transfer RNA, and what RNAfold 2.8.0 prints for it.
TRNA = "GCGGAUUUAGCUCAGUUGGGAGAGCGCCAGACUGAAGAUCUGGAGGUCCUGUGUUCGAUCCACAGAAUUCGCACCA"
TRNA_FOLD = (
    "(((((((..((((........)))).(((((.......))))).....(((((.......))))))))))))...."
)
TRNA_ENERGY = -22.4


@pytest.fixture
def vienna(tmp_path):
    """ViennaRNA with its default parameters, which other tests may have replaced."""
    before = str(tmp_path / "before.par")
    RNA.params_save(before)
    RNA.params_load_RNA_Turner2004()
    yield RNA
    RNA.params_load(before)


def encode(*sequences, alphabet=RNA_LETTERS):
    return torch.stack([one_hot_encode(x, alphabet=list(alphabet)) for x in sequences])


def letters(X):
    return ["".join("ACGU"[i] for i in x.argmax(dim=0)) for x in X]


def test_structures_and_energies_are_viennas(vienna):
    X = random_one_hot((20, 4, 41), random_state=0)
    folds = fold(X, alphabet=RNA_LETTERS)
    expected = [vienna.fold_compound(x).mfe() for x in letters(X)]
    assert folds.structures == [structure for structure, _ in expected]
    assert np.allclose(folds.energies, [energy for _, energy in expected], atol=1e-5)
    assert (folds.energies == folds.energies.round(2)).all()
    assert (folds.energies < 0).any()


def test_probabilities_are_viennas(vienna):
    X = random_one_hot((6, 4, 30), random_state=1)
    matrices = pair_probabilities(X, alphabet=RNA_LETTERS)
    unpaired = unpaired_probabilities(X, alphabet=RNA_LETTERS)
    for x, matrix, probabilities in zip(letters(X), matrices, unpaired, strict=True):
        compound = vienna.fold_compound(x)
        compound.pf()
        upper = np.array(compound.bpp())[1:, 1:]
        assert np.allclose(matrix, upper + upper.T, atol=1e-9)
        assert np.allclose(probabilities, 1 - (upper + upper.T).sum(axis=0), atol=1e-9)
    assert matrices.max() > 0.5


def test_a_multibranch_structure_has_the_energy_of_rnafold():
    folds = fold(encode(TRNA), alphabet=RNA_LETTERS)
    assert folds.structures == [TRNA_FOLD]
    assert folds.energies[0] == pytest.approx(TRNA_ENERGY, abs=1e-4)


def test_what_a_process_has_loaded_neither_matters_nor_changes(vienna):
    X = random_one_hot((20, 4, 41), random_state=2)
    expected = folds_and_probabilities(X, RNA_LETTERS)
    sequence = letters(X)[0]
    temperature = RNA.cvar.temperature
    try:
        RNA.params_load_RNA_Turner1999()
        RNA.cvar.temperature = 50.0
        before = [RNA.fold_compound(x).mfe() for x in letters(X)]
        folds, unpaired = folds_and_probabilities(X, RNA_LETTERS)
        assert [RNA.fold_compound(x).mfe() for x in letters(X)] == before
        assert RNA.cvar.temperature == 50.0
    finally:
        RNA.cvar.temperature = temperature
    assert folds.structures == expected[0].structures
    assert np.array_equal(folds.energies, expected[0].energies)
    assert np.array_equal(unpaired, expected[1])
    # The parameters that were loaded do give another answer.
    assert not np.allclose([energy for _, energy in before], folds.energies)
    assert RNA.fold(sequence)  # and can still be used


def test_both_at_once_are_each_alone():
    X = random_one_hot((7, 4, 25), random_state=3)
    folds, unpaired = folds_and_probabilities(X, RNA_LETTERS)
    alone = fold(X, alphabet=RNA_LETTERS)
    assert folds.structures == alone.structures
    assert np.array_equal(folds.energies, alone.energies)
    assert np.array_equal(unpaired, unpaired_probabilities(X, alphabet=RNA_LETTERS))


def test_dna_is_folded_as_its_rna_in_any_order_of_letters():
    X = random_one_hot((5, 4, 30), random_state=4)
    expected = fold(X, alphabet=RNA_LETTERS)
    assert fold(X).structures == expected.structures
    order = [3, 0, 2, 1]
    turned = fold(X[:, order], alphabet=[RNA_LETTERS[i] for i in order])
    assert turned.structures == expected.structures
    assert np.array_equal(turned.energies, expected.energies)


def test_padding_is_not_there_and_n_pairs_with_nothing():
    X = torch.zeros(3, 4, 20)
    X[0, :, 3:15] = encode(HAIRPIN)[0]
    X[1, :, 3:15] = encode("GGGGAAAACCCC")[0]
    X[1, :, 4] = 0  # N within the stem
    folds, unpaired = folds_and_probabilities(X, RNA_LETTERS)
    alone = fold(encode(HAIRPIN), alphabet=RNA_LETTERS)
    assert folds.structures[0] == "..." + alone.structures[0] + "....."
    assert folds.energies[0] == alone.energies[0]
    assert np.isnan(unpaired[0, [0, 2, 15, 19]]).all()
    assert not np.isnan(unpaired[0, 3:15]).any()
    assert unpaired[1, 4] == pytest.approx(1)
    assert folds.structures[1][4] == "."
    assert folds.energies[1] > folds.energies[0]
    assert folds.structures[2] == "." * 20  # nothing but padding
    assert folds.energies[2] == 0
    assert np.isnan(unpaired[2]).all()
    matrix = pair_probabilities(X, alphabet=RNA_LETTERS)
    assert matrix[0, 3, 14] > 0.5
    assert matrix[0, :3].sum() == matrix[0, 15:].sum() == matrix[2].sum() == 0


@pytest.mark.parametrize("length", [1, 4, 5])
def test_sequences_too_short_to_fold_are_unpaired(length):
    X = random_one_hot((2, 4, length), random_state=0)
    folds, unpaired = folds_and_probabilities(X, RNA_LETTERS)
    assert folds.structures == ["." * length] * 2
    assert np.allclose(unpaired, 1, atol=0.01)


def test_packed_sequences_and_processes_give_the_same():
    X = random_one_hot((150, 4, 41), random_state=5)
    expected = fold(X, n_jobs=1)
    for given, n_jobs in product((X, PackedSequence.from_one_hot(X)), (1, 3)):
        folds = fold(given, n_jobs=n_jobs)
        assert folds.structures == expected.structures
        assert np.array_equal(folds.energies, expected.energies)


def test_a_check_finds_the_designed_pairs_in_the_most_stable_structure():
    # The second cannot pair; the third has a longer stem than was asked for.
    X = encode("AGGGGAAAACCCCU", "AAAAAAAAAAAAAA", "CGGGGAAAACCCCG")
    check = folding_check(X, ".((((....)))).", alphabet=RNA_LETTERS)
    assert check.folds.tolist() == [True, False, True]
    assert check.pairs_formed.tolist() == [1, 0, 1]
    assert check.share == pytest.approx(2 / 3)
    matrix = pair_probabilities(X, alphabet=RNA_LETTERS)
    pairs = [(1, 12), (2, 11), (3, 10), (4, 9)]
    mean = np.mean([matrix[:, i, j] for i, j in pairs], axis=0)
    assert np.allclose(check.pair_probability, mean, atol=1e-9)
    assert np.array_equal(check.energies, fold(X, alphabet=RNA_LETTERS).energies)


def test_a_check_counts_the_pairs_that_form_and_those_in_padding_do_not():
    X = encode("AGGGGAAAACCCCU")
    check = folding_check(X, "(((((....)))))", alphabet=RNA_LETTERS)
    structure = fold(X, alphabet=RNA_LETTERS).structures[0]
    assert check.pairs_formed[0] == (1 if structure[0] == "(" else 0.8)
    X[0, :, 0] = 0
    padded = folding_check(X, "(((((....)))))", alphabet=RNA_LETTERS)
    assert padded.pairs_formed.tolist() == [0.8]
    assert not padded.folds[0]
    assert 0.5 < padded.pair_probability[0] < 0.8


@pytest.mark.parametrize(
    ("structure", "message"),
    [
        ("............", "`structure` has no base pair"),
        ("((((...))))", "`structure` has 11 characters, but the sequences have 12"),
        ("((((....)))]", "a pseudoknot"),
        ("paper", "runs past a sequence of length 12"),
    ],
)
def test_a_check_needs_a_structure_that_fits(structure, message):
    with pytest.raises(ValueError, match=message):
        folding_check(encode(HAIRPIN), structure, alphabet=RNA_LETTERS)


@pytest.mark.parametrize(
    ("X", "options", "error", "message"),
    [
        (torch.zeros(2, 3, 5), {}, ValueError, r"`X` has shape \(2, 3, 5\)"),
        (torch.ones(2, 4, 5), {}, ValueError, "`X` is not one-hot"),
        (torch.zeros(0, 4, 5), {}, ValueError, "at least one sequence"),
        ("ACGU", {}, TypeError, "`X` is of type str"),
        (torch.zeros(2, 4, 5), {"alphabet": "ABCD"}, ValueError, "no complementary"),
        (torch.zeros(2, 4, 5), {"n_jobs": 0}, ValueError, "`n_jobs`=0 must be at"),
        (torch.zeros(2, 4, 5), {"n_jobs": 1.0}, TypeError, "`n_jobs`=1.0 must be an"),
    ],
)
@pytest.mark.parametrize("function", [fold, unpaired_probabilities, pair_probabilities])
def test_what_cannot_be_folded_is_refused(function, X, options, error, message):
    with pytest.raises(error, match=message):
        function(X, **options)


@pytest.mark.parametrize("function", [fold, unpaired_probabilities, pair_probabilities])
def test_without_viennarna_the_extra_is_named(monkeypatch, function):
    monkeypatch.setitem(sys.modules, "RNA", None)
    wanted = re.escape('pip install "tangermeme-gia[vienna]"')
    with pytest.raises(ImportError, match=wanted):
        function(encode(HAIRPIN), alphabet=RNA_LETTERS)
    with pytest.raises(ImportError, match=wanted):
        folding_check(encode(HAIRPIN), "((((....))))", alphabet=RNA_LETTERS)


def test_progress_is_shown_if_asked_for(capsys):
    X = encode(HAIRPIN, HAIRPIN)
    fold(X, alphabet=RNA_LETTERS)
    assert capsys.readouterr().err == ""
    fold(X, alphabet=RNA_LETTERS, verbose=True)
    assert "2/2" in capsys.readouterr().err
