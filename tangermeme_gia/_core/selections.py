"""Which rows of a table are meant: by the values of columns, a mask or indices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

Rows: TypeAlias = int | slice | Sequence[Any] | NDArray[Any] | torch.Tensor | pd.Series
Conditions: TypeAlias = Rows | Callable[[pd.DataFrame], Rows]

_MOST_SHOWN = 10


def find_conditions(
    table: pd.DataFrame, conditions: Conditions | None, columns: Mapping[str, Any]
) -> NDArray[np.intp]:
    """The numbers of the conditions that are asked for.

    Parameters
    ----------
    table: pandas.DataFrame
        All conditions.

    conditions: int, slice, sequence, mask, function of the table, or None
        Their numbers, or which are meant; None is all.

    columns: mapping of str to value or list of values
        What their columns hold; None is a missing value.

    Raises
    ------
    TypeError, ValueError
        If a column or a value is not there, or no condition is left.

    Examples
    --------
    >>> table = pd.DataFrame({"arm": ["A", "B", "A"], "spacing": [1, 1, 2]})
    >>> find_conditions(table, None, {"arm": "A", "spacing": [1, 2]})
    array([0, 2])
    """
    if callable(conditions):
        conditions = conditions(table)
    chosen = find_rows("conditions", conditions, len(table))
    for name, value in columns.items():
        if name not in table:
            raise ValueError(
                f"`{name}` is no column of the conditions, which have "
                f"{list(table.columns)}."
            )
        chosen = chosen[_holds(table[name], name, value)[chosen]]
    if not len(chosen):
        asked = ", ".join(f"{name}={value!r}" for name, value in columns.items())
        raise ValueError(
            f"none of the {len(table)} conditions is chosen"
            f"{f' by `{asked}` together' if asked else ''}; at least one is needed."
        )
    return chosen


def find_rows(name: str, rows: Rows | None, n: int) -> NDArray[np.intp]:
    """Numbers of rows, of which there are n; `name` is the argument's.

    Examples
    --------
    >>> find_rows("rows", [True, False, True], 3)
    array([0, 2])
    """
    everything: NDArray[np.intp] = np.arange(n)
    if rows is None or isinstance(rows, slice):
        return everything[rows or slice(None)]
    if isinstance(rows, pd.Series) and pd.api.types.is_bool_dtype(rows):
        rows = rows.to_numpy(dtype=bool, na_value=False)
    values = np.atleast_1d(np.asarray(rows))
    if values.ndim != 1 or (values.size and values.dtype.kind not in "biu"):
        raise TypeError(
            f"`{name}` is a {type(rows).__name__} of {values.dtype}; it must be a "
            "slice, numbers from 0, or True and False for each."
        )
    if values.dtype.kind == "b" and len(values) != n:
        raise ValueError(f"`{name}` has {len(values)} of True and False for {n}.")
    if values.dtype.kind in "iu" and not ((values >= -n) & (values < n)).all():
        wrong = values[(values < -n) | (values >= n)][0]
        raise ValueError(f"`{name}` holds {wrong}; it must be from 0 to {n - 1}.")
    chosen: NDArray[np.intp] = everything[values if values.size else []]
    return chosen


def _holds(column: pd.Series, name: str, value: Any) -> NDArray[np.bool_]:
    several = isinstance(value, (list, range, set, np.ndarray, pd.Series, torch.Tensor))
    missing = column.isna().to_numpy()
    found = np.zeros(len(column), dtype=bool)
    for one in list(value) if several else [value]:
        if one is None or one is pd.NA or one != one:
            here = missing
        else:
            cells = zip(column, missing, strict=True)
            here = np.array([not gap and bool(c == one) for c, gap in cells], bool)
        if not here.any():
            known = list(dict.fromkeys(column))
            shown = ", ".join(map(repr, known[:_MOST_SHOWN]))
            raise ValueError(
                f"`{name}`={one!r} is in none of the conditions; the column holds "
                f"{shown}{', ...' if len(known) > _MOST_SHOWN else ''}."
            )
        found |= here
    return found
