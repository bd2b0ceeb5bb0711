"""The commands of docs/cli.md run and print what the page says."""

import re
import shlex
from pathlib import Path

import pytest
from printed import differences

from tangermeme_gia.cli import main
from tangermeme_gia.cli.main import build_parser

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
SHOWN = re.findall(
    r"^\$ tangermeme-gia (.*)\n((?:(?!\$ |```).*\n)*)", PAGE, re.MULTILINE
)


def test_the_page_shows_commands():
    assert len(SHOWN) == 12


@pytest.mark.usefixtures("_folder_of_my_models")
@pytest.mark.parametrize(("command", "output"), SHOWN)
def test_a_command_prints_what_the_page_says(command, output, capsys):
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    Path("my_models.py").write_text(code[1])
    files = re.findall(r"```text\n(>.*?)```", PAGE, re.DOTALL)
    for name, text in zip(("probes.fa", "motifs.jaspar"), files, strict=True):
        Path(name).write_text(text)
    failed = main(shlex.split(command))
    captured = capsys.readouterr()
    assert failed == (2 if ": error: " in output else 0), captured.err
    assert not differences(output, captured.err if failed else captured.out)


def test_every_command_is_in_the_table():
    commands = build_parser()._subparsers._group_actions[0].choices
    table = re.findall(r"^\|.*\|$", PAGE, re.MULTILINE)
    named = {name for row in table for name in re.findall(r"`([a-z-]+)`", row)}
    assert named == set(commands)
