"""Effects along an axis, and k-mers by rank."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from .style import (
    BLUE,
    GLOBAL,
    GREY,
    HEIGHT,
    LINE,
    PLAIN,
    SMALL,
    VERMILION,
    Columns,
    add_legend,
    as_frame,
    check_columns,
    column_title,
    count,
    finish,
    half_widths,
    legend_height,
    new_axes,
    note,
    palette,
    row_labels,
    whole_ticks,
    wrapped,
)


def spacing_curve(
    result: Any,
    spacing: str = "spacing",
    *,
    by: Columns = (),
    ax: Axes | None = None,
) -> Axes:
    """How does the effect of two motifs depend on the bases between them?

    Global importance against spacing, with a band for the interval.

    Parameters
    ----------
    result: GIAResult, or pandas.DataFrame as from `to_frame`
        The outcome of `motif_spacing`, or of any experiment with a numeric axis; also
        `Comparison.summary()`, whose band is that over models.

    spacing: str, optional
        Column of the horizontal axis. Default is "spacing".

    by: str or sequence of str, optional
        Columns of which each combination is a curve, such as "arm" or "background".
        Default is none.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If a column is unknown, two conditions of a curve have the same spacing, or
        there are several outputs (choose one by `result.output(label)`).

    Examples
    --------
    >>> frame = pd.DataFrame({"spacing": [2, 0, 1], "effect": [3.0, 1.0, 2.0]})
    >>> ax = spacing_curve(frame)
    >>> ax.lines[1].get_xydata().tolist()
    [[0.0, 1.0], [1.0, 2.0], [2.0, 3.0]]
    """
    return _curves(result, spacing, "spacing", by, ax)


def position_curve(
    result: Any,
    start: str = "start",
    *,
    by: Columns = (),
    ax: Axes | None = None,
) -> Axes:
    """How does the effect of a motif depend on where it stands?

    Global importance against the first base of the motif, with a band for the interval.

    Parameters
    ----------
    result: GIAResult, or pandas.DataFrame as from `to_frame`
        The outcome of `positional_bias`.

    start: str, optional
        Column of the horizontal axis. Default is "start".

    by, ax
        As for `spacing_curve`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        As `spacing_curve`.

    Examples
    --------
    >>> frame = pd.DataFrame({"start": [0, 1], "effect": [1.0, 2.0]})
    >>> position_curve(frame).get_xlabel()
    'Start of the motif (0-based position)'
    """
    return _curves(result, start, "start", by, ax)


def kmer_ranks(
    result: Any,
    top: int = 5,
    *,
    kmer: str = "kmer",
    ax: Axes | None = None,
) -> Axes:
    """How far do the best k-mers stand out from all others?

    Global importance of every k-mer by rank, the best named.

    Parameters
    ----------
    result: KmerScan, or pandas.DataFrame as from `to_frame`
        The outcome of `kmer_scan`.

    top: int, optional
        How many of the best to name. Default is 5.

    kmer: str, optional
        Column with the k-mers. Default is "kmer".

    ax
        As for `spacing_curve`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If the column is unknown, `top` is negative, or there are several outputs.

    Examples
    --------
    >>> scan = pd.DataFrame({"kmer": ["UG", "GC", "AA"], "effect": [2.0, 3.0, 0.0]})
    >>> ax = kmer_ranks(scan, top=1)
    >>> [text.get_text() for text in ax.texts]
    ['1 GC', '3 k-mers']
    """
    if top < 0:
        raise ValueError(f"`top`={top} must be at least 0.")
    frame = as_frame(result)
    check_columns(frame, "kmer", kmer)
    frame = frame.sort_values("effect", ascending=False, kind="stable")
    effect = frame["effect"].to_numpy()
    ranks = np.arange(1, len(frame) + 1)
    # The list of names has to fit.
    ax = new_axes(ax, height=max(HEIGHT, 0.8 + 1.2 * LINE * min(top, len(frame))))
    ax.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    ax.plot(ranks, effect, ".", color=BLUE, markersize=3)
    ax.plot(ranks[:top], effect[:top], ".", color=VERMILION, markersize=5)
    named = [f"{i + 1} {name}" for i, name in enumerate(frame[kmer].head(top))]
    # By rank effects fall, late if most are near the highest: then there is room below.
    above = 2 * np.median(effect) <= effect[0] + effect[-1]
    ax.text(
        0.98 if above else 0.02,
        0.97 if above else 0.03,
        "\n".join(named),
        transform=ax.transAxes,
        ha="right" if above else "left",
        va="top" if above else "bottom",
        fontsize=SMALL,
        family="monospace",
        color=VERMILION,
        **PLAIN,
    )
    phrases = [f"{len(frame):,} k-mers", count(frame)]
    note(ax, ", ".join(phrase for phrase in phrases if phrase))
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda rank, _: f"{rank:,.0f}")
    ax.xaxis.set_minor_formatter(NullFormatter())
    return finish(ax, "Rank", GLOBAL)


def _curves(result: Any, x: str, argument: str, by: Columns, ax: Axes | None) -> Axes:
    frame = as_frame(result)
    check_columns(frame, argument, x)
    if not pd.api.types.is_numeric_dtype(frame[x]):
        raise ValueError(
            f"`{argument}`={x!r} holds {frame[x].iloc[0]!r}; numbers are needed for a "
            "curve."
        )
    groups = check_columns(frame, "by", by)
    row = np.array(row_labels(frame, groups) if groups else [""] * len(frame))
    names = {label: wrapped(label) for label in dict.fromkeys(row.tolist())}
    ax = new_axes(ax, height=legend_height(list(names.values()), 1.3))
    ax.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    colours, drawn = palette(ax), []
    for i, label in enumerate(names):
        curve = frame[row == label].sort_values(x, kind="stable")
        if curve[x].duplicated().any():
            twice = curve.loc[curve[x].duplicated(), x].iloc[0]
            raise ValueError(
                f"several conditions have `{argument}` {x}={twice}; name in `by` the "
                "columns that tell them apart, or `select` conditions."
            )
        # More curves than colours are told apart by their dashes.
        style = ("-", "--", ":", "-.")[i // len(colours) % 4]
        drawn.append(_draw_curve(ax, curve, x, style, colours[i % len(colours)]))
    if groups:
        labels = list(names.values())
        add_legend(ax, drawn, labels, title=column_title(groups), handlelength=1)
    if count(frame):
        note(ax, count(frame))
    if frame[x].dtype.kind in "iu":
        whole_ticks(ax.xaxis)
    return finish(ax, column_title(x), GLOBAL)


def _draw_curve(ax: Axes, curve: pd.DataFrame, x: str, style: str, colour: Any) -> Any:
    """Draw a curve; returns its line."""
    at, effect = curve[x], curve["effect"]
    (line,) = ax.plot(at, effect, style, color=colour, linewidth=1.2)
    widths = half_widths(curve)
    if len(curve) == 1:
        # A curve of one point cannot be seen, nor its band.
        ax.errorbar(
            at, effect, yerr=widths, fmt="o", color=colour, markersize=4, capsize=2
        )
    elif widths is not None:
        ax.fill_between(at, curve["low"], curve["high"], color=colour, alpha=0.25, lw=0)
    return line
