"""Many models side by side: one table, and how their effects are distributed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from .. import plot
from .._core.storage import write_atomically
from ..plot.style import BLUE, GREY, finish, new_axes, shortened
from .figures import save_figures
from .rendering import render, shown_figures
from .section import Figure, Section
from .store import REPORT, finished_report
from .tables import save_tables, shown
from .wording import with_interval
from .written import Written

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# What no report beside an overview may be called, in small letters.
TAKEN = ("figures", "tables", "results", "index.html", REPORT)
# One model is read off the table; histograms need some more.
_FEWEST_FOR_EFFECTS, _FEWEST_FOR_HISTOGRAM = 2, 3
# Columns of the page, and what of a report each shows: words, or the effects of these
# names, each with its interval; of two, both ends of a range.
_WORDS = {
    "output": "output",
    "motif": "motif",
    "aligned": "consensus",
    "acting together": "pair",
}
_EFFECTS: dict[str, tuple[str, ...]] = {
    "effect": ("effect",),
    "interaction of the pair": ("pair_interaction",),
    "each further site": ("per_site",),
    "deviation from additivity": ("deviation",),
    "interaction by spacing": ("interaction_lowest", "interaction_highest"),
    "effect by position": ("position_lowest", "position_highest"),
    "GC 5′": ("left",),
    "GC 3′": ("right",),
    "effect by background": ("background_lowest", "background_highest"),
}
_PARTS = ("", "_low", "_high")


def write_overview(
    folder: str | os.PathLike[str],
    reports: Sequence[str | os.PathLike[str]],
    failed: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """What have many models learned, side by side?

    Parameters
    ----------
    folder: str or path-like
        Where to write `index.html`, `tables/models.tsv` and, for two models or more,
        a figure of their effects, for three or more histograms of additivity and GC
        bias (paper, figures 2g and 4d-e).

    reports: sequence of str or path-like
        Folders of finished reports, inside `folder`.

    failed: mapping of str to str or None, optional
        Models without a report, and why; the page lists them. Default is None.

    Returns
    -------
    table: pandas.DataFrame
        One row per model: its name, the output if one was chosen, the motif, and the
        main numbers of its report.

    Raises
    ------
    ValueError
        If there are neither reports nor failures, or a folder holds none or is not
        inside `folder`.

    Examples
    --------
    >>> write_overview("reports", [])
    Traceback (most recent call last):
    ValueError: `reports` is empty; at least one folder is needed.
    """
    if not reports and not failed:
        raise ValueError("`reports` is empty; at least one folder is needed.")
    root = Path(folder)
    table: pd.DataFrame = pd.DataFrame([_read(Path(report)) for report in reports])
    table = table if reports else pd.DataFrame(columns=["name"])
    section = Section("models", "Models", "", _figures(table), {"models": table})
    written = Written(root)
    written.remove()
    (root / REPORT).unlink(missing_ok=True)  # of one model that was here before
    with written.writing(section.written):
        save_tables(section, root / "tables")
        save_figures(section, root / "figures")
    # A name may hold a colon or a blank.
    links = [f"./{quote(_inside(root, Path(report)))}/index.html" for report in reports]
    cells = _cells(table)
    page = render(
        "overview.html.jinja",
        titles=list(cells.columns),
        models=list(zip(table["name"], links, cells.to_numpy().tolist(), strict=True)),
        figures=shown_figures(section.figures, root / "figures"),
        numbers=shown("models", table),
        failed=failed or {},
    )
    with written.writing(["index.html"]):
        write_atomically(root / "index.html", page.encode())
    return table


def _effects_figure(table: pd.DataFrame) -> list[Figure]:
    """The effect of each model's motif, in units that models share."""
    needed = [f"effect{part}" for part in _PARTS] + ["output_sd", "motif"]
    if not {*needed} <= {*table.columns}:
        return []
    shown = table[["name", *needed]].dropna()
    shown = shown[shown["output_sd"] > 0]
    if len(shown) < _FEWEST_FOR_EFFECTS:
        return []
    scaled = shown[needed[:3]].div(shown["output_sd"], axis=0)
    strongest = shown.iloc[int(scaled["effect"].abs().to_numpy().argmax())]
    return [
        Figure(
            "effects",
            partial(_draw_effects, shown, scaled),
            "The effect of each model's motif, with its 95 % interval, in standard "
            "deviations of the model's output over backgrounds: the largest is that "
            f"of {strongest['motif']} in {strongest['name']}.",
        )
    ]


