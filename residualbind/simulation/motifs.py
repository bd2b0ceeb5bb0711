"""A protein's motif as letters, probabilities (PPM) or log-odds (PWM)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tangermeme_gia._core.letters import GAP_LETTER, RNA

# Pseudo-probability that keeps the log-odds of a letter never seen finite.
_PSEUDO = 0.01

Motif = str | Sequence[Sequence[float]] | NDArray[Any] | torch.Tensor
Matrix = NDArray[np.float64]


def parse_motif(motif: Motif) -> str | tuple[tuple[float, ...], ...]:
    """Check a motif and bring it into a form that can be compared and saved.

    Parameters
    ----------
    motif: str or array-like, shape=(4, length)
        Letters A, C, G, U (or T) and N in either case, or a matrix in the row order
        A, C, G, U: probabilities, whose columns sum to 1, or log-odds.

    Returns
    -------
    motif: str or tuple of tuple of float
        Upper-case letters with U, or the matrix row by row.

    Raises
    ------
    TypeError, ValueError
        If the letters or the matrix are not a motif; counts are not.

    Examples
    --------
    >>> parse_motif("tgcatg")
    'UGCAUG'
    """
    if isinstance(motif, str):
        return _parse_letters(motif)
    if isinstance(motif, torch.Tensor):
        motif = motif.detach().cpu().numpy()
    try:
        matrix = np.array([[float(value) for value in row] for row in motif])
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"`motif` of type {type(motif).__name__} must be a string or a matrix of "
            "numbers of shape (4, length)."
        ) from error
    _check_matrix(matrix)
    return tuple(tuple(float(value) for value in row) for row in matrix)


def motif_log_odds(motif: Motif) -> Matrix:
    """How much does each letter speak for a site, in bits, shape=(4, length)?

    Probabilities are compared with equal base frequencies, after a pseudo-probability
    of 0.01 per letter. A string's letters count 1 each, so that the sum over a window
    is its number of matches.
    """
    if isinstance(motif, str):
        rows = [[float(letter == base) for letter in motif] for base in RNA]
        return np.array(rows)
    matrix = np.asarray(motif, dtype=np.float64)
    if not _is_ppm(matrix):
        return matrix
    return np.asarray(np.log2((matrix + _PSEUDO) / (1 + 4 * _PSEUDO) / 0.25))


def motif_probabilities(motif: Motif) -> Matrix:
    """Which letters does a bound site have, shape=(4, length)?

    Log-odds are turned into probabilities with equal base frequencies.
    """
    log_odds = motif_log_odds(motif)
    if isinstance(motif, str):
        # One letter is certain, or all four are equally likely at an N.
        return np.where(log_odds.sum(axis=0) == 0, 0.25, log_odds)
    matrix = np.asarray(motif, dtype=np.float64)
    odds = matrix if _is_ppm(matrix) else np.exp2(log_odds)
    return np.asarray(odds / odds.sum(axis=0))


def _parse_letters(motif: str) -> str:
    letters = motif.upper().replace("T", "U")
    if set(letters) - {*RNA, GAP_LETTER} or not set(letters) & set(RNA):
        raise ValueError(
            f"`motif`={motif!r} must consist of A, C, G, U (or T) and N, with at least "
            "one letter that is not N."
        )
    return letters


def _check_matrix(matrix: Matrix) -> None:
    if matrix.ndim != 2 or matrix.shape[0] != len(RNA) or matrix.shape[1] == 0:
        hint = "; it looks transposed" if matrix.shape[1:] == (len(RNA),) else ""
        raise ValueError(
            f"`motif` has shape {matrix.shape}; a matrix must have shape (4, length), "
            f"rows in the order A, C, G, U{hint}."
        )
    if not np.isfinite(matrix).all():
        raise ValueError("`motif` has values that are NaN or infinite.")
    if not _is_ppm(matrix) and matrix.min() >= 0:
        raise ValueError(
            "`motif` is neither probabilities (each column sums to 1) nor log-odds "
            "(which are negative somewhere); divide counts by their column sums."
        )
    if matrix.max(axis=0).sum() <= 0 or np.ptp(matrix, axis=0).max() == 0:
        raise ValueError(
            "`motif` has no best letter at any position, or none with log-odds above 0."
        )


def _is_ppm(matrix: Matrix) -> bool:
    sums = matrix.sum(axis=0)
    return bool(matrix.min() >= 0 and np.allclose(sums, 1, rtol=0, atol=1e-3))
