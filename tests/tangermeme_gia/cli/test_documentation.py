"""The commands of docs/cli.md run and print what the page says."""

import re
import shlex
from pathlib import Path

import pytest

from tangermeme_gia.cli import main

from .conftest import filled_commands

PAGE = (Path(__file__).parents[3] / "docs" / "cli.md").read_text(encoding="utf-8")
SHOWN = re.findall(
    r"^\$ tangermeme-gia (.*)\n((?:(?!\$ |```).*\n)*)", PAGE, re.MULTILINE
)


def numbers(text):
    """Words and numbers, with numbers as such."""
    words = re.split(r"[\t\n ]", text)
    return [
        pytest.approx(float(word), rel=2e-3, abs=1e-4)
        if re.fullmatch(r"-?\d+\.\d+", word)
        else word
        for word in words
    ]


def as_numbers(text):
    words = re.split(r"[\t\n ]", text)
    return [float(w) if re.fullmatch(r"-?\d+\.\d+", w) else w for w in words]


def test_the_page_shows_commands():
    assert len(SHOWN) == 8


@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_a_command_prints_what_the_page_says(command, output, here, capsys):
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (here / "my_models.py").write_text(code[1])
    probes = re.search(r"```text\n(>.*?)```", PAGE, re.DOTALL)
    (here / "probes.fa").write_text(probes[1])
    failed = main(shlex.split(command))
    captured = capsys.readouterr()
    assert failed == (2 if ": error: " in output else 0), captured.err
    assert as_numbers(captured.err if failed else captured.out) == numbers(output)


def test_every_command_is_in_the_table():
    commands = filled_commands()
    table = re.findall(r"^\|.*\|$", PAGE, re.MULTILINE)
    named = {name for row in table for name in re.findall(r"`([a-z-]+)`", row)}
    assert named == set(commands)
