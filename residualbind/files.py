"""Writing files so that a reader sees the old one or the new one, never a half."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by `data` in one step, also if the machine stops midway.

    Raises
    ------
    OSError
        If the data cannot be written; `path` is then as it was and no temporary
        file is left.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    # Unlike tempfile, this leaves the permissions to the user's umask.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
