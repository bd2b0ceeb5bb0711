"""Both outputs of a difference, and each fold, in a report from the command line."""

import pandas as pd
import pytest
import torch

from tangermeme_gia.cli import main

MODEL = """
import torch
from tangermeme.utils import one_hot_encode
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        motif = one_hot_encode("GATTA").float()[None]
        self.register_buffer("motif", motif, persistent=False)
        self.effects = torch.nn.Parameter(torch.zeros(1, 2))
    def forward(self, X):
        hits = torch.relu(torch.nn.functional.conv1d(X, self.motif) - 4).sum(dim=2)
        return hits @ self.effects + 0.01 * X[:, 0].sum(dim=1, keepdim=True)
"""
LEARNED = {"a": (2.0, 0.5), "b": (2.5, 1.0), "c": (3.0, 0.0)}


@pytest.fixture
def command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(MODEL)
    for name, effects in LEARNED.items():
        torch.save({"effects": torch.tensor([effects])}, tmp_path / f"{name}.pt")
    return (
        "report --model nets.py:Net --weights a.pt b.pt c.pt --length 40 --n 30 "
        "--motif GATTA --name Ours --experiments motif"
    )


def test_the_first_screen_has_both_outputs_and_their_difference(command, tmp_path):
    assert main(f"{command} --target 0 --minus 1 --folds cross".split()) == 0
    table = pd.read_csv(
        tmp_path / "report" / "tables" / "outputs_and_folds.tsv", sep="\t"
    )
    assert table["folds"].tolist() == [*LEARNED, "3 crossed"] * 3
    by = table.set_index(["output", "folds"])["effect"]
    for fold, (one, other) in LEARNED.items():
        assert by["0", fold] - by["1", fold] == pytest.approx(by["0 - 1", fold])
        assert by["0 - 1", fold] == pytest.approx(one - other, abs=0.05)
    row = table.set_index(["output", "folds"]).loc["0 - 1", "3 crossed"]
    assert row["effect"] == pytest.approx(2, abs=0.05)
    # Differences of 1.5, 1.5 and 3 have a standard deviation of 0.87.
    assert row["between_sd"] == pytest.approx(0.866, abs=0.02)
    assert row["se"] == pytest.approx(0.866 / 3**0.5, abs=0.05)
    page = (tmp_path / "report" / "index.html").read_text()
    for text in (
        "of GATTA on output 0, over 3 folds",
        "output 0 minus output 1",
        "3 crossed are",
    ):
        assert text in page
    assert "<title>" in page
    assert "Ours" in page


def test_averaged_folds_have_no_rows_of_their_own(command, tmp_path):
    assert main(f"{command} --target 0 --minus 1".split()) == 0
    folder = tmp_path / "report"
    table = pd.read_csv(folder / "tables" / "outputs_and_folds.tsv", sep="\t")
    assert table["output"].tolist() == ["0", "1", "0 - 1"]
    assert "mean of 3" in (folder / "index.html").read_text()


def test_one_output_of_one_model_has_no_such_table(command, tmp_path):
    assert main(f"{command} --target 0".split()) == 0
    assert not (tmp_path / "report" / "tables" / "outputs_and_folds.tsv").exists()


def test_crossing_makes_the_part_again(command, tmp_path, caplog):
    assert main(f"{command} --target 0".split()) == 0
    assert main(f"{command} --target 0 --folds cross".split()) == 0
    assert "motif again, changed: folds" in caplog.text
