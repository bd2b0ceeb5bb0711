"""One-hot sequences of .npz files, and scores."""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from .._core.text import check_regular

# What is raised of .npz files that are cut off or of another kind.
_DAMAGED = (
    ValueError,
    OSError,
    EOFError,
    AttributeError,
    TypeError,
    KeyError,
    OverflowError,
    RuntimeError,  # zipped with a password
    NotImplementedError,  # packed in a way of its own
    zlib.error,
    BadZipFile,
)
# Of 0 and 1 in eight bytes each, packing leaves one in 300 or so.
_MOST_GROWTH, _MOST_BYTES = 300, 1 << 28


def read_arrays(
    path: Path, alphabet: Sequence[str], length: int | None
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """One-hot sequences `X`, and the scores `y` if there are any, of an .npz file.

    Raises
    ------
    ValueError
        If it is damaged or of another kind, or holds anything else.
    """
    check_regular(path)
    data = io.BytesIO(path.read_bytes())  # what fails from here on is damage
    try:
        with ZipFile(data) as arrays:
            names = [name.removesuffix(".npy") for name in arrays.namelist()]
            held = {n: _read_array(arrays, n) for n in names if n in ("X", "y")}
    except _DAMAGED as error:
        raise ValueError(
            f"`--sequences`: {path} is no .npz file of numbers: {error}"
        ) from error
    X = held.get("X")
    if X is None or X.ndim != 3 or X.shape[1] != len(alphabet):
        shapes = {name: f"{name} {array.shape}" for name, array in held.items()}
        found = ", ".join(shapes.get(name, name) for name in names)
        raise ValueError(
            f"`--sequences`: {path} holds {found or 'nothing'}; an array `X` of shape "
            f"(n, {len(alphabet)}, length) is needed."
        )
    if length is not None and X.shape[-1] != length:
        raise ValueError(
            f"`--sequences`: {path} holds sequences of {X.shape[-1]} bases; the model "
            f"or `--length` says {length}."
        )
    if X.dtype.kind not in "biuf" or not ((X == 0) | (X == 1)).all():
        raise ValueError(f"`--sequences`: `X` of {path} must be 0 or 1 everywhere.")
    if X.sum(axis=1, dtype=int).max(initial=0) > 1:
        raise ValueError(f"`--sequences`: `X` of {path} has two bases at a position.")
    if not len(X):
        raise ValueError(f"{path} holds no sequences.")
    scores = None if "y" not in held else as_scores(held["y"], str(path))
    if scores is not None and len(scores) != len(X):
        raise ValueError(f"{path}: {len(X)} sequences and {len(scores)} scores.")
    return torch.from_numpy(X.astype(np.int8)), scores


def _read_array(arrays: ZipFile, name: str) -> NDArray[Any]:
    """An array, unless it says that it is larger than what the file holds."""
    member = arrays.getinfo(f"{name}.npy")
    with arrays.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, _, dtype = read_header(file)
        size = math.prod(shape) * dtype.itemsize
        most = max(_MOST_BYTES, _MOST_GROWTH * member.compress_size)
        if size > min(member.file_size, most):
            raise ValueError(
                f"{name!r} is to have {size:,} bytes, more than the file can hold"
            )
    with arrays.open(member) as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def as_scores(values: NDArray[Any], source: str) -> torch.Tensor:
    """A number for each sequence; `ValueError` if there is none."""
    if not values.ndim or values.size != len(values) or values.dtype.kind == "c":
        raise ValueError(
            f"{source}: the scores are {values.dtype} of shape {values.shape}; a "
            "number for each sequence is needed."
        )
    scores = pd.to_numeric(pd.Series(values.reshape(-1)), errors="coerce")
    numbers = scores.to_numpy(float)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        more = f", nor of {len(wrong) - 1} others" if len(wrong) > 1 else ""
        raise ValueError(
            f"{source}: the score of sequence {wrong[0] + 1} is no number{more}; leave "
            "such sequences out."
        )
    return torch.from_numpy(numbers.copy())
