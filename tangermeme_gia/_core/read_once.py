"""Files that are read once by a process, however many tasks ask for them."""

from __future__ import annotations

import functools
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

_Given = ParamSpec("_Given")
_Read = TypeVar("_Read")
# Of each function, the last few: rows of a sweep share files with those beside them.
_MOST = 2


def read_once(function: Callable[_Given, _Read]) -> Callable[_Given, _Read]:
    """Let a reader give again what it has read, while its files are as they were.

    What is given is shared, so that nobody may change it. Files are known by path,
    size, time and place on the disk; every argument that is a path of one is looked at.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> @read_once
    ... def text_of(path):
    ...     return [path.read_text()]
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.txt")
    ...     _ = path.write_text("one")
    ...     first, again = text_of(path), text_of(path)
    ...     _ = path.write_text("another")
    ...     first is again, text_of(path)
    (True, ['another'])
    """
    known: OrderedDict[Hashable, _Read] = OrderedDict()

    @functools.wraps(function)
    def read(*args: _Given.args, **kwargs: _Given.kwargs) -> _Read:
        key = tuple(map(_identity, [*args, *sorted(kwargs.items())]))
        if key not in known:
            known[key] = function(*args, **kwargs)
            while len(known) > _MOST:
                known.popitem(last=False)
        known.move_to_end(key)
        return known[key]

    return read


def _identity(value: Any) -> Hashable:
    """What tells an argument from others; a file by what the disk says of it."""
    if isinstance(value, tuple):
        return tuple(map(_identity, value))
    if isinstance(value, (str, os.PathLike)) and os.path.isfile(value):
        found = os.stat(value)
        place = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
        return (str(Path(value).absolute()), *place)
    return repr(value)
