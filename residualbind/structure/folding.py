"""Folding many RNA sequences in parallel, in processes that outlive a call."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# What each kind of profile tells about a base, in the order of the model's channels.
CONTEXTS = {
    "PU": ("paired", "unpaired"),
    "PHIME": ("paired", "hairpin", "internal", "multi", "external"),
}
ENERGIES = ("turner1999", "turner1999-as-given", "turner2004")
# A hairpin loop has three bases at least, so that fewer than five cannot pair.
SHORTEST = 5

# Sequences of 41 nt that one process folds at a time: a tenth of a second.
_CHUNK = 256
_FEWEST = 32
_CHUNK_LENGTH = 41
_WORKER = Path(__file__).with_name("fold_worker.py")

# A sequence's profiles, shape=(contexts, length).
Profile = NDArray[np.float32]


class FoldSettings(NamedTuple):
    """What, besides its letters, decides on the profiles of a sequence."""

    kind: str = "PHIME"
    energies: str = "turner1999"
    temperature: float = 37.0


def require_vienna(what: str) -> None:
    """Raise an ImportError that says what is missing, unless ViennaRNA is there."""
    if find_spec("RNA") is None:
        raise ImportError(
            f"{what} needs ViennaRNA, which is not installed: "
            'pip install "tangermeme-gia[vienna]".'
        )


def count_jobs(n_jobs: int | None) -> int:
    """The asked number of processes, or one for each core this process may use."""
    if n_jobs is None:
        if hasattr(os, "sched_getaffinity"):
            return len(os.sched_getaffinity(0))
        return os.cpu_count() or 1
    if isinstance(n_jobs, bool) or not isinstance(n_jobs, int) or n_jobs < 1:
        raise ValueError(
            f"`n_jobs`={n_jobs!r} must be a positive integer, or None for one process "
            "per core."
        )
    return n_jobs


def fold(
    sequences: Sequence[str], settings: FoldSettings, n_jobs: int
) -> Iterator[list[tuple[str, Profile]]]:
    """Fold sequences of A, C, G, U and N, at least five letters each.

    Parameters
    ----------
    sequences: sequence of str
        Each is folded once for every time it is given.

    settings: FoldSettings
        What to compute, and how.

    n_jobs: int
        Processes to fold in. They stay for the next call.

    Yields
    ------
    folded: list of tuple
        Sequences with their profiles, shape=(contexts, length), some at a time and in
        any order.

    Raises
    ------
    RuntimeError
        If a process fails.
    """
    size = _chunk_size(sequences, n_jobs)
    chunks = [sequences[i : i + size] for i in range(0, len(sequences), size)]
    executor = ThreadPoolExecutor(max(min(n_jobs, len(chunks)), 1))
    try:
        futures = [executor.submit(_fold_chunk, chunk, settings) for chunk in chunks]
        for future in as_completed(futures):
            yield future.result()
    finally:
        executor.shutdown(cancel_futures=True)


def vienna_version(energies: str) -> str:
    """The version of ViennaRNA that folds, asked of one of its processes."""
    worker = _take(energies)
    _give_back(worker)
    return worker.version


def _chunk_size(sequences: Sequence[str], n_jobs: int) -> int:
    longest = max(map(len, sequences), default=0)
    size = min(_CHUNK, max(_FEWEST, -(-len(sequences) // n_jobs)))
    # The time goes with the square of the length at least.
    return max(1, int(size * min(1.0, (_CHUNK_LENGTH / max(longest, 1)) ** 2)))


def _fold_chunk(
    sequences: Sequence[str], settings: FoldSettings
) -> list[tuple[str, Profile]]:
    worker = _take(settings.energies)
    values = worker.fold(sequences, settings)
    _give_back(worker)  # not after an error: its pipe may hold half an answer
    n_contexts = len(CONTEXTS[settings.kind])
    ends = np.cumsum([n_contexts * len(sequence) for sequence in sequences])
    parts = np.split(values, ends[:-1])
    return [
        (sequence, part.reshape(n_contexts, -1))
        for sequence, part in zip(sequences, parts, strict=True)
    ]


class _Worker:
    """A process that folds."""

    def __init__(self, energies: str) -> None:
        self.energies = energies
        # Isolated (-I): neither the caller's environment nor this folder, whose
        # modules have common names, decides what the script imports.
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_WORKER), energies, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            self.version: str = self._read_header()["viennarna"]
        except BaseException:
            self.close()
            raise

    def fold(self, sequences: Sequence[str], settings: FoldSettings) -> Profile:
        request = {
            "kind": settings.kind,
            "temperature": settings.temperature,
            "sequences": list(sequences),
        }
        try:
            self._send(json.dumps(request).encode() + b"\n")
            n_bytes = self._read_header()["n_bytes"]
            assert self._process.stdout is not None
            content = self._process.stdout.read(n_bytes)
            if len(content) != n_bytes:
                raise self._ended()
        except BaseException:
            self.close()
            raise
        return np.frombuffer(content, dtype=np.float32)

    def is_alive(self) -> bool:
        """Whether nobody has ended the process, as those short of memory do."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process: it does so itself when its input ends."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(OSError):  # it has ended, with input left to write
            process.stdin.close()
        process.stdout.close()
        try:
            process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError as error:
            raise self._ended() from error

    def _read_header(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise self._ended()
        header: dict[str, Any] = json.loads(line)
        if "error" in header:
            raise RuntimeError(f"folding with ViennaRNA failed: {header['error']}")
        return header

    def _ended(self) -> RuntimeError:
        code = self._process.wait()
        return RuntimeError(
            f"a process that folds with ViennaRNA ended with code {code}."
        )


# Workers that wait for work. They belong to the process that started them: a forked
# one must not talk into the same pipes.
_idle: dict[tuple[int, str], list[_Worker]] = {}


def _take(energies: str) -> _Worker:
    waiting = _idle.setdefault((os.getpid(), energies), [])
    while True:
        try:
            worker = waiting.pop()
        except IndexError:
            return _Worker(energies)
        if worker.is_alive():
            return worker
        worker.close()


def _give_back(worker: _Worker) -> None:
    _idle.setdefault((os.getpid(), worker.energies), []).append(worker)


@atexit.register
def _close_workers() -> None:
    for (pid, _), workers in _idle.items():
        if pid == os.getpid():
            while workers:
                workers.pop().close()
