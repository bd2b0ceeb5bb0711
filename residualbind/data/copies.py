"""Probes of one sequence: found, kept on one side of a split, counted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tangermeme_gia._core.letters import RNA

from .splits import Split


def first_copies(X: torch.Tensor) -> NDArray[np.int64]:
    """The row number of the first probe that has each probe's sequence.

    Examples
    --------
    >>> from residualbind.data.encoding import encode_sequences
    >>> first_copies(encode_sequences(["ACGU", "GGA", "acgt"])).tolist()
    [0, 1, 0]
    """
    bases = X[:, : len(RNA)].detach().cpu().to(torch.int8)
    letters = bases.argmax(dim=1).add(1).mul(bases.amax(dim=1)).to(torch.int8)
    rows = np.ascontiguousarray(letters.numpy())
    if rows.size == 0:
        return np.zeros(len(rows), dtype=np.int64)
    texts = rows.view(np.dtype((np.void, rows.shape[1])))[:, 0]
    _, first, which = np.unique(texts, return_index=True, return_inverse=True)
    return np.asarray(first[which], dtype=np.int64)


class Copies(NamedTuple):
    """Which probes of a part, as a mask, are copies of one of a part before."""

    train: NDArray[np.bool_]
    valid: NDArray[np.bool_]
    test: NDArray[np.bool_]


def copies_in(split: Split, groups: NDArray[np.int64]) -> Copies:
    """Find the copies of a split, given the first copy of each probe."""
    before_test = np.concatenate([split.train, split.valid])
    return Copies(
        train=np.zeros(len(split.train), dtype=bool),
        valid=np.isin(groups[split.valid], groups[split.train]),
        test=np.isin(groups[split.test], groups[before_test]),
    )
