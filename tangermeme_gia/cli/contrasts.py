"""The difference of two outputs, beside these: `--target A --minus B`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from .._core.results import GIAResult
from .._core.scans import KmerScan
from .._core.target import Contrast, word_of
from ..statistics.significance import paired_t_test

# Keywords that say which k-mers are looked at.
_OF_THE_CHOICE = ("k", "kmers", "top", "lowest", "delta")


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

    difference: GIAResult, KmerScan, MotifScan, Junctions or Comparison
        The experiment on their difference.

    run: function with the keyword `target`
        Gives the same of one output.

    tabulate: function of a result
        Gives its table.

    Returns
    -------
    table: pandas.DataFrame
        With the output in words.
    """
    results = {
        word_of(part): run(target=part) for part in (contrast.output, contrast.minus)
    }
    tables = [
        tabulate(result).assign(output=word)
        for word, result in {**results, str(contrast): difference}.items()
    ]
    whole: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return whole


def with_test(table: pd.DataFrame, result: Any) -> pd.DataFrame:
    """A table with `p`: a paired t test of each effect against 0, two-sided.

    As it is, where it has a test of its own, or no row for each condition.
    """
    if "p" in table or not isinstance(result, GIAResult | KmerScan):
        return table
    p = paired_t_test(result).p.flatten()
    return table.assign(p=p) if len(p) == len(table) else table


def asked_of_chosen(
    function: Callable[..., Any], keywords: Mapping[str, Any], chosen: pd.DataFrame
) -> tuple[Callable[..., Any], Mapping[str, Any]]:
    """The function and keywords that give what is listed of a difference once more.

    Of many k-mers only those few are asked.
    """
    from ..kmers.scan import kmer_scan

    if "kmer" not in chosen:
        return function, keywords
    named = {motif.label: motif for motif in keywords.get("kmers") or ()}
    few = {k: v for k, v in keywords.items() if k not in _OF_THE_CHOICE}
    few["kmers"] = [named.get(name, name) for name in chosen["kmer"]]
    return kmer_scan, few


def rows_of_chosen(
    chosen: pd.DataFrame, difference: Any, confidence: float, result: Any
) -> pd.DataFrame:
    """The rows of a result that are listed of the difference, in that order.

    They have no test: a k-mer or motif that was chosen as the best has a p-value that
    is too small on the backgrounds that chose it.
    """
    if result is difference:
        return chosen
    by = "kmer" if "kmer" in chosen else "motif"
    every = result.to_frame(confidence).set_index(by)
    table: pd.DataFrame = every.loc[chosen[by]].reset_index()
    return table
