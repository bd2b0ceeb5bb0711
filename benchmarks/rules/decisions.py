"""From effects on each background to an answer, by claims that must all hold."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import tangermeme_gia as gia
from tangermeme_gia.statistics.selection import holm

Values = NDArray[np.float64]
# By name, shape=(n,): effects, in logits, or what is known of each background.
Effects = Mapping[str, Values]

# Less than a logit, which makes the odds 2.7 times as high, is no effect.
LEAST = 1.0
# What shall be of a rule, and of the same scale, differs at least by these parts.
HALF, QUARTER = 0.5, 0.25
ALPHA = 0.05
# Fewer backgrounds tell nothing.
_FEWEST = 3


class Claim(NamedTuple):
    """The mean is above 0, or above that of other backgrounds, if there are any."""

    values: Values
    other: Values | None = None

    def p(self) -> float:
        groups = [self.values] if self.other is None else [self.values, self.other]
        if (
            min(map(len, groups)) < _FEWEST
            or not np.isfinite(np.concatenate(groups)).all()
        ):
            return 1.0
        test = (
            gia.statistics.paired_t_test
            if len(groups) == 1
            else gia.statistics.welch_test
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", gia.statistics.FewEffectsWarning)
            return float(test(*groups, alternative="greater").p)


def answer(claims: Mapping[str, Sequence[Claim]]) -> str:
    """The answer of which all claims hold; none if there is not exactly one.

    All claims of a question, those of every answer, are corrected together by Holm.
    """
    names = [name for name, each in claims.items() for _ in each]
    p = holm([claim.p() for each in claims.values() for claim in each])
    held = [
        name
        for name in claims
        if all(value < ALPHA for value, of in zip(p, names, strict=True) if of == name)
    ]
    return held[0] if len(held) == 1 else ""


def taken(effects: Effects, rows: slice) -> Effects:
    return {name: values[rows] for name, values in effects.items()}
