"""A section of a report: figures, tables, and sentences with numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Figure(NamedTuple):
    """A figure to draw, and what it says in one sentence."""

    name: str
    draw: Callable[[], Axes]
    reading: str


@dataclass
class Section:
    """What one experiment of a report says."""

    name: str
    question: str
    method: str
    figures: list[Figure] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    # What the page's summary says about it, in words.
    sentence: str = ""
    # Lines of the summary's table: what was asked, and the answer with its interval.
    summary: list[tuple[str, str]] = field(default_factory=list)
    # Numbers by name, for a table over many models.
    headline: Mapping[str, float | str] = field(default_factory=dict)
    # Further files in the folder of tables, by name, and what writes them.
    files: Mapping[str, Callable[[Path], None]] = field(default_factory=dict)
    # What intervals and tests here cannot say, in words.
    cautions: Sequence[str] = ()

    @property
    def written(self) -> list[str]:
        """The files of figures and tables, in the folder of the report."""
        figures = [
            f"figures/{figure.name}.{ending}"
            for figure in self.figures
            for ending in ("svg", "png")
        ]
        tables = [f"{name}.tsv" for name in self.tables] + list(self.files)
        return figures + [f"tables/{name}" for name in tables]
