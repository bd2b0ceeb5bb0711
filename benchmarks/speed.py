"""All of the speed benchmarks in one run.

    python benchmarks/speed.py [--repeats 5] [--threads 2] [--parts scans growth]

Scans and races beside a loop over tangermeme's `marginalize`, experiments with and
without reuse of activations, growth, memory, precision, training and profiles: each
part writes its table, with the machine named, to
`benchmarks/results/`. On a machine with a GPU precision and training are measured
there, too.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import growth
import memory
import precision
import profiles
import reuse
import scans
import torch
import training_epoch
from machine import describe_machine

RESULTS = Path(__file__).parent / "results"
PARTS = ("scans", "growth", "memory", "precision", "training", "profiles", "reuse")


def on_devices(report: str, gpu: str | None) -> str:
    return report if gpu is None else f"{report}\n\n{gpu}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    repeats, cuda = options.repeats, torch.cuda.is_available()
    parts = {
        "scans": lambda: scans.report(repeats),
        "growth": growth.report,
        "memory": memory.report,
        "precision": lambda: on_devices(
            precision.report(repeats),
            precision.report(repeats, "cuda") if cuda else None,
        ),
        "training": lambda: on_devices(
            training_epoch.report(repeats),
            training_epoch.report(repeats, "cuda") if cuda else None,
        ),
        "profiles": profiles.report,
        "reuse": lambda: reuse.report(max(3, repeats // 2)),
    }
    for name in options.parts:
        begin = time.perf_counter()
        table = parts[name]()
        (RESULTS / f"{name}.md").write_text(f"{describe_machine()}\n\n{table}\n")
        print(f"{name}: {time.perf_counter() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
