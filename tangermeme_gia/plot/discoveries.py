"""Patterns that a model reads, beside what they do when placed and when removed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import pandas as pd
import torch
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from .._core.letters import DNA
from .._core.motif import Motif
from ..motifs.matrices import information_logo, logo_frame
from .logos import draw_logo
from .style import (
    BLUE,
    PLAIN,
    SMALL,
    VERMILION,
    WIDTH,
    add_legend,
    finish,
    ink,
    shortened,
)

# Inches for a row and for what is above and below all; of the width, the share before
# the effects; of the effects', the longest logo and the gap.
_ROW, _ABOVE, _BELOW = 0.72, 0.35, 0.6
_LEFT = 0.36
_LOGO, _GAP = 0.52, 0.04
_NAME_LETTERS = 30
_KINDS = ("placed", "removed")


class Patterns(Protocol):
    """What `discover_motifs` returns."""

    @property
    def motifs(self) -> Mapping[str, Motif]:
        """Patterns by name."""

    @property
    def cwms(self) -> Mapping[str, torch.Tensor]:
        """Contributions by name."""

    def to_frame(self, confidence: float = ..., alpha: float = ...) -> pd.DataFrame:
        """A row for each."""


def pattern_effects(
    discovery: Patterns,
    confidence: float = 0.95,
    alpha: float = 0.05,
    alphabet: Sequence[str] = DNA,
    *,
    ax: Axes | None = None,
) -> Axes:
    """What does each pattern look like, and what does it do, placed and removed?

    Parameters
    ----------
    discovery: MotifDiscovery
        As `discover_motifs` returns it.

    confidence, alpha: float, optional
        As for its `to_frame`. Defaults are 0.95 and 0.05.

    alphabet: sequence of str, optional
        Letters in channel order, as logos show them. Default is DNA.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw the effects; logos stand to the left of it. None makes a figure.
        Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes
        A row for each pattern, the first on top: its logo (contributions where they are
        known, else information), and the effects of placing and of removing it with
        their intervals.

    Raises
    ------
    ValueError
        If there is no pattern, or an option is not between 0 and 1.

    Examples
    --------
    >>> from tangermeme_gia import discover_motifs
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> found = discover_motifs(model, X, motifs={"GATA1": "GATAA"}, random_state=0)
    >>> len(pattern_effects(found).get_lines())
    2
    """
    frame = discovery.to_frame(confidence, alpha)
    if not len(frame):
        raise ValueError("`discovery` has no pattern to draw.")
    ax = _new_axes(len(frame)) if ax is None else ax
    rows, handles = np.arange(len(frame)), []
    for shift, name, colour in ((0.1, _KINDS[0], BLUE), (0.3, _KINDS[1], VERMILION)):
        effect = frame[f"{name}_effect"].to_numpy(float)
        ends = frame[[f"{name}_low", f"{name}_high"]].to_numpy(float).T
        bars = ax.errorbar(
            effect,
            rows + shift,
            xerr=np.abs(ends - effect),
            fmt="o",
            markersize=4,
            color=colour,
        )
        handles.append(bars)
    ax.vlines(rows * 0, rows, rows + 0.45, color=ink(ax), linewidth=0.6)
    ax.set_ylim(len(frame) - 0.5, -0.5)
    ax.set_yticks([])
    for row, (_, pattern) in enumerate(frame.iterrows()):
        _draw_row(ax, discovery, pattern, (row, len(frame)), alphabet)
    above = {"loc": "lower left", "bbox_to_anchor": (0, 1), "ncols": 2}
    add_legend(ax, handles, _KINDS, beside=False, **above)
    return finish(ax, f"Change of the output\n({confidence:.0%} intervals)", "")


def _new_axes(n: int) -> Axes:
    """Those of the effects, with room for logos beside them."""
    height = _ABOVE + _BELOW + _ROW * n
    figure = plt.figure(figsize=(WIDTH, height))
    box = (_LEFT, _BELOW / height, 0.97 - _LEFT, _ROW * n / height)
    return figure.add_axes(box)


def _draw_row(
    ax: Axes,
    discovery: Patterns,
    pattern: pd.Series,
    place: tuple[int, int],
    alphabet: Sequence[str],
) -> None:
    """Logo to the left of a row, and name and verdict above its effects."""
    row, n = place
    key = pattern["pattern"]
    # Letters are as wide in all rows.
    longest = max(len(motif) for motif in discovery.motifs.values())
    width = _LOGO * len(discovery.motifs[key]) / longest
    box = (-width - _GAP, 1 - (row + 0.88) / n, width, 0.76 / n)
    beside = ax.inset_axes(box)
    if key in discovery.cwms:
        logo = logo_frame(discovery.cwms[key], alphabet)
    else:
        logo = information_logo(discovery.motifs[key].ppm, alphabet)
    draw_logo(beside, logo)
    beside.set_axis_off()
    known = pattern.get("name")
    name = known if isinstance(known, str) else key.replace("_patterns.pattern", "")
    ax.text(
        0.02,
        1 - (row + 0.04) / n,
        f"{shortened(name, _NAME_LETTERS)}\n{pattern['verdict']}",
        transform=ax.transAxes,
        va="top",
        fontsize=SMALL,
        color=ink(ax),
        **PLAIN,
    )
    if row:
        ax.axhline(row - 0.5, color=ink(ax), linewidth=0.3)
