"""Figures over many models: each of them counts once, and groups are seen."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ... import plot
from ...plot.style import (
    BLUE,
    GREY,
    MEDIUM,
    PLAIN,
    SKY,
    SMALL,
    VERMILION,
    finish,
    ink,
    new_axes,
    note,
    shortened,
)
from ..section import Figure
from ..wording import count
from .rows import Unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# One model is read off the table; histograms need some more.
_FEWEST_FOR_EFFECTS, _FEWEST_FOR_HISTOGRAM = 2, 3
# Measures of how good models are, on one scale.
_PERFORMANCE = {
    "pearson": "Pearson",
    "spearman": "Spearman",
    "auroc": "AUROC",
    "auprc": "AUPRC",
}
# More rows have no names, and the figure of effects grows no further.
_MOST_NAMED, _ROW, _HIGHEST = 60, 0.2, 6.0
_MOST_GROUPS_NAMED = 8
_LONGEST = 30
# From one model to the next, so that points lie apart: the golden ratio.
_STRIDE = 0.618


def figures_of(units: Sequence[Unit]) -> list[Figure]:
    """The figures for which there are enough numbers."""
    frame = _numbers(units)
    return [
        *_effects(frame),
        *_additivity(frame),
        *_gc(frame),
        *_performance(frame),
    ]


def _numbers(units: Sequence[Unit]) -> pd.DataFrame:
    """A row for each finished model, with its unit and what all figures need."""
    rows = [
        {
            "label": entry.label,
            "unit": i,
            "group": unit.name if unit.is_group else "",
            "motif": str(entry.headline.get("motif") or ""),
            **{name: entry.headline.get(name) for name in _NEEDED},
        }
        for i, unit in enumerate(units)
        for entry in unit.entries
        if entry.state == "finished"
    ]
    frame: pd.DataFrame = pd.DataFrame(
        rows, columns=["label", "unit", "group", "motif", *_NEEDED]
    )
    numbers = frame[_NEEDED].apply(pd.to_numeric, errors="coerce").astype(float)
    frame[_NEEDED] = numbers.where(np.isfinite(numbers))
    return frame


_EFFECT = ["effect", "effect_low", "effect_high"]
_NEEDED = [*_EFFECT, "output_sd", "r2", "left", "right", *_PERFORMANCE]


def _members(frame: pd.DataFrame) -> str:
    """Whether groups are there, and how they are drawn, as the end of a sentence."""
    n = int((frame.groupby("unit").size() > 1).sum())
    if not n:
        return ""
    return f" Members of {count(n, 'group')} count one by one; a line joins them."


def _effects(frame: pd.DataFrame) -> list[Figure]:
    """The effect of each model's motif, in units that models share."""
    shown = frame[frame["output_sd"] > 0].dropna(subset=_EFFECT)
    if len(shown) < _FEWEST_FOR_EFFECTS:
        return []
    scaled = shown[_EFFECT].div(shown["output_sd"], axis=0)
    shown = shown.assign(**scaled)
    strongest = shown.iloc[int(scaled["effect"].abs().to_numpy().argmax())]
    return [
        Figure(
            "effects",
            partial(_draw_effects, shown),
            "The effect of each model's motif, with its 95 % interval, in standard "
            "deviations of the model's output over backgrounds: the largest is that "
            f"of {strongest['motif'] or 'the motif'} in {strongest['label']}."
            f"{_members(shown)}",
        )
    ]


def _draw_effects(shown: pd.DataFrame) -> Axes:
    """A row for each group or model, in their order; by effect where there are many."""
    rows = [rows for _, rows in shown.groupby("unit", sort=False)]
    named = len(rows) <= _MOST_NAMED
    if not named:
        rows.sort(key=lambda each: float(each["effect"].mean()), reverse=True)
    height = max(1.2, 0.7 + _ROW * len(rows)) if named else _HIGHEST
    ax = new_axes(None, height=height)
    placed = [
        each.assign(place=len(rows) - 1 - i + _side_by_side(len(each)))
        for i, each in enumerate(rows)
    ]
    for joined in (False, True):
        kept = [each for each in placed if (len(each) > 1) == joined]
        if kept:
            _draw_rows(ax, kept, joined, named)
    ax.axvline(0, color=GREY, linewidth=0.8, linestyle="--")
    ax.set_ylim(-0.7, len(rows) - 0.3)
    if named:
        names = [shortened(_row_name(each), _LONGEST) for each in rows]
        ax.set_yticks(range(len(rows))[::-1], names, parse_math=False)
    else:
        ax.set_yticks([])
    what = "" if named else "Models and groups, by their effect"
    return finish(ax, "Effect of the motif\n(standard deviations of the output)", what)


