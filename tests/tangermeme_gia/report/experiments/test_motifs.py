"""A report on given motifs: the best is chosen on others than those that measure it."""

from dataclasses import replace

import pytest
import torch

from tangermeme_gia._core.motif import Motif
from tangermeme_gia.report import ReportOptions, load_results, run_report
from tangermeme_gia.report.experiments.motifs import describe
from tangermeme_gia.report.figures import save_figures
from tangermeme_gia.report.study import Study

from ..conftest import NOWHERE, Sites, inputs_of, results_of

# Two in three draws of the second are the motif that Sites counts.
PPM = torch.tensor([[0, 1, 0], [0, 0, 2 / 3], [1, 0, 0], [0, 0, 1 / 3]])
MOTIFS = {"weak": PPM, "GAC": "GAC", "none": "UUUUU"}
OPTIONS = ReportOptions(k=3, n=100, n_scan=50, motifs=MOTIFS, backgrounds=("profile",))


def test_the_motif_is_the_best_of_those_given(tmp_path):
    study, results = results_of("motifs", Sites(), tmp_path, OPTIONS)
    chosen, again = results["chosen"], results["again"]
    assert (len(chosen.y_before), len(again.y_before)) == (50, 100)
    assert again.conditions["motif"].tolist() == list(MOTIFS)
    effects = again.global_importance[:, 0].tolist()
    # What is covered has half an A in each column on average, of 1/8.
    assert effects[1] == pytest.approx(2 - 0.5 * 0.125, abs=0.08)
    assert effects[0] == pytest.approx(2 * 2 / 3, abs=0.3)
    section = describe(study, results)
    table = section.tables["motifs"]
    assert table["motif"].tolist() == ["GAC", "weak", "none"]
    assert table["letters"].tolist() == ["GAC", "PPM(GAC)", "UUUUU"]
    assert section.sentence == "GAC has the highest effect of 3 motifs."
    assert "2 of 3 motifs raise the output and 1 lower it" in section.figures[0].reading
    save_figures(section, tmp_path / "figures")
    assert (tmp_path / "figures" / "motifs.png").stat().st_size > 1000


def test_the_other_parts_are_about_the_best(tmp_path):
    options = replace(OPTIONS, experiments=("sites", "mutagenesis"))
    run_report(inputs_of(Sites()), tmp_path, options)
    results = load_results(tmp_path)
    assert {*results} == {"motifs", "motif", "mutagenesis", "sites"}
    assert set(results["sites"]["sites"].conditions["motif"]) == {"GAC"}
    page = (tmp_path / "index.html").read_text()
    assert "Which of the given motifs raises the output most?" in page
    assert "as the one of 3 given with the highest effect" in page


def test_no_kmers_are_searched_unless_asked():
    assert "scan" not in OPTIONS.wanted()
    assert OPTIONS.wanted()[:2] == ("motifs", "motif")
    both = replace(OPTIONS, experiments=("scan", "sites"))
    assert both.wanted() == ("scan", "motifs", "motif", "sites")
    assert "motifs" not in ReportOptions().wanted()
    assert "motifs" not in ReportOptions(motif="GAC").wanted()
    with pytest.raises(ValueError, match="`motif` and `motifs` exclude each other"):
        replace(OPTIONS, motif="GAC")


def test_k_mers_are_searched_beside_motifs_where_both_are_asked_for(tmp_path, quick):
    parts = ("scan", "grammar", "sites")
    options = replace(OPTIONS, k=2, n=16, n_scan=8, experiments=parts)
    sections = run_report(inputs_of(Sites()), tmp_path, options)
    names = [section.name for section in sections]
    assert names == ["scan", "motifs", "motif", "sites", "grammar"]
    results = load_results(tmp_path)
    assert len(results["scan"]["scan"].kmers) == 16
    # The motif of the report is that of the file.
    assert set(results["sites"]["sites"].conditions["motif"]) == {"GAC"}


def test_a_matrix_is_another_motif_than_one_of_the_same_name(tmp_path):
    def study(ppm, consensus=False):
        motifs = {"one": ppm, "other": "CC"}
        options = replace(OPTIONS, motifs=motifs, consensus=consensus)
        return Study(inputs_of(Sites()), options, NOWHERE)

    first, other = study(PPM), study(PPM.flip(1))
    assert first.fingerprint("motifs") != other.fingerprint("motifs")
    assert first.fingerprint("motifs") == study(PPM).fingerprint("motifs")
    assert first.fingerprint("motifs") != study(PPM, True).fingerprint("motifs")
    assert study(PPM, True).given["one"] == Motif.parse("GAC", "ACGU")


def test_motifs_that_do_not_fit_are_found_first(tmp_path):
    twice = replace(OPTIONS, motifs=["GAC", "GAC"])
    with pytest.raises(ValueError, match="`motifs` has GAC more than once"):
        run_report(inputs_of(Sites()), tmp_path / "report", twice)
    options = replace(OPTIONS, motifs=["GAC", "A" * 50])
    with pytest.raises(ValueError, match="50-mer is longer than"):
        run_report(inputs_of(Sites()), tmp_path / "report", options)
    assert not (tmp_path / "report").exists()
