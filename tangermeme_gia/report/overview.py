"""Many models side by side: one table, and how their effects are distributed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from .. import plot
from .page import data_uri, render, save_figures, save_tables, table_html
from .section import Figure, Section
from .store import finished_report, write_file

# Fewer models than this are read off the table.
_FEWEST_FOR_HISTOGRAM = 3


def write_overview(
    folder: str | os.PathLike[str], reports: Sequence[str | os.PathLike[str]]
) -> pd.DataFrame:
    """What have many models learned, side by side?

    Parameters
    ----------
    folder: str or path-like
        Where to write `index.html`, `tables/models.tsv` and, for three models or more,
        histograms of additivity and GC bias (paper, figures 2g and 4d-e).

    reports: sequence of str or path-like
        Folders of finished reports, inside `folder`.

    Returns
    -------
    table: pandas.DataFrame
        One row per model: its name, motif, and the main numbers of its report.

    Raises
    ------
    ValueError
        If there are no reports, or a folder holds none or is not inside `folder`.

    Examples
    --------
    >>> write_overview("reports", [])
    Traceback (most recent call last):
    ValueError: `reports` is empty; at least one folder is needed.
    """
    if not reports:
        raise ValueError("`reports` is empty; at least one folder is needed.")
    root = Path(folder)
    table: pd.DataFrame = pd.DataFrame([_read(Path(report)) for report in reports])
    section = Section("models", "Models", "", _figures(table), {"models": table})
    save_tables(section, root / "tables")
    save_figures(section, root / "figures")
    # A name may hold a colon or a blank.
    links = [f"./{quote(_inside(root, Path(report)))}" for report in reports]
    page = render(
        "overview.html.jinja",
        models=list(zip(table["name"], links, strict=True)),
        table=table_html(table),
        figures=[
            {
                "name": figure.name,
                "reading": figure.reading,
                "source": data_uri(root / "figures" / f"{figure.name}.svg"),
            }
            for figure in section.figures
        ],
    )
    write_file(root / "index.html", page.encode())
    return table


def _inside(root: Path, report: Path) -> str:
    try:
        return report.resolve().relative_to(root.resolve()).as_posix()
    except ValueError as error:
        raise ValueError(f"`reports`: {report} is not inside {root}.") from error


def _read(report: Path) -> dict[str, Any]:
    held = finished_report(report)
    if not held:
        raise ValueError(f"`reports`: {report} holds no finished report.")
    return {"name": held["name"], **held["headline"]}


def _figures(table: pd.DataFrame) -> list[Figure]:
    if len(table) < _FEWEST_FOR_HISTOGRAM:
        return []
    figures = []
    if "r2" in table and table["r2"].notna().any():
        median = table["r2"].median()
        figures.append(
            Figure(
                "r2",
                partial(plot.additivity_histogram, table["r2"].dropna()),
                f"How well sites add up: the median R² is {median:.3f}.",
            )
        )
    if {"left", "right"} <= {*table.columns}:
        # Motifs without a clear effect have no ratio.
        shown = table[["left", "right"]].dropna()
        if shown.empty:
            return figures
        raises = int((shown["right"] > 1).sum())
        figures.append(
            Figure(
                "gc",
                partial(plot.gc_bias_histograms, shown, reference=1.0),
                f"GC-bias effect size: {raises} of {len(shown)} motifs have a larger "
                "effect with GC 3′ of them than alone.",
            )
        )
    return figures
