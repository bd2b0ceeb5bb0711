"""The grid of a latent interaction: its cells, and what the link makes of AB."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import isotonic_regression

from .._core.clusters import Codes, Values, sum_by
from .._core.letters import RandomState, as_generator
from .._core.outputs import as_columns
from .._core.results import GIAResult
from .conjoint import SAME, Additive, Levels, Mask, at_an_end, fit_additive, read_off
from .inputs import as_arms, clusters_of

LEVELS = ["level_a", "level_b", "level_c"]


class Grid(NamedTuple):
    """Outputs, shape=(n, levels of A, of B, of C), times `sign`, so that A raises them.

    `order` sorts the conditions of the result into this, `codes` are templates, and
    `fitted` are the cells that the link is made of.
    """

    outputs: Values
    codes: Codes | None
    order: Levels
    sign: float
    fitted: Mask

    @property
    def flat(self) -> Values:
        """A column for each cell."""
        return self.outputs.reshape(len(self.outputs), -1)

    @property
    def levels(self) -> Levels:
        """Of each cell."""
        return np.stack(np.unravel_index(np.arange(len(self.order)), self.shape), 1)

    @property
    def shape(self) -> tuple[int, ...]:
        """Numbers of levels."""
        return self.outputs.shape[1:]

    @property
    def both(self) -> Mask:
        """The cells with A and B at full strength."""
        mask: Mask = np.zeros(self.shape, bool)
        mask[-1, -1] = True
        return mask.ravel()

    @property
    def n_units(self) -> int:
        """Backgrounds, or templates."""
        return len(self.outputs) if self.codes is None else int(self.codes.max()) + 1

    @property
    def rounding(self) -> float:
        """Of the outputs."""
        return float(SAME * np.abs(self.outputs).max())


class Reading(NamedTuple):
    """By level of C: AB's latent value less the sum, and those of its neighbours.

    `fit` is of all cells.
    """

    value: Values
    low: Values
    high: Values
    fit: Additive

    @property
    def inside(self) -> Mask:
        """Where other cells reach lower and higher than AB."""
        mask: Mask = np.isfinite(self.low) & np.isfinite(self.high)
        return mask


def as_grid(result: GIAResult, name: str, fitted: str) -> Grid:
    """The cells of a result, checked."""
    as_arms(result, name)
    missing = [column for column in LEVELS if column not in result.conditions]
    if missing:
        raise ValueError(
            f"`{name}` has no column {missing[0]!r}; it must be the outcome of "
            "`latent_interaction`."
        )
    levels = result.conditions[LEVELS].to_numpy(np.intp)
    shape = tuple(levels.max(axis=0) + 1)
    order = np.lexsort(levels.T[::-1])
    if min(shape) < 2 or levels[order].tolist() != [list(i) for i in np.ndindex(shape)]:
        raise ValueError(
            f"`{name}` has {len(levels)} conditions, which are not each of two levels "
            "or more of A, of B and of C with each other once; it must be all of the "
            "outcome of `latent_interaction`."
        )
    y = as_columns(result.output().y_afters, 2)[..., 0].double().numpy()
    outputs = y[:, order].reshape(len(y), *shape)
    of_a, of_b, _ = levels[order].T
    if fitted == "alone":
        mask = (of_a == 0) | (of_b == 0)
    else:
        mask = (of_a < shape[0] - 1) | (of_b < shape[1] - 1)
    grid = Grid(outputs, clusters_of(None, len(y), result), order, 1.0, mask)
    sign = -1.0 if effect_of(grid, 0).mean() < 0 else 1.0
    return grid._replace(outputs=sign * outputs, sign=sign)


def effect_of(grid: Grid, factor: int) -> Values:
    """What the highest level of a factor does beyond the lowest, on each background.

    That of A and B where the other is not at full strength.
    """
    y = np.moveaxis(grid.outputs, factor + 1, 1)
    y = y[:, :, :-1] if factor < 2 else y[:, :, :-1, :-1]
    effect: Values = (y[:, -1] - y[:, 0]).mean(axis=(1, 2))
    return effect


def corners(grid: Grid) -> Values:
    """AB - A - B + 0 on each background, with nothing of C."""
    y = grid.outputs[..., 0]
    contrast: Values = y[:, -1, -1] - y[:, -1, 0] - y[:, 0, -1] + y[:, 0, 0]
    return contrast


def read_latent(grid: Grid, y: Values) -> Reading | None:
    """The interaction, read off the link of mean outputs of cells."""
    cells, both, levels = grid.fitted, grid.both, grid.levels
    lowest, highest = at_an_end(y, cells)
    fit = fit_additive(y, levels, cells & ~lowest & ~highest)
    if fit is None:
        return None
    read = read_off(y, fit.latent, cells, both)
    value, low, high = (each - fit.latent[both] for each in read)
    return Reading(value, low, high, fit)


def resample(grid: Grid, n_resamples: int, random_state: RandomState) -> list[Reading]:
    """Readings of draws of backgrounds, or templates, where AB is within reach."""
    codes = np.arange(len(grid.outputs)) if grid.codes is None else grid.codes
    sums, size = sum_by(grid.flat, codes), np.bincount(codes)
    readings = []
    for rng in as_generator(random_state).spawn(n_resamples):
        drawn = np.bincount(
            rng.integers(len(size), size=len(size)), minlength=len(size)
        )
        reading = read_latent(grid, drawn @ sums / (drawn @ size))
        if reading is not None and reading.inside.any():
            readings.append(reading)
    return readings


def misfit_of(
    grid: Grid, whole: Reading, resampled: list[Reading], broken: bool
) -> float:
    """The deviation of cells from sums, beyond what backgrounds explain.

    Where an order is surely `broken`, that of the cells with A, or those with B, at
    full strength, as AB has, if it is larger.
    """
    fits = [each.fit.read - each.fit.latent for each in (whole, *resampled)]
    full = (grid.levels == np.array(grid.shape) - 1).T[:2] if broken else ()
    return misfit(fits[0], np.array(fits[1:]), sum(grid.shape) - len(grid.shape), full)


def misfit(
    found: Values, drawn: Values, n_values: int, groups: Iterable[Mask] = ()
) -> float:
    """Root mean square of deviations, beyond their variance over resamples (`drawn`).

    `n_values` were fitted. Of all cells, or of those of `groups` that deviate most.
    """
    there = np.isfinite(found) & np.isfinite(drawn).any(axis=0)
    n = int(there.sum())
    beyond = found**2 * n / max(n - n_values, 1)
    beyond[there] -= np.nanvar(drawn[:, there], axis=0)
    asked = [there, *(group & there for group in groups)]
    largest = max(float(beyond[group].mean()) for group in asked if group.any())
    return float(np.sqrt(max(0.0, largest)))


def cells_table(result: GIAResult, grid: Grid, whole: Reading | None) -> pd.DataFrame:
    """The table of the grid, in the order of the conditions."""
    back = np.argsort(grid.order)
    latent = np.full((4, len(back)), np.nan)
    if whole is not None:
        latent[0] = whole.fit.latent
        three = np.stack([whole.value, whole.low, whole.high])
        latent[1:, grid.both] = three + whole.fit.latent[grid.both]
    table: pd.DataFrame = result.conditions[LEVELS].copy()
    table["output"] = grid.sign * grid.flat.mean(axis=0)[back]
    table["both"] = grid.both[back]
    names = ("latent", "read", "read_low", "read_high")
    for name, values in zip(names, latent, strict=True):
        table[name] = values[back]
    return table


def link_table(grid: Grid, whole: Reading | None) -> pd.DataFrame:
    """The monotone function of sums that outputs are, at those of the cells."""
    table: pd.DataFrame = pd.DataFrame({"latent": [], "output": []}, dtype=float)
    if whole is None:
        return table
    latent = whole.fit.latent[grid.fitted]
    order = np.argsort(latent, kind="stable")
    fitted = isotonic_regression(grid.flat.mean(axis=0)[grid.fitted][order]).x
    table["latent"], table["output"] = latent[order], grid.sign * fitted
    return table
