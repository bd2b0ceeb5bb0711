"""Tasks on the workers of Dask: a cluster on this machine, or one that runs already.

The scheduling is Dask's. What is added is that a task whose worker died is done again,
that one which kills its workers is told from those that were beside it, and that no
worker with another version of this package takes part.
"""

from __future__ import annotations

import logging
import os
import queue
import secrets
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import dask
from distributed import Client, KilledWorker, LocalCluster, get_worker

from .perform import OTHER_VERSION, Job, Outcome, perform
from .pools import Event, PoolLost

# How often a task is given to another worker after its own has died.
_MOST_TRIES = 3
# Jobs that the scheduler knows of at a time: enough that no worker ever waits.
_AHEAD, _FEWEST_AHEAD = 4, 200
_LOOK_AGAIN = 5.0
_TOPIC = "tangermeme-gia sweep"
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
_log = logging.getLogger("tangermeme_gia.sweep")


def threads_of(workers: int) -> int:
    """Threads of each of several workers of this machine, so that none waits.

    No more than `OMP_NUM_THREADS` says, where it is set.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    share = max(1, (cores or os.cpu_count() or 1) // workers)
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(share, int(asked)) if asked.isdecimal() and int(asked) else share


def quieten() -> None:
    """Let Dask not tell of each worker that comes and goes: the ledger does."""
    for name in logging.root.manager.loggerDict:
        if name.partition(".")[0] in ("distributed", "bokeh", "tornado"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def on_worker(job: Job, topic: str) -> Outcome:
    """Do a job on a worker of Dask, and say when it begins."""
    worker = get_worker()
    worker.log_event(topic, {"task": job.name, "by": str(worker.name)})
    if job.threads is None:  # a worker that somebody else has started
        job = job._replace(threads=max(1, worker.state.nthreads))
    number = worker.name if isinstance(worker.name, int) else 0
    return perform(job, str(worker.name), number)


def has_version() -> Any:
    """A function that says which version a worker has, also one that has none.

    It is sent as code, as a function that is defined in another is.
    """

    def version(name: str) -> str:
        from importlib.metadata import PackageNotFoundError
        from importlib.metadata import version as installed

        try:
            return installed(name)
        except PackageNotFoundError:
            return "none"

    return version


class OnDask:
    """Does jobs on the workers of a client.

    Parameters
    ----------
    client: distributed.Client
        Of any cluster.

    version: str
        Of this package, which workers must have.
    """

    def __init__(self, client: Any, version: str) -> None:
        self.client, self._version = client, version
        self._queue: queue.Queue[Any] = queue.Queue()
        self._topic = f"{_TOPIC} {secrets.token_hex(4)}"
        self._usable: dict[str, bool] = {}
        self._looked = -_LOOK_AGAIN
        self._running: dict[Any, tuple[Job, int]] = {}
        self._alone: deque[Job] = deque()
        self._done: set[str] = set()

    def events(self, jobs: Iterable[Job]) -> Iterator[Event]:
        """Each job's start and its outcome, as they come."""
        waiting = iter(jobs)
        # Handlers run on the client's own thread.
        self.client.subscribe_topic(
            self._topic, lambda event: self._queue.put(event[1])
        )
        self._look_at_workers()
        is_more = True
        while True:
            ahead = max(_FEWEST_AHEAD, _AHEAD * len(self._usable))
            while is_more and len(self._running) < ahead:
                job = next(waiting, None)
                is_more = job is not None
                if job is not None:
                    self._submit(job, 1)
            if not self._running and self._alone:
                self._submit(self._alone.popleft(), _MOST_TRIES)
            if not self._running:
                return
            yield from self._next_events()

    def _next_events(self) -> Iterator[Event]:
        """What comes next; nothing if a second passes without."""
        try:
            met = self._queue.get(timeout=1)
        except queue.Empty:
            self._check()
            return
        if isinstance(met, dict):
            if met["task"] not in self._done:
                yield Event(met["task"], met["by"])
            return
        job, tries = self._running.pop(met)
        outcome = self._outcome(met, job, tries)
        if outcome is not None:
            self._done.add(job.name)
            yield Event(job.name, outcome.worker, outcome)

    def _submit(self, job: Job, tries: int) -> None:
        good = [address for address, usable in self._usable.items() if usable]
        only = good if len(good) < len(self._usable) else None
        future = self.client.submit(
            on_worker,
            job,
            self._topic,
            key=f"{job.name}-{secrets.token_hex(4)}",
            workers=only,
            pure=False,
        )
        self._running[future] = job, tries
        future.add_done_callback(self._queue.put)

    def _outcome(self, future: Any, job: Job, tries: int) -> Outcome | None:
        """That of a job; None if it is to be done again."""
        if future.status == "finished":
            outcome: Outcome = future.result()
            if outcome.state != OTHER_VERSION:
                return outcome
            self._look_at_workers()
            return self._again(job, tries, Outcome("failed", error=outcome.error))
        if self.client.status != "running" or future.status in ("cancelled", "lost"):
            self._check()
            return self._again(job, tries, Outcome("failed", error="it was cancelled"))
        error = future.exception()
        if isinstance(error, KilledWorker):
            text = (
                f"its worker died (killed, or out of memory) {_MOST_TRIES} times, the "
                "last time with no other task beside it"
            )
            # The guilty one, or one that was beside it.
            if tries == _MOST_TRIES - 1:
                self._alone.append(job)
                return None
            return self._again(job, tries, Outcome("failed", error=text))
        self._look_at_workers()
        said = f"{type(error).__name__}: {' '.join(str(error).split())}"
        return self._again(job, tries, Outcome("failed", error=said))

    def _again(self, job: Job, tries: int, otherwise: Outcome) -> Outcome | None:
        if tries >= _MOST_TRIES:
            return otherwise
        self._submit(job, tries + 1)
        return None

    def _check(self) -> None:
        """Raise if the scheduler is gone; look at workers that have come."""
        if self.client.status != "running":
            raise PoolLost(f"the scheduler at {self.client.scheduler.address} is gone")
        if time.monotonic() - self._looked > _LOOK_AGAIN:
            self._look_at_workers()

    def _look_at_workers(self) -> None:
        """Use those that have this version of the package, and name the others."""
        self._looked = time.monotonic()
        try:
            there = list(self.client.nthreads())
            new = [address for address in there if address not in self._usable]
            versions = (
                self.client.run(
                    has_version(), "tangermeme-gia", workers=new, on_error="return"
                )
                if new
                else {}
            )
        except (OSError, TimeoutError) as error:
            raise PoolLost(f"the scheduler does not answer: {error}") from error
        usable = {address: v == self._version for address, v in versions.items()}
        self._usable = {a: u for a, u in self._usable.items() if a in there} | usable
        wrong = sorted({str(v) for v in versions.values() if v != self._version})
        if wrong:
            _log.warning(
                "%d of %d workers are left out: they have tangermeme-gia %s, not %s",
                sum(not u for u in usable.values()),
                len(self._usable),
                ", ".join(wrong),
                self._version,
            )
        if self._usable and not any(self._usable.values()):
            raise PoolLost(f"no worker has tangermeme-gia {self._version}")

    def stop(self) -> None:
        """Take back what has not begun; what runs on another's cluster ends there."""
        if self.client.status == "running":
            self.client.cancel(list(self._running), force=True)


