"""A panel of the paper: what it shows, what the paper says, and what comes out here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from matplotlib import pyplot
from matplotlib.axes import Axes

from tangermeme_gia.report.section import Figure, Section


class Missing(Exception):
    """What a panel cannot be drawn without, in one sentence."""


@dataclass
class Panel(Section):
    """A section of the page with the paper's statement and ours.

    `source` says which data and models it is drawn from, and `differs` what was done
    otherwise than in the paper, and why a number need not be the same.
    """

    paper: str = ""
    ours: str = ""
    source: str = ""
    differs: str = ""


def side_by_side(
    draw: Mapping[str, Callable[..., Axes]], height: float = 2.8
) -> Callable[[], Axes]:
    """A drawing of several, each under its name."""
    return partial(_side_by_side, dict(draw), height)


def _side_by_side(draw: dict[str, Callable[..., Axes]], height: float) -> Axes:
    n = len(draw)
    axes = pyplot.subplots(
        1, n, figsize=(min(3.5 * n, 7.2), height), layout="constrained", squeeze=False
    )[1][0]
    for (name, each), ax in zip(draw.items(), axes, strict=True):
        each(ax=ax)
        ax.set_title(name, loc="left", fontsize=8, pad=14)
    first: Axes = axes[0]
    return first


def figure(
    name: str, reading: str, draw: Mapping[str, Callable[..., Axes]], **size: Any
) -> Figure:
    """A figure with an axes for each model."""
    return Figure(name, side_by_side(draw, **size), reading)


def of_each(tables: Mapping[str, pd.DataFrame], column: str = "model") -> pd.DataFrame:
    """The tables of several models as one, which says of which each row is."""
    named = [
        table.assign(**{column: name}).pipe(
            lambda t: t[[column, *(c for c in t if c != column)]]
        )
        for name, table in tables.items()
    ]
    joined: pd.DataFrame = pd.concat(named, ignore_index=True)
    return joined
