"""Figure 1a of the paper, and any two methods against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from tangermeme_gia.plot.style import BLUE, GREY, ORANGE, finish, new_axes

from ..methods.registry import get_method, method_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_HALF_WIDTH, _JITTER = 0.36, 0.12
_FEWEST_FOR_BOX = 4


def draw_methods(scores: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """How well does each method predict held-out probes, experiment by experiment?

    A point is an experiment (seeds are averaged); box and violin from four experiments
    on (paper, figure 1a).
    """
    means = scores.groupby(["method", "experiment"])["pearson"].mean()
    order = list(means.groupby("method").median().sort_values(ascending=False).index)
    ax = new_axes(ax, width=max(3.4, 0.55 * len(order) + 1))
    rng = np.random.default_rng(0)
    for place, method in enumerate(order):
        values = means[method].to_numpy()
        if len(values) >= _FEWEST_FOR_BOX:
            _box(ax, place, values)
        shift = rng.uniform(-_JITTER, _JITTER, len(values)) * (len(values) > 1)
        ax.scatter(place + shift, values, s=9, color=BLUE, alpha=0.8, lw=0, zorder=3)
    titles = [title_of(method) for method in order]
    ax.set_xticks(range(len(order)), titles, rotation=40, ha="right", parse_math=False)
    ax.set_xlim(-0.6, len(order) - 0.4)
    return finish(ax, "", "Test Pearson correlation")


def _box(ax: Axes, place: float, values: Any) -> None:
    violin: Any = ax.violinplot(
        [values], [place], widths=2 * _HALF_WIDTH, showextrema=False
    )
    for body in violin["bodies"]:
        body.set(facecolor=BLUE, alpha=0.2)
    ax.boxplot(
        [values],
        positions=[place],
        widths=_HALF_WIDTH,
        showfliers=False,
        manage_ticks=False,
        medianprops={"color": ORANGE},
    )


def draw_pair(scores: pd.DataFrame, a: str, b: str, ax: Axes | None = None) -> Axes:
    """On which experiments is one method better than another?

    Raises
    ------
    ValueError
        If there is no experiment with scores of both.
    """
    wide = scores.pivot_table(index="experiment", columns="method", values="pearson")
    missing = [name for name in (a, b) if name not in wide]
    if missing or wide[[a, b]].dropna().empty:
        raise ValueError(f"`a`={a!r} and `b`={b!r} share no experiment in `scores`.")
    both = wide[[a, b]].dropna()
    ax = new_axes(ax, width=2.8, height=2.8)
    ends = [float(both.min().min()) - 0.03, float(both.max().max()) + 0.03]
    ax.plot(ends, ends, color=GREY, lw=0.8, ls="--")
    ax.scatter(both[a], both[b], s=12, color=BLUE, lw=0)
    if len(both) <= 8:
        for name, (x, y) in zip(both.index, both.to_numpy(), strict=True):
            ax.annotate(str(name), (x, y), fontsize=6, parse_math=False)
    ax.set(xlim=ends, ylim=ends, aspect="equal")
    return finish(ax, f"{title_of(a)} (test Pearson)", f"{title_of(b)} (test Pearson)")


def title_of(method: str) -> str:
    """What papers call a method; its name where it is none of ours.

    Examples
    --------
    >>> title_of("dlprb-rnn")
    'DLPRB-RNN'
    """
    return get_method(method).title if method in method_names() else method
