"""`paper.html`: every panel beside the paper's statement, in one file."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from tangermeme_gia.report.figures import save_figures
from tangermeme_gia.report.rendering import render, shown_figures
from tangermeme_gia.report.tables import save_tables, shown

from .panel import Panel

PAGE = "paper.html"
SAID = ("name", "question", "paper", "ours", "source", "differs", "method")
DOI = "10.1371/journal.pcbi.1008925"


def save_panel(panel: Panel, folder: Path) -> None:
    """Write the figures of a panel as SVG and PNG, and its numbers as TSV."""
    save_tables(panel, folder / "tables")
    save_figures(panel, folder / "figures")


def write_page(
    folder: Path,
    panels: Sequence[Panel],
    left_out: Mapping[str, str],
    provenance: Mapping[str, str],
) -> Path:
    """Write the page of panels that are saved, and of those that could not be drawn.

    What is said of each is in `tables/panels.tsv`, too.
    """
    said = [{name: getattr(panel, name) for name in SAID} for panel in panels]
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    pd.DataFrame(said, columns=list(SAID)).to_csv(
        folder / "tables" / "panels.tsv", sep="\t", index=False
    )
    page = render(
        "paper.html.jinja",
        folder=Path(__file__).parent,
        panels=[
            {
                **words,
                "figures": shown_figures(panel.figures, folder / "figures"),
                "tables": [
                    shown(name, table, with_output=True)
                    for name, table in panel.tables.items()
                ],
            }
            for panel, words in zip(panels, said, strict=True)
        ],
        left_out=left_out,
        provenance={**provenance, "date": _now()},
        doi=DOI,
    )
    path = folder / PAGE
    path.write_text(page, encoding="utf-8")
    return path


def _now() -> str:
    return datetime.datetime.now().astimezone().isoformat(timespec="seconds")
