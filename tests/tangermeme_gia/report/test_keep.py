"""Adapters stay in every part of a report."""

import pytest
import torch
from tangermeme.utils import one_hot_encode, random_one_hot

from tangermeme_gia.report import OneOutput, ReportInputs, ReportOptions, run_report
from tangermeme_gia.report.layout import all_starts, flank_starts, site_starts

from .conftest import linear_study

LEFT, RIGHT, LENGTH = "ACTGGCCGCT", "AGATCGGAAGAG", 90
KEEP = (*range(10), *range(LENGTH - 12, LENGTH))


class Reporter(torch.nn.Module):
    """Counts GATTA, and fails where an adapter is not as it should be."""

    def __init__(self):
        super().__init__()
        motif = one_hot_encode("GATTA").float()[None]
        self.register_buffer("motif", motif, persistent=False)
        self.register_buffer("left", one_hot_encode(LEFT).float(), persistent=False)
        self.register_buffer("right", one_hot_encode(RIGHT).float(), persistent=False)

    def forward(self, X):
        ends = (X[..., :10], self.left), (X[..., -12:], self.right)
        if any((end != adapter).any() for end, adapter in ends):
            raise RuntimeError("an adapter was changed")
        hits = torch.relu(torch.nn.functional.conv1d(X, self.motif) - 4)
        return (hits.sum(dim=2) + 0.01 * X[:, 0].sum(dim=1, keepdim=True)).float()


@pytest.fixture
def constructs():
    X = random_one_hot((60, 4, LENGTH), random_state=0)
    X[..., :10], X[..., -12:] = one_hot_encode(LEFT), one_hot_encode(RIGHT)
    return X


@pytest.mark.parametrize(
    "asked",
    [{"motif": "GATTA"}, {"motifs": ("GATTA", "TTACC")}, {"k": 3, "n_scan": 20}],
    ids=["motif", "motifs", "search"],
)
def test_no_part_of_a_report_changes_them(constructs, asked, tmp_path):
    scores = torch.linspace(0, 1, len(constructs))
    inputs = ReportInputs(
        "Reporter", OneOutput(Reporter()), X=constructs, scores=scores
    )
    options = ReportOptions(
        n=20,
        n_scan=asked.pop("n_scan", 20),
        keep=KEEP,
        backgrounds=("shuffle", "profile", "dinucleotide", "quartile1"),
        **asked,
    )
    sections = {s.name: s for s in run_report(inputs, tmp_path, options)}
    assert {"motif", "sites", "spacing", "position", "gc", "robustness"} <= {*sections}
    starts = sections["position"].tables["position"]["start"]
    assert (starts.min(), starts.max() + len("GAT")) >= (10, 70)
    page = (tmp_path / "index.html").read_text()
    assert "Positions 0–9 and 78–89 (from 0) stay as in the sequences" in page


def test_without_it_they_are_changed(constructs, tmp_path):
    inputs = ReportInputs("Reporter", OneOutput(Reporter()), X=constructs)
    options = ReportOptions(n=10, motif="GATTA", experiments=("position",))
    with pytest.raises(ValueError, match="an adapter was changed"):
        run_report(inputs, tmp_path, options)


def test_a_motif_on_them_is_refused(constructs, tmp_path):
    inputs = ReportInputs("Reporter", OneOutput(Reporter()), X=constructs)
    options = ReportOptions(
        n=10, motif="GATTA", start=8, keep=KEEP, backgrounds=("shuffle",)
    )
    with pytest.raises(ValueError, match="changes positions that `keep` holds"):
        run_report(inputs, tmp_path, options)


def test_a_change_of_them_is_another_result():
    study = linear_study(keep=(0, 1))
    other = linear_study(keep=(0,))
    assert study.fingerprint("motif") != other.fingerprint("motif")


def test_what_is_made_anew_has_none():
    with pytest.raises(ValueError, match="`keep` has no adapters in 'genomic'"):
        ReportOptions(keep=(0,), backgrounds=("genomic",))


def test_patterns_stand_between_them():
    study = linear_study(keep=(*range(5), *range(36, 41)))
    assert site_starts(study) == [10, 17]
    assert flank_starts(study) == (5, 30)
    assert (all_starts(study)[0], all_starts(study)[-1]) == (5, 30)
