"""What each method scored on each experiment, beside what was published."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from tangermeme_gia._core.readers import open_table

COLUMNS = (
    *("experiment", "group", "method", "seed", "pearson", "pearson_low"),
    *("pearson_high", "spearman", "valid_pearson", "trials", "epochs", "seconds"),
    "parameters",
)


def scores_of(entries: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """A row for each fit of a sweep that is finished.

    Parameters
    ----------
    entries: mapping of str to mapping
        Tasks of the ledger, by name.

    Returns
    -------
    scores: pandas.DataFrame
        `experiment`, `group` (the protein; the experiment itself where none is given),
        `method`, `seed`, test metrics on the scale of training, and what the fit cost.
    """
    rows = []
    for name, entry in entries.items():
        if entry["state"] != "finished":
            continue
        found = entry["headline"]
        experiment = entry["labels"].get("row", name)
        own = {"experiment": experiment, "group": entry["group"] or experiment}
        own |= {"seed": found.get("random_state")}
        rows.append({c: {**found, **own}.get(c) for c in COLUMNS})
    scores: pd.DataFrame = pd.DataFrame(rows, columns=list(COLUMNS))
    return scores


def read_published(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Scores of others, as a table with `experiment` and a column for each method.

    Raises
    ------
    ValueError, OSError
        If the table has no column `experiment`, an experiment stands there twice, or
        a score is no number.
    """
    table = open_table(Path(path))
    table.require("experiment", argument="--published")
    methods = [name for name in table.columns if name != "experiment"]
    (experiments,), values = table.read(["experiment"], methods, np.float64)
    seen: dict[str, int] = {}
    for number, experiment in enumerate(experiments):
        if experiment in seen:
            raise ValueError(
                f"{table.place(number)}: experiment {experiment!r} stands in "
                f"{table.place(seen[experiment])}, too; each has one row."
            )
        seen[experiment] = number
    published: pd.DataFrame = pd.DataFrame(values, columns=methods)
    published.insert(0, "experiment", experiments)
    return published


def summary_of(scores: pd.DataFrame) -> pd.DataFrame:
    """A row for each method: its scores over experiments, and its budget.

    Seeds of one experiment are averaged first.
    """
    rows: list[dict[str, Any]] = []
    for method, own in scores.groupby("method", sort=False):
        of = own.groupby("experiment")["pearson"].mean()
        rows.append(
            {
                "method": method,
                "n_experiments": len(of),
                "median_pearson": of.median(),
                "lowest": of.min(),
                "highest": of.max(),
                "seeds": own["seed"].nunique(),
                "trials": own["trials"].max(),
                "median_epochs": own["epochs"].median(),
                "median_seconds": own["seconds"].median(),
                "median_parameters": own["parameters"].median(),
            }
        )
    rows.sort(key=lambda row: -row["median_pearson"])
    summary: pd.DataFrame = pd.DataFrame(rows)
    return summary
