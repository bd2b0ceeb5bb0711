"""How do time and predictions grow with backgrounds, k-mers, length and conditions?

    python benchmarks/growth.py [--threads 2] [--figure FILE]

Each is varied alone, sixteen-fold or more; the slope on log axes is 1 where the time is
in proportion. A small convolutional network stands for models of any length.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import torch
from interleaved import as_markdown
from machine import describe_machine
from matplotlib import pyplot as plt
from matplotlib.ticker import NullFormatter
from tangermeme.utils import random_one_hot
from torch import nn

import tangermeme_gia as gia

REPEATS = 5
LENGTHS = (128, 256, 512, 1024, 2048)
NUMBERS = (64, 128, 256, 512, 1024)
FIGURE = Path(__file__).parents[1] / "docs" / "images" / "growth.png"


class Network(nn.Module):
    """One convolution and the mean over positions, for any length."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(4, 32, 11, padding=5)
        self.output = nn.Linear(32, 1)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.output(self.conv(X).relu().mean(dim=2))


def curves() -> dict[
    str, tuple[tuple[int, ...], Callable[[int], Callable[[], object]]]
]:
    """What is varied, its values, and what is run at each."""
    torch.manual_seed(0)
    model = Network().eval()

    def scan(n: int, k: int, length: int = 41) -> Callable[[], object]:
        X = random_one_hot((n, 4, length), random_state=0)
        return lambda: gia.kmer_scan(model, X, k, device="cpu")

    def sweep(n_conditions: int) -> Callable[[], object]:
        X = random_one_hot((200, 4, 41), random_state=0)
        conditions = [[("GATTA", i % 36)] for i in range(n_conditions)]
        return lambda: gia.global_importance(model, X, conditions, device="cpu")

    return {
        "backgrounds": (NUMBERS, lambda n: scan(n, k=4)),
        "k-mers": (
            tuple(4**k for k in range(2, 7)),
            lambda kmers: scan(100, k=round(np.log(kmers) / np.log(4))),
        ),
        "length": (LENGTHS, lambda length: scan(100, k=3, length=length)),
        "conditions": (NUMBERS, sweep),
    }


def measure() -> pd.DataFrame:
    """Median seconds at each value of what is varied."""
    rows = []
    for varied, (values, prepare) in curves().items():
        for value in values:
            run = prepare(value)
            run()
            times = []
            for _ in range(REPEATS):
                begin = time.perf_counter()
                run()
                times.append(time.perf_counter() - begin)
            seconds = statistics.median(times)
            rows.append({"varied": varied, "value": value, "seconds": seconds})
    return pd.DataFrame(rows)


def slopes(times: pd.DataFrame) -> pd.DataFrame:
    """Of the upper half of each curve on log axes, where fixed costs no longer show."""
    rows = []
    for varied, curve in times.groupby("varied", sort=False):
        low, high = curve.iloc[len(curve) // 2], curve.iloc[-1]
        slope = np.log(high["seconds"] / low["seconds"]) / np.log(
            high["value"] / low["value"]
        )
        rows.append(
            {
                "varied": varied,
                "values": ", ".join(f"{value:,}" for value in curve["value"]),
                "seconds": ", ".join(f"{value:.2f}" for value in curve["seconds"]),
                "slope, upper half": f"{slope:.2f}",
            }
        )
    return pd.DataFrame(rows)


def draw(times: pd.DataFrame, path: Path) -> None:
    figure, axes = plt.subplots(1, 4, figsize=(10, 2.6), layout="constrained")
    groups = times.groupby("varied", sort=False)
    for ax, (varied, curve) in zip(axes, groups, strict=True):
        ax.loglog(curve["value"], curve["seconds"], "o-")
        proportional = curve["seconds"].iloc[-1] * curve["value"]
        ax.loglog(
            curve["value"], proportional / curve["value"].iloc[-1], ":", color="gray"
        )
        ax.set_xlabel(varied)
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_minor_formatter(NullFormatter())
    axes[0].set_ylabel("seconds")
    figure.suptitle("Time of a scan or sweep; dotted: in proportion", size=10)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def report(figure: Path = FIGURE) -> str:
    mpl.use("Agg")
    times = measure()
    draw(times, figure)
    return as_markdown(slopes(times))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--figure", type=Path, default=FIGURE)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(describe_machine())
    print(report(options.figure))


if __name__ == "__main__":
    main()
