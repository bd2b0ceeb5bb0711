"""A DNA user's report: motifs of a file in a BPNet-like model, on peaks of a genome."""

import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tangermeme_gia.cli import main
from tangermeme_gia.report import load_results

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
--backgrounds dinucleotide shuffle --experiments grammar
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
    pairs = pd.read_csv("report/tables/grammar.tsv", sep="\t")
    assert len(pairs) == 6
    assert pairs["class"].tolist() == ["hard"] + 5 * ["none"]
    assert pairs.loc[0, ["a", "b"]].tolist() == ["MA0099.3 FOS::JUN", "MA0139.1 CTCF"]
    assert pairs.loc[0, "depends_on"] == "order and strands"
    placed = pd.read_csv("report/tables/grammar_placements.tsv", sep="\t")
    found = placed[placed["significant"] & placed["spacing"].notna()]
    assert sorted({*found["spacing"]}) == [4, 5, 6]
    arrangements = [f"MA0099.3 FOS::JUN{sign} MA0139.1 CTCF+" for sign in "+-"]
    # As a matrix AP-1 is the same on both strands; its most likely letters are not.
    assert {*found["arrangement"]} == {*arrangements[: 1 + consensus]}
    page = Path("report/index.html").read_text(encoding="utf-8")
    first_screen = page.partition('<p class="verdict">')[2].partition("</p>")[0]
    strands = "CTCF" if consensus else "both"
    rule = f"with CTCF 4–6 bases behind FOS::JUN, {strands} on the forward strand: "
    both = "MA0099.3 FOS::JUN and MA0139.1 CTCF act together"
    assert f"{both} {rule}" in first_screen
    figures = ["motifs", "grammar_pairs", "grammar_network", "grammar_1"]
    for name in figures:
        assert Path(f"report/figures/{name}.svg").exists()
    kept = load_results("report")["grammar"]["grammar"]
    assert kept.confirmed["class"].tolist() == ["hard"]
    assert kept.interactions.outputs == [(1, 0)]


# What HDF5 takes as a name, and neither a page, a table nor a figure as it is.
ODD = 'pattern_<img src=x onerror="a()"> $_^$\tb_2'
PATTERNS = {
    "pos_patterns/pattern_0": "TGAGTCA",
    "pos_patterns/pattern_1": "CCACCAG",
    f"pos_patterns/{ODD}": "GATAAGC",
    "neg_patterns/pattern_0": "CACGTGA",
}


def write_modisco(path):
    """Patterns with flanks that do not contribute, as tfmodisco-lite writes them."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        for key, letters in PATTERNS.items():
            core = np.eye(4)[["ACGT".index(letter) for letter in letters]]
            flank = np.full((5, 4), 0.25)
            sign = 1 if key.startswith("pos") else -1
            group = file.create_group(key)
            group["sequence"] = np.concatenate([flank, core, flank])
            group["contrib_scores"] = sign * np.concatenate(
                [0 * flank, core, 0 * flank]
            )


@pytest.mark.usefixtures("_files")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_patterns_of_modisco_are_motifs_with_whatever_name(capsys):
    write_modisco("modisco_results.h5")
    words = COMMAND.replace("jaspar.meme", "modisco_results.h5").split()
    assert main(words) == 0, capsys.readouterr().err
    motifs = pd.read_csv("report/tables/motifs.tsv", sep="\t")
    names = [key.replace("/", ".") for key in PATTERNS]
    assert {*motifs["motif"]} == {*names}
    assert motifs["motif"].tolist()[:2] == names[1::-1]
    # Trimmed to what contributes.
    assert {*motifs["letters"]} == {*PATTERNS.values()}
    pairs = pd.read_csv("report/tables/grammar.tsv", sep="\t")
    assert {*pairs["a"]} | {*pairs["b"]} == {*names}
    page = Path("report/index.html").read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    first_screen = page.partition('<p class="verdict">')[2].partition("</p>")[0]
    behind = "with pos_pattern_1 4–6 bases behind pos_pattern_0"
    assert f"{names[0]} and {names[1]} act together {behind}" in first_screen
    figures = [path.name for path in Path("report/figures").iterdir()]
    assert all(
        name.removesuffix(".svg").removesuffix(".png").isidentifier()
        for name in figures
    )
