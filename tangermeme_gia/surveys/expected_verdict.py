"""Has a model learned a motif: from ranks to one of a few words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..statistics.selection import holm

LEARNED, SHIFTED = "learned", "learned, shifted"
NOT_LEARNED, UNDECIDED = "not learned", "undecided"
_NUMBERS = ("one", "two", "three", "four", "five", "six")


class Verdict(NamedTuple):
    """What is said of a motif, why, and of which of its rows."""

    verdict: str
    reason: str
    row: int
    p: float
    p_holm: float

    @property
    def columns(self) -> dict[str, Any]:
        """Of the table."""
        return {"p": self.p, "p_holm": self.p_holm, "verdict": self.verdict}


def judge(
    found: Sequence[pd.DataFrame],
    above: Sequence[Sequence[bool]],
    alpha: float,
    top: float,
    lowest: bool,
) -> list[Verdict]:
    """The verdict on each motif.

    Parameters
    ----------
    found: sequence of pandas.DataFrame
        The ranks of each motif's word, in the first row, of its shifts and of its
        reverse complement.

    above: sequence of sequences of bool
        Which of these are surely above the word.

    alpha: float
        Share of families in which any word may be called learned by chance.

    top: float
        Share of all k-mers among which a learned word is.

    lowest: bool
        Whether a learned word lowers the output.
    """
    rows = [_ranked(table, top, lowest) for table in found]
    least = [min(each.p for each in own) for own in rows]
    adjusted = holm(least).tolist()
    judged = []
    for own, is_above, p, p_holm in zip(rows, above, least, adjusted, strict=True):
        # What the number of motifs costs, the same for each row.
        bound = alpha * p / p_holm if p > 0 else alpha / len(rows)
        row, verdict, reason = _judge_one(own, bound, is_above)
        judged.append(Verdict(verdict, reason, row, p, p_holm))
    return judged


def sentence(
    condition: dict[str, Any],
    own: pd.DataFrame,
    verdict: Verdict,
    confidence: float,
) -> str:
    """The verdict on a motif as a line that a biologist reads."""
    word, best = own.iloc[0], own.iloc[verdict.row]
    letters, called = word["word"], condition["motif"]
    if called != letters:
        called = f"{called} ({letters}{_of(condition)})"
    if verdict.verdict == SHIFTED:
        by = best["shift"]
        moved = _NUMBERS[by - 1] if by <= len(_NUMBERS) else str(by)
        return (
            f"{called}: learned, shifted by {moved}: {best['word']} ranks "
            f"{best['rank']:,} of {best['n_kmers']:,} {_effect(best, confidence)}, "
            f"{letters} {word['rank']:,}"
        )
    told = f"{called} ranks {word['rank']:,} of {word['n_kmers']:,}"
    reason = f": {verdict.reason}" if verdict.reason else ""
    return f"{told} {_effect(word, confidence)}: {verdict.verdict}{reason}"


def _of(condition: dict[str, Any]) -> str:
    """What of a motif its word is."""
    n_words, k = condition["n_words"], condition["k"]
    part = "" if condition["is_whole"] else f"{k} letters of it"
    best = f"the best of {n_words} words" if n_words > 1 else ""
    return "".join(f", {told}" for told in (best, part) if told)


def _effect(row: pd.Series, confidence: float) -> str:
    bounds = f"{row['low']:.3g} to {row['high']:.3g}"
    return f"(effect {row['effect']:.3g}, {100 * confidence:g} % {bounds})"


class _Ranked(NamedTuple):
    """A row of ranks, and what it fulfils."""

    row: Any
    limit: int
    lowest: bool
    chance: float
    shuffles: float

    @property
    def p(self) -> float:
        """Of a word drawn at random ranking so high, or of the letters' order."""
        return max(self.chance, self.shuffles)

    @property
    def is_among_best(self) -> bool:
        """All ranks that it may have are."""
        return bool(self.row["rank_high"] <= self.limit)

    @property
    def acts(self) -> bool:
        """Its effect surely has the right sign."""
        low, high = self.row["low"], self.row["high"]
        return bool(high < 0 if self.lowest else low > 0)

    @property
    def acts_against(self) -> bool:
        """Its effect surely has the wrong sign."""
        low, high = self.row["low"], self.row["high"]
        return bool(low > 0 if self.lowest else high < 0)


def _ranked(table: pd.DataFrame, top: float, lowest: bool) -> list[_Ranked]:
    """The rows of a motif. Half of what may be false by chance is for the word, the
    rest in equal parts for the shifts."""
    n_shifts = int((table["role"] == "shift").sum())
    ranked = []
    for row in table.to_dict("records"):
        part = 0.5 / n_shifts if row["role"] == "shift" else 0.5 if n_shifts else 1.0
        if row["role"] == "reverse complement":
            part = 0.0
        limit = max(1, int(top * row["n_kmers"]))
        chance = row["rank"] * row["n_candidates"] / row["n_kmers"]
        shuffles = (
            row["shuffle_p"] * row["n_candidates"] if row["n_shuffles"] else np.inf
        )
        p = [min(1.0, x / part) if part else np.inf for x in (chance, shuffles)]
        ranked.append(_Ranked(row, limit, lowest, *p))
    return ranked


def _judge_one(
    rows: Sequence[_Ranked], bound: float, above: Sequence[bool]
) -> tuple[int, str, str]:
    """Row, verdict and reason."""
    if not rows[0].row["n_shuffles"]:  # nor are its shifts told from its letters
        return 0, *_reason(rows[0], bound)
    learned = [each.p <= bound and each.is_among_best and each.acts for each in rows]
    moved = [
        i
        for i, each in enumerate(rows)
        if each.row["role"] == "shift" and learned[i] and above[i]
    ]
    if moved:
        return min(moved, key=lambda i: rows[i].row["rank"]), SHIFTED, ""
    if learned[0]:
        return 0, LEARNED, ""
    return 0, *_reason(rows[0], bound)


def _reason(word: _Ranked, bound: float) -> tuple[str, str]:
    """What is said of a word that is not learned, or not surely."""
    row, towards = word.row, ("raises", "lowers")
    if row["rank_low"] > word.limit:
        return NOT_LEARNED, ""
    if word.acts_against:
        return NOT_LEARNED, f"it {towards[not word.lowest]} the output"
    if not word.is_among_best:
        low, high = row["rank_low"], row["rank_high"]
        return UNDECIDED, f"its interval reaches over ranks {low:,} to {high:,}"
    if not word.acts:
        return UNDECIDED, "its effect may be 0"
    if not row["n_shuffles"]:
        return UNDECIDED, "it is of one letter, which alone may be what counts"
    if word.shuffles > bound:
        other = f"(effect {row['shuffle_effect']:.3g})"
        return UNDECIDED, f"its letters in other orders do as much {other}"
    share = 100 * row["rank"] * row["n_candidates"] / row["n_kmers"]
    return UNDECIDED, f"by chance a word ranks so high in {share:.2g} %"
