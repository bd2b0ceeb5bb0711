"""What a report says of folds, where an effect is known to follow them."""

import sys

import numpy as np
import pytest
import torch
from tangermeme.utils import one_hot_encode

from tangermeme_gia.experiments.structure_reading import importance_by_structure
from tangermeme_gia.report import ReportOptions, run_report
from tangermeme_gia.report.experiments.structure import describe, obstacle
from tangermeme_gia.report.wording import row_with_interval
from tangermeme_gia.statistics.associations import correlation
from tangermeme_gia.statistics.intervals import confidence_interval
from tangermeme_gia.structure.folding import folds_and_probabilities

from ..conftest import RNA, Sites, inputs_of, linear_study, results_of

UNIFORM = torch.full((4, 41), 0.25)


class ReadsFolds(torch.nn.Module):
    """GAC at 19 counts `weight` times what is unpaired of it, and the free energy."""

    def __init__(self, weight=1.0, stability=0.1) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))
        self.weight, self.stability = weight, stability

    def forward(self, X):
        folds, unpaired = folds_and_probabilities(X.float(), RNA)
        y = self.weight * unpaired[:, 19:22].mean(axis=1)
        y += self.stability * folds.energies
        has_site = (X[:, :, 19:22] * one_hot_encode("GAC")).sum(dim=(1, 2)) == 3
        return (self.scale * has_site * torch.from_numpy(y).float())[:, None]


def section_of(model, n=60, **changes):
    options = ReportOptions(motif="GAC", n=n, n_scan=2)
    study, results = results_of("structure", model, None, options, **changes)
    frame = importance_by_structure(
        results["structure"], study.X, [("GAC", 19)], alphabet=RNA
    )
    return describe(study, results), frame


@pytest.mark.parametrize(
    ("sign", "places"),
    [
        (1, ("where its site is unpaired", "in unstable sequences")),
        (-1, ("where its site is paired", "in stable sequences")),
    ],
)
def test_a_model_that_reads_folds_is_found_out(sign, places):
    model = ReadsFolds(sign, sign * 0.1)
    section, frame = section_of(model, profile=UNIFORM)
    unpaired, energy = (
        correlation(frame[name], frame["local_importance"])
        for name in ("unpaired", "energy")
    )
    assert section.sentence == (
        f"Its effect is larger {places[0]}, and larger {places[1]}; letters and folds "
        "are not told apart by this."
    )
    assert section.headline == {
        f"{name}{end}": float(value)
        for name, r in (("r_unpaired", unpaired), ("r_energy", energy))
        for end, value in (("", r.effect), ("_low", r.low), ("_high", r.high))
    }
    assert row_with_interval(unpaired) in section.summary[0][1]
    assert [figure.name for figure in section.figures] == ["pairedness", "stability"]
    assert "differ in their letters as well as in their folds" in section.method


def test_a_model_that_does_not_is_not():
    section, _ = section_of(Sites(), profile=UNIFORM)
    assert "is not clearly larger or smaller where its site is unpaired, and" in (
        section.sentence
    )


def test_quarters_are_of_the_folds():
    section, frame = section_of(Sites(), profile=UNIFORM, n=40)
    table = section.tables["structure"].set_index(["by", "quarter"])
    assert table["n"].tolist() == [10] * 8
    for name in ("unpaired", "energy"):
        rows = frame.sort_values(name, kind="stable").iloc[10:20]
        quarter = table.loc[(name, 2)]
        assert [quarter["from"], quarter["to"]] == [
            rows[name].min(),
            rows[name].max(),
        ]
        interval = confidence_interval(rows["local_importance"].to_numpy())
        assert quarter["low"] == pytest.approx(float(interval.low))


def test_effects_that_are_all_the_same_have_no_correlation():
    class Same(Sites):
        def forward(self, X):
            return (X[:, :, 19] * torch.tensor([0.0, 0.0, 1.0, 0.0])).sum(1)[:, None]

    AU = torch.tensor([[0.5], [0.0], [0.0], [0.5]]).repeat(1, 41)
    section, _ = section_of(Same(), n=8, profile=AU)
    assert section.sentence.startswith(
        "Its effect is neither larger nor smaller where its site is unpaired, and"
    )
    assert np.isnan(section.headline["r_unpaired"])


def test_without_viennarna_a_report_says_how_to_get_it(tmp_path, monkeypatch, quick):
    monkeypatch.setitem(sys.modules, "RNA", None)
    options = ReportOptions(n=8, motif="GAC", experiments=("sites", "structure"))
    sections = run_report(inputs_of(Sites()), tmp_path, options)
    assert [section.name for section in sections] == ["motif", "sites"]
    page = (tmp_path / "index.html").read_text()
    assert "tangermeme-gia[vienna]" in page


def test_without_viennarna_nothing_is_folded_and_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "RNA", None)
    reason = obstacle(linear_study())
    assert reason.endswith('pip install "tangermeme-gia[vienna]"')


@pytest.mark.parametrize(("length", "n"), [(41, 400), (60, 400), (120, 203), (300, 50)])
def test_fewer_of_longer_sequences_are_folded(length, n):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(length * 4, 1))
    profile = torch.full((4, length), 0.25)
    options = ReportOptions(motif="GAC", n=400, n_scan=2)
    study, results = results_of("structure", model, None, options, profile=profile)
    result = results["structure"]
    assert len(result.y_before) == n
    assert torch.allclose(result.y_before, study.predict(study.X[:n]), atol=1e-6)


def test_long_sequences_are_not_folded():
    assert obstacle(linear_study("UGCAUG", 300)) is None
    reason = obstacle(linear_study("UGCAUG", 301))
    assert reason == "sequences of 301 bases take long to fold"
