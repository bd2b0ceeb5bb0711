"""Does a random word have a uniform percentile in `statistics.effect_null`?

    python benchmarks/nulls.py [--repetitions 500] [--seed 0]

Each repetition places one random word as the "motif", and n others as random controls,
on the same backgrounds. True effects of words are drawn from a shape: normal; 0 for
90 % and exponential else; of t with 3 degrees of freedom; -1, 0 or 1; or normal on
backgrounds of which five share a template. On each background the effect of all words
is multiplied by the same normal number (mean 1, standard deviation 0.5; that of the
template where there are such), and "measured with error" adds to each word's effect on
each background a normal number of three times the standard deviation of true effects.

In per cent of repetitions: percentiles of at most 5 and at least 95, which should be 5,
or less where ties leave no such percentile; words above all others (expected: 100 over
n + 1); and 95 % intervals over words that hold the percentile among 20,000 words on the
same backgrounds; and intervals of `to_frame`, over words and backgrounds, that hold the
percentile of the true effect among true effects. An interval holds where it reaches
into the block of words that are tied with the effect. The mean percentile should be 50.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from interleaved import as_markdown
from numpy.typing import NDArray

from tangermeme_gia import GIAResult
from tangermeme_gia.statistics import FewEffectsWarning, effect_null

Values = NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Values]

SHAPES: dict[str, Draw] = {
    "normal": lambda rng, n: rng.standard_normal(n),
    "0 for 90 %": lambda rng, n: np.where(
        rng.random(n) < 0.9, 0, rng.exponential(1, n)
    ),
    "heavy tails": lambda rng, n: rng.standard_t(3, n),
    "-1, 0 or 1": lambda rng, n: rng.integers(-1, 2, n).astype(float),
    "templates": lambda rng, n: rng.standard_normal(n),
}
N_BACKGROUNDS, OF_A_TEMPLATE, POPULATION = 50, 5, 20_000
# Of the true effects' standard deviation, that of the error on a background.
ERRORS = {"exactly": 0.0, "with error": 3.0}
NUMBERS = (100, 500)


def gains(shape: str, rng: np.random.Generator) -> Values:
    """What multiplies all effects on each background."""
    if shape == "templates":
        drawn = rng.normal(1, 0.5, N_BACKGROUNDS // OF_A_TEMPLATE)
        return np.repeat(drawn, OF_A_TEMPLATE)
    return rng.normal(1, 0.5, N_BACKGROUNDS)


def as_result(local: Values, shape: str) -> GIAResult:
    """The motif first, then its controls."""
    n = local.shape[1] - 1
    table = pd.DataFrame(
        {
            "motif": "GATA",
            "control": ["none", *(f"random {i + 1}" for i in range(n))],
            "control_letters": ["", *n * ["ACGT"]],
        }
    )
    clusters = np.arange(N_BACKGROUNDS) // OF_A_TEMPLATE
    return GIAResult(
        torch.zeros(N_BACKGROUNDS, 1, dtype=torch.float64),
        torch.from_numpy(local)[..., None],
        table,
        clusters=clusters.tolist() if shape == "templates" else None,
    )


def block(effect: float, words: Values) -> tuple[float, float]:
    """Per cent of words below an effect, and below it or tied with it."""
    tie = 1e-6 * np.abs(words).max()
    ends = (words < effect - tie).mean(), (words <= effect + tie).mean()
    return 100 * float(ends[0]), 100 * float(ends[1])


def repeat(shape: str, error: float, n: int, rng: np.random.Generator) -> Values:
    """Percentile, above all or not, and whether the interval holds either truth."""
    spread = SHAPES[shape](rng, POPULATION).std()
    true = SHAPES[shape](rng, n + 1)
    gain = gains(shape, rng)
    noise = error * spread * rng.standard_normal((N_BACKGROUNDS, n + 1))
    null = effect_null(as_result(gain[:, None] * true + noise, shape))
    row = null.to_frame().iloc[0]
    standing = null.place(row["effect"])
    everyone = SHAPES[shape](rng, POPULATION)
    scatter = error * spread / np.sqrt(N_BACKGROUNDS)
    measured = gain.mean() * everyone + scatter * rng.standard_normal(POPULATION)
    held = [
        ends[0] <= high and low <= ends[1]
        for ends, (low, high) in (
            ((standing.low, standing.high), block(row["effect"], measured)),
            (
                (row["percentile_low"], row["percentile_high"]),
                block(true[0], everyone),
            ),
        )
    ]
    above = standing.n_below == standing.n_words
    return np.array([standing.percentile, above, *held], float)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    # Words without any effect are among those that are simulated.
    warnings.simplefilter("ignore", FewEffectsWarning)
    rows = []
    for i, shape in enumerate(SHAPES):
        for j, (measured, error) in enumerate(ERRORS.items()):
            for n in NUMBERS:
                rng = np.random.default_rng([given.seed, i, j, n])
                found = np.stack(
                    [repeat(shape, error, n, rng) for _ in range(given.repetitions)]
                )
                place = found[:, 0]
                rows.append(
                    {
                        "effects of words": shape,
                        "measured": measured,
                        "words": n,
                        "mean percentile": place.mean(),
                        "at most 5": 100 * (place <= 5).mean(),
                        "at least 95": 100 * (place >= 95).mean(),
                        "above all": 100 * found[:, 1].mean(),
                        "expected": 100 / (n + 1),
                        "holds it": 100 * found[:, 2].mean(),
                        "holds the true one": 100 * found[:, 3].mean(),
                    }
                )
    print(as_markdown(pd.DataFrame(rows).round(1)))


if __name__ == "__main__":
    main()
