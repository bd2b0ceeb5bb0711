"""Is an epoch of `residualbind.train` as fast as a plain DataLoader loop?

    python benchmarks/training_epoch.py [--repeats 5] [--threads 2]

One epoch of 27,000 simulated probes in batches of 100, the paper's architecture,
float32 and bfloat16 autocast; interleaved in one run, medians and ratios.
"""

from __future__ import annotations

import argparse
import statistics
import time

import pandas as pd
import torch
from machine import describe_machine
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from residualbind import ResidualBind, train

N_PROBES, BATCH_SIZE = 27_000, 100


def dataloader_epoch(X: torch.Tensor, y: torch.Tensor, device: str) -> float:
    """Seconds of the loop that a torch tutorial would write."""
    model = ResidualBind().to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    loader = DataLoader(TensorDataset(X, y), batch_size=BATCH_SIZE, shuffle=True)
    start = time.perf_counter()
    for X_batch, y_batch in loader:
        loss = nn.functional.mse_loss(model(X_batch.to(device)), y_batch.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def our_epoch(
    X: torch.Tensor, y: torch.Tensor, device: str, dtype: torch.dtype
) -> float:
    """Seconds of the same epoch, with the validation of 100 probes it also does."""
    options = {"epochs": 1, "batch_size": BATCH_SIZE, "device": device, "dtype": dtype}
    result = train(ResidualBind(), (X, y), (X[:100], y[:100]), **options)
    return result.history["seconds"].item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    letters = torch.randint(4, (N_PROBES, 41))
    X = nn.functional.one_hot(letters, 4).transpose(1, 2).float()
    y = torch.randn(N_PROBES, 1)
    device = options.device
    loops = {
        "DataLoader, float32": lambda: dataloader_epoch(X, y, device),
        "train, float32": lambda: our_epoch(X, y, device, torch.float32),
        "train, bfloat16": lambda: our_epoch(X, y, device, torch.bfloat16),
    }
    times: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(options.repeats):
        for name, loop in loops.items():
            times[name].append(loop())
    reference = statistics.median(times["DataLoader, float32"])
    rows = [
        {
            "loop": name,
            "median_s": statistics.median(values),
            "fastest_s": min(values),
            "slowest_s": max(values),
            "time / DataLoader": statistics.median(values) / reference,
        }
        for name, values in times.items()
    ]
    print(f"{N_PROBES} probes, batch {BATCH_SIZE}; {describe_machine()}")
    print(pd.DataFrame(rows).to_string(index=False, float_format="{:.3g}".format))


if __name__ == "__main__":
    main()
