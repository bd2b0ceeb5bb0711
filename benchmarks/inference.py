"""Is ResidualBind's eval pass faster than the plain stack of its own layers?

    python benchmarks/inference.py [--repeats 15] [--threads 2]

Both are timed in one run, interleaved, on the same weights; the table gives medians
and their ratio for several batch sizes. Outputs are compared too.
"""

from __future__ import annotations

import argparse
import statistics
import time

import pandas as pd
import torch
from machine import describe_machine
from plain_stack import PlainStack
from torch import nn

from residualbind import ResidualBind, ResidualBindConfig

N_SEQUENCES = 8192


def seconds(model: nn.Module, X: torch.Tensor, batch_size: int) -> float:
    start = time.perf_counter()
    for batch in X.split(batch_size):
        model(batch)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    letters = torch.randint(4, (N_SEQUENCES, 41))
    X = nn.functional.one_hot(letters, 4).transpose(1, 2).float()
    rows = []
    configs = {"paper": ResidualBindConfig(), "released": ResidualBindConfig.released()}
    for name, config in configs.items():
        model = ResidualBind(config)
        model(X[:512])  # batch-norm statistics other than 0 and 1
        models = {"folded": model.eval(), "plain": PlainStack(model).eval()}
        with torch.inference_mode():
            difference = (models["folded"](X) - models["plain"](X)).abs().max().item()
            for batch_size in (32, 100, 256, 1024, N_SEQUENCES):
                times: dict[str, list[float]] = {key: [] for key in models}
                for _ in range(options.repeats):
                    for key, candidate in models.items():
                        times[key].append(seconds(candidate, X, batch_size))
                folded, plain = (statistics.median(times[key]) for key in models)
                rows.append(
                    {
                        "architecture": name,
                        "batch_size": batch_size,
                        "plain_ms": 1000 * plain,
                        "folded_ms": 1000 * folded,
                        "ratio": plain / folded,
                        "max_difference": difference,
                    }
                )
    print(f"{N_SEQUENCES} sequences of 41 nt; {describe_machine()}")
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.3g}".format))


if __name__ == "__main__":
    main()
