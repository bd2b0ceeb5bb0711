"""torch's threads stay as they are, whatever other libraries set."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def kept_threads() -> Iterator[None]:
    """As many threads for torch afterwards as before.

    numba and torch share OpenMP: what numba compiled in parallel sets the threads of
    both, and small models are many times slower on more than they were given.
    """
    n_threads = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)
