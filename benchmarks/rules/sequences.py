"""Sequences as codes 0 to 3, motifs planted in them, and one-hot."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

Codes = NDArray[np.int8]
Starts = NDArray[np.int64]

DNA, RNA = "ACGT", "ACGU"
LENGTH = 200
# Eight letters: one occurs by chance in 0.3 % of the sequences of 200 bases.
A, B, C = "GACCTGTA", "TTGCGAAC", "CATGGATC"
K = len(A)


def codes_of(motif: str) -> Codes:
    return np.array(["ACGT".index(x) for x in motif.replace("U", "T")], np.int8)


def minus(motif: str) -> str:
    """The motif on the other strand."""
    return motif.translate(str.maketrans("ACGT", "TGCA"))[::-1]


def random_codes(
    n: int, rng: np.random.Generator, length: int = LENGTH, gc: float = 0.5
) -> Codes:
    at, cg = (1 - gc) / 2, gc / 2
    return rng.choice(4, (n, length), p=[at, cg, cg, at]).astype(np.int8)


def plant(X: Codes, motif: str, starts: Starts, rows: NDArray[np.bool_]) -> None:
    """Write the motif into the rows that are chosen, each at its own start."""
    (chosen,) = np.nonzero(rows)
    columns = starts[chosen, None] + np.arange(len(motif))
    X[chosen[:, None], columns] = codes_of(motif)


def one_hot(X: Codes) -> torch.Tensor:
    """float32, shape=(n, 4, length)."""
    return torch.eye(4)[torch.from_numpy(X.astype(np.int64))].transpose(1, 2)


def two_places(n: int, rng: np.random.Generator) -> tuple[Starts, Starts]:
    """Any two starts that leave 8 bases between both; which of both is left is drawn.

    None lies within 8 bases of an end; every pair of such places is as likely.
    """
    drawn = np.sort(rng.integers(8, LENGTH - 4 * K + 1, (n, 2)), axis=1)
    left, right = drawn[:, 0], drawn[:, 1] + 2 * K
    swap = rng.random(n) < 0.5
    return np.where(swap, right, left), np.where(swap, left, right)
