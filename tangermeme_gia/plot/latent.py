"""Cells of a grid against their latent values, and curves of sites on both scales."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from .._core.results import GIAResult
from ..statistics.latent import LatentContrast, latent_contrast
from ..statistics.latent_sites import LatentAdditivity, latent_additivity
from .style import (
    BLUE,
    GREY,
    SMALL,
    VERMILION,
    add_legend,
    backgrounds,
    check_columns,
    finish,
    ink,
    new_axes,
    note,
    one_output,
)

_LEVELS = ["level_a", "level_b", "level_c"]


def latent_link(
    result: GIAResult, fit: LatentContrast | None = None, *, ax: Axes | None = None
) -> Axes:
    """Do two patterns interact, or does the output only saturate?

    The mean output of every cell against the sum of its latent values, and the link
    through them. The cells with A and B at full strength, which made neither, lie on
    the link if A and B only add up; a line goes from each to where the link has its
    output.

    Parameters
    ----------
    result: GIAResult
        The outcome of `latent_interaction`, with one output.

    fit: LatentContrast or None, optional
        That of `statistics.latent_contrast`; None makes one. Default is None.

    ax
        As for `spacing_curve`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If `result` is no such result, or has several outputs.

    Examples
    --------
    >>> import torch
    >>> from tangermeme_gia import latent_interaction
    >>> X = torch.eye(4)[torch.randint(4, (50, 40))].transpose(1, 2)
    >>> weight = torch.rand(4, 40) / 3
    >>> result = latent_interaction(
    ...     lambda X: (X * weight).sum(dim=(1, 2))[:, None].exp(),
    ...     X,
    ...     ("GATAA", 4),
    ...     ("CACGTG", 16),
    ...     random_state=0,
    ... )
    >>> latent_link(result).get_xlabel()
    'Sum of latent values\\n(effects of A)'
    """
    one = one_output(result)
    check_columns(one.conditions, "result", _LEVELS)
    fit = latent_contrast(one) if fit is None else fit
    ax = new_axes(ax, height=2.9)
    both = fit.cells["both"].to_numpy()
    other, ab = fit.cells[~both], fit.cells[both]
    ax.plot(fit.link["latent"], fit.link["output"], color=BLUE, linewidth=1.2)
    ax.plot(
        other["latent"], other["output"], "o", color=GREY, markersize=2.5, linewidth=0
    )
    for _, cell in ab.iterrows():
        if np.isfinite(cell["read"]):
            ends = [cell["latent"], cell["read"]]
            ax.plot(ends, 2 * [cell["output"]], color=VERMILION, linewidth=1)
    (full,) = ax.plot(ab["latent"], ab["output"], "o", color=VERMILION, markersize=4)
    _tell(ax, fit, full)
    templates = () if one.clusters is None else [len(set(one.clusters))]
    told = backgrounds([len(one.y_before)], templates)
    note(ax, f"{len(fit.cells)} cells, {told}")
    return finish(ax, "Sum of latent values\n(effects of A)", "Mean output")


def latent_curve(
    result: GIAResult, fit: LatentAdditivity | None = None, *, ax: Axes | None = None
) -> Axes:
    """Do several sites count for less than their sum, or does the output saturate?

    What one, two, three, ... sites are worth, in effects of a single one: on the
    output's scale and on that on which other sites add up, with intervals, and the sum
    of each alone.

    Parameters
    ----------
    result: GIAResult
        The outcome of `latent_sites`, with one output.

    fit: LatentAdditivity or None, optional
        That of `statistics.latent_additivity`; None makes one. Default is None.

    ax
        As for `spacing_curve`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If `result` is no such result, or has several outputs.

    Examples
    --------
    >>> import torch
    >>> from tangermeme_gia import latent_sites
    >>> X = torch.eye(4)[torch.randint(4, (50, 60))].transpose(1, 2)
    >>> weight = torch.rand(4, 60) / 3
    >>> result = latent_sites(
    ...     lambda X: (X * weight).sum(dim=(1, 2))[:, None].exp(),
    ...     X,
    ...     "GATAA",
    ...     [4, 14, 24],
    ...     random_state=0,
    ... )
    >>> latent_curve(result).get_ylabel()
    'Effect of all sites\\n(effects of one)'
    """
    one = one_output(result)
    check_columns(one.conditions, "result", ["level_1", "level_c", "level_d"])
    fit = latent_additivity(one) if fit is None else fit
    points = fit.points
    ax = new_axes(ax, height=2.9)
    total = points["effect"] - points["raw"].fillna(0.0)
    unit = float(total.iloc[-1]) / len(points)
    scales = (
        ("output", VERMILION, "o", total / unit, points.filter(like="raw") / unit),
        ("latent", BLUE, "s", points["additive"], points.filter(like="deviation")),
    )
    number = points["n_sites"].to_numpy(float)
    handles: list[Any] = ax.plot(
        number, points["additive"], "--", color=GREY, linewidth=1
    )
    labels = ["sum of each"]
    for side, (name, colour, marker, base, off) in zip((-1, 1), scales, strict=True):
        # One site deviates by nothing; what is not identifiable is not drawn.
        middle, low, high = off.to_numpy(float, copy=True).T
        middle[0] = low[0] = high[0] = 0.0
        handles.append(
            ax.errorbar(
                number + 0.04 * side,
                base + middle,
                np.abs(np.sort([middle - low, high - middle], axis=0)),
                fmt=f"{marker}-",
                color=colour,
                markersize=4,
                linewidth=1,
            )
        )
        labels.append(f"{name} scale")
    ax.set_xticks(number)
    add_legend(ax, handles, labels, beside=False, loc="upper left")
    templates = () if one.clusters is None else [len(set(one.clusters))]
    note(ax, f"{fit.verdict}; {backgrounds([len(one.y_before)], templates)}")
    return finish(ax, "Number of sites", "Effect of all sites\n(effects of one)")


def _tell(ax: Axes, fit: LatentContrast, full: Line2D) -> None:
    """The verdict, and both scales, where the link leaves room."""
    lines = [f"interaction {fit.verdict}".replace("interaction adds", "A and B add")]
    for name, interval in (("latent", fit.latent), ("output", fit.raw)):
        if np.isfinite(interval.effect):
            bounds = f"[{interval.low:.2g}, {interval.high:.2g}]"
            lines.append(f"{name} {interval.effect:.2g} {bounds}")
    if np.isnan(fit.latent.effect):
        lines.append(re.split("[:,;]", fit.reason)[0])
    output = fit.link["output"].to_numpy()
    rises = len(output) == 0 or output[-1] >= output[0]
    ax.text(
        0.03,
        0.97 if rises else 0.03,
        "\n".join(lines),
        transform=ax.transAxes,
        va="top" if rises else "bottom",
        fontsize=SMALL,
        color=ink(ax),
    )
    corner = "lower right" if rises else "upper right"
    add_legend(ax, [full], ["A and B at full strength"], beside=False, loc=corner)
