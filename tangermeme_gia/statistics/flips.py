"""How extreme is a sum among those with random signs?"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .._core.clusters import Values
from .._core.letters import RandomState, as_generator
from .intervals import RESAMPLE_ROWS, RESAMPLE_VALUES, ROUNDING

Alternative = Literal["two-sided", "greater", "less"]


def flip_p_value(
    columns: Values,
    alternative: Alternative,
    n_resamples: int,
    random_state: RandomState,
) -> Values:
    """How often sums of columns with random signs are as extreme as their own.

    All signs are tried if these are at most `n_resamples`.

    Examples
    --------
    >>> float(flip_p_value(np.ones((5, 1)), "greater", 32, None)[0])
    0.03125
    """
    n, n_columns = columns.shape
    exact = 2**n <= n_resamples
    m = 2**n if exact else n_resamples
    rng = as_generator(random_state)
    extreme = np.zeros(n_columns, dtype=np.int64)
    for first in range(0, m, RESAMPLE_ROWS):
        flips = np.arange(first, min(first + RESAMPLE_ROWS, m))
        flipped = (
            (flips[:, None] >> np.arange(n)) % 2
            if exact
            else rng.integers(2, size=(len(flips), n))
        )
        signs = (1 - 2 * flipped).astype(np.float64)
        extreme += _count_extreme(columns, signs, alternative)
    return extreme / m if exact else (extreme + 1) / (m + 1)


def _count_extreme(
    columns: Values, signs: Values, alternative: Alternative
) -> NDArray[np.int64]:
    """How many flips give each column a sum at least as extreme as its own?

    `scipy.stats.permutation_test` does the same with a copy of all columns for each
    flip; one matrix product for hundreds of flips is far faster.
    """
    block = max(1, RESAMPLE_VALUES // len(signs))
    counts = []
    for first in range(0, columns.shape[1], block):
        part = columns[:, first : first + block]
        observed, flipped = part.sum(axis=0), signs @ part
        if alternative == "two-sided":
            observed, flipped = np.abs(observed), np.abs(flipped)
        elif alternative == "less":
            observed, flipped = -observed, -flipped
        tie = ROUNDING * np.abs(part).sum(axis=0)
        counts.append((flipped >= observed - tie).sum(axis=0))
    return np.concatenate([*counts, np.zeros(0, dtype=np.int64)])
