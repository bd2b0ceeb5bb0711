"""Mean and standard error of numbers, also of those that are never all in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch

from .clusters import (
    Codes,
    Values,
    degrees_of_freedom,
    mean_and_error,
    sum_by,
)

# Effects of which float64 is made at a time: 8 MiB.
_BLOCK = 2**20


class Summary(NamedTuple):
    """Mean, its standard error, and the degrees of freedom of that error.

    `n` rows, in so many `units` that are independent: rows, or clusters of them.
    """

    mean: Values
    se: Values
    df: float
    n: int
    units: int


def summarise(values: Values, codes: Codes | None) -> Summary:
    """Mean over axis 0, its (cluster-robust) standard error and degrees of freedom.

    Examples
    --------
    >>> summary = summarise(np.array([1.0, 3.0, 2.0, 2.0]), np.array([0, 0, 1, 1]))
    >>> float(summary.se), round(summary.df, 6)
    (0.0, 1.0)
    """
    n = len(values)
    if codes is None:
        mean, residual = centre(values)
        with np.errstate(invalid="ignore"):
            se = np.sqrt((residual**2).sum(axis=0) / np.float64(n - 1) / n)
        return Summary(mean, se, n - 1, n, n)
    size = np.bincount(codes)
    # As in `centre`, constants have an error of exactly 0.
    mean, se = mean_and_error(sum_by(values - values[0], codes), size)
    return Summary(values[0] + mean, se, degrees_of_freedom(size), n, len(size))


def centre(values: Values) -> tuple[Values, Values]:
    """The mean over axis 0, and the values less it.

    Examples
    --------
    >>> centre(np.array([0.1, 0.1, 0.1]))[1]
    array([0., 0., 0.])
    """
    # Taking the first background off first makes constant columns exactly constant:
    # their residual is 0 and not a rounding error that a t statistic would blow up.
    shifted = values - values[0]
    middle = shifted.mean(axis=0)
    return values[0] + middle, shifted - middle


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


class ClusteredMoments:
    """Mean and cluster-robust standard error of each condition.

    Some conditions at a time, each with all of its rows in order; only of these sums
    are kept, one for each cluster.

    Parameters
    ----------
    n_conditions: int
        Number of conditions.

    shape: tuple of int
        Shape of what is averaged in each.

    codes: numpy.ndarray of int
        Which cluster each row belongs to.
    """

    def __init__(self, n_conditions: int, shape: tuple[int, ...], codes: Codes) -> None:
        self.mean = torch.zeros(n_conditions, *shape, dtype=torch.float64)
        self.se = torch.full_like(self.mean, torch.nan)
        self._codes, self._size = codes, np.bincount(codes)
        self._first = self._sums = np.empty(0)
        self._n_seen = 0

    def add(self, conditions: slice, values: torch.Tensor) -> None:
        """Take in the next values, shape=(n_values, n_conditions in the slice, ...)."""
        new: Values = values.to(torch.float64).numpy()
        if self._n_seen == 0:
            self._first = new[0]
            self._sums = np.zeros((len(self._size), *new.shape[1:]))
        codes = self._codes[self._n_seen : self._n_seen + len(new)]
        self._sums[np.unique(codes)] += sum_by(new - self._first, codes)
        self._n_seen += len(new)
        if self._n_seen == len(self._codes):
            mean, se = mean_and_error(self._sums, self._size)
            self.mean[conditions] = torch.from_numpy(self._first + mean)
            self.se[conditions] = torch.from_numpy(se)
            self._n_seen = 0


def change(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """After less before, shape=(n, n_conditions, ...), of any dtype."""
    # Unsigned whole numbers would wrap around, and booleans cannot be subtracted.
    least = torch.float32 if after.is_floating_point() else torch.float64
    dtype = torch.promote_types(after.dtype, least)
    return after.to(dtype) - before[:, None].to(dtype)


def mean_change(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """The mean of `change` over rows, shape=(n_conditions, ...), block by block.

    Examples
    --------
    >>> mean_change(torch.tensor([1.0, 2.0]), torch.tensor([[3.0, 1.0], [2.0, 4.0]]))
    tensor([1., 1.])
    """
    n, n_conditions = after.shape[:2]
    flat_before, flat = before.reshape(n, -1), after.reshape(n, n_conditions, -1)
    kind = change(flat_before[:1, :1], flat[:1, :1, :1]).dtype
    mean = torch.empty(flat.shape[1:], dtype=kind)
    for rows, columns in blocks_of_effects(flat):
        local = change(flat_before[:, columns], flat[:, rows, columns])
        mean[rows, columns] = local.mean(dim=0)
    return mean.reshape(after.shape[1:])


def effect_moments(
    before: torch.Tensor, after: torch.Tensor, codes: Codes | None
) -> tuple[Values, Values]:
    """Means and standard errors of effects, shape=(n_conditions, n_outputs).

    Their float64 differences are made block by block, some conditions or some outputs
    at a time.
    """
    n, n_conditions = after.shape[:2]
    before, after = before.reshape(n, -1), after.reshape(n, n_conditions, -1)
    mean = np.empty(after.shape[1:])
    se = np.empty_like(mean)
    for rows, columns in blocks_of_effects(after):
        local = change(before[:, columns], after[:, rows, columns])
        with np.errstate(invalid="ignore"):  # infinite ones are named later
            summary = summarise(local.to(torch.float64).numpy(), codes)
        mean[rows, columns], se[rows, columns] = summary.mean, summary.se
    return mean, se


def blocks_of_effects(after: torch.Tensor) -> Iterator[tuple[slice, slice]]:
    """Some conditions and outputs at a time, of shape=(n, n_conditions, n_outputs)."""
    n, n_conditions, n_outputs = after.shape
    width = max(1, min(n_outputs, _BLOCK // n))
    height = max(1, _BLOCK // (n * width))
    for row in range(0, n_conditions, height):
        for column in range(0, n_outputs, width):
            yield slice(row, row + height), slice(column, column + width)
