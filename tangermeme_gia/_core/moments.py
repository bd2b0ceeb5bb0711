"""Mean and standard error of numbers that are never all in memory."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

_Floats: TypeAlias = NDArray[np.float64]
# Effects of which float64 is made at a time: 32 MiB.
_BLOCK = 2**22


class Moments:
    """Running mean and squared deviations of each condition, in float64.

    Chunks are merged as by Chan, Golub and LeVeque (1983), so that no chunking loses
    digits to large means.

    Parameters
    ----------
    n_conditions: int
        Number of conditions.

    shape: tuple of int
        Shape of what is averaged in each.
    """

    def __init__(self, n_conditions: int, shape: tuple[int, ...]) -> None:
        self.mean = torch.zeros(n_conditions, *shape, dtype=torch.float64)
        self._squares = torch.zeros_like(self.mean)
        # Not integers, whose ratios torch gives in float32.
        self._count = torch.zeros(n_conditions, *[1] * len(shape), dtype=torch.float64)

    def add(self, conditions: slice, values: torch.Tensor) -> None:
        """Take in values, shape=(n_values, n_conditions in the slice, ...)."""
        values = values.to(torch.float64)
        mean = values.mean(dim=0)
        before, new = self._count[conditions], len(values)
        total = before + new
        shift = mean - self.mean[conditions]
        self._squares[conditions] += (values - mean).square_().sum(dim=0)
        self._squares[conditions] += shift**2 * (before * new / total)
        self.mean[conditions] += shift * (new / total)
        self._count[conditions] = total

    @property
    def se(self) -> torch.Tensor:
        """Standard error of each mean; NaN where there is one value."""
        count = self._count
        variance = self._squares / torch.where(count > 1, count - 1, torch.nan)
        return (variance / count).sqrt()


def change(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """After less before, shape=(n, n_conditions, ...), of any dtype."""
    # Unsigned whole numbers would wrap around, and booleans cannot be subtracted.
    least = torch.float32 if after.is_floating_point() else torch.float64
    dtype = torch.promote_types(after.dtype, least)
    return after.to(dtype) - before[:, None].to(dtype)


def effect_moments(
    before: torch.Tensor, after: torch.Tensor
) -> tuple[_Floats, _Floats]:
    """Means and standard errors of effects, shape=(n_conditions, n_outputs).

    Their float64 differences are made block by block, some conditions or some outputs
    at a time.
    """
    n, n_conditions = after.shape[:2]
    before, after = before.reshape(n, -1), after.reshape(n, n_conditions, -1)
    n_outputs = after.shape[2]
    mean = np.empty((n_conditions, n_outputs))
    se = np.full_like(mean, np.nan)
    width = max(1, min(n_outputs, _BLOCK // n))
    height = max(1, _BLOCK // (n * width))
    for row in range(0, n_conditions, height):
        for column in range(0, n_outputs, width):
            rows = slice(row, row + height)
            columns = slice(column, column + width)
            local = change(before[:, columns], after[:, rows, columns])
            effects = local.to(torch.float64).numpy()
            mean[rows, columns] = effects.mean(axis=0)
            if n > 1:
                # Less the first, backgrounds that agree have an error of exactly 0.
                with np.errstate(invalid="ignore"):  # infinite ones are named later
                    deviations = (effects - effects[0]).std(axis=0, ddof=1)
                se[rows, columns] = deviations / np.sqrt(n)
    return mean, se
