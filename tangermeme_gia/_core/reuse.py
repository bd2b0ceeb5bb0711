"""Asks a model only for what differs from the backgrounds, where that is faster."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, TypeAlias, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from .asking import Asked
from .background_rows import BackgroundRows
from .calls import Caller
from .changed_blocks import Asking, Group, error_beyond_rounding, groups_of
from .conditions import Design
from .memory import ran_out
from .recorded import Recorded
from .tape import MissingActivationError, UnknownChangeError

_Found = TypeVar("_Found")
Heads: TypeAlias = list[torch.Tensor]

# Below these, a trial would cost more than it could save: sequences, conditions of a
# background, and bases of a sequence.
_FEWEST, _FEWEST_OF_ONE, _SHORTEST = 1024, 4, 96
# What it must save at least, since trials are noisy.
_MOST_TIME = 0.9
# Conditions that are compared before any is run.
_COMPARED = 2
# Of all sequences that are to be asked, the share and the most that a trial takes.
_TRIED, _FEWEST_TRIED, _MOST_TRIED = 0.005, 8, 64
# Bytes of the backgrounds' largest activation, as larger ones are slow to make, and
# sequences that are made of them at once, as fewer are slow to ask.
_RECORDED_BYTES, _TOGETHER = 2**22, 64
# Bytes of the largest activation of a batch, and its sequences, on a CPU and a GPU.
_BATCH_BYTES = {"cpu": 2**23, "cuda": 2**28}
_FIRST, _SMALLEST, _LARGEST = 32, 8, {"cpu": 256, "cuda": 8192}


class DisagreementError(Exception):
    """Outputs that are not those that are computed in full."""


class Reuse:
    """What a model computed for backgrounds, and what is asked about changes of them.

    Parameters
    ----------
    caller: Caller
        How the model is asked in full, and whether it can be asked otherwise.

    wanted: bool or None
        Whether to keep activations; None finds out whether it is faster.

    max_memory: int
        Bytes that they may take.

    batch_size: int or None
        Sequences at a time, at most; None chooses.
    """

    def __init__(
        self,
        caller: Caller,
        wanted: bool | None,
        max_memory: int,
        batch_size: int | None,
    ) -> None:
        self._caller, self._wanted = caller, wanted
        self._max_memory, self._batch_size = max_memory, batch_size
        # Not tried, since it would not pay for what is asked now; or never again.
        self._is_idle, self._is_off = True, wanted is False
        self._made: dict[Any, Any] = {}
        self._needed: set[int] | None = None
        self._recorded: tuple[bytes, Recorded] | None = None
        self._n_conditions = self._n_sequences = 0
        # Bytes of each activation of a background that is kept.
        self._sizes: list[int] | None = None
        # By the size of what changes: is it faster, and sequences of a batch.
        self._faster: dict[int, bool] = {}
        self._batches: dict[int, int] = {}

    def rows_at_once(self, rows: BackgroundRows, design: Design) -> int | None:
        """How many backgrounds to keep at a time; None if all is to be asked in full.

        Before the first design is run, some of its conditions, the first and the last
        among them, are compared on the first and the last of the backgrounds.
        """
        n, _, length = rows.X.shape
        same = np.flatnonzero(design.lengths == length)
        self._n_conditions, self._n_sequences = len(same), n * len(same)
        may_pay = self._wanted or (
            len(same) >= _FEWEST_OF_ONE
            and self._n_sequences >= _FEWEST
            and length >= _SHORTEST
        )
        self._is_idle = not may_pay or not len(same) or torch.is_autocast_enabled()
        if self._is_off or self._is_idle:
            return None
        if self._sizes is None:
            chosen = np.unique(np.linspace(0, len(same) - 1, _COMPARED).astype(int))
            some = same[chosen].tolist()
            if not self._guarded(lambda: self._compare(rows, design, some)):
                return None
        return self._rows_for(self._conditions_together(rows, design, same))

    def ask(
        self,
        rows: BackgroundRows,
        some: slice,
        X: torch.Tensor,
        sequences: torch.Tensor,
    ) -> Heads | None:
        """Outputs, shape=(n_rows * n_conditions, ...); None if to be asked in full.

        `X` are some of the backgrounds, and `sequences` conditions of these,
        shape=(n_rows, n_conditions, n_letters, length).
        """
        if self._is_off or self._is_idle or sequences.shape[-1] != X.shape[-1]:
            return None
        asking = Asking(rows.numbers[some], X, rows.side_inputs(some), sequences)
        found: Heads | None = self._guarded(lambda: self._with_all_needed(asking))
        return found

    def _guarded(self, ask: Callable[[], _Found]) -> _Found | None:
        """What is found; nothing if the model cannot be followed, from then on."""
        try:
            return ask()
        except Exception as error:  # whatever a model makes of an odd tensor
            self._stop()
            if isinstance(error, DisagreementError) or self._wanted:
                reason = "memory ran out" if ran_out(error) else _said(error)
                warnings.warn(
                    f"`reuse`: all sequences are computed in full, since {reason}. "
                    "`reuse`=False does so without a trial.",
                    RuntimeWarning,
                    stacklevel=2,
                )
            return None

    def _stop(self) -> None:
        self._is_off, self._recorded = True, None
        self._made.clear()

    def _compare(
        self, rows: BackgroundRows, design: Design, conditions: list[int]
    ) -> bool:
        """Raise if outputs differ from those in full, or a background does not fit."""
        used: set[int] = set()
        for row in {0, len(rows.X) - 1}:
            some = slice(row, row + 1)
            X, args = rows.one_hot(some), rows.side_inputs(some)
            for i in conditions:
                sequences = design.build(X, some, slice(i, i + 1))
                asking = Asking(rows.numbers[some], X, args, sequences)
                recorded = self._recorded_of(asking)
                self._check(recorded, asking, groups_of(asking)[0])
            used |= recorded.tape.used
        self._keep(used, recorded)
        return True

    def _keep(self, needed: set[int] | None, recorded: Recorded) -> None:
        """Keep some activations from now on, if those of one background fit."""
        self._needed, self._sizes = needed, recorded.sizes(needed)
        n_bytes = sum(self._sizes)
        if n_bytes > self._max_memory // 2:
            raise UnknownChangeError(
                f"what the model computes for one background, {n_bytes} bytes, is more "
                f"than half of `max_memory`={self._max_memory}"
            )

    def _conditions_together(
        self, rows: BackgroundRows, design: Design, same: NDArray[np.int64]
    ) -> float:
        """How many conditions in a row change the same places, on average."""
        first, n = int(same[0]), min(len(same), _TOGETHER)
        if same[n - 1] != first + n - 1:
            return 1.0
        one = slice(0, 1)
        X = rows.one_hot(one)
        sequences = design.build(X, one, slice(first, first + n))
        return n / len(groups_of(Asking(rows.numbers[one], X, None, sequences)))

    def _rows_for(self, n_together: float) -> int:
        """Backgrounds to keep at once: few, but enough to be asked together."""
        sizes = [1, *(self._sizes or [])]
        quick = _RECORDED_BYTES // max(sizes)
        most = self._max_memory // 2 // sum(sizes)  # the other half is in flight
        return max(1, min(most, max(quick, math.ceil(_TOGETHER / n_together))))

    def _with_all_needed(self, asking: Asking) -> Heads | None:
        try:
            return self._ask(asking)
        except MissingActivationError:  # what the first conditions did not need
            self._needed = self._recorded = None
            self._keep(None, self._recorded_of(asking))
            return self._ask(asking)

    def _ask(self, asking: Asking) -> Heads | None:
        groups = groups_of(asking)
        parts = [asking.part(len(asking.X), group.conditions) for group in groups]
        for group, part in zip(groups, parts, strict=True):
            if group.size not in self._faster:
                self._try(part, group)
        if not any(self._faster.values()):
            self._stop()  # wider changes are slower still
        if not any(self._faster[group.size] for group in groups):
            return None
        recorded = self._recorded_of(asking)
        heads: Heads = []
        for group, part in zip(groups, parts, strict=True):
            if self._faster[group.size]:
                y = self._follow(recorded, part, group)
            else:
                y = self._ask_in_full(part)
            _place(heads, asking, slice(None), group.conditions, y)
        return [head.flatten(0, 1) for head in heads]

    def _try(self, part: Asking, group: Group) -> None:
        """Compare and time a few sequences, to know what is faster."""
        n = int(min(_MOST_TRIED, max(_FEWEST_TRIED, _TRIED * self._n_sequences)))
        width = min(n, part.shape[1])
        few = part.part(max(1, n // width), slice(0, width))
        recording, recorded = _timed(
            lambda: self._record(few.X, few.args, self._needed)
        )
        in_full = self._check(recorded, few, group)
        kind = few.X.device.type
        size = _BATCH_BYTES.get(kind, _BATCH_BYTES["cpu"]) // recorded.tape.largest
        size = min(max(size, _SMALLEST), _LARGEST.get(kind, _LARGEST["cpu"]))
        self._batches[group.size] = min(size, self._batch_size or size)
        # The first call of a size has to make room.
        followed = min(
            _timed(lambda: self._follow(recorded, few, group))[0] for _ in range(2)
        )
        followed += recording * few.shape[1] / self._n_conditions
        faster = followed < _MOST_TIME * in_full
        self._faster[group.size] = bool(self._wanted) or faster

    def _check(self, recorded: Recorded, asking: Asking, group: Group) -> float:
        """Raise if outputs differ from those in full, which take so many seconds."""
        found = self._follow(recorded, asking, group)
        seconds, expected = _timed(lambda: self._ask_in_full(asking))
        apart = partial(self._operation_apart, recorded, asking, group)
        for one, truth, before in zip(found, expected, recorded.y, strict=True):
            error = error_beyond_rounding(one, truth, before[: len(truth)], apart)
            if error:
                raise DisagreementError(error)
        return seconds

    def _operation_apart(
        self, recorded: Recorded, asking: Asking, group: Group
    ) -> str | None:
        changed = asking.sequences[..., group.first : group.last]
        whole = self._record(*asking.flat(), None)
        return recorded.operation_apart(group.first, changed, whole)

    def _follow(self, recorded: Recorded, part: Asking, group: Group) -> Heads:
        """Outputs by what differs, shape=(n_rows, n_conditions, ...)."""
        n_rows, n_conditions = part.shape
        size = self._batches.get(group.size, self._first_batch)
        width = _even(n_conditions, min(size, n_conditions))
        height = _even(n_rows, max(1, size // width))
        changed = part.sequences[..., group.first : group.last]
        heads: Heads = []
        for row in range(0, n_rows, height):
            rows = slice(row, min(row + height, n_rows))
            for start in range(0, n_conditions, width):
                conditions = slice(start, min(start + width, n_conditions))
                few = changed[rows, conditions]
                y = recorded.ask(rows, group.first, few)
                apart = [torch.unflatten(one, 0, few.shape[:2]) for one in y]
                _place(heads, part, rows, conditions, apart)
        return heads

    @property
    def _first_batch(self) -> int:
        """Sequences at a time as long as nothing is known of their activations."""
        most = self._max_memory // (1 + sum(self._sizes or [self._max_memory]))
        return min(max(most, 1), _FIRST, self._batch_size or _FIRST)

    def _ask_in_full(self, part: Asking) -> Heads:
        y = self._caller(*part.flat())
        return [torch.unflatten(head, 0, part.shape) for head in y]

    def _recorded_of(self, asking: Asking) -> Recorded:
        """Activations of a block's backgrounds, as they were left or anew."""
        key = asking.numbers.tobytes()
        if self._recorded is None or self._recorded[0] != key:
            self._recorded = None
            recorded = self._record(asking.X, asking.args, self._needed)
            self._recorded = key, recorded
        return self._recorded[1]

    def _record(
        self, X: torch.Tensor, args: list[torch.Tensor] | None, needed: set[int] | None
    ) -> Recorded:
        asked: Asked | None = self._caller.followed()
        if asked is None:
            raise UnknownChangeError("only `predict` without `dtype` can be followed")
        return Recorded(asked, X, args, needed, self._made)


