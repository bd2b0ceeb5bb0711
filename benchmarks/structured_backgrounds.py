"""Do designed structures fold, and what becomes of the composition of templates?

    python benchmarks/structured_backgrounds.py [--n 1000] [--repeats 3]

Templates are uniform random sequences. Prints the tables of
benchmarks/results/structured_backgrounds.md.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from machine import describe_machine
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia

RNA = ("A", "C", "G", "U")
CLOVERLEAF = (
    "(((((((..((((........)))).(((((.......))))).....(((((.......))))))))))))...."
)
DESIGNS = {
    "stem 6, loop 7": gia.structure.Hairpin(11, 6, 7).dot_bracket(41),
    "stem 8, loop 7": gia.structure.Hairpin(9, 8, 7).dot_bracket(41),
    "released: stem 9, loop 7": gia.structure.Hairpin.released().dot_bracket(41),
    "paper: stem 11, loop 6": gia.structure.Hairpin.paper().dot_bracket(41),
    "two hairpins in a stem, 50 nt": ("((((((..((((....))))..((((.....))))...))))))."),
    "tRNA, 76 nt": CLOVERLEAF,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print(f"{describe_machine()}, viennarna {version('viennarna')}\n")
    compare_folding(options.n)
    print()
    compare_composition(options.n)
    print()
    compare_times(options.n, options.repeats)


def compare_folding(n: int) -> None:
    """The share of each design that folds, and what choosing those does."""
    print(
        "| design | fold | mean pair probability | with G-U at 0.2 "
        "| C + G: stems, rest | of those that fold |"
    )
    print("|---|---|---|---|---|---|")
    for name, design in DESIGNS.items():
        X = random_one_hot((n, 4, len(design)), random_state=0)
        keywords: dict[str, Any] = {"n": n, "alphabet": RNA, "random_state": 0}
        background = gia.backgrounds.structured_background(X, design, **keywords)
        check = gia.structure.folding_check(background, design, alphabet=RNA)
        wobbles = gia.backgrounds.structured_background(
            X, design, wobble_rate=0.2, **keywords
        )
        share = gia.structure.folding_check(wobbles, design, alphabet=RNA).share
        checked = gia.backgrounds.structured_background(
            X, design, fold_check=True, max_draws=100, **keywords
        )
        paired = gia.structure.pair_indices(design).ravel()
        rest = np.setdiff1d(np.arange(len(design)), paired)
        shares = [
            f"{gc(Y[:, :, paired]).mean():.3f}, {gc(Y[:, :, rest]).mean():.3f}"
            for Y in (background, checked)
        ]
        print(
            f"| {name} | {check.share:.3f} | {check.pair_probability.mean():.2f} | "
            f"{share:.3f} | {shares[0]} | {shares[1]} |"
        )


def compare_composition(n: int) -> None:
    """How far the letter counts of each sequence are from those of its template."""
    print(
        "| design | pairs | letters off: balanced | left arms kept | C + G off: both |"
    )
    print("|---|---|---|---|---|")
    for name, design in DESIGNS.items():
        X = random_one_hot((n, 4, len(design)), random_state=0)
        background, rows = gia.backgrounds.structured_background(
            X, design, n=n, random_state=0, return_templates=True
        )
        templates = X[rows]
        pairs = gia.structure.pair_indices(design)
        kept = gia.structure.impose_pairs(templates, pairs)
        off = [distance(Y, templates) for Y in (background, kept)]
        most = [
            np.abs(len(design) * (gc(Y) - gc(templates))).max().round()
            for Y in (background, kept)
        ]
        print(
            f"| {name} | {len(pairs)} | {off[0]:.2f} | {off[1]:.2f} | "
            f"at most {most[0]:.0f}, at most {most[1]:.0f} |"
        )


def compare_times(n: int, repeats: int) -> None:
    """Sequences of 41 nt in a second, by what is asked of them."""
    X = random_one_hot((n, 4, 41), random_state=0)
    design = DESIGNS["stem 8, loop 7"]
    calls: dict[str, Callable[[int], Any]] = {
        "`structured_background`": lambda n_jobs: gia.backgrounds.structured_background(
            X, design, n=n, random_state=0
        ),
        "the same, `fold_check=True`": lambda n_jobs: (
            gia.backgrounds.structured_background(
                X, design, n=n, fold_check=True, n_jobs=n_jobs, random_state=0
            )
        ),
        "`fold`": lambda n_jobs: gia.structure.fold(X, n_jobs=n_jobs),
        "`unpaired_probabilities`": lambda n_jobs: gia.structure.unpaired_probabilities(
            X, n_jobs=n_jobs
        ),
        "`folding_check`": lambda n_jobs: gia.structure.folding_check(
            X, design, n_jobs=n_jobs
        ),
    }
    print("| | one process | two |")
    print("|---|---|---|")
    for name, call in calls.items():
        rates = [
            n / statistics.median(seconds(call, n_jobs) for _ in range(repeats))
            for n_jobs in (1, 2)
        ]
        print(f"| {name} | {rates[0]:,.0f} / s | {rates[1]:,.0f} / s |")


def gc(X: torch.Tensor) -> np.ndarray:
    """The share of C and G in each sequence."""
    return X[:, 1:3].double().sum(dim=(1, 2)).numpy() / X.shape[-1]


def distance(X: torch.Tensor, Y: torch.Tensor) -> float:
    """How many letters of a sequence, on average, are others in the template."""
    off = (X.sum(dim=2).int() - Y.sum(dim=2).int()).abs().sum(dim=1)
    return float(off.double().mean()) / 2


def seconds(call: Callable[[int], Any], n_jobs: int) -> float:
    start = time.perf_counter()
    call(n_jobs)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
