"""Results of TF-MoDISco: patterns as probabilities and as contributions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .hdf5 import is_group, members, open_hdf5, read_dataset
from .motif_formats import Parsed

_SIGNS = ("pos_patterns", "neg_patterns")
# The share of the largest contribution below which the ends of a pattern are cut, as
# in the reports of tfmodisco-lite.
_TRIM = 0.3


class Pattern(NamedTuple):
    """A pattern between the positions that contribute; matrices are (4, length)."""

    name: str
    ppm: NDArray[np.float64]
    cwm: NDArray[np.float64]
    start: int


def parse_modisco(path: Path) -> Iterator[Parsed]:
    """The patterns as `Parsed` probabilities, trimmed."""
    for name, ppm, _, start in read_patterns(path):
        places = [f"position {start + i} before trimming" for i in range(ppm.shape[1])]
        yield Parsed(name, "", "ACGT", ppm, places, False)


def read_patterns(path: Path) -> list[Pattern]:
    """The patterns of a file, positive ones first, in the order of their numbers."""
    patterns = []
    with open_hdf5(path) as file:
        there = members(file, path)
        if "metacluster_idx_to_submetacluster_results" in there:
            raise ValueError(
                f"{path} has the layout of TF-MoDISco before tfmodisco-lite, which is "
                "not read; `modisco convert` of tfmodisco-lite writes the newer one."
            )
        if not set(there) & set(_SIGNS):
            raise ValueError(
                f"{path} is no result of TF-MoDISco: it has {there or 'nothing'}, not "
                f"{' or '.join(_SIGNS)}."
            )
        for sign in (sign for sign in _SIGNS if sign in there):
            names = members(file[sign], path) if is_group(file, sign, path) else []
            for name in sorted(names, key=_number):
                patterns.append(_pattern(file, f"{sign}/{name}", path))
    if not patterns:
        raise ValueError(f"{path} holds no pattern.")
    return patterns


def contributing(cwm: NDArray[np.float64]) -> slice:
    """From the first to the last position that contributes, of shape (4, length).

    Examples
    --------
    >>> contributing(np.diag([0.1, 2, 1, 0.2]))
    slice(1, 3, None)
    """
    heights = np.abs(cwm).sum(axis=0)
    high = np.flatnonzero(heights >= _TRIM * heights.max())
    return slice(int(high[0]), int(high[-1]) + 1)


def _number(name: str) -> tuple[int, str]:
    match = re.search(r"[0-9]{1,9}$", name)
    return int(match[0]) if match else 0, name


def _pattern(file: object, key: str, path: Path) -> Pattern:
    ppm, cwm = (
        _numbers(file, f"{key}/{part}", path) for part in ("sequence", "contrib_scores")
    )
    if cwm.shape != ppm.shape:
        raise ValueError(
            f"{path}, {key}: contrib_scores have shape {cwm.shape}, sequence has "
            f"{ppm.shape}."
        )
    kept = contributing(cwm.T)
    name = key.replace("/", ".")
    return Pattern(name, ppm[kept].T.copy(), cwm[kept].T.copy(), kept.start)


def _numbers(file: object, key: str, path: Path) -> NDArray[np.float64]:
    """A dataset of shape (length, 4)."""
    values = read_dataset(file, key, path)
    if values.dtype.kind not in "iuf" or values.ndim != 2 or values.shape[1] != 4:
        raise ValueError(
            f"{path}, {key} is {values.dtype} of shape {values.shape}; it must hold "
            "numbers of shape (length, 4)."
        )
    if not len(values) or not np.isfinite(values).all():
        raise ValueError(f"{path}, {key} is empty, or holds NaN or infinity.")
    return values.astype(np.float64)
