"""Does `statistics.latent_contrast` tell interaction from saturation?

    python benchmarks/latent.py [--repetitions 200] [--seed 0] [--resamples 99]

Each repetition is a model and a design of its own. Latent values: A is worth 1 to 3
standard deviations of the backgrounds, B and C 0.6 to 1.4 times that (C lowers in half
of them), grades lie between 0 and full at uneven steps, and a constant puts backgrounds
0.5 to 3 standard deviations below 0. The output is a readout of the sum of all and of
the background. Backgrounds: normal; of t with 3 degrees of freedom; 0 in 80 % and
exponential else; or five of each template. Effects: the same on every background; or
varying, by a normal number of standard deviation 0.5 for each background and cell.

First table: nothing is planted; rates of verdicts, and of intervals that hold 0, in per
cent of repetitions, the means over both numbers of backgrounds (50 and 200) and, for
*survives*, the highest of the two. Second and third: an interaction is planted, in
units of A; rates of *survives* with the right sign, of the wrong sign, of *not
identifiable*, and of intervals, where there is one, that hold the truth. Fourth: what
the method does not assume; `order broken` is how often the checks say so.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import scipy
import torch
from interleaved import as_markdown
from numpy.typing import NDArray

import tangermeme_gia as gia
from tangermeme_gia.statistics.latent import latent_contrast

Values = NDArray[np.float64]
READOUTS: dict[str, Callable[[Values], Values]] = {
    "sigmoid": scipy.special.expit,
    "ReLU": lambda x: np.maximum(x, 0),
    "softplus": lambda x: np.logaddexp(0, x),
    "exponential": np.exp,
    "linear": lambda x: x,
}
BACKGROUNDS = ("normal", "heavy tails", "zeros", "templates")
EFFECTS = {"same": 0.0, "varying": 0.5}
GRIDS = ((3, 3, 3), (4, 4, 3), (5, 5, 4), (7, 7, 5))
NUMBERS = (50, 200, 1000)
PLANTED = (-0.5, -0.25, 0.25, 0.5)
# What is not additive on any scale, or not as planted above.
GRADED = "graded interaction of 0.5"
BROKEN = (
    "A acts on half of the backgrounds",
    "A's effect varies twice as much as others'",
    "C counts for half where A is at full strength",
)


class Truth(NamedTuple):
    """What is simulated, and how the link is fitted; C is worth `reach` times more."""

    readout: str = "sigmoid"
    background: str = "normal"
    effects: str = "same"
    planted: float = 0.0
    broken: str = ""
    reach: float = 1.0
    fitted: Literal["graded", "alone"] = "graded"


def draw_backgrounds(
    kind: str, n: int, rng: np.random.Generator
) -> tuple[Values, Values | None]:
    if kind == "heavy tails":
        return rng.standard_t(3, n) / np.sqrt(3), None
    if kind == "zeros":
        return np.where(rng.random(n) < 0.8, 0, rng.exponential(2, n)), None
    if kind == "templates":
        code = np.arange(n) // 5
        return rng.normal(0, 0.8, n)[code] + rng.normal(0, 0.6, n), code
    return rng.normal(0, 1, n), None


def draw(
    truth: Truth, n: int, grid: tuple[int, ...], rng: np.random.Generator
) -> gia.GIAResult:
    size = rng.uniform(1, 3) * np.array([1, *rng.uniform(0.6, 1.4, 2)])
    size[2] *= truth.reach * rng.choice([-1, 1])
    levels = np.array(list(np.ndindex(*grid)))
    parts = []
    for factor, k in enumerate(grid):
        steps = np.arange(k) / (k - 1)
        steps[1:-1] += rng.uniform(-0.4, 0.4, k - 2) / (k - 1)
        parts.append((steps * size[factor])[levels[:, factor]])
    a, b, c = parts
    both = (levels[:, :2] == np.array(grid[:2]) - 1).all(axis=1)
    background, clusters = draw_backgrounds(truth.background, n, rng)
    cells = a + b + c + truth.planted * size[0] * both
    if truth.broken == GRADED:
        cells = cells + 0.5 * size[0] * (a / size[0]) * (b / size[1])
    if truth.broken == BROKEN[2]:
        cells = cells - 0.5 * c * (levels[:, 0] == grid[0] - 1)
    latent = background[:, None] + cells - rng.uniform(0.5, 3)
    if truth.broken == BROKEN[0]:
        latent -= a * (rng.random((n, 1)) < 0.5)
    if truth.broken == BROKEN[1]:
        latent += 0.5 * a * rng.standard_normal((n, 1))
    latent += EFFECTS[truth.effects] * rng.standard_normal(latent.shape)
    table = pd.DataFrame(levels, columns=["level_a", "level_b", "level_c"])
    y = torch.from_numpy(READOUTS[truth.readout](latent))[:, :, None]
    return gia.GIAResult(torch.zeros(n, 1), y, table, clusters=clusters)


def measure(
    truth: Truth, n: int, grid: tuple[int, ...], options: argparse.Namespace
) -> dict[str, float]:
    key = [ord(x) for x in f"{truth}{n}{grid}"]
    rng = np.random.default_rng([options.seed, *key])
    rows = []
    for _ in range(options.repetitions):
        result = draw(truth, n, grid, rng)
        found = latent_contrast(
            result, fitted=truth.fitted, n_resamples=options.resamples
        )
        low, high = float(found.latent.low), float(found.latent.high)
        given = np.isfinite(low)
        survives = found.verdict == "survives"
        right = (low > 0) if truth.planted > 0 else (high < 0)
        rows.append(
            {
                **{v: found.verdict == v for v in VERDICTS},
                "right": survives and right,
                "wrong": survives and not right,
                "holds": low <= truth.planted <= high if given else np.nan,
                "estimate": float(found.latent.effect),
                "order": found.checks["p"].min() * len(found.checks) < 0.05,
                "misfit": found.misfit,
            }
        )
    table = pd.DataFrame(rows).astype(float)
    rates = 100 * table.drop(columns=["estimate", "misfit"]).mean()
    return {**rates, **table[["estimate", "misfit"]].median()}


VERDICTS = ("survives", "explained by saturation", "adds up", "not identifiable")


def nothing_planted(options: argparse.Namespace) -> pd.DataFrame:
    rows = []
    for key in itertools.product(READOUTS, BACKGROUNDS, EFFECTS):
        told = pd.DataFrame(
            [measure(Truth(*key), n, (5, 5, 4), options) for n in (50, 200)]
        )
        row = dict(zip(("readout", "backgrounds", "effects"), key, strict=True))
        row |= {name: f"{told[name].mean():.1f}" for name in VERDICTS}
        row["survives, highest"] = f"{told['survives'].max():.1f}"
        row["interval holds 0"] = f"{told['holds'].mean():.1f}"
        row["order broken"] = f"{told['order'].mean():.1f}"
        print(row, flush=True)
        rows.append(row)
    return pd.DataFrame(rows)


def told(name: dict[str, str], found: dict[str, float]) -> dict[str, str]:
    words = {"right": "right sign", "wrong": "wrong sign"}
    words |= {"not identifiable": "not identifiable", "holds": "interval holds it"}
    row = {**name, **{word: f"{found[key]:.1f}" for key, word in words.items()}}
    row["median estimate"] = f"{found['estimate']:.2f}"
    print(row, flush=True)
    return row


def planted(options: argparse.Namespace) -> pd.DataFrame:
    cases = [(g, n, "varying") for g in GRIDS for n in NUMBERS]
    cases += [((5, 5, 4), n, "same") for n in NUMBERS]
    rows = []
    for (grid, n, effects), size in itertools.product(cases, PLANTED):
        truth = Truth(effects=effects, planted=size)
        name = {"grid": " x ".join(map(str, grid)), "backgrounds": str(n)}
        name |= {"effects": effects, "planted": f"{size:+.2f}"}
        rows.append(told(name, measure(truth, n, grid, options)))
    return pd.DataFrame(rows)


def by_readout(options: argparse.Namespace) -> pd.DataFrame:
    rows = []
    for readout, size in itertools.product(READOUTS, (-0.5, 0.5)):
        truth = Truth(readout, effects="varying", planted=size)
        name = {"readout": readout, "planted": f"{size:+.2f}"}
        rows.append(told(name, measure(truth, 200, (5, 5, 4), options)))
    return pd.DataFrame(rows)


def broken(options: argparse.Namespace) -> pd.DataFrame:
    kinds = [(kind, 1.0, "graded") for kind in (*BROKEN, GRADED)]
    kinds += [(kind, 2.0, "alone") for kind in ("nothing", GRADED)]
    rows = []
    for (kind, reach, fitted), readout in itertools.product(
        kinds, ("sigmoid", "softplus")
    ):
        truth = Truth(readout, broken=kind, reach=reach, fitted=fitted)
        found = measure(truth, 200, (5, 5, 4), options)
        row = {"not as assumed": kind, "readout": readout, "`fitted`": fitted}
        row |= {name: f"{found[name]:.1f}" for name in VERDICTS}
        row["order broken"] = f"{found['order']:.1f}"
        row["median estimate"] = f"{found['estimate']:.2f}"
        row["median misfit"] = f"{found['misfit']:.2f}"
        print(row, flush=True)
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--resamples", type=int, default=99)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, nargs="+", default=[1, 2, 3, 4])
    options = parser.parse_args()
    tables = {
        1: (
            "Nothing planted, 5 x 5 x 4 cells, 50 and 200 backgrounds.",
            nothing_planted,
        ),
        2: ("Planted, sigmoid of normal backgrounds.", planted),
        3: ("Planted, 5 x 5 x 4 cells, 200 normal backgrounds, varying.", by_readout),
        4: ("Broken assumptions, 5 x 5 x 4 cells, 200 normal backgrounds.", broken),
    }
    for number in options.only:
        title, make = tables[number]
        print(f"\n{title} {options.repetitions} repetitions of each.\n")
        print(as_markdown(make(options)))


if __name__ == "__main__":
    main()
