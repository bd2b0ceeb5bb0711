"""A section of a report: figures, tables, and sentences with numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import torch

from ..results import GIAResult
from ..statistics import Values

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
    headline: dict[str, float | str] = field(default_factory=dict)


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


def listed(values: list[Any]) -> str:
    """Values as they stand in a sentence: "3, 10 and 17"."""
    *most, last = [str(value) for value in values]
    return f"{', '.join(most)} and {last}" if most else last
