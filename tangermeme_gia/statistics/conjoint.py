"""Conjoint measurement: do factors add up on some scale, whichever that is?

Outputs of a grid of levels are one monotone function, the link, of a sum of one latent
value for each level, if their factors add up on any scale (Luce and Tukey 1964; Krantz
et al. 1971).
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression, nnls

from .._core.clusters import Codes, Values, sum_by
from .intervals import ROUNDING

Mask = NDArray[np.bool_]
Levels = NDArray[np.intp]
# Outputs that differ by less than this part of the largest may be rounding of single
# precision.
SAME = 1e-6


class Additive(NamedTuple):
    """Latent values of the levels of each factor, in units of the first one's highest.

    `latent` is the sum of each cell, `read` what the link makes of its output, of cells
    that were fitted; NaN of others.
    """

    values: list[Values]
    latent: Values
    read: Values


def at_an_end(y: Values, cells: Mask) -> tuple[Mask, Mask]:
    """Of which cells is the output the lowest, or highest, that others have, too?

    There the link is flat: of their latent values is known only that they lie beyond.

    Examples
    --------
    >>> at_an_end(np.array([0.0, 0, 1, 2]), np.ones(4, bool))
    (array([ True,  True, False, False]), array([False, False, False, False]))
    """
    near = SAME * np.abs(y).max()
    ends = []
    for end in (y <= y[cells].min() + near, y >= y[cells].max() - near):
        ends.append(end if (end & cells).sum() > 1 else np.zeros_like(end))
    return ends[0], ends[1]


def fit_additive(
    y: Values, levels: Levels, cells: Mask, n_pieces: int = 16
) -> Additive | None:
    """Which latent values add up to a monotone function of the outputs?

    The inverse of the link is piecewise linear with knots at quantiles of the outputs;
    its steps, none below 0, and the latent values of the levels minimise the squared
    differences between sums and what the inverse makes of outputs. As the highest level
    of the first factor is fixed at 1, that is one convex problem, solved by least
    squares with steps of at least 0 (Lawson and Hanson 1974).

    Parameters
    ----------
    y: numpy.ndarray, shape=(n_cells,)
        Mean outputs, which the first factor raises.

    levels: numpy.ndarray of int, shape=(n_cells, n_factors)
        From 0, whose latent value is 0; all of each with each, the last changing
        fastest.

    cells: numpy.ndarray of bool, shape=(n_cells,)
        Those that are fitted, which hold every level.

    n_pieces: int, optional
        Of the inverse of the link. Default is 16.

    Returns
    -------
    fit: Additive or None
        None where cells do not say what a level is worth.

    Examples
    --------
    >>> levels = np.array(list(np.ndindex(3, 3, 3)))
    >>> fit = fit_additive(np.exp(levels.sum(axis=1)), levels, levels[:, 0] >= 0)
    >>> fit.values[1].round(2)
    array([0. , 0.5, 1. ])
    """
    design = _design(tuple(levels.max(axis=0) + 1), cells.tobytes())
    outputs = np.sort(y[cells])
    at = np.linspace(0, len(outputs) - 1, min(len(outputs), n_pieces + 1))
    knots = np.unique(outputs[at.astype(int)])
    if design is None or len(knots) < 3:
        return None
    pieces = np.clip((y[cells, None] - knots[:-1]) / np.diff(knots), 0, 1)
    steps, _ = nnls(design.rest @ pieces, design.rest @ design.known)
    inverse = pieces @ steps
    found = design.solve @ (inverse - design.known)
    flat = np.insert(found[1:], design.unit, 1.0)
    ends = np.cumsum(levels.max(axis=0))[:-1]
    values = [np.append(0.0, v) for v in np.split(flat, ends)]
    read = np.full(len(y), np.nan)
    read[cells] = inverse - found[0]
    return Additive(values, design.whole @ flat, read)


class _Design(NamedTuple):
    """A column for each level but the lowest, of all cells (`whole`).

    Of those that are fitted: `known` is the column of the unit, `solve` makes the
    latent values, after a constant, of what they add up to, and `rest` leaves what they
    cannot make.
    """

    whole: Values
    unit: int
    known: Values
    solve: Values
    rest: Values


@lru_cache(maxsize=64)
def _design(shape: tuple[int, ...], fitted: bytes) -> _Design | None:
    """None where a level's latent value does not follow from the cells."""
    cells = np.frombuffer(fitted, bool)
    levels = np.array(list(np.ndindex(*shape)))
    columns = [levels[:, [f]] == np.arange(1, k) for f, k in enumerate(shape)]
    whole, unit = np.hstack(columns).astype(float), shape[0] - 2
    known, free = whole[cells, unit], np.delete(whole[cells], unit, axis=1)
    free = np.column_stack([np.ones(len(free)), free])
    both = np.column_stack([free, known])
    if np.linalg.matrix_rank(both) < both.shape[1]:
        return None
    solve = np.linalg.pinv(free)
    return _Design(whole, unit, known, solve, np.eye(len(free)) - free @ solve)


