"""Findings side by side: under many backgrounds, and over many experiments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from .logos import draw_grid
from .style import (
    GLOBAL,
    HEIGHT,
    LINE,
    PLAIN,
    SMALL,
    Columns,
    add_legend,
    as_frame,
    check_columns,
    column_title,
    count,
    distinct_columns,
    figure_width,
    finish,
    half_widths,
    ink,
    label_ticks,
    labelled_height,
    new_axes,
    note,
    palette,
    row_labels,
    whole_ticks,
    wrapped,
)

# Numbers in a grid of more cells would overlap, as would wider ones. The title and the
# colour bar take so many inches, and every letter of the row labels some more.
_MOST_CELLS = 80
_BESIDE, _BESIDE_PER_LETTER, _LETTERS_PER_INCH = 1.05, 0.06, 22
# A page, in inches, and what of it can have row labels.
_HIGHEST, _ROW_LABELS_HEIGHT = 9, 9
_MEASURED = ["output", "effect", "se", "low", "high", "n", "n_clusters", "df"]
_MEASURED += ["n_models", "between_sd"]


def background_grid(
    comparison: Any,
    label: Columns | None = None,
    *,
    across: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Does a finding depend on the choice of background, or of model?

    Global importance of every condition (rows) under every background (columns), as
    colours, and as numbers where they fit, in brackets where the interval includes 0.

    Parameters
    ----------
    comparison: Comparison, or a table as from `to_frame`
        The outcome of `across_backgrounds` or `across_models`.

    label: str, sequence of str or None, optional
        Columns of the conditions that label the rows. None takes the first ones that
        tell all conditions apart. Default is None.

    across: str or None, optional
        Column whose values are the grid's columns. None is what a comparison is
        across, of a table "background". Default is None.

    ax
        As for `spacing_curve`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If a column is unknown, a cell has no effect or several, or there are several
        outputs.

    Examples
    --------
    >>> frame = pd.DataFrame(
    ...     {"background": ["profile", "shuffle"], "n_sites": 1, "effect": [1.0, 2.0]}
    ... )
    >>> background_grid(frame).images[0].get_array().tolist()
    [[1.0, 2.0]]
    """
    frame = as_frame(comparison)
    if across is None:
        across = str(getattr(comparison, "across", "background"))
    check_columns(frame, "across", across)
    names = list(dict.fromkeys(frame[across]))
    own = frame[frame[across] == names[0]].reset_index(drop=True)
    if label is None:
        measured = [column for column in [*_MEASURED, across] if column in own]
        rows = distinct_columns(own.drop(columns=measured))
    else:
        rows = check_columns(frame, "label", label)
    blocks = [frame[frame[across] == name].reset_index(drop=True) for name in names]
    _check_cells(blocks, rows, across)
    values = np.stack([block["effect"].to_numpy() for block in blocks], axis=1)
    labels = [wrapped(row) for row in row_labels(own, rows)]
    row_height = 0.08 + LINE * max(1 + row.count("\n") for row in labels)
    ticks = [str(name) for name in names]
    height = max(1.2, row_height * len(own)) + labelled_height(ticks) - HEIGHT + 0.9
    ax = new_axes(ax, height=min(height, _HIGHEST))
    draw_grid(ax, values, GLOBAL)
    longest = max(len(line) for row in labels for line in row.split("\n"))
    inches = figure_width(ax) - _BESIDE - _BESIDE_PER_LETTER * longest
    notes = [count(frame), *_write_cells(ax, values, blocks, inches)]
    step = math.ceil(len(own) * row_height / _ROW_LABELS_HEIGHT)
    ax.set_yticks(range(0, len(own), step), labels[::step], **PLAIN)
    label_ticks(ax, ticks)
    note(ax, "\n".join(part for part in notes if part))
    finish(ax, "", column_title(rows).replace(" (", "\n("))
    ax.spines[:].set_visible(False)
    return ax


def gc_bias_histograms(
    frame: pd.DataFrame,
    columns: Columns = ("left", "right"),
    *,
    labels: Sequence[str] | None = None,
    reference: float | None = None,
    xlabel: str = "GC-bias effect size",
    bins: int = 30,
    ax: Axes | None = None,
) -> Axes:
    """Does GC at the 5' or the 3' end matter in many experiments?

    Histograms over experiments (the paper's figures 4d and 4e).

    Parameters
    ----------
    frame: pandas.DataFrame
        One row per experiment, with effect sizes (the importance with GC on an end
        over that of the motif alone), or their 5' - 3' difference. NaN, where there is
        none, is not drawn, and the figure says in how many rows one was missing.

    columns: str or sequence of str, optional
        One histogram for each, on common bins. Default is ("left", "right").

    labels: sequence of str or None, optional
        Their names in the legend; None takes those of the columns, with 5' GC and 3' GC
        for "left" and "right". Default is None.

    reference: float or None, optional
        Where GC makes no difference: 1 for effect sizes, 0 for differences; a dashed
        line. Default is None, no line.

    xlabel: str, optional
        Label of the horizontal axis. Default is "GC-bias effect size".

    bins: int, optional
        Number of bins. Default is 30.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If a column is unknown, holds no number or infinity, or labels do not fit.

    Examples
    --------
    >>> table = pd.DataFrame({"left": [0.9, 1.0, 1.1], "right": [1.2, 1.4, 1.3]})
    >>> ax = gc_bias_histograms(table, reference=1)
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ["5' GC", "3' GC"]
    """
    names = check_columns(frame, "columns", columns)
    if labels is None:
        labels = [{"left": "5' GC", "right": "3' GC"}.get(n, n) for n in names]
    if len(labels) != len(names):
        raise ValueError(f"`labels`={labels!r} must name the columns {names}.")
    values = [_numbers(frame[name], f"`frame` column {name!r}") for name in names]
    ax = new_axes(ax)
    handles = _histograms(ax, values, bins)
    if reference is not None:
        ax.axvline(reference, color=ink(ax), linewidth=0.8, linestyle="--")
    if len(names) > 1:
        add_legend(ax, handles, labels)
    note(ax, _experiments(values))
    return finish(ax, xlabel, "Number of experiments")


