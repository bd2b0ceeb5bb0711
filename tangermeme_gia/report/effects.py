"""Effects on single backgrounds, and which of many conditions have the extremes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from .._core.clusters import Labels, Values
from .._core.outputs import as_columns
from .._core.results import GIAResult
from ..statistics.effects import effect_difference
from ..statistics.inputs import clusters_of
from ..statistics.intervals import Interval
from ..statistics.selection import rescore_winners
from .wording import row_with_interval

# False discovery rate of the searches.
ALPHA = 0.05
# Single precision, with the few operations of a contrast.
ROUNDING = 1e-6
ON_HALVES = " (found on one half of the backgrounds, measured on the other)"


def local_effects(result: GIAResult) -> Values:
    """Local importances, shape=(n, n_conditions)."""
    local = result.local_importance
    assert isinstance(local, torch.Tensor)
    values: Values = local[..., 0].to(torch.float64).numpy()
    return values


def unrounded(contrast: Values, result: GIAResult) -> Values:
    """Contrasts of outputs, with 0 for what is rounding in single precision."""
    assert isinstance(result.y_afters, torch.Tensor)
    largest = float(result.y_afters.abs().max())
    return np.where(np.abs(contrast) < ROUNDING * largest, 0.0, contrast)


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

    def between(self, low: str, high: str) -> str:
        """Both in a sentence, `low` and `high` saying where they are."""
        return (
            f"lowest {low}, {row_with_interval(self.low)}, and highest {high}, "
            f"{row_with_interval(self.high)}"
        )

    def numbers(self, name: str) -> dict[str, float]:
        """Both for a table over many models."""
        ends = {"lowest": self.low, "highest": self.high}
        parts = {"": "effect", "_low": "low", "_high": "high"}
        return {
            f"{name}_{end}{part}": float(row[column])
            for end, row in ends.items()
            for part, column in parts.items()
        }


def first_half(n: int, clusters: Labels | None) -> NDArray[np.bool_]:
    """Which of n backgrounds are of the first half, whose templates are no others'."""
    codes = clusters_of(clusters, n)
    units = np.arange(n) if codes is None else codes
    first: NDArray[np.bool_] = units < (units.max() + 1) // 2
    return first


def extremes(local: Values, clusters: NDArray[Any] | None) -> Extremes:
    """Which of many conditions have the smallest and the largest effect?"""
    first = first_half(len(local), clusters)
    found, measured = local[first], local[~first]
    held = None if clusters is None else clusters[~first]
    low = rescore_winners(found, measured, by="smallest", clusters=held).iloc[0]
    high = rescore_winners(found, measured, by="largest", clusters=held).iloc[0]
    a, b = (measured[:, int(row["condition"])] for row in (high, low))
    return Extremes(low, high, effect_difference(a, b, clusters=held))


def best_of(result: GIAResult) -> str:
    """Which of several motifs has the highest effect."""
    best = int(as_columns(result.global_importance)[:, 0].argmax())
    return str(result.conditions["motif"].iloc[best])
