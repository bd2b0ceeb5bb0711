"""Training, validation and test splits of RNAcompete probes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# The labels a `sets` column may carry: RNAcompete's own design, or a split made
# elsewhere, such as the one stored in the authors' HDF5 files.
DESIGN_SETS = ("A", "B")
PRESPLIT_SETS = ("train", "valid", "test")


class Split(NamedTuple):
    """Row numbers of each part, ascending and disjoint."""

    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    test: NDArray[np.int64]


def split_sets(
    sets: Sequence[str] | NDArray[np.str_],
    *,
    valid_fraction: float = 0.1,
    random_state: int = 0,
) -> Split:
    """Which probes train the model, which select it, which are held out?

    Set A of the RNAcompete design is divided at random into training and
    validation; set B is the test set (paper, "RNAcompete"). Labels "train", "valid"
    and "test", as in the authors' HDF5 files, are kept as they are.

    Parameters
    ----------
    sets: sequence of str, shape=(n,)
        The set of each probe: "A" and "B", or "train", "valid" and "test".

    valid_fraction: float, optional
        Fraction of set A used for validation. Default is 0.1.

    random_state: int, optional
        Seed of the division of set A. Default is 0.

    Returns
    -------
    split: Split
        Row numbers `train`, `valid` and `test`, each ascending.

    Raises
    ------
    ValueError
        If a label is not allowed, the two kinds are mixed, or the fraction is not
        between 0 and 1 or leaves a part of set A empty.

    Examples
    --------
    >>> split = split_sets(["A"] * 10 + ["B"] * 2)
    >>> len(split.train), len(split.valid), split.test
    (9, 1, array([10, 11]))
    """
    labels = np.asarray(sets, dtype=np.str_)
    found = sorted(set(labels.tolist()))
    if not found:
        raise ValueError("`sets` is empty; nothing to split.")
    if set(found) <= set(PRESPLIT_SETS):
        return Split(*(np.flatnonzero(labels == part) for part in PRESPLIT_SETS))
    if not set(found) <= set(DESIGN_SETS):
        raise ValueError(
            f"`sets` holds {found}; allowed are either 'A' and 'B' or 'train', "
            "'valid' and 'test'."
        )
    if not 0 < valid_fraction < 1:
        raise ValueError(
            f"`valid_fraction`={valid_fraction} must be above 0 and below 1."
        )
    set_a = np.flatnonzero(labels == "A")
    n_valid = round(len(set_a) * valid_fraction)
    if len(set_a) and not 0 < n_valid < len(set_a):
        raise ValueError(
            f"`valid_fraction`={valid_fraction} of {len(set_a)} probes of set A leaves "
            "no probe for training or for validation."
        )
    shuffled = np.random.default_rng(random_state).permutation(set_a)
    return Split(
        train=np.sort(shuffled[n_valid:]),
        valid=np.sort(shuffled[:n_valid]),
        test=np.flatnonzero(labels == "B"),
    )
