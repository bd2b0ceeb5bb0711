"""Expected motifs with their ranks, and the verdict in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy
import torch
from numpy.typing import NDArray

from .._core.cards import counted
from .._core.clusters import as_codes, degrees_of_freedom
from .._core.outputs import as_columns
from .._core.scans import KmerScan
from .._core.shown import Shown
from ..statistics.inputs import check_fraction
from ..statistics.ranks import rank_interval
from ..statistics.significance import t_test_of_means
from .expected_verdict import judge, sentence

# Differences within the rounding of single precision, of the largest effect, are none.
_ROUNDING = 1e-6


class _Fields(NamedTuple):
    conditions: pd.DataFrame
    entries: pd.DataFrame
    differences: list[torch.Tensor]
    orders: list[torch.Tensor]
    scans: Mapping[int, KmerScan]
    lowest: bool = False


class ExpectedMotifs(Shown, _Fields):
    """Has the model learned the motifs that it should know?

    Parameters
    ----------
    conditions: pandas.DataFrame
        A row for each motif: `motif` (its name), `letters`, `k` (letters of the words
        that are ranked), `n_words` (so many of them are tried) and `is_whole` (whether
        these are all letters that say something).

    entries: pandas.DataFrame
        A row for each word, shift and reverse complement that is ranked.

    differences: list of torch.Tensor, shape=(2, n_kmers)
        Of each entry: effects of all k-mers less its own, and their standard errors.

    orders: list of torch.Tensor
        Of each entry: the places in the scan of its letters in other orders.

    scans: mapping of int to KmerScan
        Effects of all k-mers, by their length.

    lowest: bool, optional
        Whether the lowest effect has rank 1. Default is False.
    """

    def _lines(self) -> list[str]:
        scan = next(iter(self.scans.values()))
        held = counted(len(self.conditions), "motif")
        of = scan._lines()[0].partition(" on")[2]
        return [f"{type(self).__name__}: {held} on{of}"]

    def _strongest(self) -> list[str]:
        return self.lines()[:3]

    def _table(self) -> str | None:
        return str(self.to_frame().to_html())

    @property
    def n(self) -> int:
        """Number of backgrounds."""
        return next(iter(self.scans.values())).n

    @property
    def clusters(self) -> NDArray[np.generic] | None:
        """The template of each background, as of `GIAResult`."""
        return next(iter(self.scans.values())).clusters

    def ranks(self, confidence: float = 0.95) -> pd.DataFrame:
        """Which rank have the word of each motif, its shifts and its other strand?

        Parameters
        ----------
        confidence: float, optional
            Coverage of the intervals of effects and ranks, for all candidates of a row
            together. Default is 0.95.

        Returns
        -------
        frame: pandas.DataFrame
            `motif`, `role` ("word", "shift" or "reverse complement"), `shift` (by so
            many letters), `word` (the best of `n_candidates`), `effect` with `se`,
            `low` and `high`, `n`; `rank` of `n_kmers`, between `rank_low` and
            `rank_high`; `n_shuffles`, other orders of its letters, `shuffle_effect`,
            their mean, and `shuffle_p`, of the word doing no more (one-sided paired t).

        Raises
        ------
        ValueError
            If `confidence` is not between 0 and 1.
        """
        check_fraction("confidence", confidence)
        rows = [
            self._row(entry, difference, confidence)
            for entry, difference in zip(
                _records(self.entries), self.differences, strict=True
            )
        ]
        frame: pd.DataFrame = pd.DataFrame(rows)
        return frame

    def to_frame(
        self, confidence: float = 0.95, *, alpha: float = 0.05, top: float = 0.01
    ) -> pd.DataFrame:
        """Has it learned each motif: which rank, and which verdict?

        Parameters
        ----------
        confidence: float, optional
            As for `ranks`. Default is 0.95.

        alpha: float, optional
            Share of tables in which a word that the model does not know may be called
            learned. Default is 0.05.

        top: float, optional
            Share of all k-mers among which a learned word is, at least the first.
            Default is 0.01.

        Returns
        -------
        frame: pandas.DataFrame
            A row for each motif, in the order given: `motif`, `word`, `effect`, `se`,
            `low`, `high`, `n`, `rank`, `rank_low`, `rank_high`, `n_kmers`,
            `n_candidates`, `n_shuffles`, `shuffle_effect`, `shuffle_p` as of `ranks`;
            `reverse_rank` (of DNA); `shift_word`, `shift` and `shift_rank`, of the best
            of all shifts; `p`, how often a word drawn at random has such a rank, or one
            of its shifts has, and `p_holm`, adjusted for all rows (Holm); `verdict` and
            `line`, the same in a sentence.

        Raises
        ------
        ValueError
            If an option is not between 0 and 1.

        Notes
        -----
        *learned*: the ranks that the word surely lies between are among the best `top`
        of all, it surely raises the output, and surely more than its letters in other
        orders; and a word drawn at random has such a rank in less than `alpha` (rank
        over the number of k-mers, times the candidates). *learned, shifted*: one of
        its shifts is all that, and surely above the word. Half of `alpha` is for the
        word, the other half for its shifts, in equal parts. *not learned*: the word is
        surely not among the best. *undecided*: all else, with the reason;
        so is a word of one letter, which has no other order (benchmarks/expected.py).
        """
        check_fraction("alpha", alpha)
        check_fraction("top", top)
        ranks = self.ranks(confidence)
        number = self.entries["number"].to_numpy()
        found = [
            ranks[number == i].reset_index(drop=True)
            for i in range(len(self.conditions))
        ]
        above = self._surely_above(confidence)
        judged = judge(found, above, alpha, top, self.lowest)
        rows = []
        for condition, own, verdict in zip(
            _records(self.conditions), found, judged, strict=True
        ):
            line = sentence(condition, own, verdict, confidence)
            rows.append(_told(own) | verdict.columns | {"line": line})
        frame: pd.DataFrame = pd.DataFrame(rows)
        return frame

    def lines(
        self, confidence: float = 0.95, *, alpha: float = 0.05, top: float = 0.01
    ) -> list[str]:
        """The verdict on each motif in a sentence.

        Parameters
        ----------
        confidence, alpha, top
            As for `to_frame`.
        """
        told = self.to_frame(confidence, alpha=alpha, top=top)["line"]
        return [str(line) for line in told]

    def _row(
        self, entry: dict[str, Any], difference: torch.Tensor, confidence: float
    ) -> dict[str, Any]:
        condition = self.conditions.iloc[entry["number"]]
        scan, at = self.scans[condition["k"]], entry["at"]
        sign, df = (-1 if self.lowest else 1), self._df(scan)
        effect = as_columns(scan.effect).flatten().numpy()
        se = float(as_columns(scan.se).flatten()[at])
        many = 2 * entry["n_candidates"]
        half = float(scipy.stats.t.isf((1 - confidence) / many, df)) * se
        others = np.arange(len(effect)) != at
        mean, error = difference.numpy()[:, others]
        tie = _ROUNDING * float(np.abs(effect).max())
        told = rank_interval(
            sign * mean,
            error,
            df,
            confidence,
            n_chosen_from=entry["n_candidates"],
            tie=tie,
        )
        beyond, beyond_se = sign * entry["beyond"], entry["beyond_se"]
        beyond = 0.0 if abs(beyond) <= tie else beyond
        p = t_test_of_means(np.array(beyond), np.array(beyond_se), df, "greater")[1]
        return {
            "motif": condition["motif"],
            **{name: entry[name] for name in ("role", "shift", "word")},
            "n_candidates": entry["n_candidates"],
            "effect": float(effect[at]),
            "se": se,
            "low": float(effect[at]) - half,
            "high": float(effect[at]) + half,
            "n": scan.n,
            "rank": told.rank,
            "rank_low": told.low,
            "rank_high": told.high,
            "n_kmers": len(effect),
            "n_shuffles": entry["n_shuffles"],
            "shuffle_effect": float(effect[at]) - entry["beyond"],
            "shuffle_p": float(p),
        }

    def _surely_above(self, confidence: float) -> list[list[bool]]:
        """Of each motif's entries: is it surely above the motif's word?"""
        above: list[list[bool]] = [[] for _ in range(len(self.conditions))]
        of_word: dict[int, torch.Tensor] = {}
        for entry, difference in zip(
            _records(self.entries), self.differences, strict=True
        ):
            number = entry["number"]
            if entry["role"] == "word":
                of_word[number] = difference
            mean, se = of_word[number].numpy()[:, entry["at"]]
            scan = self.scans[self.conditions["k"].iloc[number]]
            tests = 2 * len(scan.kmers)
            bound = scipy.stats.t.isf((1 - confidence) / tests, self._df(scan))
            mean = -mean if self.lowest else mean
            tie = _ROUNDING * float(as_columns(scan.effect).abs().max())
            above[number].append(bool(mean > max(bound * se, tie)))
        return above

    @staticmethod
    def _df(scan: KmerScan) -> float:
        size = np.ones(scan.n, int)
        if scan.clusters is not None:
            size = np.bincount(as_codes(scan.clusters))
        return degrees_of_freedom(size)


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows, by the names of columns."""
    records: list[Any] = table.to_dict("records")
    return records


def _told(own: pd.DataFrame) -> dict[str, Any]:
    """The word of a motif, its other strand and the best of its shifts."""
    first = _records(own.drop(columns=["role", "shift"]))[0]
    reverse = own[own["role"] == "reverse complement"]
    first["reverse_rank"] = reverse["rank"].iloc[0] if len(reverse) else np.nan
    shifts = own[own["role"] == "shift"]
    best = shifts.iloc[[int(shifts["rank"].argmin())]] if len(shifts) else shifts
    for name, column in (
        ("shift_word", "word"),
        ("shift", "shift"),
        ("shift_rank", "rank"),
    ):
        first[name] = best[column].iloc[0] if len(best) else np.nan
    return first
