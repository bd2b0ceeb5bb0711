"""Which of the given motifs raises the output most?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ... import plot
from ..._core.motif import Motif
from ..._core.results import GIAResult
from ...experiments.importance import global_importance
from ...plot.pairs import short_names
from ...plot.style import PLAIN, finish, new_axes, shortened
from ...statistics.selection import benjamini_hochberg
from ...statistics.significance import paired_t_test
from ..effects import ALPHA, best_of, local_effects
from ..figures import unit_of
from ..section import Figure, Line, Section
from ..store import Results
from ..study import Study
from ..thumbnails import strip
from ..wording import count, row_with_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Rows of the figure, and of the small picture.
_MOST_DRAWN, _MOST_SMALL = 15, 5
_ROW = 0.34  # inches
_NAME_LETTERS = 26


def obstacle(study: Study) -> str | None:
    """They have to be given."""
    return None if study.options.motifs is not None else "no motifs are given"


def compute(study: Study) -> Results:
    """The effect of each where the best is chosen, and on other backgrounds."""
    patterns = [[(motif, study.options.start)] for motif in study.given.values()]
    letters = [motif.letters for motif in study.given.values()]
    table = pd.DataFrame({"motif": [*study.given], "letters": letters})
    results = {}
    for name, drawn in zip(("chosen", "again"), study.backgrounds, strict=True):
        ask = study.ask | {"clusters": drawn.clusters}
        result = global_importance(study.model, drawn.X, patterns, **ask)
        results[name] = result._replace(conditions=table.assign(control="none"))
    return results


def describe(study: Study, results: Results) -> Section:
    """The best, and how many of them raise or lower the output."""
    frame, best = _ranked(results), best_of(results["chosen"])
    shown, n = frame.head(_MOST_DRAWN), count(len(frame), "motif")
    own = frame[frame["motif"] == best].iloc[0]
    drawn = "" if len(shown) == len(frame) else f" The {len(shown)} highest are drawn."
    start = study.options.start
    place = "in the centre" if start is None else f"at {start}"
    return Section(
        "motifs",
        "Which of the given motifs raises the output most?",
        f"Each of {n} {place} of the backgrounds, {_what(study)}. The best is chosen "
        f"on {count(study.n_scan, 'background')}; all numbers are of "
        f"{len(study.X):,} others.",
        [
            Figure(
                "motifs",
                partial(_draw, shown, study.given, unit_of(study.inputs.answer)),
                f"{best} has the highest effect, {row_with_interval(own)}. At a false "
                f"discovery rate of 5 %, {_n_clear(frame, 1) or 'none'} of {n} raise "
                f"the output and {_n_clear(frame, -1) or 'none'} lower it.{drawn}",
            )
        ],
        {"motifs": frame},
        f"{best} has the highest effect of {n}.",
        thumbnail=strip(
            short_names(shown["motif"].head(_MOST_SMALL).tolist()),
            *(shown[name].head(_MOST_SMALL) for name in ("effect", "low", "high")),
        ),
        summary=[Line(f"Best of {n}", best)],
    )


def _ranked(results: Results) -> pd.DataFrame:
    """Effects measured again, in the order in which they were found."""
    again: GIAResult = results["again"]
    p = paired_t_test(local_effects(again), clusters=again.clusters).p
    significant = benjamini_hochberg(p, ALPHA).significant
    frame = again.to_frame().assign(p=p, significant=significant)
    found = local_effects(results["chosen"]).mean(axis=0)
    order = np.argsort(-found, kind="stable")
    ranked: pd.DataFrame = frame.iloc[order].reset_index(drop=True)
    return ranked


def _n_clear(frame: pd.DataFrame, sign: int) -> int:
    return int((frame["significant"] & (sign * frame["effect"] > 0)).sum())


def _what(study: Study) -> str:
    """What is placed of a motif."""
    if any(motif.is_drawn for motif in study.given.values()):
        return "of a matrix a draw of its own in each"
    return "letter by letter"


def _draw(frame: pd.DataFrame, motifs: Mapping[str, Motif], unit: str) -> Axes:
    """Effects with intervals, the best on top, and the logo of each beside."""
    n = len(frame)
    ax = new_axes(None, height=0.8 + _ROW * n)
    rows = range(n - 1, -1, -1)
    errors = np.abs(frame[["low", "high"]].to_numpy().T - frame["effect"].to_numpy())
    ax.axvline(0, color="0.6", linewidth=0.8)
    ax.errorbar(frame["effect"], rows, xerr=errors, fmt="o", markersize=3)
    names = [shortened(name, _NAME_LETTERS) for name in frame["motif"]]
    ax.set_yticks(rows, names, **PLAIN)
    ax.set_ylim(-0.6, n - 0.4)
    beside = ax.get_yaxis_transform()  # across by the axes, up and down by the rows
    for row, name in zip(rows, frame["motif"], strict=True):
        logo = ax.inset_axes((1.04, row - 0.42, 0.6, 0.84), transform=beside)
        plot.motif_logo(motifs[name].ppm, motifs[name].alphabet, ax=logo)
        logo.set_axis_off()
    return finish(ax, f"Effect ({unit})", "")
