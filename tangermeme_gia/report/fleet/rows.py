"""The table of many models: a row for each, and one for each group, its mean."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..wording import number, with_interval
from .entries import FIXED, STATES, Entry

# Names of a headline in the order of the columns, and what the page calls them.
_TITLES = {
    "output": "output",
    "motif": "motif",
    "consensus": "aligned",
    "effect": "effect",
    "percentile": "percentile among words in its place",
    "per_site": "each further site",
    "r2": "R² of additivity",
    "deviation": "deviation from additivity",
    "interaction_lowest": "interaction by spacing, lowest",
    "interaction_highest": "interaction by spacing, highest",
    "saturation": "interaction or saturation",
    "interaction_latent": "interaction beyond saturation, in effects of one site",
    "left": "GC bias 5′",
    "right": "GC bias 3′",
    "left_beyond": "beyond the sum of motif and GC 5′",
    "right_beyond": "beyond the sum of motif and GC 3′",
    "position_lowest": "effect by position, lowest",
    "position_highest": "effect by position, highest",
    "position_highest_start": "position of the highest",
    "loop": "effect in the loop of a hairpin",
    "stem_left": "effect in its stem 5′",
    "stem_right": "effect in its stem 3′",
    "r_unpaired": "correlation with unpaired sites",
    "r_energy": "correlation with the free energy",
    "background_lowest": "effect by background, lowest",
    "background_highest": "effect by background, highest",
    "pair": "acting together",
    "pair_interaction": "interaction of the pair",
    "pair_verdict": "of the pair: interaction or saturation",
    "pair_latent": "interaction of the pair beyond saturation, in effects of the left",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "mse": "mean squared error",
}
# Digits of numbers that are at most 1 and have no interval.
_DECIMALS = {"r2": 3}
# In the file only: what a page says in other words.
_UNSHOWN = {"output_sd", "pair_rule", "position_lowest_start"}
_PARTS = ("_low", "_high")
_MOST_WORDS, _MOST_LOGOS = 3, 3


class Column(NamedTuple):
    """A column of the page."""

    name: str
    title: str
    is_number: bool

    @property
    def decimals(self) -> int | None:
        """How many are shown where no interval says how many mean something."""
        return _DECIMALS.get(self.name)


class Cell(NamedTuple):
    """What a cell says, and by what it is sorted; None comes last."""

    text: str
    value: float | str | None


class Row(NamedTuple):
    """A model, or a group of them, as the page's template reads it.

    `logos` are pictures of motifs, of which `more` are not shown.
    """

    name: str
    link: str
    state: str
    logos: list[str]
    more: int
    cells: list[Cell]


class Unit(NamedTuple):
    """A model, or several of a group with a row for all of them."""

    entries: list[Entry]

    @property
    def is_group(self) -> bool:
        """Whether there are several."""
        return len(self.entries) > 1

    @property
    def name(self) -> str:
        """That of the group, or of the model."""
        first = self.entries[0]
        return first.group if self.is_group else first.label


def units_of(entries: Sequence[Entry]) -> list[Unit]:
    """Entries by group, in the order in which groups begin.

    Examples
    --------
    >>> entries = [Entry("a1", "a"), Entry("b"), Entry("a2", "a")]
    >>> [[entry.name for entry in unit.entries] for unit in units_of(entries)]
    [['a1', 'a2'], ['b']]
    """
    units: dict[Any, list[Entry]] = {}
    for i, entry in enumerate(entries):
        units.setdefault(entry.group or i, []).append(entry)
    return [Unit(held) for held in units.values()]


def all_numbers(entries: Sequence[Entry]) -> pd.DataFrame:
    """A row for each entry, with all that its headline holds."""
    rows = [
        {**{name: getattr(entry, name) for name in FIXED}, **entry.headline}
        for entry in entries
    ]
    table: pd.DataFrame = pd.DataFrame(rows, columns=None if rows else list(FIXED))
    # Whole columns of None, as of JSON, are numbers that are not defined.
    for name in [name for name in table if name not in FIXED]:
        if table[name].isna().all():
            table[name] = table[name].astype(float)
    return table


def columns_of(entries: Iterable[Entry]) -> list[Column]:
    """What some entry has a word or a number of: known ones first, then others."""
    held: dict[str, list[Any]] = {}
    for entry in entries:
        for name, value in entry.headline.items():
            if _is_there(value):
                held.setdefault(name, []).append(value)
    ends = {f"{name}{part}" for name in held for part in _PARTS}
    others = [n for n in held if n not in {*_TITLES, *_UNSHOWN, *ends}]
    return [
        Column(
            name, _TITLES.get(name, name.replace("_", " ")), _are_numbers(held[name])
        )
        for name in (*_TITLES, *others)
        if name in held
    ]


def _is_there(value: Any) -> bool:
    """Whether it is a word, or a finite number."""
    return math.isfinite(value) if isinstance(value, Real) else bool(value)


def _are_numbers(values: Iterable[Any]) -> bool:
    return all(isinstance(value, Real) for value in values)


def row_of(
    entry: Entry, link: str, logo: str, columns: Sequence[Column], name: str
) -> Row:
    """The row of one model."""
    cells = [_cell(entry, column) for column in columns]
    return Row(name, link, entry.state, [logo] if logo else [], 0, cells)


def row_of_group(unit: Unit, logos: Sequence[str], columns: Sequence[Column]) -> Row:
    """The row of a group: means with the lowest and the highest of its members."""
    shown = [logo for logo in logos if logo]
    kept, more = shown[:_MOST_LOGOS], max(0, len(shown) - _MOST_LOGOS)
    finished = [entry for entry in unit.entries if entry.state == "finished"]
    cells = [_cell_of_group(finished, column) for column in columns]
    return Row(unit.name, "", counted(unit.entries), kept, more, cells)


def counted(entries: Iterable[Entry]) -> str:
    """How many are in which state.

    Examples
    --------
    >>> counted([Entry("a"), Entry("b", state="failed"), Entry("c")])
    '2 finished, 1 failed'
    """
    counts = Counter(entry.state for entry in entries)
    return ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])


def _cell(entry: Entry, column: Column) -> Cell:
    value = entry.headline.get(column.name)
    if not _is_there(value):
        return Cell("", None)
    if not column.is_number:
        return Cell(str(value), str(value))
    ends = [_as_number(entry.headline.get(f"{column.name}{part}")) for part in _PARTS]
    middle = _as_number(value)
    if not np.isfinite(ends).all():
        return Cell(number(middle, column.decimals), middle)
    return Cell(with_interval(middle, *ends), middle)


def _cell_of_group(finished: Sequence[Entry], column: Column) -> Cell:
    held = [entry.headline.get(column.name) for entry in finished]
    values = [value for value in held if _is_there(value)]
    if not values:
        return Cell("", None)
    cell = _range(values, column.decimals) if column.is_number else _words(values)
    if len(values) < len(held):
        text = f"{cell.text}, {len(values)} of {len(held)}"
        return cell._replace(text=text)
    return cell


def _range(values: Sequence[Any], decimals: int | None) -> Cell:
    """Mean, lowest and highest, with the digits that these leave meaning."""
    numbers = [_as_number(value) for value in values]
    mean, low, high = math.fsum(numbers) / len(numbers), min(numbers), max(numbers)
    if decimals is not None:
        ends = f"({number(low, decimals)} to {number(high, decimals)})"
        return Cell(f"{number(mean, decimals)} {ends}", mean)
    text = with_interval(mean, low, high)
    for old, new in ((" [", " ("), (", ", " to "), ("]", ")")):
        text = text.replace(old, new)
    return Cell(text, mean)


def _words(values: Sequence[Any]) -> Cell:
    """The different words, the most frequent first."""
    counts = Counter(map(str, values)).most_common()
    if len(counts) == 1:
        return Cell(counts[0][0], counts[0][0])
    told = [word if n == 1 else f"{word} ({n})" for word, n in counts[:_MOST_WORDS]]
    if len(counts) > _MOST_WORDS:
        told.append(f"{len(counts) - _MOST_WORDS} more")
    return Cell(", ".join(told), counts[0][0])


def _as_number(value: Any) -> float:
    return float(value) if isinstance(value, Real) else math.nan
