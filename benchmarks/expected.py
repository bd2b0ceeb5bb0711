"""Does `rank_expected` call learned what a model knows, and nothing else?

    python benchmarks/expected.py [--networks 100] [--n 50] [--seed 0]

Random networks, weights as they are initialised, know no word. Each is asked about
words of four kinds, drawn anew: any letters, two letters, a repeat of two, and one
letter. Of every word the verdict as if asked alone, at the defaults; `among 1 %` is how
often its rank, without any interval, is among the best 40 of 4,096, which no number of
backgrounds makes rarer.

Composition: the output is a random weight of each letter times its frequency, through a
random monotone function: no order of letters counts.

Planted: a word is worth so many standard deviations of a random network's outputs
wherever it stands, and asked about: as it is, moved by one or two letters, with IUPAC's
letters for two of its letters, and with three further letters on either side.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from interleaved import as_markdown
from torch import nn

import tangermeme_gia as gia
from residualbind import ResidualBind, ResidualBindConfig

RNA = ("A", "C", "G", "U")
LENGTH, K = 24, 6
VERDICTS = ("learned", "learned, shifted", "not learned", "undecided")


class Pooled(nn.Module):
    """Filters of 8, pooled by mean or maximum, and a dense layer."""

    def __init__(self, pool: str) -> None:
        super().__init__()
        self.pool = pool
        self.filters = nn.Conv1d(4, 16, 8)
        self.dense = nn.Sequential(nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 1))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        y = torch.relu(4 * self.filters(X))
        y = y.mean(dim=-1) if self.pool == "mean" else y.amax(dim=-1)
        return self.dense(y)


class Deep(nn.Module):
    """Three convolutions, the later ones dilated, and a dense layer of all places."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(4, 12, 5, padding=2),
            nn.ReLU(),
            nn.Conv1d(12, 12, 3, padding=2, dilation=2),
            nn.ReLU(),
            nn.Conv1d(12, 12, 3, padding=4, dilation=4),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(12 * LENGTH, 1),
        )

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.body(4 * X)


class Composition(nn.Module):
    """A monotone function of the frequencies of letters."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4))
        self.steep = float(torch.rand(1)) * 20

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        share = (X.double().mean(dim=-1) * self.weight).sum(dim=1, keepdim=True)
        return torch.sigmoid(self.steep * share)


class Planted(nn.Module):
    """A random network, and a word that is worth so many of its standard deviations."""

    def __init__(self, word: str, worth: float) -> None:
        super().__init__()
        self.rest = Pooled("mean")
        eye = torch.eye(4)[[RNA.index(letter) for letter in word]]
        self.word = nn.Parameter(eye.T[None])
        with torch.no_grad():
            X = gia.backgrounds.profile_background(uniform(), 200, 0).float()
            self.worth = worth * float(self.rest(X).std())

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        matches = nn.functional.conv1d(X, self.word)
        there = (matches == self.word.shape[-1]).float().sum(dim=(1, 2))
        return self.rest(X) + self.worth * there[:, None]


def released() -> nn.Module:
    config = ResidualBindConfig.released(length=LENGTH)
    return ResidualBind(config).eval()


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "mean of filters": lambda: Pooled("mean"),
    "maximum of filters": lambda: Pooled("maximum"),
    "dilated": Deep,
    "ResidualBind": released,
    "composition": Composition,
}


def uniform() -> torch.Tensor:
    return torch.full((4, LENGTH), 0.25)


def draw_words(rng: np.random.Generator) -> dict[str, list[str]]:
    """Three of each kind."""

    def spelled(letters: np.ndarray) -> str:
        return "".join(RNA[i] for i in letters)

    def two() -> np.ndarray:
        return rng.choice(4, 2, replace=False)

    kinds: dict[str, Callable[[], np.ndarray]] = {
        "any letters": lambda: rng.integers(4, size=K),
        "two letters": lambda: rng.permutation(np.repeat(two(), 3)),
        "repeat": lambda: np.tile(two(), 3),
        "one letter": lambda: np.repeat(rng.integers(4), K),
    }
    return {kind: [spelled(draw()) for _ in range(3)] for kind, draw in kinds.items()}


def alone(found: gia.ExpectedMotifs, number: int) -> gia.ExpectedMotifs:
    """One of the motifs, as if no other had been asked about."""
    own = np.flatnonzero(found.entries["number"] == number)
    return found._replace(
        conditions=found.conditions.iloc[[number]].reset_index(drop=True),
        entries=found.entries.iloc[own].reset_index(drop=True).assign(number=0),
        differences=[found.differences[i] for i in own],
    )


def of_random(name: str, options: argparse.Namespace) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for i in range(options.networks):
        torch.manual_seed(options.seed + i)
        rng = np.random.default_rng([options.seed, i])
        model, words = NETWORKS[name](), draw_words(rng)
        X = gia.backgrounds.profile_background(uniform(), options.n, i)
        asked = {
            f"{kind} {j}": w for kind, ws in words.items() for j, w in enumerate(ws)
        }
        found = gia.rank_expected(model, X, asked, alphabet=RNA, random_state=0)
        for number, label in enumerate(asked):
            (row,) = alone(found, number).to_frame().to_dict("records")
            rows.append(
                {
                    "network": name,
                    "word": label.rpartition(" ")[0],
                    "among 1 %": row["rank"] <= 0.01 * row["n_kmers"],
                    **{v: row["verdict"] == v for v in VERDICTS},
                }
            )
    return rows


def of_planted(options: argparse.Namespace) -> pd.DataFrame:
    rows = []
    for worth in (0.5, 1.0, 2.0):
        for i in range(options.networks):
            torch.manual_seed(options.seed + i)
            rng = np.random.default_rng([options.seed, i, 1])
            word = "".join(RNA[j] for j in rng.integers(4, size=K))
            beside = "".join(RNA[j] for j in rng.integers(4, size=K))
            iupac = "".join(
                {"A": "R", "C": "Y", "G": "R", "U": "Y"}[letter] if j < 2 else letter
                for j, letter in enumerate(word)
            )
            asked = {
                "the word": word,
                "moved by one": word[1:] + beside[0],
                "moved by two": beside[:2] + word[:-2],
                "two letters by IUPAC": iupac,
                "within 12 letters": beside[:3] + word + beside[3:],
            }
            model = Planted(word, worth)
            X = gia.backgrounds.profile_background(uniform(), options.n, i)
            found = gia.rank_expected(model, X, asked, alphabet=RNA, random_state=0)
            for number, label in enumerate(asked):
                (row,) = alone(found, number).to_frame().to_dict("records")
                verdict = {v: row["verdict"] == v for v in VERDICTS}
                rows.append({"worth": worth, "asked": label, **verdict})
    return pd.DataFrame(rows).groupby(["worth", "asked"], sort=False).mean() * 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", type=int, default=100)
    parser.add_argument("--n", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rows = [row for name in NETWORKS for row in of_random(name, options)]
    table = pd.DataFrame(rows)
    rates = table.groupby(["network", "word"], sort=False).mean() * 100
    print(f"# Nothing known: {options.networks} networks, n = {options.n}, per cent\n")
    print(as_markdown(rates.round(1).reset_index()), "\n")
    print("# Planted, per cent\n")
    print(as_markdown(of_planted(options).round(1).reset_index()))


if __name__ == "__main__":
    main()
