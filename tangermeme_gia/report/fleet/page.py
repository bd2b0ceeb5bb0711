"""The page of many models, and its table as a file."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch

from ..._core.storage import write_atomically
from ..figures import save_figures
from ..rendering import render, shown_figures
from ..section import Figure, Section
from ..store import REPORT, finished_report
from ..tables import save_tables, shown
from ..thumbnails import logo_again, logo_letters
from ..wording import count
from ..written import Written
from .entries import Entry, check_entries, link_to, readable
from .figures import figures_of
from .rows import (
    Column,
    Row,
    Unit,
    all_numbers,
    columns_of,
    counted,
    row_of,
    row_of_group,
    units_of,
)
from .similarity import similarity

_PAGE = "index.html"
# Seconds from one version of the page to the next while models are worked on.
_RELOAD = 30
# Models in a clustering that is read only where it is large.
_MANY = 25


def write_fleet(
    folder: str | os.PathLike[str],
    entries: Sequence[Entry],
    *,
    title: str = "Models",
    going_on: bool = False,
) -> pd.DataFrame:
    """What have many models learned, side by side, and which of them failed?

    No page of a model is read or written, no model asked: everything comes from the
    entries, and from what finished reports have stored (`report.json` for the logo, the
    scan of k-mers for the clustering).

    Parameters
    ----------
    folder: str or path-like
        Where to write `index.html`, `tables/models.tsv` with all entries and numbers,
        and the figures for which there are enough: effects, histograms of additivity
        and of GC bias (paper, figures 2g and 4d-e), performance (1a), and a clustering
        by the effects of the k-mers that scans have in common.

    entries: sequence of Entry
        The models, with those that failed or are not finished. Entries of one group
        have a row of their mean, and each its own below it.

    title: str, optional
        What the page is called. Default is "Models".

    going_on: bool, optional
        Whether entries will change: the page then reloads itself every 30 seconds.
        Default is False.

    Returns
    -------
    table: pandas.DataFrame
        A row for each finished entry: name, group, state, error, and all numbers and
        words of its headline.

    Raises
    ------
    ValueError
        If two entries of a group have the same name, or a folder is not inside
        `folder`.

    OSError
        If a file cannot be written; an earlier page stays as it was.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> entries = [
    ...     Entry("a", headline={"pearson": 0.8}),
    ...     Entry("b", state="failed", error="no file b.pt"),
    ... ]
    >>> with TemporaryDirectory() as folder:
    ...     table = write_fleet(folder, entries)
    >>> table[["name", "pearson"]]
      name  pearson
    0    a      0.8
    """
    root = Path(folder)
    entries = [readable(entry) for entry in entries]
    check_entries(entries, root)
    table, units = all_numbers(entries), units_of(entries)
    found = similarity([each for each in entries if each.state == "finished"])
    figures = figures_of(units)
    if found is not None:
        figures.append(Figure("similarity", found.draw, found.reading))
    large = [figures.pop()] if found is not None and len(found.labels) > _MANY else []
    section = Section("models", "Models", "", figures + large, {"models": table})
    written = Written(root)
    with written.writing(section.written):
        save_tables(section, root / "tables")
        save_figures(section, root / "figures", only_changed=True)
    page = render(
        "fleet.html.jinja",
        scripts=["fleet.js"],
        title=title,
        reload=_RELOAD if going_on else 0,
        written_at=datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        failed=[(e.label, e.error or "no reason is known") for e in _failed(entries)],
        figures=shown_figures(figures, root / "figures"),
        large=shown_figures(large, root / "figures"),
        left_out=found.left_out if found else {},
        numbers=shown("models", table, with_output=True),
        **_table(units, root),
    )
    with written.writing([_PAGE]):
        # Replaced at once: a browser that reloads it never finds none.
        write_atomically(root / _PAGE, page.encode())
    written.remove(but=[*section.written, _PAGE])
    (root / REPORT).unlink(missing_ok=True)  # of one model that was here before
    finished: pd.DataFrame = table[table["state"] == "finished"].reset_index(drop=True)
    return finished


def _failed(entries: Sequence[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.state == "failed"]


class _Shown(NamedTuple):
    """An entry on its way to the page."""

    entry: Entry
    link: str
    logo: str

    @property
    def motif(self) -> str:
        """What it reads, in letters."""
        words = (self.entry.headline.get(name) for name in ("consensus", "motif"))
        return str(next(filter(None, words), ""))


def _table(units: Sequence[Unit], root: Path) -> dict[str, Any]:
    """What the template shows of the entries themselves."""
    logos: dict[str, str] = {}  # letters, which the page holds once
    parts = [
        (unit, [_shown(entry, root, logos) for entry in unit.entries]) for unit in units
    ]
    every = [each for _, members in parts for each in members]
    entries = [each.entry for each in every]
    columns = columns_of(entries)
    return {
        "counts": _counts(entries),
        "about": _about(columns, sum(unit.is_group for unit in units)),
        "states": any(entry.state != "finished" for entry in entries),
        "logos": logos,
        "columns": columns,
        "units": [_rows(unit, members, columns) for unit, members in parts],
        "gallery": [
            (each.entry.label, each.link, each.logo, each.motif)
            for each in every
            if each.logo or each.motif
        ],
    }


def _shown(entry: Entry, root: Path, logos: dict[str, str]) -> _Shown:
    letters, name = _logo(entry), f"logo-{len(logos)}"
    if letters:
        logos[name] = letters
    return _Shown(entry, link_to(entry, root), logo_again(name) if letters else "")


def _rows(
    unit: Unit, members: Sequence[_Shown], columns: Sequence[Column]
) -> tuple[Row | None, list[Row]]:
    """The row of a group, if it is one, and those of its members."""
    rows = [
        row_of(e, link, drawn, columns, e.name if unit.is_group else e.label)
        for e, link, drawn in members
    ]
    if not unit.is_group:
        return None, rows
    return row_of_group(unit, [each.logo for each in members], columns), rows


def _counts(entries: Sequence[Entry]) -> str:
    """How many there are, and in which state."""
    if not entries:
        return "No models yet."
    total = count(len(entries), "model")
    if all(entry.state == "finished" for entry in entries):
        return f"{total}, {'all ' if len(entries) > 1 else ''}finished."
    return f"{total}: {counted(entries)}."


def _about(columns: Sequence[Column], groups: int) -> str:
    """How the table is read."""
    said = "95 % intervals are in brackets."
    if {"left", "right"} & {column.name for column in columns}:
        said += (
            " GC bias 5′ and 3′ are effect sizes: the effect of motif and GC together "
            "over that of the motif alone, where that is clear."
        )
    if groups:
        said += (
            " The row of a group has the mean over its finished members, with the "
            "lowest and the highest of them in parentheses."
        )
    return said


def _logo(entry: Entry) -> str:
    """The letters of the motif that a report has aligned; "" without one."""
    held = {} if entry.folder is None else finished_report(entry.folder).get("logo")
    if not isinstance(held, dict) or not held:
        return ""
    try:
        ppm = torch.tensor([*held.values()], dtype=torch.float64)
        return logo_letters(ppm, [*held])
    except (TypeError, ValueError):
        return ""  # no matrix; its letters are there
