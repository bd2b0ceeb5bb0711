"""The predictions of each part, and where its patterns stand."""

import sys

import pytest
import torch
from tangermeme.utils import random_one_hot

from tangermeme_gia._core.letters import DNA
from tangermeme_gia.kmers.scan import kmer_scan
from tangermeme_gia.report import OneOutput, OutputError, ReportInputs, ReportOptions
from tangermeme_gia.report.parts import (
    PARTS,
    flank_starts,
    report_hairpin,
    scan,
    site_starts,
)
from tangermeme_gia.report.store import Store
from tangermeme_gia.report.study import Study
from tangermeme_gia.structure.pairs import PAPER_HAIRPIN

from .conftest import OPTIONS, RNA, Counter, Sites, inputs_of

PROTEIN = tuple("ACDEFGHIKLMNPQRSTVWY")


def study_of(motif="UGCAUG", length=41, alphabet=RNA, **options) -> Study:
    model = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.Linear(length * len(alphabet), 1)
    )
    profile = torch.full((len(alphabet), length), 1 / len(alphabet))
    inputs = ReportInputs("model", OneOutput(model), alphabet, profile=profile)
    return Study(inputs, ReportOptions(motif=motif, n=4, n_scan=2, **options))


def obstacles(study: Study) -> dict[str, str]:
    found = {name: part.obstacle(study) for name, part in PARTS.items()}
    return {name: reason for name, reason in found.items() if reason}


# Layouts


def test_a_probe_has_the_papers_layout():
    study = study_of()
    assert site_starts(study) == [3, 10, 17]
    assert flank_starts(study) == (0, 35)
    assert report_hairpin(study) == PAPER_HAIRPIN
    assert obstacles(study) == {}


@pytest.mark.parametrize("length", [41, 60, 500])
@pytest.mark.parametrize("motif", ["GAC", "UGCAUG", "UGCAUGUGCA"])
def test_flanks_and_hairpins_hold_in_longer_sequences(length, motif):
    study = study_of(motif, length)
    left, right = flank_starts(study)
    end = study.start + len(motif)
    assert 0 <= left <= study.start - 6
    assert end <= right <= length - 6
    assert abs((study.start - left - 6) - (right - end)) <= 6
    shape = report_hairpin(study)
    size = 2 * shape.stem_length + shape.loop_length
    assert 0 <= shape.stem_start <= length - size
    assert min(shape.stem_length, shape.loop_length) >= len(motif)


def test_dna_of_500_bases_has_flanks_near_the_motif_and_no_hairpin():
    study = study_of("TGCATG", 500, DNA)
    assert flank_starts(study) == (230, 265)
    assert site_starts(study) == [233, 240, 247]
    assert list(obstacles(study)) == ["hairpin", "structure"]
    assert obstacles(study)["structure"] == "folding is a question about RNA"
    assert "a question about RNA" in obstacles(study)["hairpin"]
    asked = study_of("TGCATG", 500, DNA, experiments=("hairpin",))
    assert list(obstacles(asked)) == ["structure"]


def test_sequences_too_short_say_what_has_no_room():
    reasons = obstacles(study_of("UGCAUG", 12))
    assert reasons == {
        "sites": "there is no room for a second site left of the motif",
        "spacing": "there is no room for a second site left of the motif",
        "gc": "there is no room for flanks beside the motif",
        "hairpin": "a hairpin that holds the motif needs 25 bases",
    }


def test_a_motif_at_the_start_has_no_sites_before_it():
    assert set(obstacles(study_of(start=0))) == {"sites", "spacing", "gc"}
    assert site_starts(study_of(start=8)) == [1, 8]


def test_proteins_have_neither_flanks_nor_hairpins():
    reasons = obstacles(study_of("WLN", 30, PROTEIN))
    assert reasons == dict.fromkeys(
        ["gc", "hairpin", "structure"], "the alphabet is not that of nucleotides"
    )


def test_padding_where_the_stem_would_be_leaves_the_hairpin_out():
    X = random_one_hot((12, 4, 41), random_state=0)
    X[:, :, :8] = 0
    inputs = ReportInputs("model", OneOutput(Sites()), RNA, X=X)
    study = Study(inputs, ReportOptions(motif="GAC", n=4, n_scan=2))
    assert "padding or N" in obstacles(study)["hairpin"]


def test_without_viennarna_nothing_is_folded_and_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "RNA", None)
    reasons = obstacles(study_of())
    assert list(reasons) == ["structure"]
    assert reasons["structure"].endswith("pip install tangermeme-gia[vienna]")


@pytest.mark.parametrize(("length", "n"), [(41, 400), (60, 400), (120, 203), (300, 50)])
def test_fewer_of_longer_sequences_are_folded(tmp_path, length, n):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(length * 4, 1))
    profile = torch.full((4, length), 0.25)
    inputs = ReportInputs("model", OneOutput(model), RNA, profile=profile)
    study = Study(inputs, ReportOptions(motif="GAC", n=400, n_scan=2))
    result = PARTS["structure"].compute(study, Store(tmp_path))["structure"]
    assert len(result.y_before) == n
    assert torch.allclose(result.y_before, study.predict(study.X[:n]), atol=1e-6)


