import inspect
import json
import re
import shlex
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
import torch

from tangermeme_gia.cli import main
from tangermeme_gia.cli.report import folders_of
from tangermeme_gia.report import ReportOptions, load_results
from tangermeme_gia.report.written import one_writer

from .conftest import filled_commands

PARSER = filled_commands()["report"]
GIVEN = ["--length", "24", "--motif", "gata", "--n", "20"]
QUICK = [*GIVEN, "--experiments", "sites"]
QUICKEST = [*GIVEN, "--experiments", "motif"]


@pytest.fixture
def lines(caplog):
    """What a report says while it runs, since the last time."""
    caplog.set_level("INFO", "tangermeme_gia")

    def take():
        records = [r for r in caplog.records if r.name == "tangermeme_gia.report"]
        messages = [r.getMessage() for r in records if r.levelname == "INFO"]
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
    assert lines() == [f"1/1 motif: {SAVED}", "index.html: as it was"]

    assert run(capsys, *words, "--random-state", "1")[0] == 0
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


def test_many_models_get_a_page_of_all_and_one_that_fails_stops_no_other(
    toys, here, capsys, lines
):
    models = [f"{toys}:{name}" for name in ("Breaks", "Additive", "ready")]
    code, out, err = run(capsys, "--model", *models, *QUICK, "--out", "all")
    assert (code, out) == (1, f"{Path('all/index.html')}\n")
    started, failed, *others, error = err.splitlines()
    assert started == "Breaks: all/Breaks"
    assert others == [f"{x}: all/{x}" for x in ("Additive", "ready")]
    reason = (
        r"the model fails on sequences of shape \(60, 4, 24\): RuntimeError: mat1 and "
        r"mat2 shapes \(.*, line \d+\)"
    )
    assert re.fullmatch(f"Breaks failed: {reason}", failed)
    assert error == (
        "tangermeme-gia report: error: 1 of 3 models failed: Breaks (finished parts "
        "are kept)"
    )
    page = Path("all/index.html").read_text()
    assert 'href="./Additive/index.html"' in page
    assert "3 models: 2 finished, 1 failed." in page
    assert re.search(f"<li>Breaks: {reason}</li>", page)
    table = pd.read_csv("all/tables/models.tsv", sep="\t")
    assert table["name"].tolist() == ["Breaks", "Additive", "ready"]
    assert table["state"].tolist() == ["failed", "finished", "finished"]
    assert re.fullmatch(reason, table["error"][0])
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
    table = pd.read_csv("report/tables/models.tsv", sep="\t")
    assert table["name"].tolist() == models


COUNTS = """
import torch

class Count(torch.nn.Module):
    def forward(self, X):
        return X[:, {letter}].sum(dim=1)

def build():
    return Count()

figures = tables = Build = build
"""


@pytest.fixture
def counts(here):
    """Write a file with a model that counts a letter; `--model` for it."""

    def write(path, letter, attribute="build"):
        path = here / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(COUNTS.format(letter="ACGT".index(letter)))
        return f"{path.relative_to(here)}:{attribute}"

    return write


def effects_of(capsys, models, *words):
    # Sequences of C alone: GATA brings two A, a G and a T, and takes four C.
    Path("c.txt").write_text("".join(f"{i} {'C' * 24}\n" for i in range(16)))
    sequences = ["--sequences", "c.txt", "--keep-copies", "--backgrounds", "shuffle"]
    options = ["--motif", "GATA", "--n", "4", "--experiments", "motif", *sequences]
    code, _, err = run(capsys, "--model", *models, *options, *words)
    table = pd.read_csv("report/tables/models.tsv", sep="\t")
    done = table[table["state"] == "finished"]
    return code, err, dict(zip(done["name"], done["effect"], strict=True))


def test_a_motif_that_is_read_elsewhere_is_said_to_be(here, capsys):
    Path("end.py").write_text(
        "import torch\n"
        "class Net(torch.nn.Module):\n"
        "    def forward(self, X):\n"
        "        return 17.5 * X[:, 2, 2] - 0.76 * X[:, 2, 10]\n"
    )
    words = ["--model", "end.py:Net", "--length", "24", "--motif", "GATA"]
    assert run(capsys, *words, "--n", "20", "--experiments", "motif")[0] == 0
    page = Path("report/index.html").read_text()
    assert "measured at the centre, position 10, but this is not where" in page
    assert "`--start 2` makes a report of it there" in page


@pytest.mark.parametrize("name", ["model.py", "queue.py"])
def test_two_files_of_one_name_are_two_models(counts, capsys, name):
    models = [counts(f"{letter.lower()}/{name}", letter) for letter in "AG"]
    code, _, effects = effects_of(capsys, models)
    assert (code, effects) == (0, {models[0]: 2.0, models[1]: 1.0})


