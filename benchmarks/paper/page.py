"""`paper.html`: every panel beside the paper's statement, in one file."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

from tangermeme_gia.report.figures import save_figures
from tangermeme_gia.report.rendering import render, shown_figures
from tangermeme_gia.report.tables import save_tables, shown

from .panel import Panel

PAGE = "paper.html"
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
    """Write the page of panels that are saved, and of those that could not be drawn."""
    page = render(
        "paper.html.jinja",
        folder=Path(__file__).parent,
        panels=[
            {
                "name": panel.name,
                "question": panel.question,
                "paper": panel.paper,
                "ours": panel.ours,
                "source": panel.source,
                "differs": panel.differs,
                "method": panel.method,
                "figures": shown_figures(panel.figures, folder / "figures"),
                "tables": [
                    shown(name, table, with_output=True)
                    for name, table in panel.tables.items()
                ],
            }
            for panel in panels
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
