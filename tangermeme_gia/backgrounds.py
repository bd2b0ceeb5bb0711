"""Samplers of backgrounds: sequences to average a motif's surroundings over.

A background approximates the distribution of the data without the features in
question. Robust conclusions hold under several of them (paper, "approximate data
distributions").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from tangermeme.utils import PackedSequence

from tangermeme_gia._codes import (
    DRAW_STREAM,
    Codes,
    as_array,
    check_count,
    check_observed,
    generator,
    observed_codes,
    one_hot,
)
from tangermeme_gia.pairing import impose_pairs
from tangermeme_gia.shuffles import (
    dinucleotide_shuffled_background,
    shuffled_background,
    template_rows,
)
from tangermeme_gia.structure import (
    PAPER_HAIRPIN,
    Hairpin,
    complementary_bases,
    pair_indices,
)
from tangermeme_gia.subsets import filtered_background, quantile_background

__all__ = [
    "background_names",
    "composition_background",
    "dinucleotide_shuffled_background",
    "filtered_background",
    "hairpin_background",
    "profile_background",
    "quantile_background",
    "sample_background",
    "shuffled_background",
    "template_rows",
]

Frequencies = NDArray[np.float64]

_QUARTILES = {f"quartile{i}": i for i in (1, 2, 3, 4)}
_NAMES = ("profile", "shuffle", "dinucleotide", *_QUARTILES)


def profile_background(
    X: torch.Tensor | PackedSequence | NDArray[Any],
    n: int = 1000,
    random_state: int | None = None,
) -> torch.Tensor:
    """What would sequences look like that share only each position's frequencies?

    Every position is drawn independently of all others from the mean frequencies of
    the letters at that position.

    Parameters
    ----------
    X: torch.Tensor, shape=(-1, alphabet, length), or PackedSequence
        Observed one-hot sequences; or a profile, a tensor or array of shape
        (alphabet, length) whose columns sum to at most 1.

    n: int, optional
        Sequences to draw. Default is 1000.

    random_state: int or None, optional
        Seed; None draws anew. The first sequences of a seed are the same for every
        `n`. Default is None.

    Returns
    -------
    background: torch.Tensor, dtype=int8, shape=(n, alphabet, length)
        On the device of `X`; on the CPU for a PackedSequence or an array.

    Raises
    ------
    TypeError, ValueError
        If `X` is neither a batch of one-hot sequences nor a profile, or `n` is not at
        least 1.

    Notes
    -----
    Approximate data distribution (1) of the paper. A column of padded sequences, or
    of their profile, sums to less than 1; the deficit is the frequency of padding
    and N. Letters are drawn given that there is one, so that background sequences
    have the full length, and have padding only where every observed sequence has.

    Examples
    --------
    >>> profile = torch.tensor([[0.5, 1.0], [0.5, 0.0], [0.0, 0.0], [0.0, 0.0]])
    >>> profile_background(profile, n=3, random_state=0)[:, 0, 1].tolist()
    [1, 1, 1]
    """
    check_count("n", n)
    is_profile = not isinstance(X, PackedSequence) and np.ndim(X) == 2
    device = X.device if isinstance(X, torch.Tensor) else "cpu"
    profile = _as_profile(X) if is_profile else _observed_profile(X)
    codes = _draw(profile, n, generator(random_state, DRAW_STREAM))
    return one_hot(codes, len(profile), device)


def composition_background(
    frequencies: ArrayLike | torch.Tensor,
    n: int = 1000,
    length: int = 41,
    random_state: int | None = None,
) -> torch.Tensor:
    """What would sequences look like that share only a base composition?

    Every position of every sequence is drawn from the same frequencies.

    Parameters
    ----------
    frequencies: array-like, shape=(alphabet,)
        Frequency of each letter, in the order of the alphabet, with a sum of 1.

    n: int, optional
        Sequences to draw. Default is 1000.

    length: int, optional
        Bases of each sequence. Default is 41.

    random_state: int or None, optional
        Seed; None draws anew. The first sequences of a seed are the same for every
        `n`. Default is None.

    Returns
    -------
    background: torch.Tensor, dtype=int8, shape=(n, alphabet, length)
        On the CPU.

    Raises
    ------
    TypeError, ValueError
        If the frequencies are negative or do not sum to 1, or a number is not an
        integer of at least 1.

    Examples
    --------
    >>> background = composition_background([0.2, 0.3, 0.3, 0.2], n=10, length=50)
    >>> background.shape
    torch.Size([10, 4, 50])
    """
    check_count("n", n)
    check_count("length", length)
    column = as_array(frequencies)
    if column.ndim != 1 or not column.size or not (column >= 0).all():
        raise ValueError(
            f"`frequencies`={column.tolist()} must be one number of at least 0 per "
            "letter."
        )
    if not np.isclose(column.sum(), 1, rtol=0, atol=1e-3):
        raise ValueError(f"`frequencies` sum to {column.sum():.6g}; 1 is needed.")
    profile = np.repeat(column[:, None], length, axis=1)
    codes = _draw(profile, n, generator(random_state, DRAW_STREAM))
    return one_hot(codes, len(column))


def hairpin_background(
    n: int = 1000,
    length: int | None = None,
    *,
    X: torch.Tensor | PackedSequence | NDArray[Any] | None = None,
    structure: str | Hairpin = PAPER_HAIRPIN,
    alphabet: Sequence[str] = ("A", "C", "G", "T"),
    wobble: bool = False,
    random_state: int | None = None,
) -> torch.Tensor:
    """What would sequences look like that share only a designed stem-loop?

    The sequences are drawn at random, or from `X`; then the right base of every pair
    becomes the Watson-Crick complement of the left one.

    Parameters
    ----------
    n: int, optional
        Sequences to return. Default is 1000.

    length: int or None, optional
        Bases of each sequence; None is the length of `X` or of a dot-bracket
        `structure`, else 41. Default is None.

    X: torch.Tensor, shape=(-1, len(alphabet), length), PackedSequence or None, optional
        Sequences that serve as templates (see `template_rows`), or a profile, shape
        (len(alphabet), length), to draw from (see `profile_background`). None draws
        all letters with equal probability. Default is None.

    structure: str or Hairpin, optional
        A dot-bracket string, or the geometry of a hairpin. Default is the paper's:
        Hairpin(stem_start=5, stem_length=11, loop_length=6).

    alphabet: list or tuple of str, optional
        A, C, G and one of T and U. Default is ("A", "C", "G", "T").

    wobble: bool, optional
        Whether a G-U (or G-T) pair that comes about by chance stays. Default is
        False.

    random_state: int or None, optional
        Seed; None draws anew. Default is None.

    Returns
    -------
    background: torch.Tensor, dtype=int8, shape=(n, len(alphabet), length)
        On the device of `X`; on the CPU without `X`.

    Raises
    ------
    TypeError, ValueError
        If `X` does not fit the alphabet or the length, the structure does not fit the
        length, or a template has padding in the stem.

    Notes
    -----
    Paper, "RNA structure". To fold given sequences in place use `impose_pairs`.

    Examples
    --------
    >>> from tangermeme.utils import characters
    >>> background = hairpin_background(
    ...     n=1, structure="((((...))))", random_state=0
    ... )
    >>> characters(background[0])
    'GAGCTTGGCTC'
    """
    check_count("n", n)
    complementary_bases(alphabet)
    if X is None:
        if length is None:
            length = len(structure) if isinstance(structure, str) else 41
        uniform = np.full(len(alphabet), 1 / len(alphabet))
        unfolded = composition_background(uniform, n, length, random_state)
    elif not isinstance(X, PackedSequence) and np.ndim(X) == 2:
        unfolded = profile_background(X, n, random_state)
    else:
        check_observed(X)
        codes = observed_codes(X, template_rows(len(X), n, random_state))
        unfolded = one_hot(codes, X.shape[1], X.device)
    if length is not None and unfolded.shape[-1] != length:
        raise ValueError(
            f"`length`={length}, but `X` has {unfolded.shape[-1]} positions."
        )
    pairs = pair_indices(structure, unfolded.shape[-1])
    return impose_pairs(unfolded, pairs, alphabet=alphabet, wobble=wobble)


def background_names() -> tuple[str, ...]:
    """Which backgrounds can be chosen by name? The seven of the paper, in its order.

    Examples
    --------
    >>> background_names()[:3]
    ('profile', 'shuffle', 'dinucleotide')
    """
    return _NAMES


def sample_background(
    name: str,
    X: torch.Tensor | PackedSequence,
    n: int = 1000,
    scores: ArrayLike | torch.Tensor | None = None,
    random_state: int | None = None,
) -> torch.Tensor:
    """Draw the background of a given name.

    Parameters
    ----------
    name: str
        One of `background_names()`: "profile", "shuffle", "dinucleotide", "quartile1"
        (the lowest 25 % of the scores) to "quartile4".

    X: torch.Tensor, shape=(-1, alphabet, length), or PackedSequence
        Observed one-hot sequences.

    n: int, optional
        Sequences to draw. Default is 1000.

    scores: array-like, shape=(len(X),), or None, optional
        Experimental score of each sequence, which only the quartiles use and need.
        Default is None.

    random_state: int or None, optional
        Seed; None draws anew. Default is None.

    Returns
    -------
    background: torch.Tensor, dtype=int8, shape=(n, alphabet, length)
        As from the function of that background.

    Raises
    ------
    TypeError, ValueError
        If the name is unknown, a quartile has no scores, or the function raises.

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> X = random_one_hot((20, 4, 41), random_state=0)
    >>> sample_background("dinucleotide", X, n=5).shape
    torch.Size([5, 4, 41])
    """
    if name not in _NAMES:
        raise ValueError(f"`name`={name!r} is not a background; known: {_NAMES}.")
    if name == "profile":
        return profile_background(X, n, random_state)
    if name == "shuffle":
        return shuffled_background(X, n, random_state)
    if name == "dinucleotide":
        return dinucleotide_shuffled_background(X, n, random_state)
    if scores is None:
        raise ValueError(f"the background {name!r} needs `scores`, one per sequence.")
    quartile = _QUARTILES[name]
    return quantile_background(
        X, scores, n, quartile=quartile, random_state=random_state
    )


def _draw(profile: Frequencies, n: int, rng: np.random.Generator) -> Codes:
    """Draw every position of `n` sequences; a column of zeros stays padding."""
    cumulative = profile.cumsum(axis=0)
    totals = cumulative[-1]
    thresholds = cumulative[:-1] / np.where(totals > 0, totals, 1)
    uniform = rng.random((n, profile.shape[1]))
    codes = np.zeros(uniform.shape, dtype=np.int16)
    for threshold in thresholds:
        codes += uniform >= threshold
    codes[:, totals == 0] = len(profile)
    return codes


def _observed_profile(X: torch.Tensor | PackedSequence) -> Frequencies:
    check_observed(X)
    counts = np.zeros(X.shape[1:])
    # Packed sequences may be many; they are decoded a part at a time.
    step = 4096 if isinstance(X, PackedSequence) else len(X)
    for start in range(0, len(X), step):
        codes = observed_codes(X[start : start + step])
        for letter in range(len(counts)):
            counts[letter] += (codes == letter).sum(axis=0)
    return counts / len(X)


def _as_profile(X: torch.Tensor | NDArray[Any]) -> Frequencies:
    profile = as_array(X)
    if not profile.size or not (profile >= 0).all():
        raise ValueError(
            f"`X` of shape {profile.shape} is taken as a profile (alphabet, length); "
            "it must not be empty and hold frequencies of at least 0."
        )
    totals = profile.sum(axis=0)
    # Rounded frequencies may sum to a little more; counts and transposes do not.
    if (totals > 1.01).any():
        position = int(np.argmax(totals > 1.01))
        raise ValueError(
            f"`X` of shape {profile.shape} is taken as a profile (alphabet, length), "
            f"but its column {position} sums to {totals[position]:.6g}; at most 1 is "
            "allowed, less where sequences are padded."
        )
    return profile
