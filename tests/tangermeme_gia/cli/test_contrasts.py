"""Two cell types and five folds, as a lab of reporter assays has them."""

import io

import numpy as np
import pandas as pd
import pytest
import torch

import tangermeme_gia as gia
from tangermeme_gia.cli import main

N_FOLDS = 3
MODEL = """
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(160, 2)
    def forward(self, X):
        return self.layer(X.flatten(1))
"""


@pytest.fixture
def folds(here):
    (here / "nets.py").write_text(MODEL)
    states, names = [], []
    for fold in range(N_FOLDS):
        torch.manual_seed(fold)
        layer = torch.nn.Linear(160, 2)
        states.append({f"layer.{k}": v for k, v in layer.state_dict().items()})
        names.append(f"fold{fold}.pt")
        torch.save(states[-1], here / names[-1])
    mean = {k: sum(s[k] for s in states) / N_FOLDS for k in states[0]}
    torch.save(mean, here / "mean.pt")
    return names


@pytest.fixture
def table(here, capsys):
    def read(command: str) -> pd.DataFrame:
        words = f"{command} --model nets.py:Net --length 40 --n 60".split()
        assert main(words) == 0
        return pd.read_csv(io.StringIO(capsys.readouterr().out), sep="\t")

    return read


def test_folds_are_averaged_under_one_name_and_said(folds, table, here, caplog):
    motif = "global-importance --patterns GATA@10 --patterns TTT@20 --target 1"
    mean = table(f"{motif} --weights mean.pt")
    assert (
        main(
            f"{motif} --weights {' '.join(folds)} --model nets.py:Net --length 40"
            " --n 60 --out folds.tsv".split()
        )
        == 0
    )
    assert "Net: the mean of 3 models (fold0.pt, fold1.pt" in caplog.text
    of_folds = pd.read_csv(here / "folds.tsv", sep="\t")
    # The model is linear: the mean of the models is the model of the mean.
    pd.testing.assert_frame_equal(of_folds, mean, rtol=1e-4)


def test_a_contrast_stands_beside_its_outputs(folds, table):
    motif = "global-importance --patterns GATA@10 --patterns TTT@20 --weights fold0.pt"
    both = table(f"{motif} --target 1 --minus 0")
    assert both["output"].tolist() == ["1", "1", "0", "0", "1 - 0", "1 - 0"]
    for label in ("1", "0"):
        alone = table(f"{motif} --target {label}")
        own = both[both["output"] == label].reset_index(drop=True)
        assert own["effect"].tolist() == pytest.approx(alone["effect"].tolist())
    effect = both.groupby("output", sort=False)["effect"].apply(list)
    for one, other, difference in zip(*effect, strict=True):
        assert difference == pytest.approx(one - other, abs=1e-5)
    assert both["p"].between(0, 1).all()


@pytest.mark.parametrize(
    "command",
    [
        "motif-scan --motifs GATA TTAC",
        "junction-effects --kmers GATA TTAC",
        "kmer-scan --k 1",
        "multi-site --motif GATA --starts 2 20",
        "affinity-response --motif GATWR --n-levels 2",
    ],
)
def test_every_kind_of_result_has_its_contrast(command, folds, table):
    both = table(f"{command} --weights fold0.pt --target 1 --minus 0")
    assert list(dict.fromkeys(both["output"])) == ["1", "0", "1 - 0"]
    one, other, difference = (
        both.loc[both["output"] == label, "effect"].to_numpy()
        for label in ("1", "0", "1 - 0")
    )
    np.testing.assert_allclose(difference, one - other, atol=1e-5)


def test_a_contrast_in_python_is_paired_on_each_background(folds, here):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(160, 2))
    X = torch.eye(4)[torch.randint(4, (30, 40))].mT
    whole = gia.global_importance(model, X, [("GATA", 10)])
    result = gia.global_importance(model, X, [("GATA", 10)], target=gia.Contrast(1, 0))
    local = whole.local_importance
    torch.testing.assert_close(result.local_importance, local[..., 1] - local[..., 0])
    assert result.outputs == ["1 - 0"]
    best = gia.best_kmers(model, X, k=2, top=1, target=gia.Contrast(1, 0))
    scan = gia.kmer_scan(model, X, k=2, target=gia.Contrast(1, 0))
    assert best.kmers == scan.top(1)["kmer"].tolist()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--minus 0", "`--minus` is taken from `--target`: give both"),
        ("--target 1 --minus 2", "has 2 for axis 1"),
        ("--target 1 --weights fold0.pt none.pt", "there is no file none.pt"),
    ],
)
def test_what_is_missing_is_named(options, said, folds, capsys):
    words = f"global-importance --patterns GATA@10 --model nets.py:Net {options}"
    assert main([*words.split(), "--length", "40", "--n", "9"]) == 2
    assert said in capsys.readouterr().err
