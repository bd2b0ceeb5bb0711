"""What all plots share: colours, sizes, and how results and tables are read.

Everything is set on the artists; matplotlib's global settings are never changed. Names
are shown letter by letter, and what must contrast does so under any style of the user.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import Any, TypeAlias

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgb, to_rgba
from matplotlib.legend import Legend
from matplotlib.ticker import MaxNLocator, ScalarFormatter
from numpy.typing import NDArray

from .._core.results import GIAResult

Values: TypeAlias = NDArray[np.float64]
Columns: TypeAlias = str | Sequence[str]

# Okabe and Ito's colours, which colour-blind readers tell apart.
BLUE, ORANGE, GREEN, VERMILION = "#0072B2", "#E69F00", "#009E73", "#D55E00"
PURPLE, SKY = "#CC79A7", "#56B4E9"
_PALETTE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY)
GREY = "#888888"
LETTER_COLOURS = {
    "A": GREEN,
    "C": BLUE,
    "G": ORANGE,
    "T": VERMILION,
    "U": VERMILION,
}
# One column of a journal, in inches, and the smallest type that most print.
WIDTH, HEIGHT = 3.5, 2.4
SMALL, MEDIUM = 7, 8

LOCAL = "Local importance\n(model output)"
GLOBAL = "Global importance\n(model output)"
CHANGE = "Change of importance\n(model output)"

_NAMES = {
    "n_sites": "Number of sites",
    "spacing": "Spacing between motifs (nt)",
    "start": "Start of the motif (0-based position)",
    "position": "Position",
    "kmer": "k-mer",
    "n_patterns": "Number of patterns",
}
# More and longer labels than these do not fit side by side.
LETTERS_PER_INCH = 14
_LINE_LETTERS = 14
_LABEL_LETTERS, _UPRIGHT_LETTERS = 40, 20
# Share of a figure's width that axes have before there is a layout.
_AXES_SHARE = 0.775
# Settings of a text that is no markup, neither of mathtext nor of TeX.
PLAIN: dict[str, Any] = {"parse_math": False, "usetex": False}
# Of the luminances of two colours that are told apart (WCAG 2.1, large type).
_CONTRAST = 3
# Inches from one line of small type to the next.
LINE = 1.2 * SMALL / 72


def new_axes(ax: Axes | None, height: float = HEIGHT, width: float = WIDTH) -> Axes:
    """The axes given, or those of a new figure of one column's width."""
    if ax is not None:
        return ax
    return plt.subplots(figsize=(width, height), layout="constrained")[1]


def ink(ax: Axes, beside: bool = False) -> Any:
    """The colour of the style's text, or black or white where that is not seen.

    On the axes, or beside them on the figure.
    """
    ground = np.ones(3)
    for patch in (ax.get_figure(root=True).patch, *(() if beside else (ax.patch,))):  # type: ignore[union-attr]
        *colour, alpha = to_rgba(patch.get_facecolor())
        if patch.get_visible():
            ground = alpha * np.array(colour) + (1 - alpha) * ground
    text = mpl.rcParams["text.color"]
    if _contrast(to_rgb(text), ground) >= _CONTRAST:
        return text
    return max("black", "white", key=lambda name: _contrast(to_rgb(name), ground))


def _contrast(one: Sequence[float], other: Sequence[float] | Values) -> float:
    """From 1 to 21, by WCAG 2.1."""
    low, high = sorted(
        np.array([0.2126, 0.7152, 0.0722])
        @ np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        for c in (np.asarray(one), np.asarray(other))
    )
    return float((high + 0.05) / (low + 0.05))


def palette(ax: Axes) -> tuple[Any, ...]:
    """Colours that are told apart, on the axes."""
    return (*_PALETTE, ink(ax))


def finish(ax: Axes, xlabel: str, ylabel: str) -> Axes:
    """Label the axes, in legible type and with two spines."""
    ax.set_xlabel(xlabel, fontsize=MEDIUM, **PLAIN)
    ax.set_ylabel(ylabel, fontsize=MEDIUM, **PLAIN)
    ax.tick_params(labelsize=SMALL)
    for axis in (ax.xaxis, ax.yaxis):
        if isinstance(axis.get_major_formatter(), ScalarFormatter):
            axis.set_major_formatter(PowersInLabels())
    ax.spines[["top", "right"]].set_visible(False)
    return ax


class PowersInLabels(ScalarFormatter):
    """Tick labels with their power of ten, which matplotlib writes above the axes.

    There it would be larger than other type, and meet the note.
    """

    def __init__(self) -> None:
        super().__init__(useOffset=False, useMathText=False)

    def __call__(self, x: float, pos: int | None = None) -> str:
        """The label of a tick."""
        label = super().__call__(x, pos)
        return label + super().get_offset().removeprefix("1") if x else label

    def get_offset(self) -> str:
        """Nothing above the axes."""
        return ""


