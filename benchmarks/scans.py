"""Is a k-mer scan faster than a loop over tangermeme's `marginalize`, and by how much?

    python benchmarks/scans.py [--repeats 5] [--threads 2]

All 6-mers at one position of 1,000 profile backgrounds, for each bundled model. In
turns in one run: the loop over `marginalize` on some k-mers, with the model and with
the plain stack of its layers; the bare forward passes of the sequences of some k-mers;
the exhaustive scan of these; the race for the ten best of all; and a matrix product.
"""

from __future__ import annotations

import argparse
import statistics

import numpy as np
import pandas as pd
import torch
from interleaved import as_markdown, time_in_turns
from machine import describe_machine
from plain_stack import PlainStack
from tangermeme.marginalize import marginalize
from torch.utils.flop_counter import FlopCounterMode

import residualbind as rb
import tangermeme_gia as gia
from tangermeme_gia._core.letters import RNA
from tangermeme_gia.kmers.codes import all_kmers

MODELS = ("A1CF", "ANKHD1")
K, START, N = 6, 17, 1000
TOP = 10
N_LOOPED, N_SCANNED = 8, 64  # k-mers that are timed, of 4,096
BATCH = 256  # of the loop and the bare forward passes
SIZE, PRODUCTS = 1024, 20  # of the matrix product


def measure(repeats: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Times per k-mer of the exhaustive scan, and of whole races, by model."""
    scans, races = zip(*(measure_model(name, repeats) for name in MODELS), strict=True)
    return pd.DataFrame(scans), pd.DataFrame(races)


def measure_model(name: str, repeats: int) -> tuple[dict[str, str], dict[str, str]]:
    model = rb.load_pretrained(name)
    X = gia.backgrounds.profile_background(rb.load_profile(name), n=N, random_state=0)
    kmers = np.random.default_rng(0).choice(all_kmers(K, RNA), N_SCANNED, False)
    kmers = kmers.tolist()
    sequences = torch.cat([gia.place(X, [(kmer, START)], RNA) for kmer in kmers])
    sequences = sequences.float()
    matrices = torch.randn(2, SIZE, SIZE)
    plain = PlainStack(model).eval()
    options = {"start": START, "alphabet": RNA, "device": "cpu"}
    found = []

    def race() -> None:
        found.append(
            gia.best_kmers(
                model,
                X,
                K,
                top=TOP,
                random_state=len(found),
                **options,
            )
        )

    times = time_in_turns(
        {
            "loop": lambda: loop(model, X, kmers[:N_LOOPED]),
            "plain loop": lambda: loop(plain, X, kmers[:N_LOOPED]),
            "forward": lambda: forward(model, sequences),
            "scan": lambda: gia.kmer_scan(model, X, kmers=kmers, **options),
            "race": race,
            "product": lambda: [matrices[0] @ matrices[1] for _ in range(PRODUCTS)],
        },
        repeats,
    )
    seconds = {way: statistics.median(values) for way, values in times.items()}
    per_kmer = {
        "loop": seconds["loop"] / N_LOOPED,
        "plain loop": seconds["plain loop"] / N_LOOPED,
        "forward": seconds["forward"] / N_SCANNED,
        "scan": seconds["scan"] / N_SCANNED,
    }
    flops = count_flops(model, X[:1].float()) * len(sequences)
    scan = {
        "model": name,
        **{f"{way}, ms": f"{1000 * value:.1f}" for way, value in per_kmer.items()},
        "scan / forward": f"{per_kmer['scan'] / per_kmer['forward']:.3f}",
        "loop / scan": f"{per_kmer['loop'] / per_kmer['scan']:.2f}",
        "plain loop / scan": f"{per_kmer['plain loop'] / per_kmer['scan']:.2f}",
        "forward, GFLOP/s": f"{flops / seconds['forward'] / 1e9:.0f}",
        "product, GFLOP/s": f"{2 * SIZE**3 * PRODUCTS / seconds['product'] / 1e9:.0f}",
        "largest difference": f"{difference(model, X, kmers[:N_LOOPED]):.1e}",
    }
    n_kmers = len(RNA) ** K
    shares = [race.n_predictions / race.n_exhaustive for race in found]
    race_row = {
        "model": name,
        "race, s": f"{seconds['race']:.2f}",
        "share of predictions": f"{statistics.median(shares):.2%}",
        "loop, all, s": f"{per_kmer['loop'] * n_kmers:.0f}",
        "loop / race": f"{per_kmer['loop'] * n_kmers / seconds['race']:.0f}",
        "plain loop, all, s": f"{per_kmer['plain loop'] * n_kmers:.0f}",
        "plain loop / race": (
            f"{per_kmer['plain loop'] * n_kmers / seconds['race']:.0f}"
        ),
        "scan, all, s": f"{per_kmer['scan'] * n_kmers:.0f}",
    }
    return scan, race_row


def loop(
    model: torch.nn.Module, X: torch.Tensor, kmers: list[str]
) -> list[torch.Tensor]:
    """Mean effects as a user gets them from tangermeme, which reads T for U."""
    effects = []
    for kmer in kmers:
        before, after = marginalize(
            model,
            X,
            kmer.replace("U", "T"),
            start=START,
            batch_size=BATCH,
            device="cpu",
        )
        effects.append((after - before).mean(dim=0))
    return effects


def difference(model: torch.nn.Module, X: torch.Tensor, kmers: list[str]) -> float:
    """The largest between the effects by the loop and by the scan."""
    scan = gia.kmer_scan(model, X, kmers=kmers, start=START, alphabet=RNA, device="cpu")
    return float((torch.stack(loop(model, X, kmers)) - scan.effect).abs().max())


def forward(model: torch.nn.Module, sequences: torch.Tensor) -> None:
    with torch.inference_mode():
        for batch in sequences.split(BATCH):
            model(batch)


def count_flops(model: torch.nn.Module, X: torch.Tensor) -> int:
    """Of the convolutions and products of one sequence."""
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        PlainStack(model).eval()(X)
    return int(counter.get_total_flops())


def report(repeats: int) -> str:
    scans, races = measure(repeats)
    return (
        f"Times per k-mer on {N:,} backgrounds, medians of {repeats} rounds. The loop "
        f"runs {N_LOOPED} k-mers, scan and forward passes {N_SCANNED}; races run all "
        f"{len(RNA) ** K:,}, and the loop's time for all is extrapolated.\n\n"
        f"{as_markdown(scans)}\n\n{as_markdown(races)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(describe_machine())
    print(report(options.repeats))


if __name__ == "__main__":
    main()