def read_off(
    y: Values, latent: Values, cells: Mask, asked: Mask
) -> tuple[Values, Values, Values]:
    """Which latent value has each asked output, and between which neighbours is it?

    The link is the isotonic regression of outputs on latent values, and straight
    between cells. Beyond all cells a neighbour, and the value, are infinite.

    Examples
    --------
    >>> y, latent = np.array([0.0, 1, 4, 2.5]), np.array([0.0, 1, 2, 9])
    >>> read_off(y, latent, np.arange(4) < 3, np.arange(4) == 3)
    (array([1.5]), array([1.]), array([2.]))
    """
    order = np.argsort(latent[cells], kind="stable")
    at, link = latent[cells][order], isotonic_regression(y[cells][order]).x
    near = SAME * np.abs(y).max()
    first = np.searchsorted(link, y[asked] - near, side="left")
    last = np.searchsorted(link, y[asked] + near, side="right") + 1
    at = np.concatenate([[-np.inf], at, [np.inf]])
    low, high = at[first], at[last]
    link = np.concatenate([link[:1], link, link[-1:]])
    way = link[last] - link[first]
    part = (y[asked] - link[first]) / np.where(way > 0, way, 1)
    inside = np.isfinite(low) & np.isfinite(high)
    middle = np.where(inside, low + part * np.where(inside, high - low, 0), low + high)
    return middle, low, high


def check_additivity(
    outputs: Values,
    codes: Codes | None,
    levels: Levels,
    cells: Mask,
    names: Sequence[str] = "ABC",
) -> pd.DataFrame:
    """Which order must hold on any scale, and is it surely broken anywhere?

    Two conditions of conjoint measurement, on means over backgrounds. *order*: which of
    two levels of a factor does more is the same whatever the others' levels are.
    *double cancellation*: of two factors, if 1 with 2' is above 2 with 1', and 2 with
    3' above 3 with 2', then 1 with 3' is above 3 with 1'.

    Parameters
    ----------
    outputs: numpy.ndarray, shape=(n, n_cells)
        Of each background.

    codes: numpy.ndarray or None, shape=(n,)
        The template of each background.

    levels, cells
        As for `fit_additive`; only these cells are compared.

    names: sequence of str, optional
        Of the factors. Default is "ABC".

    Returns
    -------
    table: pandas.DataFrame
        `condition`, `factors`, `n_tests` and `p`, the smallest of paired tests times
        their number (Bonferroni): small where the condition is surely broken. A
        condition that takes several comparisons to break has the largest of their p.

    Examples
    --------
    >>> levels = np.array(list(np.ndindex(3, 3, 3)))
    >>> y = np.exp(levels.sum(axis=1)) + np.arange(20.0)[:, None]
    >>> check_additivity(y, None, levels, levels[:, 0] >= 0)["p"].tolist()
    [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    above = _surely_above(outputs, codes)
    shape = tuple(levels.max(axis=0) + 1)
    number = np.full(shape, -1)
    number[tuple(levels[cells].T)] = np.flatnonzero(cells)
    rows = []
    for f in range(len(shape)):
        p, n = _order(above, np.moveaxis(number, f, 0).reshape(shape[f], -1))
        rows.append(("order", names[f], n, p))
    for f, g in itertools.combinations(range(len(shape)), 2):
        faces = np.moveaxis(number, (f, g), (0, 1)).reshape(shape[f], shape[g], -1)
        p, n = _double_cancellation(above, faces)
        rows.append(("double cancellation", f"{names[f]} and {names[g]}", n, p))
    columns = ["condition", "factors", "n_tests", "p"]
    table: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    return table


def _surely_above(outputs: Values, codes: Codes | None) -> Values:
    """One-sided p of each cell being above each other one."""
    if codes is None:
        codes = np.arange(len(outputs))
    size = np.bincount(codes)
    mean, n_units = outputs.mean(axis=0), len(size)
    rest = sum_by(outputs - mean, codes) / len(outputs)
    cross = rest.T @ rest * n_units / (n_units - 1)
    own = np.diag(cross)
    variance = own[:, None] + own - 2 * cross
    difference = mean[:, None] - mean
    # What rounding leaves is no difference.
    difference[np.abs(difference) <= SAME * np.abs(mean).max()] = 0.0
    least = max(ROUNDING * np.abs(outputs).max(), np.finfo(float).tiny)
    t = difference / np.maximum(np.sqrt(np.maximum(variance, 0)), least)
    p: Values = scipy.stats.t.sf(t, n_units - 1)
    return p


def _order(above: Values, number: NDArray[np.int_]) -> tuple[float, int]:
    """Of two levels, one is above in some context and below in another."""
    least, n_tests = [1.0], 0
    for i, j in itertools.combinations(number, 2):
        there = (i >= 0) & (j >= 0)
        if there.sum() < 2:
            continue
        up, down = above[i[there], j[there]].min(), above[j[there], i[there]].min()
        least.append(max(up, down) * there.sum())
        n_tests += 1
    return min(1.0, min(least) * n_tests), n_tests


def _double_cancellation(above: Values, faces: NDArray[np.int_]) -> tuple[float, int]:
    """Three levels each of two factors, paired in any way, at each level of the third.

    With level i of one factor paired with i' of the other, i above j where i with j' is
    above j with i' is transitive: broken where three go round in a circle.
    """
    least, n_tests = 1.0, 0
    paired = np.array(list(itertools.permutations(range(faces.shape[1]), 3)))
    if not len(paired):
        return 1.0, 0
    for rows in itertools.combinations(range(faces.shape[0]), 3):
        cell = [[faces[row][paired[:, i]] for i in range(3)] for row in rows]
        there = np.min(cell, axis=(0, 1)) >= 0
        broken = [
            [above[cell[i][j][there], cell[j][i][there]] for i, j in circle]
            for circle in (((0, 1), (1, 2), (2, 0)), ((1, 0), (2, 1), (0, 2)))
        ]
        p = np.max(broken, axis=1)
        least, n_tests = min(least, float(p.min(initial=1.0))), n_tests + p.size
    return min(1.0, least * max(n_tests, 1)), n_tests