class LocalPool(OnDask):
    """Does jobs in processes of this machine, which end with this one.

    Parameters
    ----------
    workers: int
        How many processes.

    version: str
        Of this package.

    memory_limit: str or None
        What each may use before it is ended, such as "8GB"; None is its share of the
        machine's memory.
    """

    def __init__(self, workers: int, version: str, memory_limit: str | None) -> None:
        quieten()
        settings = {
            # How often a task may kill its worker is counted here.
            "distributed.scheduler.allowed-failures": 0,
            # Workers keep no results, so that waiting would free no memory.
            "distributed.worker.memory.target": False,
            "distributed.worker.memory.spill": False,
            "distributed.worker.memory.pause": False,
            "distributed.worker.memory.terminate": 0.95,
            "distributed.nanny.pre-spawn-environ": dict.fromkeys(
                _THREAD_VARIABLES, str(threads_of(workers))
            ),
        }
        with dask.config.set(settings):
            self._cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                memory_limit=memory_limit or "auto",
                dashboard_address=":0",
                silence_logs=logging.CRITICAL,
            )
        super().__init__(Client(self._cluster), version)

    def close(self) -> None:
        """End the processes; what they were to do is done, or not wanted any more."""
        with suppress(TimeoutError):
            self.client.close(timeout=2)
        try:
            self._cluster.close(timeout=5)
        except TimeoutError:  # of a busy machine
            self.stop()
            with suppress(TimeoutError):
                self._cluster.close(timeout=5)

    def stop(self) -> None:
        """End the processes at once, whatever they do."""
        for nanny in self._cluster.workers.values():
            nanny.auto_restart = False
            if nanny.pid:
                with suppress(ProcessLookupError):
                    os.kill(nanny.pid, signal.SIGKILL)


@contextmanager
def connected(client: Any) -> Iterator[Any]:
    """A client as it is given, or one of the scheduler at an address, closed after.

    Raises
    ------
    ConnectionError
        If there is no scheduler at the address.
    """
    if not isinstance(client, str):
        yield client
        return
    quieten()
    try:
        own = Client(client, timeout=20)
    except (OSError, TimeoutError, ValueError) as error:
        raise ConnectionError(
            f"`--scheduler`={client!r}: no scheduler of Dask answers there: {error}"
        ) from error
    try:
        yield own
    finally:
        own.close(timeout=2)
