"""Does `variance_components` find known variances, and do intervals over both cover?

    python benchmarks/components.py [--repetitions 5000] [--seed 0]

Models crossed with backgrounds: an effect is 3, plus a number of the model, one of the
background (or of its template, five backgrounds each) and one of both, each normal, or
skewed (exponential less its mean), with the standard deviations of a row. `found` are
roots of the mean variances that come back. `too low` and `too high` are the 95 %
intervals of `Comparison.summary`, over models and backgrounds, that lie below or above
3, in per cent, and `fixed models` the intervals over backgrounds alone (of the mean of
the models) that miss it.
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

from tangermeme_gia import GIAResult
from tangermeme_gia.statistics import variance_components
from tangermeme_gia.statistics.comparisons import Comparison

Draw = Callable[[np.random.Generator, tuple[int, ...]], NDArray[np.float64]]
SHAPES: dict[str, tuple[Draw, int]] = {
    "normal": (lambda rng, shape: rng.standard_normal(shape), 1),
    "skewed": (lambda rng, shape: rng.exponential(1, shape) - 1, 1),
    "templates": (lambda rng, shape: rng.standard_normal(shape), 5),
}
SDS = ((1.0, 0.5, 0.5), (0.3, 3.0, 3.0), (0.1, 3.0, 1.0))
MODELS, N, TRUTH = (2, 3, 5, 10), 50, 3.0


def simulate(
    shape: str, models: int, sds: tuple[float, ...], n: int, rng: np.random.Generator
) -> tuple[Comparison, NDArray[np.float64]]:
    """Repetitions are conditions; the mean over models on each background beside it."""
    draw, size = SHAPES[shape]
    units = N // size
    local = TRUTH + sds[0] * draw(rng, (models, 1, n))
    local = local + sds[1] * draw(rng, (1, units, n))
    local = local + sds[2] * draw(rng, (models, units, n))
    rows = np.repeat(local, size, axis=1)
    labels = np.arange(N) // size if size > 1 else None
    table = pd.DataFrame({"repetition": range(n)})
    before = torch.zeros(N, 1, dtype=torch.float64)
    results = {
        str(i): GIAResult(
            before, torch.from_numpy(each)[..., None], table, clusters=labels
        )
        for i, each in enumerate(rows)
    }
    return Comparison(results, "model"), local.mean(axis=0)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rows = []
    for i, shape in enumerate(SHAPES):
        for sds in SDS:
            for models in MODELS:
                rng = np.random.default_rng([given.seed, i, models])
                compared, means = simulate(shape, models, sds, given.repetitions, rng)
                summary, split = compared.summary(), variance_components(compared)
                squares = split.assign(square=split["sd"] ** 2)
                found = squares.groupby("component", sort=False)["square"].mean() ** 0.5
                t = scipy.stats.t.ppf(0.975, len(means) - 1)
                half = t * means.std(axis=0, ddof=1) / np.sqrt(len(means))
                alone = np.abs(means.mean(axis=0) - TRUTH) > half
                rows.append(
                    {
                        "effects": shape,
                        "models": models,
                        "of models, backgrounds, both": ", ".join(map(str, sds)),
                        "found": ", ".join(f"{sd:.2f}" for sd in found),
                        "too low": f"{100 * (summary['high'] < TRUTH).mean():.1f}",
                        "too high": f"{100 * (summary['low'] > TRUTH).mean():.1f}",
                        "fixed models": f"{100 * alone.mean():.1f}",
                    }
                )
    print(as_markdown(pd.DataFrame(rows)))


if __name__ == "__main__":
    main()
