"""`residualbind fit` and `benchmark`, as a user types them."""

import dataclasses

import pandas as pd
import pytest

import residualbind as rb
from residualbind.cli import main
from residualbind.cli.arguments import METHODS
from tangermeme_gia.sweep import read_ledger


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["simulate", "--n", "400", "--out", "scores.tsv"]) == 0
    table = pd.read_table("scores.tsv")
    table["other"] = -table["score"]
    table.to_csv("scores.tsv", sep="\t", index=False)
    (tmp_path / "experiments.tsv").write_text("name\tscore\none\tscore\ntwo\tother\n")
    return tmp_path


DATA = ["--data", "scores.tsv", "--format", "table", "--set-column", "set"]
DATA += ["--transform", "zscore", "--n-resamples", "20"]


def test_the_methods_are_those_of_the_library():
    assert rb.method_names() == METHODS


def test_fit_writes_a_file_that_commands_take(data, capsys):
    words = ["fit", "--method", "kmer-ridge", "--out", "ridge.safetensors", *DATA]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[0].startswith("output\tmetric\tvalue")
    assert rb.load_fitted("ridge.safetensors").name == "kmer-ridge"
    from tangermeme_gia.cli import main as gia

    words = ["global-importance", "--model", "ridge.safetensors", "--n", "20"]
    assert gia([*words, "--patterns", "UGCAUG@17"]) == 0


WORDS = ["benchmark", "experiments.tsv", "--out", "out", *DATA]


def test_every_method_is_fitted_to_every_experiment_with_the_same_splits(data, capsys):
    words = [*WORDS, "--methods", "kmer-ridge", "matrixreduce", "--epochs", "2"]
    assert main([*words, "--seeds", "0", "1"]) == 0
    scores = pd.read_table("out/benchmark/tables/scores.tsv")
    assert len(scores) == 8
    assert {*scores["experiment"]} == {"one", "two"}
    # The column `score` is what is learned, up to its sign.
    assert (scores[scores["method"] == "kmer-ridge"]["pearson"] > 0.2).all()
    said = capsys.readouterr().err
    assert "kmer-ridge" in said
    assert "no tests: 2 proteins" in said
    assert main([*words, "--seeds", "0", "1"]) == 0
    assert read_ledger("out")["reused"].all()


def test_a_method_that_fails_stops_no_other(data, monkeypatch):
    def fail(*_):
        raise ValueError("it cannot be fitted")

    method = rb.get_method("matrixreduce")
    monkeypatch.setitem(
        __import__("residualbind.methods.registry", fromlist=["METHODS"]).METHODS,
        "matrixreduce",
        dataclasses.replace(method, fit=fail),
    )
    assert main([*WORDS, "--methods", "matrixreduce", "kmer-ridge"]) == 1
    table = read_ledger("out").set_index("task")["state"]
    assert table["one / kmer-ridge"] == "finished"
    assert table["one / matrixreduce"] == "failed"
    methods = pd.read_table("out/benchmark/tables/methods.tsv")
    assert methods["method"].tolist() == ["kmer-ridge"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--methods", "all", "rck"], "`--methods all` goes with no other"),
        (["--methods", "rck", "rck"], "twice"),
        (["--seeds", "1", "1"], "`--seeds` has one of [1, 1] twice"),
        (["--published", "experiments.tsv"], "has no column 'experiment'"),
        (["--methods", "graphprot"], "invalid choice: 'graphprot'"),
        (["--command", "train"], "there is no option --command"),
        (["--random-state", "3"], "there is no option --random-state"),
    ],
)
def test_what_cannot_be_asked_is_one_line(data, capsys, words, message):
    try:
        code = main([*WORDS, *words])
    except SystemExit as error:
        code = error.code
    assert code == 2
    assert message in capsys.readouterr().err
