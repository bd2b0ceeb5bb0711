"""Runs a sweep: each task once, whatever happens to workers, driver and disk."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from .._core.above import provided
from .._core.command_line import one_line
from .._core.progress import Update, progress
from .dataset import write_dataset
from .ledger import FAILED, FINISHED, RUNNING, Ledger, as_table
from .page import write_page
from .perform import Job
from .pools import Event, Pool, ThisProcess
from .tasks import Task, check_tasks

if TYPE_CHECKING:
    from distributed import Client

_log = logging.getLogger("tangermeme_gia.sweep")
# The page is written again while tasks finish, but not for most of the time.
_REDRAW, _SHARE = 30.0, 10


def run_sweep(
    tasks: Sequence[Task],
    out: str | os.PathLike[str],
    *,
    workers: int | None = None,
    client: Client | str | None = None,
    memory_limit: str | None = None,
    title: str = "Sweep",
    verbose: bool = False,
) -> pd.DataFrame:
    """What have hundreds of models learned, and is no number lost on the way?

    Does every task, in this process or on workers, and keeps a ledger of them. A task
    that fails stops no other. Run again, with the same folder, it does what is missing,
    and lets the others find out whether their results still hold.

    Parameters
    ----------
    tasks: sequence of Task
        What to do, each under a name of its own.

    out: str or path-like
        Folder of the sweep: `ledger.jsonl`, a folder below `tasks` for each task,
        `index.html` with all of them, and `dataset` with a table of each kind.

    workers: int or None, optional
        Processes of this machine (extra "cluster"), which share its threads and, where
        there are several, its GPUs. None is this process. Default is None.

    client: distributed.Client, str or None, optional
        In place of `workers`: a running cluster of Dask, or the address of its
        scheduler. Default is None.

    memory_limit: str or None, optional
        What each of the `workers` may use before it is ended, such as "8GB"; None is
        its share of the machine's memory. Default is None.

    title: str, optional
        Of the page. Default is "Sweep".

    verbose: bool, optional
        Whether to show a progress bar. Default is False.

    Returns
    -------
    table: pandas.DataFrame
        As `read_ledger`: a row for each task.

    Raises
    ------
    ValueError
        If there are no tasks, two have one name, or `workers` and `client` are given.

    ImportError
        If workers are asked for without the extra "cluster".

    LeaseError
        If another sweep writes to the folder.

    PoolLost
        If the scheduler is gone, or no worker can be used. What is finished is kept.

    OSError
        If the ledger cannot be written.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     table = run_sweep([Task("a", "tangermeme_gia.sweep.tasks:nothing")], folder)
    >>> table[["task", "state"]].to_numpy().tolist()
    [['a', 'finished']]
    """
    if workers is not None and client is not None:
        raise ValueError("`workers` and `client` exclude each other: give one.")
    if workers is not None and workers < 1:
        raise ValueError(f"`workers`={workers} must be at least 1.")
    check_tasks(tasks)
    root = Path(out)
    with Ledger(root) as ledger:
        folders = ledger.ask(tasks)
        with _pool(workers, client, memory_limit) as pool:
            jobs = _jobs(tasks, folders, workers)
            page = _Page(ledger, title)
            with progress(len(tasks), "tasks", verbose) as update:
                _follow(pool, jobs, ledger, page, update)
        page.write(going_on=False)
        write_dataset(root, ledger.tasks)
        return as_table(ledger.tasks)


def _follow(
    pool: Pool,
    jobs: Iterator[Job],
    ledger: Ledger,
    page: _Page,
    update: Update,
) -> None:
    """Note what happens until all is done."""
    n_failed = 0
    try:
        for event in pool.events(jobs):
            _note(ledger, event)
            if event.outcome is not None:
                if event.outcome.state == FAILED:
                    n_failed += 1
                    _log.info("%s failed: %s", event.task, event.outcome.error)
                update(1, {"failed": n_failed} if n_failed else None)
            page.write_sometimes()
    except BaseException:
        pool.stop()
        raise


def _note(ledger: Ledger, event: Event) -> None:
    outcome = event.outcome
    if outcome is None:
        ledger.note(event.task, RUNNING, worker=event.worker)
        return
    said = {name: value for name, value in outcome._asdict().items() if value}
    said.pop("state")
    if outcome.state == FINISHED:
        said |= {"headline": dict(outcome.headline), "reused": outcome.reused}
    ledger.note(event.task, outcome.state, **said)


def _jobs(
    tasks: Sequence[Task], folders: dict[str, Path], workers: int | None
) -> Iterator[Job]:
    threads, gpus = None, 0
    if workers is not None:
        import torch

        from .on_dask import threads_of

        threads, gpus = threads_of(workers), torch.cuda.device_count()
    for task in tasks:
        yield Job(
            name=task.name,
            work=task.work,
            options=dict(task.options),
            folder=str(folders[task.name].resolve()),
            directory=os.getcwd(),
            version=provided("version"),
            threads=threads,
            gpus=gpus,
        )


@contextmanager
def _pool(
    workers: int | None, client: Client | str | None, memory_limit: str | None
) -> Iterator[Pool]:
    """Where the tasks are done; what was started for it ends with it."""
    if workers is None and client is None:
        yield ThisProcess()
        return
    try:
        from .on_dask import LocalPool, OnDask, connected
    except ImportError as error:
        raise ImportError(
            "workers need the extra `cluster`: pip install 'tangermeme-gia[cluster]'; "
            "without `--workers` and `--scheduler` a sweep runs in this process"
        ) from error
    version = provided("version")
    if workers is not None:
        local = LocalPool(workers, version, memory_limit)
        _log.info("dashboard: %s", local.client.dashboard_link)
        try:
            yield local
        finally:
            local.close()
        return
    with connected(client) as joined:
        _log.info("dashboard: %s", joined.dashboard_link)
        yield OnDask(joined, version)


class _Page:
    """The page of the sweep, written while it runs."""

    def __init__(self, ledger: Ledger, title: str) -> None:
        self._ledger, self._title = ledger, title
        self._next = 0.0

    def write_sometimes(self) -> None:
        """Write it if it is time; what is wrong with a page stops no task."""
        if time.monotonic() < self._next:
            return
        try:
            self.write(going_on=True)
        except Exception as error:
            _log.warning("the page could not be written: %s", one_line(error))
            self._next = time.monotonic() + _REDRAW

    def write(self, going_on: bool) -> None:
        began = time.monotonic()
        write_page(self._ledger.folder, self._ledger.tasks, self._title, going_on)
        took = time.monotonic() - began
        self._next = time.monotonic() + max(_REDRAW, _SHARE * took)
