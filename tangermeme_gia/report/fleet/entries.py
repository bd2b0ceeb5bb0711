"""What a page of many models knows of each of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..store import REPORT, finished_report

# What no report beside a page of many may be called, in small letters.
TAKEN = ("figures", "tables", "results", "index.html", REPORT)
STATES = ("finished", "running", "waiting", "failed")
_TEXTS = ("name", "group", "error")
# Columns of the table that no number or word of a model can be called.
FIXED = ("name", "group", "state", "error")


@dataclass(frozen=True)
class Entry:
    """One model, or one task about it, on a page of many.

    Parameters
    ----------
    name: str
        What it is called; distinct within its group.

    group: str, optional
        What replicates and folds of one thing share; "" is none. Default is "".

    folder: Path or None, optional
        Where its page is, inside the folder of the page of many; None if it has none.
        Default is None.

    headline: mapping of str to numbers and words, optional
        What `report.json` calls so, or the metrics of a training, such as `pearson`. An
        interval is in `NAME_low` and `NAME_high`. Default is none.

    state: str, optional
        "finished", "running", "waiting" or "failed". Default is "finished".

    error: str, optional
        Why it failed, in one line. Default is "".

    Raises
    ------
    ValueError, TypeError
        If it has no name, there is no such state, a name of the headline is that of
        another column, or a value is neither a number nor a word.

    Examples
    --------
    >>> Entry("A1CF, fold 1", "A1CF", headline={"pearson": 0.72}).label
    'A1CF, fold 1'
    >>> Entry("fold 1", "A1CF").label
    'A1CF: fold 1'
    """

    name: str
    group: str = ""
    folder: Path | None = None
    headline: Mapping[str, Any] = field(default_factory=dict)
    state: str = "finished"
    error: str = ""

    def __post_init__(self) -> None:
        """Find out early what a page could not show."""
        if self.state not in STATES:
            raise ValueError(
                f"`state`={self.state!r} of {self.name} must be one of "
                f"{', '.join(STATES)}."
            )
        if not self.name.strip():
            raise ValueError("`name` must have letters.")
        for name, value in self.headline.items():
            if name in FIXED:
                raise ValueError(
                    f"`headline` of {self.name} has {name!r}, which is another column "
                    "of the table."
                )
            if not _can_be_shown(value):
                raise TypeError(
                    f"`headline` of {self.name} has {name!r} of type "
                    f"{type(value).__name__}; it must be a word or a number that a "
                    "float can hold."
                )

    @property
    def label(self) -> str:
        """Its name, with its group unless that begins the name."""
        told = not self.group or self.name.startswith(self.group)
        return self.name if told else f"{self.group}: {self.name}"


def _can_be_shown(value: Any) -> bool:
    if not isinstance(value, Real):
        return value is None or isinstance(value, str)
    try:
        float(value)
    except OverflowError:
        return False
    return True


def report_entry(
    folder: str | os.PathLike[str], *, name: str | None = None, group: str = ""
) -> Entry:
    """What does a finished report say, for a page of many?

    Parameters
    ----------
    folder: str or path-like
        Where the report is.

    name: str or None, optional
        What to call the model; None is its name in the report. Default is None.

    group: str, optional
        What its replicates share. Default is "", none.

    Returns
    -------
    entry: Entry
        With the main numbers of the report, and its output if one was chosen.

    Raises
    ------
    ValueError
        If the folder holds no finished report, or one that no page could show.

    Examples
    --------
    >>> report_entry("nowhere")
    Traceback (most recent call last):
    ValueError: `folder`: nowhere holds no finished report.
    """
    held = finished_report(Path(folder))
    own, headline, output = (held.get(k) for k in ("name", "headline", "output"))
    if not isinstance(own, str) or not isinstance(headline, dict):
        raise ValueError(f"`folder`: {folder} holds no finished report.")
    chosen = {} if output is None else {"output": _in_words(output)}
    try:
        return Entry(name or own, group, Path(folder), {**chosen, **headline})
    except (TypeError, ValueError) as error:
        raise ValueError(f"`folder`: the report in {folder}: {error}") from error


def _in_words(output: Any) -> str:
    """An output as `--target` takes it."""
    return ",".join(map(str, output)) if isinstance(output, list) else str(output)


def readable(entry: Entry) -> Entry:
    """The entry in letters that a file can hold; names of files may have other bytes.

    Examples
    --------
    >>> readable(Entry("m", error="no file \\udcff.pt")).error
    'no file \\\\udcff.pt'
    """
    headline = {_in_letters(k): _in_letters(v) for k, v in entry.headline.items()}
    texts = {name: _in_letters(getattr(entry, name)) for name in _TEXTS}
    return replace(entry, headline=headline, **texts)


def _in_letters(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return value.encode(errors="backslashreplace").decode()


def check_entries(entries: Sequence[Entry], root: Path) -> None:
    """That no two are the same, and every page can be led to.

    Raises
    ------
    ValueError
        If two of a group have one name, or a folder is not inside `root`.
    """
    counts = Counter((entry.group, entry.name) for entry in entries)
    for (group, name), n in counts.items():
        if n > 1:
            where = f" in the group {group}" if group else ""
            raise ValueError(f"`entries` has {n} of the name {name}{where}.")
    top = root.resolve()
    for entry in entries:
        if entry.folder is not None and not entry.folder.resolve().is_relative_to(top):
            raise ValueError(f"`entries`: {entry.folder} is not inside {root}.")


def link_to(entry: Entry, root: Path) -> str:
    """Where its page is, as a link from the page of many; "" if there is none yet."""
    if entry.folder is None or not (entry.folder / "index.html").is_file():
        return ""
    inside = entry.folder.resolve().relative_to(root.resolve()).as_posix()
    return f"./{quote(inside)}/index.html"  # a name may hold a colon or a blank
