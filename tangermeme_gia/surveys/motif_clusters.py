"""Similar motifs, of which the first of an order stands for the others."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from .._core.letters import DNA, RNA
from .._core.motif import Motif
from ..motifs.database import similarities


def representatives(
    order: Sequence[int] | NDArray[np.intp], q: NDArray[np.float64], similar: float
) -> NDArray[np.intp]:
    """Which motif stands for each: the first in the order that it is similar to.

    Every motif is similar to the one that stands for it, and not only to another that
    is, so that no chain of small steps joins two that are unlike.

    Parameters
    ----------
    order: sequence of int
        All motifs, best first.

    q: numpy.ndarray, shape=(n, n)
        q values of their similarities.

    similar: float
        Below it, in both directions, two motifs are similar.

    Returns
    -------
    first: numpy.ndarray of int, shape=(n,)

    Examples
    --------
    >>> q = np.array([[0, 0.001, 1], [0.001, 0, 0.001], [1, 0.001, 0]])
    >>> representatives([2, 0, 1], q, 0.01)
    array([0, 2, 2])
    """
    alike = np.maximum(q, q.T) < similar
    first = np.full(len(q), -1)
    for motif in order:
        if first[motif] < 0:
            first[alike[motif] & (first < 0)] = motif
            first[motif] = motif
    return first


@lru_cache(maxsize=2)
def similarity(motifs: tuple[Motif, ...]) -> NDArray[np.float64]:
    """q values of TOMTOM of every motif against every other; 1 for other alphabets.

    DNA is compared with both strands. Of fewer than 25 motifs the p values depend on
    which these are, as memelite warns; there is no other background to take.
    """
    letters = motifs[0].alphabet
    if letters not in (DNA, RNA):
        return 1 - np.eye(len(motifs))
    matrices = [np.where(m.ppm.any(axis=0), m.ppm, 0.25) for m in motifs]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "tomtom was given", UserWarning)
        _, q, *_ = similarities(matrices, matrices, letters == DNA)
    return q
