"""What the intervals of a table are over, and what was held fixed: in one line."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from .cards import counted, listed

_FIXED = ("the model", "letters", "places")


def what_varies(
    table: pd.DataFrame,
    rows: str = "background",
    *,
    drawn: Sequence[str] = (),
    n_averaged: int = 1,
) -> str:
    """Which variance is in the intervals of a table, and which is not?

    Parameters
    ----------
    table: pandas.DataFrame
        Of any result, with the columns `low`, `high` and `n`, and where it has them
        `n_clusters`, `n_models`, `background`, `model`, `folds`, `percentile_low`, and
        `removed_low` with `n_removed`.

    rows: str, optional
        What `n` counts. Default is "background".

    drawn: sequence of str, optional
        What each of them has its own draw of: "letters" of a matrix, "places".
        Default is (), nothing.

    n_averaged: int, optional
        How many models were averaged before anything was measured. Default is 1.

    Returns
    -------
    line: str
        A sentence; empty for a table without intervals.

    Examples
    --------
    >>> what_varies(pd.DataFrame({"low": [1.0], "high": [2.0], "n": [200]}))
    'Intervals are over 200 backgrounds; fixed: the model, letters and places.'
    """
    if not {"low", "high", "n"} <= {*table} or table.empty:
        return ""
    over = _counted(table["n"], rows)
    if "n_clusters" in table and (table["n_clusters"] != table["n"]).any():
        over += f" of {_counted(table['n_clusters'], 'template')}, which are the units"
    if "background" in table and "model" not in table:
        over += " of the kind that a row names"
    fixed = [name for name in _FIXED if name not in drawn]
    if drawn:
        over += f", each with its own {listed(drawn)}"
    crossed = _crossed(table)
    if n_averaged > 1 and not crossed:
        fixed[0] = f"the {n_averaged} models that are averaged"
    elif "n_models" in table:
        over = f"{_counted(table['n_models'], 'model')}, taken as a sample, and {over}"
        fixed = [name for name in fixed if name != "the model"]
    elif "model" in table or "folds" in table:
        fixed[0] = "each model"
    text = f"Intervals are over {over}; fixed: {listed(fixed)}."
    if crossed:
        text += f" Those of '{crossed}' are over folds, too, taken as a sample."
    if "removed_low" in table:
        text += (
            " Those of what was removed are over the sequences that held it "
            f"({_counted(table['n_removed'], 'instance')})."
        )
    if "percentile_low" in table:
        text += " Those of percentiles are over words, too."
    return text


def _crossed(table: pd.DataFrame) -> str:
    """What a mean over folds is called in a table; empty if there is none."""
    names = [*table["folds"].astype(str)] if "folds" in table else []
    return next((name for name in names if name.endswith(" crossed")), "")


def _counted(numbers: pd.Series, noun: str) -> str:
    known = numbers.dropna()
    if known.empty:
        return f"{noun}s"
    low, high = int(known.min()), int(known.max())
    return counted(high, noun) if low == high else f"{low:,} to {counted(high, noun)}"
