"""Notes that errors get on their way: where they came about, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def noted(
    note: str, advise: Callable[[Exception], str] = lambda error: ""
) -> Iterator[None]:
    """Errors from within get a note, and what to do where there is advice."""
    try:
        yield
    except Exception as error:
        if hasattr(error, "add_note"):  # Python >= 3.11
            for text in filter(None, (note, advise(error))):
                error.add_note(text)
        raise
