"""Do the intervals of `statistics.affinity_fit` cover, and is saturation false?

    python benchmarks/affinity.py [--repetitions 200] [--seed 0]

Sites of ten levels, five each, whose true effects are a curve of their score and a
deviation of their own (0.1 of the range), on backgrounds that add noise of their own
to each site (0.5 of the range) and share some (0.5). `coverage` is the share of
repetitions, in per cent, in which the 95 % interval holds the truth: the curve at the
25 scores of the fit (the mean over these), the score of saturation, and the rank
correlation, whose truth is that of 2,000 sites of all levels on so many backgrounds.
`saturates` is how often saturation is found.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd
import scipy
import torch
from interleaved import as_markdown
from numpy.typing import NDArray

import tangermeme_gia as gia
from tangermeme_gia.statistics.affinity import affinity_fit

Values = NDArray[np.float64]
LEVELS, SITES, LOWEST, HIGHEST = 10, 5, -10.0, 12.0
DEVIATION, NOISE, SHARED, SHARE = 0.1, 0.5, 0.5, 0.9
CURVES: dict[str, Callable[[Values], Values]] = {
    "flat": lambda score: 0 * score,
    "straight": lambda score: (score - LOWEST) / (HIGHEST - LOWEST),
    "levels off at 2": lambda score: np.clip((score - LOWEST) / (2 - LOWEST), 0, 1),
    "sigmoid at 0": lambda score: scipy.special.expit(score),
}


def scores(n_sites: int, rng: np.random.Generator) -> tuple[Values, NDArray[np.int64]]:
    level = np.repeat(np.arange(LEVELS), n_sites)
    step = (HIGHEST - LOWEST) / (LEVELS - 1)
    near = LOWEST + step * level + rng.uniform(-step / 4, step / 4, len(level))
    return np.clip(near, LOWEST, HIGHEST), level


def draw(
    curve: Callable[[Values], Values], n: int, rng: np.random.Generator
) -> gia.GIAResult:
    score, level = scores(SITES, rng)
    effect = curve(score) + DEVIATION * rng.standard_normal(len(score))
    noise = NOISE * rng.standard_normal((n, len(score)))
    local = effect + noise + SHARED * rng.standard_normal((n, 1))
    table = pd.DataFrame({"site": range(len(score)), "score": score, "level": level})
    before = torch.zeros(n, 1)
    return gia.GIAResult(before, torch.from_numpy(local)[:, :, None], table)


def true_rank(
    curve: Callable[[Values], Values], n: int, rng: np.random.Generator
) -> float:
    score, _ = scores(2000 // LEVELS, rng)
    spread = np.hypot(DEVIATION, NOISE / np.sqrt(n))
    effect = curve(score) + spread * rng.standard_normal(len(score))
    return float(scipy.stats.spearmanr(score, effect).statistic)


def true_saturation(curve: Callable[[Values], Values]) -> float:
    grid = np.linspace(LOWEST, HIGHEST, 20_001)
    way = curve(grid) - curve(grid[:1])
    return float(grid[np.argmax(way >= SHARE * way[-1])])


def measure(name: str, n: int, repetitions: int, seed: int) -> dict[str, str]:
    curve, rng = CURVES[name], np.random.default_rng([seed, n, len(name)])
    rank, truth = true_rank(curve, n, rng), true_saturation(curve)
    held: list[tuple[float, ...]] = []
    for _ in range(repetitions):
        fit = affinity_fit(draw(curve, n, rng), n_resamples=199)
        expected = curve(fit.curve["score"].to_numpy())
        inside = (fit.curve["low"] <= expected) & (expected <= fit.curve["high"])
        held.append(
            (
                inside.mean(),
                fit.saturation_low <= truth <= fit.saturation_high,
                fit.spearman.low <= rank <= fit.spearman.high,
                fit.saturates,
            )
        )
    rates = [f"{100 * rate:.1f}" for rate in np.mean(held, axis=0)]
    if name == "flat":
        rates[1] = ""
    return {
        "response": name,
        "backgrounds": str(n),
        "curve, coverage": rates[0],
        "saturation, coverage": rates[1],
        "Spearman, coverage": rates[2],
        "saturates": rates[3],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = [
        measure(name, n, options.repetitions, options.seed)
        for name in CURVES
        for n in (50, 200)
    ]
    print(f"{options.repetitions} repetitions of each; 199 resamples.\n")
    print(as_markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
