"""How many bytes may be in flight."""

from __future__ import annotations

import os

import numpy as np

# Bytes that batches in flight may take by default, unless memory is scarce: more makes
# nothing faster.
_MAX_MEMORY = 2**28
_FREE_SHARE = 0.1


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


def _free_memory() -> int:
    """Bytes of main memory that are free, or 1 GiB where the system does not say."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**30
