"""Is one method better than another, over experiments of different proteins?"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import scipy.stats

from tangermeme_gia.statistics.selection import holm

# With fewer proteins no signed ranks can be significant after correction.
FEWEST = 6


def compare_methods(scores: pd.DataFrame) -> pd.DataFrame:
    """Which methods differ, tested on the same experiments?

    Wilcoxon's signed-rank test of each pair of methods, with Holm's correction for all
    of them (as the paper's Fig. 1a, which tests without clusters). Seeds, and then
    experiments of one protein, are averaged first: they are not independent.

    Parameters
    ----------
    scores: pandas.DataFrame
        With `experiment`, `group`, `method` and `pearson`, as `scores_of` gives.

    Returns
    -------
    comparison: pandas.DataFrame
        A row for each pair: the methods `a` and `b`, on how many experiments and
        groups both have scores, the `median_difference` a - b and in how many groups
        `a_better`, `p` and `p_holm`; these are NaN below six groups.

    Raises
    ------
    ValueError
        If there are fewer than two methods.

    Examples
    --------
    >>> rows = [(f"RBP{i}", f"P{i}", m, s) for i in range(6) for m, s in
    ...         (("a", 0.5 + 0.1 * i), ("b", 0.4 + 0.09 * i))]
    >>> names = ["experiment", "group", "method", "pearson"]
    >>> compare_methods(pd.DataFrame(rows, columns=names))["p"].tolist()
    [0.03125]
    """
    methods = list(dict.fromkeys(scores["method"]))
    if len(methods) < 2:
        raise ValueError(f"`scores` has {len(methods)} methods; two are needed.")
    by = scores.groupby(["group", "experiment", "method"])["pearson"].mean()
    wide = by.unstack("method")
    rows = [_compared(wide[[a, b]].dropna(), a, b) for a, b in combinations(methods, 2)]
    comparison: pd.DataFrame = pd.DataFrame(rows)
    comparison["p_holm"] = holm(comparison["p"])
    return comparison


def _compared(both: pd.DataFrame, a: str, b: str) -> dict[str, object]:
    difference = (both[a] - both[b]).groupby("group").mean()
    enough = len(difference) >= FEWEST and bool((difference != 0).any())
    return {
        "a": a,
        "b": b,
        "n_experiments": len(both),
        "n_groups": len(difference),
        "median_difference": difference.median(),
        "a_better": int((difference > 0).sum()),
        "p": float(scipy.stats.wilcoxon(difference).pvalue) if enough else np.nan,
    }
