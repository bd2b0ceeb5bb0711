"""Interactions of arrangements on some of the backgrounds: each placement once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from .._core.clusters import Labels, as_codes, as_labels
from .._core.engine import Engine
from .._core.letters import as_generator
from .._core.outputs import as_columns
from .arrangements import Arrangement, GrammarDesign, Placed, Strands, placed_at

Rows = NDArray[np.int64]
Values = NDArray[np.float64]

# Of one call's random numbers, those that divide the backgrounds.
_HALVES_STREAM = 31
# Rounding of a model's outputs, in units of their precision.
_ROUNDING = 64
_STRIDED = (
    torch.nn.Conv1d,
    torch.nn.Conv2d,
    torch.nn.MaxPool1d,
    torch.nn.MaxPool2d,
    torch.nn.AvgPool1d,
    torch.nn.AvgPool2d,
    torch.nn.LPPool1d,
    torch.nn.LPPool2d,
)


class Division(NamedTuple):
    """Which backgrounds find first, which find, and which confirm."""

    first: Rows
    finding: Rows
    confirming: Rows


class Measured(NamedTuple):
    """Interactions on some backgrounds, shape=(n, n_sets), and their outputs before.

    `log` has those of the logarithms, if all outputs are positive.
    """

    before: Values
    local: Values
    log: Values | None
    n_asked: int


class Survey(NamedTuple):
    """What is placed, where, and in what.

    Parameters
    ----------
    engine: Engine
        The model and the backgrounds.

    strands: Strands
        The motifs.

    codes: list of numpy.ndarray
        Letters of each motif on each strand.

    start: int
        First base of the leftmost motif.

    offsets: numpy.ndarray, shape=(n,)
        By how much each background's motifs are moved from there.
    """

    engine: Engine
    strands: Strands
    codes: list[NDArray[np.int8]]
    start: int
    offsets: NDArray[np.int64]

    def pairs(
        self, rows: Rows, arrangements: Sequence[Arrangement], spacings: Sequence[int]
    ) -> Measured:
        """AB - A - B + 0, and its mean over spacings behind those of each arrangement.

        `local` has the shape (n, n_arrangements, n_spacings + 1).
        """
        placed = [
            placed_at(arrangement, spacing, self.start, self.strands)
            for arrangement in arrangements
            for spacing in spacings
        ]
        measured = self.together(rows, placed)
        shape = (len(rows), len(arrangements), len(spacings))

        def with_mean(values: Values) -> Values:
            curves = values.reshape(shape)
            return np.concatenate([curves, curves.mean(axis=2, keepdims=True)], axis=2)

        log = None if measured.log is None else with_mean(measured.log)
        return measured._replace(local=with_mean(measured.local), log=log)

    def together(self, rows: Rows, placed: Sequence[tuple[Placed, ...]]) -> Measured:
        """What motifs placed together do that no fewer of them do, and the outputs.

        The alternating sum over all subsets of the outputs: AB - A - B + 0 of two.
        """
        if not placed:
            return Measured(np.zeros(len(rows)), np.zeros((len(rows), 0)), None, 0)
        terms: dict[tuple[Placed, ...], int] = {}
        sums = [
            [(terms.setdefault(part, len(terms)), sign) for part, sign in _signed(each)]
            for each in placed
        ]
        conditions = list(terms)
        part = self.engine.on(rows)
        codes = [c if len(c) == 1 else c[rows] for c in self.codes]
        length = self.engine.X.shape[-1]
        design = GrammarDesign(
            self.strands, conditions, length, codes, self.offsets[rows]
        )
        result = part.run(design).output()
        before, after = (
            as_columns(y, leading)[..., 0].double().numpy()
            for y, leading in ((result.y_before, 1), (result.y_afters, 2))
        )
        eps = _precision(result.y_afters)
        log = None
        if (before > 0).all() and (after > 0).all():
            log = _contrasts(np.log(before), np.log(after), sums, eps, 1.0)
        local = _contrasts(before, after, sums, eps)
        return Measured(before, local, log, len(rows) * (1 + len(conditions)))


def _signed(placed: tuple[Placed, ...]) -> list[tuple[tuple[Placed, ...], float]]:
    """Subsets that are not empty, with the sign that each has in the contrast."""
    n = len(placed)
    subsets = [
        tuple(p for i, p in enumerate(placed) if code >> i & 1)
        for code in range(1, 1 << n)
    ]
    return [(subset, (-1.0) ** (n - len(subset))) for subset in subsets]


def _contrasts(
    before: Values,
    after: Values,
    sums: Sequence[Sequence[tuple[int, float]]],
    eps: float,
    least: float = 0.0,
) -> Values:
    """Alternating sums of outputs, shape=(n, n_sums); 0 where they are rounding."""
    local = np.empty((len(before), len(sums)))
    for i, terms in enumerate(sums):
        columns, signs = zip(*terms, strict=True)
        y = after[:, columns]
        # That of the empty set, which has the sign of what the others leave.
        empty = -sum(signs)
        total = y @ np.array(signs) + empty * before
        scale = np.maximum(np.abs(y).max(axis=1), np.abs(before))
        scale = np.maximum(scale, least)
        local[:, i] = np.where(np.abs(total) <= _ROUNDING * eps * scale, 0.0, total)
    return local


def _precision(y: Any) -> float:
    is_float = isinstance(y, torch.Tensor) and y.is_floating_point()
    return float(torch.finfo(y.dtype).eps) if is_float else 0.0


def divide(n: int, clusters: Labels | None, seed: int, n_first: int) -> Division:
    """Backgrounds, or templates of them, at random: half find, half confirm.

    Raises
    ------
    ValueError
        If either half has fewer than 4.
    """
    codes = np.arange(n) if clusters is None else as_codes(as_labels(clusters, n))
    n_units = int(codes.max()) + 1
    if n_units < 8:
        unit = "backgrounds" if clusters is None else "templates"
        raise ValueError(
            f"`X` has {n_units} {unit}; 8 or more are needed, of which half find and "
            "half confirm."
        )
    order = as_generator(seed, _HALVES_STREAM).permutation(n_units)
    place = np.argsort(order)[codes]
    half = n_units // 2
    rows = np.arange(n)
    return Division(
        rows[place < min(n_first, half)], rows[place < half], rows[place >= half]
    )


def offsets_of(n: int, n_starts: int, seed: int) -> NDArray[np.int64]:
    """A move for each background, each of as many as there are starts equally often.

    Examples
    --------
    >>> sorted(offsets_of(6, 3, 0).tolist())
    [0, 0, 1, 1, 2, 2]
    """
    moves = np.arange(n) % n_starts
    return as_generator(seed, _HALVES_STREAM, 1).permutation(moves)


def total_stride(model: Any) -> int:
    """Bases that a model takes together: the product of its layers' strides.

    1 if none is known. Layers side by side count as one after the other, which gives
    a multiple.

    Examples
    --------
    >>> layers = torch.nn.Conv1d(4, 8, 5), torch.nn.MaxPool1d(4), torch.nn.MaxPool1d(2)
    >>> total_stride(torch.nn.Sequential(*layers))
    8
    """
    if not isinstance(model, torch.nn.Module):
        return 1
    strides = [m.stride for m in model.modules() if isinstance(m, _STRIDED)]
    return math.prod(max(s) if isinstance(s, tuple) else int(s) for s in strides)
