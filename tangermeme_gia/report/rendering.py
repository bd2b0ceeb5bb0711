"""How results become HTML: one file that needs no other and asks for nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from .figures import data_uri
from .section import Figure

_SCRIPTS = ("page.js", "tables.js")


def render(template: str, **values: Any) -> str:
    """A page of this package's templates, with their scripts inside."""
    return _template(template).render(scripts=_scripts(), **values)


def shown_figures(figures: Sequence[Figure], folder: Path) -> list[Mapping[str, Any]]:
    """Figures as a template reads them, from the folder of their files."""
    return [
        {
            "name": figure.name,
            "reading": figure.reading,
            "source": data_uri(folder / f"{figure.name}.svg"),
        }
        for figure in figures
    ]


def _scripts() -> str:
    folder = files("tangermeme_gia.report") / "templates"
    texts = [(folder / name).read_text(encoding="utf-8") for name in _SCRIPTS]
    return "".join(f"<script>\n{text}</script>\n" for text in texts)


@cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tangermeme_gia.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
