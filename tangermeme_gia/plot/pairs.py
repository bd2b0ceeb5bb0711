"""Pairs of motifs: which act together, at which spacing, and all of them at once."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from ..motifs.matrices import information_logo
from ..statistics.grammar import Grammar
from .logos import draw_grid, draw_logo
from .style import (
    GREY,
    HEIGHT,
    LINE,
    PLAIN,
    SMALL,
    Values,
    add_legend,
    count,
    finish,
    ink,
    label_ticks,
    new_axes,
    note,
    shortened,
    width_in_inches,
)

INTERACTION = "Interaction\n(model output)"
# The colours of a heat map's effects.
_MORE, _LESS = "#b35806", "#542788"
# A line of a network says the kind of rule.
_STYLES: dict[str, Any] = {"soft": "-", "hard": "--", "helical": ":"}
_NAME_LETTERS = 14
# Logos beside the names of at most so many motifs, in parts of the axes.
_MOST_LOGOS, _LOGO_WIDTH = 12, 0.36
# Kinds are written into the cells of at most so many, in inches of so many each.
_MOST_WORDS, _WORD_WIDTH = 6, 0.3


def pair_matrix(grammar: Grammar, *, ax: Axes | None = None) -> Axes:
    """Which pairs of motifs act together, which way, and how surely?

    The interaction of every pair where it stood out most, as a colour, with its kind;
    framed if it was confirmed. Grey pairs showed nothing on the finding half.

    Parameters
    ----------
    grammar: Grammar
        From `motif_grammar`.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If it is no Grammar.

    Examples
    --------
    >>> import torch
    >>> from tangermeme_gia import motif_grammar
    >>> X = torch.eye(4)[torch.randint(4, (8, 30))].transpose(1, 2)
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(120, 1))
    >>> grammar = motif_grammar(model, X, ["GATA", "TTA"], [3])
    >>> [label.get_text() for label in pair_matrix(grammar).get_yticklabels()]
    ['GATA', 'TTA']
    """
    pairs, names = check_grammar(grammar).pairs, list(grammar.motifs)
    n = len(names)
    grid = np.full((n, n), np.nan)
    for a, b, effect in zip(pairs["a"], pairs["b"], pairs["effect"], strict=True):
        grid[names.index(b), names.index(a)] = effect
    ax = new_axes(ax, height=max(HEIGHT, min(1.0 + 0.34 * n, 7)))
    lower = np.tril_indices(n)
    shade = np.full((n, n, 4), 0.0)
    shade[lower] = (0.88, 0.88, 0.88, 1.0)
    ax.imshow(shade, aspect="auto", interpolation="nearest")
    draw_grid(ax, grid, INTERACTION)
    write = n <= _MOST_WORDS and width_in_inches(ax) >= _WORD_WIDTH * n
    records: Any = pairs.to_dict("records")
    for row in records:
        x, y = names.index(row["a"]), names.index(row["b"])
        _mark_cell(ax, x, y, row, grid, write=write)
    labels = short_names(names, _NAME_LETTERS)
    ax.set_yticks(range(n), labels, **PLAIN)
    label_ticks(ax, labels)
    finish(ax, "Motif", "")
    ax.spines[:].set_visible(False)
    if n <= _MOST_LOGOS:
        _logos(ax, grammar.motifs)
    asked = pairs[pairs["n"].notna()].astype({"n": int})
    note(ax, count(asked) if len(asked) else "nothing found")
    return ax


def spacing_heatmap(
    grammar: Grammar, pair: Sequence[str] | None = None, *, ax: Axes | None = None
) -> Axes:
    """At which spacing, in which order, on which strands does a pair act together?

    The interaction at every spacing (columns) of every arrangement (rows, from left to
    right); dots are confirmed.

    Parameters
    ----------
    grammar: Grammar
        From `motif_grammar`.

    pair: (str, str) or None, optional
        The names of two motifs. None is the pair with the largest confirmed
        interaction. Default is None.

    ax
        As for `pair_matrix`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If it is no Grammar, or the pair was not measured on the confirming half.

    Examples
    --------
    >>> from tangermeme_gia.plot import pairs
    >>> pairs.spacing_heatmap(None)
    Traceback (most recent call last):
    TypeError: `grammar` is a NoneType; it must be a Grammar, as from `motif_grammar`.
    """
    frame = check_grammar(grammar).to_frame()
    frame = frame[frame["spacing"].notna()]
    pair = _foremost(grammar) if pair is None else tuple(pair)
    is_pair = [set(p) == set(pair) for p in zip(frame["a"], frame["b"], strict=True)]
    frame = frame[is_pair]
    if frame.empty:
        profiles = grammar.profiles
        known = sorted({*zip(profiles["a"], profiles["b"], strict=True)})
        raise ValueError(
            f"`pair`={pair} was not measured on the confirming half; measured are "
            f"{known}."
        )
    rows = list(dict.fromkeys(frame["arrangement"]))
    spacings = sorted(set(frame["spacing"].astype(int)))
    shape = (len(rows), len(spacings))
    grid = frame["effect"].to_numpy(float).reshape(shape)
    stands = frame["significant"].to_numpy(bool).reshape(shape)
    ax = new_axes(ax, height=max(1.6, 0.9 + 1.3 * LINE * len(rows)))
    draw_grid(ax, grid, INTERACTION)
    y, x = np.nonzero(stands)
    ax.plot(x, y, "o", color="black", markersize=3, mec="white", mew=0.5)
    ax.set_yticks(range(len(rows)), _rows(frame, list(grammar.motifs)), **PLAIN)
    _number_spacings(ax, spacings)
    finish(ax, "Spacing between motifs (nt)", "")
    ax.spines[:].set_visible(False)
    note(ax, count(frame))
    return ax


def pair_network(grammar: Grammar, *, ax: Axes | None = None) -> Axes:
    """Which motifs are read together, all in one picture?

    A line for each confirmed pair, a ring for a motif with itself: the wider, the
    larger the interaction; orange raises the output beyond the sum, purple lowers it;
    dashes say the kind of rule.

    Parameters
    ----------
    grammar: Grammar
        From `motif_grammar`.

    ax
        As for `pair_matrix`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError
        If it is no Grammar.

    Examples
    --------
    >>> import torch
    >>> from tangermeme_gia import motif_grammar
    >>> X = torch.eye(4)[torch.randint(4, (8, 30))].transpose(1, 2)
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(120, 1))
    >>> len(pair_network(motif_grammar(model, X, ["GATA", "TTA"], [3])).texts)
    3
    """
    names = list(check_grammar(grammar).motifs)
    ax = new_axes(ax, height=3.2)
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(names)) / len(names)
    place = {
        name: np.array([np.cos(t), np.sin(t)])
        for name, t in zip(names, angles, strict=True)
    }
    stands = grammar.confirmed
    largest = float(stands["effect"].abs().max()) if len(stands) else 1.0
    records: Any = stands.to_dict("records")
    for row in records:
        _draw_edge(ax, row, place, largest)
    ax.plot(*np.array(list(place.values())).T, "o", color=ink(ax), markersize=5)
    shown = short_names(names, _NAME_LETTERS)
    for label, (name, at) in zip(shown, place.items(), strict=True):
        is_own = ((stands["a"] == name) & (stands["b"] == name)).any()
        out = (1.38 if is_own else 1.12) * at
        side = "center" if abs(at[0]) < 0.3 else ("left" if at[0] > 0 else "right")
        ax.text(
            float(out[0]),
            float(out[1]),
            label,
            ha=side,
            va="center" if abs(at[1]) < 0.9 else ("bottom" if at[1] > 0 else "top"),
            fontsize=SMALL,
            color=ink(ax, beside=True),
            **PLAIN,
        )
    ax.set_xlim(-1.9, 1.9)
    ax.set_ylim(-1.6, 1.6)
    ax.set_aspect("equal")
    ax.set_axis_off()
    _add_legend(ax, stands)
    note(ax, count(stands.astype({"n": int})) if len(stands) else "no pair confirmed")
    return ax


def _add_legend(ax: Axes, stands: pd.DataFrame) -> None:
    """What colours and dashes mean, of those that are there."""
    kinds = [k for k in _STYLES if (stands["class"] == k).any()]
    signs = [s for s in (1, -1) if (np.sign(stands["effect"]) == s).any()]
    words = {1: "more than the sum", -1: "less than the sum"}
    handles = [Line2D([], [], color=_colour(s)) for s in signs]
    handles += [Line2D([], [], color=GREY, linestyle=_STYLES[k]) for k in kinds]
    if handles:
        labels = [words[s] for s in signs] + kinds
        add_legend(ax, handles, labels, beside=False, loc="lower center", ncols=2)
        ax.set_ylim(-2.3, 1.6)


def check_grammar(grammar: Any) -> Grammar:
    """What was given, if it is a Grammar.

    Raises
    ------
    TypeError
        If it is not.
    """
    if not isinstance(grammar, Grammar):
        raise TypeError(
            f"`grammar` is a {type(grammar).__name__}; it must be a Grammar, as from "
            "`motif_grammar`."
        )
    return grammar


def _foremost(grammar: Grammar) -> tuple[str, ...]:
    pairs = grammar.pairs[grammar.pairs["effect"].notna()]
    if pairs.empty:
        raise ValueError(
            "`grammar` has no pair that was measured on the confirming half; nothing "
            "was found on the other."
        )
    size = pairs["effect"].abs() + np.where(pairs["significant"], 1e9, 0.0)
    row = pairs.iloc[int(size.to_numpy().argmax())]
    return str(row["a"]), str(row["b"])


def _mark_cell(
    ax: Axes, x: int, y: int, row: Mapping[str, Any], grid: Values, write: bool
) -> None:
    if not row["significant"]:
        return
    corner = (x - 0.46, y - 0.46)
    ax.add_patch(Rectangle(corner, 0.92, 0.92, fill=False, edgecolor="black", lw=1))
    if write:
        is_dark = abs(grid[y, x]) > 0.65 * float(np.nanmax(np.abs(grid)))
        colour = "white" if is_dark else "black"
        text = f"{row['class']}\n{row['effect']:.2g}"
        style = {"ha": "center", "va": "center", "fontsize": SMALL, **PLAIN}
        ax.text(x, y, text, color=colour, **style)


def _logos(ax: Axes, motifs: Mapping[str, Any]) -> None:
    """A logo for each row, between its name and the axes."""
    drawn = [m for m in motifs.values() if len(m.values) == 1]
    if not drawn:
        return
    n, widest = len(motifs), max(len(motif) for motif in drawn)
    for i, motif in enumerate(motifs.values()):
        if len(motif.values) != 1:
            continue
        width = _LOGO_WIDTH * len(motif) / widest
        box = (-width - 0.03, 1 - (i + 0.85) / n, width, 0.7 / n)
        beside = ax.inset_axes(box)
        draw_logo(beside, information_logo(motif.ppm, motif.alphabet))
        beside.set(xticks=[], yticks=[])
        beside.set_axis_off()
    ax.tick_params(axis="y", length=0)
    for label in ax.get_yticklabels():
        label.set_x(-_LOGO_WIDTH - 0.03)


def short_names(names: Sequence[str], letters: int | None = None) -> list[str]:
    """Names without accessions, and what TF-MoDISco says of all, if these tell apart.

    Examples
    --------
    >>> short_names(["MA0099.3 FOS::JUN", "MA0139.1 CTCF"])
    ['FOS::JUN', 'CTCF']
    >>> short_names(["pos_patterns.pattern_0", "pos_patterns.pattern_1"])
    ['pattern_0', 'pattern_1']
    >>> short_names(["pos_patterns.pattern_0", "neg_patterns.pattern_0"])
    ['pos_pattern_0', 'neg_pattern_0']
    """
    last = [(name.split() or [name])[-1] for name in names]
    signed = [name.replace("_patterns.", "_", 1) for name in last]
    bare = [re.sub("^(pos|neg)_patterns[.]", "", name) for name in last]
    told = (each for each in (bare, signed) if len({*each}) == len(each))
    shown = next(told, list(names))
    return [name if letters is None else shortened(name, letters) for name in shown]


def _rows(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Both motifs from left to right with their strands, in few letters."""
    short = dict(zip(names, short_names(names, _NAME_LETTERS), strict=True))
    rows = frame.drop_duplicates("arrangement")
    columns = (rows[name] for name in ("a", "b", "order", "orientation"))
    labels = []
    for a, b, order, signs in zip(*columns, strict=True):
        first, second = (f"{short[n]}{s}" for n, s in zip((a, b), signs, strict=True))
        labels.append(f"{second} {first}" if order == "2,1" else f"{first} {second}")
    return labels


def _number_spacings(ax: Axes, spacings: Sequence[int]) -> None:
    step = max(1, len(spacings) // 8)
    if list(spacings) == list(range(spacings[0], spacings[0] + len(spacings))):
        step = next((s for s in (1, 2, 5, 10, 20, 50, 100) if s >= step), step)
        first = -spacings[0] % step
    else:
        first = 0
    ticks = range(first, len(spacings), step)
    ax.set_xticks(ticks, [str(spacings[i]) for i in ticks], **PLAIN)


def _draw_edge(
    ax: Axes, row: Mapping[str, Any], place: Mapping[str, Values], largest: float
) -> None:
    style: dict[str, Any] = {
        "linewidth": 0.8 + 3 * abs(row["effect"]) / largest,
        "linestyle": _STYLES[row["class"]],
    }
    colour = _colour(row["effect"])
    a, b = place[row["a"]], place[row["b"]]
    if row["a"] == row["b"]:
        ring = Circle(tuple(1.14 * a), 0.14, fill=False, edgecolor=colour, **style)
        ax.add_patch(ring)
        return
    ax.plot(*np.stack([a, b]).T, color=colour, **style)


def _colour(effect: float) -> str:
    return _MORE if effect > 0 else _LESS
