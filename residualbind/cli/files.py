"""Are the files and folders that a command names as it needs them?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tangermeme_gia._core.command_line import check_files


def check_inputs(**options: Iterable[str | Path | None]) -> None:
    """Raise a FileNotFoundError that names every missing file, and its option.

    Examples
    --------
    >>> check_inputs(data=["no.txt", "none.txt"])
    Traceback (most recent call last):
    FileNotFoundError: `--data`: no.txt, none.txt: no such file.
    """
    for name, paths in options.items():
        given = [Path(path) for path in paths if path is not None]
        missing = [str(path) for path in given if not path.exists()]
        if missing:
            raise FileNotFoundError(f"`--{name}`: {', '.join(missing)}: no such file.")
        for path in given:
            if path.is_dir():
                raise IsADirectoryError(f"`--{name}`: {path} is a folder.")


def check_outputs(
    inputs: Iterable[str | Path | None] = (), **options: Path | None
) -> None:
    """Raise an error unless these files can be written, each once and over no input.

    Examples
    --------
    >>> check_outputs(inputs=["probes.tsv"], out=Path("probes.tsv"))
    Traceback (most recent call last):
    ValueError: `--out`: probes.tsv is read, too; give another file.
    """
    check_files(**options)
    read = {Path(path).resolve() for path in inputs if path is not None}
    for name, path in options.items():
        if path is not None and path.resolve() in read:
            raise ValueError(f"`--{name}`: {path} is read, too; give another file.")
