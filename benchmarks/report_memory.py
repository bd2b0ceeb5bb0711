"""What does a report hold of a model whose outputs are whole profiles?

    python benchmarks/report_memory.py [--n 60 240]

Peaks of resident memory of `tangermeme-gia report`, of one network of 2,114 bases: with
one output, and with a head of 20 x 2,114 of which one number is asked for. What both
have in common (libraries, figures, sequences) is in both. Linux only.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from interleaved import as_markdown
from machine import describe_machine

NETS = """
import torch


class Profile(torch.nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.first = torch.nn.Conv1d(4, 32, 21, padding=10)
        self.head = torch.nn.Conv1d(32, 20, 15, padding=7)

    def forward(self, X):
        return self.head(torch.relu(self.first(X)))


class One(Profile):
    def forward(self, X):
        return super().forward(X)[:, :1, 1000]
"""
RUN = """
import sys
from tangermeme_gia.cli import main

code = main(sys.argv[1:])
lines = open("/proc/self/status").read().splitlines()
(peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM")]
print("peak", peak)
sys.exit(code)
"""
WAYS = {
    "one output": ("nets.py:One",),
    "one bin of 20 x 2,114": ("nets.py:Profile", "--target", "0,1000"),
    "1,000 bins of 20 x 2,114": (
        *("nets.py:Profile", "--target"),
        "track=0,window=500:1500",
    ),
}
PARTS = ("motif", "sites", "position", "robustness")


def peak(folder: Path, n: int, way: tuple[str, ...]) -> float:
    """MiB of one report."""
    words = ["report", "--model", *way, "--length", "2114", "--motif", "TGACTCA"]
    words += ["--n", str(n), "--backgrounds", "profile", "--out", f"{folder}/report"]
    words += ["--experiments", *PARTS]
    run = subprocess.run(
        [sys.executable, "-c", RUN, *words],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    return int(run.stdout.split("peak")[-1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[60, 240])
    options = parser.parse_args()
    rows = []
    for n in options.n:
        peaks = {}
        for name, way in WAYS.items():
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "nets.py").write_text(NETS)
                peaks[name] = peak(Path(folder), n, way)
        first = peaks["one output"]
        more = {name: f"{value - first:+.0f}" for name, value in peaks.items()}
        rows.append({"backgrounds": n, **more, "peak of one output": f"{first:.0f}"})
    print(f"{describe_machine()}; MiB\n\n{as_markdown(pd.DataFrame(rows))}")


if __name__ == "__main__":
    main()
