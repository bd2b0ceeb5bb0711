"""Processes that fold: starting them, sharing work out, and what becomes of errors.

They stay for the next call, and end with the process that started them.
"""

from __future__ import annotations

import atexit
import base64
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from .._core.letters import check_count

_PROGRAM = Path(__file__).with_name("vienna.py")
# Isolated (-I), so that neither the caller's environment nor this folder, whose modules
# have common names, decides what the program imports; what is on the path here, such as
# the folder ViennaRNA is in, is there too.
_RUN = (
    "import json, runpy, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "runpy.run_path(sys.argv[1], run_name='__main__')"
)
# Sequences of 41 nt that one process folds at a time: a tenth of a second.
_CHUNK = 256
_FEWEST = 32
_CHUNK_LENGTH = 41


def require_vienna(what: str = "folding") -> None:
    """Raise unless ViennaRNA is there.

    Raises
    ------
    ImportError
        That says what needs it and how to install it.
    """
    if importlib.util.find_spec("RNA") is None:
        raise ImportError(
            f"{what} needs ViennaRNA, which is not installed: "
            'pip install "tangermeme-gia[vienna]"'
        )


def count_jobs(n_jobs: int | None) -> int:
    """The asked number of processes, or one for each core this process may use.

    Raises
    ------
    TypeError, ValueError
        If it is neither None nor an integer of at least 1.
    """
    if n_jobs is not None:
        check_count("n_jobs", n_jobs)
        return int(n_jobs)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def run_task(
    task: str,
    given: Sequence[Sequence[Any]],
    n_jobs: int,
    parameters: str | None = None,
) -> Iterator[Any]:
    """The answers to one task for each of what is given, in order.

    Parameters
    ----------
    task: str
        The name of a function of `vienna`.

    given: sequence of sequences
        Its arguments, in JSON types: the sequence to fold, at least one letter of A, C,
        G, U and N, and what else it takes.

    n_jobs: int
        Processes that fold.

    parameters: str or None, optional
        Energy parameters, the text of a file of ViennaRNA. None is its default.

    Raises
    ------
    RuntimeError
        If ViennaRNA fails, or a process ends before its time, and that which repeats
        its chunk does so, too.
    """
    size = _chunk_size([len(sequence) for sequence, *_ in given], n_jobs)
    chunks = [given[i : i + size] for i in range(0, len(given), size)]
    yield from _Run(task, chunks, parameters).answers(n_jobs)


class _Run:
    """One task for all chunks, shared out among threads that each ask a process."""

    def __init__(
        self,
        task: str,
        chunks: Sequence[Sequence[Sequence[Any]]],
        parameters: str | None,
    ) -> None:
        self.task, self.parameters = task, parameters
        self.results: list[Future[list[Any]]] = [Future() for _ in chunks]
        self.waiting = deque(zip(chunks, self.results, strict=True))
        self.stopped = threading.Event()

    def answers(self, n_jobs: int) -> Iterator[Any]:
        """Those of all chunks, in order."""
        # Nobody waits for daemons when the interpreter ends, as for an executor.
        threads = [
            threading.Thread(target=self._work, daemon=True)
            for _ in range(min(n_jobs, len(self.results)))
        ]
        try:
            for thread in threads:
                thread.start()
            for result in self.results:
                yield from result.result()
        finally:
            # After an error or an interrupt nobody waits for what is being folded.
            self.stopped.set()
            for worker, run in tuple(_busy.items()):
                if run is self:
                    worker.process.kill()
            for thread in threads:
                if thread.ident is not None:
                    thread.join()

    def _work(self) -> None:
        while not self.stopped.is_set():
            try:
                chunk, result = self.waiting.popleft()
            except IndexError:
                return
            try:
                result.set_result(self._answer_twice(chunk))
            except BaseException as error:
                result.set_exception(error)

    def _answer_twice(self, chunk: Sequence[Sequence[Any]]) -> list[Any]:
        try:
            return self._answer(chunk, _take(self.parameters))
        except _EndedError:
            if self.stopped.is_set():
                raise
            # Somebody has ended it, as those short of memory do.
            return self._answer(chunk, _Worker(self.parameters))

    def _answer(self, chunk: Sequence[Sequence[Any]], worker: _Worker) -> list[Any]:
        _busy[worker] = self
        if self.stopped.is_set():
            worker.process.kill()
        try:
            answers = worker.ask(self.task, chunk)
        except BaseException:
            worker.close()  # its pipe may hold half an answer
            raise
        finally:
            del _busy[worker]
        _give_back(worker)
        return answers


def _chunk_size(lengths: Sequence[int], n_jobs: int) -> int:
    size = min(_CHUNK, max(_FEWEST, -(-len(lengths) // n_jobs)))
    # The time goes with the square of the length at least.
    return max(1, int(size * min(1.0, (_CHUNK_LENGTH / max(lengths, default=1)) ** 2)))


class _EndedError(RuntimeError):
    """A process has ended before it answered."""


class _Worker:
    """A process that runs `vienna`, which takes requests and gives answers."""

    def __init__(self, parameters: str | None) -> None:
        self.parameters, self.owner = parameters, os.getpid()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed with the process)
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", _RUN, str(_PROGRAM), json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
        )
        if parameters is not None:
            try:
                self.ask("load", [[parameters]])
            except BaseException:
                self.close()
                raise

    def ask(self, task: str, given: Sequence[Sequence[Any]]) -> list[Any]:
        """The answers of the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        line = b""
        with suppress(OSError):  # it has ended, with input left to write
            request = json.dumps({"task": task, "given": given})
            self.process.stdin.write(request.encode() + b"\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._ended()
        reply = json.loads(line, object_hook=_read_array)
        if "error" in reply:
            raise RuntimeError(f"folding with ViennaRNA failed: {reply['error']}")
        answers: list[Any] = reply["answers"]
        return answers

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self.process.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            with suppress(OSError):  # what was not written need not be
                pipe.close()
        self.process.wait()
        self.errors.close()

    def _ended(self) -> _EndedError:
        code = self.process.wait()
        self.errors.seek(0)
        text = self.errors.read().decode(errors="replace").strip()
        last = text.splitlines()[-1] if text else "it says nothing"
        return _EndedError(
            f"a process that folds sequences has ended with code {code}: {last}"
        )


def _read_array(content: dict[str, Any]) -> Any:
    if "float64" not in content:
        return content
    values = np.frombuffer(base64.b64decode(content["float64"]))
    return values.reshape(content["shape"])


# Workers that wait for work, and those that fold, with whom for. They belong to the
# process that started them: a forked one must not talk into the same pipes.
_idle: dict[tuple[int, str | None], list[_Worker]] = {}
_busy: dict[_Worker, _Run] = {}


def _take(parameters: str | None) -> _Worker:
    waiting = _idle.setdefault((os.getpid(), parameters), [])
    while True:
        try:
            worker = waiting.pop()
        except IndexError:
            return _Worker(parameters)
        if worker.process.poll() is None:
            return worker
        worker.close()  # somebody has ended it, as those short of memory do


def _give_back(worker: _Worker) -> None:
    _idle.setdefault((os.getpid(), worker.parameters), []).append(worker)


@atexit.register
def _close_workers() -> None:
    for (pid, _), workers in _idle.items():
        if pid == os.getpid():
            while workers:
                workers.pop().close()
    for worker in tuple(_busy):
        if worker.owner == os.getpid():
            worker.process.kill()
