"""HDF5 files, opened and read so that damage has a file and a key."""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .text import PathLike, is_gzip, raw_blocks

# One-hot floats of real sequences pack sixty times smaller or so.
_MOST_GROWTH, _MOST_BYTES = 200, 1 << 28
_DAMAGED = (
    OSError,
    RuntimeError,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    OverflowError,
    MemoryError,
)


def import_h5py() -> Any:
    """The package h5py, or how to install it."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            'reading HDF5 needs h5py: pip install "tangermeme-gia[hdf5]"'
        ) from error
    return h5py


@contextlib.contextmanager
def open_hdf5(path: PathLike) -> Iterator[Any]:
    """An HDF5 file, plain or gzipped; needs h5py, of the extra `hdf5`.

    Raises
    ------
    ValueError
        If it is no HDF5 file, or damaged.

    OSError
        If it cannot be opened, which is no damage.

    ImportError
        If h5py is not installed.

    Examples
    --------
    >>> with open_hdf5("absent.h5") as file:
    ...     pass
    Traceback (most recent call last):
    FileNotFoundError: [Errno 2] No such file or directory: 'absent.h5'
    """
    h5py = import_h5py()
    source: PathLike | io.BytesIO = path
    if is_gzip(path):  # and a file that is not there, or not allowed, is not damaged
        source = io.BytesIO(b"".join(raw_blocks(path)))
    with damage(f"{path} is not an HDF5 file, or damaged"):
        file = h5py.File(source, "r")
    with file:
        yield file


@contextlib.contextmanager
def damage(what: str) -> Iterator[None]:
    """What h5py raises of damaged files, as a ValueError that begins with `what`."""
    try:
        yield
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # a lock, say
        reason = error.args[0] if error.args else type(error).__name__
        raise ValueError(f"{what}: {reason}") from None


def members(group: Any, path: PathLike) -> list[str]:
    """The names in a group."""
    with damage(f"{path} is damaged"):
        names = list(group)
        if not all(isinstance(name, str) for name in names):
            raise ValueError("a name that is not UTF-8")
        return names


def is_group(group: Any, key: str, path: PathLike) -> bool:
    """Whether a name in a group is that of a group."""
    with damage(f"{path}, {key} is damaged"):
        return hasattr(group[key], "keys")


def read_dataset(group: Any, key: str, path: PathLike) -> NDArray[Any]:
    """A dataset of a group, unless it claims to be larger than its file can hold.

    Raises
    ------
    ValueError
        If there is none of this name, or it is damaged, with the file and the key.
    """
    with damage(f"{path}, {key} is damaged"):
        is_there = key in group
    if not is_there or is_group(group, key, path):
        there = members(group, path)
        raise ValueError(f"{path} has no dataset {key!r}; it has {there}.")
    with damage(f"{path}, {key} is damaged"):
        dataset = group[key]
        size = math.prod(dataset.shape) * dataset.dtype.itemsize
        most = dataset.file.id.get_filesize()
        if dataset.chunks is not None:
            stored = min(most, dataset.id.get_storage_size())
            most = max(_MOST_BYTES, _MOST_GROWTH * stored)
    if dataset.dtype.hasobject:
        with damage(f"{path}, {key} cannot be read"):
            size += _text_size(dataset, path)
    if size > most:
        raise ValueError(
            f"{path}, {key}: {size:,} bytes are announced, of which the file can hold "
            f"no more than {most:,}."
        )
    with damage(f"{path}, {key} is damaged"):
        return np.asarray(dataset)


def _text_size(dataset: Any, path: PathLike) -> int:
    """The bytes that texts of variable length announce, for which HDF5 takes memory."""
    text = import_h5py().check_string_dtype(dataset.dtype)
    if text is None or text.length is not None:
        raise ValueError("neither numbers nor text")
    start, n = dataset.id.get_offset(), dataset.id.get_storage_size()
    if not n:
        return 0
    if start is None:
        raise ValueError(
            "text of variable length is not read from chunks; store it as fixed-length "
            "text (NumPy's dtype 'S')"
        )
    # Each text is 4 bytes of its length and the place where it stands.
    stored = np.frombuffer(_raw(path, start, n), np.uint8)
    lengths = stored.reshape(dataset.size, -1)[:, :4].copy().view("<u4")
    return int(lengths.sum(dtype=np.int64))


def _raw(path: PathLike, start: int, n: int) -> bytes:
    """`n` bytes of a file as they stand, unpacked."""
    at, found = 0, b""
    for block in raw_blocks(path):
        found += block[max(start - at, 0) : max(start + n - at, 0)]
        at += len(block)
        if at >= start + n:
            break
    return found
