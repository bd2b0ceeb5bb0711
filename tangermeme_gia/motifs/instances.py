"""Where motifs stand in sequences, by their letters alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from memelite.fimo import fimo
from numpy.typing import NDArray

from .._core.letters import GAP, Codes, one_hot
from .._core.threads import kept_threads

Values = NDArray[np.float64]

# Bits between the best letter of a position and others that count as good as it: the
# width of FIMO's bins.
_BIN = 0.1
# What FIMO adds to probabilities.
_EPSILON = 1e-4
_RENAMED = {
    "sequence_name": "example_idx",
    "start": "start",
    "end": "end",
    "strand": "strand",
    "score": "score",
    "p-value": "p_value",
}
_TYPES = {
    **dict.fromkeys(("example_idx", "start", "end"), np.int64),
    **dict.fromkeys(("score", "p_value"), np.float64),
}


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
    X = one_hot(codes, 4).numpy()
    parts = [_as_table("", pd.DataFrame(columns=[*_RENAMED]))]
    for name, ppm in motifs.items():
        if ppm.shape[1] > codes.shape[1]:
            continue
        best = max(threshold, _probability_of_best(ppm) * (1 + 1e-6))
        with kept_threads():
            (hits,) = fimo(
                {name: ppm},
                X,
                threshold=best,
                eps=_EPSILON,
                reverse_complement=both_strands,
            )
        parts.append(_without_overlap(_as_table(name, hits), codes))
    whole: pd.DataFrame = pd.concat(parts, ignore_index=True)
    return whole


def _probability_of_best(ppm: Values) -> float:
    """How likely uniform letters are as good as the best that a motif can have."""
    bits = np.log2(ppm + _EPSILON)
    equal = (bits >= bits.max(axis=0) - _BIN).sum(axis=0)
    return float(np.prod(equal / len(ppm)))


def _as_table(name: str, hits: pd.DataFrame) -> pd.DataFrame:
    """Hits of one motif with our names, best first."""
    table = hits.rename(columns=_RENAMED)[list(_RENAMED.values())].astype(_TYPES)
    table.insert(0, "pattern", np.full(len(table), name, dtype=object))
    order = np.lexsort((table["start"], table["example_idx"], -table["score"]))
    best_first: pd.DataFrame = table.iloc[order]
    return best_first


def _without_overlap(hits: pd.DataFrame, codes: Codes) -> pd.DataFrame:
    """The best of those that overlap, in the order of sequences."""
    taken = codes == GAP
    kept = []
    for i, (row, start, end) in enumerate(
        hits[["example_idx", "start", "end"]].to_numpy()
    ):
        if not taken[row, start:end].any():
            taken[row, start:end] = True
            kept.append(i)
    in_order: pd.DataFrame = hits.iloc[kept].sort_values(["example_idx", "start"])
    return in_order
