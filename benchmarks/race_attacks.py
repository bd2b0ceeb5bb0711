"""Which candidates does a race miss, where rare effects decide who is best?

    python benchmarks/race_attacks.py [--races 48]

Simulated values of 4,096 candidates on 1,000 members, of shapes between which the races
alternate. Attacks on them:

- families: 1 to 10 % of the candidates act only on the same 1 to 10 % of the members,
  so much that they are the best, or among the best;
- a lone candidate is the best by what it does, and no other, on some members.

A race fails if one of the best is not among those left. Prints tables, and writes them
to `benchmarks/results/race_attacks.md`.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from interleaved import as_markdown
from machine import describe_machine

from tangermeme_gia.statistics.racing import Known, race

N, N_CANDIDATES, DELTA = 1000, 4096, 0.01
SHARES = (0.01, 0.03, 0.05, 0.1)
FAMILIES = (0.01, 0.02, 0.05, 0.1)
LONE = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
# The best of a family has the mean of the best other candidate times so much.
ABOVE = (0.9, 1.1, 1.5, 3.0)
RESULTS = Path(__file__).parent / "results" / "race_attacks.md"


def normal(rng: np.random.Generator, means: np.ndarray) -> np.ndarray:
    return rng.normal(size=(N, N_CANDIDATES)) + means


def relu(rng: np.random.Generator, means: np.ndarray) -> np.ndarray:
    return np.maximum(normal(rng, 2 * means - 0.5), 0)


def heavy_tailed(rng: np.random.Generator, means: np.ndarray) -> np.ndarray:
    return rng.standard_t(3, size=(N, N_CANDIDATES)) + means


def discrete(rng: np.random.Generator, means: np.ndarray) -> np.ndarray:
    return (rng.random((N, N_CANDIDATES)) < 0.1 + 0.15 * means).astype(float)


def lognormal(rng: np.random.Generator, means: np.ndarray) -> np.ndarray:
    return rng.lognormal(means, size=(N, N_CANDIDATES))


def background_adds(rng: np.random.Generator, means: np.ndarray) -> np.ndarray:
    return 0.3 * normal(rng, means / 0.3) + rng.normal(scale=5, size=(N, 1))


def background_multiplies(rng: np.random.Generator, means: np.ndarray) -> np.ndarray:
    return normal(rng, means) * rng.lognormal(sigma=0.7, size=(N, 1))


def mostly_zero(rng: np.random.Generator, means: np.ndarray) -> np.ndarray:
    few = means >= np.sort(means)[-20]
    return few * rng.random((N, N_CANDIDATES))


SHAPES = {
    "normal": normal,
    "ReLU of normal": relu,
    "t with 3 degrees of freedom": heavy_tailed,
    "0 or 1": discrete,
    "lognormal": lognormal,
    "background adds": background_adds,
    "background multiplies": background_multiplies,
    "0 for all but 20": mostly_zero,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--races", type=int, default=48, help="of each row and top")
    text = "members on which all candidates are known beforehand, as in the report"
    parser.add_argument("--known", type=int, default=0, help=text)
    asked = parser.parse_args()
    races = pd.DataFrame(all_races(asked.races, asked.known))
    text = "\n\n".join(
        [
            "# Races where rare effects decide",
            describe_machine(),
            f"{N_CANDIDATES:,} candidates, {N:,} members, {asked.known} of them known, "
            f"`delta`={DELTA}.",
            "Families: races that failed, of those for the best 1 and the best 10",
            as_markdown(by_family(races)),
            "The same by shape, and the median share of values asked for",
            as_markdown(by_shape(races)),
            "A lone candidate, the best of all: races that failed",
            as_markdown(by_members(races)),
        ]
    )
    print(text)
    if not asked.known:
        RESULTS.write_text(text + "\n")
    else:
        RESULTS.with_stem(f"{RESULTS.stem}_known").write_text(text + "\n")


def all_races(n_races: int, n_known: int) -> Iterator[dict[str, object]]:
    per_shape = -(-n_races // len(SHAPES))
    for number, (shape, draw) in enumerate(SHAPES.items()):
        for repeat in range(per_shape):
            rng = np.random.default_rng([number, repeat])
            values = draw(rng, 0.3 * rng.normal(size=N_CANDIDATES))
            for attack, family, share in attacks():
                attacked, before = act(rng, values, family, share)
                what = {"shape": shape, "attack": attack}
                what |= {"family": family, "share": share}
                for top in (1, 10) if family != 1 else (1,):
                    yield what | {"top": top} | one_race(values, top, rng, n_known)
                values[:, attacked] = before


def attacks() -> Iterator[tuple[str, int, float]]:
    yield "none", 0, 0.0
    for family, share in itertools.product(FAMILIES, SHARES):
        yield "family", round(family * N_CANDIDATES), share
    for share in LONE:
        yield "lone", 1, share


def act(
    rng: np.random.Generator, values: np.ndarray, family: int, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Add what a family does; which candidates these are, and their values before."""
    attacked = rng.permutation(N_CANDIDATES)[:family]
    before = values[:, attacked].copy()
    members = rng.permutation(N)[: round(share * N)]
    strengths = [
        rng.uniform(0.3, 1, family),
        rng.uniform(0.9, 1, family),
        np.where(np.arange(family) < 3, 1, rng.uniform(0.1, 0.3, family)),
    ]
    if family == 1:
        above, strength = 1.5, np.ones(1)
    else:
        above, strength = rng.choice(ABOVE), strengths[rng.integers(3)]
    size = above * values.mean(axis=0).max() / max(share, 1 / N)
    each = size * strength * rng.uniform(0.7, 1.3, (len(members), family))
    values[np.ix_(members, attacked)] += each
    return attacked, before


