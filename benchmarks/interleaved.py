"""Times of several ways to do a thing, in turns, so that a busy machine hits all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd


def time_in_turns(
    ways: Mapping[str, Callable[[], Any]], repeats: int
) -> dict[str, list[float]]:
    """Seconds of each way in each round, after one round that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for i in range(repeats + 1):
        for name, way in ways.items():
            begin = time.perf_counter()
            way()
            if i > 0:
                times[name].append(time.perf_counter() - begin)
    return times


def as_markdown(table: pd.DataFrame) -> str:
    """A Markdown table; numbers are text by now."""
    rows = [table.columns, ["---"] * table.shape[1], *table.astype(str).to_numpy()]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
