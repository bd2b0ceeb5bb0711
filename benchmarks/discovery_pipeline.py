"""Of what `discover_motifs` finds by itself, how much is not there?

    NUMBA_NUM_THREADS=1 python benchmarks/discovery_pipeline.py [--runs 100]

The whole way, attributions, seqlets, clusters, placing and removing in what was held
out, on models of which the truth is known. 100 sequences of 60 letters hold two of
eight 7-mers each, as repeats do in genomes, so that seqlets recur and make patterns
whatever the model reads. Models:

noise: a number drawn for each sequence, normal, exponential or 0 or 1. Every claim is
    false.
GC: the content of G and C, times 10, and normal noise. Placed and removed letters are
    compared with the same letters in another order, so that every claim is false.
planted: 3 for each of one of the 7-mers, on either strand, and normal noise; three of
    four sequences hold it. True is a claim of a pattern that without the noise does
    more than a thirtieth of the planted effect, in the direction that is claimed.
network: a convolution of 16 random filters, ReLU, mean, and a random layer. True is a
    claim of which 1,000 other sequences have the direction.

Where a model reads nothing the defaults find nothing, so that seqlets are called more
eagerly there (`threshold=0.05`, `min_seqlets=3`), and in "planted, eager", where what
is found beside the planted word is noise: a claim has to be tested to be false.
`no pattern` is the share of runs without any.

`patterns` is the mean number of those that were found and tested, `claims` that of
sufficient or necessary ones, `false` the mean share of false ones among the claims (0
where there are none), with its standard error, and `recovered` the share of runs in
which a pattern with the planted word, but for one letter, is called sufficient and
necessary. At most `alpha` = 5 % are asked. Writes `results/discovery_pipeline.md`.
"""

from __future__ import annotations

import argparse
import functools
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from discovery import Noise
from interleaved import as_markdown
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.saturation_mutagenesis import saturation_mutagenesis
from tangermeme.seqlet import recursive_seqlets
from tangermeme.utils import one_hot_encode

from tangermeme_gia import MotifDiscovery, discover_motifs
from tangermeme_gia.motifs import reverse_complement

LENGTH, N, N_WORDS, ALPHA, N_TRUTH = 60, 100, 8, 0.05, 1000
PLANTED = 3.0
ATTRIBUTIONS = {
    "network": functools.partial(deep_lift_shap, n_shuffles=5, device="cpu"),
}


EAGER = functools.partial(recursive_seqlets, threshold=0.05)
# Of these something is true.
READING = ("planted", "planted, eager", "network")


class Sum(torch.nn.Module):
    """What a model reads, and noise."""

    def __init__(self, reads: Callable[[torch.Tensor], torch.Tensor], noise: Noise):
        super().__init__()
        self.reads, self.noise = reads, noise

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Numbers, shape=(n, 1)."""
        return self.reads(X) + self.noise(X)


def count_gc(X: torch.Tensor) -> torch.Tensor:
    """Ten times the content of G and C."""
    return 10 * X[:, 1:3].double().mean(dim=(1, 2))[:, None] * 2


class Planted(torch.nn.Module):
    """So much for each occurrence of a word, on either strand."""

    def __init__(self, word: str) -> None:
        super().__init__()
        words = [word, reverse_complement(word)]
        self.weight = torch.stack([one_hot_encode(w).double() for w in words])

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Numbers, shape=(n, 1)."""
        matches = torch.nn.functional.conv1d(X.double(), self.weight)
        hits = (matches - self.weight.shape[-1] + 1).clamp(min=0)
        return PLANTED * hits.sum(dim=(1, 2))[:, None]


