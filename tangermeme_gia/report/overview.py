"""Many models side by side: one table, and how their effects are distributed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from .. import plot
from .._core.storage import write_atomically
from .page import data_uri, render, save_figures, save_tables
from .section import Figure, Section
from .store import REPORT, finished_report
from .wording import number, with_interval
from .written import Written

# What no report beside an overview may be called, in small letters.
TAKEN = ("figures", "tables", "results", "index.html", REPORT)
# Fewer models than this are read off the table.
_FEWEST_FOR_HISTOGRAM = 3
# Columns of the page, and what of a report each shows: a value, an effect with its
# interval, or the two ends of a range.
_COLUMNS: dict[str, tuple[str, ...]] = {
    "output": ("output",),
    "motif": ("motif",),
    "aligned": ("consensus",),
    "effect": ("effect", "effect_low", "effect_high"),
    "each further site": ("per_site",),
    "deviation from additivity": ("deviation", "deviation_low", "deviation_high"),
    "interaction by spacing": ("interaction_low", "interaction_high"),
    "effect by position": ("position_low", "position_high"),
    "GC 5′": ("left",),
    "GC 3′": ("right",),
    "effect by background": ("background_low", "background_high"),
}


def write_overview(
    folder: str | os.PathLike[str],
    reports: Sequence[str | os.PathLike[str]],
    failed: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """What have many models learned, side by side?

    Parameters
    ----------
    folder: str or path-like
        Where to write `index.html`, `tables/models.tsv` and, for three models or more,
        histograms of additivity and GC bias (paper, figures 2g and 4d-e).

    reports: sequence of str or path-like
        Folders of finished reports, inside `folder`.

    failed: mapping of str to str or None, optional
        Models without a report, and why; the page lists them. Default is None.

    Returns
    -------
    table: pandas.DataFrame
        One row per model: its name, the output if one was chosen, the motif, and the
        main numbers of its report.

    Raises
    ------
    ValueError
        If there are neither reports nor failures, or a folder holds none or is not
        inside `folder`.

    Examples
    --------
    >>> write_overview("reports", [])
    Traceback (most recent call last):
    ValueError: `reports` is empty; at least one folder is needed.
    """
    if not reports and not failed:
        raise ValueError("`reports` is empty; at least one folder is needed.")
    root = Path(folder)
    table: pd.DataFrame = pd.DataFrame([_read(Path(report)) for report in reports])
    table = table if reports else pd.DataFrame(columns=["name"])
    section = Section("models", "Models", "", _figures(table), {"models": table})
    written = Written(root)
    written.remove()
    (root / REPORT).unlink(missing_ok=True)  # of one model that was here before
    with written.writing(section.written):
        save_tables(section, root / "tables")
        save_figures(section, root / "figures")
    # A name may hold a colon or a blank.
    links = [f"./{quote(_inside(root, Path(report)))}/index.html" for report in reports]
    columns = {
        title: names
        for title, names in _COLUMNS.items()
        if {*names} <= {*table.columns}
    }
    page = render(
        "overview.html.jinja",
        titles=list(columns),
        models=[
            (row["name"], link, [_cell(row, names) for names in columns.values()])
            for (_, row), link in zip(table.iterrows(), links, strict=True)
        ],
        figures=[
            {
                "name": figure.name,
                "reading": figure.reading,
                "source": data_uri(root / "figures" / f"{figure.name}.svg"),
            }
            for figure in section.figures
        ],
        failed=failed or {},
    )
    with written.writing(["index.html"]):
        write_atomically(root / "index.html", page.encode())
    return table


def _cell(row: Any, names: tuple[str, ...]) -> str:
    """One cell of the page's table; empty where a report has no such number."""
    values = [row[name] for name in names]
    if any(pd.isna(value) for value in values):
        return ""
    if len(values) == 3:
        return with_interval(*values)
    if len(values) == 2:
        return f"{number(values[0])} to {number(values[1])}"
    return values[0] if isinstance(values[0], str) else number(values[0])


def _inside(root: Path, report: Path) -> str:
    try:
        return report.resolve().relative_to(root.resolve()).as_posix()
    except ValueError as error:
        raise ValueError(f"`reports`: {report} is not inside {root}.") from error


def _read(report: Path) -> dict[str, Any]:
    held = finished_report(report)
    name, headline = held.get("name"), held.get("headline")
    if not isinstance(name, str) or not isinstance(headline, dict):
        raise ValueError(f"`reports`: {report} holds no finished report.")
    output = held.get("output")
    chosen = {} if output is None else {"output": _in_words(output)}
    return {"name": name, **chosen, **headline}


def _in_words(output: Any) -> str:
    """An output as `--target` takes it."""
    return ",".join(map(str, output)) if isinstance(output, list) else str(output)


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
