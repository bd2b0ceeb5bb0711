"""Is an epoch of `residualbind.train` faster than a plain DataLoader loop?

    python benchmarks/training_epoch.py [--repeats 5] [--threads 2] [--device cpu]

One epoch of simulated probes in batches of 100, the paper's architecture: the loop that
a torch tutorial would write, over the plain stack of the layers; and `train` in float32
and bfloat16 autocast. In turns in one run, medians and ratios.
"""

from __future__ import annotations

import argparse
import statistics

import pandas as pd
import torch
from interleaved import as_markdown, time_in_turns
from machine import describe_machine
from plain_stack import PlainStack
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from residualbind import ResidualBind, ResidualBindConfig, train

N_PROBES, BATCH_SIZE = 10_000, 100
CONFIGS = {
    "paper": ResidualBindConfig(),
    "released": ResidualBindConfig.released(),
}


def dataloader_epoch(
    config: ResidualBindConfig, X: torch.Tensor, y: torch.Tensor, device: str
) -> None:
    """The loop that a torch tutorial would write."""
    model = PlainStack(ResidualBind(config)).to(device).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    loader = DataLoader(TensorDataset(X, y), batch_size=BATCH_SIZE, shuffle=True)
    for X_batch, y_batch in loader:
        loss = nn.functional.mse_loss(model(X_batch.to(device)), y_batch.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    if device == "cuda":
        torch.cuda.synchronize()


def our_epoch(
    config: ResidualBindConfig,
    X: torch.Tensor,
    y: torch.Tensor,
    device: str,
    dtype: torch.dtype,
) -> None:
    """The same epoch, with the validation of 100 probes and the checks it also does."""
    options = {"epochs": 1, "batch_size": BATCH_SIZE, "device": device, "dtype": dtype}
    train(ResidualBind(config), (X, y), (X[:100], y[:100]), **options)


def measure(repeats: int, device: str = "cpu") -> pd.DataFrame:
    torch.manual_seed(0)
    letters = torch.randint(4, (N_PROBES, 41))
    X = nn.functional.one_hot(letters, 4).transpose(1, 2).float()
    y = torch.randn(N_PROBES, 1)
    rows = []
    for name, config in CONFIGS.items():
        times = time_in_turns(
            {
                "DataLoader loop, float32": lambda c=config: dataloader_epoch(
                    c, X, y, device
                ),
                "`train`, float32": lambda c=config: our_epoch(
                    c, X, y, device, torch.float32
                ),
                "`train`, bfloat16": lambda c=config: our_epoch(
                    c, X, y, device, torch.bfloat16
                ),
            },
            repeats,
        )
        reference = statistics.median(times["DataLoader loop, float32"])
        for loop, values in times.items():
            seconds = statistics.median(values)
            rows.append(
                {
                    "architecture": name,
                    "loop": loop,
                    "seconds": f"{seconds:.2f}",
                    "range": f"{min(values):.2f} to {max(values):.2f}",
                    "as fast as the DataLoader loop": f"{reference / seconds:.2f}",
                }
            )
    return pd.DataFrame(rows)


def report(repeats: int, device: str = "cpu") -> str:
    table = measure(repeats, device)
    return (
        f"{N_PROBES:,} probes, batch {BATCH_SIZE}, on {device}, medians of {repeats}."
        f"\n\n{as_markdown(table)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(describe_machine())
    print(report(options.repeats, options.device))


if __name__ == "__main__":
    main()
