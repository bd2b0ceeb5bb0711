"""The tutorials run as they stand, and their saved outputs are what they print."""

import re
from pathlib import Path

import nbformat
import pytest
from printed import differences
from run_tutorials import (
    TUTORIALS,
    code_cells,
    execute,
    missing_modules,
    tidy,
    unwanted_messages,
)

NOTEBOOKS = sorted(TUTORIALS.glob("*.ipynb"))
MOST_BYTES = 500_000
VARYING = {
    r"\b0x[0-9a-f]{6,}\b": "<address>",
    r"\b\d+(?:\.\d+)? ?(?:ms|µs|s|sec|seconds|min)\b": "<time>",
}


def read(path):
    return nbformat.read(path, as_version=4)


def marked(path):
    fast = read(path).metadata.get("fast", False)
    return pytest.param(path, id=path.stem, marks=[] if fast else pytest.mark.slow)


def printed(cell):
    """What a cell wrote and returned as text, without what differs between runs."""
    pieces = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
        if output.get("name") != "stderr"
    ]
    text = "".join(pieces)
    for pattern, name in VARYING.items():
        text = re.sub(pattern, name, text)
    return text


def changed_cells(saved, fresh):
    """What cells, by number, print otherwise than is saved."""
    cells = zip(code_cells(saved), code_cells(fresh), strict=True)
    changes = {
        f"cell [{i}]": differences(
            printed(old), printed(new), old.metadata.get("tolerance", 0)
        )
        for i, (old, new) in enumerate(cells, start=1)
    }
    return {cell: found for cell, found in changes.items() if found}


@pytest.mark.parametrize("path", [marked(path) for path in NOTEBOOKS])
def test_a_tutorial_runs_and_prints_what_is_saved(path):
    notebook = read(path)
    if missing := missing_modules(notebook):
        pytest.skip(f"needs {', '.join(missing)}")
    fresh = execute(notebook)
    assert unwanted_messages(fresh) == []
    assert changed_cells(notebook, fresh) == {}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_tutorial_is_saved_as_the_script_saves_it(path):
    notebook = read(path)
    assert path.stat().st_size < MOST_BYTES
    assert tidy(notebook) == notebook
    counts = [cell.execution_count for cell in code_cells(notebook)]
    assert counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_of_a_tutorial_exist(path):
    prose = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    pattern = r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)"
    targets = re.findall(pattern, "\n".join(prose))
    assert [t for t in targets if not (TUTORIALS / t).exists()] == []


def notebook_of(*cells):
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in cells]
    return notebook


def test_stale_outputs_and_warnings_are_noticed_and_addresses_are_not():
    saved = execute(
        notebook_of(
            "print(1 + 1, object())",
            "3 + 3",
            "import warnings\nwarnings.warn('look', stacklevel=2)",
            "import sys\nprint(' 40%|####      | 2/5', file=sys.stderr)",
        )
    )
    assert changed_cells(saved, execute(saved)) == {}
    assert any("look" in message for message in unwanted_messages(saved))
    assert not any("40%" in message for message in unwanted_messages(saved))
    saved.cells[0].outputs[0].text = "3 <object object at 0x7f0000000000>"
    saved.cells[1].outputs[0].data["text/plain"] = "7"
    assert list(changed_cells(saved, execute(saved))) == ["cell [1]", "cell [2]"]


def test_a_cell_may_say_how_far_its_decimal_numbers_may_be_off():
    saved = execute(notebook_of("print(1, 0.5)"))
    saved.cells[0].outputs[0].text = "1 0.70"
    for tolerance, found in {0.2: [], 0.1: ["cell [1]"]}.items():
        saved.cells[0].metadata["tolerance"] = tolerance
        assert list(changed_cells(saved, execute(saved))) == found


def test_a_notebook_runs_on_this_checkout_in_a_folder_of_its_own():
    cells = notebook_of(
        "import os, tangermeme_gia\nprint(tangermeme_gia.__file__, os.listdir())"
    )
    text = execute(cells).cells[0].outputs[0].text
    assert text.split()[0] == str(TUTORIALS.parent / "tangermeme_gia" / "__init__.py")
    assert text.split()[1] == "[]"


def test_missing_modules_are_named():
    notebook = notebook_of("1")
    notebook.metadata["requires"] = ["json", "no_such_module"]
    assert missing_modules(notebook) == ["no_such_module"]


def test_tutorials_are_listed_in_order():
    numbers = [int(Path(path).stem.split("_")[0]) for path in NOTEBOOKS]
    assert numbers == sorted(set(numbers))
