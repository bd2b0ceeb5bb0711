"""The page of a sweep: its ledger and what its tasks have found, as one fleet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..report import Entry, report_entry, write_fleet
from ..report.store import REPORT
from .ledger import STATES


def write_page(
    root: Path, tasks: Mapping[str, Mapping[str, Any]], title: str, going_on: bool
) -> None:
    """Write `index.html` of all tasks that are asked for.

    Parameters
    ----------
    root: Path
        Folder of the sweep.

    tasks: mapping of str to mapping
        Entries of the ledger, by name.

    title: str
        Of the page.

    going_on: bool
        Whether tasks still run, so that the page is written again.
    """
    entries = [
        _entry(root, name, entry)
        for name, entry in tasks.items()
        if entry["state"] in STATES
    ]
    write_fleet(root, entries, title=title, going_on=going_on)


def _entry(root: Path, name: str, entry: Mapping[str, Any]) -> Entry:
    folder, group = root / "tasks" / entry["folder"], entry.get("group", "")
    if entry["state"] != "finished":
        error = entry.get("error", "")
        return Entry(name, group, state=entry["state"], error=error)
    if (folder / REPORT).exists():
        return report_entry(folder, name=name, group=group)
    return Entry(name, group, headline=entry.get("headline", {}))