def check_reuse(reuse: bool | None) -> bool | None:
    """The same.

    Raises
    ------
    TypeError
        If it is neither a bool nor None.
    """
    if reuse is not None and not isinstance(reuse, bool | np.bool_):
        raise TypeError(f"`reuse`={reuse!r} must be True, False or None.")
    return None if reuse is None else bool(reuse)


def _said(error: Exception) -> str:
    """What an error says, and of which kind it is if it is none of ours."""
    ours = isinstance(error, DisagreementError | UnknownChangeError)
    return str(error) if ours else f"{type(error).__name__}: {error}".splitlines()[0]


def _even(n: int, most: int) -> int:
    """The size of parts of at most so many that are about equal."""
    return math.ceil(n / math.ceil(n / most))


def _place(heads: Heads, of: Asking, rows: slice, conditions: slice, y: Heads) -> None:
    """Write some outputs where they belong among all; the first make room."""
    if not heads:
        heads += [one.new_empty((*of.shape, *one.shape[2:])) for one in y]
    for head, one in zip(heads, y, strict=True):
        head[rows, conditions] = one


def _timed(ask: Callable[[], _Found]) -> tuple[float, _Found]:
    """Seconds that something takes, and what it gives."""
    begin = time.perf_counter()
    found = ask()
    return time.perf_counter() - begin, found
