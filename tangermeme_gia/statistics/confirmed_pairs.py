"""Where the motifs of a confirmed pair stand, for experiments that ask more of it."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from .._core.motif import Motif
from .._core.patterns import Pattern

_WHICH = ["a", "b", "arrangement"]


def placed_pair(
    pair: Mapping[Hashable, Any],
    profiles: pd.DataFrame,
    found: pd.DataFrame,
    motifs: Mapping[str, Motif],
    start: int,
) -> tuple[Pattern, Pattern]:
    """Both motifs of a row of `Grammar.pairs`, from left to right, as patterns.

    Where the mean over spacings was confirmed they stand at the spacing that stood out
    most on the finding half.
    """

    def same(table: pd.DataFrame) -> pd.DataFrame:
        is_same = (table[_WHICH] == [pair[name] for name in _WHICH]).all(axis=1)
        rows: pd.DataFrame = table[is_same]
        return rows

    profile = same(profiles).iloc[0]
    strands = dict(zip("ab", profile["orientation"], strict=True))
    sides = "ab" if profile["order"] == "1,2" else "ba"
    spacing = pair["spacing"]
    if pd.isna(spacing):
        each = same(found).dropna(subset=["spacing"])
        spacing = each["spacing"].iloc[int(each["p"].to_numpy().argmin())]
    left, right = (
        motifs[pair[side]].reverse_complement()
        if strands[side] == "-"
        else motifs[pair[side]]
        for side in sides
    )
    return Pattern(left, start), Pattern(right, start + len(left) + int(spacing))
