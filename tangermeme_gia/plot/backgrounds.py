"""Local importances under many backgrounds, or of many models, side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from .._core.outputs import as_columns
from .._core.results import GIAResult
from ..statistics.comparisons import Comparison
from .effects import draw_boxes
from .style import (
    GREY,
    LINE,
    LOCAL,
    PLAIN,
    SKY,
    SMALL,
    WIDTH,
    Columns,
    Values,
    add_legend,
    as_frame,
    check_columns,
    column_title,
    count,
    distinct_columns,
    finish,
    ink,
    label_ticks,
    labelled_height,
    new_axes,
    one_output,
    row_labels,
    shortened,
    width_in_inches,
)

# Boxes for which one column of a journal is wide enough; more take two.
_MOST_IN_A_COLUMN = 8
# Between two panels, in widths of a tick's place, and the share that boxes take of it.
_GAP, _FILLED = 0.7, 0.85
# Letters of the name of a panel, to an inch and in all.
_LETTERS_PER_INCH, _MOST_LETTERS = 17, 40
# Areas of diamonds, in points.
_SMALLEST, _LARGEST = 3, 14
_CONTROLS = {"random": "#BBBBBB", "shuffled": "#E3E3E3"}


class _Slots(NamedTuple):
    """Ticks of a panel, and for each condition its place and colour."""

    labels: list[str]
    places: Values
    width: float
    colours: list[str]
    columns: list[str]


def background_boxes(
    comparison: Comparison,
    label: Columns | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Are the effects, and how much they depend on context, alike on all backgrounds?

    A panel per background with the local importances of every condition, all on one
    vertical axis, and the global importance as a diamond (the paper's figures S1-S5).
    Controls stand in grey beside what they are controls of. Boxes are those of
    `local_importance_boxes`. A new figure is as wide as one column of a journal, or as
    two where one is too narrow.

    Parameters
    ----------
    comparison: Comparison
        The outcome of `across_backgrounds`, or `across_models`, with one output.

    label: str, sequence of str or None, optional
        Columns of the conditions that label the boxes. None takes the first ones that
        tell all conditions apart that are no control. Default is None.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw all panels; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If `comparison` is no Comparison of results with local importances, a column is
        unknown, or there are several outputs.

    Examples
    --------
    >>> import torch
    >>> sites = pd.DataFrame({"n_sites": [1, 2]})
    >>> result = GIAResult(torch.zeros(9, 1), torch.randn(9, 2, 1), sites)
    >>> comparison = Comparison({"profile": result, "shuffle": result})
    >>> ax = background_boxes(comparison)
    >>> [text.get_text() for text in ax.texts]
    ['profile', 'shuffle', '◆ global importance, n = 9 backgrounds']
    """
    if not isinstance(comparison, Comparison):
        raise TypeError(
            f"`comparison` is a {type(comparison).__name__}; it must be what "
            "`across_backgrounds` or `across_models` returns."
        )
    results = [one_output(result) for result in comparison.results.values()]
    n = count(as_frame(comparison))
    names = [shortened(str(name), _MOST_LETTERS) for name in comparison.results]
    slots = _slots(results[0].conditions, label)
    ticks = slots.labels * len(results)
    wide = len(slots.colours) * len(results) > _MOST_IN_A_COLUMN
    width = 2 * WIDTH if wide else WIDTH
    ax = new_axes(ax, labelled_height(ticks, width) + 4 * LINE, width)
    step = len(slots.labels) + _GAP
    ax.set_xlim(-(1 + _GAP) / 2, len(results) * step - (1 + _GAP) / 2)
    ax.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    for i, result in enumerate(results):
        _panel(ax, result, slots, i * step)
        if i:
            ax.axvline(i * step - (1 + _GAP) / 2, color=GREY, linewidth=0.6)
    _legend(ax, slots)
    places = [i * step + np.arange(len(slots.labels)) for i in range(len(results))]
    label_ticks(ax, ticks, np.concatenate(places).tolist())
    lines = _titles(ax, names, [float(each.mean()) for each in places])
    _note_above(ax, f"◆ global importance, {n}", lines)
    return finish(ax, column_title(slots.columns), LOCAL)


def _slots(conditions: pd.DataFrame, label: Columns | None) -> _Slots:
    """A tick for each condition that is no control; controls share it."""
    told = conditions.drop(columns=["control", "control_letters"], errors="ignore")
    controls = conditions.get("control", pd.Series("none", conditions.index))
    main = told[(controls == "none").to_numpy()]
    columns = (
        distinct_columns(main if len(main) else told)
        if label is None
        else check_columns(conditions, "label", label)
    )
    labels = row_labels(conditions, columns)
    ticks = list(dict.fromkeys(labels))
    seen = dict.fromkeys(ticks, 0)
    ranks = []
    for each in labels:
        ranks.append(seen[each])
        seen[each] += 1
    width = _FILLED / max(seen.values())
    first = np.array([ticks.index(each) for each in labels], dtype=np.float64)
    beside = [
        rank - (seen[each] - 1) / 2 for rank, each in zip(ranks, labels, strict=True)
    ]
    kinds = [str(control).partition(" ")[0] for control in controls]
    colours = [SKY if kind == "none" else _CONTROLS.get(kind, GREY) for kind in kinds]
    return _Slots(ticks, first + width * np.array(beside), width, colours, columns)


def _panel(ax: Axes, result: GIAResult, slots: _Slots, shift: float) -> None:
    local = as_columns(result.local_importance).numpy()
    places = slots.places + shift
    points = 72 * width_in_inches(ax) * slots.width / np.ptp(ax.get_xlim())
    size = np.clip((0.45 * points) ** 2, _SMALLEST, _LARGEST)
    draw_boxes(ax, local, places, slots.colours, 0.9 * slots.width)
    edge: dict[str, Any] = {"edgecolors": ink(ax), "linewidths": 0.5}
    ax.scatter(
        places, local.mean(axis=0), size, c="black", marker="D", zorder=4, **edge
    )


def _legend(ax: Axes, slots: _Slots) -> None:
    """What the greys are, where there are any."""
    kinds = {k: c for k, c in _CONTROLS.items() if c in slots.colours}
    if not kinds:
        return
    named = {"motif": SKY} | {f"{kind} control": c for kind, c in kinds.items()}
    handles = [
        Patch(facecolor=colour, edgecolor=ink(ax, beside=True), linewidth=0.7)
        for colour in named.values()
    ]
    add_legend(ax, handles, list(named), handlelength=1)


def _titles(ax: Axes, names: Sequence[str], middles: Sequence[float]) -> int:
    """The name of each panel above it; how many lines they have."""
    letters = max(3, int(_LETTERS_PER_INCH * width_in_inches(ax) / len(names)))
    titles = [textwrap.wrap(name, letters) or [""] for name in names]
    for lines, x in zip(titles, middles, strict=True):
        ax.text(
            x,
            1.02,
            "\n".join(lines),
            transform=ax.get_xaxis_transform(),
            ha="center",
            va="bottom",
            fontsize=SMALL,
            color=ink(ax, beside=True),
            **PLAIN,
        )
    return max(map(len, titles))


def _note_above(ax: Axes, text: str, lines: int) -> None:
    """The note, as many lines of small type higher than elsewhere."""
    ax.annotate(
        text,
        (1.0, 1.02),
        xytext=(0, 72 * LINE * lines + 3),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="bottom",
        fontsize=SMALL,
        color=ink(ax, beside=True),
        **PLAIN,
    )
