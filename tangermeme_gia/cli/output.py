"""Tables and pictures as files, checked before anything is computed."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .._core.command_line import check_files, check_folders, write_file, write_table
from .._core.outputs import as_columns
from .._core.regions import beside_rows
from .._core.results import GIAResult
from .._core.saving import result_file
from .._core.varied import what_varies

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PICTURES = (".png", ".svg", ".pdf")
_DPI = 300
_TITLE_SIZE = 8
_log = logging.getLogger("tangermeme_gia.cli")


@dataclass(frozen=True)
class Output:
    """What a command writes, and where; checked before anything is computed.

    Raises
    ------
    ValueError, OSError
        If a file cannot be written, `plot` does not end as a picture, or `confidence`
        is no coverage of an interval.

    Examples
    --------
    >>> Output(out=None, plot=Path("sites.tif"), confidence=0.95)
    Traceback (most recent call last):
    ValueError: `--plot`='sites.tif' must end in .png, .svg, .pdf.
    """

    out: Path | None
    plot: Path | None
    confidence: float = 0.95
    local: Path | None = None
    save: Path | None = None
    save_to: Path | None = None
    bed: Path | None = None
    bigwig: Path | None = None

    def __post_init__(self) -> None:
        if self.plot is not None and self.plot.suffix.lower() not in _PICTURES:
            raise ValueError(
                f"`--plot`={str(self.plot)!r} must end in {', '.join(_PICTURES)}."
            )
        files = ("out", "plot", "local", "save", "bed", "bigwig")
        check_files(**{name: getattr(self, name) for name in files})
        check_folders(save_to=self.save_to)
        if self.save is not None and self.save_to is not None:
            raise ValueError(
                "`--save` and `--save-to` both keep the result: give one of them."
            )
        if not 0 < self.confidence < 1:
            raise ValueError(
                f"`--confidence`={self.confidence:g} must be between 0 and 1."
            )

    def check_one_result(self, several: Mapping[str, bool]) -> None:
        """Raise where options that ask for several results go with a folder for one."""
        given = [f"`--{name}`" for name, is_given in several.items() if is_given]
        if self.save_to is not None and given:
            raise ValueError(
                f"`--save-to` keeps one result; {' and '.join(given)} gives several. "
                "Give one or the other."
            )

    def write(
        self,
        table: pd.DataFrame,
        result: Any,
        draw: Callable[[], Axes],
        rows: str = "sequence",
        *,
        title: str,
    ) -> None:
        """Write a table and, if asked for, the result, its local effects, a picture."""
        write_table(table, self.out)
        if self.save is not None:
            write_file(self.save, result_file(result), "save")
        if self.local is not None:
            write_table(local_table(result, rows), self.local, "local")
        if self.plot is not None:
            write_plot(draw, self.plot, title)

    def write_tracks(self, result: GIAResult, sizes: Mapping[str, int]) -> None:
        """Write the tracks that are asked for of a result that knows its regions."""
        from ..genome.tracks import bed_file, bigwig_file, track

        if self.bed is not None:
            write_file(self.bed, bed_file(track(result)), "bed")
        if self.bigwig is not None:
            write_file(self.bigwig, bigwig_file(track(result), sizes), "bigwig")


def say_varied(table: pd.DataFrame, rows: str = "background", **known: Any) -> None:
    """One line about what the intervals of a table are over (see `what_varies`)."""
    line = what_varies(table, rows, **known)
    if line:
        _log.info(line)


def local_table(result: GIAResult, rows: str = "sequence") -> pd.DataFrame:
    """The local importances as a table.

    Parameters
    ----------
    result: GIAResult
        With one output.

    rows: str, optional
        What the first axis of the outputs counts. Default is "sequence".

    Returns
    -------
    table: pandas.DataFrame
        A row for each sequence (numbered from 0) and condition: where it is on a genome
        (`chrom`, `chrom_start`, `chrom_end`, `name`, `strand`) and its `cluster` if the
        result knows them, the columns of the conditions, `y_before`, `y_after` and
        `local_importance`.

    Examples
    --------
    >>> import torch
    >>> y = torch.tensor([[1.0], [2.0]])
    >>> result = GIAResult(y, 2 * y[:, None], pd.DataFrame({"start": [17]}))
    >>> local_table(result).iloc[-1].tolist()
    [1.0, 17.0, 2.0, 4.0, 2.0]
    """
    before, after = (as_columns(y).numpy() for y in (result.y_before, result.y_afters))
    n, n_conditions = after.shape
    numbers = np.tile(np.arange(n_conditions), n)
    table: pd.DataFrame = result.conditions.iloc[numbers].reset_index(drop=True)
    if result.clusters is not None:
        table.insert(0, "cluster", np.repeat(result.clusters, n_conditions))
    of = np.repeat(np.arange(n), n_conditions)
    if result.regions is not None:
        table = pd.concat([beside_rows(result.regions, of), table], axis=1)
    table.insert(0, rows, of)
    table["y_before"] = np.repeat(before, n_conditions)
    table["y_after"] = after.ravel()
    table["local_importance"] = (after - before).ravel()
    return table


def write_plot(draw: Callable[[], Axes], path: Path, title: str) -> None:
    """Draw and write a picture of the file's kind."""
    import matplotlib as mpl

    # Neither the user's settings nor a display; files are the same bytes each time.
    settings: dict[Any, Any] = {"backend": "agg", "svg.hashsalt": "tangermeme-gia"}
    with mpl.rc_context({**mpl.rcParamsDefault, **settings}):
        from matplotlib import pyplot

        figure = draw().get_figure(root=True)
        assert figure is not None
        figure.suptitle(title, fontsize=_TITLE_SIZE, parse_math=False)
        kind = path.suffix.lower().removeprefix(".")
        dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
        buffer = io.BytesIO()
        figure.savefig(
            buffer,
            format=kind,
            dpi=_DPI,
            bbox_inches="tight",
            metadata=dates.get(kind),
        )
        pyplot.close(figure)
    write_file(path, buffer.getvalue(), "plot")
