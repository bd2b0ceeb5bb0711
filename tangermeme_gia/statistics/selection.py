"""Which conditions of a search stand, and how large are their effects?

Of many tests some are significant by chance, so the false discovery rate is controlled.
The best of many k-mers, positions or spacings is picked partly for its luck with the
backgrounds at hand, so its effect on them is biased. Winners are picked on one set of
backgrounds and reported on another.
"""

from __future__ import annotations

import warnings
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import scipy
import torch
from numpy.typing import ArrayLike, NDArray

from .._core.agreement import one_warning
from .._core.clusters import Codes, Labels, Values
from .._core.letters import RandomState, as_float64, as_generator
from .._core.results import GIAResult
from .._core.short import in_short
from .inputs import LocalImportance, as_arms, check_fraction, clusters_of
from .intervals import confidence_interval
from .significance import paired_t_test

Rank = Literal["largest", "smallest", "magnitude"]


@in_short
class Discoveries(NamedTuple):
    """Adjusted p values of a search, and which of them stand."""

    p_adjusted: Values
    significant: NDArray[np.bool_]


def benjamini_hochberg(p: ArrayLike | torch.Tensor, alpha: float = 0.05) -> Discoveries:
    """Which of many conditions stand, if a share `alpha` of them may be false?

    Benjamini and Hochberg's control of the false discovery rate, for searches over
    k-mers, positions or spacings; all values of `p` are one family.

    Parameters
    ----------
    p: array-like or torch.Tensor, any shape
        p values of all conditions searched, not only of the best.

    alpha: float, optional
        Expected share of false discoveries among those reported. Default is 0.05.

    Returns
    -------
    discoveries: Discoveries
        `p_adjusted` and `significant` (p_adjusted < alpha), in the shape of `p`.

    Raises
    ------
    ValueError
        If `p` is empty or holds NaN or a value outside 0 to 1, or `alpha` is not
        between 0 and 1.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.02, 0.03, 0.5]).p_adjusted.round(3)
    array([0.04, 0.04, 0.04, 0.5 ])
    """
    values = as_float64(p, "p")
    check_fraction("alpha", alpha)
    if values.size == 0:
        raise ValueError("`p` is empty; the p values of a search are needed.")
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        raise ValueError(
            f"`p` holds {wrong.sum()} of {values.size} values that are NaN or outside "
            f"0 to 1, the first {values[wrong].flat[0]}."
        )
    adjusted = scipy.stats.false_discovery_control(values, axis=None, method="bh")
    adjusted = np.asarray(adjusted).reshape(values.shape)[()]
    return Discoveries(adjusted, adjusted < alpha)


