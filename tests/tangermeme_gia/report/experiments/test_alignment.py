"""What the aligned k-mers of a scan read."""

import pytest
import torch

from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.report import ReportOptions
from tangermeme_gia.report.experiments.alignment import _consensus, describe, obstacle
from tangermeme_gia.report.section import Line
from tangermeme_gia.report.study import Study

from ..conftest import NOWHERE, OPTIONS, RNA, Sites, inputs_of, results_of


def test_the_best_kmers_align_to_the_motif(tmp_path):
    study, results = results_of("alignment", Sites(base=0.0), tmp_path, OPTIONS)
    section = describe(study, results)
    assert section.headline["consensus"] == "GAC"
    assert section.sentence == "Aligned, its best k-mers read GAC."
    assert "10 best k-mers" in section.method


def test_kmers_that_agree_on_nothing_have_no_consensus():
    kmers = ["A", "C", "G", "U"]
    effect = torch.ones(4, 1, dtype=torch.float64)
    found = KmerScan(kmers, effect, effect, 4)
    study = Study(inputs_of(Sites()), ReportOptions(k=1, n=4, n_scan=2), NOWHERE)
    study.finished["scan"] = {"scan": found}
    section = describe(study, {})
    assert section.sentence == "Aligned, its best k-mers have no letter in common."
    assert section.summary == [Line("Aligned motif", "none")]


def test_n_is_a_letter_of_proteins():
    letters = "ACDEFGHIKLMNPQRSTVWY"
    ppm = torch.zeros(20, 3, dtype=torch.float64)
    ppm[letters.index("N"), 0] = ppm[letters.index("W"), 2] = 1
    ppm[:, 1] = 1 / 20
    assert _consensus(ppm, letters) == "NXW"


def test_the_motif_is_for_other_tools_if_its_letters_are(tmp_path):
    model, letters = torch.nn.Sequential(), tuple("ACDE")
    effect = torch.ones(4, 1, dtype=torch.float64)
    for alphabet, n_files in ((RNA, 1), (letters, 0)):
        options = ReportOptions(k=1, n=4, n_scan=2)
        study = Study(inputs_of(model, alphabet=alphabet), options, NOWHERE)
        study.finished["scan"] = {"scan": KmerScan(alphabet, effect, effect, 4)}
        files = describe(study, {}).files
        assert len(files) == n_files
        for name, write in files.items():
            write(tmp_path / name)
            assert "MOTIF Sites" in (tmp_path / "motif.meme").read_text()


@pytest.mark.parametrize(("highest", "aligned"), [(0.0, False), (0.1, True)])
def test_effects_that_raise_nothing_are_not_aligned(highest, aligned):
    study = Study(inputs_of(Sites()), ReportOptions(k=1, n=4, n_scan=2), NOWHERE)
    effect = torch.tensor([highest, -1.0, -2.0, -2.0], dtype=torch.float64)[:, None]
    study.finished["scan"] = {"scan": KmerScan(RNA, effect, effect.abs(), 4)}
    assert (obstacle(study) is None) == aligned
