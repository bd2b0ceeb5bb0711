"""`residualbind sweep`: a training for each row of a table."""

import pandas as pd
import pytest
import torch

from residualbind import load, load_metadata
from residualbind.cli import main
from tangermeme_gia.sweep import read_ledger
from tangermeme_gia.sweep.ledger import read_entries


@pytest.fixture
def scores(tmp_path, monkeypatch):
    """A table of two experiments on the same probes, and one of the sweep."""
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "--n", "300", "--out", "one.tsv"]) == 0
    table = pd.read_table("one.tsv")
    table["other"] = -table["score"]
    table.to_csv("scores.tsv", sep="\t", index=False)
    (tmp_path / "experiments.tsv").write_text("group\tscore\nP\tscore\nP\tother\n")
    return tmp_path


WORDS = ["sweep", "experiments.tsv", "--out", "out", "--data", "scores.tsv"]
WORDS += ["--format", "table", "--set-column", "set", "--epochs", "1"]
WORDS += ["--n-resamples", "20", "--transform", "zscore"]


def test_each_row_gives_the_model_that_the_command_alone_gives(scores, capsys):
    assert main(WORDS) == 0
    table = read_ledger("out")
    assert table["task"].tolist() == ["score", "other"]
    assert table["group"].tolist() == ["P", "P"]
    alone = ["train", *WORDS[4:], "--score", "other", "--out", "alone.safetensors"]
    assert main(alone) == 0
    one, same = load("alone.safetensors"), load("out/tasks/other/model.safetensors")
    for name, tensor in one.state_dict().items():
        torch.testing.assert_close(same.state_dict()[name], tensor)
    assert load_metadata("out/tasks/score/model.safetensors").experiments == ("score",)
    metrics = pd.read_parquet("out/dataset/metrics.parquet")
    assert {*metrics["task"]} == {"score", "other"}
    headline = read_entries(scores / "out")["other"]["headline"]
    rows = metrics[(metrics["task"] == "other") & (metrics["metric"] == "pearson")]
    assert headline["pearson"] == pytest.approx(rows["value"].iloc[-1])
    assert headline["pearson_low"] <= headline["pearson"] <= headline["pearson_high"]
    assert headline["epochs"] == 1
    assert "pearson" in (scores / "out/index.html").read_text().lower()


def test_a_second_run_leaves_finished_models_alone(scores):
    assert main(WORDS) == 0
    model = scores / "out/tasks/score/model.safetensors"
    written = model.stat().st_mtime_ns
    assert main(WORDS) == 0
    assert read_ledger("out")["reused"].tolist() == [True, True]
    assert model.stat().st_mtime_ns == written


def damage(scores):
    model = scores / "out/tasks/score/model.safetensors"
    model.write_bytes(model.read_bytes()[:-8])


def no_metrics(scores):
    (scores / "out/tasks/score/tables/metrics.tsv").unlink()


@pytest.mark.parametrize("change", [damage, no_metrics])
def test_what_is_not_whole_is_made_again_from_its_checkpoint(scores, change):
    assert main(WORDS) == 0
    before = read_entries(scores / "out")["score"]["headline"]
    change(scores)
    assert main(WORDS) == 0
    assert read_ledger("out")["reused"].tolist() == [False, True]
    assert read_entries(scores / "out")["score"]["headline"] == pytest.approx(before)
    load("out/tasks/score/model.safetensors")


def test_other_scores_under_the_same_name_are_another_training(scores):
    assert main(WORDS) == 0
    folder = scores / "out/tasks/other"
    before = load(folder / "model.safetensors").output.weight
    table = pd.read_table("scores.tsv")
    table["other"] += table["score"].mean() * (table.index % 3)
    table.to_csv("scores.tsv", sep="\t", index=False)
    assert main(WORDS) == 0
    # The file is another one, but which column has changed is not known.
    assert read_ledger("out")["reused"].tolist() == [False, False]
    now = load(folder / "model.safetensors").output.weight
    assert not torch.allclose(now, before)
    assert len(list(folder.glob("training-*"))) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([*WORDS, "--epoch", "x"], "epoch"),
        ([*WORDS, "--command", "evaluate"], "`command`='evaluate' must be 'train'"),
        (["sweep", "experiments.tsv"], "needs a TABLE and `--out`"),
    ],
)
def test_what_cannot_be_asked_is_one_line(scores, capsys, words, message):
    try:
        code = main(words)
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert message in capsys.readouterr().err
