"""Laws of reading: short files, functions on one screen, few parameters."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

from tangermeme_gia._core.options import PatternOptions

ROOT = Path(__file__).parents[1]
MODULES = [
    path
    for package in ("tangermeme_gia", "residualbind")
    for path in sorted((ROOT / package).rglob("*.py"))
]
MOST_LINES, MOST_CODE_LINES, MOST_PARAMETERS = 400, 40, 8
# What every experiment and plot has is learned once.
SHARED = {
    "self",
    "cls",
    "model",
    "X",
    "alphabet",
    "start",
    "ax",
    *PatternOptions.__annotations__,
}
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
BLANK = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def code_lines(text: str) -> set[int]:
    """Numbers of the lines that hold code: no docstring, comment or blank line."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in BLANK:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(
            node, FUNCTIONS | ast.ClassDef | ast.Module
        ) and ast.get_docstring(node, clean=False):
            lines -= set(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return lines


def long_functions(text: str) -> list[str]:
    lines = code_lines(text)
    return [
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, FUNCTIONS)
        and len(lines & set(range(node.body[0].lineno, node.end_lineno + 1)))
        > MOST_CODE_LINES
    ]


def functions_of_many_parameters(text: str) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, FUNCTIONS):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            if len({arg.arg for arg in given} - SHARED) > MOST_PARAMETERS:
                found.append(node.name)
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_reads_in_one_go(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert long_functions(text) == []
    assert functions_of_many_parameters(text) == []


def test_what_is_too_long_is_seen():
    head = 'def f(a):\n    """Docs.\n\n    More.\n    """\n    # Why.\n'
    good = head + 39 * "    x = 1\n" + "\n    return x\n"
    assert long_functions(good) == []
    assert long_functions(good.replace("return x", "x += 1\n    return x")) == ["f"]
    few = "def f(X, a, b, c, d, e, g, h, i): 0"
    many = "def f(a, b, c, d, *, e, g, h, i, j): 0"
    assert functions_of_many_parameters(few) == []
    assert functions_of_many_parameters(many) == ["f"]
