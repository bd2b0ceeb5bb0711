"""Effects beside the structure of their sequences, and structures beneath logos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Arc
from numpy.typing import ArrayLike

from .._core.letters import DNA
from ..statistics.associations import correlation
from ..statistics.intervals import Interval, confidence_interval
from ..structure.pairs import pair_indices
from .logos import draw_logo, number_positions
from .style import (
    BLUE,
    GREY,
    LOCAL,
    Columns,
    Values,
    add_legend,
    backgrounds,
    check_columns,
    check_one_output,
    distinct_columns,
    finish,
    ink,
    legend_height,
    new_axes,
    note,
    palette,
    row_labels,
    wrapped,
)

# Groups of equal size whose means are drawn, and the fewest backgrounds of one.
_GROUPS, _FEWEST = 6, 10


def pairedness_scatter(
    frame: pd.DataFrame,
    by: Columns | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Does a motif do more where its site is unpaired?

    Local importance in each background against the probability that a base of the site
    is unpaired. Large points are the means, with 95 % intervals, of six groups of
    backgrounds from the most paired to the least; r is the correlation over all.

    Parameters
    ----------
    frame: pandas.DataFrame
        From `importance_by_structure`, of a result with one output.

    by: str, sequence of str or None, optional
        Columns of the conditions that are told apart by colour. None takes the first
        ones that tell all conditions apart. Default is None.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is missing or unknown, there are several outputs, or no condition
        has a site.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {
    ...         "patterns": "GCUGGC@17",
    ...         "background": range(40),
    ...         "output": 0,
    ...         "unpaired": np.linspace(0, 1, 40),
    ...         "local_importance": np.linspace(0, 2, 40),
    ...     }
    ... )
    >>> ax = pairedness_scatter(frame)
    >>> ax.texts[0].get_text()
    'r = 1.00, n = 40 backgrounds'
    """
    ax = _scatter(frame, "unpaired", by, ax)
    ax.set_xlim(-0.03, 1.03)
    return finish(ax, "P(site unpaired)", LOCAL)


def stability_scatter(
    frame: pd.DataFrame,
    by: Columns | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Does a motif do more, or less, in sequences with a stable structure?

    Local importance in each background against the free energy of the most stable
    structure of the sequence with the motif, as in `pairedness_scatter`; stable ones
    are on the left.

    Parameters
    ----------
    frame, by, ax
        As in `pairedness_scatter`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        As `pairedness_scatter`.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {
    ...         "patterns": "GCUGGC@17",
    ...         "background": range(40),
    ...         "output": 0,
    ...         "energy": np.linspace(-9, 0, 40),
    ...         "local_importance": np.linspace(2, 0, 40),
    ...     }
    ... )
    >>> ax = stability_scatter(frame)
    >>> ax.get_xlabel()
    'Free energy (kcal/mol)'
    """
    ax = _scatter(frame, "energy", by, ax)
    return finish(ax, "Free energy (kcal/mol)", LOCAL)


def structure_arcs(structure: str, *, ax: Axes | None = None) -> Axes:
    """Which positions of a sequence pair? Arcs that hang below a logo.

    Give axes below those of `mutagenesis_logo`, from
    `subplots(2, 1, sharex=True)`: positions stand below each other.

    Parameters
    ----------
    structure: str
        Dot-bracket string, such as a design or one of `fold(...).structures`.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If the string is malformed or empty.

    Examples
    --------
    >>> ax = structure_arcs(".((...)).")
    >>> len(ax.patches)
    2
    """
    pairs = pair_indices(structure)
    if not len(structure):
        raise ValueError("`structure` is empty; a position is needed.")
    ax = new_axes(ax, height=1.2)
    length = len(structure)
    ax.axhline(0, color=GREY, linewidth=0.8, zorder=0)
    paired = sorted(pairs.ravel().tolist())
    ax.plot(paired, [0] * len(paired), "o", color=BLUE, markersize=2.5, lw=0)
    for i, j in pairs.tolist():
        middle, width = (i + j) / 2, j - i
        arc = Arc((middle, 0), width, width, theta1=180, theta2=360)
        arc.set(edgecolor=BLUE, linewidth=0.9)
        ax.add_patch(arc)
    deepest = max((j - i for i, j in pairs.tolist()), default=1) / 2
    ax.set_ylim(-1.08 * deepest, 0.1 * deepest)
    ax.set_xlim(-0.5, length - 0.5)
    number_positions(ax, length)
    ax.set_yticks([])
    finish(ax, "Position", "Pairs")
    ax.spines["left"].set_visible(False)
    return ax


def unpaired_logo(
    unpaired: ArrayLike,
    sequence: str,
    alphabet: Sequence[str] = DNA,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Which letters of a sequence are unpaired? A track to stand below a logo.

    Each letter is as high as its probability to be unpaired.

    Parameters
    ----------
    unpaired: array-like, shape=(length,)
        Probabilities, such as a row of `unpaired_probabilities`; NaN is padding.

    sequence: str
        The letters; those of padding are not drawn, whatever they are.

    alphabet: sequence of str, optional
        Letters in channel order. Default is DNA.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If lengths differ, a number is no probability, or a letter is neither in the
        alphabet nor N.

    Examples
    --------
    >>> ax = unpaired_logo([0.1, 0.9, 1.0, 0.1], "GAAC")
    >>> ax.get_ylabel()
    'P(unpaired)'
    """
    heights = np.asarray(unpaired, dtype=float)
    if heights.shape != (len(sequence),) or not len(sequence):
        raise ValueError(
            f"`unpaired` has shape {heights.shape} and `sequence` {len(sequence)} "
            "letters; there must be one number for each, and at least one."
        )
    is_base = ~np.isnan(heights)
    if ((heights[is_base] < 0) | (heights[is_base] > 1)).any():
        raise ValueError("`unpaired` must hold probabilities, between 0 and 1.")
    columns = [*alphabet, *([] if "N" in alphabet else ["N"])]
    logo: pd.DataFrame = pd.DataFrame(0.0, range(len(sequence)), columns)
    for position in np.flatnonzero(is_base).tolist():
        letter = sequence[position]
        if letter not in columns:
            raise ValueError(
                f"`sequence` holds {letter!r} at position {position}; allowed are "
                f"{', '.join(columns)}."
            )
        logo.loc[position, letter] = heights[position]
    ax = new_axes(ax, height=1.2)
    draw_logo(ax, logo)
    ax.set_ylim(0, 1)
    ax.set_yticks([0, 0.5, 1])
    return finish(ax, "Position", "P(unpaired)")


