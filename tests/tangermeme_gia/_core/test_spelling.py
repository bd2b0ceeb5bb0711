import numpy as np
import pytest

from tangermeme_gia._core.letters import DNA, RNA
from tangermeme_gia._core.motif import Motif
from tangermeme_gia._core.spelling import AMBIGUOUS, respell
from tangermeme_gia.motifs import reverse_complement

PROTEIN = tuple("ACDEFGHIKLMNPQRSTVWY")


def test_letters_are_spelled_as_the_alphabet_does():
    assert respell("tgcaugn", RNA) == "UGCAUGN"
    assert respell("ut", DNA) == "TT"
    assert respell("tu", "ACDTU") == "TU"
    assert respell("AcGt", "acgt") == "acgt"
    assert respell("a-1", RNA) == "A-1"


def test_letters_of_either_case_and_t_or_u_are_those_of_the_alphabet():
    for text in ("TGCANT", "UGCANU", "ugcanu", "tGcAnU"):
        assert Motif.parse(text) == Motif.parse("TGCANT")
        assert Motif.parse(text, RNA).label == "UGCANU"
    assert reverse_complement("ugn", RNA) == "NCA"
    assert Motif.parse("mkn", PROTEIN).label == "MKN"


def test_letters_that_the_alphabet_has_stay_as_they_are():
    # m is a methylated C, beside A, C, G and T.
    assert Motif.parse("gmT", "ACGTm").values.tolist() == [[2, 4, 3]]
    assert Motif.parse("GATU", "AGTU").values.tolist() == [[1, 0, 2, 3]]
    assert Motif.parse("GA", "acgt").values.tolist() == [[2, 0]]
    with pytest.raises(ValueError, match="has 'U' at position 1, which is not in"):
        Motif.parse("MU", PROTEIN)


def test_letters_of_iupac_are_drawn():
    motif = Motif.parse("wNUv", RNA)
    A, C, G, U = motif.ppm
    np.testing.assert_allclose(A, [0.5, 0, 0, 1 / 3])
    np.testing.assert_allclose(C, [0, 0, 0, 1 / 3])
    np.testing.assert_allclose(G, [0, 0, 0, 1 / 3])
    np.testing.assert_allclose(U, [0.5, 0, 1, 0])
    assert motif.is_drawn
    assert motif.label == "WNUV"
    assert reverse_complement("RGATAV") == "BTATCY"
    assert Motif.parse(Motif.parse("rtk"), RNA).label == "RUK"


@pytest.mark.parametrize(("letter", "bases"), AMBIGUOUS.items())
def test_every_letter_of_iupac_is_drawn_evenly(letter, bases):
    drawn = Motif.parse(letter).draw(3000, 0)[:, 0]
    found = np.bincount(drawn, minlength=4) / 3000
    expected = [(base in bases) / len(bases) for base in DNA]
    np.testing.assert_allclose(found, expected, atol=0.04)
    assert Motif.parse(letter).label == letter


def test_only_even_columns_are_labelled_by_iupac():
    assert Motif.parse(np.array([[0.6], [0.4], [0], [0]])).label == "PPM(A)"
    assert Motif.parse(np.array([[0.5], [0.5], [0], [0]])).label == "M"
    assert Motif.parse(np.full((4, 1), 0.25)).label == "PPM(A)"
