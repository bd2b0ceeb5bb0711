"""Do the intervals of `statistics.affinity_fit` cover, and is saturation false?

    python benchmarks/affinity.py [--repetitions 200] [--seed 0]

Sites as `affinity_response` makes them: levels of equal steps, the highest of one site;
8 sites (levels of one), 21 and 61 (levels of five), on 50, 200 and 1,000 backgrounds.
The true effect of a site is a curve of its score and a deviation of its own (0.1 of the
range). Effects of a background add noise to that: normal (of each site 0.5, shared by
all sites 0.5), of t with 3 degrees of freedom, on a fifth of the backgrounds only and
there five times as large, or shared by five backgrounds of the same template; in
"deviation grows" the deviation of a site is twice the curve times as large.

Rates are in per cent of repetitions, the mean over all numbers of sites and backgrounds
and the lowest of these nine. `given` is how often a score of saturation is told, and
`coverage` how often its 95 % interval then holds the truth; that of the rank
correlation is of forty times as many sites of the same levels. `saturates` is how often
saturation is found, for each number of sites. The second table is of the fitted curve
at its 25 scores.
"""

from __future__ import annotations

import argparse
import itertools
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
Codes = NDArray[np.int64]
LOWEST, HIGHEST, DEVIATION, SHARE = -10.0, 12.0, 0.1, 0.9
DESIGNS = {8: (8, 1), 21: (5, 5), 61: (13, 5)}  # sites: levels, sites of a level
BACKGROUNDS = (50, 200, 1000)
CURVES: dict[str, Callable[[Values], Values]] = {
    "flat": lambda score: 0 * score,
    "straight": lambda score: (score - LOWEST) / (HIGHEST - LOWEST),
    "levels off at 2": lambda score: np.clip((score - LOWEST) / (2 - LOWEST), 0, 1),
    "sigmoid at 0": lambda score: scipy.special.expit(score),
    "step at 1.7": lambda score: np.where(score > 1.7, 1.0, 0.0),
}
GROWS = "deviation grows"
EFFECTS = ("normal", "heavy tails", "rare", "templates", GROWS)


def scores(n_sites: int, times: int, rng: np.random.Generator) -> tuple[Values, Codes]:
    """Scores and levels of a design, with so many sites for each of its own."""
    n_levels, n_each = DESIGNS[n_sites]
    size = np.full(n_levels, n_each * times)
    size[-1] = times
    level = np.repeat(np.arange(n_levels), size)
    step = (HIGHEST - LOWEST) / (n_levels - 1)
    score = LOWEST + step * level + rng.uniform(-step / 4, step / 4, len(level))
    score[level == n_levels - 1] = HIGHEST
    return np.maximum(score, LOWEST), level