def _scatter(
    frame: pd.DataFrame, column: str, by: Columns | None, ax: Axes | None
) -> Axes:
    """Local importance against a column, a colour for each group of conditions."""
    rows = _rows_with(frame, column)
    conditions = rows.loc[:, :"background"].drop(columns="background")
    names = (
        distinct_columns(conditions.drop_duplicates())
        if by is None
        else check_columns(conditions, "by", by)
    )
    labels = np.array(row_labels(rows, names))
    groups = list(dict.fromkeys(labels.tolist()))
    titles = [wrapped(group) for group in groups]
    ax = new_axes(ax, height=legend_height(titles, 2.3))
    ax.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    templates = [int(rows["cluster"].nunique())] if "cluster" in rows else []
    notes = [backgrounds([int(rows["background"].nunique())], templates)]
    colours, handles = palette(ax), []
    for i, group in enumerate(groups):
        part = rows[labels == group]
        x, y = part[column].to_numpy(float), part["local_importance"].to_numpy(float)
        known = part["cluster"].to_numpy() if "cluster" in part else None
        colour, text = colours[i % len(colours)], _correlation(x, y, known)
        titles[i] = f"{titles[i]}\n{text}"
        handles.append(ax.scatter(x, y, s=5, color=colour, alpha=0.3, linewidths=0))
        _draw_means(ax, x, y, known, colour if len(groups) > 1 else ink(ax))
    if len(groups) > 1:
        legend = add_legend(ax, handles, titles, handletextpad=0.2)
        for handle in legend.legend_handles:
            handle.set_alpha(1)  # type: ignore[union-attr]
    elif text:
        notes.insert(0, text)
    note(ax, ", ".join(notes))
    return ax


def _rows_with(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows with a number in the column, checked."""
    needed = ("background", "output", column, "local_importance")
    missing = [name for name in needed if name not in frame]
    if missing:
        raise ValueError(
            f"`frame` lacks the column {missing[0]!r}; it must come from "
            "`importance_by_structure`."
        )
    rows: pd.DataFrame = check_one_output(frame, "frame")
    rows = rows[rows[column].notna()].reset_index(drop=True)
    if rows.empty:
        raise ValueError(f"`frame` has no number in the column {column!r}.")
    return rows


def _draw_means(ax: Axes, x: Values, y: Values, clusters: Any, colour: Any) -> None:
    """Means of groups of backgrounds that are neighbours on the x axis."""
    n_groups = min(_GROUPS, len(x) // _FEWEST)
    if n_groups < 2 or x.min() == x.max():
        return
    parts = np.array_split(np.argsort(x, kind="stable"), n_groups)
    intervals = [
        confidence_interval(
            y[part], clusters=None if clusters is None else clusters[part]
        )
        for part in parts
    ]
    effect = np.array([float(interval.effect) for interval in intervals])
    errors = np.array(
        [[float(v.effect - v.low), float(v.high - v.effect)] for v in intervals]
    ).T
    ax.errorbar(
        [float(x[part].mean()) for part in parts],
        effect,
        yerr=errors,
        color=colour,
        marker="o",
        markersize=4,
        markeredgecolor=ink(ax),
        markeredgewidth=0.5,
        linewidth=1,
        capsize=2,
    )


def _correlation(x: Values, y: Values, clusters: Any) -> str:
    """The correlation and its interval; "" if there is none."""
    if len(x) < _FEWEST or np.ptp(x) == 0 or np.ptp(y) == 0:
        return ""
    interval: Interval = correlation(x, y, clusters=clusters)
    r, low, high = (
        f"{float(value):.2f}".replace("-", "−")
        for value in (interval.effect, interval.low, interval.high)
    )
    return f"r = {r}" + (f" [{low}, {high}]" if low != high else "")
