"""Training, validation and test splits of RNAcompete probes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tangermeme_gia._core.letters import RandomState, as_generator
from tangermeme_gia._core.short import in_short

# The labels a `sets` column may carry: RNAcompete's own design, or a split made
# elsewhere, such as the one stored in the authors' HDF5 files.
DESIGN_SETS = ("A", "B")
PRESPLIT_SETS = ("train", "valid", "test")

# Spellings of labels in files, in lower case and without these separators.
_SEPARATORS = str.maketrans("", "", " _-")
_SPELLINGS = {"a": "A", "seta": "A", "b": "B", "setb": "B"} | {
    label: label for label in PRESPLIT_SETS
}


@in_short
class Split(NamedTuple):
    """Row numbers of each part, ascending and disjoint."""

    train: NDArray[np.int64]
    valid: NDArray[np.int64]
    test: NDArray[np.int64]


def split_sets(
    sets: Sequence[str] | NDArray[np.str_],
    *,
    valid_fraction: float = 0.1,
    random_state: RandomState = 0,
    groups: Sequence[int] | NDArray[np.integer] | None = None,
) -> Split:
    """Which probes train the model, which select it, which are held out?

    Set A of the RNAcompete design is divided at random into training and
    validation; set B is the test set (paper, "RNAcompete"). Labels "train", "valid"
    and "test", as in the authors' HDF5 files, are kept as they are; without any
    "valid", "train" is divided as set A is.

    Parameters
    ----------
    sets: sequence of str, shape=(n,)
        The set of each probe: "A" and "B", or "train", "valid" and "test".

    valid_fraction: float, optional
        Fraction of set A used for validation. Default is 0.1.

    random_state: int, numpy Generator or None, optional
        Seed of the division of set A. Default is 0.

    groups: sequence of int or None, optional
        Probes of one number are not divided, such as those of one sequence; the
        validation set is then as large as it must be to reach its fraction. None
        divides probe by probe. Default is None.

    Returns
    -------
    split: Split
        Row numbers `train`, `valid` and `test`, each ascending.

    Raises
    ------
    ValueError
        If `sets` is not a list of labels, a label is not allowed, the two kinds are
        mixed, or the fraction is not between 0 and 1 or leaves a part of set A empty.

    Examples
    --------
    >>> split = split_sets(["A"] * 10 + ["B"] * 2)
    >>> len(split.train), len(split.valid), split.test
    (9, 1, array([10, 11]))
    """
    labels = np.asarray(sets, dtype=np.str_)
    if labels.ndim != 1:
        raise ValueError(
            f"`sets` has {labels.ndim} dimensions; give one label for each probe."
        )
    found = sorted(set(labels.tolist()))
    if not found:
        raise ValueError("`sets` is empty; nothing to split.")
    check_sets(found)
    if "valid" in found or found == ["test"]:
        return Split(*(np.flatnonzero(labels == part) for part in PRESPLIT_SETS))
    if not 0 < valid_fraction < 1:
        raise ValueError(
            f"`valid_fraction`={valid_fraction} must be above 0 and below 1."
        )
    divided, test = ("train", "test") if "train" in found else DESIGN_SETS
    rows = np.flatnonzero(labels == divided)
    if len(rows) == 0:
        return Split(rows, rows, np.flatnonzero(labels == test))
    own = rows if groups is None else np.asarray(groups)[rows]
    _, which, sizes = np.unique(own, return_inverse=True, return_counts=True)
    order = as_generator(random_state).permutation(np.arange(len(sizes)))
    n_valid = round(len(rows) * valid_fraction)
    n_groups = int(np.searchsorted(sizes[order].cumsum(), n_valid)) + 1
    if n_valid == 0 or n_groups >= len(sizes):
        raise ValueError(
            f"`valid_fraction`={valid_fraction} of {len(rows)} probes of set "
            f"{divided} leaves no probe for training or for validation."
        )
    held_out = np.isin(which, order[:n_groups])
    return Split(rows[~held_out], rows[held_out], np.flatnonzero(labels == test))


def check_sets(found: Collection[str]) -> None:
    """Raise unless labels are all of one of the two kinds."""
    if not (set(found) <= set(DESIGN_SETS) or set(found) <= set(PRESPLIT_SETS)):
        raise ValueError(
            f"`sets` holds {sorted(found)}; allowed are either 'A' and 'B' or "
            "'train', 'valid' and 'test'."
        )


def standard_sets(
    labels: Sequence[str], place: Callable[[int], str]
) -> NDArray[np.str_]:
    """Read set labels as files spell them: "SetA", "Set A", "set_a" are "A".

    Parameters
    ----------
    labels: sequence of str, shape=(n,)
        Labels of "A" and "B", or of "train", "valid" and "test", in any case.

    place: callable
        Turns a row number into where that row is, for errors.

    Returns
    -------
    sets: numpy.ndarray, shape=(n,)
        "A" and "B", or "train", "valid" and "test".

    Raises
    ------
    ValueError
        If a label is none of these, or the two kinds are mixed, naming the place.

    Examples
    --------
    >>> standard_sets(["SetA", "b"], place=lambda row: f"line {row + 1}").tolist()
    ['A', 'B']
    """
    known = {
        label: _SPELLINGS.get(label.lower().translate(_SEPARATORS))
        for label in set(labels)
    }
    kinds = {label: name in PRESPLIT_SETS for label, name in known.items()}
    for row, label in enumerate(labels):
        if known[label] is None:
            raise ValueError(
                f"{place(row)}: {label!r} is not a set; sets are 'A' and 'B' (also "
                "'SetA', 'Set A') or 'train', 'valid' and 'test'."
            )
        if kinds[label] != kinds[labels[0]]:
            raise ValueError(
                f"{place(row)}: {label!r} after {labels[0]!r}; sets are either 'A' and "
                "'B' or 'train', 'valid' and 'test'."
            )
    return np.array([known[label] for label in labels], dtype=np.str_)


def constant_sets(set_label: str, n: int) -> NDArray[np.str_]:
    """The same label n times; an error calls it `set_label`."""
    return np.repeat(standard_sets([set_label], lambda _: "`set_label`"), n)
