"""What a model says beside what was measured."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike
from scipy.stats import rankdata

from .._core.letters import as_float64
from .._core.results import GIAResult
from .._core.scans import KmerScan
from ..statistics.measured import Affinities
from ..statistics.measured import affinity_regression as fit_line
from .logos import add_colour_bar
from .style import (
    BLUE,
    GLOBAL,
    GREY,
    LINE,
    PLAIN,
    SMALL,
    VERMILION,
    Values,
    finish,
    half_widths,
    ink,
    new_axes,
    note,
    shortened,
    whole_ticks,
)

# Of labels: letters, the width of one in inches, and how far from its point they go.
_MOST_LETTERS, _LETTER, _FARTHEST = 16, 0.078, (0.05, 0.15, 0.25, 0.35)
# Half of a point in inches, and into how many parts the line is taken.
_POINT, _PARTS = 0.04, 40
# More points than these are drawn as an image inside vector graphics.
_MOST_DRAWN = 2000
# From a point to a label that is not beside it.
_LEADER = {"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkB": 3}


def affinity_regression(
    result: GIAResult | KmerScan | pd.DataFrame,
    affinities: Affinities,
    *,
    log: bool = False,
    name: str = "Affinity",
    unit: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Do k-mers that bind better in the laboratory have larger effects in the model?

    Global importance of each k-mer, with its 95 % interval where there is one, against
    what was measured, and the line of `statistics.affinity_regression` with its R2 and
    p value (the paper's figure 2f). Labels that find no free place are left out, and
    the figure says how many.

    Parameters
    ----------
    result, affinities, log
        As for `statistics.affinity_regression`.

    name: str, optional
        What was measured, such as "KD". Default is "Affinity".

    unit: str or None, optional
        Its unit, such as "nM". None says that it was not stated. Default is None.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        As `statistics.affinity_regression`.

    Examples
    --------
    >>> effects = pd.DataFrame(
    ...     {"kmer": ["UGC", "UGU", "AGC"], "effect": [3.0, 2.0, 0.0]}
    ... )
    >>> kd = {"UGC": 1.0, "UGU": 2.0, "AGC": 3.0}
    >>> ax = affinity_regression(effects, kd, name="KD", unit="nM")
    >>> ax.get_xlabel(), ax.texts[-1].get_text()
    ('KD (nM)', 'R² = 0.96, p = 0.12, n = 3 k-mers')
    """
    fit = fit_line(result, affinities, log=log)
    ax = new_axes(ax, height=2.8)
    x, y = fit.kmers["x"].to_numpy(), fit.kmers["effect"].to_numpy()
    ends = np.array([x.min(), x.max()])
    line = fit.intercept + float(fit.slope.effect) * ends
    ax.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    if np.isfinite(line).all():
        ax.plot(ends, line, color=VERMILION, linewidth=1.2, zorder=1)
    errors = half_widths(fit.kmers)
    style: dict[str, Any] = {"fmt": "o", "markersize": 4, "capsize": 2, "linewidth": 1}
    ax.errorbar(x, y, yerr=errors, color=BLUE, **style)
    ax.margins(0.12)
    points, parts = np.stack([x, y], axis=1), np.linspace(0, 1, _PARTS)[:, None]
    avoided = np.stack([ends, line], axis=1)
    avoided = parts * avoided[:1] + (1 - parts) * avoided[1:]
    names = fit.kmers["kmer"].astype(str).tolist()
    n_left_out = _name_points(ax, points, avoided[np.isfinite(avoided).all(1)], names)
    told = [f"R² = {fit.r2:.2f}", f"p = {fit.p:.2g}", f"n = {len(x)} k-mers"]
    if n_left_out:
        told.append(f"{n_left_out} not named")
    note(ax, ", ".join(t for t in told if not t.endswith("nan")))
    title = f"{'ln ' if log else ''}{name} ({unit or 'unit not stated'})"
    return finish(ax, title, GLOBAL)


