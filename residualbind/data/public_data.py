"""Download of the public RNAcompete tables, with checksums."""

from __future__ import annotations

import importlib
import logging
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tangermeme_gia._core.storage import write_atomically

logger = logging.getLogger(__name__)

# Supplementary site of Ray et al., Nature 499:172 (2013).
RAY2013_URL = "http://hugheslab.ccbr.utoronto.ca/supplementary-data/RNAcompete_eukarya/"
# Normalised scores of the 244 experiments, for `read_ray2013`.
RAY2013_FILES = ("norm_data.txt.gz",)
CHECKSUMS = "checksums.txt"

_TIMEOUT_SECONDS = 60
_PLAIN_NAME = re.compile(r"\w[\w .+-]*", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}")


def download(
    folder: str | Path,
    files: str | Sequence[str] = RAY2013_FILES,
    *,
    base_url: str = RAY2013_URL,
    known_hash: Mapping[str, str] | None = None,
    progress: bool = True,
) -> list[Path]:
    """Fetch the public RNAcompete tables, once.

    Files that are there already are checked and kept, so that a call that was
    interrupted goes on with those that are missing. A download goes to a temporary
    file and is moved into place only when it is complete and its checksum is right.

    What is checked: the site publishes no checksums, and this package ships none. The
    SHA-256 of a file without one in `known_hash` is recorded in `checksums.txt` beside
    it the first time it is seen, and every later call compares with that record. This
    finds later changes and damage; it cannot tell whether the first copy was right.
    `sha256sum -c checksums.txt` reads the same record. Needs pooch:
    `pip install "tangermeme-gia[download]"`.

    Parameters
    ----------
    folder: str or Path
        Where the files go; made if it is not there.

    files: str or sequence of str, optional
        Names of files under `base_url`. Default is the normalised table of Ray et al.
        (2013), "norm_data.txt.gz", for `read_ray2013`.

    base_url: str, optional
        Address of the folder of the files. Default is the supplementary site of Ray et
        al. (2013).

    known_hash: mapping of str to str or None, optional
        SHA-256 of files, in hexadecimal, by name; it is used instead of the record.
        Default is None.

    progress: bool, optional
        Whether to show a progress bar on stderr. Default is True.

    Returns
    -------
    paths: list of Path
        The files, in the order asked for.

    Raises
    ------
    ValueError
        If a checksum is wrong: the download is removed, or, if the file was there
        before, it is left as it is. Also if a name or a hash is not of its form.
    ConnectionError
        If a file cannot be fetched, for instance because it is not there (HTTP 404).
    ImportError
        If pooch is not installed.

    Examples
    --------
    A file that is there already is only checked:

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "norm_data.txt.gz").write_bytes(b"fetched before")
    ...     _ = download(folder)
    ...     Path(folder, "checksums.txt").read_text()[-19:]
    '  norm_data.txt.gz\\n'
    """
    names = [files] if isinstance(files, str) else list(files)
    known = {name: value.lower() for name, value in (known_hash or {}).items()}
    _check_arguments(names, known)
    pooch = _import_pooch()
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    recorded = _read_checksums(folder / CHECKSUMS)
    for name in names:
        expected = known.get(name, recorded.get(name))
        path = folder / name
        if path.exists():
            found = _check_present(pooch, path, expected)
        else:
            url = f"{base_url.rstrip('/')}/{name}"
            found = _fetch(pooch, url, path, expected, progress)
        if recorded.get(name) != found:
            recorded[name] = found
            _write_checksums(folder / CHECKSUMS, recorded)
    return [folder / name for name in names]


def _check_arguments(names: Sequence[str], known: Mapping[str, str]) -> None:
    for name in names:
        if not _PLAIN_NAME.fullmatch(name) or name == CHECKSUMS:
            raise ValueError(
                f"`files` holds {name!r}; give plain file names, without a folder, and "
                f"not {CHECKSUMS!r}."
            )
    for name, value in known.items():
        if name not in names:
            raise ValueError(f"`known_hash` names {name!r}, which is not in `files`.")
        if not _SHA256.fullmatch(value):
            raise ValueError(
                f"`known_hash` of {name!r} is {value!r}, not a SHA-256 (64 hexadecimal "
                "digits)."
            )


def _import_pooch() -> Any:
    try:
        return importlib.import_module("pooch")
    except ImportError as error:
        raise ImportError(
            'downloading needs pooch: pip install "tangermeme-gia[download]"'
        ) from error


def _check_present(pooch: Any, path: Path, expected: str | None) -> str:
    found = str(pooch.file_hash(str(path)))
    if expected is not None and found != expected:
        raise ValueError(
            f"{path} has SHA-256 {found}, expected {expected}: it was changed or is "
            "incomplete. Delete it to download it again."
        )
    logger.info("%s is there already", path)
    return found


def _fetch(
    pooch: Any, url: str, path: Path, expected: str | None, progress: bool
) -> str:
    """Download to a temporary file beside `path`, check it, move it into place."""
    requests = importlib.import_module("requests")  # which pooch downloads with
    fetch = pooch.HTTPDownloader(progressbar=progress, timeout=_TIMEOUT_SECONDS)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    logger.info("downloading %s", url)
    try:
        fetch(url, str(temporary), None)
        found = str(pooch.file_hash(str(temporary)))
        if expected is not None and found != expected:
            raise ValueError(
                f"{url} has SHA-256 {found}, expected {expected}: it is not the file "
                "asked for, or was damaged on its way. The download was removed."
            )
        temporary.replace(path)
    except requests.exceptions.RequestException as error:
        raise ConnectionError(
            f"{url} could not be downloaded: {error}. Check `files` and `base_url`."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return found


def _read_checksums(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    recorded = {}
    for number, line in enumerate(
        path.read_text(encoding="utf-8-sig").splitlines(), start=1
    ):
        value, _, name = line.partition("  ")
        if not _SHA256.fullmatch(value) or not name:
            raise ValueError(
                f"{path}, line {number}: {line!r} is not 'SHA-256  file name'."
            )
        recorded[name] = value
    return recorded


def _write_checksums(path: Path, recorded: Mapping[str, str]) -> None:
    lines = [f"{value}  {name}\n" for name, value in sorted(recorded.items())]
    write_atomically(path, "".join(lines).encode())
