"""Is a scan of motifs faster than bpnet-lite's report of marginalizations?

    pip install bpnet-lite seaborn
    python benchmarks/motif_scan.py [--sizes 10 20] [--scans 100] [--repeats 1]

Motifs of 8 to 20 positions at the centre of 100 backgrounds of 2,114 bases, with
bpnet-lite's BPNet (8 dilated layers of 64 filters, random weights). The loop of
bpnet-lite over `marginalize`, `motif_scan` of the counts, of the most likely letters,
and that with a control, for each of `--sizes` motifs; the scan also for `--scans`; and
`bpnetlite.marginalize.marginalization_report` without attributions, which asks for both
heads, averages profiles and draws pictures, for the smallest. Each run is a process of
its own with one thread, one after the other, in turns. It tells its processor seconds,
which other processes on the machine move less than seconds by the clock, and its peak
of resident memory beside model and backgrounds. Linux only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from bpnetlite import BPNet
from bpnetlite.marginalize import marginalization_report
from interleaved import as_markdown
from machine import describe_machine
from tangermeme.io import read_meme
from tangermeme.marginalize import marginalize
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia

N, LENGTH, ALL = 100, 2114, 800
BATCH = 64  # bpnet-lite's
REPORT, LOOP = "bpnet-lite, report", "bpnet-lite, its loop"
SCAN, CONTROLLED = "motif_scan", "motif_scan, 1 control"
WAYS = (REPORT, LOOP, SCAN, CONTROLLED)


def build() -> tuple[torch.nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    model = BPNet(
        n_filters=64, n_layers=8, n_outputs=1, n_control_tracks=0, trimming=557
    )
    return model.eval(), random_one_hot((N, 4, LENGTH), random_state=0)


def write_motifs(path: Path, n_motifs: int) -> None:
    rng = np.random.default_rng(0)
    motifs = {
        f"M{i}": rng.dirichlet(np.full(4, 0.3), rng.integers(8, 21)).T
        for i in range(n_motifs)
    }
    gia.motifs.write_meme(path, motifs)


def way_to(
    name: str, model: torch.nn.Module, X: torch.Tensor, path: Path
) -> Callable[[], Any]:
    """What is timed; effects on the counts of those that return some."""
    if name == REPORT:
        folder = f"{path.parent}/report/"
        return lambda: marginalization_report(
            model, str(path), X, folder, BATCH, False, True, "cpu"
        )
    if name == LOOP:
        return lambda: loop(model, X, path)
    n_controls = 1 if name == CONTROLLED else 0
    return lambda: (
        gia.motif_scan(
            model,
            X,
            path,
            consensus=True,
            n_controls=n_controls,
            random_state=0,
            target=1,
            device="cpu",
        ).effect
    )


def loop(model: torch.nn.Module, X: torch.Tensor, path: Path) -> torch.Tensor:
    """Effects on the counts as bpnet-lite computes them, without its pictures."""
    effects = []
    for pwm in read_meme(str(path)).values():
        motif = "".join("ACGT"[i] for i in pwm.argmax(axis=0))
        before, after = marginalize(model, X, motif, batch_size=BATCH, device="cpu")
        effects.append((after[1] - before[1]).mean(dim=0))
    return torch.stack(effects)


def measure(sizes: Sequence[int], scans: Sequence[int], repeats: int) -> pd.DataFrame:
    """The median of the runs of each way for so many motifs."""
    runs = [
        *((way, n) for n in sizes for way in (LOOP, SCAN, CONTROLLED)),
        (REPORT, min(sizes)),
        *((SCAN, n) for n in scans),
    ]
    told = [run_apart(*run) for _ in range(repeats) for run in runs]
    table = pd.DataFrame(told).groupby(["way", "motifs"], sort=False).median()
    return table.reset_index()


def run_apart(way: str, n_motifs: int) -> dict[str, Any]:
    words = ["--one", way, "--sizes", str(n_motifs)]
    run = subprocess.run(
        [sys.executable, __file__, *words], capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    print(told, file=sys.stderr, flush=True)
    return told


def run_here(way: str, n_motifs: int) -> dict[str, Any]:
    """What a way takes, and the mean of its effects, in this process."""
    model, X = build()
    with tempfile.TemporaryDirectory() as folder:
        few, path = Path(folder, "few.meme"), Path(folder, "motifs.meme")
        write_motifs(few, 1)
        write_motifs(path, n_motifs)
        loop(model, X[:2], few)
        way_to(SCAN, model, X[:2], few)()
        # The peak known to the system would begin with that of the parent process.
        Path("/proc/self/clear_refs").write_text("5")
        before, clock, used = peak_memory(), time.perf_counter(), time.process_time()
        effects = way_to(way, model, X, path)()
        return {
            "way": way,
            "motifs": n_motifs,
            "processor s": time.process_time() - used,
            "s by the clock": time.perf_counter() - clock,
            "MiB, peak": peak_memory() - before,
            "effect": np.nan if way == REPORT else float(effects.mean()),
        }


def peak_memory() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def for_all(told: pd.DataFrame) -> pd.DataFrame:
    """Rows as text, with the hours that all motifs take at the same rate."""
    each = told["processor s"] / told["motifs"]
    rows = pd.DataFrame({"": told["way"], "motifs": told["motifs"]})
    for name in ("processor s", "s by the clock"):
        rows[name] = told[name].map("{:.1f}".format)
    rows["processor s, each motif"] = each.map("{:.2f}".format)
    rows[f"hours, {ALL}"] = (each * ALL / 3600).map("{:.2f}".format)
    rows["MiB, peak"] = told["MiB, peak"].map("{:.0f}".format)
    rows["mean effect"] = told["effect"].map("{:.7f}".format)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 20])
    parser.add_argument("--scans", type=int, nargs="*", default=[100])
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--one", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.one:
        print(json.dumps(run_here(options.one, options.sizes[0])))
        return
    print(f"{describe_machine()}; {N} backgrounds of {LENGTH:,} bases.\n")
    told = measure(options.sizes, options.scans, options.repeats)
    print(as_markdown(for_all(told)))


if __name__ == "__main__":
    main()
