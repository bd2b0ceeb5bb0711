"""What the patterns of TF-MoDISco contribute."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from .._core.hdf5 import open_hdf5, read_dataset
from .._core.modisco import read_patterns

_SEQLET = ("example_idx", "start", "end", "is_revcomp")


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
    >>> import numpy as np
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


def _integers(file: object, key: str, path: Path) -> NDArray[np.int64]:
    """A dataset of whole numbers, one for each seqlet."""
    values = read_dataset(file, key, path)
    if values.dtype.kind not in "iub" or values.ndim != 1:
        raise ValueError(
            f"{path}, {key} is {values.dtype} of shape {values.shape}; it must hold a "
            "whole number for each seqlet."
        )
    return values.astype(np.int64)
