"""What a sweep is made of: tasks that say by words and paths what is to be done."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

# Bytes of a task's name in that of its folder: file systems take 255.
_LONGEST = 100
# No file or folder of Windows can be called so, with whatever ending.
_DEVICES_OF_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.I)


@dataclass(frozen=True)
class Task:
    """One thing to do, which needs no other task.

    Parameters
    ----------
    name: str
        What to call it; each task of a sweep has another.

    work: str
        The function that does it, as "package.module:function". A worker imports it
        and calls ``function(folder, **options)`` with the folder of the task; what it
        returns is a `Done`, or None.

    options: mapping
        Its keywords: text, numbers, lists and mappings, never a model. A worker reads
        models and sequences by their names and paths.

    group: str, optional
        What replicates and folds have in common. Default is that there is nothing.

    labels: mapping of str to str, optional
        What else is known of it, which stands in the tables. Default is nothing.

    Raises
    ------
    ValueError
        If the name is empty or holds what cannot be printed, or `work` names no
        function.

    TypeError
        If the options are not what JSON can hold.

    Examples
    --------
    >>> task = Task("K562", "mylab.nets:evaluate", {"model": "K562.pt"})
    >>> task.key == Task("K562", "mylab.nets:evaluate", {"model": "K562.pt"}).key
    True
    """

    name: str
    work: str
    options: Mapping[str, Any] = field(default_factory=dict)
    group: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable():
            raise ValueError(f"`name`={self.name!r} must be letters that can be read.")
        if not re.fullmatch(r"[\w.]+:\w+", self.work):
            raise ValueError(f"`work`={self.work!r} must be 'package.module:function'.")
        try:
            json.dumps(dict(self.options), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"`options` of {self.name} must be text, numbers, lists and mappings, "
                f"such as paths and names of models: {error}."
            ) from error

    @property
    def key(self) -> str:
        """The same for tasks that ask for the same."""
        said = json.dumps([self.work, dict(self.options)], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()[:16]


class Done(NamedTuple):
    """What a task's function says when it is done.

    Parameters
    ----------
    headline: mapping, optional
        Its main numbers and words, by name; an interval of `NAME` is `NAME_low` and
        `NAME_high`. Default is none.

    reused: bool, optional
        Whether the results were there, and are those that would come out again.
        Default is False.
    """

    headline: Mapping[str, Any] = {}
    reused: bool = False


def nothing(folder: Path) -> None:
    """A task that does nothing, which shows what a task costs."""


def check_tasks(tasks: Sequence[Task]) -> None:
    """Raise where two tasks have one name, or there are none.

    Examples
    --------
    >>> check_tasks([Task("a", "m:f"), Task("a", "m:g")])
    Traceback (most recent call last):
    ValueError: `tasks`: a is the name of 2 tasks; each needs one of its own.
    """
    if not tasks:
        raise ValueError("`tasks` is empty; at least one is needed.")
    counts = Counter(task.name for task in tasks)
    repeated = [name for name, n in counts.items() if n > 1]
    if repeated:
        more = f" (and {len(repeated) - 1} more)" if len(repeated) > 1 else ""
        raise ValueError(
            f"`tasks`: {repeated[0]} is the name of {counts[repeated[0]]} tasks{more}; "
            "each needs one of its own."
        )


def folders_of(names: Iterable[str], taken: Mapping[str, str]) -> dict[str, str]:
    """A folder for each name: the one it has had, or else a new one of its own.

    Parameters
    ----------
    names: iterable of str
        Of tasks.

    taken: mapping of str to str
        Folders by the names that have them.

    Examples
    --------
    >>> folders_of(["K562", "k562", "a b"], {"K562": "K562"})
    {'K562': 'K562', 'k562': 'k562-2', 'a b': 'a-b'}
    """
    # Some file systems tell neither cases nor composed letters apart.
    used = {folder.casefold() for folder in taken.values()}
    folders = {}
    for name in names:
        if name not in taken:
            plain = _plain(name)
            number, folder = 1, plain
            while folder.casefold() in used:
                number += 1
                folder = f"{plain}-{number}"
            used.add(folder.casefold())
        else:
            folder = taken[name]
        folders[name] = folder
    return folders


def _plain(name: str) -> str:
    """A name in letters that every file system takes."""
    composed = unicodedata.normalize("NFC", name)
    plain = re.sub(r"[^\w.-]+", "-", composed).strip("-.")
    short = plain.encode()[:_LONGEST].decode(errors="ignore") or "task"
    return f"task-{short}" if _DEVICES_OF_WINDOWS.match(short) else short