def test_long_sequences_are_not_folded():
    reasons = obstacles(study_of("UGCAUG", 301))
    assert reasons == {"structure": "sequences of 301 bases take long to fold"}


# The scan in chunks


@pytest.mark.parametrize("both_strands", [False, True])
def test_the_scan_in_chunks_is_the_scan(tmp_path, both_strands):
    options = ReportOptions(k=3, n=4, n_scan=5, both_strands=both_strands)
    study = Study(inputs_of(Sites()), options)
    found = scan(study, Store(tmp_path))["scan"]
    whole = kmer_scan(
        study.model,
        study.backgrounds[0],
        kmers=list(found.kmers),
        start=study.start,
        alphabet=RNA,
        fold_reverse_complements=both_strands,
    )
    assert len(found.kmers) == (32 if both_strands else 64)
    assert found.n == 5
    torch.testing.assert_close(found.effect, whole.effect, rtol=0, atol=1e-12)
    torch.testing.assert_close(found.se, whole.se, rtol=0, atol=1e-12)


@pytest.mark.parametrize("error", [RuntimeError("killed"), KeyboardInterrupt()])
def test_an_interrupted_scan_goes_on_where_it_stopped(tmp_path, error):
    model = Counter(Sites())
    study = Study(inputs_of(model), OPTIONS, batch_size=8)
    whole = scan(study, Store(tmp_path / "whole"))["scan"]
    in_all = model.seen
    model.reset()
    model.fail_after(in_all // 2, error)
    with pytest.raises((OutputError, KeyboardInterrupt)):
        scan(study, Store(tmp_path / "halves"))
    n_chunks = len(list((tmp_path / "halves" / "scan.chunks").iterdir()))
    assert 4 < n_chunks < 12
    model.reset()
    rest = scan(study, Store(tmp_path / "halves"))["scan"]
    # Of 16 chunks, only those that were not finished.
    assert model.seen == in_all * (16 - n_chunks) // 16
    assert list(rest.kmers) == list(whole.kmers)
    assert torch.equal(rest.effect, whole.effect)
    assert torch.equal(rest.se, whole.se)


def test_chunks_of_another_model_are_not_used(tmp_path):
    scan(Study(inputs_of(Sites(weight=-1.0)), OPTIONS), Store(tmp_path))
    found = scan(Study(inputs_of(Sites()), OPTIONS), Store(tmp_path))["scan"]
    assert found.top(1)["kmer"][0] == "GAC"


# What the parts measure


def test_the_motif_is_measured_on_other_backgrounds_with_the_winners(tmp_path):
    study = Study(inputs_of(Sites()), OPTIONS)
    store = Store(tmp_path)
    store.save("scan", scan(study, store), study.fingerprint("scan"))
    study.motif = "GAC"
    results = PARTS["motif"].compute(study, store)
    winners = results["winners"]
    assert len(winners.conditions) == 10
    assert winners.conditions["patterns"][0] == "GAC@19"
    assert torch.equal(winners.y_before, study.model(study.X.float()))
    assert len(results["controls"].conditions) == 7


def test_a_given_motif_has_no_winners(tmp_path):
    study = Study(inputs_of(Sites()), ReportOptions(motif="GAC", n=4, n_scan=2))
    assert list(PARTS["motif"].compute(study, Store(tmp_path))) == ["controls"]


def test_the_position_of_long_sequences_is_sampled(tmp_path):
    study = study_of("TGCATG", 500, DNA)
    result = PARTS["position"].compute(study, Store(tmp_path))["position"]
    starts = result.conditions["start"].tolist()
    assert starts == list(range(0, 495, 5))
    short = study_of(length=41)
    result = PARTS["position"].compute(short, Store(tmp_path))["position"]
    assert result.conditions["start"].tolist() == list(range(36))


def test_spacings_end_where_the_sequence_ends(tmp_path):
    study = study_of(length=24)
    result = PARTS["spacing"].compute(study, Store(tmp_path))["spacing"]
    spacings = result.conditions["spacing"].unique().tolist()
    assert site_starts(study) == [2, 9]
    assert spacings == list(range(24 - 2 - 12 + 1))


def test_robustness_has_the_sites_and_flanks_under_each_background(tmp_path):
    study = study_of(backgrounds=("profile", "quartile4"))
    results = PARTS["robustness"].compute(study, Store(tmp_path))
    assert list(results) == ["profile", "quartile4"]
    assert results["profile"].conditions["patterns"].tolist() == [
        "UGCAUG@17",
        "UGCAUG@10 + UGCAUG@17",
        "UGCAUG@3 + UGCAUG@10 + UGCAUG@17",
        "GCGCGC@0 + UGCAUG@17",
        "UGCAUG@17 + GCGCGC@35",
    ]
    assert torch.equal(
        results["profile"].y_before, study.model(study.X.float()).detach()
    )