def draw(
    curve: str,
    effects: str,
    n_sites: int,
    n: int,
    rng: np.random.Generator,
    times: int = 1,
) -> gia.GIAResult:
    score, level = scores(n_sites, times, rng)
    truth = CURVES[curve](score)
    deviation = DEVIATION * rng.standard_normal(len(score))
    deviation *= 2 * truth if effects == GROWS else 1
    effect, shape, clusters = truth + deviation, (n, len(score)), None
    if effects == "heavy tails":
        noise = rng.standard_t(3, shape) + rng.standard_t(3, (n, 1))
        local = effect + 0.5 / np.sqrt(3) * noise
    elif effects == "rare":
        acts = (rng.random((n, 1)) < 0.2) / 0.2
        local = acts * (effect + 0.25 * rng.standard_normal(shape))
    else:
        noise = rng.standard_normal(shape) + rng.standard_normal((n, 1))
        local = effect + 0.5 * noise
    if effects == "templates":
        clusters = np.arange(n) // 5
        local = local + 0.4 * rng.standard_normal((n // 5, len(score)))[clusters]
    table = pd.DataFrame({"site": range(len(score)), "score": score, "level": level})
    after = torch.from_numpy(local)[:, :, None]
    return gia.GIAResult(torch.zeros(n, 1), after, table, clusters=clusters)


def true_rank(
    curve: str, effects: str, n_sites: int, n: int, rng: np.random.Generator
) -> float:
    found = []
    for _ in range(5):
        result = draw(curve, effects, n_sites, n, rng, times=40)
        effect = result.local_importance.mean(dim=0)[:, 0].numpy()
        score = result.conditions["score"]
        found.append(scipy.stats.spearmanr(score, effect).statistic)
    return float(np.mean(found))


def true_saturation(curve: str, score: Values) -> float:
    """From the mean of the lowest eighth of the sites to that of the highest."""
    at, width = np.sort(score), max(3, round(len(score) / 8))
    ends = [CURVES[curve](at[part]).mean() for part in (np.s_[:width], np.s_[-width:])]
    grid = np.linspace(LOWEST, HIGHEST, 20_001)
    reached = CURVES[curve](grid) >= (1 - SHARE) * ends[0] + SHARE * ends[1] - 1e-12
    return float(grid[np.argmax(reached)])


def rates(
    curve: str, effects: str, n_sites: int, n: int, repetitions: int, seed: int
) -> dict[str, float]:
    words = (list(CURVES).index(curve), EFFECTS.index(effects))
    rng = np.random.default_rng([seed, n, n_sites, *words])
    rank = true_rank(curve, effects, n_sites, n, rng)
    rows = []
    for _ in range(repetitions):
        result = draw(curve, effects, n_sites, n, rng)
        # The bootstrap is of the curve alone.
        fit = affinity_fit(result, n_resamples=2)
        truth = true_saturation(curve, result.conditions["score"].to_numpy())
        given, slack = bool(np.isfinite(fit.saturation)), 1e-3
        inside = fit.saturation_low - slack <= truth <= fit.saturation_high + slack
        rows.append(
            {
                "given": given,
                "coverage": inside if given and curve != "flat" else np.nan,
                "Spearman": fit.spearman.low <= rank <= fit.spearman.high,
                "saturates": fit.saturates,
            }
        )
    told = pd.DataFrame(rows).astype(float).mean()
    return {"sites": n_sites, **(100 * told).to_dict()}


def measure(curve: str, effects: str, repetitions: int, seed: int) -> dict[str, str]:
    cells = pd.DataFrame(
        [
            rates(curve, effects, n_sites, n, repetitions, seed)
            for n_sites, n in itertools.product(DESIGNS, BACKGROUNDS)
        ]
    )
    row = {"response": curve, "effects": effects}
    row["given"] = f"{cells['given'].mean():.1f}"
    for name in ("coverage", "Spearman"):
        mean, lowest = cells[name].mean(), cells[name].min()
        row[name] = "" if np.isnan(mean) else f"{mean:.1f}"
        row[f"{name}, lowest"] = "" if np.isnan(mean) else f"{lowest:.1f}"
    found = cells.groupby("sites")["saturates"].mean()
    row["saturates"] = ", ".join(f"{rate:.1f}" for rate in found)
    print(row, flush=True)
    return row


def curve_coverage(curve: str, n: int, repetitions: int, seed: int) -> dict[str, str]:
    rng = np.random.default_rng([seed, n, len(curve)])
    held = []
    for _ in range(repetitions):
        fit = affinity_fit(draw(curve, "normal", 61, n, rng), n_resamples=199)
        expected = CURVES[curve](fit.curve["score"].to_numpy())
        inside = (fit.curve["low"] <= expected) & (expected <= fit.curve["high"])
        held.append(inside.mean())
    rate = f"{100 * np.mean(held):.1f}"
    return {"response": curve, "backgrounds": str(n), "curve, coverage": rate}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    repetitions, seed = options.repetitions, options.seed
    pairs = list(itertools.product(CURVES, EFFECTS))
    rows = [measure(*pair, repetitions, seed) for pair in pairs]
    few = max(repetitions // 5, 1)
    curves = [
        curve_coverage(curve, n, few, seed) for curve in CURVES for n in (50, 200)
    ]
    print(f"\n{repetitions} repetitions of each of nine cells in a row.\n")
    print(as_markdown(pd.DataFrame(rows)))
    print(f"\nThe curve, 61 sites, normal effects, {few} repetitions, 199 resamples.\n")
    print(as_markdown(pd.DataFrame(curves)))


if __name__ == "__main__":
    main()
