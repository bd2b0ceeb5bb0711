"""What placing does to the backgrounds is said where it is done."""

import pytest
import torch

from tangermeme_gia.report import ReportOptions
from tangermeme_gia.report.placing import diagnose_placing, gc_in_words
from tangermeme_gia.report.study import Study

from .conftest import NOWHERE, Sites, inputs_of

A_ONLY = torch.tensor([[1.0], [0.0], [0.0], [0.0]]).repeat(1, 20)


def study_of(**given) -> Study:
    options = ReportOptions(motif="GAC", n=20, n_scan=4)
    return Study(inputs_of(Sites(), **given), options, NOWHERE)


def test_the_share_of_gc_that_is_placed_is_counted():
    study = study_of(profile=A_ONLY)
    table = diagnose_placing(study, {"one": [("GAC", 3)], "no GC": [("AUA", 3)]})
    gc = table[table["check"] == "gc_difference"].set_index("placed")
    # Two of twenty letters, in backgrounds that have no spread.
    assert gc.loc["one", "value"] == pytest.approx(0.1)
    assert gc["shifted"].tolist() == [True, False]
    said = gc_in_words(table)
    assert "in percentage points: +10.0 (one), +0.0 (no GC); one so far that" in said


def test_nothing_is_said_of_proteins():
    study = study_of(alphabet=tuple("ABDE"))
    table = diagnose_placing(study, {"one": [("AB", 3)]})
    assert table.empty
    assert gc_in_words(table) == ""
