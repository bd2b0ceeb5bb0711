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
    said = "over 60 backgrounds; fixed: the 3 models that are averaged, letters and"
    assert said in caplog.text
    said = of_folds[["model", "folds"]].drop_duplicates().values.tolist()
    assert said == [["Net", "mean of 3"]]
    of_folds = of_folds.drop(columns=["model", "folds"])
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
        "latent-interaction --a GATA@2 --b TTAC@9 --c GG@18 --n-levels 2 2 2",
        "latent-sites --motif GATA --starts 2 9 --c GG@18 --d CC@21 --n-levels 2 2",
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


def test_the_best_of_a_difference_stand_beside_its_outputs(folds, table):
    for command in ("kmer-scan --k 2 --top 3", "best-kmers --k 2 --top 3"):
        both = table(f"{command} --weights fold0.pt --target 1 --minus 0")
        assert both["output"].tolist() == ["1"] * 3 + ["0"] * 3 + ["1 - 0"] * 3
        one, other, difference = (
            both.loc[both["output"] == label].set_index("kmer")["effect"]
            for label in ("1", "0", "1 - 0")
        )
        np.testing.assert_allclose(difference, one - other, atol=1e-5)
        assert difference.is_monotonic_decreasing
        assert "p" not in both  # they were chosen here
    motifs = "motif-scan --motifs GATA TTAC CAC --top 2 --weights fold0.pt"
    both = table(f"{motifs} --target 1 --minus 0")
    assert both["output"].tolist() == ["1"] * 2 + ["0"] * 2 + ["1 - 0"] * 2
    assert both["motif"].tolist() == both["motif"].tolist()[:2] * 3


def test_under_several_backgrounds_a_contrast_has_all_rows_and_tests(folds, table):
    command = "multi-site --motif GATA --starts 2 20 --backgrounds profile shuffle"
    both = table(f"{command} --weights fold0.pt --target 1 --minus 0")
    assert len(both) == 3 * 2 * 2
    assert both["p"].between(0, 1).all()
    assert {"background", "slope"} <= set(both)
    keys = ["background", "n_sites"]
    effect = both.pivot(index=keys, columns="output", values="effect")
    difference = effect["1"] - effect["0"]
    np.testing.assert_allclose(effect["1 - 0"], difference, atol=1e-5)


CROSS = "global-importance --patterns GATA@10 --patterns TTT@20 --folds cross"


def test_crossed_folds_are_those_of_across_models(folds, table, caplog):
    weights = " ".join(folds)
    found = table(f"{CROSS} --weights {weights} --target 1 --minus 0 --name Ours")
    assert set(found["model"]) == {"Ours"}
    outputs = dict.fromkeys(found["output"])
    assert list(outputs) == ["1", "0", "1 - 0"]
    names = ["fold0", "fold1", "fold2", "3 crossed"]
    assert list(dict.fromkeys(found["folds"])) == names
    for name, fold in zip(names, folds, strict=False):
        alone = table(
            f"{CROSS.replace('cross', 'average')} --weights {fold} --target 1"
        )
        own = found[(found["folds"] == name) & (found["output"] == "1")]
        np.testing.assert_allclose(own["effect"], alone["effect"], rtol=1e-4)
        np.testing.assert_allclose(own["se"], alone["se"], rtol=1e-4)
    for output in outputs:
        rows = found[found["output"] == output]
        single, mean = rows.iloc[:-2], rows.iloc[-2:]
        effects = single["effect"].to_numpy().reshape(3, 2)
        np.testing.assert_allclose(mean["effect"], effects.mean(axis=0), rtol=1e-4)
        between = effects.std(axis=0, ddof=1)
        np.testing.assert_allclose(mean["between_sd"], between, rtol=1e-4)
        assert (mean["se"] >= 0.9999 * between / 3**0.5).all()
        # The interval leaves out 0 if the test says so.
        clear = (mean["low"] > 0) | (mean["high"] < 0)
        assert clear.tolist() == (mean["p"] < 0.05).tolist()
        assert (mean["df"] == 2).all()
        shares = mean["share_models"] + mean["share_backgrounds"]
        assert ((shares > 0) & (shares < 1.0001)).all()
        assert (mean["se_twice_models"] < mean["se"]).all()
    assert (
        "fixed: each model, letters and places. Those of '3 crossed' are over folds"
        in (caplog.text)
    )


def test_folds_are_adapted_each(here, table, folds):
    last = MODEL.replace("X.flatten(1)", "X.transpose(1, 2).flatten(1)")
    (here / "nets.py").write_text(MODEL)
    (here / "last.py").write_text(last)
    weights = " ".join(folds)
    words = f"{CROSS} --weights {weights} --target 1 --length 40 --n 60"
    for name, more in (("nets", ""), ("last", "--layout channels_last")):
        command = f"{words} --model {name}.py:Net {more} --out {name}.tsv"
        assert main(command.split()) == 0
    first, second = (
        pd.read_csv(here / f"{name}.tsv", sep="\t") for name in ("nets", "last")
    )
    pd.testing.assert_frame_equal(first, second, rtol=1e-4)


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
        ("--target 1 --weights fold0.pt --folds cross", "needs several `--weights`"),
        (
            "--target 1 --weights fold0.pt fold1.pt --folds cross --local x.tsv",
            "`--folds cross` does not go with `--local`",
        ),
    ],
)
def test_what_is_missing_is_named(options, said, folds, capsys):
    words = f"global-importance --patterns GATA@10 --model nets.py:Net {options}"
    assert main([*words.split(), "--length", "40", "--n", "9"]) == 2
    assert said in capsys.readouterr().err
