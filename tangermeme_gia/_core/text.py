"""Text files, plain or gzipped, read so that damage has a file and a line."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

PathLike = str | Path

_BLOCK = 1 << 24
# How files begin that are taken for text by mistake.
_OTHERS = {
    rb"\xff\xfe|\xfe\xff": "UTF-16 text",
    rb"\x1f\x8b": "gzipped twice",
    rb"PK\x03\x04": "a zip archive, or the workbook of a spreadsheet",
    rb"BZh[1-9]1AY|\xfd7zXZ|\x28\xb5\x2f\xfd": "packed by bzip2, xz or zstd",
    rb"\x89HDF": "HDF5",
}
_BYTE_ORDER_MARK, _ENDS = b"\xef\xbb\xbf", (b"\r\n", b"\n", b"\r")
# Text packs at most ten times smaller or so; what claims more is no text but a trap.
_MOST_GROWTH, _MOST_BYTES = 100, 1 << 28


def read_bytes(path: PathLike) -> bytes:
    """The text of a file: decompressed, UTF-8, line ends "\\n", no blank end.

    Gzip is recognised by its first two bytes, whatever the name of the file.
    """
    data = b"".join(text_blocks(path)).rstrip(b"\n ")
    if not data.strip():
        raise ValueError(f"{path} is empty.")
    if not data.isascii():
        decode(data, path)
    return data


def decode(data: bytes, path: PathLike, line: int = 1) -> str:
    """Bytes that begin in some line of a file as text, which must be UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line += data.count(b"\n", 0, error.start)
        raise ValueError(
            f"{path}, line {line}: not UTF-8 text (byte 0x{data[error.start]:x}); save "
            "it as UTF-8."
        ) from None


def text_blocks(path: PathLike) -> Iterator[bytes]:
    """A file in pieces: decompressed, line ends "\\n", no byte order mark.

    The line end at the end of a piece begins the next, so that what starts a line is
    seen beside it.

    Raises
    ------
    ValueError
        If a gzipped file is damaged or cut off, or grows beyond all text; if what is
        packed otherwise, or no text, is known by how it begins; of a pipe.

    OSError
        If the file cannot be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "probes.txt")
    ...     _ = path.write_bytes(b"\\xef\\xbb\\xbf1 AG\\r\\n2 GG\\r\\n")
    ...     list(text_blocks(path))
    [b'1 AG\\n2 GG', b'\\n']
    """
    held, is_first = b"", True
    for block in raw_blocks(path):
        block = held + block
        if is_first:
            _check_text(block, path)
            block, is_first = block.removeprefix(_BYTE_ORDER_MARK), False
        held = next((end for end in _ENDS if block.endswith(end)), b"")
        yield _unix(block.removesuffix(held))
    yield _unix(held)


def _check_text(start: bytes, path: PathLike) -> None:
    for pattern, what in _OTHERS.items():
        if re.match(pattern, start):
            raise ValueError(
                f"{path} is {what}; save it as UTF-8 text, plain or gzipped."
            )


def check_regular(path: PathLike) -> None:
    """Raise a ValueError of a pipe or device, which would be waited for."""
    path = Path(path)
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ValueError(f"{path} is a pipe or device; write it to a file first.")


def _unix(text: bytes) -> bytes:
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return text


def is_gzip(path: PathLike) -> bool:
    """Whether a file, which is no pipe, begins as gzip does, whatever its name."""
    check_regular(path)
    with open(path, "rb") as file:
        return file.read(2) == b"\x1f\x8b"


def raw_blocks(path: PathLike) -> Iterator[bytes]:
    """A file in pieces as they stand, decompressed. Raises as `text_blocks`."""
    packed = is_gzip(path)
    with open(path, "rb") as file:
        if packed:
            yield from _decompress(path, file)
        else:
            while block := file.read(_BLOCK):
                yield block


def _decompress(path: PathLike, packed: IO[bytes]) -> Iterator[bytes]:
    stored = Path(path).stat().st_size
    size = lines = 0
    try:
        with gzip.GzipFile(fileobj=packed) as file:
            # read1 hands over what precedes the damage before it raises.
            while block := file.read1(_BLOCK):
                size += len(block)
                lines += block.count(b"\n")
                if size > max(_MOST_BYTES, _MOST_GROWTH * stored):
                    raise ValueError(
                        f"{path}: {stored:,} bytes of gzip become more than {size:,}, "
                        "which no text does; if that is meant, unpack it with gunzip."
                    )
                yield block
    except (EOFError, OSError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the file cannot be read, which is no damage
        raise ValueError(
            f"{path}: the gzip file is damaged or cut off, at or after line "
            f"{lines + 1} ({error})."
        ) from None
