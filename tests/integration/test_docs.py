"""The documentation's code prints what it shows; its API pages are complete."""

import importlib
import re
from pathlib import Path

import matplotlib as mpl
import pytest
from code_blocks import read_blocks, run_page
from matplotlib import pyplot as plt

DOCS = Path(__file__).parents[2] / "docs"
BUILT = {"_build", "_tutorials", "generated"}
PAGES = [p for p in sorted(DOCS.rglob("*.md")) if not BUILT & set(p.parts)]
WITH_CODE = [page for page in PAGES if read_blocks(page)]
SPACES = (
    "backgrounds",
    "genome",
    "motifs",
    "plot",
    "report",
    "statistics",
    "structure",
)
API = (
    "residualbind",
    "tangermeme_gia",
    *(f"tangermeme_gia.{name}" for name in SPACES),
)


def name(page: Path) -> str:
    return page.relative_to(DOCS).with_suffix("").as_posix()


@pytest.fixture
def _drawing_without_a_display():
    backend = mpl.get_backend()
    mpl.use("Agg")
    yield
    plt.close("all")
    mpl.use(backend)


@pytest.mark.usefixtures("_drawing_without_a_display")
@pytest.mark.parametrize("page", WITH_CODE, ids=name)
def test_the_code_of_a_page_prints_what_the_page_shows(
    page, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)  # some pages save files
    assert run_page(page, lambda: capsys.readouterr().out) > 0


@pytest.mark.usefixtures("_drawing_without_a_display")
def test_every_figure_of_the_paper_is_a_line_that_draws(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = DOCS / "howto" / "figures.md"
    namespace: dict[str, object] = {"__name__": "page"}
    for block in read_blocks(page):
        exec(block.code, namespace)
    lines = re.findall(r"^\|[^|]+\|[^|]+\| `(plot\..+\))` \|$", page.read_text(), re.M)
    assert len(lines) >= 12
    for line in lines:
        assert eval(line, namespace).has_data(), line


def test_no_block_of_code_escapes_the_tests():
    for page in PAGES:
        assert page.read_text().count("```python") == len(read_blocks(page)), name(page)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_and_images_of_a_page_exist(page):
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    assert not [target for target in targets if not (page.parent / target).exists()]


def listed(module):
    """The names of a module that the API pages list."""
    text = "\n".join(page.read_text() for page in (DOCS / "api").glob("*.md"))
    blocks = re.findall(
        r"^\.\. currentmodule:: (\S+)$(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL
    )
    names = [
        re.findall(r"^   (\w+)$", b, re.MULTILINE) for m, b in blocks if m == module
    ]
    return sorted([name for block in names for name in block])


@pytest.mark.parametrize("name", API)
def test_the_api_pages_name_exactly_the_public_names(name):
    module = importlib.import_module(name)
    spaces = SPACES if name == "tangermeme_gia" else ()
    assert listed(name) == sorted(set(module.__all__) - {"__version__", *spaces})


def test_a_wrong_output_and_a_reason_not_to_run_are_noticed(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- not run: needs a file -->\n```python\nopen('no')\n```\n\n"
        "```python\nx = 2\n```\n\n```python\nprint(x)\n```\n\n```text\n3\n```\n"
    )
    blocks = read_blocks(page)
    assert [block.needs for block in blocks] == ["a file", None, None]
    with pytest.raises(AssertionError, match=r"page.md, line \d+"):
        run_page(page, lambda: "2\n")
