"""Reader of the authors' HDF5 files, with or without structure profiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tangermeme_gia._core.hdf5 import (
    damage,
    is_group,
    members,
    open_hdf5,
    read_dataset,
)
from tangermeme_gia._core.letters import RNA

from .encoding import check_bases, check_length
from .rnacompete import RNAcompete
from .splits import PRESPLIT_SETS

# Sequence alone; with paired and unpaired; with the five structure contexts.
CHANNELS = (4, 6, 9)
_PAIRED = 4


class _Part(NamedTuple):
    X: NDArray[np.float32]
    y: NDArray[np.float32]


def read_hdf5(
    path: str | Path,
    protein: str | None = None,
    *,
    channels: int | None = None,
    length: int | None = 41,
) -> RNAcompete:
    """Read the HDF5 files of the paper's authors, which are already split.

    The 2013 file holds `X_train`, `Y_train`, `X_valid`, `Y_valid`, `X_test`, `Y_test`
    and `experiment` (the names); the 2009 file holds a group of these for each
    protein, without `experiment`. `X` is (n, channels, length), as the authors store
    it, or (n, length, channels); the channels are A, C, G, U and then, if there are
    more, paired and unpaired, or paired, hairpin, internal, multi and external.
    `Y` is (n, experiments) or (n,). Needs h5py: `pip install "tangermeme-gia[hdf5]"`.

    Parameters
    ----------
    path: str or Path
        The file.

    protein: str or None, optional
        The group to read from a file of the 2009 layout. Default is None.

    channels: int or None, optional
        4 keeps the sequence alone, 6 adds paired and unpaired (the sum of the other
        contexts), 9 all contexts. None keeps what is stored. Default is None.

    length: int or None, optional
        Columns of the encoding; shorter matrices are centred between zero columns.
        None is the stored length. Default is 41.

    Returns
    -------
    data: RNAcompete
        Sets "train", "valid" and "test"; `X` is int8, or float32 with structure.

    Raises
    ------
    ValueError
        If the file is no HDF5 file, lacks a key, or a dataset has a wrong shape or
        value, naming the key.
    ImportError
        If h5py is not installed.

    Examples
    --------
    >>> import h5py
    >>> from tempfile import TemporaryDirectory
    >>> from residualbind.data.encoding import encode_sequences
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "rnacompete2013.h5")
    ...     with h5py.File(path, "w") as file:
    ...         file["experiment"] = [b"RNCMPT00001"]
    ...         for part in ("train", "valid", "test"):
    ...             file[f"X_{part}"] = encode_sequences(["AGAGG", "AGGUC"]).numpy()
    ...             file[f"Y_{part}"] = [[0.4], [1.2]]
    ...     read_hdf5(path).sets.tolist()
    ['train', 'train', 'valid', 'valid', 'test', 'test']
    """
    check_length(length)
    if channels not in (None, *CHANNELS):
        raise ValueError(f"`channels`={channels} is not one of {CHANNELS} or None.")
    with open_hdf5(path) as file:
        group = _open_group(file, path, protein)
        parts = [_read_part(group, path, part) for part in PRESPLIT_SETS]
        experiments = _read_experiments(group, path, protein, parts)
    _check_alike(parts, path)
    X = _pad(_to_channels(np.concatenate([p.X for p in parts]), channels, path), length)
    sizes = [len(part.X) for part in parts]
    return RNAcompete(
        X=torch.from_numpy(X.astype(np.int8) if X.shape[1] == len(RNA) else X),
        y=torch.from_numpy(np.concatenate([part.y for part in parts])),
        sets=np.repeat(PRESPLIT_SETS, sizes),
        experiments=experiments,
    )


def _open_group(file: Any, path: str | Path, protein: str | None) -> Any:
    names = members(file, path)
    groups = [name for name in names if is_group(file, name, path)]
    if protein is None:
        if groups and "X_train" not in names:
            raise ValueError(
                f"{path} has a group for each protein; give one of {groups} as "
                "`protein`."
            )
        return file
    if protein not in groups:
        raise ValueError(
            f"{path} has no group {protein!r} (`protein`); it has "
            f"{groups or 'none, so give None'}."
        )
    return file[protein]


def _read_part(group: Any, path: str | Path, part: str) -> _Part:
    x_key, y_key = f"X_{part}", f"Y_{part}"
    X, y = read_dataset(group, x_key, path), read_dataset(group, y_key, path)
    for key, values in ((x_key, X), (y_key, y)):
        if values.dtype.kind not in "biuf":
            raise ValueError(f"{path}, {key}: {values.dtype} values are not numbers.")
    if X.ndim != 3 or not {X.shape[1], X.shape[2]} & set(CHANNELS):
        raise ValueError(
            f"{path}, {x_key} has shape {X.shape}; it must be (n, channels, length) or "
            f"(n, length, channels) with {CHANNELS} channels."
        )
    if X.shape[1] not in CHANNELS:
        X = X.transpose(0, 2, 1)
    if y.ndim == 1:
        y = y[:, None]
    if y.ndim != 2 or len(y) != len(X):
        raise ValueError(
            f"{path}, {y_key} has shape {y.shape}; {x_key} holds {len(X)} probes, so "
            f"it must be ({len(X)}, experiments)."
        )
    with np.errstate(over="ignore"):
        y = y.astype(np.float32)
    if np.isinf(y).any():
        row = int(np.isinf(y).any(axis=1).argmax())
        raise ValueError(f"{path}, {y_key}: the score in row {row} is infinite.")
    X = X.astype(np.float32)
    check_bases(torch.from_numpy(X), f"{path}, {x_key}")
    empty = ~X[:, : len(RNA)].any(axis=(1, 2))
    if empty.any():
        raise ValueError(f"{path}, {x_key}: row {int(empty.argmax())} holds no base.")
    if not np.isfinite(X).all():
        raise ValueError(f"{path}, {x_key} holds values that are not finite.")
    return _Part(X, y)


def _read_experiments(
    group: Any, path: str | Path, protein: str | None, parts: list[_Part]
) -> tuple[str, ...]:
    n = parts[0].y.shape[1]
    if protein is not None and "experiment" not in members(group, path):
        names = [protein]
    else:
        stored = read_dataset(group, "experiment", path).ravel().tolist()
        with damage(f"{path}, experiment is damaged"):
            names = [n.decode() if isinstance(n, bytes) else n for n in stored]
    if len(names) != n:
        raise ValueError(
            f"{path}: {len(names)} experiment name(s) for the {n} column(s) of Y_train."
        )
    if len(set(names)) < len(names):
        raise ValueError(f"{path}, experiment holds a name more than once.")
    return tuple(map(str, names))


def _check_alike(parts: list[_Part], path: str | Path) -> None:
    for name, part in zip(PRESPLIT_SETS[1:], parts[1:], strict=True):
        for key, these, first in (
            ("X", part.X, parts[0].X),
            ("Y", part.y, parts[0].y),
        ):
            if these.shape[1:] != first.shape[1:]:
                raise ValueError(
                    f"{path}, {key}_{name}: a probe has shape {these.shape[1:]}, in "
                    f"{key}_train it is {first.shape[1:]} (channels first)."
                )


def _to_channels(
    X: NDArray[np.float32], channels: int | None, path: str | Path
) -> NDArray[np.float32]:
    stored = X.shape[1]
    if channels is None or channels == stored:
        return X
    if channels > stored:
        raise ValueError(
            f"{path} holds {stored} channels; `channels`={channels} cannot be made "
            "from them."
        )
    if channels == len(RNA):
        return X[:, : len(RNA)]
    unpaired = X[:, _PAIRED + 1 :].sum(axis=1, keepdims=True)
    return np.concatenate([X[:, : _PAIRED + 1], unpaired], axis=1)


def _pad(X: NDArray[np.float32], length: int | None) -> NDArray[np.float32]:
    stored = X.shape[2]
    if length is None or length == stored:
        return np.ascontiguousarray(X)
    if length < stored:
        raise ValueError(
            f"`length`={length} is less than the {stored} columns stored; they are "
            "never cut: give a larger `length`, or None for the stored one."
        )
    left = (length - stored) // 2
    return np.pad(X, ((0, 0), (0, 0), (left, length - stored - left)))
