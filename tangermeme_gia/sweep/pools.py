"""Where the tasks of a sweep are done: in this process, or by the workers of Dask."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple, Protocol

from .perform import Job, Outcome, perform


class Event(NamedTuple):
    """That a task runs (no outcome yet), or what has become of it."""

    task: str
    worker: str
    outcome: Outcome | None = None


class PoolLost(RuntimeError):
    """The workers are gone, and what they had not finished with them."""


class Pool(Protocol):
    """Does jobs, in whatever order."""

    def events(self, jobs: Iterable[Job]) -> Iterator[Event]:
        """Each job's start and its outcome, as they come; raises `PoolLost`."""

    def stop(self) -> None:
        """End what runs, at once."""


class ThisProcess:
    """Does one job after the other here."""

    name = "this process"

    def events(self, jobs: Iterable[Job]) -> Iterator[Event]:
        """Each job's start and its outcome."""
        for job in jobs:
            yield Event(job.name, self.name)
            yield Event(job.name, self.name, perform(job, self.name))

    def stop(self) -> None:
        """There is nothing left to end."""
