"""k-mers of one-hot sequences as numbers, and how they go along with scores."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from tangermeme_gia._core.letters import RNA

Values = NDArray[np.float64]


def window_codes(X: torch.Tensor, k: int) -> torch.Tensor:
    """The k-mer at each position, as a number.

    Parameters
    ----------
    X: torch.Tensor, shape=(n, 4 or more, length)
        One-hot sequences.

    k: int
        Bases of a k-mer.

    Returns
    -------
    codes: torch.Tensor, shape=(n, length - k + 1), dtype=torch.int64
        The k-mer's place in the order of the alphabet, A, C, G, U; 4 ** k where a
        column is zero, as padding and N are.

    Examples
    --------
    >>> X = torch.eye(4)[[0, 1, 3]].T[None]
    >>> window_codes(X, 2)
    tensor([[1, 7]])
    """
    letters = X[:, : len(RNA)]
    digits, known = letters.argmax(dim=1), letters.amax(dim=1) > 0.5
    n_windows = X.shape[2] - k + 1
    codes, whole = torch.zeros_like(digits[:, :n_windows]), known[:, :n_windows]
    for i in range(k):
        codes = 4 * codes + digits[:, i : i + n_windows]
        whole = whole & known[:, i : i + n_windows]
    return codes.masked_fill(~whole, 4**k)


def kmer_counts(X: torch.Tensor, k: int) -> sp.csr_matrix:
    """How often each k-mer is in each sequence, shape=(n, 4 ** k)."""
    codes = window_codes(X, k).cpu().numpy()
    rows, windows = np.nonzero(codes < 4**k)
    ones = np.ones(len(rows), dtype=np.float32)
    shape = (len(codes), 4**k)
    return sp.csr_matrix((ones, (rows, codes[rows, windows])), shape=shape)


def kmer_correlations(X: torch.Tensor, y: torch.Tensor, k: int) -> Values:
    """Pearson correlation of each k-mer's count with the scores, shape=(4 ** k,).

    0 for k-mers that are equally often in all sequences.
    """
    counts = kmer_counts(X, k)
    scores = y.double().numpy().ravel()
    scores = (scores - scores.mean()) / scores.std()
    n = len(scores)
    mean = np.asarray(counts.mean(axis=0)).ravel()
    square = np.asarray(counts.multiply(counts).mean(axis=0)).ravel()
    deviation = np.sqrt(np.maximum(square - mean**2, 0))
    products = np.asarray(counts.T @ scores).ravel() / n
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(deviation > 0, products / deviation, 0.0)


def letters_of(code: int, k: int) -> list[int]:
    """The channels of a k-mer's letters."""
    return [code // 4 ** (k - 1 - i) % 4 for i in range(k)]
