"""Where motifs stand in sequences, by their letters alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from memelite import fimo
from numpy.typing import NDArray

from .._core.letters import GAP, Codes, one_hot

Values = NDArray[np.float64]

# Bits between the best letter of a position and others that count as good as it: the
# width of FIMO's bins.
_BIN = 0.1
# What FIMO adds to probabilities.
_EPSILON = 1e-4


def find_instances(
    motifs: Mapping[str, Values],
    codes: Codes,
    *,
    both_strands: bool,
    threshold: float = 1e-4,
) -> pd.DataFrame:
    """Where does each motif stand?

    FIMO, as memelite implements it, against uniform letters. A motif too short for
    `threshold` is found where its letters are the best. Instances of a motif do not
    overlap: the better one stays, of equal ones the first. None holds padding or N.

    Parameters
    ----------
    motifs: mapping of str to numpy.ndarray, shape=(4, length)
        Probabilities.

    codes: numpy.ndarray, dtype=int8, shape=(n, length)
        Letters of the sequences, -1 for padding and N.

    both_strands: bool
        Whether to look at the other strand, too.

    threshold: float, optional
        p value below which letters are an instance. Default is 1e-4.

    Returns
    -------
    instances: pandas.DataFrame
        `pattern`, `example_idx`, `start`, `end` (exclusive), `strand`, `score` (bits)
        and `p_value`, in the order of motifs and sequences.

    Examples
    --------
    >>> codes = np.array([[0, 2, 0, 3, 0, 0, 1]], dtype=np.int8)  # AGATAAC
    >>> gataa = np.eye(4)[:, [2, 0, 3, 0, 0]]
    >>> find_instances({"GATA": gataa}, codes, both_strands=True).iloc[:, :5]
      pattern  example_idx  start  end strand
    0    GATA            0      1    6      +
    """
    X = one_hot(codes, 4).numpy().transpose(0, 2, 1) if codes.ndim == 3 else None
    X = _as_array(codes)
    parts = [_empty()]
    for name, ppm in motifs.items():
        if ppm.shape[1] > codes.shape[1]:
            continue
        best = max(threshold, _probability_of_best(ppm) * (1 + 1e-6))
        (hits,) = fimo.fimo(
            {name: ppm}, X, threshold=best, eps=_EPSILON, reverse_complement=both_strands
        )
        parts.append(_without_overlap(_as_table(name, hits), codes))
    whole: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return whole
