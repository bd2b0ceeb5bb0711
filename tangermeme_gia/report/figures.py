"""Figures of a report: drawn alike everywhere, in the words of its page, as files."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.storage import write_atomically
from .section import Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 300
# A picture of more points than this is drawn by browsers faster as pixels.
_LARGEST_SVG = 200_000
# What plots call the output of any model.
_ANY_OUTPUT = "(model output)"
_LONGEST_UNIT = 40


def save_figures(section: Section, folder: Path, unit: str = "") -> None:
    """Write each figure of a section as SVG and PNG, `unit` being that of effects."""
    folder.mkdir(parents=True, exist_ok=True)
    for figure in section.figures:
        with _drawing():
            ax = figure.draw()
            _say_unit(ax, unit)
            for ending in ("svg", "png"):
                write_atomically(
                    folder / f"{figure.name}.{ending}", _picture(ax, ending)
                )
            _close(ax)


def data_uri(path: Path) -> str:
    """A picture as text that a page can hold: the SVG, or the PNG of a large one."""
    if path.stat().st_size > _LARGEST_SVG:
        path = path.with_suffix(".png")
    kind = {".svg": "svg+xml", ".png": "png"}[path.suffix]
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def letters_from_one(draw: Callable[[], Axes], motif: str = "") -> Axes:
    """A figure of a motif whose letters are counted from 1, as people do."""
    ax = draw()
    shown = [int(tick) for tick in ax.get_xticks()]
    names = [f"{motif[tick]}{tick + 1}" if motif else str(tick + 1) for tick in shown]
    ax.set_xticks(shown, names)
    ax.set_xlabel("Letter of the motif (from 1)")
    return ax


def unit_of(output: str) -> str:
    """What axes call the output: a few words of it, without what is in brackets.

    Examples
    --------
    >>> unit_of("predicted score (RNCMPT00001, transformed)")
    'predicted score'
    """
    short = output.split(" (")[0].strip()
    return short if len(short) <= _LONGEST_UNIT else "model output"


def _say_unit(ax: Axes, unit: str) -> None:
    if not unit:
        return
    figure = ax.get_figure(root=True)
    assert figure is not None
    for each in [*figure.axes, *ax.child_axes]:
        for axis in (each.xaxis, each.yaxis):
            text = axis.get_label_text().replace(_ANY_OUTPUT, f"({unit})")
            axis.set_label_text(text, parse_math=False, usetex=False)


@contextmanager
def _drawing() -> Iterator[None]:
    """Pictures that are the same bytes each time, whatever the user's settings."""
    import matplotlib as mpl

    settings: dict[str, Any] = dict(mpl.rcParamsDefault.items())
    settings["backend"] = "agg"
    settings |= {"svg.hashsalt": "tangermeme-gia", "svg.fonttype": "path"}
    with mpl.rc_context(settings):  # type: ignore[arg-type]
        yield


def _picture(ax: Axes, ending: str) -> bytes:
    buffer = io.BytesIO()
    metadata = {"Date": None} if ending == "svg" else {"Software": None}
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.savefig(
        buffer, format=ending, dpi=_DPI, bbox_inches="tight", metadata=metadata
    )
    return buffer.getvalue()


def _close(ax: Axes) -> None:
    from matplotlib import pyplot

    pyplot.close(ax.get_figure(root=True))
