"""What placing letters makes of the backgrounds themselves."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence

import pandas as pd

from .._core.motif import MotifLike
from .._core.patterns import place
from ..backgrounds.diagnostics import diagnose_background
from .study import Study

# The patterns of a condition: motifs and where they begin.
Patterns = Sequence[tuple[MotifLike, int]]
_GC = "gc_difference"


def diagnose_placing(study: Study, conditions: Mapping[str, Patterns]) -> pd.DataFrame:
    """How far are backgrounds with something placed from what they were?

    The rows of `diagnose_background` for each condition, by its name in the column
    `placed`; empty where letters are no nucleotides.
    """
    letters, tables = study.inputs.alphabet, [pd.DataFrame()]
    if not study.inputs.has_nucleotides or len(study.X) < 2:
        conditions = {}
    for name, patterns in conditions.items():
        placed = place(study.X, patterns, letters, random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the page says it in words
            table = diagnose_background(placed, study.X, alphabet=letters)
        table.insert(0, "placed", name)
        tables.append(table.drop(columns="output"))
    whole: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return whole


def gc_in_words(table: pd.DataFrame) -> str:
    """By how much placing changes the share of G and C, and whether that is much."""
    if table.empty:
        return ""
    shifts = table[table["check"] == _GC]
    said = ", ".join(
        f"{100 * value:+.1f} ({name})".replace("-", "−")
        for name, value in zip(shifts["placed"], shifts["value"], strict=True)
    )
    far = shifts.loc[shifts["shifted"], "placed"].tolist()
    judged = (
        f"; {', '.join(far)} so far that the model may answer for GC rather than for "
        "the motif"
        if far
        else ""
    )
    return (
        f" Placing changes the GC content of the backgrounds, in percentage points: "
        f"{said}{judged}."
    )
