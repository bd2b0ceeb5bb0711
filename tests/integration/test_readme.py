"""What the README shows is what the code does."""

import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README.read_text(), flags=re.DOTALL)


def test_the_session_prints_what_the_readme_shows(capsys):
    index = next(i for i, (_, code) in enumerate(BLOCKS) if "multi_site(" in code)
    (language, code), (_, shown) = BLOCKS[index : index + 2]
    assert language == "python"
    exec(code, {})
    assert capsys.readouterr().out.split() == shown.split()


def test_every_function_of_the_table_exists():
    import tangermeme_gia

    text = README.read_text()
    table = text[text.index("| question | function |") :].split("\n\n")[0]
    names = re.findall(r"`(\w+)`", table)
    assert len(names) >= 18
    assert set(names) <= set(tangermeme_gia.__all__)
