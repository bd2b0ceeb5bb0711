"""The difference of two outputs, beside these: `--target A --minus B`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from .._core.results import GIAResult
from .._core.scans import KmerScan
from .._core.target import Contrast, word_of
from ..statistics.significance import paired_t_test


def beside_its_outputs(
    contrast: Contrast,
    difference: Any,
    run: Callable[..., Any],
    tabulate: Callable[[Any], pd.DataFrame],
) -> pd.DataFrame:
    """The tables of both outputs and of their difference below each other.

    Parameters
    ----------
    contrast: Contrast
        The two outputs.

    difference: GIAResult, KmerScan, MotifScan or Junctions
        The experiment on their difference.

    run: function with the keyword `target`
        Gives the same of one output.

    tabulate: function of a result
        Gives its table.

    Returns
    -------
    table: pandas.DataFrame
        With the output in words, and where a table has a row for each condition, and no
        test of its own, `p`: a paired t test of its effect against 0, two-sided.
    """
    results = {
        word_of(part): run(target=part) for part in (contrast.output, contrast.minus)
    }
    tables = []
    for word, result in {**results, str(contrast): difference}.items():
        table = tabulate(result).assign(output=word)
        if "p" not in table and isinstance(result, GIAResult | KmerScan):
            p = paired_t_test(result).p.flatten()
            table = table.assign(p=p) if len(p) == len(table) else table
        tables.append(table)
    whole: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return whole
