"""How much memory does a scan take beside the model and the backgrounds?

    python benchmarks/memory.py

Every scan runs in a process of its own: the peak of its resident memory less what was
resident when model and backgrounds were there and had been used once. Linux only.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import torch
from interleaved import as_markdown
from machine import describe_machine
from tangermeme.utils import random_one_hot
from torch import nn

import residualbind as rb
import tangermeme_gia as gia

CASES: tuple[dict[str, object], ...] = (
    {"model": "ResidualBind", "k": 3, "n": 1000},
    {"model": "ResidualBind", "k": 5, "n": 1000},
    {"model": "ResidualBind", "k": 3, "n": 10_000},
    {"model": "ResidualBind", "k": 6, "n": 1000, "method": "racing"},
    {"model": "linear", "k": 8, "n": 100},
    {"model": "linear", "k": 10, "n": 10},
    {"model": "linear", "k": 9, "n": 100, "method": "racing"},
    {"model": "linear", "k": 4, "n": 300, "length": 2114},
    {"model": "profile of 1,000", "k": 3, "n": 300, "length": 2114},
)


def build(model: str, length: int) -> nn.Module:
    if model == "ResidualBind":
        return rb.ResidualBind(rb.ResidualBindConfig.released(length=length)).eval()
    n_outputs = 1 if model == "linear" else 1000
    return nn.Sequential(nn.Flatten(), nn.Linear(4 * length, n_outputs))


def run_case(case: dict[str, object]) -> float:
    """Peak in MiB, of this process."""
    torch.set_num_threads(2)
    length = int(case.get("length", 41))
    model = build(str(case["model"]), length)
    X = random_one_hot((int(case["n"]), 4, length), random_state=0)
    scan = gia.best_kmers if case.get("method") == "racing" else gia.kmer_scan
    gia.kmer_scan(model, X[:32], 1, device="cpu")
    # The peak known to the system would begin with that of the parent process.
    Path("/proc/self/clear_refs").write_text("5")
    before = peak_memory()
    scan(model, X, int(case["k"]), device="cpu")
    return peak_memory() - before


def peak_memory() -> float:
    """MiB, since it was last reset."""
    status = Path("/proc/self/status").read_text()
    (line,) = [s for s in status.splitlines() if s.startswith("VmHWM")]
    return int(line.split()[1]) / 2**10


def measure() -> pd.DataFrame:
    rows = []
    for case in CASES:
        command = [sys.executable, __file__, "--case", json.dumps(case)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append(
            {
                "model": case["model"],
                "length": f"{case.get('length', 41):,}",
                "k": case["k"],
                "backgrounds": f"{case['n']:,}",
                "method": case.get("method", "exhaustive"),
                "peak beside model and backgrounds, MiB": f"{float(done.stdout):.0f}",
            }
        )
    return pd.DataFrame(rows)


def report() -> str:
    return as_markdown(measure())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--case", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        print(run_case(options.case))
        return
    print(describe_machine())
    print(report())


if __name__ == "__main__":
    main()
