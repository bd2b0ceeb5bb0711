"""Figures, tables and the page of a report, as files."""

from __future__ import annotations

import base64
import datetime
import importlib.metadata
import io
import json
import math
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import jinja2
import pandas as pd

from .._core.storage import write_atomically
from .section import Section
from .store import REPORT
from .study import Study
from .wording import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 300
# A picture of more points than this is drawn by browsers faster as pixels.
_LARGEST_SVG = 400_000
_PACKAGES = ("tangermeme-gia", "tangermeme", "torch", "numpy", "scipy", "matplotlib")
_ROWS = 12
_DOI = "10.1371/journal.pcbi.1008925"


class Provenance(NamedTuple):
    """All that is needed to make a report again."""

    rows: dict[str, str]

    @classmethod
    def of(cls, study: Study, command: str | None, seconds: float) -> Provenance:
        """That of a study that has just been run."""
        inputs, options = study.inputs, study.options
        checksums = study.checksums
        rows = {
            **inputs.origin,
            "output": inputs.answer,
            "alphabet": ", ".join(inputs.alphabet),
            "length": count(inputs.length, inputs.unit),
            "command": command or "run_report in Python",
            "seed of the draws": str(options.random_state),
            "backgrounds": f"{options.n:,} ({options.backgrounds[0]}), and "
            f"{study.n_scan:,} before them for the search of a motif",
            "model SHA-256": checksums["model"],
            "data SHA-256": checksums["data"],
            "versions": ", ".join(f"{k} {v}" for k, v in _versions().items()),
            "device": str(study.prediction.get("device") or "default of tangermeme"),
            "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            "seconds of this run": f"{seconds:.0f}",
        }
        return cls({k: v for k, v in rows.items() if v})


def save_figures(section: Section, folder: Path) -> None:
    """Write each figure of a section as SVG and PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    for figure in section.figures:
        with _drawing():
            ax = figure.draw()
            for ending in ("svg", "png"):
                write_atomically(
                    folder / f"{figure.name}.{ending}", _picture(ax, ending)
                )
            _close(ax)


def save_tables(section: Section, folder: Path) -> None:
    """Write each table of a section as TSV, and its further files."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in section.tables.items():
        text = table.to_csv(sep="\t", index=False)
        write_atomically(folder / f"{name}.tsv", text.encode())
    for name, write in section.files.items():
        write(folder / name)


def write_page(
    folder: Path,
    study: Study,
    sections: Sequence[Section],
    skipped: Mapping[str, str],
    provenance: Provenance,
    key: str,
) -> None:
    """Write `index.html`, which needs no other file to be read, and `report.json`.

    `key` tells in it what the page was made of.
    """
    inputs = study.inputs
    page = _template("page.html.jinja").render(
        name=inputs.name,
        output=inputs.answer,
        sections=[
            _shown(section, folder, chosen=inputs.label is not None)
            for section in sections
        ],
        words=" ".join(filter(None, (section.sentence for section in sections))),
        summary=[line for section in sections for line in section.summary],
        skipped=skipped,
        methods=_methods(study),
        provenance=provenance.rows,
        doi=_DOI,
    )
    headline = {k: v for section in sections for k, v in section.headline.items()}
    report = {
        "name": inputs.name,
        "output": inputs.label,
        "parts": [name for name, results in study.finished.items() if results],
        "headline": {k: _for_json(v) for k, v in headline.items()},
        "provenance": provenance.rows,
        "key": key,
    }
    write_atomically(folder / "index.html", page.encode())
    write_atomically(
        folder / REPORT, json.dumps(report, indent=2, allow_nan=False).encode()
    )


def _for_json(value: float | str) -> float | str | None:
    """JSON knows neither NaN nor infinity."""
    if isinstance(value, str):
        return value
    return float(value) if math.isfinite(value) else None


def data_uri(path: Path) -> str:
    """A picture as text that a page can hold: the SVG, or the PNG of a large one."""
    if path.stat().st_size > _LARGEST_SVG:
        path = path.with_suffix(".png")
    kind = {".svg": "svg+xml", ".png": "png"}[path.suffix]
    return f"data:image/{kind};base64,{base64.b64encode(path.read_bytes()).decode()}"


def render(template: str, **values: Any) -> str:
    """A page of this package's templates."""
    return _template(template).render(**values)


def _shown(section: Section, folder: Path, *, chosen: bool) -> dict[str, Any]:
    """A section as the template reads it."""
    return {
        "name": section.name,
        "question": section.question,
        "method": section.method,
        "files": section.files,
        "figures": [
            {
                "name": figure.name,
                "reading": figure.reading,
                "source": data_uri(folder / "figures" / f"{figure.name}.svg"),
            }
            for figure in section.figures
        ],
        "tables": [
            {
                "name": name,
                "html": table_html(table.head(_ROWS), show_output=chosen),
                "more": max(0, len(table) - _ROWS),
            }
            for name, table in section.tables.items()
        ],
    }


def table_html(table: pd.DataFrame, *, show_output: bool = False) -> str:
    """A table with numbers as short as they can be read."""
    # A model may have one output, and controls are in few tables: the files have both.
    constant = {"control": "none"} if show_output else {"output": 0, "control": "none"}
    table = table.drop(
        columns=[
            name
            for name, v in constant.items()
            if name in table and all(table[name] == v)
        ]
    )
    html: str = table.to_html(
        index=False, border=0, float_format="{:.4g}".format, na_rep="", justify="left"
    )
    return html


def _methods(study: Study) -> str:
    options, inputs = study.options, study.inputs
    name = options.backgrounds[0]
    source = (
        "drawn from the letter frequencies at each position that belong to "
        f"{inputs.name}"
        if inputs.X is None
        else f"made of {len(inputs.X):,} observed sequences"
    )
    search = (
        "The motif was given"
        if options.motif
        else f"The motif was chosen on {study.n_scan:,} others"
    )
    n_padded = int((study.X.sum(dim=1) == 0).any(dim=-1).sum())
    padding = (
        f" {n_padded:,} of them have padding or N, over which patterns are written "
        "where they meet it."
        if n_padded
        else ""
    )
    return (
        "Global importance analysis (Koo et al. 2021) measures the effect of a pattern "
        "on a model: the pattern is placed in each of a population of background "
        "sequences, and the mean difference between the model's predictions with and "
        f"without it is its global importance. The backgrounds are {options.n:,} "
        f"sequences of {count(inputs.length, inputs.unit)}, {source} ({name}), with "
        f"seed {options.random_state}.{padding} {search}. Intervals are 95 % t "
        "intervals of the mean over backgrounds, each for itself and not for all of "
        "them together; comparisons on the same backgrounds are paired, and intervals "
        "of ratios are Fieller's. Searches control the false discovery rate at 5 % "
        "(Benjamini and Hochberg); the best of many is measured on backgrounds other "
        "than those that chose it. Intervals say how sure the mean over such "
        "backgrounds is for this one model: not how replicates of the model would "
        "differ, nor whether the molecule does what the model says."
    )


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    return versions | {name: importlib.metadata.version(name) for name in _PACKAGES}


@cache
def _template(name: str) -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tangermeme_gia.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


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
