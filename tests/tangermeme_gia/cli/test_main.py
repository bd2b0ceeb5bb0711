import contextlib
import io
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pandas as pd
import pytest

from tangermeme_gia.cli import commands, main

from .conftest import filled_commands

ROOT = Path(__file__).parents[3]
COMMANDS = filled_commands()
SCAN = ["kmer-scan", "--k", "1", "--n", "3"]


def test_the_installed_script_runs(here):
    script = shutil.which("tangermeme-gia", path=sysconfig.get_path("scripts"))
    if script is None:
        pytest.skip("the package is not installed with its script")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ended = subprocess.run([script, *SCAN], capture_output=True, env=environment)
    assert ended.returncode == 0
    # What the intervals of the table are over is all that is said.
    said = b"Intervals are over 3 backgrounds; fixed: the model, letters and places.\n"
    assert ended.stderr.replace(b"\r", b"") == said
    table = pd.read_csv(io.BytesIO(ended.stdout), sep="\t")
    assert table["kmer"].tolist() == ["A", "C", "G", "U"]


def test_the_module_runs_as_the_program(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["__main__", *SCAN[:-1], "0"])
    with pytest.raises(SystemExit) as exit_:
        runpy.run_module("tangermeme_gia", run_name="__main__")
    assert exit_.value.code == 2
    assert "kmer-scan: error: `--n`=0 must be" in capsys.readouterr().err


@pytest.mark.parametrize("k", ["1", "6"])
def test_a_reader_that_leaves_ends_the_program_quietly(monkeypatch, capfd, k):
    """Whether the table is smaller or larger than the buffers."""
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "w") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert main(["kmer-scan", "--k", k, "--n", "1"]) == 141
        pipe.write("what Python flushes at exit")
    assert capfd.readouterr().err == ""


def test_a_full_disk_behind_stdout_is_one_line(monkeypatch, capsys):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no full device")
    with contextlib.suppress(OSError), open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert main(SCAN) == 2
    assert capsys.readouterr().err == (
        "tangermeme-gia kmer-scan: error: [Errno 28] No space left on device\n"
    )


def test_an_interrupt_is_code_130(monkeypatch, capsys):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("tangermeme_gia.cli.options.read_inputs", interrupted)
    assert main(SCAN) == 128 + signal.SIGINT
    assert capsys.readouterr().err == "tangermeme-gia kmer-scan: interrupted\n"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ImportError("install\n  logomaker"), "install logomaker"),
        (OSError(28, "No space left on device"), "[Errno 28] No space left on device"),
        (MemoryError("80 GiB"), "not enough memory: 80 GiB"),
        (ValueError(), "ValueError"),
    ],
)
def test_what_a_user_can_put_right_is_one_line(monkeypatch, capsys, error, message):
    def fails(*args, **kwargs):
        raise error

    monkeypatch.setattr("tangermeme_gia.cli.options.read_inputs", fails)
    assert main(SCAN) == 2
    assert capsys.readouterr().err == f"tangermeme-gia kmer-scan: error: {message}\n"


def test_a_defect_keeps_its_traceback(monkeypatch):
    def fails(*args, **kwargs):
        raise KeyError("defect")

    monkeypatch.setattr("tangermeme_gia.cli.options.read_inputs", fails)
    with pytest.raises(KeyError, match="defect"):
        main(SCAN)


@pytest.mark.parametrize(
    "words", [[], ["scan"], ["multi-site"], ["multi-site", "--starts", "x"]]
)
def test_bad_words_are_one_line_and_code_2(words, capsys):
    with pytest.raises(SystemExit) as exit_:
        main(words)
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert re.match(r"tangermeme-gia( multi-site)?: error: .*--help\)$", error)


def test_words_that_no_option_takes_are_named_with_the_command(failure):
    error = failure(*SCAN, "GATA")
    assert error.endswith(
        "unrecognized arguments: GATA (see tangermeme-gia kmer-scan --help)\n"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--motiff", "GATA"], "there is no option --motiff; did you mean --motif?"),
        (["-motif", "GATA"], "there is no option -motif; did you mean --motif?"),
        (["-n", "3"], "there is no option -n; did you mean --n?"),
        (["--motiff=GATA"], "there is no option --motiff; did you mean --motif?"),
        (["--xyz", "3", "--motif", "GATA"], "there is no option --xyz (see "),
        (["--model", "A1CF", "--model", "ANKHD1"], "--model is given twice; it can be"),
        (["--mod", "A1CF", "--model", "ANKHD1"], "--model is given twice; it can be"),
        (["--starts", "3", "--starts", "9"], "given once, with all its values"),
        (["--device", "gpu", "--motif", "GATA", "--starts", "3"], "did you mean cuda?"),
    ],
)
def test_a_wrong_word_is_named_before_what_is_missing(failure, words, message):
    assert message in failure("multi-site", *words)


def test_options_that_are_made_to_come_again_may(table):
    twice = ["--patterns", "UAAUUA@3", "--patterns", "UAAUUA@9"]
    assert len(table("global-importance", *twice, "--n", "3")) == 2


def test_numba_without_a_place_for_its_code_is_one_line(monkeypatch, failure):
    def fails(*args, **kwargs):
        raise RuntimeError("cannot cache function 'f': no locator available for 'f.py'")

    monkeypatch.setattr("tangermeme_gia.cli.options.read_inputs", fails)
    assert "set NUMBA_CACHE_DIR to a folder that can be written" in failure(*SCAN)


def test_every_command_explains_every_option():
    assert next(iter(COMMANDS)) == "report"
    assert list(COMMANDS) == [command.name for command in commands.COMMANDS]
    for name, parser in COMMANDS.items():
        text = re.sub(r"\s+", " ", parser.format_help())
        assert f"example: tangermeme-gia {name} " in text
        assert all(action.help for action in parser._actions)
        assert "default: None" not in text
        assert parser.description[-1] in ".?"


@pytest.mark.parametrize("option", ["--start", "--starts", "--patterns", "--windows"])
def test_positions_say_where_they_count_from(option):
    actions = [
        action
        for parser in COMMANDS.values()
        for action in parser._actions
        if option in action.option_strings
    ]
    assert actions
    for action in actions:
        assert re.search(r"0-based|from 0", action.help), action.help


def test_progress_is_shown_on_terminals_only(monkeypatch, capsys):
    assert main(SCAN) == 0
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main(SCAN) == 0
    assert "sequences/s" in capsys.readouterr().err


@pytest.mark.parametrize("package", ["tangermeme_gia", "residualbind"])
def test_what_a_command_is_like_is_said_without_torch(package):
    """In a fraction of a second, that is."""
    code = (
        f"import sys, contextlib, io; from {package}.cli.main import *\n"
        "commands = build_parser()._subparsers._group_actions[0].choices\n"
        "words = [[command, '--help'] for command in commands]\n"
        "heavy = {'torch', 'numpy', 'pandas', 'matplotlib'}\n"
        "for words in ['--help'], ['--version'], *words:\n"
        "    try: main(words)\n"
        "    except SystemExit: print(words, heavy & {*sys.modules})\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stderr == ""
    said = re.findall(r"^(\[.*\]) (.*)$", ended.stdout, re.MULTILINE)
    expected = {"tangermeme_gia": len(COMMANDS) + 2, "residualbind": 11}
    assert len(said) == expected[package]
    assert {heavy for words, heavy in said} == {"set()"}, said
    version = f"{package.replace('_', '-')} {metadata.version('tangermeme-gia')}"
    assert version in ended.stdout.splitlines()
