"""Collections of motifs: their logos beside their effects."""

from __future__ import annotations

from typing import Any

import logomaker
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from .._core.letters import check_count
from .._core.motif import Motif
from ..motifs.matrices import information_logo
from .logos import letter_colours
from .style import (
    BLUE,
    GLOBAL,
    GREY,
    LINE,
    PLAIN,
    add_legend,
    check_one_output,
    count,
    finish,
    half_widths,
    new_axes,
    note,
    palette,
    shortened,
)

# Letters of a label, height of a row in lines, and what stands above and below.
_LABEL, _ROW, _AROUND = 14, 1.7, 1.5
# Where logos begin beside the axes, and how wide they are, in inches: of a share of the
# axes a layout would find no end.
_LOGOS, _LOGO_WIDTH = 0.08, 1.0
_LEAST_POSITIONS, _LEAST_ROWS = 10, 5


def motif_effects(
    scan: Any, n: int = 20, *, alpha: float = 0.05, ax: Axes | None = None
) -> Axes:
    """Which motifs does the model read, and what do they look like?

    The motifs that stand for others of their kind, largest difference from their
    control first (of a scan without controls, largest effect): effect with interval,
    control, and logo as it was placed, on its strand.

    Parameters
    ----------
    scan: MotifScan
        The outcome of `motif_scan`, with one output.

    n: int, optional
        How many motifs to show. Default is 20.

    alpha: float, optional
        Motifs with a q value below it are in colour, others grey. Default is 0.05.

    ax
        As for `spacing_curve`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If `scan` is no scan of motifs, has several outputs, or `n` is below 1.

    Examples
    --------
    >>> import torch
    >>> from tangermeme_gia import motif_scan
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> ax = motif_effects(motif_scan(model, X, ["GATAA", "CACGTG"]))
    >>> len(ax.get_yticks())
    2
    """
    if not hasattr(scan, "motifs") or not hasattr(scan, "to_frame"):
        raise TypeError(
            f"`scan` is a {type(scan).__name__}; it must be the outcome of "
            "`motif_scan`."
        )
    check_count("n", n)
    frame = check_one_output(scan.to_frame(), "scan")
    shown = _best(frame).head(n)
    # Logos of few motifs are no larger than those of many.
    n_rows = max(len(shown), _LEAST_ROWS)
    height = LINE * _ROW * n_rows + _AROUND
    ax = new_axes(ax, height=height)
    places = np.arange(len(shown))[::-1]
    ax.axvline(0, color=GREY, linewidth=0.6, zorder=0)
    handles, names = _draw_effects(ax, shown, places, alpha)
    below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.55 / height)}
    add_legend(ax, handles, names, beside=False, **below)
    ax.set_yticks(places, _labels(shown, frame), **PLAIN)
    ax.set_ylim(len(shown) - n_rows - 0.7, len(shown) - 0.3)
    _draw_logos(ax, shown, places, scan.motifs)
    of = frame["cluster"].nunique()
    more = f"{len(shown)} of {of} kinds, " if of > len(shown) else ""
    note(ax, more + count(frame))
    return finish(ax, GLOBAL.replace("\n", " "), "")


def _best(frame: pd.DataFrame) -> pd.DataFrame:
    """A row for each motif that stands for others, best first."""
    tested = frame["difference"] if "difference" in frame else frame["effect"]
    order = tested.abs().sort_values(ascending=False, kind="stable").index
    ordered = frame.loc[order]
    best = ordered[ordered["motif"] == ordered["representative"]]
    first: pd.DataFrame = best.drop_duplicates("motif").reset_index(drop=True)
    return first


def _draw_effects(
    ax: Axes, shown: pd.DataFrame, places: Any, alpha: float
) -> tuple[list[Any], list[str]]:
    """Points with intervals, and those of controls; what the legend says of them."""
    widths = half_widths(shown)
    handles: list[Any] = []
    names: list[str] = []
    stands = (shown["q"] < alpha).to_numpy()
    for chosen, colour, name in (
        (stands, BLUE, f"motif, q < {alpha:g}"),
        (~stands, GREY, "motif, others"),
    ):
        if chosen.any():
            drawn = ax.errorbar(
                shown["effect"][chosen],
                places[chosen],
                xerr=None if widths is None else widths[:, chosen],
                fmt="o",
                color=colour,
                markersize=3.5,
                linewidth=1,
            )
            handles.append(drawn)
            names.append(name)
    if "control_effect" in shown:
        (controls,) = ax.plot(
            shown["control_effect"],
            places,
            "|",
            color=palette(ax)[1],
            markersize=7,
            markeredgewidth=1.4,
        )
        handles.append(controls)
        names.append("control")
    return handles, names


def _labels(shown: pd.DataFrame, frame: pd.DataFrame) -> list[str]:
    """Name, strand where there are several, and how many it stands for."""
    sizes = frame.drop_duplicates("motif")["representative"].value_counts()
    apart = frame["strand"].nunique() > 1
    labels = []
    for key, name, strand in zip(
        shown["motif"], shown["name"], shown["strand"], strict=True
    ):
        more = sizes[key] - 1
        label = shortened(name, _LABEL) + (f" {strand}" if apart else "")
        labels.append(f"{label} (+{more})" if more else label)
    return labels


def _draw_logos(
    ax: Axes, shown: pd.DataFrame, places: Any, motifs: dict[str, Motif]
) -> None:
    """Logos to the right of the axes, each in its row."""
    figure = ax.get_figure(root=True)
    edge = ScaledTranslation(1, 0, ax.transAxes)  # type: ignore[arg-type]
    inches = figure.dpi_scale_trans + edge  # type: ignore[union-attr]
    where = blended_transform_factory(inches, ax.transAxes)
    bounds = (_LOGOS, 0, _LOGO_WIDTH, 1)
    beside = ax.inset_axes(bounds, transform=where, sharey=ax)
    longest = _LEAST_POSITIONS
    for key, strand, place in zip(shown["motif"], shown["strand"], places, strict=True):
        motif = motifs[key].reverse_complement() if strand == "-" else motifs[key]
        longest = max(longest, len(motif))
        logo = information_logo(motif.ppm, motif.alphabet)
        _draw_letters(beside, logo, place - 0.4, 0.8 / np.log2(len(motif.alphabet)))
    beside.set_xlim(-0.5, longest - 0.5)
    beside.set_xticks([])
    beside.tick_params(left=False, labelleft=False)
    beside.spines[:].set_visible(False)
    beside.patch.set_visible(False)


def _draw_letters(ax: Axes, logo: pd.DataFrame, bottom: float, scale: float) -> None:
    """Letters on each other, the highest on top; `scale` is the height of a bit."""
    colours = letter_colours(logo)
    for position, heights in enumerate(scale * logo.to_numpy()):
        floor = bottom
        for column in np.argsort(heights, kind="stable"):
            if heights[column] > 0:
                letter = str(logo.columns[column])
                logomaker.Glyph(
                    position,
                    letter,
                    floor=floor,
                    ceiling=floor + heights[column],
                    ax=ax,
                    color=colours[letter],
                )
                floor += heights[column]
