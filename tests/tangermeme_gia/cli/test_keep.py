"""`--keep`: adapters stay, in the sequences and under the motifs."""

import io

import pandas as pd
import pytest
import torch
from tangermeme.utils import random_one_hot

from tangermeme_gia.cli import main
from tangermeme_gia.cli.backgrounds import Backgrounds
from tangermeme_gia.report import OneOutput, ReportInputs


@pytest.fixture
def asked(tmp_path, capsys):
    path = tmp_path / "constructs.fa"
    inner = ["ACGATGTGCA", "GATTACATGC", "CCGATAGTTA", "TTGACAGGCT"] * 3
    lines = [f">{i}\nACGTT{x[i:] + x[:i]}GGATC\n" for i, x in enumerate(inner)]
    path.write_text("".join(lines))
    (tmp_path / "nets.py").write_text(
        "import torch\n"
        "def build():\n"
        "    torch.manual_seed(0)\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))\n"
    )

    def run(command: str, *options: str) -> pd.DataFrame | int:
        model = f"{tmp_path}/nets.py:build"
        words = [*command.split(), "--model", model, "--sequences", str(path)]
        words += ["--n", "8", "--background", "shuffle", *options]
        code = main(words)
        if code:
            return code
        return pd.read_csv(io.StringIO(capsys.readouterr().out), sep="\t")

    return run


def test_positions_that_are_chosen_leave_them_alone(asked):
    table = asked("positional-bias --motif GAT", "--keep", "0:5", "15:20")
    assert table["start"].tolist() == list(range(5, 13))


@pytest.mark.parametrize("name", ["profile", "shuffle", "dinucleotide"])
def test_backgrounds_keep_them(name):
    X = random_one_hot((20, 4, 30), random_state=0)
    X[..., :5] = X[:1, :, :5]
    inputs = ReportInputs("x", OneOutput(torch.nn.Flatten(), None), "ACGT", X=X)
    drawn = Backgrounds(name, 9, keep=[0, 1, 2, 3, 4]).draw(inputs, 0)[name].X
    assert torch.equal(drawn[..., :5], X[:9, :, :5].to(drawn))


def test_a_motif_on_them_is_refused(asked, capsys):
    code = asked("global-importance --patterns GAT@3", "--keep", "0:5", "15:20")
    assert code == 2
    said = capsys.readouterr().err
    assert "condition 0 (patterns=GAT@3" in said
    assert "changes positions that `keep` holds" in said