@one_warning
def holm(p: ArrayLike) -> Values:
    """p values corrected so that any false one is as rare as a single test says.

    Holm (1979); NaN are no tests.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).round(3)
    array([0.03, 0.06, 0.06])
    """
    values = np.asarray(p, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    factors = len(order) - np.arange(len(order))
    steps = np.maximum.accumulate(values[order] * factors)
    adjusted[order] = np.minimum(steps, 1)
    return adjusted


def rescore_winners(
    selection: LocalImportance,
    held_out: LocalImportance,
    *,
    top: int = 1,
    by: Rank = "largest",
    confidence: float = 0.95,
    clusters: Labels | None = None,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Which conditions win on some backgrounds, and what do they do on others?

    Parameters
    ----------
    selection: GIAResult, array-like or torch.Tensor, shape=(n_selection, n_conditions)
        A result with one output, or local importances, on the backgrounds that pick the
        winners.

    held_out: GIAResult, array-like or torch.Tensor, shape=(n_held_out, n_conditions)
        The same conditions on other backgrounds, which share no template with the
        first.

    top: int, optional
        How many winners. Default is 1.

    by: {"largest", "smallest", "magnitude"}, optional
        What makes a winner: the largest effect, the smallest (most negative), or the
        largest absolute value; of equals the first. Default is "largest".

    confidence: float, optional
        Coverage of the intervals. Default is 0.95.

    clusters: sequence or None, shape=(n_held_out,), optional
        The template each held-out background was shuffled from; None takes those that
        a result carries. Default is None.

    alpha: float, optional
        Adjusted p values below it are significant. Default is 0.05.

    Returns
    -------
    table: pandas.DataFrame
        One row per winner, best on the selection first: `condition` (its index), for
        results the columns of the conditions, `selection_effect` (on the backgrounds
        that picked it: biased), and on the held-out backgrounds `effect`, `se`, `low`,
        `high`, `p` (paired t against 0), `p_adjusted` (Benjamini-Hochberg over the
        winners), `significant`, `n` and, with clusters, `n_clusters`. A warning says if
        the results of both have clusters of the same label.

    Raises
    ------
    ValueError
        If the conditions differ, both sets of backgrounds are the same, an
        option is out of range, and as in `statistics.confidence_interval`.

    Examples
    --------
    >>> selection = [[1.0, 3.0], [2.0, 4.0], [1.0, 4.0]]
    >>> held_out = [[1.0, 2.0], [1.0, 3.0], [2.0, 2.5]]
    >>> rescore_winners(selection, held_out)[["condition", "effect"]].values.tolist()
    [[1.0, 2.5]]
    """
    picked, scored = (
        _as_conditions(local, name)
        for local, name in ((selection, "selection"), (held_out, "held_out"))
    )
    if picked.shape[1] != scored.shape[1]:
        raise ValueError(
            f"`selection` has {picked.shape[1]} conditions and `held_out` "
            f"{scored.shape[1]}; they must be the same ones."
        )
    if np.array_equal(picked, scored) and np.ptp(picked, axis=0).any():
        raise ValueError(
            "`selection` and `held_out` are equal; winners must be re-scored on other "
            "backgrounds than picked them."
        )
    _check_apart(selection, held_out)
    codes = clusters_of(clusters, len(scored), held_out)
    table = _rescore(picked, scored, top, by, confidence, codes, alpha)
    if isinstance(selection, GIAResult) and isinstance(held_out, GIAResult):
        if not selection.conditions.equals(held_out.conditions):
            raise ValueError(
                "`selection` and `held_out` have other conditions; they must be the "
                "same ones."
            )
        return _describe(table, selection.conditions)
    return table


@one_warning
def split_and_rescore(
    local: LocalImportance,
    *,
    top: int = 1,
    by: Rank = "largest",
    selection_fraction: float = 0.5,
    confidence: float = 0.95,
    clusters: Labels | None = None,
    random_state: RandomState = 0,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Which conditions win, and what do they do, if there is one set of backgrounds?

    The backgrounds are divided at random; one part picks the winners, the other reports
    them.

    Parameters
    ----------
    local: GIAResult, array-like or torch.Tensor, shape=(n, n_conditions)
        A result with one output, or local importances, on all backgrounds.

    top, by, confidence, alpha
        As in `rescore_winners`.

    selection_fraction: float, optional
        Share of the backgrounds that picks the winners. Default is 0.5.

    clusters: sequence or None, shape=(n,), optional
        The template each background was shuffled from: templates are then divided, so
        that none is on both sides. None takes those that a result carries.
        Default is None.

    random_state: int, numpy Generator or None, optional
        Seed of the division; None divides differently each time. Default is 0.

    Returns
    -------
    table: pandas.DataFrame
        As from `rescore_winners`; `n` counts the held-out backgrounds.

    Raises
    ------
    ValueError
        If a part has fewer than two backgrounds (or templates), and as in
        `rescore_winners`.

    Examples
    --------
    >>> local = [[0.0, 5.0 + i % 2] for i in range(8)]
    >>> split_and_rescore(local)[["condition", "n"]].values.tolist()
    [[1, 4]]
    """
    values = _as_conditions(local, "local")
    check_fraction("selection_fraction", selection_fraction)
    n = len(values)
    known = clusters_of(clusters, n, local)
    codes = np.arange(n) if known is None else known
    n_units = int(codes.max()) + 1
    n_selection = round(selection_fraction * n_units)
    if not 2 <= n_selection <= n_units - 2:
        units = "backgrounds" if known is None else "templates"
        raise ValueError(
            f"`selection_fraction`={selection_fraction} of {n_units} {units} puts "
            f"{n_selection} on one side and {n_units - n_selection} on the other; at "
            "least 2 are needed on each."
        )
    order = as_generator(random_state).permutation(n_units)
    selects = np.isin(codes, order[:n_selection])
    held_out_codes = None if known is None else codes[~selects]
    table = _rescore(
        values[selects], values[~selects], top, by, confidence, held_out_codes, alpha
    )
    return _describe(table, local.conditions) if isinstance(local, GIAResult) else table


def _check_apart(selection: LocalImportance, held_out: LocalImportance) -> None:
    """Warn where the same templates pick the winners and measure them."""
    if not isinstance(selection, GIAResult) or not isinstance(held_out, GIAResult):
        return
    if selection.clusters is None or held_out.clusters is None:
        return
    shared = {*selection.clusters.tolist()} & {*held_out.clusters.tolist()}
    if shared:
        warnings.warn(
            f"`selection` and `held_out` have {len(shared)} of their clusters "
            "(templates) in common; what these share raises the effects of winners. "
            "Use other templates, or `split_and_rescore`, which divides them.",
            UserWarning,
            stacklevel=3,
        )


def _rescore(
    picked: Values,
    scored: Values,
    top: int,
    by: Rank,
    confidence: float,
    clusters: Codes | None,
    alpha: float,
) -> pd.DataFrame:
    effect = picked.mean(axis=0)
    if not 1 <= top <= len(effect):
        raise ValueError(
            f"`top`={top} must be between 1 and the {len(effect)} conditions."
        )
    keys = {"largest": -effect, "smallest": effect, "magnitude": -np.abs(effect)}
    if by not in keys:
        raise ValueError(f"`by`={by!r} must be one of {tuple(keys)}.")
    winners = np.argsort(keys[by], kind="stable")[:top]
    local = scored[:, winners]
    interval = confidence_interval(local, confidence, clusters=clusters)
    p = paired_t_test(local, clusters=clusters, alpha=alpha).p
    adjusted = benjamini_hochberg(p, alpha)
    table: pd.DataFrame = pd.DataFrame(
        {
            "condition": winners,
            "selection_effect": effect[winners],
            "effect": interval.effect,
            "se": interval.se,
            "low": interval.low,
            "high": interval.high,
            "p": p,
            "p_adjusted": adjusted.p_adjusted,
            "significant": adjusted.significant,
            "n": interval.n,
        }
    )
    if clusters is not None:
        table["n_clusters"] = len(np.unique(clusters))
    return table


def _describe(table: pd.DataFrame, conditions: pd.DataFrame) -> pd.DataFrame:
    """The winners with what the conditions hold, behind their number."""
    taken = conditions.columns.intersection(table.columns).tolist()
    if taken:
        raise ValueError(
            f"the conditions have the columns {taken}, which the table adds; rename "
            "them."
        )
    held = conditions.iloc[table["condition"]].reset_index(drop=True)
    described: pd.DataFrame = pd.concat(
        [table[["condition"]], held, table.drop(columns="condition")], axis=1
    )
    return described


def _as_conditions(local: LocalImportance, name: str) -> Values:
    values = as_arms(local, name)
    if values.ndim != 2:
        raise ValueError(
            f"`{name}` has shape {values.shape}; it must be (n, n_conditions). Choose "
            "one output of a model with several."
        )
    return values
