"""How long does the page of many models take?

    python benchmarks/fleet.py [--models 50 500] [--k 6]

Reports as they are stored (numbers, logo, the scan of all k-mers), of models in groups
of three, without what a page of many does not read. Measured is `write_fleet` in a
folder that has no page, then with one more entry that waits, then with that finished.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from interleaved import as_markdown
from machine import describe_machine

from tangermeme_gia._core.letters import RNA
from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.kmers.codes import all_kmers
from tangermeme_gia.report import Entry, report_entry, write_fleet
from tangermeme_gia.report.store import Probe, Store

NUMBERS = ("effect", "per_site", "deviation", "left", "right", "loop", "pearson")
NUMBERS += ("position_lowest", "position_highest", "background_lowest")
# Models that have learned the same, so that there is something to cluster.
N_KINDS, REPEATS = 12, 3


def write_report(folder: Path, kmers: list[str], seed: int, kind: np.ndarray) -> None:
    """What a report leaves for the page of many."""
    rng = np.random.default_rng(seed)
    headline = {"motif": kmers[seed % len(kmers)], "output_sd": 1.0, "r2": rng.random()}
    for name in NUMBERS:
        value = rng.normal(1, 0.3)
        headline |= {name: value, f"{name}_low": value - 1, f"{name}_high": value + 1}
    effect = torch.from_numpy(kind + rng.normal(size=kind.shape))[:, None]
    scan = KmerScan(kmers, effect, effect.abs(), 64, len(kmers))
    probe = Probe(torch.zeros(4, 4, 41, dtype=torch.int8), torch.zeros(4, 1))
    Store(folder / "results").save("scan", {"scan": scan}, {"model": str(seed)}, probe)
    ppm = rng.dirichlet([0.3] * len(RNA), size=8).T.round(6).tolist()
    report = {"name": f"model {seed}", "headline": headline}
    report["logo"] = dict(zip(RNA, ppm, strict=True))
    (folder / "report.json").write_text(json.dumps(report))
    (folder / "index.html").touch()


def seconds(root: Path, entries: list[Entry]) -> float:
    """Of one page."""
    start = time.perf_counter()
    write_fleet(root, entries, going_on=True)
    return time.perf_counter() - start


def measure(n: int, k: int) -> dict[str, float]:
    """The medians, in a folder of its own each time."""
    kmers = all_kmers(k, RNA)
    kinds = np.random.default_rng(0).normal(size=(N_KINDS, len(kmers)))
    times = []
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            paths = [root / f"m{i}" for i in range(n + 1)]
            for i, path in enumerate(paths):
                write_report(path, kmers, i, kinds[i % N_KINDS])
            *entries, last = [
                report_entry(path, group=f"group {i // 3}")
                for i, path in enumerate(paths)
            ]
            waiting = Entry(last.name, last.group, state="waiting")
            more = ([], [waiting], [last])
            times.append([seconds(root, [*entries, *each]) for each in more])
            size = (root / "index.html").stat().st_size
    first, state, number = map(statistics.median, zip(*times, strict=True))
    return {
        "models": n,
        "first page (s)": round(first, 1),
        "a state has changed (s)": round(state, 1),
        "a number has changed (s)": round(number, 1),
        "page (MB)": round(size / 1e6, 1),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, nargs="+", default=[50, 500])
    parser.add_argument("--k", type=int, default=6)
    asked = parser.parse_args()
    print(f"{describe_machine()}; k = {asked.k}\n")
    table = pd.DataFrame([measure(n, asked.k) for n in asked.models])
    print(as_markdown(table))


if __name__ == "__main__":
    main()
