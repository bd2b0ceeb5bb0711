"""Does `statistics.latent_additivity` tell saturation from sites that count for less?

    python benchmarks/latent_sites.py [--repetitions 100] [--seed 0] [--resamples 99]

Each repetition is a model and a design of its own: four sites, each worth 1 to 3
standard deviations of the backgrounds times 0.8 to 1.2, and two elements C and D, worth
0.8 to 1.6 times the first site, with grades at uneven steps (C lowers in half of them);
5 x 4 grades, 160 cells. Readouts, backgrounds and effects are those of latent.py.

First table: sites add up before the readout; rates of verdicts in per cent of
repetitions, the means over 50 and 200 backgrounds, the highest of both for *survives*,
and how often all three intervals hold 0. Second: each site after the first counts for
so much more or less of its effect; rates of *survives* with the right sign, of the
wrong sign, of *not identifiable*, and of how often intervals, where they are, all hold
the truth.
"""

from __future__ import annotations

import argparse
import itertools

import numpy as np
import pandas as pd
import torch
from interleaved import as_markdown
from latent import BACKGROUNDS, EFFECTS, READOUTS, VERDICTS, draw_backgrounds
from numpy.typing import NDArray

import tangermeme_gia as gia
from tangermeme_gia.statistics.latent_sites import latent_additivity
from tangermeme_gia.statistics.site_sets import site_sets

Values = NDArray[np.float64]
N_SITES, GRADES = 4, (5, 4)
PLANTED = (-0.5, -0.25, 0.25, 0.5)
NUMBERS = (50, 200, 1000)


def draw(
    readout: str,
    background: str,
    effects: str,
    planted: float,
    n: int,
    rng: np.random.Generator,
) -> tuple[gia.GIAResult, Values]:
    """A result, and the true deviations of 2, 3 and 4 sites, in effects of one."""
    alone = rng.uniform(1, 3) * rng.uniform(0.8, 1.2, N_SITES)
    sets = np.array(site_sets(N_SITES))
    # More than the sum: so much of each site that is there beside others before it.
    later = sets * (np.cumsum(sets, axis=1) > 1)
    sites = sets @ alone + planted * later @ alone
    size = rng.uniform(0.8, 1.6, 2) * alone[0] * np.array([rng.choice([-1, 1]), 1])
    parts = [sites]
    for k, most in zip(GRADES, size, strict=True):
        steps = np.arange(k) / (k - 1)
        steps[1:-1] += rng.uniform(-0.4, 0.4, k - 2) / (k - 1)
        parts.append(steps * most)
    cells = np.add.outer(np.add.outer(parts[0], parts[1]), parts[2]).ravel()
    rows, clusters = draw_backgrounds(background, n, rng)
    latent = rows[:, None] + cells - rng.uniform(0.5, 3)
    latent += EFFECTS[effects] * rng.standard_normal(latent.shape)
    levels = [(*s, c, d) for s, c, d in itertools.product(sets, *map(range, GRADES))]
    names = [*(f"level_{i + 1}" for i in range(N_SITES)), "level_c", "level_d"]
    table = pd.DataFrame(levels, columns=names)
    y = torch.from_numpy(READOUTS[readout](latent))[:, :, None]
    truth = planted * np.cumsum(alone)[1:] - planted * alone[0]
    result = gia.GIAResult(torch.zeros(n, 1), y, table, clusters=clusters)
    return result, truth / alone.mean()


def measure(
    readout: str,
    background: str,
    effects: str,
    planted: float,
    n: int,
    options: argparse.Namespace,
) -> dict[str, float]:
    what = readout, background, effects, planted, n
    rng = np.random.default_rng([options.seed, *map(ord, str(what))])
    rows = []
    for _ in range(options.repetitions):
        result, truth = draw(*what, rng)
        fit = latent_additivity(result, n_resamples=options.resamples)
        points = fit.points.iloc[1:]
        low, high = (points[f"deviation_{x}"].to_numpy() for x in ("low", "high"))
        given = np.isfinite(low)
        clear = np.where(planted > 0, low > 0, high < 0)
        wrong = np.where(planted > 0, high < 0, low > 0)
        holds = ((low <= truth) & (truth <= high))[given].all() if given.any() else None
        rows.append(
            {
                **{v: fit.verdict == v for v in VERDICTS},
                "right": clear.any(),
                "wrong": wrong.any(),
                "holds": np.nan if holds is None else holds,
                "estimate": points["deviation"].iloc[-1] / truth[-1]
                if planted
                else np.nan,
            }
        )
    table = pd.DataFrame(rows).astype(float)
    rates = 100 * table.drop(columns="estimate").mean()
    return {**rates, "estimate": float(table["estimate"].median())}


def adds_up(options: argparse.Namespace) -> pd.DataFrame:
    rows = []
    for key in itertools.product(READOUTS, BACKGROUNDS, EFFECTS):
        told = pd.DataFrame([measure(*key, 0.0, n, options) for n in (50, 200)])
        row = dict(zip(("readout", "backgrounds", "effects"), key, strict=True))
        row |= {name: f"{told[name].mean():.1f}" for name in VERDICTS}
        row["survives, highest"] = f"{told['survives'].max():.1f}"
        row["all intervals hold 0"] = f"{told['holds'].mean():.1f}"
        print(row, flush=True)
        rows.append(row)
    return pd.DataFrame(rows)


def planted(options: argparse.Namespace) -> pd.DataFrame:
    cases = [("sigmoid", n) for n in NUMBERS]
    cases += [(readout, 200) for readout in READOUTS if readout != "sigmoid"]
    rows = []
    for (readout, n), size in itertools.product(cases, PLANTED):
        found = measure(readout, "normal", "varying", size, n, options)
        row = {"readout": readout, "backgrounds": str(n), "planted": f"{size:+.2f}"}
        words = {"right": "right sign", "wrong": "wrong sign"}
        words |= {"not identifiable": "not identifiable", "holds": "intervals hold it"}
        row |= {word: f"{found[key]:.1f}" for key, word in words.items()}
        row["median estimate over truth, 4 sites"] = f"{found['estimate']:.2f}"
        print(row, flush=True)
        rows.append(row)
    return pd.DataFrame(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--resamples", type=int, default=99)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for title, make in (
        ("Sites add up, 50 and 200 backgrounds.", adds_up),
        ("Sites after the first count for more or less, normal, varying.", planted),
    ):
        print(f"\n{title} {options.repetitions} repetitions of each.\n")
        print(as_markdown(make(options)))


if __name__ == "__main__":
    main()
