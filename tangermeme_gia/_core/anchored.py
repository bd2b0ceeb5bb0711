"""Readouts that follow what is placed: every condition is read at its own place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from .conditions import Design
from .readouts import Readout

# Conditions that have these in common differ only in which of the motifs are placed.
_TOGETHER = ("motifs", "order", "orientation", "spacing", "distance", "left", "right")


def reading_places(readout: Readout, design: Design) -> list[int]:
    """The base that each condition of a table is read around.

    That of one motif, from the left, in the condition that places all that belong
    together: the arms of two motifs are read at the same place.

    Raises
    ------
    ValueError
        If a design places no motifs, or a condition not as many.
    """
    assert readout.around is not None
    starts = _starts(design)
    whole = _whole(design.conditions, starts)
    for number, placed in enumerate(whole):
        if readout.around >= len(placed):
            raise ValueError(
                f"`around`={readout.around}, but condition {number} places "
                f"{len(placed)} motifs, counted from 0."
            )
    return [placed[readout.around] for placed in whole]


def check_one_place(target: Any) -> None:
    """Raise if a readout follows what is placed, where all is placed at one start."""
    if isinstance(target, Readout) and target.around is not None:
        raise ValueError(
            "`around`: a scan places all k-mers at one start; give the `window` of the "
            "bins around it."
        )


def _starts(design: Design) -> list[tuple[int, ...]]:
    placements: Any = getattr(design, "placements", None)
    if placements is None:
        raise ValueError(
            "`around` needs conditions that place motifs in the sequences; give "
            "`window` or `centre`."
        )
    columns = design.columns
    if columns is None:
        columns = np.arange(len(placements))
    return [tuple(sorted(placements[i].starts)) for i in columns.tolist()]


def _whole(table: pd.DataFrame, starts: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """For each condition, what is placed in the arm that has all motifs."""
    if "arm" not in table:
        return starts
    names = [name for name in (*_TOGETHER, "control") if name in table]
    keys = [tuple(map(str, row)) for row in table[names].itertuples(index=False)]
    most: dict[tuple[str, ...], tuple[int, ...]] = {}
    for key, placed in zip(keys, starts, strict=True):
        most[key] = max(most.get(key, ()), placed, key=len)
    return [most[key] for key in keys]
