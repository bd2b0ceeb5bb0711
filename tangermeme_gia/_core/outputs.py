"""What a model returns: a tensor, or a list of them, with a label for each number.

Nothing else asks whether outputs are a list.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
import scipy
import torch
from numpy.typing import NDArray

from .clusters import Codes, degrees_of_freedom

Outputs: TypeAlias = torch.Tensor | list[torch.Tensor]
# An index, or one for each axis of the outputs; the first is the tensor's of a list, or
# the key of a head that was asked for.
Label: TypeAlias = int | str | tuple[int | str, ...]
# The columns of `effects_table` that do not come from the conditions.
_ADDED = ("output", "effect", "se", "low", "high", "n", "n_clusters", "df")


def as_heads(y: Outputs) -> list[torch.Tensor]:
    """The tensors that a model returns, also where it is one.

    Examples
    --------
    >>> [tuple(head.shape) for head in as_heads(torch.zeros(3, 1))]
    [(3, 1)]
    """
    return list(y) if isinstance(y, (list, tuple)) else [y]


def each_head(function: Callable[..., torch.Tensor], *y: Outputs) -> Outputs:
    """A function of every tensor: outputs of a list stay a list.

    Examples
    --------
    >>> each_head(torch.add, [torch.ones(1)], [torch.ones(1)])
    [tensor([2.])]
    """
    if isinstance(y[0], torch.Tensor):
        return function(*y)
    return [function(*heads) for heads in zip(*y, strict=True)]


def output_labels(y: Outputs, leading: int = 1) -> list[Label]:
    """What to call each output behind the leading axes, in the order of `as_columns`.

    Examples
    --------
    >>> output_labels([torch.zeros(5, 1), torch.zeros(5, 2)])
    [(0, 0), (1, 0), (1, 1)]
    """
    labels: list[Label] = []
    for head, tensor in enumerate(as_heads(y)):
        first = () if isinstance(y, torch.Tensor) else (head,)
        axes = [range(size) for size in tensor.shape[leading:]]
        for index in itertools.product(*axes):
            label = first + index
            labels.append(label if len(label) > 1 else label[0] if label else 0)
    return labels


def as_columns(y: Outputs, leading: int = 1) -> torch.Tensor:
    """All outputs side by side, dtype=float64, shape=(leading axes, n_outputs).

    Examples
    --------
    >>> as_columns([torch.zeros(5, 1), torch.zeros(5, 2, 2)]).shape
    torch.Size([5, 5])
    """
    heads = [head.detach().to(torch.float64) for head in as_heads(y)]
    flat = [head.reshape(*head.shape[:leading], -1) for head in heads]
    # Of one tensor, which may be of millions of k-mers, no copy is made.
    return flat[0] if len(flat) == 1 else torch.cat(flat, dim=-1)


def pick_output(y: Outputs, place: int, leading: int = 1) -> torch.Tensor:
    """One output without axes of its own, in its own dtype.

    Examples
    --------
    >>> pick_output(torch.arange(6.0).reshape(2, 3), 1)
    tensor([1., 4.])
    """
    for head in as_heads(y):
        flat = head.reshape(*head.shape[:leading], -1)
        if place < flat.shape[-1]:
            return flat[..., place]
        place -= flat.shape[-1]
    raise IndexError(place)


def find_output(labels: Sequence[Label], label: Label | None) -> int:
    """Which output a label is.

    Parameters
    ----------
    labels: sequence of int or of tuple of int
        Those of all outputs.

    label: int, tuple of int or None
        One of them, or where they differ in one axis only the index on it; None is the
        only one.

    Raises
    ------
    ValueError
        If it chooses none.

    Examples
    --------
    >>> find_output([(0, 0), (0, 1), (0, 2)], 2)
    2
    """
    if label is None and len(labels) == 1:
        return 0
    if label in labels:
        return list(labels).index(label)  # type: ignore[arg-type]
    whole = [known if isinstance(known, tuple) else (known,) for known in labels]
    if label is not None and len(set(map(len, whole))) == 1:
        indices = list(zip(*whole, strict=True))
        longer = [axis for axis in indices if len(set(axis)) > 1] or indices[-1:]
        if len(longer) == 1 and label in longer[0]:
            return longer[0].index(label)
    shown = ", ".join(map(str, labels[:10])) + (", ..." if len(labels) > 10 else "")
    if label is None:
        raise ValueError(
            f"the result has {len(labels)} outputs, {shown}; choose one by "
            "`result.output(label)`."
        )
    raise ValueError(f"`label`={label!r} is none of the outputs: {shown}.")


def check_conditions(conditions: pd.DataFrame, n_conditions: int) -> None:
    """Raise a ValueError of a table that `effects_table` cannot add to."""
    if len(conditions) != n_conditions:
        raise ValueError(
            f"`conditions` has {len(conditions)} rows, but `y_afters` {n_conditions} "
            "conditions on axis 1; they must agree."
        )
    taken = conditions.columns.intersection([*_ADDED]).tolist()
    if taken:
        raise ValueError(
            f"`conditions` has the columns {taken}, which the frame adds; rename them."
        )


def effects_table(
    conditions: pd.DataFrame,
    labels: Sequence[Label],
    mean: NDArray[np.float64],
    se: NDArray[np.float64],
    n: int,
    confidence: float,
    codes: Codes | None = None,
) -> pd.DataFrame:
    """A row per condition and output of effects, shape=(n_conditions, n_outputs).

    With the cluster of each of the n backgrounds, `df` are those of cluster-robust
    errors; of one cluster there is no interval, with a warning.

    Raises
    ------
    ValueError
        If `confidence` is not between 0 and 1.

    Examples
    --------
    >>> sites = pd.DataFrame({"site": [3]})
    >>> effects_table(sites, [0], np.ones((1, 1)), np.zeros((1, 1)), 9, 0.95)
       site  output  effect   se  low  high  n
    0     3       0     1.0  0.0  1.0   1.0  9
    """
    if not 0 < confidence < 1:
        raise ValueError(f"`confidence`={confidence} must be between 0 and 1.")
    n_clusters = n if codes is None else int(codes.max()) + 1
    df = n - 1 if codes is None else degrees_of_freedom(np.bincount(codes))
    half_width = scipy.stats.t.ppf((1 + confidence) / 2, df) * se
    rows = np.repeat(np.arange(len(mean)), len(labels))
    frame: pd.DataFrame = conditions.iloc[rows].reset_index(drop=True)
    frame["output"] = pd.Series([*labels] * len(mean), dtype=object).infer_objects()
    frame["effect"] = mean.ravel()
    frame["se"] = se.ravel()
    frame["low"] = (mean - half_width).ravel()
    frame["high"] = (mean + half_width).ravel()
    frame["n"] = n
    if codes is None:
        return frame
    frame["n_clusters"], frame["df"] = n_clusters, df
    if n_clusters == 1 < n:
        warnings.warn(
            f"all {n} backgrounds are of one cluster (template): how effects differ "
            "from one to another is unknown, and `se`, `low` and `high` are NaN. Make "
            "backgrounds of more templates.",
            UserWarning,
            stacklevel=3,
        )
    return frame
