"""A section of a report: figures, tables, and sentences with numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import torch

from .._core.results import GIAResult
from ..statistics.effects import effect_difference
from ..statistics.inputs import Values
from ..statistics.intervals import Interval
from ..statistics.selection import rescore_winners

if TYPE_CHECKING:
    from matplotlib.axes import Axes


# False discovery rate of the searches.
ALPHA = 0.05


class Figure(NamedTuple):
    """A figure to draw, and what it says in one sentence."""

    name: str
    draw: Callable[[], Axes]
    reading: str


@dataclass
class Section:
    """What one part of a report says."""

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
    # Further files in the folder of tables.
    files: tuple[str, ...] = ()


def as_result(result: Any) -> GIAResult:
    """A result of an experiment, not of a scan."""
    assert isinstance(result, GIAResult)
    return result


def local_effects(result: GIAResult) -> Values:
    """Local importances, shape=(n, n_conditions)."""
    local = result.local_importance
    assert isinstance(local, torch.Tensor)
    values: Values = local[..., 0].to(torch.float64).numpy()
    return values


class Extremes(NamedTuple):
    """The smallest and the largest effect, and how far they are apart.

    `low` and `high` are rows of `rescore_winners`: found on one half of the backgrounds
    and measured on the other, as is `difference`.
    """

    low: pd.Series[Any]
    high: pd.Series[Any]
    difference: Interval

    @property
    def places(self) -> tuple[int, int]:
        """Which conditions they are."""
        return int(self.low["condition"]), int(self.high["condition"])

    @property
    def differ(self) -> bool:
        """Whether the larger is clearly the larger."""
        return bool(self.difference.low > 0)


def extremes(local: Values) -> Extremes:
    """Which of many conditions have the smallest and the largest effect?"""
    half = len(local) // 2
    found, measured = local[:half], local[half:]
    low = rescore_winners(found, measured, by="smallest").iloc[0]
    high = rescore_winners(found, measured, by="largest").iloc[0]
    a, b = (measured[:, int(row["condition"])] for row in (high, low))
    return Extremes(low, high, effect_difference(a, b))


def listed(values: list[Any]) -> str:
    """Values as they stand in a sentence: "3, 10 and 17"."""
    *most, last = [str(value) for value in values]
    return f"{', '.join(most)} and {last}" if most else last
