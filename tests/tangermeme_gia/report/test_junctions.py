"""What a report says of k-mers that act only by what the background adds to them."""

from dataclasses import replace

import pytest
import torch

from tangermeme_gia.report.experiments import alignment, motif

from .conftest import OPTIONS, RNA, Sites, results_of

# No background holds GAC, and every third has a G before what is placed.
NO_C = torch.tensor([[1.0], [0.0], [1.0], [1.0]]).repeat(1, 41) / 3


def test_shifts_are_named_and_do_not_smear_the_motif(tmp_path):
    options = replace(OPTIONS, n=400, n_scan=400)
    study, results = results_of(
        "motif", Sites(base=0.0), tmp_path, options, profile=NO_C
    )
    study.finished["motif"] = results
    section = motif.describe(study, results)
    table = section.tables["best_kmers"].set_index("kmer")
    # AC and any letter: with a G before them, GAC.
    assert table.loc["ACA", "completes"] == "GAC"
    assert 0.2 < table.loc["ACA", "share"] < 0.45
    assert table.loc["ACA", "effect_with"] == pytest.approx(2)
    assert table.loc["ACA", "effect_without"] == pytest.approx(0)
    said = section.method.split("stays first here. ")[1]
    kmers = ("ACA", "ACC", "ACG", "ACU")
    assert all(kmer in said for kmer in kmers)
    assert said.endswith("act only where the background completes GAC.")
    # GA before CA makes GAC, while A before it makes ACA, which has no effect itself.
    assert table.loc["CAA", "completes"] == "GAC"
    described = alignment.describe(study, {})
    assert described.headline["consensus"] == "GAC"
    weights = described.tables["alignment"].set_index("kmer")["weight"]
    assert weights["GAC"] == pytest.approx(1)


def test_a_given_motif_beside_a_scan_is_aligned_too(tmp_path):
    options = replace(OPTIONS, motif="AGAC", experiments=("alignment",))
    assert options.wanted() == ("scan", "motif", "alignment")
    _, results = results_of("motif", Sites(), tmp_path, options, alphabet=RNA)
    assert list(results) == ["controls", "null", "places"]
