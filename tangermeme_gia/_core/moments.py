"""Mean and standard error of numbers that are never all in memory."""

from __future__ import annotations

import torch


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
        self._squares[conditions] += ((values - mean) ** 2).sum(dim=0)
        self._squares[conditions] += shift**2 * (before * new / total)
        self.mean[conditions] += shift * (new / total)
        self._count[conditions] = total

    @property
    def se(self) -> torch.Tensor:
        """Standard error of each mean; NaN where there is one value."""
        count = self._count
        variance = self._squares / torch.where(count > 1, count - 1, torch.nan)
        return (variance / count).sqrt()
