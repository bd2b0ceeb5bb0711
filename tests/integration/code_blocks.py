"""The Python blocks of a Markdown page: reading them, and running what they show."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from printed import differences

# A block may have a reason not to run above it and what it prints below it.
BLOCK = re.compile(
    r"^(?:<!-- not run: needs (?P<needs>[^\n]+) -->\n)?"
    r"```python\n(?P<code>.*?)^```$"
    r"(?:\n+```(?:text)?\n(?P<shown>.*?)^```$)?",
    flags=re.DOTALL | re.MULTILINE,
)


class Block(NamedTuple):
    """A block: its code, its first line, what it needs and what it shows."""

    code: str
    line: int
    needs: str | None
    shown: str


def read_blocks(page: Path) -> list[Block]:
    """The Python blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            match["code"],
            text.count("\n", 0, match.start("code")),
            match["needs"],
            match["shown"] or "",
        )
        for match in BLOCK.finditer(text)
    ]


def run_block(
    page: Path, block: Block, namespace: dict[str, Any], printed: Callable[[], str]
) -> None:
    """Run one block; what it prints must be what the page shows, but for rounding."""
    code = "\n" * block.line + block.code  # tracebacks then have the page's lines
    exec(compile(code, str(page), "exec"), namespace)
    assert not (found := differences(block.shown, printed())), (
        f"{page.name}, line {block.line}: " + "; ".join(found)
    )


def run_page(page: Path, printed: Callable[[], str]) -> int:
    """Run the blocks of a page in one namespace; how many were run."""
    namespace: dict[str, Any] = {"__name__": "page"}
    blocks = [block for block in read_blocks(page) if block.needs is None]
    for block in blocks:
        run_block(page, block, namespace, printed)
    return len(blocks)
