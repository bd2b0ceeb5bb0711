"""How many bytes may be in flight, and what to do where they are too many."""

from __future__ import annotations

import gc
import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

# Bytes that batches in flight may take by default, unless memory is scarce: more makes
# nothing faster.
_MAX_MEMORY = 2**28
_FREE_SHARE = 0.1

_Found = TypeVar("_Found")


class OneTooLargeError(MemoryError):
    """Not even one sequence fits."""

    def __init__(self, length: int) -> None:
        super().__init__(
            f"memory ran out with a single sequence of length {length}: give "
            '`device`="cpu", a smaller `dtype` or shorter sequences, or take less '
            "of the output in the model itself."
        )


def ran_out(error: Exception) -> bool:
    """Whether an error says that memory has run out, here or on a device."""
    if isinstance(error, MemoryError):
        return True
    said = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        words in said
        for words in ("out of memory", "not enough memory", "can't allocate memory")
    )


def release() -> None:
    """Give back what is not used."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def halved(
    run: Callable[[slice], _Found],
    whole: slice,
    say: Callable[[], None],
    *,
    together: int = 1,
) -> Iterator[_Found]:
    """What a function finds for a slice, or for halves of it if memory runs out.

    Parameters
    ----------
    run: function
        Finds something for any part.

    whole: slice
        Where it begins and ends, a multiple of `together` long.

    say: function
        Called when memory has run out.

    together: int, optional
        So many in a row stay together. Default is 1.

    Raises
    ------
    Exception
        That of `run`, if it is another one, or nothing can be halved.

    Examples
    --------
    >>> list(halved(lambda part: part.stop - part.start, slice(0, 8), print))
    [8]
    """
    n = (whole.stop - whole.start) // together
    try:
        found = run(whole)
    except Exception as error:
        if n < 2 or not ran_out(error):
            raise
    else:
        yield found
        return
    say()
    release()
    middle = whole.start + n // 2 * together
    for part in (slice(whole.start, middle), slice(middle, whole.stop)):
        yield from halved(run, part, say, together=together)


def resolve_memory(max_memory: int | None) -> int:
    """The bytes asked for, or what is good for speed and leaves room.

    Raises
    ------
    ValueError
        If it is neither a positive number nor None.
    """
    if max_memory is None:
        return min(_MAX_MEMORY, int(_FREE_SHARE * _free_memory()))
    if not isinstance(max_memory, int | np.integer) or max_memory < 1:
        raise ValueError(
            f"`max_memory`={max_memory!r} must be a positive number of bytes or None."
        )
    return int(max_memory)


def check_fits(what: str, sizes: dict[str, int], way_out: str) -> None:
    """Raise if something is larger than the memory that is free.

    Parameters
    ----------
    what: str
        What takes it.

    sizes: dict of str to int
        Numbers, by what there are so many of, whose product is its bytes.

    way_out: str
        What to do.

    Raises
    ------
    ValueError
        If it does not fit, with the product.
    """
    needed, free = math.prod(sizes.values()), _free_memory()
    if needed > free:
        product = " x ".join(f"{size:,} {name}" for name, size in sizes.items())
        raise ValueError(
            f"{what} would take {product} = {_in_words(needed)}, and "
            f"{_in_words(free)} of memory are free. {way_out}"
        )


def _in_words(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:,.1f} GB" if n_bytes >= 1e8 else f"{n_bytes / 1e6:,.1f} MB"


def _free_memory() -> float:
    """Bytes of main memory that can be had, or 1 GiB where the system does not say."""
    return min(_free_of_machine(), _free_of_group())


def _free_of_machine() -> int:
    try:
        # With what the system only keeps in case that it is read again.
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024 * int(line.split()[1])
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**30


def _free_of_group() -> float:
    """What a container leaves to its processes, if it sets a limit (Linux cgroups)."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text())
        return max(0, limit - int((group / "memory.current").read_text()))
    except (ValueError, OSError):
        return math.inf
