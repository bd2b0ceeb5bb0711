"""Tables of a report: whole in their files, short where they are read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from .._core.storage import write_atomically
from .._core.varied import what_varies
from .section import Section

# Rows that are read without a script; the page holds more of a table, up to a size.
ROWS = 12
_MOST_ROWS = 6000
_TITLES = {
    "effect": "effect",
    "se": "standard error",
    "low": "95 % from",
    "high": "95 % to",
    "n": "backgrounds",
    "n_sites": "sites",
    "letter_number": "letter (from 1)",
    "start": "start (from 0)",
    "starts": "starts (from 0)",
    "end": "end",
    "p": "p value",
    "kmer": "k-mer",
    "patterns": "pattern@start (from 0)",
    "n_patterns": "patterns",
    "control_letters": "letters of the control",
    "is_wild_type": "unchanged",
    "arm": "words",
    "percentile_low": "percentile, 95 % from",
    "percentile_high": "percentile, 95 % to",
    "n_below": "words below",
    "n_equal": "words alike",
    "n_words": "words",
    "n_distinct": "different words",
    "n_left_out": "words left out",
    "reads": "in words",
    "share_models": "share of the variance, folds",
    "share_backgrounds": "share, backgrounds",
    "se_twice_models": "standard error, twice as many folds",
    "se_twice_backgrounds": "standard error, twice as many backgrounds",
    "additive": "sum of each alone",
    "deviation_p": "p value of the deviation",
}


class Column(NamedTuple):
    """A column of the page: its name in the file, and what the page calls it."""

    name: str
    title: str
    is_number: bool


class Shown(NamedTuple):
    """A table as the page's template reads it.

    `rows` are the first as text, `text` the whole file, or as much of it as a page
    holds; `more` and `left_out` are how many rows are not in them. `varied` says what
    intervals are over.
    """

    name: str
    columns: list[Column]
    rows: list[list[str]]
    text: str
    more: int
    left_out: int
    varied: str


def save_tables(section: Section, folder: Path) -> None:
    """Write each table of a section as TSV, and its further files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in section.tables.items():
        write_atomically(folder / f"{name}.tsv", as_text(table).encode())
    for name, write in section.files.items():
        write(folder / name)


def as_text(table: pd.DataFrame) -> str:
    """A table as TSV, with lists as people write them.

    Examples
    --------
    >>> as_text(pd.DataFrame({"starts": [(3, 10)], "effect": [0.5]}))
    'starts\\teffect\\n3, 10\\t0.5\\n'
    """
    text: str = table.map(_plain).to_csv(sep="\t", index=False)
    return text


def shown(
    name: str,
    table: pd.DataFrame,
    *,
    with_output: bool = False,
    **known: Any,
) -> Shown:
    """A table as the page shows it: without columns that say nothing.

    Of a model with several outputs, the one that was chosen is shown. `known` is what
    `what_varies` takes.
    """
    # Models may have one output, and controls are in few tables: the files have both.
    constant = {"control": "none", "control_letters": ""}
    said_elsewhere = [
        column
        for column in table
        if (column == "output" and not with_output)
        or (column in constant and all(table[column].fillna("") == constant[column]))
    ]
    columns = [column for column in table if column not in said_elsewhere]
    first = table[columns].head(ROWS)
    return Shown(
        name,
        [
            Column(str(c), _title(str(c)), pd.api.types.is_numeric_dtype(table[c]))
            for c in columns
        ],
        [[_cell(value) for value in row] for row in first.itertuples(index=False)],
        as_text(table.head(_MOST_ROWS)),
        max(0, len(table) - ROWS),
        max(0, len(table) - _MOST_ROWS),
        what_varies(table, **known),
    )


def _title(column: str) -> str:
    return _TITLES.get(column, column.replace("_", " "))


def _plain(value: Any) -> Any:
    """Tuples as a list of their parts."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value


def _cell(value: Any) -> str:
    """A number as short as it can be read, with a true minus sign."""
    value = _plain(value)
    if value is None or value is pd.NA or value != value:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}".replace("-", "−")
    return str(value)
