"""What the README shows is what the code does."""

import re
from pathlib import Path

from code_blocks import read_blocks, run_block

README = Path(__file__).parents[2] / "README.md"


def test_the_session_prints_what_the_readme_shows(capsys):
    session = next(b for b in read_blocks(README) if "multi_site(" in b.code)
    assert session.shown
    run_block(README, session, {}, lambda: capsys.readouterr().out)


def test_every_function_of_the_table_exists():
    import tangermeme_gia

    text = README.read_text()
    table = text[text.index("| question | function |") :].split("\n\n")[0]
    names = re.findall(r"`(\w+)`", table)
    assert len(names) >= 18
    assert set(names) <= set(tangermeme_gia.__all__)