def note(ax: Axes, text: str) -> None:
    """A line of small type above the axes, such as the number of backgrounds."""
    ax.text(
        1.0,
        1.02,
        text,
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize=SMALL,
        color=ink(ax, beside=True),
        **PLAIN,
    )


def label_ticks(
    ax: Axes, labels: Sequence[str], places: Sequence[float] | None = None
) -> None:
    """A tick for each label, or for every few of them where no more can be read."""
    ticks, texts, rotation = _fitted(labels, width_in_inches(ax))
    at = ticks if places is None else [places[i] for i in ticks]
    ax.set_xticks(at, texts, **PLAIN)
    for tick in ax.get_xticklabels() if rotation else ():
        va = "center" if rotation == 90 else "top"
        tick.set(rotation=rotation, ha="right", va=va, rotation_mode="anchor")


def labelled_height(labels: Sequence[str], width: float = WIDTH) -> float:
    """Height of new axes that leaves room for the labels of their ticks."""
    _, texts, rotation = _fitted(labels, _AXES_SHARE * width)
    longest = max(len(line) for text in texts for line in text.split("\n"))
    return HEIGHT + {0: 0.0, 45: 0.04, 90: 0.065}[rotation] * longest


def _fitted(labels: Sequence[str], inches: float) -> tuple[range, list[str], int]:
    """Ticks, their labels and by how much these are turned, for axes of a width.

    Long labels have several lines; those that are still too wide are slanted, and
    those of which many stand side by side are short and upright.
    """
    lines = [wrapped(label) for label in labels]
    letters = sum(2 + max(map(len, text.split("\n"))) for text in lines)
    if letters <= LETTERS_PER_INCH * inches:
        return range(len(labels)), lines, 0
    most = max(1 + text.count("\n") for text in lines)
    if 1.4 * LINE * most * len(lines) <= inches:
        return range(len(labels)), lines, 45
    ticks = range(0, len(labels), math.ceil(LINE * len(labels) / inches))
    return ticks, [shortened(labels[i], _UPRIGHT_LETTERS) for i in ticks], 90


def wrapped(label: str) -> str:
    """A label in lines of few letters."""
    return "\n".join(textwrap.wrap(label, _LINE_LETTERS) or [""])


def width_in_inches(ax: Axes) -> float:
    """About how wide the axes are, before labels and a layout make room."""
    inches: float = ax.get_figure(root=True).get_size_inches()[0]  # type: ignore[union-attr]
    return inches * float(ax.get_position().width)


def figure_width(ax: Axes) -> float:
    """About how wide the part of a figure is that the axes and what is beside take."""
    return width_in_inches(ax) / _AXES_SHARE


def shortened(label: str, letters: int) -> str:
    """A label that is cut in the middle if it is longer than so many letters."""
    half = letters // 2 - 1
    return label if len(label) <= letters else f"{label[:half]}…{label[-half:]}"


def whole_ticks(axis: Axis) -> None:
    """Ticks at whole numbers only."""
    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def column_title(columns: Columns) -> str:
    """What an axis of these columns is called."""
    names = [columns] if isinstance(columns, str) else list(columns)
    plain = [name.replace("_", " ") for name in names]
    # Full names of several columns would not fit.
    if len(names) == 1:
        return _NAMES.get(names[0], plain[0].capitalize())
    return ", ".join(plain).capitalize()


def as_frame(result: Any) -> pd.DataFrame:
    """The table of a result with one output, or such a table.

    Raises
    ------
    TypeError, ValueError
        If it is neither, or of several outputs.
    """
    if not isinstance(result, pd.DataFrame) and not hasattr(result, "to_frame"):
        raise TypeError(
            f"`result` is a {type(result).__name__}; it must be a result of an "
            "experiment or a table as from its `to_frame`."
        )
    is_table = isinstance(result, pd.DataFrame)
    frame: pd.DataFrame = result if is_table else result.to_frame()
    if "effect" not in frame or frame.empty:
        raise ValueError(
            f"`result` has the columns {list(frame.columns)} and {len(frame)} rows; a "
            "column 'effect' and at least one row are needed."
        )
    return check_one_output(frame)


