"""Do the intervals and p values of `statistics.affinity_regression` hold?

    python benchmarks/affinity_regression.py [--repetitions 2000] [--seed 0]

k-mers whose measured values are log-normal, as constants of dissociation are, and whose
effects fall with the logarithm, with normal deviations that give a correlation of 0 or
-0.9. `coverage` is the share of repetitions, in per cent, in which the 95 % interval
holds the truth; `false` how often p < 0.05 where there is no slope.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from interleaved import as_markdown

from tangermeme_gia.statistics import affinity_regression


def measure(n: int, r: float, repetitions: int, seed: int) -> dict[str, object]:
    """Coverage for so many k-mers and such a correlation."""
    rng = np.random.default_rng([seed, n])
    # Of two normal numbers; few ranks have the same mean to a part in a thousand.
    ranks = 6 / np.pi * np.arcsin(r / 2)
    truths = {"slope": r, "pearson": r, "spearman": ranks}
    held = dict.fromkeys(truths, 0)
    told = dict.fromkeys(truths, 0)
    found = 0
    names = [f"K{i}" for i in range(n)]
    for _ in range(repetitions):
        x = rng.standard_normal(n)
        y = r * x + np.sqrt(1 - r * r) * rng.standard_normal(n)
        table = pd.DataFrame({"kmer": names, "effect": y})
        fit = affinity_regression(table, pd.Series(np.exp(x), names), log=True)
        found += fit.p < 0.05
        for name, truth in truths.items():
            interval = getattr(fit, name)
            told[name] += bool(np.isfinite(interval.low))
            held[name] += bool(interval.low <= truth <= interval.high)
    rates = {
        f"{name}, coverage": f"{100 * k / told[name]:.1f}" if told[name] else "none"
        for name, k in held.items()
    }
    false = f"{100 * found / repetitions:.1f}" if r == 0 else ""
    return {"k-mers": n, "correlation": r, **rates, "false": false}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rows = [
        measure(n, r, arguments.repetitions, arguments.seed)
        for n in (4, 7, 20)
        for r in (0.0, -0.9)
    ]
    error = 100 * np.sqrt(0.05 * 0.95 / arguments.repetitions)
    print(
        "`python benchmarks/affinity_regression.py --repetitions "
        f"{arguments.repetitions}`: 95 % is known to {2 * error:.1f} points.\n"
    )
    print(as_markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
