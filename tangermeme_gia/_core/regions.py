"""Where on a genome sequences are: tables of regions, and parts of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_PLACE = ("chrom", "start", "end")
_NAME, _STRAND = "name", "strand"
_STRANDS = ("+", "-", ".")
# Of a table in which `start` and `end` are within a sequence.
_IN_TABLES = {"start": "chrom_start", "end": "chrom_end"}

Ints = NDArray[np.int64]


def as_regions(
    regions: Any, n: int | None = None, argument: str = "regions"
) -> pd.DataFrame:
    """A table of regions, checked: `chrom`, `start`, `end`, `name` and `strand`.

    Parameters
    ----------
    regions: pandas.DataFrame
        With the columns `chrom`, `start` (0-based) and `end` (exclusive), and, if they
        are there, `name` and `strand` ("-" for sequences that were reverse
        complemented); others are left out.

    n: int or None, optional
        Rows that it must have. Default is None, any.

    argument: str, optional
        What errors call it. Default is "regions".

    Raises
    ------
    TypeError, ValueError
        If it is no table of this kind.

    Examples
    --------
    >>> as_regions(pd.DataFrame({"chrom": [1], "start": [5], "end": [9]}))
      chrom  start  end name strand
    0     1      5    9    .      .
    """
    if not isinstance(regions, pd.DataFrame):
        raise TypeError(
            f"`{argument}` is of type {type(regions).__name__}; it must be a pandas "
            f"DataFrame with the columns {', '.join(_PLACE)}, as of a BED file."
        )
    missing = [name for name in _PLACE if name not in regions]
    if missing:
        raise ValueError(
            f"`{argument}` has the columns {list(regions.columns)}; it must have "
            f"{', '.join(_PLACE)}, and may have {_NAME} and {_STRAND}."
        )
    if n is not None and len(regions) != n:
        raise ValueError(f"`{argument}` has {len(regions)} rows for {n} sequences.")
    table: pd.DataFrame = pd.DataFrame(
        {"chrom": regions["chrom"].astype(str).to_numpy(object)}
    )
    for name in ("start", "end"):
        table[name] = _whole(regions[name], f"`{argument}`: `{name}`")
    for name in (_NAME, _STRAND):
        given = regions.get(name, pd.Series(["."] * len(regions)))
        text = given.astype(object).where(given.notna(), ".").astype(str)
        table[name] = text.replace("", ".").to_numpy(object)
    _check_rows(table, argument)
    return table


def _whole(column: pd.Series[Any], where: str) -> Ints:
    values = column.to_numpy()
    if values.dtype.kind not in "iu":
        raise ValueError(f"{where} is of {values.dtype}; it must be whole numbers.")
    return values.astype(np.int64)


def _check_rows(table: pd.DataFrame, argument: str) -> None:
    starts, ends = (table[name].to_numpy() for name in ("start", "end"))
    for right, rule in (
        (starts >= 0, "starts at 0 or later"),
        (starts < ends, "ends after its start"),
        (~_broken(table["chrom"]) & ~_broken(table[_NAME]), "has names of one line"),
        (np.isin(table[_STRAND].to_numpy(str), _STRANDS), "has the strand +, - or '.'"),
    ):
        if not right.all():
            row = int(right.argmin())
            (held,) = table.loc[[row], [*_PLACE, _STRAND]].to_numpy(object).tolist()
            raise ValueError(f"`{argument}`, row {row}, is {held}; a region {rule}.")


def _broken(names: pd.Series[Any]) -> NDArray[np.bool_]:
    """Which names would end a column or a line of a file."""
    return names.str.contains(r"[\t\n\r]").to_numpy(bool)


def parts_of(
    regions: pd.DataFrame, rows: Sequence[int] | Ints, starts: Ints, ends: Ints
) -> pd.DataFrame:
    """Where on the genome parts of sequences are, in the order asked for.

    Parameters
    ----------
    regions: pandas.DataFrame
        As of `as_regions`, one for each sequence.

    rows: sequence of int, shape=(n,)
        The sequence of each part.

    starts, ends: numpy.ndarray of int, shape=(n,)
        Its first base, and one past its last, in the sequence as it was read: on the
        strand "-" the first base is the region's last.

    Raises
    ------
    ValueError
        If a part reaches past its region.

    Examples
    --------
    >>> regions = pd.DataFrame(
    ...     {"chrom": ["chr1", "chr1"], "start": 100, "end": 110, "strand": ["+", "-"]}
    ... )
    >>> parts_of(regions, [0, 1], np.array([0, 0]), np.array([3, 3])).iloc[:, :3]
      chrom  start  end
    0  chr1    100  103
    1  chr1    107  110
    """
    whole: pd.DataFrame = regions.iloc[np.asarray(rows)].reset_index(drop=True)
    first, last = whole["start"].to_numpy(), whole["end"].to_numpy()
    if (ends > last - first).any():
        row = int((ends > last - first).argmax())
        raise ValueError(
            f"the bases {starts[row]} to {ends[row]} of sequence {rows[row]} are asked "
            f"for, whose region has {last[row] - first[row]}: `regions` must be those "
            "of the sequences as they are, base for base."
        )
    backwards = (whole[_STRAND] == "-").to_numpy()
    placed: pd.DataFrame = whole.assign(
        start=np.where(backwards, last - ends, first + starts),
        end=np.where(backwards, last - starts, first + ends),
    )
    return placed


def beside_rows(regions: pd.DataFrame, rows: Sequence[int] | Ints) -> pd.DataFrame:
    """The regions of some sequences, as columns of a table of these.

    Examples
    --------
    >>> regions = pd.DataFrame({"chrom": ["chr1", "chr2"], "start": 4, "end": 9})
    >>> beside_rows(regions, [1, 1])
      chrom  chrom_start  chrom_end
    0  chr2            4          9
    1  chr2            4          9
    """
    chosen: pd.DataFrame = regions.iloc[np.asarray(rows)].rename(columns=_IN_TABLES)
    table: pd.DataFrame = chosen.reset_index(drop=True)
    return table
