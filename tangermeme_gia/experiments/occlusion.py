"""What does a sequence lose with a region: replaced by many draws of a background."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from tangermeme.utils import PackedSequence

from .._core.conditions import Table
from .._core.engine import run_design
from .._core.letters import RandomState, as_seed, check_sequences, resolve_alphabet
from .._core.options import document
from .._core.results import GIAResult
from ..backgrounds.replacements import Background, Replacements

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options


@document
def occlusion(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    windows: ArrayLike,
    *,
    background: Background = "shuffle",
    n: int = 20,
    alphabet: Sequence[str] | None = None,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> GIAResult:
    """How much does the output depend on a region, whatever else might stand there?

    Each region of the given sequences is replaced by `n` draws of a background, which
    every sequence gets on its own: after ``average("draw")`` sequences are independent,
    and the interval of `to_frame` is for the mean over sequences such as these and over
    the draws. Padding and N in a region stay where they are. Where there are none, the
    outputs of sequence i with a shuffle are those of tangermeme's `ablate` for it alone
    with the seed ``np.random.SeedSequence(random_state).generate_state(len(X))[i]``;
    for all of X at once `ablate` reorders every sequence in the same way.

    Parameters
    ----------
    {model}
        Here these are the sequences to explain.

    windows: array-like of int, shape=(2,) or (n_windows, 2)
        First position (0-based) and one past the last of the region, or of several
        that are replaced one at a time, in every sequence.

    background: str, torch.Tensor or PackedSequence, optional
        "shuffle", the region's own letters in random order, and "dinucleotide", with
        its dinucleotide counts kept, are tangermeme's shuffles. Sequences of the length
        of X, at least `n`: the region is copied from `n` different ones, drawn for each
        sequence of X; intervals are then for draws from these, whatever others might
        have been given. Their padding is copied, too. Windows of a sequence share the
        sequences, and if they are as wide as each other the orders of "shuffle".
        Default is "shuffle".

    n: int, optional
        Draws per region and sequence. Default is 20.

    {options}

    Returns
    -------
    result: GIAResult
        A condition for every window and draw: `conditions` has the columns `start`,
        `end`, `background` ("given" for sequences) and `draw`. ``average("draw")``
        gives one condition per window. An effect below 0 says that the region raises
        the output.

    Raises
    ------
    ValueError, TypeError
        If a window is empty or runs past X, `background` is unknown, does not fit X or
        has fewer than `n` sequences, X is not one-hot, or a region has only one
        dinucleotide shuffle.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (3, 20))].transpose(1, 2)
    >>> result = occlusion(model, X, [(0, 10), (10, 20)], n=5)
    >>> result.y_afters.shape
    torch.Size([3, 10, 1])
    >>> result.average("draw").y_afters.shape
    torch.Size([3, 2, 1])
    """
    letters = resolve_alphabet(model, alphabet)
    check_sequences(X, letters)
    edges = _check_windows("windows", np.atleast_2d(windows), X, 2)
    draws = Replacements(background, X, n, len(X), as_seed(random_state), letters)
    rows = [
        (start, end, draws.name, draw)
        for start, end in edges.tolist()
        for draw in range(n)
    ]
    table = pd.DataFrame(rows, columns=["start", "end", "background", "draw"])
    design = _WindowDesign(table, edges, draws, X.shape[-1])
    return run_design(model, X, design, **options)


@document
def occlusion_annotations(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    annotations: ArrayLike,
    *,
    background: Background = "shuffle",
    n: int = 20,
    alphabet: Sequence[str] | None = None,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> GIAResult:
    """How much does the output depend on each annotated region of its own sequence?

    As `occlusion`, with regions that differ between sequences, such as motif hits.
    Every annotation has its own draws: with a shuffle, those of tangermeme's
    `ablate_annotations` for it alone with the seed of its row. Annotations of one
    sequence share it, and are no independent rows.

    Parameters
    ----------
    {model}
        Here these are the sequences to explain.

    annotations: array-like of int, shape=(n_annotations, 3)
        Number of the sequence in X, first position (0-based) and one past the last, as
        in tangermeme.

    background: str, torch.Tensor or PackedSequence, optional
        As for `occlusion`. Default is "shuffle".

    n: int, optional
        Draws per annotation. Default is 20.

    {options}

    Returns
    -------
    result: GIAResult
        One row per annotation in `y_before` and `y_afters`, in their order, and a
        condition for every draw: `conditions` has the columns `background` and `draw`.
        Annotations of one sequence are one cluster, as are those of sequences that
        share a label of `clusters`.

    Raises
    ------
    ValueError, TypeError
        As for `occlusion`, and if an annotation names no sequence of X.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (3, 20))].transpose(1, 2)
    >>> result = occlusion_annotations(model, X, [[0, 2, 8], [2, 0, 10]], n=5)
    >>> result.average("draw").local_importance.shape
    torch.Size([2, 1, 1])
    """
    letters = resolve_alphabet(model, alphabet)
    check_sequences(X, letters)
    regions = _check_windows("annotations", annotations, X, 3)
    seed = as_seed(random_state)
    draws = Replacements(background, X, n, len(regions), seed, letters)
    table = pd.DataFrame({"background": [draws.name] * n, "draw": range(n)})
    design = _AnnotationDesign(table, regions, draws, X.shape[-1])
    return run_design(model, X, design, rows=regions[:, 0], **options)


class _WindowDesign(Table):
    """The same windows in every sequence, a condition for each and each draw."""

    any_device = False

    def __init__(
        self,
        conditions: pd.DataFrame,
        windows: NDArray[np.int64],
        draws: Replacements,
        length: int,
    ) -> None:
        self.conditions = conditions
        self.lengths: NDArray[np.int64] = np.full(len(conditions), length)
        self._windows, self._draws = windows, draws

    def touching(self, kept: NDArray[np.bool_]) -> list[bool]:
        """For each condition: does its window hold any of these positions?"""
        return [
            bool(kept[start:end].any())
            for start, end in self._windows.tolist()
            for _ in range(self._draws.n)
        ]

    def build(self, X: torch.Tensor, rows: slice, conditions: slice) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length)."""
        n, first, last = self._draws.n, conditions.start, conditions.stop
        batch = X[:, None].repeat(1, last - first, 1, 1)
        for window in range(first // n, (last - 1) // n + 1):
            start, end = self._windows[window].tolist()
            here = slice(max(first, window * n), min(last, (window + 1) * n))
            draws = slice(here.start - window * n, here.stop - window * n)
            batch[:, here.start - first : here.stop - first, :, start:end] = (
                self._draws.of(X[:, :, start:end], start, draws, rows)
            )
        return batch


class _AnnotationDesign(Table):
    """A region of its own in each row, a condition for each draw."""

    any_device = False

    def __init__(
        self,
        conditions: pd.DataFrame,
        regions: NDArray[np.int64],
        draws: Replacements,
        length: int,
    ) -> None:
        self.conditions = conditions
        self.lengths: NDArray[np.int64] = np.full(len(conditions), length)
        self._regions, self._draws = regions, draws

    def touching(self, kept: NDArray[np.bool_]) -> list[bool]:
        """For each draw: does any region hold any of these positions?"""
        any_region = any(kept[s:e].any() for _, s, e in self._regions.tolist())
        return [any_region] * self._draws.n

    def build(self, X: torch.Tensor, rows: slice, conditions: slice) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length)."""
        batch = X[:, None].repeat(1, conditions.stop - conditions.start, 1, 1)
        for i, (_, start, end) in enumerate(self._regions[rows].tolist()):
            region = X[i : i + 1, :, start:end]
            row = slice(rows.start + i, rows.start + i + 1)
            drawn = self._draws.of(region, start, conditions, row)
            batch[i, :, :, start:end] = drawn[0]
        return batch


def _check_windows(
    name: str, windows: ArrayLike, X: torch.Tensor | PackedSequence, n_columns: int
) -> NDArray[np.int64]:
    """Regions as integers, with the number of the sequence first if there are three."""
    array = np.asarray(windows)
    if array.size == 0:
        raise ValueError(f"`{name}` is empty; at least one is needed.")
    if array.ndim != 2 or array.shape[1] != n_columns or array.dtype.kind not in "iu":
        raise ValueError(
            f"`{name}` has shape {array.shape} and dtype {array.dtype}; it must be "
            f"integers of shape (n, {n_columns})."
        )
    length = X.shape[-1]
    for row in array.tolist():
        start, end = row[-2:]
        if not 0 <= start < end <= length:
            raise ValueError(
                f"`{name}` holds the region {start} to {end}; it must begin at 0 or "
                f"later, hold a position and end by {length}, the length of `X`."
            )
        if n_columns == 3 and not 0 <= row[0] < len(X):
            raise ValueError(
                f"`{name}` names sequence {row[0]}; `X` has sequences 0 to "
                f"{len(X) - 1}."
            )
    return array.astype(np.int64)
