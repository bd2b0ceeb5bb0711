"""Writing files so that a reader sees the old one or the new one, never a half."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def only_one(lock: Path, otherwise: Exception) -> Iterator[None]:
    """Hold a lock file; raise `otherwise` where another process does."""
    from filelock import FileLock, Timeout  # used by few commands

    try:
        held = FileLock(lock).acquire(timeout=0)
    except Timeout:
        raise otherwise from None
    with held:
        yield


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content` in one step, also if the machine stops midway.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.

    OSError
        If the content cannot be written, with `path` as the file's name; what it holds
        is then as it was and no temporary file is left.
    """
    _replace(path, lambda file: file.write(content))


def reserve(path: Path, header: bytes, size: int) -> None:
    """Replace `path` by a header and room for so many bytes behind it, in one step.

    Raises
    ------
    FileNotFoundError, OSError
        As `write_atomically`, also where the disk has less room.
    """

    def write(file: BinaryIO) -> None:
        file.write(header)
        file.flush()
        file.truncate(len(header) + size)
        # A file that is only as long as that would find a full disk midway.
        try:
            os.posix_fallocate(file.fileno(), len(header), size)
        except AttributeError:  # not on this system
            pass
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
                raise

    _replace(path, write)


def _replace(path: Path, write: Callable[[BinaryIO], object]) -> None:
    target = path.resolve()  # a symbolic link stays one
    if not target.parent.is_dir():
        raise FileNotFoundError(f"`path`={str(path)!r}: its folder does not exist.")
    # Unlike tempfile, `open` leaves the permissions to the user's umask.
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        with open(temporary, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            error.filename = str(path)
            del error.filename2
        raise
