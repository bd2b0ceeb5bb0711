"""`tangermeme-gia sweep`, as a user types it."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia import load
from tangermeme_gia.cli import main
from tangermeme_gia.sweep import read_ledger
from tangermeme_gia.sweep.ledger import read_entries

NET = """
import torch
def build():
    torch.manual_seed(SEED)
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 1))
"""


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Two models and a table of them, in the working directory."""
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate("ab"):
        (tmp_path / f"{name}.py").write_text(NET.replace("SEED", str(i)))
    (tmp_path / "models.tsv").write_text(
        "name\tmodel\ttissue\na\ta.py:build\tliver\nb\tb.py:build\tbrain\n"
    )
    return tmp_path


SITES = ("--command", "multi-site", "--motif", "GATA", "--starts", "3", "12")
WORDS = ("sweep", "models.tsv", "--out", "out", *SITES, "--n", "12", "--length", "24")


def test_each_row_gives_what_the_command_alone_gives(models, capsys):
    assert main(WORDS) == 0
    capsys.readouterr()
    alone = ["multi-site", *SITES[2:], "--n", "12", "--length", "24"]
    assert main([*alone, "--model", "a.py:build", "--out", "alone.tsv"]) == 0
    one = pd.read_table("alone.tsv")
    sites = pd.read_parquet("out/dataset/multi-site.parquet")
    own = sites[sites["task"] == "a"].reset_index(drop=True)
    np.testing.assert_allclose(own["effect"], one["effect"], rtol=1e-5)
    assert own["starts"].tolist() == ["3", "3,12"]
    assert {*sites["tissue"]} == {"liver", "brain"}
    result = load("out/tasks/a/effects")
    mean = result.global_importance.double().squeeze(-1)
    torch.testing.assert_close(
        mean, torch.tensor(own["effect"].to_numpy()), rtol=1e-5, atol=1e-7
    )


def test_a_second_run_finds_its_results_and_says_so(models, capsys):
    assert main(WORDS) == 0
    written = (models / "out/tasks/a/effects").stat().st_mtime_ns
    assert main(WORDS) == 0
    assert read_ledger("out")["reused"].tolist() == [True, True]
    assert (models / "out/tasks/a/effects").stat().st_mtime_ns == written


def touch(models):
    (models / "a.py").touch()


def other_code(models):
    text = (models / "a.py").read_text().replace("manual_seed(0)", "manual_seed(7)")
    (models / "a.py").write_text(text)


def other_numbers(models):
    """What no checksum of code and weights sees."""
    code = (models / "a.py").read_text()
    code = "from pathlib import Path\n" + code.replace("return torch", "net = torch")
    (models / "a.py").write_text(
        f"{code}    times = lambda m, X, y: y * float(Path('f').read_text())\n"
        "    net.register_forward_hook(times)\n    return net\n"
    )


@pytest.mark.parametrize(
    ("change", "again"),
    [(touch, False), (other_code, True)],
)
def test_what_the_model_says_now_decides(models, change, again):
    assert main(WORDS) == 0
    change(models)
    assert main(WORDS) == 0
    assert read_ledger("out")["reused"].tolist() == [not again, True]


def test_a_model_that_says_something_else_is_asked_again(models):
    other_numbers(models)
    (models / "f").write_text("1.0")
    assert main(WORDS) == 0
    assert main(WORDS) == 0
    assert read_ledger("out")["reused"].tolist() == [True, True]
    (models / "f").write_text("3.0")
    assert main(WORDS) == 0
    assert read_ledger("out")["reused"].tolist() == [False, True]


def test_a_changed_row_does_only_its_own_tasks_again(models):
    assert main(WORDS) == 0
    (models / "models.tsv").write_text(
        "name\tmodel\tn\na\ta.py:build\t\nb\tb.py:build\t14\n"
    )
    assert main(WORDS) == 0
    assert read_ledger("out")["reused"].tolist() == [True, False]
    assert len(load("out/tasks/b/effects").y_before) == 14


def test_a_motif_file_that_says_something_else_is_read_again(models):
    meme = (
        "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF m\nletter-probability matrix: "
        "alength= 4 w= 2\n{}\n{}\n"
    )
    rows = ["1 0 0 0", "0 1 0 0"]
    (models / "m.meme").write_text(meme.format(*rows))
    words = [w if w != "GATA" else "m.meme:m" for w in WORDS]
    assert main(words) == 0
    (models / "m.meme").write_text(meme.format(*rows[::-1]))
    assert main(words) == 0
    assert read_ledger("out")["reused"].tolist() == [False, False]


def test_reports_of_models_are_a_sweep(models, capsys):
    words = ["sweep", "models.tsv", "--out", "out", "--length", "24", "--n", "12"]
    words += ["--n-scan", "12", "--motif", "GATA", "--experiments", "sites"]
    assert main(words) == 0
    assert (models / "out/tasks/a/index.html").exists()
    entries = read_entries(models / "out")
    assert entries["a"]["headline"]["motif"] == "GATA"
    page = (models / "out/index.html").read_text()
    assert "tasks/a/index.html" in page
    sites = pd.read_parquet("out/dataset/sites.parquet")
    assert {*sites["task"]} == {"a", "b"}
    assert main(words) == 0
    assert read_ledger("out")["reused"].tolist() == [True, True]
    held = json.loads((models / "out/tasks/a/report.json").read_text())
    assert held["name"] == "a"


def test_one_model_that_fails_is_named_and_the_code_is_1(models, capsys):
    with (models / "models.tsv").open("a") as file:
        file.write("c\tc.py:build\tskin\n")
    assert main(WORDS) == 1
    said = capsys.readouterr().err
    assert "3 tasks: 2 finished, 1 failed" in said
    assert "c failed: " in said
    assert read_ledger("out")["state"].tolist() == ["finished", "finished", "failed"]


def test_the_status_is_the_ledger(models, capsys):
    main(WORDS)
    capsys.readouterr()
    assert main(["sweep", "--status", "out"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines()[0].split("\t")[:3] == ["task", "group", "state"]
    assert [line.split("\t")[2] for line in said.out.splitlines()[1:]] == [
        "finished",
        "finished",
    ]
    assert "2 tasks: 2 finished" in said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["sweep"], "needs a TABLE and `--out`"),
        (["sweep", "models.tsv"], "needs a TABLE and `--out`"),
        (["sweep", "--status", "nowhere"], "holds no ledger of a sweep"),
        (["sweep", "no.tsv", "--out", "o"], "no.tsv"),
        ([*WORDS, "--command", "nothing"], "must be one of report, "),
        ([*WORDS, "--workers", "0"], "`workers`=0 must be at least 1"),
        ([*WORDS, "--stats", "3"], "there is no option --stats; did you mean"),
        ([*WORDS[:-2], "--confidnce", "0.9"], "did you mean --confidence"),
    ],
)
def test_what_cannot_be_asked_is_one_line_and_code_2(models, capsys, words, message):
    if words.count("--command") == 2:
        at = words.index("--command")
        words = [*words[:at], *words[at + 2 :]]
    try:
        code = main(words)
    except SystemExit as error:  # what the parser itself finds
        code = error.code
    assert code == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert message in said[-1]
    assert len(said) == 1


def test_help_shows_the_options_of_the_command(models, capsys):
    with pytest.raises(SystemExit):
        main(["sweep", "--command", "multi-site", "--help"])
    said = capsys.readouterr().out
    assert "--starts" in said
    assert "--workers" in said
    assert "--save" not in said
