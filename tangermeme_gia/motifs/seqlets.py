"""Seqlets: the short stretches of sequences to which a model attributes its output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

# `tangermeme.seqlet.recursive_seqlets`, or what has its form.
SeqletCaller: TypeAlias = Callable[[torch.Tensor], pd.DataFrame]

_PLACE = ("example_idx", "start", "end")


def call_seqlets(
    contributions: NDArray[np.floating[Any]], caller: SeqletCaller
) -> pd.DataFrame:
    """Which stretches raise the output, and which lower it?

    tangermeme's callers find what raises it, and what lowers it in the negative. One
    that lowers is left out where it overlaps one that raises, as tangermeme advises.

    Parameters
    ----------
    contributions: numpy.ndarray, shape=(n, length)
        Contribution of the letter at each position.

    caller: function
        Takes contributions of this shape as a tensor and returns a table with the
        columns `example_idx`, `start`, `end` (exclusive) and `attribution`, such as
        `tangermeme.seqlet.recursive_seqlets`.

    Returns
    -------
    seqlets: pandas.DataFrame
        `example_idx`, `start`, `end` and `attribution`, in the order of sequences;
        none where all contributions are the same.

    Raises
    ------
    ValueError
        If the caller returns another table, or a seqlet outside the sequences.

    Examples
    --------
    >>> def above_1(X):
    ...     rows, starts = np.nonzero(X.numpy() > 1)
    ...     table = {"example_idx": rows, "start": starts, "end": starts + 1}
    ...     return pd.DataFrame({**table, "attribution": X[rows, starts]})
    >>> call_seqlets(np.array([[0.0, 2.0, 0.0, -3.0]]), above_1)
       example_idx  start  end  attribution
    0            0      1    2          2.0
    1            0      3    4         -3.0
    """
    values = np.ascontiguousarray(contributions, dtype=np.float32)
    if np.ptp(values) == 0:
        parts = [_checked(pd.DataFrame(columns=[*_PLACE, "attribution"]), values)] * 2
    else:
        parts = [
            _checked(caller(torch.from_numpy(sign * values)), values)
            for sign in (1, -1)
        ]
    positive, negative = (part[part["attribution"] > 0] for part in parts)
    taken = np.zeros(values.shape, dtype=bool)
    for row, start, end in positive[list(_PLACE)].to_numpy():
        taken[row, start:end] = True
    free = [
        not taken[row, start:end].any()
        for row, start, end in negative[list(_PLACE)].to_numpy()
    ]
    negative = negative[np.array(free, dtype=bool)]
    negative = negative.assign(attribution=-negative["attribution"])
    both = pd.concat([positive, negative])
    in_order: pd.DataFrame = both.sort_values(
        list(_PLACE), kind="stable", ignore_index=True
    )
    return in_order


def _checked(table: Any, values: NDArray[np.float32]) -> pd.DataFrame:
    """The four columns of a caller's table, with whole numbers for places."""
    wanted = [*_PLACE, "attribution"]
    if not isinstance(table, pd.DataFrame) or not set(wanted) <= set(table):
        raise ValueError(
            f"`seqlets` returned a {type(table).__name__}; it must be a table with "
            f"the columns {', '.join(wanted)}."
        )
    types = {**dict.fromkeys(_PLACE, np.int64), "attribution": np.float64}
    chosen: pd.DataFrame = table[wanted].astype(types)
    row, start, end = chosen[list(_PLACE)].to_numpy().T
    n, length = values.shape
    wrong = (row < 0) | (row >= n) | (start < 0) | (end > length) | (start >= end)
    if wrong.any():
        i = int(wrong.argmax())
        raise ValueError(
            f"`seqlets` returned {start[i]} to {end[i]} of sequence {row[i]}; there "
            f"are {n} sequences of {length} bases."
        )
    return chosen
