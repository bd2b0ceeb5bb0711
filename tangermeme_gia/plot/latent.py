"""Cells of a grid against their latent values, with the link and AB off or on it."""

from __future__ import annotations

import re

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from .._core.results import GIAResult
from ..statistics.latent import LatentContrast, latent_contrast
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
