"""The ledger of a sweep: what is asked, running, finished and failed; one line each.

Lines are only ever added, by one process. What a line says is read from the last of its
task, and a line that was not written to its end says nothing.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd

from .._core.storage import write_atomically
from .lease import Lease
from .tasks import Task, folders_of

FILE = "ledger.jsonl"
COLUMNS = ("task", "group", "state", "seconds", "worker", "reused", "error", "folder")
WAITING, RUNNING, FINISHED, FAILED = STATES = (
    "waiting",
    "running",
    "finished",
    "failed",
)
# No longer asked for; what it has written is left alone.
_DROPPED = "dropped"
Entry = dict[str, Any]


class Ledger:
    """Keeps the ledger of a folder, and every other driver out of it.

    Parameters
    ----------
    folder: Path
        Of the sweep; made where it is missing.

    Raises
    ------
    LeaseError
        If another sweep writes there.

    ValueError
        If the folder holds a ledger that is not one.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lease = Lease(folder)

    def __enter__(self) -> Ledger:
        self._lease.__enter__()
        try:
            self.tasks = read_entries(self.folder)
            self._end_last_line()
            self._file = (self.folder / FILE).open("ab", buffering=0)
        except BaseException:
            self._lease.__exit__()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._lease.__exit__(kind, error, trace)

    def ask(self, tasks: Sequence[Task]) -> dict[str, Path]:
        """Note what is to be done now; the folder of each task.

        A task that asks for something else than before, and one that was running when
        its driver ended, wait again; tasks that are not asked for any more are dropped.
        """
        had = {name: entry["folder"] for name, entry in self.tasks.items()}
        folders = folders_of([task.name for task in tasks], had)
        asked = {task.name for task in tasks}
        lines = []
        for task in tasks:
            known = self.tasks.get(task.name, {})
            said = {"key": task.key, "group": task.group, "labels": dict(task.labels)}
            as_before = {**known, **said} == known
            if not as_before or known["state"] not in (FINISHED, FAILED, WAITING):
                folder = folders[task.name]
                lines.append(_line(task.name, WAITING, folder=folder, **said))
        gone = [n for n, e in self.tasks.items() if e["state"] != _DROPPED]
        lines += [_line(name, _DROPPED) for name in gone if name not in asked]
        self._append(lines)
        return {name: self.folder / "tasks" / folders[name] for name in asked}

    def note(self, task: str, state: str, **said: Any) -> None:
        """Add what has become of a task; on the disk when this returns."""
        self._append([_line(task, state, **said)])

    def _append(self, lines: Sequence[Entry]) -> None:
        if not lines:
            return
        self._lease.check()
        text = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines)
        end = os.fstat(self._file.fileno()).st_size
        data = text.encode()
        try:
            while data:
                data = data[self._file.write(data) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self._file.truncate(end)
            raise OSError(
                error.errno,
                f"the ledger cannot be written ({error.strerror}): make room and run "
                "the same command again, which goes on from here",
                str(self.folder / FILE),
            ) from error
        for line in lines:
            _take(self.tasks, line)

    def _end_last_line(self) -> None:
        """Cut off what a driver that was killed had only begun to write."""
        path = self.folder / FILE
        content = path.read_bytes() if path.exists() else b""
        if content and not content.endswith(b"\n"):
            write_atomically(path, content[: content.rfind(b"\n") + 1])


def _line(task: str, state: str, **said: Any) -> Entry:
    return {"task": task, "state": state, "time": round(time.time(), 3), **said}


def _take(tasks: dict[str, Entry], line: Entry) -> None:
    """Let the entry of a task say what a line says."""
    entry = tasks.setdefault(line["task"], {})
    if line["state"] in (WAITING, RUNNING):  # of another run
        for name in ("seconds", "worker", "reused", "error", "headline"):
            entry.pop(name, None)
    entry.update(line)


def read_entries(folder: Path) -> dict[str, Entry]:
    """What the ledger of a folder says of each task, by name.

    Raises
    ------
    ValueError
        If a whole line of it is not one of a ledger.
    """
    path = folder / FILE
    tasks: dict[str, Entry] = {}
    content = path.read_bytes() if path.exists() else b""
    lines = content.split(b"\n")[:-1]  # what has no end yet says nothing
    for number, text in enumerate(lines, start=1):
        try:
            line = json.loads(text)
            known = line["task"] in tasks or "folder" in line
            if not known or line["state"] not in (*STATES, _DROPPED):
                raise ValueError("a task without a folder, or an unknown state")
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{path}, line {number} is damaged: {error}. Remove the line; its task "
                "is looked at again."
            ) from error
        _take(tasks, line)
    return tasks


def read_ledger(folder: str | os.PathLike[str]) -> pd.DataFrame:
    """How far is a sweep, which tasks have failed, and why?

    Parameters
    ----------
    folder: str or path-like
        Of the sweep, which may be running.

    Returns
    -------
    table: pandas.DataFrame
        A row for each task that is asked for, in the order of the table: `task`,
        `group`, `state` ("waiting", "running", "finished" or "failed"), `seconds` it
        took, `worker`, whether finished results were `reused`, the `error` of one that
        failed, and its `folder` below "tasks".

    Raises
    ------
    FileNotFoundError
        If there is no ledger.

    ValueError
        If it is damaged.

    Examples
    --------
    >>> read_ledger("nowhere")
    Traceback (most recent call last):
    FileNotFoundError: `folder`='nowhere' holds no ledger of a sweep (ledger.jsonl).
    """
    root = Path(folder)
    if not (root / FILE).exists():
        raise FileNotFoundError(
            f"`folder`={str(folder)!r} holds no ledger of a sweep ({FILE})."
        )
    return as_table(read_entries(root))


def as_table(entries: Mapping[str, Entry]) -> pd.DataFrame:
    """The entries of tasks that are asked for, a row each."""
    shown = [entry for entry in entries.values() if entry["state"] != _DROPPED]
    rows = [{name: entry.get(name) for name in COLUMNS} for entry in shown]
    table: pd.DataFrame = pd.DataFrame(rows, columns=list(COLUMNS))
    texts = ["group", "worker", "error"]
    table[texts] = table[texts].fillna("")
    return table
