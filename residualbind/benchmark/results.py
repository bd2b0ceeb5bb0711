"""The results of a benchmark as files: tables, figures and what they say."""

from __future__ import annotations

import logging
import os
from functools import partial
from itertools import combinations
from pathlib import Path

import pandas as pd

from tangermeme_gia.report.figures import save_figures
from tangermeme_gia.report.section import Figure, Section
from tangermeme_gia.report.tables import save_tables
from tangermeme_gia.sweep.ledger import read_entries

from .comparisons import FEWEST, compare_methods
from .figures import draw_methods, draw_pair
from .scores import read_published, scores_of, summary_of

FOLDER = "benchmark"
_log = logging.getLogger("residualbind.benchmark")


def write_results(
    folder: str | os.PathLike[str], published: str | os.PathLike[str] | None = None
) -> Section:
    """Which method predicts best, on which experiments, and how sure is that?

    Parameters
    ----------
    folder: str or path-like
        Of a sweep of fits; tables and figures go to `benchmark` in it.

    published: str, path-like or None, optional
        A table with `experiment` and a column of scores for each method, to stand
        beside those of the sweep. Default is None.

    Returns
    -------
    section: Section
        Its tables `scores`, `methods` and, of two methods or more, `comparisons`, and
        its figures; without any finished fit there are none.

    Raises
    ------
    FileNotFoundError, ValueError
        If the folder holds no sweep, or `published` cannot be read.
    """
    root = Path(folder)
    scores = scores_of(read_entries(root))
    tables = {"scores": scores, "methods": summary_of(scores)}
    figures: list[Figure] = []
    methods = list(dict.fromkeys(scores["method"]))
    if published is not None:
        tables["published"] = _beside(scores, read_published(published))
    if len(methods) > 1:
        tables["comparisons"] = compare_methods(scores)
    if methods:
        reading = f"Test Pearson of {len(methods)} methods (paper, figure 1a)."
        figures.append(Figure("methods", partial(draw_methods, scores), reading))
    for a, b in combinations(methods, 2):
        if {*scores[scores["method"] == a]["experiment"]} & {
            *scores[scores["method"] == b]["experiment"]
        }:
            draw = partial(draw_pair, scores, a, b)
            figures.append(Figure(f"{a}_against_{b}", draw, f"{a} against {b}."))
    question = "Which method predicts best?"
    section = Section("benchmark", question, _method(scores), figures, tables)
    save_tables(section, root / FOLDER / "tables")
    save_figures(section, root / FOLDER / "figures", only_changed=True)
    return section


def _method(scores: pd.DataFrame) -> str:
    groups = scores["group"].nunique()
    tested = (
        "Wilcoxon's signed-rank tests over proteins, with Holm's correction"
        if groups >= FEWEST
        else f"no tests: {groups} proteins, and at least {FEWEST} are needed"
    )
    return f"Pearson correlation on test probes; seeds are averaged; {tested}."


def _beside(scores: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Our scores by method beside those of others, for each experiment of ours."""
    ours = scores.pivot_table(index="experiment", columns="method", values="pearson")
    others = published.set_index("experiment").add_prefix("published ")
    shared = ours.index.intersection(others.index)
    _log.info(
        "published scores stand beside %d of %d experiments; %d of the published are "
        "not in this sweep",
        *(len(shared), len(ours), len(others) - len(shared)),
    )
    table: pd.DataFrame = ours.join(others, how="left").reset_index()
    return table
