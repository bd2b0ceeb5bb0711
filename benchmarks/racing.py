"""Does a race find the best k-mers of the exhaustive scan, and what does it save?

    python benchmarks/racing.py [--n 1000] [--seeds 50] [--keep FOLDER]
    python benchmarks/racing.py --skew 1.5 [--keep FOLDER]

For each bundled model and three backgrounds the local importances of all 6-mers are
computed once; races of many seeds are then run on them, with what `best_kmers` runs on
a model. Prints a table and writes the races to `benchmarks/results/racing.tsv`, the
figure to `docs/images/`. `--keep` keeps the local importances, and takes those that are
there.
`--skew` replaces each importance v by exp(skew v), as if models gave the exponential of
their output. Times are measured by `scans.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
import scipy
import torch
from machine import describe_machine
from matplotlib import pyplot as plt

import residualbind as rb
import tangermeme_gia as gia
from tangermeme_gia._core.letters import RNA
from tangermeme_gia.kmers.codes import all_kmers
from tangermeme_gia.statistics.racing import Known, race

ROOT = Path(__file__).parents[1]
MODELS = ("A1CF", "ANKHD1")
BACKGROUNDS = ("profile", "shuffle", "dinucleotide")
K, START = 6, 17
TOP, DELTA = 10, 0.01
N_PROBES = 5000  # simulated, to be shuffled


def main() -> None:
    mpl.use("Agg")
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=1000, help="backgrounds")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--skew", type=float, default=0.0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--models", nargs="+", choices=MODELS, default=MODELS)
    parser.add_argument(
        "--backgrounds", nargs="+", choices=BACKGROUNDS, default=BACKGROUNDS
    )
    options = parser.parse_args()
    print(describe_machine())
    n = options.n
    races = pd.DataFrame(all_races(n, options))
    print(summarise(races).to_string(index=False))
    if options.skew == 0:
        path = ROOT / "benchmarks" / "results" / "racing.tsv"
        races.to_csv(path, sep="\t", index=False, float_format="%.4g")
        draw(races, n, ROOT / "docs" / "images" / "racing.png")


def draw_background(protein: str, name: str, n: int) -> torch.Tensor:
    """Backgrounds that need no data."""
    if name == "profile":
        return gia.backgrounds.profile_background(
            rb.load_profile(protein), n=n, random_state=0
        )
    probes = rb.simulate_rnacompete(N_PROBES, random_state=0).X
    return gia.backgrounds.sample_backgrounds(probes, [name], n, random_state=0)[name]


def local_importances(protein: str, name: str, n: int) -> np.ndarray:
    """Of all k-mers on all backgrounds, shape=(n, n_kmers)."""
    result = gia.global_importance(
        rb.load_pretrained(protein),
        draw_background(protein, name, n),
        [[(kmer, START)] for kmer in all_kmers(K, RNA)],
        alphabet=RNA,
        verbose=True,
    )
    return result.local_importance[..., 0].numpy()


def all_races(n: int, options: argparse.Namespace) -> Iterator[dict[str, object]]:
    for protein in options.models:
        for name in options.backgrounds:
            path = options.keep and options.keep / f"{protein}.{name}.{n}.npy"
            if path and path.exists():
                values = np.load(path)
            else:
                values = local_importances(protein, name, n)
                if path:
                    np.save(path, values)
            values = values.astype(np.float64)
            if options.skew:
                values = np.exp(options.skew * values)
            best = values[:, values.mean(axis=0).argsort()[-TOP:]]
            what = {
                "model": protein,
                "background": name,
                "skewness": np.median(scipy.stats.skew(best)),
            }
            for seed in range(options.seeds):
                yield what | {"seed": seed} | one_race(values, seed)


def one_race(values: np.ndarray, seed: int) -> dict[str, object]:
    """Whether a race gives the exhaustive top in its order, and what it asked for."""
    effects = values.mean(axis=0)
    best = np.argsort(-effects, kind="stable")[:TOP]
    n, n_kmers = values.shape
    rng = np.random.default_rng(seed)
    found = race(Known(values), n_kmers, n, top=TOP, delta=DELTA, rng=rng)
    left = np.sort(np.concatenate([found.measured, found.others]))
    order = left[np.argsort(-effects[left], kind="stable")[:TOP]]
    asked = found.n_asked + len(found.others) * (n - len(found.seen))
    return {
        "identical": bool((order == best).all()),
        "share": asked / values.size,
        "measured_in_full": len(left),
    }


def summarise(races: pd.DataFrame) -> pd.DataFrame:
    groups = races.groupby(["model", "background"], sort=False)
    return groups.agg(
        skewness=("skewness", "first"),
        races=("seed", "size"),
        identical=("identical", "sum"),
        median_share=("share", "median"),
        lowest=("share", "min"),
        highest=("share", "max"),
        most_in_full=("measured_in_full", "max"),
    ).reset_index()


def draw(races: pd.DataFrame, n: int, path: Path) -> None:
    """Share of the predictions of every race; those that failed are crosses."""
    figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
    labels = []
    rng = np.random.default_rng(0)
    for i, ((protein, name), group) in enumerate(
        races.groupby(["model", "background"], sort=False)
    ):
        right = group["identical"].to_numpy()
        share = 100 * group["share"].to_numpy()
        x = i + rng.uniform(-0.25, 0.25, len(group))
        ax.plot(x[right], share[right], "o", color="C0", ms=3, alpha=0.6)
        ax.plot(x[~right], share[~right], "x", color="C3")
        ax.hlines(np.median(share), i - 0.3, i + 0.3, color="black")
        labels.append(f"{protein}\n{name}\n{right.sum()} of {len(group)}\nidentical")
    ax.set_xticks(range(len(labels)), labels, fontsize=8)
    ax.set_ylim(0, None)
    ax.set_ylabel("predictions made, % of exhaustive")
    ax.set_title(f"Race for the best {TOP} of 4,096 6-mers, {n} backgrounds", size=10)
    figure.savefig(path, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main()
