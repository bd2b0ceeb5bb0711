"""Effects and their make-up: boxes of local importance, additivity, interaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from .._core.clusters import as_codes
from .._core.outputs import as_columns
from .._core.results import GIAResult
from ..statistics.additivity import additivity_fit
from ..statistics.effects import interaction_contrast
from ..statistics.factorial import factorial_contrasts
from ..statistics.inputs import as_local, without_controls
from ..statistics.intervals import Interval, confidence_interval
from .style import (
    BLUE,
    GLOBAL,
    GREY,
    LOCAL,
    SKY,
    VERMILION,
    Columns,
    Values,
    backgrounds,
    check_columns,
    column_title,
    distinct_columns,
    finish,
    ink,
    label_ticks,
    labelled_height,
    new_axes,
    note,
    one_output,
    palette,
    row_labels,
    whole_ticks,
)


def local_importance_boxes(
    result: GIAResult,
    label: Columns | None = None,
    *,
    kind: Literal["box", "violin"] = "box",
    ax: Axes | None = None,
) -> Axes:
    """How large is each condition's effect, and how much does it depend on context?

    The local importances of every condition, with the global importance, their mean,
    as a diamond (the paper's figures 2b-d, 3c and 4c). Boxes hold the middle half,
    whiskers reach at most 1.5 times as far, and points are the rest.

    Parameters
    ----------
    result: GIAResult
        The outcome of any experiment, narrowed to one output.

    label: str, sequence of str or None, optional
        Columns of `conditions` that label the boxes. None takes the first ones that
        tell all conditions apart. Default is None.

    kind: {"box", "violin"}, optional
        Boxes, or the estimated density of each condition. Default is "box".

    ax: matplotlib.axes.Axes or None, optional
        Where to draw; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If `result` is no GIAResult, a column is unknown, or there are several outputs.

    Examples
    --------
    >>> import pandas as pd
    >>> import torch
    >>> sites = pd.DataFrame({"n_sites": [1, 2]})
    >>> result = GIAResult(torch.zeros(9, 1), torch.randn(9, 2, 1), sites)
    >>> ax = local_importance_boxes(result)
    >>> ax.get_xlabel()
    'Number of sites'
    """
    local = as_columns(one_output(result).local_importance).numpy()
    if kind not in ("box", "violin"):
        raise ValueError(f"`kind`={kind!r} must be 'box' or 'violin'.")
    columns = (
        distinct_columns(result.conditions)
        if label is None
        else check_columns(result.conditions, "label", label)
    )
    labels = row_labels(result.conditions, columns)
    ax = new_axes(ax, height=labelled_height(labels))
    places = np.arange(local.shape[1])
    ax.axhline(0, color=GREY, linewidth=0.6, zorder=0)
    (draw_boxes if kind == "box" else _violins)(ax, local, places)
    # Black on boxes, and with an edge that is seen beside them.
    means = local.mean(axis=0)
    edge = {"edgecolors": ink(ax), "linewidths": 0.5}
    ax.scatter(places, means, s=14, c="black", marker="D", zorder=4, **edge)
    label_ticks(ax, labels)
    ax.set_xlim(-0.6, len(places) - 0.4)
    note(ax, f"◆ global importance, {_backgrounds(result)}")
    return finish(ax, column_title(columns), LOCAL)


def additivity_line(
    result: GIAResult,
    n_sites: str = "n_sites",
    *,
    include_zero: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Do several sites of a motif act as the sum of their single effects?

    Global importance with 95 % intervals against the number of sites, the least-squares
    line and its R2 (paper, multiple sites). The background itself, 0 sites with an
    effect of 0, is filled where the line is fitted through it and open where not.

    Parameters
    ----------
    result: GIAResult
        The outcome of `multi_site`; of controls only the rows "none" are drawn.

    n_sites: str, optional
        Column with the number of sites. Default is "n_sites".

    include_zero: bool, optional
        Whether the fit includes the background. Default is False.

    ax
        As for `local_importance_boxes`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        As `local_importance_boxes` and `additivity_fit`.

    Examples
    --------
    >>> import pandas as pd
    >>> import torch
    >>> sites = pd.DataFrame({"n_sites": [1, 2, 3]})
    >>> after = torch.tensor([[1.0, 2.0, 3.0], [1.2, 2.4, 3.6]])
    >>> ax = additivity_line(GIAResult(torch.zeros(2), after, sites))
    >>> ax.texts[0].get_text()
    'R² = 1.00 (0 sites not fitted), n = 2 backgrounds'
    """
    check_columns(result.conditions, "n_sites", n_sites)
    result = without_controls(one_output(result))
    sites = result.conditions[n_sites].to_numpy()
    fit = additivity_fit(result, sites, include_zero=include_zero)
    points = fit.points
    ax = new_axes(ax)
    ends = np.array([0, sites[-1]])
    slope, intercept = float(fit.slope.effect), float(fit.intercept.effect)
    ax.plot(ends, intercept + slope * ends, color=VERMILION, linewidth=1.2, zorder=1)
    ax.errorbar(
        points["n_sites"].to_numpy(),
        points["effect"].to_numpy(),
        yerr=[points["effect"] - points["low"], points["high"] - points["effect"]],
        fmt="o",
        color=BLUE,
        markersize=4,
        capsize=2,
        linewidth=1,
    )
    face = BLUE if include_zero else ax.get_facecolor()
    ax.plot([0], [0], "o", markersize=4, color=BLUE, markerfacecolor=face)
    ax.set_xlim(-0.05 * sites[-1], 1.05 * sites[-1])
    whole_ticks(ax.xaxis)
    zero = "fitted" if include_zero else "not fitted"
    note(ax, f"R² = {fit.r2:.2f} (0 sites {zero}), {_backgrounds(result)}")
    return finish(ax, column_title(n_sites), GLOBAL)


def interaction_bars(
    result: GIAResult,
    arms: Sequence[str] = ("A", "B", "AB"),
    *,
    arm: str = "arm",
    labels: Sequence[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Do two patterns together do more, or less, than the sum of both alone?

    Global importances of each pattern, of their sum, and of both together, with 95 %
    intervals; above, the interaction AB - A - B.

    Parameters
    ----------
    result: GIAResult
        The outcome of `pairwise_interaction`; of controls only the rows "none" are
        drawn.

    arms: sequence of str, optional
        The arms of the first pattern, the second, and both. Default is
        ("A", "B", "AB").

    arm: str, optional
        Column that names the arms. Default is "arm".

    labels: sequence of str or None, optional
        Two names of the patterns; None takes those of the arms. Default is None.

    ax
        As for `local_importance_boxes`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        As `local_importance_boxes`, or if an arm is missing or there twice.

    Examples
    --------
    >>> import pandas as pd
    >>> import torch
    >>> arms = pd.DataFrame({"arm": ["A", "B", "AB"]})
    >>> after = torch.tensor([[1.0, 2.0, 4.0], [2.0, 2.0, 5.0]])
    >>> ax = interaction_bars(GIAResult(torch.zeros(2), after, arms))
    >>> ax.texts[0].get_text()
    'Interaction 1 [1, 1], n = 2 backgrounds'
    """
    check_columns(result.conditions, "arm", arm)
    result = without_controls(one_output(result))
    names = [str(name) for name in result.conditions[arm]]
    for wanted in arms:
        if names.count(wanted) != 1:
            raise ValueError(
                f"`arms`={tuple(arms)!r}: {wanted!r} is there {names.count(wanted)} "
                f"times in the column {arm!r}; once is needed."
            )
    a, b, both = (as_local(result.select(names.index(name))) for name in arms)
    first, second = labels if labels is not None else arms[:2]
    ticks = [first, second, "Sum", "Both"]
    ax = new_axes(ax, height=labelled_height(ticks))
    intervals = [
        confidence_interval(values, clusters=result.clusters)
        for values in (a, b, a + b, both)
    ]
    _bars(ax, intervals, [SKY, SKY, "#BBBBBB", BLUE])
    label_ticks(ax, ticks)
    contrast = interaction_contrast(both, a, b, clusters=result.clusters).interval
    note(ax, f"Interaction {_bounds(contrast)}, {_backgrounds(result)}")
    return finish(ax, "", GLOBAL)


def factorial_bars(
    result: GIAResult,
    patterns: Sequence[str] | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Which of several patterns act alone, in pairs, or only all together?

    The main effect of each pattern and the interaction of every set of them (see
    `factorial_contrasts`), with 95 % intervals; the colour is the size of the set.

    Parameters
    ----------
    result: GIAResult
        The outcome of `factorial`; of controls only the rows "none" are drawn.

    patterns: sequence of str or None, optional
        Columns of `conditions` that say whether a pattern is there. None takes all
        columns of True and False. Default is None.

    ax
        As for `local_importance_boxes`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        As `local_importance_boxes` and `factorial_contrasts`, or if no column says
        which patterns are there.

    Examples
    --------
    >>> import pandas as pd
    >>> import torch
    >>> arms = pd.DataFrame({"A": [True, False, True], "B": [False, True, True]})
    >>> after = torch.tensor([[1.0, 2.0, 4.0], [2.0, 2.0, 5.0]])
    >>> ax = factorial_bars(GIAResult(torch.zeros(2), after, arms))
    >>> [tick.get_text() for tick in ax.get_xticklabels()]
    ['A', 'B', 'A×B']
    """
    result = without_controls(one_output(result))
    if patterns is None:
        patterns = list(result.conditions.select_dtypes("bool").columns)
    columns = check_columns(result.conditions, "patterns", patterns)
    if not columns:
        raise ValueError(
            "`patterns`: the conditions have no columns of True and False that say "
            f"which patterns are there, but {list(result.conditions.columns)}."
        )
    result = result._replace(conditions=result.conditions[columns].astype(bool))
    contrasts = factorial_contrasts(result)
    ax = new_axes(ax, height=labelled_height(contrasts.names))
    intervals = [
        confidence_interval(values, clusters=contrasts.clusters)
        for values in contrasts.local.T
    ]
    sizes, colours = contrasts.sets.sum(axis=1), palette(ax)
    _bars(ax, intervals, [colours[(size - 1) % len(colours)] for size in sizes])
    label_ticks(ax, contrasts.names)
    note(ax, _backgrounds(result))
    return finish(ax, "", "Effect or interaction\n(model output)")


def _backgrounds(result: GIAResult) -> str:
    known = result.clusters
    templates = [] if known is None else [len(np.unique(as_codes(known)))]
    return backgrounds([len(result.y_before)], templates)


def draw_boxes(
    ax: Axes,
    local: Values,
    places: NDArray[Any],
    colours: Sequence[str] = (),
    width: float = 0.6,
) -> None:
    """A box for each condition, at its place and in its colour."""
    boxes: Any = ax.boxplot(
        local,
        positions=places,
        widths=width,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": SKY, "edgecolor": ink(ax), "linewidth": 0.7},
        whiskerprops={"color": ink(ax), "linewidth": 0.7},
        capprops={"color": ink(ax), "linewidth": 0.7},
        medianprops={"color": "black", "linewidth": 0.9},
        flierprops={"marker": ".", "markersize": 1.5, "markeredgecolor": GREY},
    )
    for box, colour in zip(boxes["boxes"], colours, strict=False):
        box.set_facecolor(colour)


def _violins(ax: Axes, local: Values, places: NDArray[Any]) -> None:
    # A density needs values that differ; other conditions are a line.
    drawn = [i for i in places if np.ptp(local[:, i]) > 0]
    if drawn:
        parts: Any = ax.violinplot(
            [local[:, i] for i in drawn], positions=drawn, widths=0.8, showextrema=False
        )
        for body in parts["bodies"]:
            body.set(facecolor=SKY, edgecolor=ink(ax), linewidth=0.5, alpha=1)
    for i in set(places.tolist()) - set(drawn):
        ax.hlines(local[0, i], i - 0.4, i + 0.4, color=ink(ax), linewidth=0.7)


def _bars(ax: Axes, intervals: list[Interval], colours: list[str]) -> None:
    effect = np.array([float(interval.effect) for interval in intervals])
    low = np.array([float(interval.low) for interval in intervals])
    high = np.array([float(interval.high) for interval in intervals])
    ax.bar(range(len(effect)), effect, width=0.7, color=colours)
    ax.errorbar(
        range(len(effect)),
        effect,
        yerr=[effect - low, high - effect],
        fmt="none",
        ecolor=ink(ax),
        elinewidth=0.8,
        capsize=2,
    )
    ax.axhline(0, color=ink(ax), linewidth=0.6)


def _bounds(interval: Interval) -> str:
    return f"{interval.effect:.3g} [{interval.low:.3g}, {interval.high:.3g}]"