def test_every_model_has_a_folder_of_its_own_that_nothing_else_has(counts, capsys):
    # Slashes and dashes, large and small letters, and what the page of all has itself.
    models = [
        counts("p/q/m.py", "A"),
        counts("p-q/m.py", "C"),
        counts("P/Q/m.py", "G"),
        counts("x.py", "T", "figures"),
        counts("y.py", "A", "tables"),
        counts("z.py", "G", "Build"),
    ]
    code, err, effects = effects_of(capsys, models)
    titles = [*models[:3], "figures", "tables", "Build"]
    assert code == 0
    assert effects == dict(zip(titles, [2, -4, 1, 1, 2, 1], strict=True))
    folders = [line.split(": ")[1] for line in err.splitlines()]
    assert len({folder.casefold() for folder in folders}) == 6
    for title, folder in zip(titles, folders, strict=True):
        held = json.loads((Path(folder) / "report.json").read_text())
        assert (held["name"], held["headline"]["effect"]) == (title, effects[title])
    shown = {path.name for path in Path("report/tables").iterdir()}
    assert shown == {"models.tsv"}


def test_folders_differ_in_more_than_case_and_have_a_name():
    titles = ["Net", "net", "...", "Tables", "x" * 300]
    folders = folders_of(titles, titles)
    assert len({folder.casefold() for folder in folders}) == 5
    assert [folder.split("-")[0] for folder in folders[:4]] == [
        "Net",
        "net",
        "model",
        "Tables",
    ]
    assert folders[3] != "Tables"
    assert max(map(len, folders)) <= 109


def test_folders_have_names_that_every_file_system_takes():
    odd = ["\u65e5" * 300, "\u65e5" * 299 + "x", "CON", "aux.v2", "e\u0301", "\u00e9"]
    odd += [".", "..", "end. ", "COM1.", "console", "a\udcffb"]
    folders = folders_of(odd, odd)
    for folder in folders:
        assert len(folder.encode()) < 255  # a letter may be three bytes
        assert folder.split(".")[0].upper() not in {"CON", "AUX", "COM1"}
        assert folder == folder.strip(" .")
    composed = {unicodedata.normalize("NFC", folder).casefold() for folder in folders}
    assert len(composed) == len(odd)
    assert {"console", "model-CON", "model-aux.v2"} <= {*folders}
    # What was cut says so in whatever company.
    assert folders_of(["m"], ["x" * 101]) != folders_of(["n"], ["x" * 102])


def test_models_get_the_names_they_are_given(counts, capsys, failure):
    models = [counts("a/model.py", "A"), counts("b/model.py", "G")]
    code, err, effects = effects_of(capsys, models, "--name", "counts A", "G/s")
    assert (code, effects) == (0, {"counts A": 2.0, "G/s": 1.0})
    assert err.splitlines() == ["counts A: report/counts-A", "G/s: report/G-s"]
    line = failure("report", "--model", *models, "--name", "A", "A")
    assert "`--name` A A must be a name of its own for each of 2 models" in line
    for bad in ("", " ", "a\nb"):
        line = failure("report", "--model", *models, "--name", "A", bad)
        assert f"`--name` {bad!r} must be letters that can be read" in line


def test_two_pages_of_many_into_one_folder_are_refused(counts, failure):
    models = [counts("a.py", "A", "Build"), counts("b.py", "G")]
    Path("report").mkdir()
    with one_writer(Path("report")):
        line = failure("report", "--model", *models, *QUICKEST)
    assert "another report is being written to report; wait until" in line
    assert [path.name for path in Path("report").iterdir()] == [".report.lock"]


def test_whatever_one_model_does_the_others_are_reported(counts, capsys, monkeypatch):
    bad = {
        "imports": ("import nothing_of_this_name", "No module named 'nothing_of"),
        "leaves": ("import sys; sys.exit(0)", "SystemExit: 0"),
        "gives": ("build = lambda: 3", "gives a value of type int"),
        "has": ("", "has no 'build'"),
    }
    for name, (text, _) in bad.items():
        Path(f"{name}.py").write_text(text)
    models = [f"{name}.py:build" for name in bad] + [counts("good.py", "A", "Build")]
    code, err, effects = effects_of(capsys, models)
    assert (code, effects) == (1, {"Build": 2.0})
    page = Path("report/index.html").read_text()
    for spec, (_, reason) in zip(models, bad.values(), strict=False):
        assert f"{spec} failed: " in err
        assert reason in err
        assert f"<li>{spec}: " in page
    assert err.splitlines()[-1].startswith(
        "tangermeme-gia report: error: 4 of 5 models failed: imports.py:build, "
    )


def test_a_defect_in_one_report_stops_no_other(counts, capsys, monkeypatch):
    from tangermeme_gia import report as module

    def defect(inputs, folder, *args, **kwargs):
        if inputs.name == "Build":
            raise KeyError("defect")
        return original(inputs, folder, *args, **kwargs)

    original = module.run_report
    monkeypatch.setattr(module, "run_report", defect)
    models = [counts("a.py", "A", "Build"), counts("b.py", "G")]
    code, err, effects = effects_of(capsys, models)
    assert (code, effects) == (1, {"build": 1.0})
    assert "Traceback" in err
    assert "Build failed: 'defect'" in err


