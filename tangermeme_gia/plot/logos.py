"""Logos and heat maps of motifs and of in silico mutagenesis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import logomaker
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from .._core.letters import DNA, as_float64
from .._core.results import GIAResult
from ..motifs.from_kmers import sensitivity_logo
from ..motifs.matrices import Matrix, information_logo, logo_frame
from ..statistics.mutagenesis import mutagenesis_change, wild_type
from .style import (
    BLUE,
    CHANGE,
    GREY,
    LETTER_COLOURS,
    MEDIUM,
    PLAIN,
    SKY,
    SMALL,
    PowersInLabels,
    figure_width,
    finish,
    ink,
    new_axes,
)

# Where every position has its number, they do not touch.
_MOST_NUMBERS = 12
_BRACKETS_PER_INCH = 18
# Height of the logo above a heat map, in rows, with the gap between them.
_LOGO_ROWS, _LOGO_GAP = 2.0, 0.25


def motif_logo(
    ppm: Matrix,
    alphabet: Sequence[str] = DNA,
    *,
    information: bool = True,
    background: ArrayLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """What does a motif look like, such as that of the aligned top k-mers?

    Parameters
    ----------
    ppm: array-like, shape=(len(alphabet), length)
        Probabilities, for example `align_kmers(...).ppm`.

    alphabet: sequence of str, optional
        Letters in channel order; with U for RNA, the logo has U. Default is DNA.

    information: bool, optional
        Whether letters share the bits of their position; if not, they are as high as
        their probability. Default is True.

    background: array-like or None, shape=(len(alphabet),), optional
        As for `motifs.information_content`. Default is None.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If the PPM does not fit the alphabet or does not hold probabilities.

    Examples
    --------
    >>> ax = motif_logo([[0, 0.7], [0, 0.1], [1, 0.1], [0, 0.1]], alphabet="ACGU")
    >>> ax.get_ylabel()
    'Information (bits)'
    """
    letters = list(alphabet)
    # Checked as a motif either way.
    logo = information_logo(ppm, letters, background)
    highest, ylabel = float(np.log2(len(letters))), "Information (bits)"
    if not information:
        logo, highest, ylabel = logo_frame(ppm, letters), 1.0, "Probability"
    elif background is not None:
        highest = max(highest, float(logo.sum(axis=1).max()))
    ax = new_axes(ax, height=1.4)
    draw_logo(ax, logo)
    ax.set_ylim(0, highest)
    return finish(ax, "Position", ylabel)


def mutagenesis_logo(
    change: GIAResult | Matrix | pd.DataFrame,
    sequence: str | None = None,
    alphabet: Sequence[str] | None = None,
    *,
    structure: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Which positions of a sequence, in or outside a stem, does the model care about?

    The sequence as a logo, each letter as high as the L2 norm over the variants of its
    position, above the structure (the paper's figures 2a and 3a).

    Parameters
    ----------
    change: GIAResult, array-like, shape=(length, len(alphabet)), or pandas.DataFrame
        The outcome of `kmer_mutagenesis` with one output; or the output for every
        single-letter variant *minus* that for the sequence itself.

    sequence: str or None, optional
        The wild type, such as a whole sequence. None is that of a result.
        Default is None.

    alphabet: sequence of str or None, optional
        Letters in column order. None is those of a result or of the columns of a frame,
        of an array DNA. Default is None.

    structure: str or None, optional
        Dot-bracket string of the same length, drawn below: paired positions in blue,
        with their brackets where these do not touch. Default is None.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    ValueError
        If shapes, letters or structure do not fit, or as `sensitivity_logo`.

    Examples
    --------
    >>> change = [[0, -3, -4, 0], [-1, 0, 0, 0], [0, 0, 0, -2]]
    >>> ax = mutagenesis_logo(change, "ACA", structure="(.)")
    >>> [text.get_text() for text in ax.texts]
    ['(', '.', ')']
    """
    values, sequence, letters = _read_change(change, sequence, alphabet)
    logo = sensitivity_logo(values, sequence, letters)
    if structure is not None and len(structure) != len(sequence):
        raise ValueError(
            f"`structure` has {len(structure)} positions and `sequence` "
            f"{len(sequence)}; they must be the same."
        )
    ax = new_axes(ax, height=1.6)
    draw_logo(ax, logo)
    top = float(logo.to_numpy().max()) or 1.0
    ax.set_ylim(0, 1.05 * top)
    if structure is not None:
        _draw_structure(ax, structure, top)
    return finish(ax, "Position", "Sensitivity\n(L2 norm of change)")


