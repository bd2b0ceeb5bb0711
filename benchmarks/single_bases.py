"""All single-base changes of a sequence, by every tool that has a fast way to them.

    pip install --no-deps yuzu-ism    # optional; version 0.0.1
    python benchmarks/single_bases.py

The task of yuzu and fastISM (whose package needs TensorFlow and Keras 2), which
tangermeme's `saturation_mutagenesis` has built in. Here it is an experiment of so many
conditions, on one background at a time and on several.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
from collections.abc import Callable
from typing import Any

import pandas as pd
import torch
from interleaved import as_markdown, time_in_turns
from machine import describe_machine
from tangermeme.saturation_mutagenesis import saturation_mutagenesis
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia

nn = torch.nn
LENGTH = 600


HAS_YUZU = importlib.util.find_spec("yuzu") is not None


def deepsea() -> nn.Sequential:
    """Of layers in a row, and with a layer of its own, as yuzu needs it."""
    flatten = nn.Flatten
    if HAS_YUZU:
        from yuzu.models import Flatten as flatten
    dense = nn.Linear(960 * (LENGTH // 4 // 4), 925)
    return nn.Sequential(
        *(nn.Conv1d(4, 320, 9, padding=4), nn.ReLU(), nn.MaxPool1d(4)),
        *(nn.Conv1d(320, 480, 9, padding=4), nn.ReLU(), nn.MaxPool1d(4)),
        *(nn.Conv1d(480, 960, 9, padding=4), nn.ReLU()),
        *(flatten(), dense, nn.ReLU(), nn.Linear(925, 10)),
    ).eval()


def edits() -> list[list[tuple[str, int]]]:
    """A condition for every letter at every place."""
    return [[(letter, start)] for start in range(LENGTH) for letter in "ACGT"]


def ways(model: nn.Module, X: torch.Tensor) -> dict[str, Callable[[], Any]]:
    """What each tool does."""
    fast = {"raw_outputs": True, "batch_size": 13}
    found: dict[str, Callable[[], Any]] = {
        "in full": lambda: gia.global_importance(model, X, edits(), reuse=False),
        "reuse": lambda: gia.global_importance(model, X, edits()),
        "tangermeme": lambda: saturation_mutagenesis(model, X, **fast),
    }
    if HAS_YUZU:
        import yuzu

        made = yuzu.precompute(model, seq_len=LENGTH, alpha=1.5, random_state=0)
        found["yuzu (prepared before)"] = lambda: yuzu.yuzu_ism(
            model, X.float().numpy(), made
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--n", type=int, default=2, help="sequences")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model, X = deepsea(), random_one_hot((options.n, 4, LENGTH), random_state=0)
    times = time_in_turns(ways(model, X), options.repeats)
    full = times["in full"]
    rows = [
        {
            "tool": name,
            "seconds": f"{statistics.median(seconds):.1f}",
            "times faster": f"{statistics.median(map(_ratio, full, seconds)):.1f}",
        }
        for name, seconds in times.items()
    ]
    print(f"{describe_machine()}, one used; {options.n} sequences of {LENGTH} bp\n")
    print(as_markdown(pd.DataFrame(rows)))


def _ratio(a: float, b: float) -> float:
    return a / b


if __name__ == "__main__":
    main()
