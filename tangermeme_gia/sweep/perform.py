"""What a worker does: one task, in its folder, with all that it says in a log."""

from __future__ import annotations

import json
import logging
import math
import os
import threading
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from pkgutil import resolve_name
from types import MappingProxyType
from typing import Any, NamedTuple

from .._core.above import provided
from .._core.command_line import USER_ERRORS, one_line
from .._core.progress import in_lines_off_terminals
from .tasks import Done

LOG = "log.txt"
_LOGGERS = ("tangermeme_gia", "residualbind")
# Threads of a worker share its stdout, folder and memory: one task at a time.
_alone = threading.Lock()


class Job(NamedTuple):
    """A task as it is sent to a worker: nothing but text and numbers."""

    name: str
    work: str
    options: dict[str, Any]
    folder: str
    directory: str
    version: str
    threads: int | None = None
    gpus: int = 0


class Outcome(NamedTuple):
    """What has become of a job."""

    state: str
    seconds: float = 0.0
    worker: str = ""
    error: str = ""
    reused: bool = False
    headline: Mapping[str, Any] = MappingProxyType({})


# The state of a job that was sent to a worker with another version of this package.
OTHER_VERSION = "other version"


def perform(job: Job, worker: str, number: int = 0) -> Outcome:
    """Do a task; whatever goes wrong is said, not raised.

    Parameters
    ----------
    job: Job
        The task.

    worker: str
        What the worker is called.

    number: int, optional
        Of the worker, which chooses one of several GPUs. Default is 0.
    """
    version = provided("version")
    if version != job.version:
        text = f"{worker} has tangermeme-gia {version}, not {job.version}"
        return Outcome(OTHER_VERSION, worker=worker, error=text)
    with _alone:
        began = time.monotonic()
        try:
            with _in_place(job, number):
                done = _call(job)
        except Exception as error:  # one of many tasks, whatever it is
            text = _in_words(error)
            return Outcome("failed", _since(began), worker, text)
        seconds, headline = _since(began), as_plain(done.headline)
        return Outcome("finished", seconds, worker, "", done.reused, headline)


def _call(job: Job) -> Done:
    folder = Path(job.folder)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOG).open("a", encoding="utf-8", buffering=1) as log, _into(log):
        print(time.strftime("%Y-%m-%d %H:%M:%S"), job.name)
        try:
            done = resolve_name(job.work)(folder, **job.options)
        except SystemExit as error:
            raise RuntimeError(f"it ended with exit code {error.code}") from error
        except Exception as error:
            if not isinstance(error, USER_ERRORS):
                traceback.print_exc()
            print(f"failed: {_in_words(error)}")
            raise
    return Done() if done is None else done


def _in_words(error: BaseException) -> str:
    text = one_line(error)
    return text if isinstance(error, USER_ERRORS) else f"{type(error).__name__}: {text}"


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)


@contextmanager
def _in_place(job: Job, number: int) -> Iterator[None]:
    """The driver's working directory and threads, and a GPU of this worker."""
    import torch

    # Before CUDA begins, which then knows of no other.
    if job.gpus > 1 and not torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        os.environ["CUDA_VISIBLE_DEVICES"] = str(number % job.gpus)
    before, threads = os.getcwd(), torch.get_num_threads()
    if not os.path.isdir(job.directory):
        raise FileNotFoundError(
            f"there is no folder {job.directory}, where the sweep was started; workers "
            "need the file system of the driver"
        )
    os.chdir(job.directory)
    if job.threads is not None:
        torch.set_num_threads(job.threads)
    try:
        yield
    finally:
        os.chdir(before)
        torch.set_num_threads(threads)


@contextmanager
def _into(log: Any) -> Iterator[None]:
    """Let stdout, stderr, warnings and messages of both packages go into a log."""
    handler = logging.StreamHandler(log)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [(each.level, each.propagate) for each in loggers]
    for each in loggers:
        each.addHandler(handler)
        each.setLevel(logging.INFO)
        each.propagate = False
    try:
        with (
            redirect_stdout(log),
            redirect_stderr(log),
            in_lines_off_terminals(),
            warnings.catch_warnings(),
        ):
            yield
    finally:
        for each, (level, propagate) in zip(loggers, before, strict=True):
            each.removeHandler(handler)
            each.setLevel(level)
            each.propagate = propagate


def as_plain(headline: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers and words as JSON has them; what is not finite is left out.

    Examples
    --------
    >>> import numpy as np
    >>> as_plain({"effect": np.float32(0.5), "r2": float("nan"), "motif": "UGCAUG"})
    {'effect': 0.5, 'motif': 'UGCAUG'}
    """
    plain: dict[str, Any] = {}
    for name, value in headline.items():
        value = value.item() if hasattr(value, "item") else value
        if isinstance(value, float) and not math.isfinite(value):
            continue
        plain[name] = json.loads(json.dumps(value))
    return plain
