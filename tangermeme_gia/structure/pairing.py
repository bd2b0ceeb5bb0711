"""Sequences that fold: which pairs of a structure are formed, and forming them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from tangermeme.utils import PackedSequence

from .._core.letters import DNA, check_sequences
from .pairs import Pairs, complementary_bases


def forms_pairs(
    X: torch.Tensor | PackedSequence,
    pairs: ArrayLike,
    *,
    alphabet: Sequence[str] = DNA,
    wobble: bool = False,
) -> torch.Tensor:
    """Do the letters at given positions complement each other?

    Parameters
    ----------
    X: torch.Tensor, shape=(-1, len(alphabet), length), or PackedSequence
        One-hot sequences; padding (a zero column) pairs with nothing.

    pairs: array-like of int, shape=(n_pairs, 2)
        0-based positions (i, j), i < j, of each pair, as from `pair_indices`.

    alphabet: list or tuple of str, optional
        A, C, G and one of T and U. Default is ("A", "C", "G", "T").

    wobble: bool, optional
        Whether G also pairs with U (or T). Default is False.

    Returns
    -------
    formed: torch.Tensor of bool, shape=(-1, n_pairs)
        Whether each pair is formed in each sequence, on the device of `X`.

    Raises
    ------
    TypeError, ValueError
        If `X` is not one-hot with a channel per letter, a position lies outside it or
        pairs twice, or the alphabet has no complementary bases.

    Examples
    --------
    >>> from tangermeme.utils import one_hot_encode
    >>> rna = ("A", "C", "G", "U")
    >>> X = one_hot_encode("GAAAU", alphabet=rna)[None]
    >>> forms_pairs(X, [[0, 4]], alphabet=rna).tolist()
    [[False]]
    >>> forms_pairs(X, [[0, 4]], alphabet=rna, wobble=True).tolist()
    [[True]]
    """
    check_sequences(X, alphabet)
    i, j = _check_pairs(pairs, X.shape[-1]).T
    one_hot = X.to_one_hot() if isinstance(X, PackedSequence) else X
    return _formed(one_hot[:, :, i], one_hot[:, :, j], alphabet, wobble)


def impose_pairs(
    X: torch.Tensor | PackedSequence,
    pairs: ArrayLike,
    *,
    keep: Iterable[int] = (),
    alphabet: Sequence[str] = DNA,
    wobble: bool = False,
) -> torch.Tensor:
    """What do sequences look like once they fold into a given structure?

    A pair that is already formed stays. Otherwise the right base becomes the
    Watson-Crick complement of the left one, unless the right base is among the
    positions to `keep`: then the left base is made to complement it. So a motif
    placed in either arm of a stem carries its compensating partner.

    Parameters
    ----------
    X: torch.Tensor, shape=(-1, len(alphabet), length), or PackedSequence
        One-hot sequences. They are not changed.

    pairs: array-like of int, shape=(n_pairs, 2)
        0-based positions (i, j), i < j, of each pair, as from `pair_indices`.

    keep: iterable of int, optional
        0-based positions whose letters must stay, such as those of a placed motif.
        Default is ().

    alphabet: list or tuple of str, optional
        A, C, G and one of T and U. Default is ("A", "C", "G", "T").

    wobble: bool, optional
        Whether a G-U (or G-T) pair counts as formed. Default is False.

    Returns
    -------
    Y: torch.Tensor, shape=(-1, len(alphabet), length)
        Sequences in which every pair is formed, in the dtype and on the device of
        `X`; int8 on the CPU for a PackedSequence.

    Raises
    ------
    TypeError, ValueError
        If `X` is not one-hot with a channel per letter, a position lies outside it or
        pairs twice, padding (a zero column) lies in the stem, or both sides of a pair
        are kept and do not complement each other.

    Examples
    --------
    >>> from tangermeme.utils import characters, one_hot_encode
    >>> X = one_hot_encode("ACTTTAA")[None]
    >>> characters(impose_pairs(X, [[0, 6], [1, 5]])[0])
    'ACTTTGT'
    >>> characters(impose_pairs(X, [[0, 6], [1, 5]], keep=[5, 6])[0])
    'TTTTTAA'
    """
    check_sequences(X, alphabet)
    checked = _check_pairs(pairs, X.shape[-1])
    kept = _check_positions(keep, X.shape[-1])
    i, j = checked.T
    Y = X.to_one_hot() if isinstance(X, PackedSequence) else X.clone()
    left, right = Y[:, :, i], Y[:, :, j]
    padded = torch.stack([left.sum(dim=1), right.sum(dim=1)], dim=2) == 0
    check_no_padding(padded.cpu().numpy(), checked, np.arange(len(Y)))
    formed = _formed(left, right, alphabet, wobble)
    _check_kept(formed, checked, kept)
    partners, letters = complementary_bases(alphabet), list(alphabet)
    complement = [letters.index(partners[letter][0]) for letter in letters]
    left_follows = ~formed[:, None] & torch.from_numpy(kept[j]).to(Y.device)
    right_follows = ~formed[:, None] & ~left_follows
    Y[:, :, j] = torch.where(right_follows, left[:, complement], right)
    Y[:, :, i] = torch.where(left_follows, right[:, complement], left)
    return Y


def check_no_padding(
    padded: NDArray[np.bool_], pairs: Pairs, rows: NDArray[np.int64] | None
) -> None:
    """Raise if a base that is to pair is not there.

    Parameters
    ----------
    padded: numpy.ndarray of bool, shape=(n, n_pairs, 2)
        Whether each side of each pair has no letter.

    pairs: numpy.ndarray, shape=(n_pairs, 2)
        The positions of the sides.

    rows: numpy.ndarray or None, shape=(n,)
        Which sequences of `X` these are; None if they are drawn from a profile.

    Raises
    ------
    ValueError
        That names the first one.
    """
    if not padded.any():
        return
    sequence, pair, side = np.argwhere(padded)[0].tolist()
    where = "" if rows is None else f"in sequence {rows[sequence]} "
    raise ValueError(
        f"`X` has padding (a zero column) {where}at position {pairs[pair, side]}, "
        f"which the structure pairs with position {pairs[pair, 1 - side]}; leave such "
        "sequences out or move the stem."
    )


def _formed(
    left: torch.Tensor, right: torch.Tensor, alphabet: Sequence[str], wobble: bool
) -> torch.Tensor:
    letters = list(alphabet)
    formed = torch.zeros_like(left[:, 0], dtype=torch.bool)
    for letter, partners in complementary_bases(alphabet, wobble).items():
        for partner in partners:
            is_pair = left[:, letters.index(letter)] * right[:, letters.index(partner)]
            formed |= is_pair == 1
    return formed


def _check_pairs(pairs: ArrayLike, length: int) -> Pairs:
    array = np.asarray(pairs)
    if array.size == 0:
        return np.zeros((0, 2), dtype=np.int64)
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iu":
        raise ValueError(
            f"`pairs` has shape {array.shape} and dtype {array.dtype}; it must be "
            "integers of shape (n_pairs, 2)."
        )
    if array.min() < 0 or array.max() >= length:
        raise ValueError(
            f"`pairs` names positions {array.min()} to {array.max()}, but `X` has "
            f"positions 0 to {length - 1}."
        )
    for i, j in array.tolist():
        if i >= j:
            raise ValueError(f"`pairs` holds ({i}, {j}); the first must be below.")
    positions, counts = np.unique(array, return_counts=True)
    if (counts > 1).any():
        raise ValueError(
            f"`pairs` names position {positions[counts > 1][0]} more than once."
        )
    return array.astype(np.int64)


def _check_positions(positions: Iterable[int], length: int) -> NDArray[np.bool_]:
    """Flag the given positions of a sequence."""
    flags = np.zeros(length, dtype=np.bool_)
    for position in positions:
        if isinstance(position, bool) or not isinstance(position, int | np.integer):
            raise TypeError(
                f"`keep` holds {position!r}; it must hold 0-based positions."
            )
        if not 0 <= position < length:
            raise ValueError(
                f"`keep` names position {position}, but `X` has positions 0 to "
                f"{length - 1}."
            )
        flags[position] = True
    return flags


def _check_kept(formed: torch.Tensor, pairs: Pairs, kept: NDArray[np.bool_]) -> None:
    both = torch.from_numpy(kept[pairs].all(axis=1)).to(formed.device)
    clash = both & ~formed
    if clash.any():
        sequence, pair = clash.nonzero()[0].tolist()
        i, j = pairs[pair]
        raise ValueError(
            f"`keep` holds both sides of the pair ({i}, {j}), whose letters do not "
            f"complement each other in sequence {sequence}."
        )