def predicted_measured(
    predicted: ArrayLike | torch.Tensor,
    measured: ArrayLike | torch.Tensor,
    color: ArrayLike | torch.Tensor | None = None,
    *,
    color_label: str = "",
    output: str = "model output",
    ax: Axes | None = None,
) -> Axes:
    """How well do predictions go together with what was measured?

    A point per sequence, and the correlations of Pearson and of Spearman (the scatter
    of the paper's figure 2a). Points of high colour are drawn on top.

    Parameters
    ----------
    predicted, measured: array-like or torch.Tensor, shape=(n,) or (n, 1)
        One output of the model for each sequence, and its measured score.

    color: array-like, torch.Tensor or None, shape=(n,) or (n, 1), optional
        A number of each sequence, such as how well it matches a motif; None draws all
        points alike. Default is None.

    color_label: str, optional
        What these numbers are. Default is none.

    output: str, optional
        What the model says, or its unit. Default is "model output".

    ax: matplotlib.axes.Axes or None, optional
        Where to draw; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If there are several outputs, numbers of sequences differ, there are none, or a
        value is NaN or infinite: sequences without a score are to be left out.

    Examples
    --------
    >>> ax = predicted_measured([1.0, 2.0, 4.0], [1.0, 4.0, 16.0])
    >>> ax.texts[-1].get_text()
    'Pearson 0.99, Spearman 1.00, n = 3 sequences'
    """
    x, y = _one_each("predicted", predicted), _one_each("measured", measured, predicted)
    ax = new_axes(ax, height=2.8)
    style: dict[str, Any] = {"s": 5, "edgecolors": "none"}
    style["rasterized"] = len(x) > _MOST_DRAWN
    if color is None:
        ax.scatter(x, y, c=BLUE, **style)
    else:
        shade = _one_each("color", color, predicted)
        order = shade.argsort(kind="stable")
        drawn = ax.scatter(
            x[order], y[order], c=shade[order], cmap="viridis_r", **style
        )
        bar = add_colour_bar(ax, drawn, color_label)
        if (shade == shade.round()).all():
            whole_ticks(bar.ax.yaxis)
    n = f"n = {len(x):,} sequences"
    told = {"Pearson": (x, y), "Spearman": (rankdata(x), rankdata(y))}
    known = {name: _correlation(*pair) for name, pair in told.items()}
    shown = [f"{name} {r:.2f}" for name, r in known.items() if np.isfinite(r)]
    note(ax, ", ".join([*shown, n]))
    return finish(ax, f"Prediction\n({output})", "Measured score")


def _correlation(x: Values, y: Values) -> float:
    """Pearson's; NaN where either does not vary."""
    varies = np.ptp(x) > 0 and np.ptp(y) > 0
    return float(np.corrcoef(x, y)[0, 1]) if varies else float("nan")


def _one_each(name: str, given: Any, like: Any = None) -> Values:
    """A finite number for each sequence."""
    values = as_float64(given, name)
    n = values.shape[:1] if like is None else np.shape(like)[:1]
    if values.shape not in ((*n,), (*n, 1)) or not values.size:
        raise ValueError(
            f"`{name}` has shape {values.shape}; one number for each of "
            f"{n[0] if n else 'one or more'} sequences is needed."
        )
    wrong = ~np.isfinite(values)
    if wrong.any():
        raise ValueError(
            f"`{name}` holds {wrong.sum()} NaN or infinite of {values.size} numbers; "
            "leave these sequences out."
        )
    return values.reshape(-1)


def _name_points(ax: Axes, points: Values, avoided: Values, names: list[str]) -> int:
    """Labels beside points, apart from each other; how many found no place."""
    size = np.array(_size_in_inches(ax))
    low = np.array([ax.get_xlim()[0], ax.get_ylim()[0]])
    span = np.array([np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())])
    at, others = ((each - low) / span * size for each in (points, avoided))
    taken = [_box(place, np.full(2, 2 * _POINT)) for place in (*at, *others)]
    n_left_out = 0
    for data, point, name in zip(points, at, names, strict=True):
        label = shortened(name, _MOST_LETTERS)
        box = _free_place(point, np.array([_LETTER * len(label), LINE]), size, taken)
        if box is None:
            n_left_out += 1
            continue
        taken.append(box)
        is_far = not box.padded(2 * _POINT).contains(point[0], point[1])
        away = (np.array([box.x0 + box.x1, box.y0 + box.y1]) / 2 - point) * 72
        ax.annotate(
            label,
            (data[0], data[1]),
            xytext=(away[0], away[1]),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=SMALL,
            color=ink(ax),
            arrowprops=_LEADER if is_far else None,
            **PLAIN,
        )
    return n_left_out


def _free_place(
    point: Values, size: Values, inside: Values, taken: Sequence[Bbox]
) -> Bbox | None:
    """The nearest box around a point, within the axes, that meets no other."""
    sides = [(1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (0, -1), (1, 0), (-1, 0)]
    for distance, side in itertools.product(_FARTHEST, sides):
        box = _box(point + np.array(side) * (size / 2 + distance), size)
        is_inside = min(box.min) > 0 and bool((np.array(box.max) < inside).all())
        if is_inside and not any(box.overlaps(other) for other in taken):
            return box
    return None


def _box(middle: Values, size: Values) -> Bbox:
    return Bbox(np.array([middle - size / 2, middle + size / 2]))


def _size_in_inches(ax: Axes) -> tuple[float, float]:
    """About how large the axes are, before labels and a layout make room."""
    figure: Any = ax.get_figure(root=True)
    width, height = figure.get_size_inches()
    place = ax.get_position()
    return width * place.width, height * place.height