def check_one_output(frame: pd.DataFrame, name: str = "result") -> pd.DataFrame:
    """The table with rows numbered from 0, if they are of one output of the model.

    Raises
    ------
    ValueError
        If they are of several.
    """
    labels = list(dict.fromkeys(frame["output"])) if "output" in frame else []
    if len(labels) > 1:
        shown = ", ".join(map(str, labels[:10])) + (", ..." if labels[10:] else "")
        raise ValueError(
            f"`{name}` has the outputs {shown}; choose one by `result.output(label)`."
        )
    rows: pd.DataFrame = frame.reset_index(drop=True)
    return rows


def one_output(result: Any) -> GIAResult:
    """A result with local importances of one output.

    Raises
    ------
    TypeError, ValueError
        If `result` is no GIAResult, or has several outputs.
    """
    if not isinstance(result, GIAResult):
        raise TypeError(
            f"`result` is a {type(result).__name__}; a GIAResult is needed, because "
            "the plot reads local importances."
        )
    return result.output()


def check_columns(frame: pd.DataFrame, argument: str, columns: Columns) -> list[str]:
    """The columns as a list.

    Raises
    ------
    ValueError
        If the table lacks one.
    """
    names = [columns] if isinstance(columns, str) else list(columns)
    missing = [name for name in names if name not in frame]
    if missing:
        raise ValueError(
            f"`{argument}`={columns!r}: {missing[0]!r} is no column of the conditions, "
            f"which have {list(frame.columns)}."
        )
    return names


def distinct_columns(conditions: pd.DataFrame) -> list[str]:
    """The first columns that tell all conditions apart; the first for only one."""
    names: list[str] = []
    keys = [""] * len(conditions)
    for name in conditions.columns:
        more = [f"{k}\0{v}" for k, v in zip(keys, conditions[name], strict=True)]
        if len(set(more)) > len(set(keys)):
            names, keys = [*names, name], more
    return names or list(conditions.columns[:1])


def row_labels(frame: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """A label for each row; long ones are cut in the middle."""
    cells = [[_text(value) for value in frame[name]] for name in columns]
    labels = [", ".join(c for c in row if c) for row in zip(*cells, strict=True)]
    labels = labels or [str(i + 1) for i in range(len(frame))]
    return [shortened(label, _LABEL_LETTERS) for label in labels]


def _text(value: Any) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def count(frame: pd.DataFrame) -> str:
    """How many backgrounds and models an effect is the mean of; "" if unknown."""
    phrases = []
    if "n" in frame:
        templates = frame.get("n_clusters", pd.Series(dtype=int))
        phrases = [backgrounds(sorted(set(frame["n"])), sorted(set(templates)))]
    if "n_models" in frame:
        phrases.append(f"{frame['n_models'].max():,} models")
    return ", ".join(phrases)


def backgrounds(numbers: Sequence[int], templates: Sequence[int] = ()) -> str:
    """A number, or a range, of backgrounds, of fewer templates, as a phrase."""
    phrase = f"n = {_counted(numbers, 'background')}"
    if templates and list(templates) != list(numbers):
        phrase += f" of {_counted(templates, 'template')}"
    return phrase


def _counted(numbers: Sequence[int], noun: str) -> str:
    n = f"{numbers[0]:,}"
    if len(numbers) > 1:
        n += f" to {numbers[-1]:,}"
    return f"{n} {noun}{'' if n == '1' else 's'}"


def legend_height(labels: Sequence[str], lines: float) -> float:
    """Height of new axes that leaves room for a legend of so many lines and more."""
    more = sum(lines + label.count("\n") for label in labels)
    return max(HEIGHT, 1.05 * LINE * (3 + more))


def add_legend(
    ax: Axes,
    handles: Sequence[Any],
    labels: Sequence[str],
    beside: bool = True,
    **options: Any,
) -> Legend:
    """A legend of every handle, whatever its label; beside the axes it covers nothing.

    Matplotlib leaves out what has no label, or one that begins with an underscore.
    """
    if beside:
        options |= {"loc": "upper left", "bbox_to_anchor": (1, 1)}
    legend = ax.legend(
        handles,
        [str(i) for i in range(len(labels))],
        fontsize=SMALL,
        title_fontsize=SMALL,
        frameon=False,
        **options,
    )
    for handle, text, label in zip(handles, legend.get_texts(), labels, strict=True):
        handle.set_label(label)
        text.set_text(label)
    for text in (*legend.get_texts(), legend.get_title()):
        text.set(color=ink(ax, beside), **PLAIN)
    return legend


def half_widths(frame: pd.DataFrame) -> Values | None:
    """Distances of the interval's ends from the effect; None without an interval."""
    if "low" not in frame or "high" not in frame:
        return None
    effect = frame["effect"]
    widths: Values = np.array([effect - frame["low"], frame["high"] - effect], float)
    # One background has no interval.
    return None if np.isnan(widths).all() else widths
