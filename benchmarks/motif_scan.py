"""Is a scan of motifs faster than bpnet-lite's report of marginalizations?

    pip install bpnet-lite seaborn
    python benchmarks/motif_scan.py [--motifs 20] [--repeats 3] [--threads 2]

Motifs of 8 to 20 positions at the centre of 100 backgrounds of 2,114 bases, with
bpnet-lite's BPNet (8 dilated layers of 64 filters, random weights). In turns in one
run: `bpnetlite.marginalize.marginalization_report` without attributions, which asks for
both heads, averages profiles and draws pictures; its loop over `marginalize` alone; and
`motif_scan` of the counts, of the most likely letters, without and with a control.
Then each in a process of its own for its peak of resident memory. Linux only.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from bpnetlite import BPNet
from bpnetlite.marginalize import marginalization_report
from interleaved import as_markdown, time_in_turns
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
    name: str, model: torch.nn.Module, X: torch.Tensor, path: Path, device: str
) -> Callable[[], Any]:
    """What is timed; effects on the counts of those that return some."""
    if name == REPORT:
        folder = f"{path.parent}/report/"
        return lambda: marginalization_report(
            model, str(path), X, folder, BATCH, False, True, device
        )
    if name == LOOP:
        return lambda: loop(model, X, path, device)
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
            device=device,
        ).effect
    )


def loop(
    model: torch.nn.Module, X: torch.Tensor, path: Path, device: str
) -> torch.Tensor:
    """Effects on the counts as bpnet-lite computes them, without its pictures."""
    effects = []
    for pwm in read_meme(str(path)).values():
        motif = "".join("ACGT"[i] for i in pwm.argmax(axis=0))
        before, after = marginalize(model, X, motif, batch_size=BATCH, device=device)
        effects.append((after[1] - before[1]).mean(dim=0))
    return torch.stack(effects)


def measure(n_motifs: int, repeats: int, device: str) -> str:
    model, X = build()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "motifs.meme")
        write_motifs(path, n_motifs)
        ways = {name: way_to(name, model, X, path, device) for name in WAYS}
        times = time_in_turns(ways, repeats)
        gap = float((ways[LOOP]() - ways[SCAN]()).abs().max())
    median = {name: statistics.median(values) for name, values in times.items()}
    memory = {name: memory_of(name, n_motifs, device) for name in WAYS}
    rows = [
        {
            "": name,
            f"s, {n_motifs} motifs": f"{median[name]:.1f}",
            f"s, {ALL} (extrapolated)": f"{median[name] * ALL / n_motifs:.0f}",
            "loop / this": f"{median[LOOP] / median[name]:.2f}",
            "MiB, peak": f"{memory[name]:.0f}",
        }
        for name in WAYS
    ]
    return (
        f"{n_motifs} motifs, {N} backgrounds of {LENGTH:,} bases, medians of {repeats} "
        f"rounds. Largest difference of effects on the counts between the loop and "
        f"`motif_scan`: {gap:.1e}.\n\n{as_markdown(pd.DataFrame(rows))}"
    )


def memory_of(name: str, n_motifs: int, device: str) -> float:
    words = ["--memory-of", name, "--motifs", str(n_motifs), "--device", device]
    run = subprocess.run(
        [sys.executable, __file__, *words], capture_output=True, text=True, check=True
    )
    return float(json.loads(run.stdout.splitlines()[-1]))


def peak_of(name: str, n_motifs: int, device: str) -> float:
    """MiB that a way takes beside the model and the backgrounds, in this process."""
    model, X = build()
    with tempfile.TemporaryDirectory() as folder:
        few, path = Path(folder, "few.meme"), Path(folder, "motifs.meme")
        write_motifs(few, 1)
        write_motifs(path, n_motifs)
        loop(model, X[:2], few, device)
        # The peak known to the system would begin with that of the parent process.
        Path("/proc/self/clear_refs").write_text("5")
        before = peak_memory()
        way_to(name, model, X, path, device)()
        return peak_memory() - before


def peak_memory() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--motifs", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--memory-of", choices=WAYS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.memory_of:
        print(peak_of(options.memory_of, options.motifs, options.device))
        return
    print(describe_machine())
    print()
    print(measure(options.motifs, options.repeats, options.device))


if __name__ == "__main__":
    main()
