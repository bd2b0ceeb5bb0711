"""How far is it: a bar, or where nobody watches one a line every 30 seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from tqdm import tqdm

_SECONDS = 30


class Update(Protocol):
    """Takes how many more are done, and what else there is to say of the last."""

    def __call__(self, n: int, notes: Mapping[str, Any] | None = None, /) -> None: ...


# Of a larger whole that is running, and whether it is told in lines.
_whole: ContextVar[Update | None] = ContextVar("_whole", default=None)
_in_lines: ContextVar[bool] = ContextVar("_in_lines", default=False)


@contextmanager
def in_lines_off_terminals() -> Iterator[None]:
    """For commands: a bar would fill a log file."""
    token = _in_lines.set(not sys.stderr.isatty())
    try:
        yield
    finally:
        _in_lines.reset(token)


@contextmanager
def progress(
    total: int | None, unit: str, verbose: bool, done: int = 0
) -> Iterator[Update]:
    """Show how much is done, or add it to what a `whole` shows.

    Parameters
    ----------
    total: int or None
        How many there are; None if nobody knows.

    unit: str
        Of what, in the plural.

    verbose: bool
        Whether to show anything.

    done: int, optional
        How many are done already. Default is 0.

    Yields
    ------
    update: Update

    Examples
    --------
    >>> with progress(2, "sequences", verbose=False) as update:
    ...     update(2)
    """
    outer = _whole.get()
    if outer is not None or not verbose:
        yield outer or _nothing
    elif _in_lines.get():
        yield _Lines(total, unit, done).update
    else:
        with tqdm(total=total, unit=f" {unit}", initial=done) as bar:

            def update(n: int, notes: Mapping[str, Any] | None = None, /) -> None:
                if notes:
                    bar.set_postfix(notes)
                bar.update(n)

            yield update


@contextmanager
def whole(total: int | None, unit: str, verbose: bool) -> Iterator[None]:
    """One bar for all that runs within, in as many calls as it takes.

    Examples
    --------
    >>> with whole(2, "sequences", verbose=False):
    ...     with progress(1, "sequences", verbose=True) as update:
    ...         update(1)  # nothing of its own
    """
    with progress(total, unit, verbose) as update:
        token = _whole.set(update)
        try:
            yield
        finally:
            _whole.reset(token)


class _Lines:
    """Says every 30 seconds how far it is."""

    def __init__(self, total: int | None, unit: str, done: int) -> None:
        self._total, self._unit = total, unit
        self._began = self._said = time.monotonic()
        self._done = self._at_first = done

    def update(self, n: int, notes: Mapping[str, Any] | None = None, /) -> None:
        self._done += n
        now = time.monotonic()
        if now - self._said < _SECONDS:
            return
        self._said = now
        text = f"{self._done:,} {self._unit} in {_about(now - self._began)}"
        if self._total:
            speed = (self._done - self._at_first) / (now - self._began)
            left = _about((self._total - self._done) / speed)
            text = f"{self._done:,} of {self._total:,} {self._unit}, about {left} left"
        for name, value in (notes or {}).items():
            text += f", {name} {value}"
        print(text, file=sys.stderr, flush=True)


def _nothing(n: int, notes: Mapping[str, Any] | None = None, /) -> None:
    pass


def _about(seconds: float) -> str:
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
