"""Processes that fold: starting them, sharing tasks out, and what becomes of errors."""

from __future__ import annotations

import importlib.util
import os
import pickle
import queue
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

_PROGRAM = Path(__file__).with_name("vienna.py")
# `python FILE` would put this folder first on the path, where modules are that have
# names of the standard library.
_RUN = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"
# For how many bases a further process is worth its start.
_WORTH_A_PROCESS = 12_000


def require_vienna() -> None:
    """Raise unless ViennaRNA is there.

    Raises
    ------
    ImportError
        That says how to install it.
    """
    if importlib.util.find_spec("RNA") is None:
        raise ImportError(
            "folding needs ViennaRNA, which is not installed: "
            "pip install tangermeme-gia[vienna]"
        )


def n_processes(n_bases: int) -> int:
    """How many processes so many bases are worth, as far as there are processors."""
    available = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        available = len(os.sched_getaffinity(0))
    return max(1, min(available, n_bases // _WORTH_A_PROCESS))


def run_tasks(tasks: Sequence[Any], n_processes: int) -> Iterator[Any]:
    """The folds of all sequences of the tasks, in order; see `vienna.main`.

    Raises
    ------
    RuntimeError
        If a process ends before its time.
    """
    n = min(n_processes, len(tasks))
    if n == 0:
        return
    idle: queue.SimpleQueue[_Program] = queue.SimpleQueue()

    def work(task: Any) -> list[Any]:
        program = idle.get()
        try:
            return program.answer(task)
        finally:
            idle.put(program)

    programs = [_Program() for _ in range(n)]
    try:
        for program in programs:
            idle.put(program)
        with ThreadPoolExecutor(n) as threads:
            for folds in threads.map(work, tasks):
                yield from folds
    finally:
        for program in programs:
            program.close()


class _Program:
    """A process that runs `vienna`, which takes tasks and gives answers."""

    def __init__(self) -> None:
        # What is on the path here, such as the folder ViennaRNA is in, is there too.
        path = os.pathsep.join(folder or os.getcwd() for folder in sys.path)
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        self.process = subprocess.Popen(
            [sys.executable, "-c", _RUN, str(_PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env={**os.environ, "PYTHONPATH": path},
        )

    def answer(self, task: Any) -> list[Any]:
        """The folds of the sequences of a task."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            pickle.dump(task, self.process.stdin)
            self.process.stdin.flush()
            answer: list[Any] = pickle.load(self.process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            self.process.wait()
            self.errors.seek(0)
            text = self.errors.read().decode(errors="replace").strip()
            last = text.splitlines()[-1] if text else "it says nothing"
            raise RuntimeError(
                f"the process that folds sequences has ended with code "
                f"{self.process.returncode}: {last}"
            ) from error
        return answer

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what was not written need not be
                pipe.close()
        self.process.wait()
        self.errors.close()
