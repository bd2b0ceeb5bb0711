"""Figures of a report: drawn alike everywhere, in the words of its page, as files."""

from __future__ import annotations

import base64
import hashlib
import io
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.agreement import FewEffectsWarning
from .._core.identity import describe
from .._core.storage import write_atomically
from .section import Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 300
# Letters of an SVG in which its key stands.
_HEAD = 3000
# A picture of more points than this is drawn by browsers faster as pixels.
_LARGEST_SVG = 500_000
# What plots call the output of any model.
_ANY_OUTPUT = "(model output)"
_LONGEST_UNIT = 40


def save_figures(
    section: Section, folder: Path, unit: str = "", *, only_changed: bool = False
) -> None:
    """Write each figure of a section as SVG and PNG, `unit` being that of effects.

    If `only_changed`, those are kept that the folder holds as they would be drawn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for figure in section.figures:
        key = _key(figure.draw) if only_changed else ""
        if key and _is_drawn(folder / figure.name, key):
            continue
        with _drawing():
            ax = figure.draw()
            _say_unit(ax, unit)
            for ending in ("svg", "png"):
                write_atomically(
                    folder / f"{figure.name}.{ending}", _picture(ax, ending, key)
                )
            _close(ax)


def _key(draw: Callable[[], Axes]) -> str:
    """SHA-256 of what is drawn and how, by which a drawing is known again."""
    said = repr(describe(draw=draw, version=metadata.version("matplotlib")))
    return hashlib.sha256(said.encode()).hexdigest()


def _is_drawn(path: Path, key: str) -> bool:
    """Whether a figure of this key is there, as SVG, which says it, and as PNG."""
    try:
        with path.with_name(f"{path.name}.svg").open(encoding="utf-8") as file:
            return (
                key in file.read(_HEAD) and path.with_name(f"{path.name}.png").is_file()
            )
    except (FileNotFoundError, UnicodeDecodeError):
        return False


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
    """Pictures that are the same bytes each time, whatever the user's settings.

    Of backgrounds that agree the section says it in words.
    """
    import matplotlib as mpl

    settings: dict[str, Any] = dict(mpl.rcParamsDefault.items())
    settings["backend"] = "agg"
    settings |= {"svg.hashsalt": "tangermeme-gia", "svg.fonttype": "path"}
    with mpl.rc_context(settings), warnings.catch_warnings():  # type: ignore[arg-type]
        warnings.simplefilter("ignore", FewEffectsWarning)
        yield


def _picture(ax: Axes, ending: str, key: str) -> bytes:
    buffer = io.BytesIO()
    said: dict[str, Any] = {"Software": None}
    if ending == "svg":
        said = {"Date": None} | ({"Identifier": key} if key else {})
    figure = ax.get_figure(root=True)
    assert figure is not None
    figure.savefig(buffer, format=ending, dpi=_DPI, bbox_inches="tight", metadata=said)
    return buffer.getvalue()


def _close(ax: Axes) -> None:
    from matplotlib import pyplot

    pyplot.close(ax.get_figure(root=True))