def _side_by_side(n: int) -> Any:
    """Where the members of a group are within its row, the first on top."""
    return np.linspace(0.25, -0.25, n) if n > 1 else np.zeros(1)


def _draw_rows(
    ax: Axes, rows: Sequence[pd.DataFrame], joined: bool, named: bool
) -> None:
    """Effects with intervals, those of one group joined."""
    each = pd.concat(rows)
    effect, colour = each["effect"], VERMILION if joined else BLUE
    ax.errorbar(
        effect,
        each["place"],
        xerr=[effect - each["effect_low"], each["effect_high"] - effect],
        fmt="o",
        color=colour,
        markersize=(2.7 if joined else 4) if named else 2,
        elinewidth=1 if named else 0.5,
        capsize=2 if named else 0,
    )
    if joined:
        ax.plot(
            _one_after_the_other([rows["effect"] for rows in rows]),
            _one_after_the_other([rows["place"] for rows in rows]),
            color=colour,
            linewidth=0.7,
        )


def _one_after_the_other(parts: Sequence[Any]) -> Any:
    """Values of several lines with a gap after each, to be drawn at once."""
    return np.concatenate([np.append(part, np.nan) for part in parts])


def _row_name(each: pd.DataFrame) -> str:
    first = each.iloc[0]
    name = first["group"] if len(each) > 1 else first["label"]
    motifs = dict.fromkeys(each["motif"])
    return f"{name}: {first['motif']}" if len(motifs) == 1 and first["motif"] else name


def _additivity(frame: pd.DataFrame) -> list[Figure]:
    shown = frame.dropna(subset="r2")
    if len(shown) < _FEWEST_FOR_HISTOGRAM:
        return []
    return [
        Figure(
            "r2",
            partial(_draw_additivity, frame),
            f"How well sites add up: the median R² of {len(shown)} models is "
            f"{shown['r2'].median():.3f}.{_members(shown)}",
        )
    ]


def _draw_additivity(frame: pd.DataFrame) -> Axes:
    ax = plot.additivity_histogram(frame["r2"])
    return _join_groups(ax, frame, ["r2"])


def _gc(frame: pd.DataFrame) -> list[Figure]:
    """Motifs without a clear effect have no ratio."""
    shown = frame.dropna(subset=["left", "right"])
    if len(shown) < _FEWEST_FOR_HISTOGRAM:
        return []
    raises, members = int((shown["right"] > 1).sum()), _members(shown)
    difference = shown["left"] - shown["right"]
    more = int((difference > 0).sum())
    return [
        Figure(
            "gc",
            partial(_draw_gc, frame),
            f"GC-bias effect size: {raises} of {len(shown)} motifs have a larger "
            f"effect with GC 3′ of them than alone.{members}",
        ),
        Figure(
            "gc_difference",
            partial(_draw_gc_difference, frame),
            f"GC-bias effect size 5′ minus 3′: GC 5′ of the motif does more for {more} "
            f"of {len(shown)}.{members}",
        ),
    ]


def _draw_gc(frame: pd.DataFrame) -> Axes:
    ax = plot.gc_bias_histograms(frame, reference=1.0)
    return _join_groups(ax, frame, ["left", "right"])


def _draw_gc_difference(frame: pd.DataFrame) -> Axes:
    held = frame.assign(difference=frame["left"] - frame["right"])
    ax = plot.gc_bias_histograms(
        held, "difference", reference=0.0, xlabel="GC-bias effect size, 5′ − 3′"
    )
    return _join_groups(ax, held, ["difference"])