def one_race(
    values: np.ndarray, top: int, rng: np.random.Generator, n_known: int
) -> dict[str, object]:
    best = np.argsort(-values.mean(axis=0), kind="stable")[:top]
    found = race(
        Known(values),
        N_CANDIDATES,
        N,
        top=top,
        delta=DELTA,
        rng=rng,
        known=values[:n_known].copy() if n_known else None,
    )
    left = {*found.measured.tolist(), *found.others.tolist()}
    asked = found.n_asked + len(found.others) * (N - len(found.seen))
    return {
        "failed": not left.issuperset(best.tolist()),
        "asked": asked / values.size,
        "unseen_share": found.unseen_share,
    }


def by_family(races: pd.DataFrame) -> pd.DataFrame:
    families = races[races["attack"] == "family"]
    table = {"% of candidates": [f"{100 * family:.0f}" for family in FAMILIES]}
    for share in SHARES:
        at = families[families["share"] == share].groupby("family")
        table[f"on {share:.0%} of members"] = [
            failures(group, by_top=True) for _, group in at
        ]
    return pd.DataFrame(table)


def by_shape(races: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for shape, group in races.groupby("shape", sort=False):
        row = {"shape": shape}
        for attack, name in {"none": "no family", "family": "families"}.items():
            part = group[group["attack"] == attack]
            asked = part.groupby("top")["asked"].median()
            row[f"failed, {name}"] = failures(part, by_top=True)
            row[f"asked, {name}"] = ", ".join(f"{100 * y:.1f} %" for y in asked)
        rows.append(row)
    return pd.DataFrame(rows)


def by_members(races: pd.DataFrame) -> pd.DataFrame:
    lone = races[races["attack"] == "lone"]
    table = {"on % of members": [f"{100 * share:g}" for share in LONE]}
    few = lone["shape"].isin(["normal", "ReLU of normal", "0 for all but 20"])
    for name, part in {"three shapes with light tails": lone[few], "all": lone}.items():
        table[name] = [failures(group) for _, group in part.groupby("share")]
    unseen = lone.groupby("share")["unseen_share"].median()
    table["median `unseen_share`"] = [f"{share:.2f}" for share in unseen]
    return pd.DataFrame(table)


def failures(races: pd.DataFrame, *, by_top: bool = False) -> str:
    groups = [group for _, group in races.groupby("top")] if by_top else [races]
    return ", ".join(f"{group['failed'].sum()} of {len(group)}" for group in groups)


if __name__ == "__main__":
    main()
