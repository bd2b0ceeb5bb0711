"""Does what a pair of motifs does depend on their order, or on their strands?"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pandas as pd

from .selection import benjamini_hochberg
from .spacing_rules import Evidence

# Order and orientation of a profile.
Written = tuple[str, str]


def dependence_table(
    evidence: Evidence, written: Sequence[Written], pairs: Sequence[int]
) -> pd.DataFrame:
    """Which pairs depend on the order, and which on the strands? A row each.

    Of all pairs of profiles that differ in the order only (or in the strands only), at
    all spacings and in the mean, the difference that is largest next to its error on
    the finding half is tested on the confirming half; of the pairs of motifs,
    Benjamini-Hochberg.

    Parameters
    ----------
    evidence: Evidence
        Of some profiles.

    written: sequence of (str, str)
        The order and the orientation of each.

    pairs: sequence of int
        Numbers of the pairs of motifs that are asked about.

    Returns
    -------
    table: pandas.DataFrame
        A row for each of `pairs`: `order_q` and `strand_q`, NaN where profiles differ
        in nothing.
    """
    p: dict[str, list[float]] = {"order": [], "strand": []}
    for pair in pairs:
        members = np.flatnonzero(evidence.pair == pair).tolist()
        for name, fixed in (("order", 1), ("strand", 0)):
            contrasts = [
                (u, v)
                for u, v in itertools.combinations(members, 2)
                if written[u][fixed] == written[v][fixed]
            ]
            p[name].append(_p_of_sharpest(evidence, contrasts))
    table: pd.DataFrame = pd.DataFrame(index=range(len(pairs)))
    for name, values in p.items():
        known = ~np.isnan(values)
        q = np.full(len(values), np.nan)
        if known.any():
            q[known] = benjamini_hochberg(np.array(values)[known]).p_adjusted
        table[f"{name}_q"] = q
    return table


def _p_of_sharpest(evidence: Evidence, contrasts: Sequence[tuple[int, int]]) -> float:
    """p of the contrast and the spacing that stand out on the finding half."""
    if not contrasts:
        return float("nan")
    first, second = np.array(contrasts).T
    difference = evidence.found[first] - evidence.found[second]
    error = np.hypot(evidence.found_se[first], evidence.found_se[second])
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(difference == 0, 0.0, np.abs(difference / error))
    row, column = np.unravel_index(int(t.argmax()), t.shape)
    u, v = contrasts[int(row)]
    local = evidence.local[:, u, column] - evidence.local[:, v, column]
    return float(evidence.p_of(local))
