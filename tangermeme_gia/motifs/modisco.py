"""Results of TF-MoDISco: patterns as probabilities and as contributions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from .._core.hdf5 import is_group, members, open_hdf5, read_dataset
from .formats import Parsed

_SIGNS = ("pos_patterns", "neg_patterns")
# The share of the largest contribution below which the ends of a pattern are cut, as
# in the reports of tfmodisco-lite.
_TRIM = 0.3
_SEQLET = ("example_idx", "start", "end", "is_revcomp")


class Pattern(NamedTuple):
    """A pattern between the positions that contribute; matrices are (4, length)."""

    name: str
    ppm: NDArray[np.float64]
    cwm: NDArray[np.float64]
    start: int


def read_cwms(path: str | Path) -> dict[str, torch.Tensor]:
    """What does each pattern of TF-MoDISco contribute, position by position?

    Contribution weight matrices are to be drawn or compared, never placed: motifs to
    place are the same patterns as probabilities, from `read_motifs`.

    Parameters
    ----------
    path: str or Path
        `modisco_results.h5`, plain or gzipped.

    Returns
    -------
    cwms: dict of str to torch.Tensor, dtype=float64, shape=(4, length)
        By the names of `read_motifs`, such as "pos_patterns.pattern_0", and trimmed
        alike: from the first to the last position whose summed absolute contributions
        reach 0.3 of the largest.

    Raises
    ------
    ValueError
        If the file is no result of TF-MoDISco, or damaged, with the key.

    OSError, ImportError
        If the file cannot be read, or h5py is not installed.

    Examples
    --------
    >>> import h5py, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with h5py.File(f"{folder}/modisco_results.h5", "w") as file:
    ...         pattern = file.create_group("pos_patterns/pattern_0")
    ...         pattern["sequence"] = np.eye(4)
    ...         pattern["contrib_scores"] = np.diag([0.1, 2, 1, 0.2])
    ...     read_cwms(f"{folder}/modisco_results.h5")["pos_patterns.pattern_0"]
    tensor([[0., 0.],
            [2., 0.],
            [0., 1.],
            [0., 0.]], dtype=torch.float64)
    """
    return {p.name: torch.from_numpy(p.cwm) for p in read_patterns(Path(path))}


def read_seqlets(path: str | Path) -> pd.DataFrame:
    """Where did TF-MoDISco find each pattern?

    To remove them, `occlusion_annotations` takes `example_idx`, `start` and `end`.

    Parameters
    ----------
    path: str or Path
        `modisco_results.h5`, plain or gzipped.

    Returns
    -------
    seqlets: pandas.DataFrame
        `pattern` (by the names of `read_motifs`), `example_idx` (the sequence that
        TF-MoDISco was given), `start` and `end` (exclusive; trimmed as `read_motifs`
        trims, and of the positions that it was given, which are fewer than the
        sequence's if it was run with a smaller `--window`), and `strand`.

    Raises
    ------
    ValueError
        If the file is no result of TF-MoDISco, or damaged, with the key.

    OSError, ImportError
        If the file cannot be read, or h5py is not installed.

    Examples
    --------
    >>> import h5py, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with h5py.File(f"{folder}/modisco_results.h5", "w") as file:
    ...         pattern = file.create_group("pos_patterns/pattern_0")
    ...         pattern["sequence"] = np.eye(4)
    ...         pattern["contrib_scores"] = np.diag([0.1, 2, 1, 0.2])
    ...         seqlets = pattern.create_group("seqlets")
    ...         for name, values in {
    ...             "example_idx": [7], "start": [10], "end": [14], "is_revcomp": [True]
    ...         }.items():
    ...             seqlets[name] = values
    ...     read_seqlets(f"{folder}/modisco_results.h5").iloc[:, 1:]
       example_idx  start  end strand
    0            7     11   13      -
    """
    path = Path(path)
    patterns, parts = read_patterns(path), []
    with open_hdf5(path) as file:
        for pattern in patterns:
            key = pattern.name.replace(".", "/", 1) + "/seqlets"
            columns = [_integers(file, f"{key}/{name}", path) for name in _SEQLET]
            if len({len(column) for column in columns}) > 1:
                sizes = ", ".join(str(len(column)) for column in columns)
                raise ValueError(
                    f"{path}, {key}: {', '.join(_SEQLET)} have {sizes} numbers."
                )
            rows, start, end, backwards = columns
            width, first = pattern.ppm.shape[1], pattern.start
            left = np.where(backwards, end - first - width, start + first)
            table = {
                "pattern": np.full(len(rows), pattern.name, dtype=object),
                "example_idx": rows,
                "start": left,
                "end": left + width,
                "strand": np.where(backwards, "-", "+").astype(object),
            }
            parts.append(pd.DataFrame(table))
    whole: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return whole


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


def _integers(file: object, key: str, path: Path) -> NDArray[np.int64]:
    """A dataset of whole numbers, one for each seqlet."""
    values = read_dataset(file, key, path)
    if values.dtype.kind not in "iub" or values.ndim != 1:
        raise ValueError(
            f"{path}, {key} is {values.dtype} of shape {values.shape}; it must hold a "
            "whole number for each seqlet."
        )
    return values.astype(np.int64)
