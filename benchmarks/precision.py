"""What do bfloat16 and torch.compile cost in accuracy, and what do they save?

    python benchmarks/precision.py [--repeats 3] [--threads 2] [--device cpu]

Effects of 64 6-mers on 1,024 profile backgrounds by a bundled model: against float32,
the largest difference, the change of the ten best, and the time, in turns in one run.
"""

from __future__ import annotations

import argparse
import statistics
import time

import numpy as np
import pandas as pd
import torch
from interleaved import as_markdown, time_in_turns
from machine import describe_machine
from plain_stack import PlainStack

import residualbind as rb
import tangermeme_gia as gia
from tangermeme_gia._core.letters import RNA
from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.kmers.codes import all_kmers

# Whole batches, so that one shape is compiled.
N, N_KMERS, TOP = 1024, 64, 10


def measure(repeats: int, device: str) -> pd.DataFrame:
    model = rb.load_pretrained("A1CF")
    X = gia.backgrounds.profile_background(rb.load_profile("A1CF"), n=N, random_state=0)
    kmers = np.random.default_rng(0).choice(all_kmers(6, RNA), N_KMERS, False).tolist()
    options = {"start": 17, "alphabet": RNA, "device": device}

    def scan(model: torch.nn.Module, dtype: torch.dtype) -> KmerScan:
        return gia.kmer_scan(model, X, kmers=kmers, dtype=dtype, **options)

    plain = PlainStack(model).eval()
    compiled = torch.compile(plain)
    begin = time.perf_counter()
    scan(compiled, torch.float32)
    compilation = time.perf_counter() - begin
    scan(compiled, torch.bfloat16)
    ways = {
        "float32": lambda: scan(model, torch.float32),
        "bfloat16": lambda: scan(model, torch.bfloat16),
        "plain stack": lambda: scan(plain, torch.float32),
        "torch.compile of it": lambda: scan(compiled, torch.float32),
        "torch.compile of it, bfloat16": lambda: scan(compiled, torch.bfloat16),
    }
    times = time_in_turns(ways, repeats)
    reference = ways["float32"]()
    seconds = {name: statistics.median(values) for name, values in times.items()}
    rows = [
        {"scan": name}
        | compare(run(), reference)
        | {
            "seconds": f"{seconds[name]:.2f}",
            "time / float32": f"{seconds[name] / seconds['float32']:.2f}",
        }
        for name, run in ways.items()
    ]
    print(f"first compiled scan: {compilation:.0f} s")
    return pd.DataFrame(rows)


def compare(scan: KmerScan, reference: KmerScan) -> dict[str, str]:
    error = (scan.effect - reference.effect).abs()
    best, expected = (set(s.top(TOP)["kmer"]) for s in (scan, reference))
    return {
        "largest difference": f"{error.max():.1e}",
        "in standard errors": f"{(error / reference.se).max():.2f}",
        f"of {TOP} best the same": str(len(best & expected)),
    }


def report(repeats: int, device: str = "cpu") -> str:
    table = measure(repeats, device)
    return f"On {device}, medians of {repeats}.\n\n{as_markdown(table)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(describe_machine())
    print(report(options.repeats, options.device))


if __name__ == "__main__":
    main()
