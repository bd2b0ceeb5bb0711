"""Which files of a folder a report has written, and may remove."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from .._core.storage import only_one, write_atomically

# Beside the page, what was written with it.
LIST = ".written.json"
_LOCK = ".report.lock"


@contextmanager
def one_writer(root: Path) -> Iterator[None]:
    """Keep every other report, of one model or of many, out of a folder.

    Raises
    ------
    ValueError
        If one is being written there.
    """
    otherwise = ValueError(
        f"another report is being written to {root}; wait until it is finished, or "
        "choose another folder."
    )
    with only_one(root / _LOCK, otherwise):
        yield


class Written:
    """The files that a report, of one model or of many, has written into a folder.

    Files of others, and those that have been changed since, are not among them.

    Parameters
    ----------
    root: Path
        The folder.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     root = Path(folder)
    ...     with Written(root).writing(["page.html"]):
    ...         _ = (root / "page.html").write_text("mine")
    ...     _ = (root / "notes.txt").write_text("the user's")
    ...     Written(root).remove()
    ...     [path.name for path in root.iterdir()]
    ['notes.txt']
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        # Checksums by name; none of a file that was being written.
        self._files = _read(root / LIST)

    @property
    def unchanged(self) -> bool:
        """Whether all of them are there as they were written."""
        return bool(self._files) and all(
            held is not None and held == _checksum(self.root / name)
            for name, held in self._files.items()
        )

    def remove(self, but: Collection[str] = ()) -> None:
        """Remove those that are as they were written, and forget all, but some."""
        for name, held in self._files.items():
            path = self.root / name
            if name not in but and held in (None, _checksum(path)):
                path.unlink(missing_ok=True)
        self._files = {k: held for k, held in self._files.items() if k in but}
        if self._files:
            self._note({})
        else:
            (self.root / LIST).unlink(missing_ok=True)

    @contextmanager
    def writing(self, names: Iterable[str]) -> Iterator[None]:
        """Write these files meanwhile."""
        names = list(names)
        self._note(dict.fromkeys(names))
        yield
        self._note({name: _checksum(self.root / name) for name in names})

    def _note(self, files: dict[str, str | None]) -> None:
        self._files |= files
        self.root.mkdir(parents=True, exist_ok=True)
        write_atomically(self.root / LIST, json.dumps(self._files, indent=1).encode())


def _read(path: Path) -> dict[str, str | None]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    if not isinstance(held, dict):
        return {}
    return {name: value for name, value in held.items() if _is_inside(name)}


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts


def _checksum(path: Path) -> str | None:
    if not path.is_file():
        return None
    return hashlib.sha256(path.read_bytes()).hexdigest()