def test_what_is_missing_is_named_before_anything_is_done(counts, failure):
    models = [counts("a.py", "A"), "none.py:build", "nothing", "b/none.py:build"]
    words = ["--weights", "w.pt", "--sequences", "x.fa", "--genome", "g.fa"]
    line = failure("report", "--model", *models, *words)
    for missing in (
        "there is no file none.py",
        "there is no file b/none.py",
        "`--weights` belongs to a model given as module:callable; 'nothing'",
        "`--weights`: there is no file w.pt",
        "`--sequences`: there is no file x.fa",
        "`--genome`: there is no file g.fa",
    ):
        assert missing in line
    assert not Path("report").exists()


def test_the_page_of_all_follows_each_model(counts, capsys, monkeypatch):
    from tangermeme_gia import report as module

    seen = []

    def look(root, entries, *, title, going_on):
        original(root, entries, title=title, going_on=going_on)
        states = "".join(entry.state[0] + entry.state[1] for entry in entries)
        text = (root / "index.html").read_text()
        seen.append((states, going_on, "reloads\nitself" in text))

    original = module.write_fleet
    monkeypatch.setattr(module, "write_fleet", look)
    Path("bad.py").write_text("build = 3")
    models = ["bad.py:build", counts("a.py", "A", "Build"), counts("b.py", "G")]
    effects_of(capsys, models)
    assert seen == [
        ("ruwawa", True, True),
        ("faruwa", True, True),
        ("fafiru", True, True),
        ("fafifi", False, False),
    ]


def test_a_page_of_all_that_is_stopped_reloads_itself_no_more(
    counts, capsys, monkeypatch
):
    from tangermeme_gia import report as module

    def stop(inputs, folder, *args, **kwargs):
        if inputs.name == "build":
            raise KeyboardInterrupt
        return original(inputs, folder, *args, **kwargs)

    original = module.run_report
    monkeypatch.setattr(module, "run_report", stop)
    models = [counts("a.py", "A", "Build"), counts("b.py", "G"), counts("c.py", "C")]
    code, _, effects = effects_of(capsys, models, "--name", "Build", "build", "last")
    assert (code, effects) == (130, {"Build": 2.0})
    page = Path("report/index.html").read_text()
    assert "3 models: 1 finished, 2 waiting." in page
    assert "data-reload" not in page.split("</style>")[1].split("<script>")[0]


def test_a_folder_of_one_report_becomes_that_of_many(counts, capsys):
    one, two = counts("a.py", "A", "Build"), counts("b.py", "G")
    words = ["--length", "24", "--motif", "GATA", "--n", "4", "--experiments", "motif"]
    assert run(capsys, "--model", one, *words)[0] == 0
    assert (Path("report/figures") / "motif.svg").exists()
    effects_of(capsys, [one, two])
    assert [p.name for p in Path("report/tables").iterdir()] == ["models.tsv"]
    assert not list(Path("report/figures").iterdir())
    assert not Path("report/report.json").exists()


def test_a_place_that_cannot_be_written_is_named_before_the_work(counts, failure):
    Path("file").touch()
    model = counts("a.py", "A")
    for out in ("file", "file/report"):
        line = failure("report", "--model", model, "--length", "24", "--out", out)
        assert "`--out`: " in line
        assert "file" in line


def test_the_chosen_output_is_in_tables_and_words(toys, here, capsys):
    words = ["--model", f"{toys}:two", "--target", "1", *QUICKEST]
    assert run(capsys, *words)[0] == 0
    table = pd.read_csv("report/tables/motif.tsv", sep="\t")
    assert set(table["output"]) == {1}
    page = Path("report/index.html").read_text()
    assert "Global importance analysis of the output 1 of the model." in page
    held = json.loads(Path("report/report.json").read_text())
    assert held["provenance"]["output"] == "output 1 of the model"


def test_the_page_of_all_names_the_chosen_output(toys, here, capsys):
    models = ["--model", f"{toys}:two", f"{toys}:more", "--target", "1"]
    code = Path(f"{toys}.py").read_text()
    Path(f"{toys}.py").write_text(code + "\n\ndef more():\n    return two()\n")
    assert run(capsys, *models, *QUICKEST)[0] == 0
    table = pd.read_csv("report/tables/models.tsv", sep="\t")
    assert table["output"].tolist() == [1, 1]
    assert ">output</th>" in Path("report/index.html").read_text()


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
    assert keywords.keys() <= defaults.keys()
    for name in keywords:
        default = defaults[name]
        default = tuple(default) if isinstance(default, list) else default
        assert default == keywords[name].default, name