def additivity_histogram(
    r2: ArrayLike, *, bins: int = 20, ax: Axes | None = None
) -> Axes:
    """In how many experiments do the sites of a motif add up?

    Histogram of the R2 of additivity fits (the paper's figure 2g).

    Parameters
    ----------
    r2: array-like, shape=(n_experiments,)
        R2 of each, such as `additivity_fit(...).r2`; NaN, where there is none, is not
        drawn, and the figure says how many there were.

    bins: int, optional
        Number of bins. Default is 20.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If no R2 is a number.

    Examples
    --------
    >>> ax = additivity_histogram([0.99, 0.97, 0.5, float("nan")])
    >>> ax.texts[0].get_text()
    'n = 3 experiments (1 more without a value), median 0.97'
    """
    values = _numbers(r2, "`r2`")
    ax = new_axes(ax)
    _histograms(ax, [values], bins)
    median = float(np.nanmedian(values))
    note(ax, f"{_experiments([values])}, median {median:.3g}")
    return finish(ax, "R² of the additivity fit", "Number of experiments")


def _check_cells(blocks: list[pd.DataFrame], rows: list[str], across: str) -> None:
    keys = [list(map(str, block[rows].itertuples(index=False))) for block in blocks]
    if any(key != keys[0] for key in keys) or len(set(keys[0])) < len(keys[0]):
        raise ValueError(
            f"`label`={rows} and `across`={across!r} do not give each cell of the grid "
            "one effect; name the columns that tell the conditions apart."
        )


def _write_cells(
    ax: Axes, values: Any, blocks: list[pd.DataFrame], inches: float
) -> list[str]:
    """Write effects into the cells if they fit; what has to be said about them."""
    limit = np.abs(values).max() or 1.0
    power = math.floor(math.log10(limit))
    most = _LETTERS_PER_INCH * inches / values.shape[1]
    # Large, small and too long numbers are written without their power of ten.
    for scale in dict.fromkeys([0 if -1 <= power <= 1 else power, power]):
        texts, bracketed = _cell_texts(values, blocks, scale, power)
        if values.size <= _MOST_CELLS and max(map(len, texts.flat)) <= most:
            break
    else:
        return []
    for row, column in np.ndindex(values.shape):
        dark = abs(values[row, column]) > 0.65 * limit
        ax.text(
            column,
            row,
            texts[row, column],
            ha="center",
            va="center",
            fontsize=SMALL,
            color="white" if dark else "black",
        )
    notes = [f"numbers: times 1e{scale}"] if scale else []
    return notes + (["in brackets: interval includes 0"] if bracketed else [])


def _cell_texts(
    values: Any, blocks: list[pd.DataFrame], scale: int, power: int
) -> tuple[Any, bool]:
    """Effects over a power of ten, with two digits of the largest; any brackets?"""
    decimals = max(0, 1 - power + scale)
    # Adding 0 turns a rounded -0 into 0.
    rounded = (values / 10.0**scale).round(decimals) + 0
    texts = np.array([[f"{v:.{decimals}f}" for v in row] for row in rounded], object)
    bracketed = False
    for column, block in enumerate(blocks):
        if half_widths(block) is not None:
            holds_0 = (block["low"] <= 0) & (block["high"] >= 0)
            for row in np.flatnonzero(holds_0):
                texts[row, column], bracketed = f"({texts[row, column]})", True
    return texts, bracketed


def _numbers(values: Any, name: str) -> Any:
    numbers = np.asarray(values, dtype=float).ravel()
    if np.isinf(numbers).any() or not np.isfinite(numbers).any():
        raise ValueError(f"{name} must hold numbers, at least one, and no infinity.")
    return numbers


def _histograms(ax: Axes, values: list[Any], bins: int) -> list[Any]:
    """Draw histograms on common bins; returns a bar of each."""
    edges = np.histogram_bin_edges(
        np.concatenate([v[np.isfinite(v)] for v in values]), bins
    )
    colours, drawn = palette(ax), []
    for i, numbers in enumerate(values):
        ax.hist(
            numbers[np.isfinite(numbers)],
            bins=edges.tolist(),
            color=colours[i % len(colours)],
            alpha=1 if len(values) == 1 else 0.6,
        )
        drawn.append(ax.patches[-1])
    whole_ticks(ax.yaxis)
    return drawn


def _experiments(values: list[Any]) -> str:
    total = len(values[0])
    missing = int(np.isnan(np.stack(values)).any(axis=0).sum())
    more = f" ({missing} more without a value)" if missing else ""
    n = total - missing
    return f"n = {n} experiment{'' if n == 1 else 's'}{more}"
