"""Backgrounds that share letter frequencies, and nothing else, with observed data."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from tangermeme.utils import PackedSequence

from .._core.kept import Keep, resolve_keep
from .._core.letters import (
    DRAW_STREAM,
    GAP,
    Codes,
    RandomState,
    as_float64,
    as_generator,
    check_count,
    check_sequences,
    codes_from_one_hot,
    one_hot,
)

Frequencies = NDArray[np.float64]


def profile_background(
    X: torch.Tensor | PackedSequence | NDArray[Any],
    n: int = 1000,
    random_state: RandomState = None,
    *,
    keep: Keep | None = None,
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

    random_state: int, numpy Generator or None, optional
        Seed; None draws anew. The first sequences of a seed are the same for every
        `n`. Default is None.

    keep: slice, sequence of int, mask or None, optional
        Positions, such as the adapters of a reporter assay, at which all sequences of
        `X` must have one letter, which is then that of the background. (Without `keep`
        it is, too: this makes sure.) Default is None.

    Returns
    -------
    background: torch.Tensor, dtype=int8, shape=(n, alphabet, length)
        On the device of `X`; on the CPU for a PackedSequence or an array.

    Raises
    ------
    TypeError, ValueError
        If `X` is neither a batch of one-hot sequences nor a profile, or `n` is not at
        least 1, or a position to keep has several letters.

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
    _check_kept(profile, keep)
    codes = _draw(profile, n, as_generator(random_state, DRAW_STREAM))
    return one_hot(codes, len(profile), device)


def composition_background(
    frequencies: ArrayLike | torch.Tensor,
    n: int = 1000,
    length: int = 41,
    random_state: RandomState = None,
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

    random_state: int, numpy Generator or None, optional
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
    column = as_float64(frequencies, "frequencies")
    if column.ndim != 1 or not column.size or not (column >= 0).all():
        raise ValueError(
            f"`frequencies`={column.tolist()} must be one number of at least 0 per "
            "letter."
        )
    if not np.isclose(column.sum(), 1, rtol=0, atol=1e-3):
        raise ValueError(f"`frequencies` sum to {column.sum():.6g}; 1 is needed.")
    profile = np.repeat(column[:, None], length, axis=1)
    codes = _draw(profile, n, as_generator(random_state, DRAW_STREAM))
    return one_hot(codes, len(column))


def _check_kept(profile: Frequencies, keep: Keep | None) -> None:
    kept = resolve_keep(keep, profile.shape[1])
    several = np.flatnonzero(kept & ((profile > 0).sum(axis=0) > 1))
    if len(several):
        raise ValueError(
            f"`keep` holds position {several[0]}, where the sequences have several "
            "letters, which the profile draws; shuffles keep those of their templates."
        )


def _draw(profile: Frequencies, n: int, rng: np.random.Generator) -> Codes:
    """Draw every position of `n` sequences; a column of zeros stays padding."""
    cumulative = profile.cumsum(axis=0)
    totals = cumulative[-1]
    thresholds = cumulative[:-1] / np.where(totals > 0, totals, 1)
    uniform = rng.random((n, profile.shape[1]))
    codes = np.zeros(uniform.shape, dtype=np.int8)
    for threshold in thresholds:
        codes += uniform >= threshold
    codes[:, totals == 0] = GAP
    return codes


def _observed_profile(X: torch.Tensor | PackedSequence) -> Frequencies:
    check_sequences(X)
    counts = np.zeros(X.shape[1:])
    # Packed sequences may be many; they are decoded a part at a time.
    step = 4096 if isinstance(X, PackedSequence) else len(X)
    for start in range(0, len(X), step):
        codes = codes_from_one_hot(X[start : start + step])
        for letter in range(len(counts)):
            counts[letter] += (codes == letter).sum(axis=0)
    return counts / len(X)


def _as_profile(X: torch.Tensor | NDArray[Any]) -> Frequencies:
    profile = as_float64(X, "X")
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
