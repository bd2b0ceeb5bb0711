"""How results become HTML: one file that needs no other and asks for nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2

from .figures import data_uri
from .section import Figure

_SCRIPTS = ("templates/page.js", "templates/tables.js")
# Vega and Vega-Lite as they were published: see vendor/README.md.
_CHARTS = ("vendor/vega.min.js", "vendor/vega-lite.min.js", "templates/charts.js")


def render(
    template: str,
    charts: bool = False,
    scripts: Sequence[str] = (),
    folder: Path | None = None,
    **values: Any,
) -> str:
    """A page of this package's templates, with the scripts that it needs inside.

    Those of its own, given by name, run before those that all pages have. A template in
    `folder` may use the parts of all pages.
    """
    own = [f"templates/{name}" for name in scripts]
    names = (*own, *_SCRIPTS, *(_CHARTS if charts else ()))
    return _template(template, folder).render(
        scripts="".join(map(_script, names)), **values
    )


def shown_figures(figures: Sequence[Figure], folder: Path) -> list[Mapping[str, Any]]:
    """Figures as a template reads them, from the folder of their files."""
    return [
        {
            "name": figure.name,
            "reading": figure.reading,
            "source": data_uri(folder / f"{figure.name}.svg"),
            "chart": figure.chart and _json(figure.chart),
        }
        for figure in figures
    ]


def _script(name: str) -> str:
    text = (files("tangermeme_gia.report") / name).read_text(encoding="utf-8")
    # A map of the source would be asked for.
    kept = [line for line in text.splitlines() if "sourceMappingURL" not in line]
    return "\n".join(["<script>", *kept, "</script>", ""])


def _json(value: Mapping[str, Any]) -> str:
    """JSON that no text in it can end."""
    return json.dumps(value, allow_nan=False).replace("<", "\\u003c")


@cache
def _template(name: str, folder: Path | None) -> jinja2.Template:
    places: list[jinja2.BaseLoader] = [
        jinja2.PackageLoader("tangermeme_gia.report", "templates")
    ]
    if folder is not None:
        places.append(jinja2.FileSystemLoader(folder))
    environment = jinja2.Environment(
        loader=jinja2.ChoiceLoader(places),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
