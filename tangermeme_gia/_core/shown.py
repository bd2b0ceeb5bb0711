"""What every result can do: be shown, drawn and saved."""

from __future__ import annotations

import html
import os
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .above import provided
from .agreement import unnoted
from .saving import save

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Letters of a line.
_WIDTH = 84


@contextmanager
def _quietly() -> Iterator[None]:
    """Without what tables and intervals warn of: they are only looked at."""
    with unnoted(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _reason(error: Exception) -> str:
    return textwrap.shorten(f"({type(error).__name__}: {error})", _WIDTH)


def _unless_it_fails(told: Callable[[], list[str]]) -> list[str]:
    """Lines, or why there are none: a session that only looks at it goes on."""
    try:
        return told()
    except Exception as error:
        return [_reason(error)]


class Shown:
    """A named tuple that shows what it is, not all numbers it holds."""

    def _lines(self) -> list[str]:
        """What it is, its shapes and what was placed."""
        raise NotImplementedError

    def _strongest(self) -> list[str]:
        """The strongest effects, a line each; none where they are not to be had."""
        raise NotImplementedError

    def _table(self) -> str | None:
        """The table of effects in HTML, in the middle shortened."""
        raise NotImplementedError

    def __repr__(self) -> str:
        with _quietly():
            return "\n  ".join([*self._head(), *_unless_it_fails(self._strongest)])

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        with _quietly():
            lines, table = self._head(), ""
            try:
                table = self._table() or ""
            except Exception as error:
                lines = [*lines, _reason(error)]
        head = html.escape("\n  ".join(lines))
        return f"<div><pre>{head}</pre>{table}</div>"

    def _head(self) -> list[str]:
        lines = _unless_it_fails(self._lines)
        name = type(self).__name__
        return lines if lines[0].startswith(name) else [name, *lines]

    def plot(self, **options: Any) -> Axes:
        """What does this experiment look like?

        The figure that fits it: a curve of spacings or positions, the line of several
        sites, bars of interactions, a heat map of variants, ranks of k-mers, a grid of
        backgrounds or models, and boxes of local importance of all others.

        Parameters
        ----------
        options: optional
            What the function of ``tangermeme_gia.plot`` takes that draws it, such as
            ``ax``; see `tangermeme_gia.plot.fitting_plot`.

        Returns
        -------
        ax: matplotlib.axes.Axes

        Raises
        ------
        TypeError, ValueError
            If it has several outputs (choose one by ``output(label)``), or an option is
            none of that function.
        """
        ax: Axes = provided("plot")(self, **options)
        return ax

    def save(self, path: str | os.PathLike[str]) -> None:
        """How can this be kept without predicting anything again?

        One file of tensors (safetensors) with everything else as JSON beside them, and
        no pickle; `tangermeme_gia.load` reads it. Values and types of the conditions,
        labels of outputs and clusters come back as they are, tensors on the CPU.

        Parameters
        ----------
        path: str or path-like
            The file to write, of any name; an existing one is replaced in one step. Its
            folder must exist.

        Raises
        ------
        TypeError
            If the conditions hold something that would not come back, such as a set.

        OSError
            If the file cannot be written, or its folder does not exist.
        """
        save(self, path)

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Its fields, and what is kept beside them."""
        return self._asdict(), {}  # type: ignore[attr-defined]

    @classmethod
    def _from_parts(cls, fields: dict[str, Any], beside: dict[str, Any]) -> Any:
        return cls(**fields, **beside)
