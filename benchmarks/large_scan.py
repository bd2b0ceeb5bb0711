"""What does a scan of a whole database take beside the model?

    python benchmarks/large_scan.py [--motifs 2000] [--backgrounds 1000]

`motif_scan` of random matrices of 8 to 20 positions, each with a control, in
backgrounds of 100 letters, with a model of one small convolution, so that what is
measured is mostly the scan itself. Then its table, with groups of similar motifs by
TOMTOM, and `top(20)`. Processor seconds of one thread, those of the model alone on as
many sequences, and the peak of resident memory beside model and backgrounds. Linux
only.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import describe_machine
from memory import peak_memory
from tangermeme.predict import predict
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia

LENGTH, N_ALONE, BATCH = 100, 200_000, 82


class Counted(torch.nn.Module):
    """A model that counts what it is given."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model, self.n = model, 0

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Numbers, shape=(n, 1)."""
        self.n += len(X)
        y: torch.Tensor = self.model(X)
        return y


def build() -> Counted:
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Conv1d(4, 8, 8),
        torch.nn.ReLU(),
        torch.nn.AdaptiveMaxPool1d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 1),
    )
    return Counted(model.eval())


def timed(what: str, do: Callable[[], Any]) -> Any:
    Path("/proc/self/clear_refs").write_text("5")
    before, clock, used = peak_memory(), time.perf_counter(), time.process_time()
    result = do()
    taken = time.process_time() - used, time.perf_counter() - clock
    print(
        f"- {what}: {taken[0]:.1f} processor s, {taken[1]:.1f} s by the clock, peak "
        f"{peak_memory() - before:.0f} MiB",
        flush=True,
    )
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--motifs", type=int, default=2000)
    parser.add_argument("--backgrounds", type=int, default=1000)
    options = parser.parse_args()
    model, rng = build(), np.random.default_rng(0)
    motifs = {
        f"M{i}": rng.dirichlet(np.full(4, 0.3), rng.integers(8, 21)).T
        for i in range(options.motifs)
    }
    X = random_one_hot((options.backgrounds, 4, LENGTH), random_state=0)
    few = gia.motif_scan(model, X[:32], ["GATAA", "CACGTG"], device="cpu")
    few.to_frame()
    # The table sets another number of threads, by the compiled code of TOMTOM.
    torch.set_num_threads(1)
    model.n = 0
    print(
        f"{describe_machine()}; {options.motifs:,} motifs x {len(X):,} backgrounds:\n"
    )
    scan = timed(
        "`motif_scan`",
        lambda: gia.motif_scan(model, X, motifs, random_state=0, device="cpu"),
    )
    print(f"- the model saw {model.n:,} sequences")
    timed("`to_frame`", scan.to_frame)
    timed("`top(20)`", lambda: scan.top(20))
    torch.set_num_threads(1)
    alone = random_one_hot((N_ALONE, 4, LENGTH), random_state=1)
    timed(
        f"the model alone, {N_ALONE:,} sequences",
        lambda: predict(model, alone, batch_size=BATCH, device="cpu"),
    )


if __name__ == "__main__":
    main()
