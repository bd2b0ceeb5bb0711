"""How often does `discover_motifs` claim what is not there?

Models whose output is a number drawn for each sequence: placing or removing a motif
changes it by chance alone. Eight 7-mers are tested on 100 sequences that hold two of
them each, so that all sixteen tests are of nothing, and any claim is false. Of all
runs a share of at most `alpha` may have one. Writes `results/discovery.md`.

    python benchmarks/discovery.py [RUNS]
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
import torch
from tangermeme.utils import one_hot_encode

from tangermeme_gia import discover_motifs

LENGTH, N, N_PATTERNS, ALPHA = 60, 100, 8, 0.05
SHAPES = {
    "normal": torch.special.ndtri,
    "exponential": lambda u: -torch.log1p(-u),
    "0 or 1": lambda u: (u > 0.5).to(u.dtype),
}


class Noise(torch.nn.Module):
    """A number of some distribution for each sequence, whatever it holds."""

    def __init__(self, shape: str, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        weight = torch.rand(4 * LENGTH, generator=generator, dtype=torch.float64)
        self.weight, self.shape = weight, SHAPES[shape]

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Numbers, shape=(n, 1)."""
        total = X.flatten(1).to(torch.float64) @ self.weight
        uniform = (1e5 * total) % 1
        return self.shape(uniform.clamp(1e-9, 1 - 1e-9))[:, None]


def claims(shape: str, seed: int) -> int:
    """False claims of one run."""
    rng = np.random.default_rng(seed)
    words = ["".join(rng.choice(list("ACGT"), 7)) for _ in range(N_PATTERNS)]
    sequences = []
    for i in range(N):
        letters = "".join(rng.choice(list("ACGT"), LENGTH))
        for start, word in ((10, words[i % 8]), (35, words[(i + 1) % 8])):
            letters = letters[:start] + word + letters[start + 7 :]
        sequences.append(one_hot_encode(letters))
    given = {f"p{i}": word for i, word in enumerate(words)}
    X = torch.stack(sequences)
    found = discover_motifs(Noise(shape, seed), X, motifs=given, random_state=seed)
    q = found.to_frame(alpha=ALPHA)[["placed_q", "removed_q"]].to_numpy()
    assert np.isfinite(q).all()
    return int((q < ALPHA).sum())


def main() -> None:
    """Run, and write a row for each distribution."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    lines = [
        "| output | runs | with a false claim | standard error |",
        "|---|---|---|---|",
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for shape in SHAPES:
            share = np.mean([claims(shape, seed) > 0 for seed in range(runs)])
            error = np.sqrt(share * (1 - share) / runs)
            lines.append(f"| {shape} | {runs} | {share:.1%} | {error:.1%} |")
            print(lines[-1], flush=True)
    path = Path(__file__).parent / "results" / "discovery.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
