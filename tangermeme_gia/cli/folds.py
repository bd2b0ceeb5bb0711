"""Several weights as one model: averaged, or crossed with the backgrounds."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what explains the options needs neither pandas nor torch
    import pandas as pd

    from ..statistics.comparisons import Comparison
    from .options import Asked

AVERAGE, CROSS = "average", "cross"
_log = logging.getLogger("tangermeme_gia.cli")


def add_folds(parser: argparse.ArgumentParser) -> None:
    """The option `--folds`."""
    parser.add_argument(
        "--folds",
        choices=(AVERAGE, CROSS),
        default=AVERAGE,
        help="of several --weights: average, the mean of their outputs is the model, "
        "and intervals are over backgrounds; or cross, the effect of each and the mean "
        "of these, whose interval is over folds and backgrounds",
    )


def check_folds(folds: str, n_weights: int, **excluded: Any) -> None:
    """Raise where folds cannot be crossed.

    Examples
    --------
    >>> check_folds("cross", 1)
    Traceback (most recent call last):
    ValueError: `--folds cross` needs several `--weights`, one of each; there are 1.
    """
    if folds != CROSS:
        return
    if n_weights < 2:
        raise ValueError(
            f"`--folds cross` needs several `--weights`, one of each; there are "
            f"{n_weights}."
        )
    given = [f"`--{name}`" for name, value in excluded.items() if value is not None]
    if given:
        raise ValueError(
            f"`--folds cross` does not go with {' and '.join(given)}: leave it out, or "
            "give `--folds average`."
        )


def crossed_table(
    compared: Comparison,
    tabulate: Callable[[Any], pd.DataFrame],
    confidence: float,
) -> pd.DataFrame:
    """The table of each fold, and below them the mean over folds.

    Parameters
    ----------
    compared: Comparison
        The experiment with each fold.

    tabulate: function of a result
        Gives the table of one fold.

    confidence: float
        Coverage of the intervals.

    Returns
    -------
    table: pandas.DataFrame
        `folds` is the name of a fold, or such as "5 crossed" for their mean, whose
        `se`, `low` and `high` hold the variance between folds as well as that of the
        backgrounds, with `p` of a t test of the mean against 0, `between_sd`, and which
        part of the variance is from where (`statistics.variance_components`).
    """
    import numpy as np
    import pandas as pd
    import scipy

    from ..statistics.components import split_columns

    tables = [
        tabulate(result).assign(folds=name) for name, result in compared.results.items()
    ]
    mean = compared.summary(confidence)
    t = np.abs(mean["effect"] / mean["se"])
    n_folds = len(compared.results)
    mean = mean.assign(p=2 * scipy.stats.t.sf(t, mean["df"]))
    mean = mean.join(split_columns(compared))
    mean = mean.assign(folds=f"{n_folds} crossed").drop(columns="n_models")
    whole: pd.DataFrame = pd.concat([*tables, mean], ignore_index=True)
    return whole


def named_folds(table: pd.DataFrame, asked: Asked) -> pd.DataFrame:
    """A table that says first of which model it is, and how its folds are one."""
    if asked.n_weights < 2:
        return table
    if "folds" not in table:
        table = table.assign(folds=f"mean of {asked.n_weights}")
    rest = [name for name in table if name not in ("model", "folds")]
    named = table.assign(model=asked.inputs.name)
    whole: pd.DataFrame = named[["model", "folds", *rest]]
    return whole


def say_folds(name: str, folds: str, files: Sequence[Path]) -> None:
    """One line about how several weights are one model."""
    if len(files) > 1:
        how = "crossed" if folds == CROSS else f"the mean of {len(files)} models"
        shown = ", ".join(map(str, files))
        _log.info("%s: %s (%s)", name, how, shown)
