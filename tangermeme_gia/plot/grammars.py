"""All pictures of a survey of pairs of motifs in one figure."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from matplotlib.axes import Axes

from ..statistics.grammar import Grammar
from .pairs import check_grammar, pair_matrix, pair_network, spacing_heatmap
from .style import LINE, WIDTH, new_axes

# Inches above a picture, above and below it, and between columns.
_ABOVE, _AROUND, _BETWEEN = 0.25, 0.9, 0.6
_FEWEST_OF_A_NETWORK = 3


class _Panel(NamedTuple):
    """A picture: how it is drawn, its height, and inches beside it for names."""

    draw: Callable[..., Axes]
    inches: float
    before: float = 1.4
    behind: float = 0.85


def grammar_overview(
    grammar: Grammar, most: int = 6, *, ax: Axes | None = None
) -> Axes:
    """Which motifs act together, and how must they stand, all in one figure?

    The `pair_matrix`, with three motifs or more the `pair_network`, and the
    `spacing_heatmap` of each confirmed pair, the largest interactions first. A new
    figure is as wide as one column of a journal, with a network as two.

    Parameters
    ----------
    grammar: Grammar
        From `motif_grammar`.

    most: int, optional
        How many pairs have a heat map. Default is 6.

    ax: matplotlib.axes.Axes or None, optional
        Where to draw all pictures; None makes a figure. Default is None.

    Returns
    -------
    ax: matplotlib.axes.Axes
        The axes given, or those of the new figure; the pictures are its `child_axes`.

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
    >>> grammar = motif_grammar(model, X, ["GATA", "TTA", "CC"], [3])
    >>> len(grammar_overview(grammar).child_axes)
    2
    """
    panels, n_columns = _panels(check_grammar(grammar), most)
    rows = [panels[i : i + n_columns] for i in range(0, len(panels), n_columns)]
    heights = [max(panel.inches for panel in row) + _AROUND for row in rows]
    width, height = n_columns * WIDTH + (n_columns - 1) * _BETWEEN, sum(heights)
    ax = new_axes(ax, height, width)
    ax.set_axis_off()
    top = height - _ABOVE
    for row, own in zip(rows, heights, strict=True):
        for i, (draw, inches, before, behind) in enumerate(row):
            x, across = i * (WIDTH + _BETWEEN) + before, WIDTH - before - behind
            box = x / width, (top - inches) / height, across / width, inches / height
            draw(grammar, ax=ax.inset_axes(box))
        top -= own
    return ax


def _panels(grammar: Grammar, most: int) -> tuple[list[_Panel], int]:
    """What is drawn, and in how many columns."""
    n, stands = len(grammar.motifs), grammar.confirmed
    has_network = n >= _FEWEST_OF_A_NETWORK
    panels = [_Panel(pair_matrix, max(1.4, min(0.34 * n, 5)), 1.2, 0.7)]
    if has_network:
        panels.append(_Panel(pair_network, 2.6, 0.1, 0.1))
    for pair in list(zip(stands["a"], stands["b"], strict=True))[:most]:
        n_rows = int(grammar.profiles[["a", "b"]].eq(list(pair)).all(axis=1).sum())
        draw = partial(spacing_heatmap, pair=pair)
        panels.append(_Panel(draw, 1.3 * LINE * max(n_rows, 4)))
    return panels, 1 + has_network
