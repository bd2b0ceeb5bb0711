"""How long would a sweep take that nobody here has run?

    python benchmarks/scale.py [--gpu 30]

Arithmetic on what was measured, each number with its source; nothing is run. A worker
is one core as measured. `--gpu` is how many of these a GPU is worth, which was not
measured, and which the table names.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from interleaved import as_markdown

HOUR = 3600
WORKERS = (1, 8, 64)
# Seconds to start workers, of a task beside its own work, and the most tasks a second
# that a driver follows: benchmarks/sweep.py, two workers on one machine.
START, OVERHEAD, RATE = 3.5, 0.002, 264
LEDGER_BYTES = 900  # two lines for each task
REDRAW = 6.7 / 500  # seconds of the page for each model, benchmarks/fleet.py


class Kind(NamedTuple):
    """A kind of task: how many, and what one costs on one core."""

    name: str
    n: int
    seconds: float
    bytes: float
    source: str


KINDS = (
    Kind(
        "train ResidualBind, 244 experiments, 60 epochs",
        244,
        60 * 25 + 20,
        4.2e6,
        "25 s an epoch of 108,000 probes, one thread; 60 until its patience ends",
    ),
    Kind(
        "report of 244 models, all defaults",
        244,
        162,
        5.9e6,
        "benchmarks/report_cost.py, one thread",
    ),
    Kind(
        "1,000 motifs on 100 backgrounds by each of 1,000 BPNets of 2,114 bases",
        1000,
        52 * 1000 / 800 + 5,
        0.5e6,
        "benchmarks/motif_scan.py, 800 motifs in 52 s; 5 s to load model and sequences",
    ),
    Kind(
        "the same with raw effects: multi-site of 1,000 motifs, a task each",
        1_000_000,
        52 / 800 * 3 + 0.05,
        41e3,
        "three conditions of each motif, as above; 0.05 s for each task",
    ),
)


def wall(kind: Kind, workers: int, speed: float) -> float:
    """Seconds of a sweep: work in parallel, or as fast as its driver follows."""
    each = kind.seconds / speed + OVERHEAD
    rounds = -(-kind.n // workers)
    return START + max(rounds * each, kind.n / RATE) + REDRAW * min(kind.n, 5000)


def shown(seconds: float) -> str:
    if seconds >= 48 * HOUR:
        return f"{seconds / HOUR / 24:.1f} days"
    return f"{seconds / HOUR:.1f} h" if seconds >= HOUR else f"{seconds / 60:.0f} min"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gpu", type=float, default=30)
    options = parser.parse_args()
    rows = []
    for kind in KINDS:
        row = {"tasks": kind.name, "s each": round(kind.seconds, 2)}
        for workers in WORKERS:
            row[f"{workers} core"] = shown(wall(kind, workers, 1))
        for workers in WORKERS:
            row[f"{workers} GPU"] = shown(wall(kind, workers, options.gpu))
        row["on the disk"] = f"{kind.n * (kind.bytes + LEDGER_BYTES) / 1e9:.1f} GB"
        rows.append(row)
    sources = "\n".join(f"- {kind.name}: {kind.source}" for kind in KINDS)
    text = (
        f"{as_markdown(pd.DataFrame(rows))}\n\n{sources}\n- a GPU is taken for "
        f"{options.gpu:g} cores, which is an assumption\n"
    )
    print(text)
    (Path(__file__).parent / "results" / "scale.md").write_text(text)


if __name__ == "__main__":
    main()
