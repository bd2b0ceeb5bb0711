"""Are backgrounds sampled at once, and shuffles as fast as tangermeme's own?

    python benchmarks/backgrounds.py [--repeats 7] [--threads 1]

1,000 sequences of 41 and of 2,114 bases (30 to 41 bases centred in 41 for the padded
rows). Each function is timed in turn within every repeat, interleaved with
tangermeme's nearest one on the same sequences; medians and their ratio.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import pandas as pd
import torch
from machine import describe_machine
from tangermeme.ersatz import dinucleotide_shuffle, shuffle
from tangermeme.utils import random_one_hot

from tangermeme_gia.backgrounds.by_name import (
    composition_background,
    dinucleotide_shuffled_background,
    profile_background,
    quantile_background,
    shuffled_background,
    structured_background,
)

N = 1000
Call = Callable[[], object]


def padded(X: torch.Tensor, shortest: int) -> torch.Tensor:
    """Sequences of `shortest` bases up to the full length, centred."""
    X = X.clone()
    length = X.shape[-1]
    for i, x in enumerate(X):
        missing = length - (shortest + i % (length - shortest + 1))
        x[:, : missing // 2] = 0
        x[:, length - (missing - missing // 2) :] = 0
    return X


def calls(X: torch.Tensor) -> dict[str, tuple[Call, Call | None]]:
    """Our function and tangermeme's nearest, by name."""

    def dinucleotide(**options: bool) -> Call:
        return lambda: dinucleotide_shuffled_background(X, N, 0, **options)

    def theirs() -> Call:
        return lambda: dinucleotide_shuffle(X, n=1, random_state=0, allow_N=True)

    composition = [0.25] * 4
    length = X.shape[-1]
    scores = torch.arange(len(X))
    return {
        "profile": (
            lambda: profile_background(X, N, 0),
            lambda: random_one_hot((N, 4, length), random_state=0),
        ),
        "composition": (
            lambda: composition_background(composition, N, length, 0),
            lambda: random_one_hot((N, 4, length), random_state=0),
        ),
        "shuffle": (
            lambda: shuffled_background(X, N, 0),
            lambda: shuffle(X, random_state=0),
        ),
        "dinucleotide": (dinucleotide(), theirs()),
        "dinucleotide, uniform": (dinucleotide(uniform=True), theirs()),
        "quantile": (
            lambda: quantile_background(X, scores, N, low=0, high=1, random_state=0),
            None,
        ),
        "structured": (
            lambda: structured_background(X, "paper", N, random_state=0),
            None,
        ),
    }


def seconds(call: Call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    short = random_one_hot((N, 4, 41), random_state=0)
    inputs = {
        "41": short,
        "30-41 in 41": padded(short, 30),
        "2114": random_one_hot((N, 4, 2114), random_state=0),
    }
    rows = []
    for length, X in inputs.items():
        for name, (ours, theirs) in calls(X).items():
            ours()  # compiled or loaded before it is timed
            times: dict[str, list[float]] = {"ours": [], "theirs": []}
            for _ in range(options.repeats):
                times["ours"].append(seconds(ours))
                if theirs is not None:
                    times["theirs"].append(seconds(theirs))
            median = statistics.median(times["ours"])
            reference = statistics.median(times["theirs"]) if theirs else float("nan")
            rows.append(
                {
                    "background": name,
                    "length": length,
                    "median_ms": 1000 * median,
                    "tangermeme_ms": 1000 * reference,
                    "time / tangermeme": median / reference,
                }
            )
    print(f"{N} sequences; {describe_machine()}")
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.3g}".format))


if __name__ == "__main__":
    main()
