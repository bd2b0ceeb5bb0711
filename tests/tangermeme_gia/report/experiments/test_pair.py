"""A report on two motifs: their planted rule of order and spacing comes back."""

import pytest
import torch
from tangermeme.utils import one_hot_encode

from tangermeme_gia.report import ReportOptions, load_results, run_report

from ..conftest import inputs_of

OPTIONS = ReportOptions(
    n=60,
    n_scan=40,
    motifs={"first": "GAC", "weak": "CUC", "other": "CCG"},
    experiments=("pair",),
    backgrounds=("profile",),
)


class Paired(torch.nn.Module):
    """2 for each GAC, 1 for each CCG, and 4 more for GAC, 2 or 3 bases, CCG."""

    def __init__(self, bonus=4.0):
        super().__init__()
        words = torch.stack([one_hot_encode(w).float() for w in ("GAC", "CCG")])
        self.words, self.bonus = torch.nn.Parameter(words), bonus

    def forward(self, X):
        hits = torch.nn.functional.conv1d(X.float(), self.words)
        first, other = torch.relu(hits - 2).unbind(dim=1)
        near = sum((first[:, : -3 - s] * other[:, 3 + s :]).sum(1) for s in (2, 3))
        return (2 * first.sum(1) + other.sum(1) + self.bonus * near)[:, None]


def sections(model, folder, options=OPTIONS):
    run = run_report(inputs_of(model), folder, options)
    return {section.name: section for section in run}


def test_the_planted_rule_is_found(tmp_path, quick):
    section = sections(Paired(), tmp_path)["pair"]
    table = section.tables["pair"].set_index(["order", "spacing"])
    assert len(table) == 42
    found = table[table["significant"]]
    assert found.index.tolist() == [("first first", 2), ("first first", 3)]
    assert found["interaction"].tolist() == pytest.approx([4, 4])
    assert table["interaction"][~table["significant"]].abs().max() == 0
    assert section.sentence == (
        "first and other do more than the sum of both with first first at 2–3 "
        "bases between them."
    )
    assert "2 of 42 arrangements differ" in section.figures[0].reading
    page = (tmp_path / "index.html").read_text()
    assert section.sentence in page


def test_two_that_add_up_say_so(tmp_path, quick):
    section = sections(Paired(bonus=0), tmp_path)["pair"]
    assert section.sentence.startswith("first and other add up at every spacing")
    assert "none of 42 arrangements differs" in section.figures[0].reading


def test_one_motif_is_no_pair(tmp_path, quick):
    options = ReportOptions(
        n=4, n_scan=2, motif="GAC", experiments=("pair",), backgrounds=("profile",)
    )
    assert "pair" not in sections(Paired(), tmp_path, options)
    assert [*load_results(tmp_path)] == ["motif"]
    assert "two given motifs are needed" in (tmp_path / "index.html").read_text()
