"""A folder for what numba compiles, where its own choices cannot be written."""

from __future__ import annotations

import os
import tempfile
from importlib.util import find_spec
from pathlib import Path


def provide_numba_cache() -> None:
    """Sets ``NUMBA_CACHE_DIR`` where numba would find no folder and refuse to start.

    tangermeme's compiled functions are kept beside its files or in the user's cache
    folder. In a container or on a cluster neither may be writable; a folder of the
    user's own among the temporary files takes their place. A value that is set already
    stays.

    Examples
    --------
    >>> provide_numba_cache()
    """
    if os.environ.get("NUMBA_CACHE_DIR") or any(map(_is_writable, _numba_folders())):
        return
    try:
        os.environ["NUMBA_CACHE_DIR"] = str(_own_temporary_folder())
    except OSError:
        return  # numba says what it lacks


def _numba_folders() -> list[Path]:
    """Where numba would keep its code: beside the package, or in the user's cache."""
    spec = find_spec("tangermeme")
    beside = [Path(spec.origin).parent] if spec and spec.origin else []
    user = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return [*beside, Path(user, "numba")]


def _is_writable(folder: Path) -> bool:
    if not folder.is_absolute():  # of a user without a home
        return False
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _own_temporary_folder() -> Path:
    """The same for every process of a user; numba runs what it finds there."""
    folder = Path(tempfile.gettempdir()) / f"numba-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    if status.st_uid == os.getuid() and status.st_mode & 0o077 == 0:
        return folder
    return Path(tempfile.mkdtemp(prefix="numba-"))