def random_network(seed: int) -> torch.nn.Module:
    """Untrained."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return torch.nn.Sequential(
            torch.nn.Conv1d(4, 16, 7),
            torch.nn.ReLU(),
            torch.nn.AvgPool1d(LENGTH - 6),
            torch.nn.Flatten(),
            torch.nn.Linear(16, 1),
        ).eval()


def sequences(words: list[str], n: int, rng: np.random.Generator) -> torch.Tensor:
    """Two words in each, on either strand; the first of all in three of four."""
    rows = []
    for i in range(n):
        letters = "".join(rng.choice(list("ACGT"), LENGTH))
        own = (words[0] if i % 4 else words[1], words[1 + i % (len(words) - 1)])
        for start, word in zip((10, 35), own, strict=True):
            word = word if rng.random() < 0.5 else reverse_complement(word)
            letters = letters[:start] + word + letters[start + len(word) :]
        rows.append(one_hot_encode(letters))
    return torch.stack(rows)


def build(shape: str, word: str, seed: int) -> torch.nn.Module:
    if shape == "network":
        return random_network(seed)
    if shape == "GC":
        return Sum(count_gc, Noise("normal", seed))
    if shape.startswith("planted"):
        return Sum(Planted(word), Noise("normal", seed))
    return Noise(shape.removeprefix("noise, "), seed)


def true_directions(
    shape: str, found: MotifDiscovery, words: list[str], seed: int
) -> np.ndarray:
    """1 or -1 where placing, and removing, a pattern truly does something, else 0."""
    if shape not in READING:
        return np.zeros((len(found.motifs), 2))
    planted = shape.startswith("planted")
    model = Planted(words[0]) if planted else random_network(seed)
    X = sequences(words, N_TRUTH, np.random.default_rng([seed, 1]))
    table = discover_motifs(
        model, X, motifs=found.motifs, random_state=seed, device="cpu"
    ).to_frame()
    effect = table[["placed_effect", "removed_effect"]].fillna(0).to_numpy()
    least = PLANTED / 30 if planted else 0
    return np.sign(effect) * (np.abs(effect) > least)


def has_word(consensus: str, word: str) -> bool:
    """All letters of the word, or all but one, on either strand."""
    for letters in (word, reverse_complement(word)):
        for i in range(1 - len(word), len(consensus)):
            part = consensus[max(i, 0) : max(i + len(word), 0)]
            own = letters[max(-i, 0) :][: len(part)]
            if sum(a == b for a, b in zip(part, own, strict=True)) >= len(word) - 1:
                return True
    return False


def run(shape: str, seed: int) -> dict[str, float]:
    """What one run found, claimed, and claimed falsely."""
    rng = np.random.default_rng([seed, 0])
    words = ["".join(rng.choice(list("ACGT"), 7)) for _ in range(N_WORDS)]
    eager = shape not in READING or shape.endswith("eager")
    found = discover_motifs(
        build(shape, words[0], seed),
        sequences(words, N, rng),
        attribution=ATTRIBUTIONS.get(shape, saturation_mutagenesis),
        seqlets=EAGER if eager else recursive_seqlets,
        min_seqlets=3 if eager else 5,
        random_state=seed,
        device="cpu",
    )
    told = dict.fromkeys(("patterns", "claims", "false", "recovered"), 0.0)
    if not found.motifs:
        return told
    table = found.to_frame(alpha=ALPHA)
    sign = table["sign"].to_numpy()[:, None] * [1, -1]
    verdict = table["verdict"].str
    claims = np.stack(
        [verdict.startswith("sufficient"), verdict.contains("necessary")], axis=1
    )
    told["patterns"], told["claims"] = len(table), claims.sum()
    if claims.any():
        false = claims & (true_directions(shape, found, words, seed) != sign)
        told["false"] = false.sum() / claims.sum()
    both = table["consensus"][claims.all(axis=1)]
    told["recovered"] = float(any(has_word(c, words[0]) for c in both))
    return told


NOISE = ("noise, normal", "noise, exponential", "noise, 0 or 1")
SHAPES = (*NOISE, "GC", *READING)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, default=SHAPES)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for shape in options.shapes:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            seeds = range(options.seed, options.seed + options.runs)
            told = pd.DataFrame([run(shape, seed) for seed in seeds])
        mean, error = told.mean(), told["false"].sem()
        rows.append(
            {
                "model": shape,
                "runs": str(options.runs),
                "no pattern": f"{(told['patterns'] == 0).mean():.0%}",
                "patterns": f"{mean['patterns']:.1f}",
                "claims": f"{mean['claims']:.2f}",
                "false": f"{mean['false']:.1%} ± {error:.1%}",
                "recovered": f"{mean['recovered']:.0%}" if "planted" in shape else "",
            }
        )
        print(rows[-1], flush=True)
    print(f"\n{as_markdown(pd.DataFrame(rows))}")


if __name__ == "__main__":
    main()
