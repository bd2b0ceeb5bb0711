"""What stands first on a page: a few sentences, cautions, and a table of numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .section import Section
from .wording import number

# Sections whose sentences make the verdict, in its order; of spacing and sites one is
# enough, and where more than four are there, the last goes. Whether two sites interact
# goes with what they do by spacing.
_ORDER = ("motif", "grammar", "spacing", "sites", "gc", "robustness", "position")
_MOST = 4


class SummaryLine(NamedTuple):
    """A line of the summary's table."""

    question: str
    answer: str
    in_spreads: str


def verdict(sections: Sequence[Section]) -> list[str]:
    """Three to five plain sentences; fewer where less was asked.

    What the motif does comes first, and alone with the backgrounds if it does nothing
    that is clear. Two sites by spacing stand for several sites, unless these deviate:
    then the sentence about several sites says how both go together.

    Examples
    --------
    >>> motif = Section("motif", "", "", sentence="It reads GAC.", headline={})
    >>> verdict([motif])
    ['It reads GAC.']
    """
    said = {section.name: section.sentence for section in sections if section.sentence}
    chosen = [name for name in _ORDER if name in said]
    if {"spacing", "sites"} <= {*chosen}:
        chosen.remove("sites")
    kept = {*chosen[:_MOST]}
    if "spacing" in kept:
        kept.add("saturation")
    return [text for name, text in said.items() if name in kept]


def cautions(sections: Sequence[Section]) -> list[str]:
    """What is to be known before anything else is believed."""
    return [section.caution for section in sections if section.caution]


def summary(
    sections: Sequence[Section], headline: Mapping[str, Any]
) -> list[SummaryLine]:
    """All numbers, effects also in standard deviations of the output."""
    return [
        SummaryLine(line.question, line.answer, _in_spreads(line.effect, headline))
        for section in sections
        for line in section.summary
    ]


def spread(headline: Mapping[str, Any]) -> float:
    """The standard deviation of the output over backgrounds; 0 if it is unknown."""
    value = float(headline.get("output_sd", 0))
    return value if math.isfinite(value) else 0.0


def _in_spreads(effect: float | None, headline: Mapping[str, Any]) -> str:
    if effect is None or not spread(headline):
        return ""
    return number(effect / spread(headline), 2)