def _join_groups(ax: Axes, frame: pd.DataFrame, columns: Sequence[str]) -> Axes:
    """Below the bars of a histogram the members of each group, joined by a line."""
    groups = [
        rows
        for _, rows in frame.dropna(subset=columns).groupby("unit", sort=False)
        if len(rows) > 1
    ]
    if not groups:
        return ax
    groups.sort(key=lambda rows: float(rows[columns[0]].mean()))
    top, colours = ax.get_ylim()[1], (BLUE, VERMILION)
    ticks = [tick for tick in ax.get_yticks() if 0 <= tick <= top]
    depth = top * min(0.6, 0.1 + 0.06 * len(groups))
    step = depth / (len(groups) + 0.5)
    size = max(1.5, 4 - len(groups) / 10)
    for j, column in enumerate(columns):
        values = [rows[column].sort_values() for rows in groups]
        beside = 0.25 * (j - (len(columns) - 1) / 2)
        places = [
            np.full(len(v), -step * (i + beside)) for i, v in enumerate(values, start=1)
        ]
        ax.plot(
            _one_after_the_other(values),
            _one_after_the_other(places),
            "o-",
            color=colours[j] if len(columns) > 1 else VERMILION,
            markersize=size,
            linewidth=0.7,
        )
    for i, rows in enumerate(groups[:_MOST_GROUPS_NAMED], start=1):
        if len(groups) <= _MOST_GROUPS_NAMED:
            _name_group(ax, str(rows["group"].iloc[0]), -step * i)
    ax.axhline(0, color=ink(ax), linewidth=0.6)
    ax.set_yticks(ticks)
    ax.set_ylim(-depth - 0.5 * step, top)
    return ax


def _name_group(ax: Axes, name: str, place: float) -> None:
    ax.annotate(
        shortened(name, _LONGEST),
        (1.01, place),
        xycoords=("axes fraction", "data"),
        fontsize=SMALL,
        va="center",
        **PLAIN,
    )


def _performance(frame: pd.DataFrame) -> list[Figure]:
    """How good the models are, where three or more have been measured."""
    counts = frame[[*_PERFORMANCE]].notna().sum()
    names = [name for name in _PERFORMANCE if counts[name] >= _FEWEST_FOR_HISTOGRAM]
    if not names:
        return []
    medians = ", ".join(
        f"{_PERFORMANCE[name]} {frame[name].median():.3f} ({counts[name]} models)"
        for name in names
    )
    measured = frame.dropna(subset=names, how="all")
    return [
        Figure(
            "performance",
            partial(_draw_performance, measured, names),
            f"How good the models are: median {medians}. A point is a model, the box "
            "from the first to the third quartile, with the median."
            f"{_members(measured)}",
        )
    ]


def _draw_performance(measured: pd.DataFrame, names: Sequence[str]) -> Axes:
    """Box and violin with every model; members of a group one above the other."""
    ax = new_axes(None)
    for place, name in enumerate(names):
        held = measured.dropna(subset=name)
        _draw_distribution(ax, held[name].to_numpy(), place)
        held = held.assign(beside=place - 0.15 + 0.3 * (_STRIDE * held["unit"] % 1))
        rows = [rows for _, rows in held.groupby("unit", sort=False)]
        for joined in (False, True):
            kept = [each for each in rows if (len(each) > 1) == joined]
            if kept:
                ax.plot(
                    _one_after_the_other([each["beside"] for each in kept]),
                    _one_after_the_other([each[name].sort_values() for each in kept]),
                    "o-",
                    color=VERMILION if joined else BLUE,
                    markersize=3 if len(held) <= _MOST_NAMED else 1.8,
                    linewidth=0.7,
                    zorder=3,
                )
    ax.set_xticks(range(len(names)), [_PERFORMANCE[n] for n in names], fontsize=MEDIUM)
    ax.set_xlim(-0.6, len(names) - 0.4)
    note(ax, f"n = {count(len(measured), 'model')}")
    areas = {*names} - {"pearson", "spearman"}
    return finish(
        ax, "", "Correlation or area under the curve" if areas else "Correlation"
    )


def _draw_distribution(ax: Axes, values: Any, place: float) -> None:
    if np.ptp(values) > 0:  # a density needs values that differ
        drawn: Any = ax.violinplot(
            [values], positions=[place], widths=0.9, showextrema=False
        )
        for body in drawn["bodies"]:
            body.set(facecolor=SKY, edgecolor="none", alpha=0.35)
    ax.boxplot(
        [values],
        positions=[place],
        widths=0.35,
        showfliers=False,
        manage_ticks=False,
        boxprops={"color": ink(ax), "linewidth": 0.8},
        whiskerprops={"color": ink(ax), "linewidth": 0.8},
        capprops={"color": ink(ax), "linewidth": 0.8},
        medianprops={"color": ink(ax), "linewidth": 1.4},
    )
