"""What does a report cost beside the exhaustive scan that it does without?

    python benchmarks/report_cost.py

The report of A1CF with all defaults, and right after it a scan of every sixteenth
6-mer on as many backgrounds, both on one thread; processor seconds.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time

import torch
from machine import describe_machine

from residualbind import load_pretrained, load_profile
from tangermeme_gia import kmer_scan
from tangermeme_gia.backgrounds import profile_background
from tangermeme_gia.kmers.codes import all_kmers

MODEL, EVERY, N = "A1CF", 16, 1000


def main() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"  # of the report
    torch.set_num_threads(1)
    report = seconds_of_report()
    X = profile_background(load_profile(MODEL), N, random_state=0)
    began = time.process_time()
    kmer_scan(load_pretrained(MODEL), X, kmers=all_kmers(6, "ACGU")[::EVERY])
    scan = EVERY * (time.process_time() - began)
    print(describe_machine())
    print(f"report: {report:.0f} s; exhaustive scan, of a sixteenth: {scan:.0f} s")
    print(f"the report is {report / scan:.2f} of the scan alone")


def seconds_of_report() -> float:
    """Of a process of its own, those that fold included."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["report", "--model", MODEL, "--out", folder]
        subprocess.run(
            [sys.executable, "-m", "tangermeme_gia", *command],
            check=True,
            stdout=subprocess.DEVNULL,
        )
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
