"""Expected motifs in the distribution of all k-mers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from .._core.letters import check_count
from .style import (
    BLUE,
    GLOBAL,
    GREEN,
    GREY,
    LINE,
    PLAIN,
    PURPLE,
    VERMILION,
    add_legend,
    backgrounds,
    finish,
    new_axes,
    note,
    shortened,
)

_BINS = 60
# Lines of a row, and what stands above and below all, in inches; letters of a label.
_ROW, _AROUND, _LABEL = 4.5, 1.7, 12
# Where in a row its word, and the others, stand below the distribution.
_WORD, _OTHERS = -0.12, -0.26
_FEWEST_ROWS = 2
_ROLES = {"shift": ("^", GREEN), "reverse complement": ("D", PURPLE)}


def expected_ranks(
    expected: Any,
    top: int = 8,
    *,
    confidence: float = 0.95,
    alpha: float = 0.05,
    ax: Axes | None = None,
) -> Axes:
    """Where does the motif that a model should know stand among all k-mers?

    A row for each motif: the distribution of the effects of all k-mers of its length
    (logarithms of counts), and below it the word with its interval, its letters in
    other orders, the best of those that are moved by a letter or more, and of DNA the
    reverse complement.

    Parameters
    ----------
    expected: ExpectedMotifs
        The outcome of `rank_expected`.

    top: int, optional
        How many motifs to show, the first given. Default is 8.

    confidence, alpha
        As for `ExpectedMotifs.to_frame`.

    ax
        As for `spacing_curve`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If `expected` is no such result, or an option is out of range.

    Examples
    --------
    >>> import torch
    >>> from tangermeme_gia import rank_expected
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> ax = expected_ranks(rank_expected(model, X, ["GATA"], random_state=0))
    >>> len(ax.get_yticks())
    1
    """
    if not hasattr(expected, "ranks") or not hasattr(expected, "scans"):
        raise TypeError(
            f"`expected` is a {type(expected).__name__}; it must be the outcome of "
            "`rank_expected`."
        )
    check_count("top", top)
    ranks = expected.ranks(confidence)
    table = expected.to_frame(confidence, alpha=alpha).head(top)
    n_rows = max(len(table), _FEWEST_ROWS)
    height = LINE * _ROW * n_rows + _AROUND
    ax = new_axes(ax, height=height)
    ax.axvline(0, color=GREY, linewidth=0.6, zorder=0)
    handles: dict[str, Any] = {}
    places = np.arange(len(table))[::-1]
    for i, place in enumerate(places):
        k = expected.conditions["k"].iloc[i]
        effect = expected.scans[k].effect.flatten().numpy()
        handles["all k-mers"] = _draw_all(ax, effect, place)
        own = np.flatnonzero(expected.entries["number"] == i)
        others = effect[expected.orders[own[0]].numpy()]
        handles |= _draw_row(ax, ranks.iloc[own], others, place)
    ax.set_yticks(places, _labels(table), **PLAIN)
    ax.set_ylim(-0.4, len(table) - 0.3)
    below = {"loc": "upper center", "bbox_to_anchor": (0.35, -0.62 / height)}
    add_legend(ax, [*handles.values()], [*handles], beside=False, **below)
    clusters = expected.clusters
    templates = () if clusters is None else [len(set(clusters))]
    n_all = len(expected.conditions)
    more = f"{len(table)} of {n_all} motifs, " if n_all > len(table) else ""
    note(ax, more + backgrounds([expected.n], templates))
    return finish(ax, GLOBAL.replace("\n", " "), "")


def _draw_all(ax: Axes, effect: Any, place: float) -> Any:
    """The distribution of all effects."""
    counts, edges = np.histogram(effect, _BINS)
    heights = np.log1p(counts) / np.log1p(counts.max())
    return ax.fill_between(
        np.repeat(edges, 2)[1:-1],
        place,
        place + 0.65 * np.repeat(heights, 2),
        color=GREY,
        alpha=0.5,
        linewidth=0,
    )


def _draw_row(
    ax: Axes, ranks: pd.DataFrame, others: Any, place: float
) -> dict[str, Any]:
    """The word and what stands beside it; what the legend says of each."""
    handles: dict[str, Any] = {}
    if len(others):
        (handles["other orders"],) = ax.plot(
            others,
            np.full(len(others), place + _OTHERS),
            "|",
            color=BLUE,
            markersize=4,
            markeredgewidth=0.5,
        )
    for role, (marker, colour) in _ROLES.items():
        own = ranks[ranks["role"] == role]
        # Of shifts by several letters the best.
        own = own[own["rank"] == own["rank"].min()].head(1)
        if len(own):
            name = {"shift": "moved"}.get(role, role)
            (handles[name],) = ax.plot(
                own["effect"],
                [place + _OTHERS],
                marker,
                color=colour,
                markersize=4,
                linewidth=0,
            )
    word = ranks.iloc[0]
    half = word["high"] - word["effect"]
    handles["expected word"] = ax.errorbar(
        word["effect"],
        place + _WORD,
        xerr=half if np.isfinite(half) else None,
        fmt="o",
        color=VERMILION,
        markersize=4,
        linewidth=1.2,
        capsize=2,
    )
    return handles


def _labels(table: pd.DataFrame) -> list[str]:
    """Motif, rank and verdict."""
    return [
        f"{shortened(str(row.motif), _LABEL)}\n{row.rank:,} of {row.n_kmers:,}\n"
        + str(row.verdict).replace("learned, ", "learned,\n")
        for row in table.itertuples()
    ]