def _draw_effects(shown: pd.DataFrame, scaled: pd.DataFrame) -> Axes:
    rows = list(range(len(shown)))[::-1]
    ax = new_axes(None, height=max(1.2, 0.7 + 0.2 * len(rows)))
    effect = scaled["effect"]
    ax.errorbar(
        effect,
        rows,
        xerr=[effect - scaled["effect_low"], scaled["effect_high"] - effect],
        fmt="o",
        color=BLUE,
        markersize=4,
        capsize=2,
    )
    ax.axvline(0, color=GREY, linewidth=0.8, linestyle="--")
    names = [
        shortened(f"{n}: {m}", 30)
        for n, m in zip(shown["name"], shown["motif"], strict=True)
    ]
    ax.set_yticks(rows, names, parse_math=False)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    return finish(ax, "Effect of the motif\n(standard deviations of the output)", "")


def _cells(table: pd.DataFrame) -> pd.DataFrame:
    """The page's table; empty where a report has no such number."""
    cells: dict[str, list[str]] = {}
    for title, name in _WORDS.items():
        if name in table:
            cells[title] = table[name].fillna("").tolist()
    for title, names in _EFFECTS.items():
        if {f"{name}{part}" for name in names for part in _PARTS} <= {*table.columns}:
            cells[title] = [_cell(row, names) for _, row in table.iterrows()]
    shown: pd.DataFrame = pd.DataFrame(cells, index=table.index)
    return shown


def _cell(row: Any, names: tuple[str, ...]) -> str:
    """An effect with its interval, or two; empty where one is missing."""
    effects = [[float(row[f"{name}{part}"]) for part in _PARTS] for name in names]
    if np.isnan(effects).any():
        return ""
    return " to ".join(with_interval(*effect) for effect in effects)


def _inside(root: Path, report: Path) -> str:
    try:
        return report.resolve().relative_to(root.resolve()).as_posix()
    except ValueError as error:
        raise ValueError(f"`reports`: {report} is not inside {root}.") from error


def _read(report: Path) -> dict[str, Any]:
    held = finished_report(report)
    name, headline = held.get("name"), held.get("headline")
    if not isinstance(name, str) or not isinstance(headline, dict):
        raise ValueError(f"`reports`: {report} holds no finished report.")
    output = held.get("output")
    chosen = {} if output is None else {"output": _in_words(output)}
    return {"name": name, **chosen, **headline}


def _in_words(output: Any) -> str:
    """An output as `--target` takes it."""
    return ",".join(map(str, output)) if isinstance(output, list) else str(output)


def _figures(table: pd.DataFrame) -> list[Figure]:
    figures = _effects_figure(table)
    if len(table) < _FEWEST_FOR_HISTOGRAM:
        return figures
    if "r2" in table and table["r2"].notna().any():
        median = table["r2"].median()
        figures.append(
            Figure(
                "r2",
                partial(plot.additivity_histogram, table["r2"].dropna()),
                f"How well sites add up: the median R² is {median:.3f}.",
            )
        )
    if {"left", "right"} <= {*table.columns}:
        # Motifs without a clear effect have no ratio.
        shown = table[["left", "right"]].dropna()
        if shown.empty:
            return figures
        raises = int((shown["right"] > 1).sum())
        figures.append(
            Figure(
                "gc",
                partial(plot.gc_bias_histograms, shown, reference=1.0),
                f"GC-bias effect size: {raises} of {len(shown)} motifs have a larger "
                "effect with GC 3′ of them than alone.",
            )
        )
    return figures
