"""A section of a report: figures, tables, and sentences with numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

if TYPE_CHECKING:
    import torch
    from matplotlib.axes import Axes


class Figure(NamedTuple):
    """A figure to draw, and what it says in one sentence.

    `chart` shows the same as a Vega-Lite specification, which says its values.
    """

    name: str
    draw: Callable[[], Axes]
    reading: str
    chart: Mapping[str, Any] | None = None


class Line(NamedTuple):
    """What was asked, and the answer with its interval.

    `effect` is the answer in units of the output, where it is one number of these.
    """

    question: str
    answer: str
    effect: float | None = None


@dataclass
class Section:
    """What one experiment of a report says."""

    name: str
    question: str
    method: str
    figures: list[Figure] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    # What the first screen says about it, in words, and a small picture of it (SVG).
    sentence: str = ""
    thumbnail: str = ""
    # What is to be known before anything else is believed.
    caution: str = ""
    # Lines of the summary's table.
    summary: list[Line] = field(default_factory=list)
    # Numbers by name, for a table over many models.
    headline: Mapping[str, float | str] = field(default_factory=dict)
    # What the model reads as probabilities, shape=(n_letters, length), to be shown
    # beside those of other models.
    motif: torch.Tensor | None = None
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
