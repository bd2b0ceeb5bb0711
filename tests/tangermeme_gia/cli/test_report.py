import inspect
import json
import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
import torch

from tangermeme_gia.cli import main
from tangermeme_gia.cli.main import build_parser
from tangermeme_gia.report import ReportOptions, load_results

PARSER = build_parser()._subparsers._group_actions[0].choices["report"]
GIVEN = ["--length", "24", "--motif", "gata", "--n", "20"]
QUICK = [*GIVEN, "--experiments", "sites"]
QUICKEST = [*GIVEN, "--experiments", "motif"]


@pytest.fixture
def lines(caplog):
    """What a report says while it runs, since the last time."""
    caplog.set_level("INFO", "tangermeme_gia")

    def take():
        messages = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return messages

    return take


def run(capsys, *words):
    code = main(["report", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


SAVED = "as saved (same model, sequences and options)"


def test_a_report_is_written_and_reused(toys, here, capsys, lines):
    words = ["--model", f"{toys}:Additive", *QUICKEST]
    code, out, err = run(capsys, *words)
    assert (code, out) == (0, f"{Path('report/index.html')}\n")
    assert err == "Additive: report\n"
    assert lines() == ["1/1 motif", "writing motif"]
    page = Path("report/index.html").read_text()
    assert "GATA" in page
    provenance = json.loads(Path("report/report.json").read_text())["provenance"]
    assert provenance["command"] == shlex.join(["tangermeme-gia", "report", *words])
    assert provenance["sequences"] == "none; 24 uniform bases"
    first = load_results("report")["motif"]["controls"]

    assert run(capsys, *words)[0] == 0
    assert lines() == [f"1/1 motif: {SAVED}", "writing motif"]

    assert run(capsys, *words, "--seed", "1")[0] == 0
    assert lines()[0] == "1/1 motif again, changed: random_state"
    second = load_results("report")["motif"]["controls"]
    assert not torch.equal(first.y_before, second.y_before)
    assert first.conditions.shape == second.conditions.shape


def test_a_change_of_the_weights_is_noticed(toys, here, capsys, lines):
    words = ["--model", f"{toys}:Additive", "--weights", "w.pt", *QUICKEST]
    for value in (1.0, 2.0):
        torch.save({"weights": torch.full((1, 4, 24), value)}, "w.pt")
        assert run(capsys, *words)[0] == 0
    assert "1/1 motif again, changed: model" in lines()


def test_many_models_get_an_overview_and_one_that_fails_stops_no_other(
    toys, here, capsys, lines
):
    models = [f"{toys}:{name}" for name in ("Breaks", "Additive", "ready")]
    code, out, err = run(capsys, "--model", *models, *QUICK, "--out", "all")
    assert (code, out) == (2, f"{Path('all/index.html')}\n")
    *progress, error = err.splitlines()
    assert progress == [f"{x}: all/{x}" for x in ("Breaks", "Additive", "ready")]
    assert re.match(
        r"tangermeme-gia report: error: Breaks: the model fails on sequences of shape "
        r"\(60, 4, 24\): RuntimeError: mat1 and mat2 shapes \(.*, line \d+\) "
        r"\(finished parts are kept\)$",
        error,
    )
    overview = Path("all/index.html").read_text()
    assert 'href="./Additive/index.html"' in overview
    assert "Breaks" not in overview
    table = pd.read_csv("all/tables/models.tsv", sep="\t")
    assert table.iloc[:, 0].tolist() == ["Additive", "ready"]
    assert list(load_results("all/Breaks")) == ["motif"]

    lines()
    assert run(capsys, "--model", models[0], *QUICK, "--out", "all/Breaks")[0] == 2
    assert lines() == [f"1/2 motif: {SAVED}", "2/2 sites"]


def test_replicates_of_one_name_are_told_apart(toys, here, capsys):
    Path("other.py").write_text(Path(f"{toys}.py").read_text())
    models = [f"{toys}:Additive", "other.py:Additive"]
    words = ["--model", *models, "--length", "24", "--motif", "GATA", "--n", "8"]
    assert run(capsys, *words, "--experiments", "motif")[0] == 0
    names = {f"{toys}-Additive", "other.py-Additive"}
    assert names <= {path.name for path in Path("report").iterdir()}


def test_the_bundled_model_needs_no_data(here, capsys, lines):
    words = ["--motif", "TTAATT", "--n", "5", "--experiments", "motif"]
    code, out, _ = run(capsys, *words)
    assert (code, out) == (0, f"{Path('report/index.html')}\n")
    provenance = json.loads(Path("report/report.json").read_text())["provenance"]
    assert provenance["model"] == "bundled with residualbind"
    assert "UUAAUU" in Path("report/index.html").read_text()


def test_the_example_runs(here, capsys):
    example = re.sub(r"\s+", " ", PARSER.epilog).removeprefix("example: ")
    program, command, *words = shlex.split(example)
    assert (program, command) == ("tangermeme-gia", "report")
    fewer = ["--n", "4", "--k", "1", "--experiments", "scan"]
    code, out, _ = run(capsys, *words, *fewer)
    assert (code, out) == (0, f"{Path('report/index.html')}\n")


def test_a_full_disk_keeps_what_is_finished(toys, here, capsys, monkeypatch):
    from tangermeme_gia.report import store

    write, written = store.write_atomically, []

    def fills(path, content):
        if path.name == "sites.safetensors":
            raise OSError(28, "No space left on device")
        written.append(path.name)
        write(path, content)

    monkeypatch.setattr(store, "write_atomically", fills)
    code, out, err = run(capsys, "--model", f"{toys}:Additive", *QUICK)
    assert (code, out) == (2, "")
    assert err.splitlines()[-1] == (
        "tangermeme-gia report: error: [Errno 28] No space left on device"
    )
    assert list(load_results("report")) == ["motif"]


def test_an_interrupt_keeps_what_is_finished(toys, here, capsys, monkeypatch, lines):
    from tangermeme_gia.report import store

    save = store.Store.save

    def stops(self, part, *rest):
        if part == "sites":
            raise KeyboardInterrupt
        save(self, part, *rest)

    words = ["--model", f"{toys}:Additive", *QUICK]
    with monkeypatch.context() as patched:
        patched.setattr(store.Store, "save", stops)
        code, _, err = run(capsys, *words)
    assert code == 130
    assert err.endswith("tangermeme-gia report: interrupted\n")
    lines()
    assert run(capsys, *words)[0] == 0
    assert lines()[:2] == [f"1/2 motif: {SAVED}", "2/2 sites"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--n 3", "`n`=3 must be at least 4"),
        ("--experiments sites nothing", "`experiments`=['sites', 'nothing'] must be"),
        ("--backgrounds observed", "`backgrounds`=['observed'] must be distinct"),
        ("--model A1CF A1CF", "`--model` A1CF A1CF names one twice"),
        ("--model none", "`--model`='none' is none of a bundled model"),
        ("--sequences none.fa", "there is no file none.fa"),
        ("--device abacus", "`--device`='abacus' cannot be used"),
        ("--n many", "argument --n: invalid int value: 'many'"),
    ],
)
def test_bad_options_are_one_line(here, failure, words, message):
    assert message in failure("report", *words.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--start 40 --motif GA", "`start`=40 with a 2-mer runs past `X` of length 41"),
        ("--motif GAX --n 4", "'X' at position 2, which is not in `alphabet`"),
    ],
)
def test_what_does_not_fit_the_sequences_is_one_line(here, capsys, words, message):
    code, out, err = run(capsys, *words.split())
    assert (code, out) == (2, "")
    progress, error = err.splitlines()
    assert progress == "A1CF: report"
    assert message in error


def test_options_have_the_defaults_of_the_library():
    defaults = {action.dest: action.default for action in PARSER._actions}
    keywords = inspect.signature(ReportOptions).parameters
    assert keywords.keys() - defaults.keys() == {"random_state"}
    for name in keywords.keys() & defaults.keys():
        default = defaults[name]
        default = tuple(default) if isinstance(default, list) else default
        assert default == keywords[name].default, name
    assert defaults["seed"] == keywords["random_state"].default