def mutagenesis_heatmap(
    change: GIAResult | Matrix | pd.DataFrame,
    sequence: str | None = None,
    alphabet: Sequence[str] | None = None,
    *,
    logo: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """How much does every single-letter variant of a k-mer or sequence change?

    Parameters
    ----------
    change, sequence, alphabet
        As for `mutagenesis_logo`; the letters of the wild type are marked with a dot.

    logo: bool, optional
        Whether the logo of `mutagenesis_logo` stands above. Default is True.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw; None makes a figure. The colour bar is an inset to the right.
        Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes
        That of the heat map.

    Raises
    ------
    ValueError
        If shapes or letters do not fit, or as `sensitivity_logo`.

    Examples
    --------
    >>> ax = mutagenesis_heatmap([[0, -3, -4, 0], [-1, 0, 0, 0]], "AC")
    >>> ax.images[0].get_array().shape
    (4, 2)
    """
    given, sequence, letters = _read_change(change, sequence, alphabet)
    heights = sensitivity_logo(given, sequence, letters)
    values = as_float64(given, "change").T
    ax = new_axes(ax, height=2.4 if logo else 2.0)
    rows = len(letters)
    # The logo stands in the same axes, so that no layout can cut it off.
    top = rows + _LOGO_ROWS if logo else rows
    draw_grid(ax, values, CHANGE, share=rows / top)
    if logo:
        _draw_above(ax, heights)
    ax.set_ylim(rows - 0.5, rows - 0.5 - top)
    ax.set_xlim(-0.5, len(sequence) - 0.5)
    ax.set_yticks(range(rows), letters, **PLAIN)
    number_positions(ax, len(sequence))
    codes = [letters.index(letter) for letter in sequence]
    ax.plot(range(len(codes)), codes, "o", color="black", markersize=2.5)
    finish(ax, "Position", "Variant")
    ax.yaxis.label.set_y(rows / top / 2)
    ax.spines[:].set_visible(False)
    return ax


def _read_change(
    change: GIAResult | Matrix | pd.DataFrame,
    sequence: str | None,
    alphabet: Sequence[str] | None,
) -> tuple[Matrix | pd.DataFrame, str, list[str]]:
    """The change of every variant, the wild type and the letters."""
    if isinstance(change, GIAResult):
        sequence = wild_type(change) if sequence is None else sequence
        change = mutagenesis_change(change, alphabet)
    if sequence is None:
        raise ValueError("`sequence`=None; only a result knows its wild type.")
    if alphabet is None:
        alphabet = list(change.columns) if isinstance(change, pd.DataFrame) else DNA
    return change, sequence, list(alphabet)


def draw_grid(ax: Axes, values: ArrayLike, label: str, share: float = 1) -> None:
    """A heat map with white at 0; beside its share of the axes, a colour bar."""
    grid = np.asarray(values, dtype=float)
    limit = float(np.nanmax(np.abs(grid), initial=0)) or 1.0
    # Orange and purple are told apart by all common kinds of colour vision.
    image = ax.imshow(
        grid,
        cmap="PuOr_r",
        vmin=-limit,
        vmax=limit,
        aspect="auto",
        interpolation="nearest",
    )
    ax.grid(False)  # no line through the numbers
    add_colour_bar(ax, image, label, share)


def add_colour_bar(ax: Axes, drawn: Any, label: str, share: float = 1) -> Any:
    """A colour bar of what was drawn, beside a share of the axes."""
    beside = ax.inset_axes((1.03, 0, 0.035, share))
    figure: Any = ax.get_figure(root=True)
    bar = figure.colorbar(drawn, cax=beside, format=PowersInLabels())
    bar.set_label(label, fontsize=SMALL, **PLAIN)
    bar.ax.tick_params(labelsize=SMALL)
    bar.outline.set_visible(False)
    return bar


def draw_logo(ax: Axes, logo: pd.DataFrame) -> None:
    """A logo of letters as high as the table says, with numbered positions."""
    colours = letter_colours(logo)
    # A motif without information, or a model without response, has no letters.
    if logo.to_numpy().any():
        logomaker.Logo(logo, ax=ax, color_scheme=colours, show_spines=False)
        ax.lines[-1].set_color(ink(ax))  # at 0
    ax.spines[["left", "bottom"]].set_visible(True)
    ax.set_xlim(-0.5, len(logo) - 0.5)
    number_positions(ax, len(logo))


def _draw_above(ax: Axes, logo: pd.DataFrame) -> None:
    """Letters above row 0 of a heat map, whose vertical axis points down."""
    heights = logo.to_numpy()
    colours = letter_colours(logo)
    scale = (_LOGO_ROWS - _LOGO_GAP) / (heights.max() or 1.0)
    bottom = -0.5 - _LOGO_GAP
    for position, column in zip(*heights.nonzero(), strict=True):
        letter = str(logo.columns[column])
        logomaker.Glyph(
            position,
            letter,
            floor=bottom - scale * heights[position, column],
            ceiling=bottom,
            ax=ax,
            color=colours[letter],
            flip=True,
        )


def letter_colours(logo: pd.DataFrame) -> dict[str, str]:
    """The colour of each letter; grey for alphabets other than of nucleotides."""
    letters = [str(letter) for letter in logo.columns]
    known = {*LETTER_COLOURS, "N"}.issuperset(letter.upper() for letter in letters)
    colours = LETTER_COLOURS if known else {}
    return {letter: colours.get(letter.upper(), GREY) for letter in letters}


def number_positions(ax: Axes, length: int) -> None:
    """Ticks at positions from 0, all of them where there are few."""
    step = 1 if length <= _MOST_NUMBERS else 5 * max(1, round(length / 40))
    ax.set_xticks(range(0, length, step))


def _draw_structure(ax: Axes, structure: str, top: float) -> None:
    """A row of brackets and dots below the logo, in the same axes."""
    low, high = -0.24 * top, -0.06 * top
    for position, symbol in enumerate(structure):
        colour = "#DDDDDD" if symbol == "." else SKY
        corner = (position - 0.5, low)
        ax.add_patch(Rectangle(corner, 1, high - low, color=colour, linewidth=0))
        if len(structure) > _BRACKETS_PER_INCH * figure_width(ax):
            continue
        ax.text(
            position,
            (low + high) / 2,
            symbol,
            ha="center",
            va="center",
            fontsize=MEDIUM,
            color="#444444" if symbol == "." else BLUE,
        )
    ax.set_ylim(-0.26 * top, 1.05 * top)
    ax.set_yticks([tick for tick in ax.get_yticks() if 0 <= tick <= 1.05 * top])
