"""A DNA user's report: motifs of a file in a BPNet-like model, on peaks of a genome."""

import random
from pathlib import Path

import pandas as pd
import pytest

from tangermeme_gia.cli import main

MODEL = '''
import torch
from tangermeme.utils import one_hot_encode


class BPNetLike(torch.nn.Module):
    """Profile and log counts: 1 for each AP-1, 2 for each CTCF, and 3 more for an AP-1
    with CTCF 4 to 6 bases behind it."""

    def __init__(self):
        super().__init__()
        words = [one_hot_encode(w).float() for w in ("TGAGTCA", "TGACTCA", "CCACCAG")]
        self.first = torch.nn.Conv1d(4, 3, 7, bias=False)
        self.first.weight = torch.nn.Parameter(torch.stack(words))
        self.profile = torch.nn.Conv1d(4, 1, 21, padding=10)

    def forward(self, X):
        hits = torch.relu(self.first(X) - 6)
        ap1, ctcf = hits[:, :2].sum(dim=1), hits[:, 2]
        near = sum((ap1[:, : -7 - s] * ctcf[:, 7 + s :]).sum(1) for s in (4, 5, 6))
        counts = ap1.sum(1) + 2 * ctcf.sum(1) + 3 * near
        return self.profile(X), counts[:, None]


def build():
    return BPNetLike()
'''
MEME = """MEME version 4

ALPHABET= ACGT

strands: + -

MOTIF MA0035.4 GATA1
letter-probability matrix: alength= 4 w= 4 nsites= 20 E= 0
0 0 1 0
1 0 0 0
0 0 0 1
1 0 0 0

MOTIF MA0099.3 FOS::JUN
letter-probability matrix: alength= 4 w= 7 nsites= 20 E= 0
0 0 0 1
0 0 1 0
1 0 0 0
0 0.5 0.5 0
0 0 0 1
0 1 0 0
1 0 0 0

MOTIF MA0139.1 CTCF
letter-probability matrix: alength= 4 w= 7 nsites= 20 E= 0
0 1 0 0
0 1 0 0
0.95 0 0.05 0
0 1 0 0
0 1 0 0
1 0 0 0
0 0 1 0
"""
COMMAND = """
report --model model.py:build --target 1,0 --motifs jaspar.meme
--sequences peaks.narrowPeak --genome g.fa --length 120 --n 40
--backgrounds dinucleotide shuffle --experiments pair
"""


@pytest.fixture
def _files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = random.Random(0)
    Path("model.py").write_text(MODEL)
    Path("jaspar.meme").write_text(MEME)
    genome = "".join(rng.choice("ACGT") for _ in range(20_000))
    lines = [genome[i : i + 60] for i in range(0, len(genome), 60)]
    Path("g.fa").write_text("\n".join([">chr1", *lines, ""]))
    peaks = [
        f"chr1\t{start}\t{start + 100}\tp\t0\t.\t1\t-1\t-1\t50\n"
        for start in range(200, 19_000, 180)
    ]
    Path("peaks.narrowPeak").write_text("".join(peaks))


@pytest.mark.usefixtures("_files")
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("consensus", [False, True])
def test_one_command_names_both_motifs_and_their_rule(consensus, capsys):
    words = COMMAND.split() + (["--consensus"] if consensus else [])
    assert main(words) == 0, capsys.readouterr().err
    motifs = pd.read_csv("report/tables/motifs.tsv", sep="\t")
    assert motifs["motif"].tolist() == [
        "MA0139.1 CTCF",
        "MA0099.3 FOS::JUN",
        "MA0035.4 GATA1",
    ]
    assert motifs["significant"].tolist() == [True, True, False]
    pair = pd.read_csv("report/tables/pair.tsv", sep="\t")
    found = pair[pair["significant"]]
    assert set(found["order"]) == {"MA0099.3 FOS::JUN first"}
    assert found["spacing"].tolist() == [4, 5, 6]
    page = Path("report/index.html").read_text(encoding="utf-8")
    rule = "with MA0099.3 FOS::JUN first at 4–6 bases between them"
    assert (
        f"MA0139.1 CTCF and MA0099.3 FOS::JUN do more than the sum of both {rule}"
        in (page)
    )
    assert Path("report/figures/motifs.svg").exists()
