"""What is gained by computing only what a condition changes, and what it costs.

Whole experiments, with the comparisons and trials that they make, with reuse and
without, in turns; DNA models of the field's shapes with random weights. Run from the
root: `python benchmarks/reuse.py` (a quarter of an hour on one core).
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from collections.abc import Callable
from typing import Any, NamedTuple

import pandas as pd
import torch
from interleaved import as_markdown, time_in_turns
from machine import describe_machine
from tangermeme.utils import random_one_hot

import residualbind as rb
import tangermeme_gia as gia

nn = torch.nn


class BPNet(nn.Module):
    """Dilated convolutions with residuals, a profile and the counts of its centre."""

    def __init__(self, n_layers: int, trimming: int = 0) -> None:
        super().__init__()
        self.trimming = trimming
        self.first = nn.Conv1d(4, 64, 21, padding=10)
        self.layers = nn.ModuleList(
            nn.Conv1d(64, 64, 3, dilation=2**i, padding=2**i)
            for i in range(1, n_layers + 1)
        )
        self.profile = nn.Conv1d(64, 2, 75, padding=37)
        self.counts = nn.Linear(64, 1)

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        X = torch.relu(self.first(X))
        for layer in self.layers:
            X = torch.add(X, torch.relu(layer(X)))
        if self.trimming:
            X = X[:, :, self.trimming : -self.trimming]
        return self.profile(X), self.counts(X.mean(dim=2))


def basset(length: int) -> nn.Module:
    """Three convolutions with pools, two dense layers."""
    layers: list[nn.Module] = []
    for n_in, n_out, k, pool in ((4, 300, 19, 3), (300, 200, 11, 4), (200, 200, 7, 4)):
        layers += [nn.Conv1d(n_in, n_out, k, padding=k // 2), nn.BatchNorm1d(n_out)]
        layers += [nn.ReLU(), nn.MaxPool1d(pool)]
        length //= pool
    dense = [nn.Linear(200 * length, 1000), nn.ReLU(), nn.Dropout(0.3)]
    return nn.Sequential(*layers, nn.Flatten(), *dense, nn.Linear(1000, 164))


def deepstarr(length: int) -> nn.Module:
    """Four convolutions with pools of two, three dense layers."""
    layers: list[nn.Module] = []
    for n_in, n_out, k in ((4, 256, 7), (256, 60, 3), (60, 60, 5), (60, 120, 3)):
        layers += [nn.Conv1d(n_in, n_out, k, padding="same"), nn.BatchNorm1d(n_out)]
        layers += [nn.ReLU(), nn.MaxPool1d(2)]
        length //= 2
    dense = [nn.Linear(120 * length, 256), nn.BatchNorm1d(256), nn.ReLU()]
    dense += [nn.Linear(256, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 2)]
    return nn.Sequential(*layers, nn.Flatten(), *dense)


class Attention(nn.Module):
    """A convolution, and attention over all places, which a change reaches at once."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(4, 64, 9, padding=4)
        layer = nn.TransformerEncoderLayer(64, 4, 128, 0.0, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.counts = nn.Linear(64, 2)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        h = torch.relu(self.first(X)).transpose(1, 2)
        return self.counts(self.layers(h).mean(dim=1))


class Case(NamedTuple):
    """A model, and what is asked of it on how many backgrounds of which length."""

    name: str
    model: Callable[[], nn.Module]
    task: str
    length: int
    n: int
    target: int


def cases() -> list[Case]:
    """Those of the table."""
    found = []
    for length in (600, 1000):
        for name, make in (("Basset-like", basset), ("DeepSTARR-like", deepstarr)):
            model = lambda make=make, length=length: make(length)  # noqa: E731
            found.append(Case(f"{name}, {length:,} bp", model, "scan", length, 100, 1))
            if length == 600:
                task = "scan of 256"
                found.append(Case(f"{name}, {length} bp", model, task, length, 50, 1))
    eight, nine = lambda: BPNet(8), lambda: BPNet(9, 557)
    for task in ("scan", "scan at the edge", "positions", "spacings", "occlusion"):
        found.append(Case("BPNet, 8 layers, 2,114 bp", eight, task, 2114, 16, 1))
    for task in ("scan", "scan at the edge"):
        found.append(Case("BPNet, 9 layers, trimmed", nine, task, 2114, 16, 1))
    basset_600 = lambda: basset(600)  # noqa: E731
    for task in ("positions", "spacings"):
        found.append(Case("Basset-like, 600 bp", basset_600, task, 600, 50, 1))
    found.append(Case("attention, 200 bp", Attention, "scan", 200, 50, 1))
    found.append(Case("ResidualBind, 41 nt", rb.ResidualBind, "scan", 41, 200, 0))
    return found


def ask(case: Case, model: nn.Module, X: torch.Tensor, reuse: bool | None) -> Any:
    """The experiment of a case."""
    kwargs: dict[str, Any] = {"target": case.target, "reuse": reuse}
    if case.task.startswith("scan"):
        k = 4 if case.task.endswith("256") else 3
        kmers = ["".join(letters) for letters in itertools.product("ACGT", repeat=k)]
        kmers = [f"GA{kmer}T" for kmer in kmers]
        start = 2 if case.task.endswith("edge") else None
        return gia.kmer_scan(model, X, kmers=kmers, start=start, **kwargs).effect
    if case.task == "positions":
        starts = range(0, case.length - 10, case.length // 64)
        return gia.positional_bias(model, X, "TGACTCA", starts, **kwargs).y_afters
    if case.task == "occlusion":
        starts = range(0, case.length - 20, case.length // 64)
        windows = [(start, start + 20) for start in starts]
        return gia.occlusion(model, X, windows, n=2, random_state=0, **kwargs).y_afters
    motifs = ["TGACTCA", "CCACGTGG"]
    spacings = range(0, 120, 4)
    result = gia.motif_spacing(model, X, motifs, spacings, orders="all", **kwargs)
    return result.y_afters


def run(case: Case, repeats: int) -> dict[str, str]:
    """A row of the table."""
    torch.manual_seed(0)
    model = case.model().eval()
    X = random_one_hot((case.n, 4, case.length), random_state=0)
    full, found = (ask(case, model, X, reuse) for reuse in (False, None))
    error = float((found - full).abs().max() / full.std())
    ways = {
        "in full": lambda: ask(case, model, X, False),
        "as by default": lambda: ask(case, model, X, None),
    }
    times = time_in_turns(ways, repeats)
    ratios = [a / b for a, b in zip(*times.values(), strict=True)]
    return {
        "model": case.name,
        "experiment": case.task,
        **{way: f"{statistics.median(t):.2f} s" for way, t in times.items()},
        "times faster": f"{statistics.median(ratios):.1f}",
        "(range)": f"{min(ratios):.1f}-{max(ratios):.1f}",
        "largest error, in sd": f"{error:.0e}",
    }


def report(repeats: int, only: str = "") -> str:
    """The table, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = []
    for case in cases():
        if only in case.name:
            rows.append(run(case, repeats))
            print(rows[-1], flush=True)
    torch.set_num_threads(threads)
    return as_markdown(pd.DataFrame(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="cases whose name has this")
    options = parser.parse_args()
    print(f"{describe_machine()}, one used\n\n{report(options.repeats, options.only)}")


if __name__ == "__main__":
    main()
