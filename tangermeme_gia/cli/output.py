"""Tables and pictures as files, checked before anything is computed."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .._core.outputs import as_columns
from .._core.results import GIAResult
from .._core.storage import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PICTURES = (".png", ".svg", ".pdf")
_DPI = 300


def check_files(**options: Path | None) -> None:
    """Can these files be written?

    Parameters
    ----------
    options: Path or None
        Files by the name of their option; one of --plot must end as a picture.

    Raises
    ------
    ValueError, OSError
        If one cannot.

    Examples
    --------
    >>> check_files(out=None, plot=Path("sites.tif"))
    Traceback (most recent call last):
    ValueError: `--plot`='sites.tif' must end in .png, .svg, .pdf.
    """
    for name, path in options.items():
        if path is None:
            continue
        if name == "plot" and path.suffix.lower() not in _PICTURES:
            raise ValueError(
                f"`--plot`={str(path)!r} must end in {_listed(_PICTURES)}."
            )
        folder = path.resolve().parent
        if not folder.is_dir():
            raise FileNotFoundError(f"`--{name}`: there is no folder {folder}.")
        if path.is_dir():
            raise IsADirectoryError(f"`--{name}`: {path} is a folder.")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise PermissionError(f"`--{name}`: {path} may not be written.")


def write_table(table: pd.DataFrame, out: Path | None, option: str = "out") -> None:
    """Write a TSV to a file, or to stdout where there is none."""
    readable = table.apply(lambda column: column.map(_readable))
    text = readable.to_csv(sep="\t", index=False, float_format="%.6g")
    if out is None:
        sys.stdout.write(text)
    else:
        _write(out, text.encode(), option)


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
        A row for each sequence (numbered from 0) and condition: the columns of the
        conditions, `y_before`, `y_after` and `local_importance`.

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
    table.insert(0, rows, np.repeat(np.arange(n), n_conditions))
    table["y_before"] = np.repeat(before, n_conditions)
    table["y_after"] = after.ravel()
    table["local_importance"] = (after - before).ravel()
    return table


def write_plot(draw: Callable[[Any], Axes], path: Path) -> None:
    """Draw with `tangermeme_gia.plot` and write a picture of the file's kind."""
    import matplotlib as mpl

    # Neither the user's settings nor a display; files are the same bytes each time.
    settings: dict[Any, Any] = {"backend": "agg", "svg.hashsalt": "tangermeme-gia"}
    with mpl.rc_context({**mpl.rcParamsDefault, **settings}):
        from matplotlib import pyplot

        from .. import plot

        figure = draw(plot).get_figure(root=True)
        kind = path.suffix.lower().removeprefix(".")
        dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
        buffer = io.BytesIO()
        figure.savefig(  # type: ignore[union-attr]
            buffer,
            format=kind,
            dpi=_DPI,
            bbox_inches="tight",
            metadata=dates.get(kind),
        )
        pyplot.close(figure)
    _write(path, buffer.getvalue(), "plot")


def _write(path: Path, content: bytes, option: str) -> None:
    try:
        if path.exists() and not path.is_file():  # a pipe or a device, such as null
            path.write_bytes(content)
        else:
            write_atomically(path.resolve(), content)
    except OSError as error:
        raise OSError(
            f"`--{option}`: {path} cannot be written: {error.strerror or error}"
        ) from error


def _readable(value: Any) -> Any:
    """Tuples as they are given on the command line."""
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else value


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)
