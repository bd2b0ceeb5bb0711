"""What two sites do together, by the bases between them."""

from __future__ import annotations

import pandas as pd

from .._core.clusters import Values
from .._core.results import GIAResult
from ..statistics.intervals import confidence_interval
from ..statistics.selection import benjamini_hochberg
from ..statistics.significance import paired_t_test
from .effects import ALPHA, local_effects, unrounded


def pair_interaction(result: GIAResult) -> tuple[pd.DataFrame, Values]:
    """What a pair does beyond the sum of both sites.

    Parameters
    ----------
    result: GIAResult
        Two sites from `motif_spacing`.

    Returns
    -------
    table: pandas.DataFrame
        By spacing, with the sum of both sites as `additive`.

    exact: np.ndarray, shape=(n, n_spacings)
        The interaction on each background.
    """
    frame = result.conditions
    local = local_effects(result)
    pair, first, second = (
        local[:, (frame["arm"] == arm).to_numpy()] for arm in ("all", "1", "2")
    )
    exact = unrounded(pair - first - second, result)
    known = result.clusters
    interval = confidence_interval(exact, clusters=known)
    p = paired_t_test(exact, clusters=known).p
    table = pd.DataFrame(
        {
            "spacing": frame.loc[frame["arm"] == "all", "spacing"].to_numpy(),
            "additive": (first + second).mean(axis=0),
            "interaction": interval.effect,
            "se": interval.se,
            "low": interval.low,
            "high": interval.high,
            "p": p,
            "significant": benjamini_hochberg(p, ALPHA).significant,
            "n": interval.n,
        }
    )
    return table, exact
