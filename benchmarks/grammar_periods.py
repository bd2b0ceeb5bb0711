"""Is a helical rule called helical, and nothing else, on kinds that tuned nothing?

    python benchmarks/grammar_periods.py [--repetitions 200] [--seed 20261]

What `motif_grammar` asks of a curve before it calls it helical (a third of the
variance, a fifth of the root mean square) was chosen on the kinds of benchmarks/
grammar.py. These are others, fixed before they were run: periods from 9.5 to 11.5
bases, amplitudes from a tenth of the mean to all of it, waves that are damped over
the distance, narrow ones, other ranges of spacings, models that pool, and, of rules
that are not helical, waves of other periods, decays, peaks, two peaks ten bases apart
and smooth curves at random. Phases, lengths and places are drawn anew each time.

Each repetition surveys a model with one rule between AP1 and ETS, in one order on one
strand, on new backgrounds. `confirmed` is the share of surveys, in per cent, that
confirm the pair, `helical` that call it helical, `soft_hard` that give it another
class, and `period` the mean difference of the periods that were
found from the planted one, in bases. `mc_error` is that of `helical`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from grammar import MOTIFS, Planted, Rule, backgrounds, survey

Weight = Callable[[np.ndarray], np.ndarray]
Draw = Callable[[np.random.Generator], Weight]
PAIR = {name: MOTIFS[name] for name in ("AP1", "ETS")}
HEIGHT = 0.8


class Kind(NamedTuple):
    """A kind of rule; `period` is None of those that are not helical."""

    what: str
    draw: Draw
    period: float | None = None
    n_spacings: int = 42
    stride: int = 1
    n: int = 120


class Pooled(Planted):
    """Knows motifs by the first base of the step that they begin in."""

    def __init__(self, rule: Rule, length: int, stride: int) -> None:
        super().__init__((rule,), length)
        self.pool = torch.nn.MaxPool1d(stride)

    def sites(self, X: torch.Tensor, name: str, strand: str) -> torch.Tensor:
        """1 at the first base of a step in which a motif starts."""
        steps = self.pool(super().sites(X, name, strand)[:, None])[:, 0]
        sites = torch.zeros(X.shape[0], X.shape[2])
        sites[:, : steps.shape[1] * self.pool.stride : self.pool.stride] = steps
        return sites


def wave(
    period: float,
    amplitude: float = 1.0,
    damped: float = np.inf,
    sharp: float = 0.0,
) -> Draw:
    """A mean of `HEIGHT` with a cosine, or with narrow peaks, once in a period."""

    def draw(rng: np.random.Generator) -> Weight:
        phase = rng.uniform(0, 2 * np.pi)

        def weight(s: np.ndarray) -> np.ndarray:
            turn = np.cos(2 * np.pi * s / period + phase)
            if sharp:
                turn = 2 * np.exp(sharp * (turn - 1)) - 1
            return HEIGHT * (1 + amplitude * turn) * np.exp(-s / damped)

        return weight

    return draw


def decay(rng: np.random.Generator) -> Weight:
    """Over 2 to 40 bases."""
    length = np.exp(rng.uniform(np.log(2), np.log(40)))
    return lambda s: 2 * HEIGHT * np.exp(-s / length)


def peak(width: int, n_spacings: int = 42) -> Draw:
    """A run of spacings anywhere."""

    def draw(rng: np.random.Generator) -> Weight:
        first = rng.integers(n_spacings - width)
        return lambda s: 2 * HEIGHT * ((s >= first) & (s < first + width))

    return draw


def two_peaks(apart: int) -> Draw:
    """Two runs of three spacings."""

    def draw(rng: np.random.Generator) -> Weight:
        first = rng.integers(42 - apart - 3)
        return lambda s: 2 * HEIGHT * (((s - first) % apart < 3) & near(s, first))

    def near(s: np.ndarray, first: int) -> np.ndarray:
        return (s >= first) & (s < first + apart + 3)

    return draw


def smooth(width: float) -> Draw:
    """White noise under a Gaussian of this standard deviation, above a mean."""

    def draw(rng: np.random.Generator) -> Weight:
        noise = rng.normal(size=400)
        kernel = np.exp(-0.5 * (np.arange(-60, 61) / width) ** 2)
        curve = np.convolve(noise, kernel / np.sqrt((kernel**2).sum()), "same")
        return lambda s: HEIGHT * (1 + curve[np.clip(s, -100, 200) + 100])

    return draw


def flat(rng: np.random.Generator) -> Weight:
    """The same at every spacing."""
    return lambda s: HEIGHT + 0.0 * s


KINDS = (
    *(Kind(f"period {p:g}", wave(p), p) for p in (9.5, 10.0, 10.5, 11.0, 11.5)),
    *(
        Kind(f"amplitude {100 * a:.0f} %", wave(10.5, a), 10.5)
        for a in (0.1, 0.25, 0.5, 0.75)
    ),
    Kind("amplitude 25 %, 480 backgrounds", wave(10.2, 0.25), 10.2, n=480),
    *(Kind(f"damped over {d} bases", wave(10.4, damped=d), 10.4) for d in (10, 20, 40)),
    Kind("peaks of about 3 bases", wave(10.6, sharp=3.0), 10.6),
    Kind("peaks of about 2 bases", wave(10.6, sharp=6.0), 10.6),
    *(Kind(f"{w} spacings", wave(10.3), 10.3, n_spacings=w) for w in (22, 30, 60)),
    *(Kind(f"pooled over {k}", wave(10.5), 10.5, stride=k) for k in (2, 4)),
    Kind("flat", flat),
    Kind("decay", decay),
    *(Kind(f"decay, pooled over {k}", decay, stride=k) for k in (2, 4, 8)),
    *(Kind(f"peak of {w}", peak(w)) for w in (2, 4, 6, 8, 12)),
    Kind("peak of 4, pooled over 4", peak(4), stride=4),
    *(Kind(f"two peaks of 3, {a} apart", two_peaks(a)) for a in (7, 10, 15)),
    *(Kind(f"period {p:g}", wave(p)) for p in (5.0, 7.0, 8.0, 9.0)),
    *(Kind(f"period {p:g}", wave(p)) for p in (12.0, 13.0, 16.0, 20.0, 30.0)),
    *(Kind(f"smooth over {w} bases", smooth(w)) for w in (1, 2, 4)),
)


def measure(kind: Kind, repetitions: int, seed: int) -> dict:
    """How often surveys of a kind of rule call it helical."""
    rng = np.random.default_rng(seed)
    length = kind.n_spacings + 2 * max(map(len, PAIR.values())) + kind.stride + 5
    classes, periods = [], []
    for _ in range(repetitions):
        rule = Rule("AP1", "ETS", "", kind.draw(rng), ("12",), ("++",))
        model = Pooled(rule, length, kind.stride)
        X = backgrounds(kind.n, length, rng)
        spacings = range(kind.n_spacings)
        one = {"orders": None, "orientations": None}
        pairs = survey(model, X, PAIR, spacings, rng, **one).pairs
        (row,) = pairs[(pairs["a"] == "AP1") & (pairs["b"] == "ETS")].to_dict("records")
        classes.append(row["class"])
        if row["class"] == "helical":
            periods.append(row["period"])
    share = {name: 100 * classes.count(name) / repetitions for name in {*classes}}
    off = np.nan
    if periods and kind.period:
        off = float(np.abs(np.array(periods) - kind.period).mean())
    return {
        "truth": "helical" if kind.period else "other",
        "what": kind.what,
        "confirmed": 100 - share.get("none", 0.0),
        "helical": share.get("helical", 0.0),
        "soft_hard": share.get("soft", 0.0) + share.get("hard", 0.0),
        "period": off,
        "repetitions": repetitions,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=20261)
    options = parser.parse_args()
    begin = time.process_time()
    rows = [
        measure(kind, options.repetitions, options.seed + i)
        for i, kind in enumerate(KINDS)
    ]
    table = pd.DataFrame(rows)
    p = table["helical"].clip(0.5, 99.5) / 100
    table["mc_error"] = 100 * np.sqrt(p * (1 - p) / table["repetitions"])
    print(table.round(2).to_string(index=False, na_rep=""))
    print(f"{time.process_time() - begin:.0f} s of one core")


if __name__ == "__main__":
    main()
