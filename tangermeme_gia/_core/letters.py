"""Letters, and what every function checks in the same way: sequences, numbers, seeds.

A code is the channel of a letter, -1 none: padding or N in a sequence, a gap that keeps
the background's letter in a motif.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from tangermeme.utils import PackedSequence

DNA = ("A", "C", "G", "T")
RNA = ("A", "C", "G", "U")
GAP = -1
GAP_LETTER = "N"
# A printed PPM often has three decimals, so that a column misses 1 by up to 0.002.
SUM_TOLERANCE = 2e-3

Codes: TypeAlias = NDArray[np.int8]
RandomState: TypeAlias = int | np.random.Generator | None

# Separate streams of one seed, so that which templates are drawn is independent of what
# is then done to them, and where a motif is then put of the letters there.
TEMPLATE_STREAM, DRAW_STREAM, POSITION_STREAM = 0, 1, 2

_COMPLEMENTS = {"A": "T", "C": "G", "G": "C", "T": "A"}
_COMPLEMENTS_RNA = {"A": "U", "C": "G", "G": "C", "U": "A"}
# Codes are int8.
_MOST_LETTERS = 127


def check_alphabet(alphabet: Sequence[str]) -> tuple[str, ...]:
    """The alphabet as a tuple of distinct letters.

    Raises
    ------
    ValueError
        If it is empty, repeats a letter, has more than 127, or an entry is not one
        character.

    Examples
    --------
    >>> check_alphabet("ACGU")
    ('A', 'C', 'G', 'U')
    """
    letters = tuple(alphabet)
    if not all(isinstance(letter, str) and len(letter) == 1 for letter in letters):
        raise ValueError(f"`alphabet`={alphabet!r} must hold single characters.")
    if not 0 < len(letters) <= _MOST_LETTERS or len(set(letters)) < len(letters):
        raise ValueError(
            f"`alphabet`={alphabet!r} must hold 1 to {_MOST_LETTERS} letters, each "
            "once."
        )
    return letters


def resolve_alphabet(model: Any, alphabet: Sequence[str] | None) -> tuple[str, ...]:
    """The letters given; if None, those of `model.alphabet` if it has any, or DNA.

    Raises
    ------
    ValueError
        If they are no alphabet, or not those of the model; T and U are the same.

    Examples
    --------
    >>> resolve_alphabet(torch.nn.Identity(), None)
    ('A', 'C', 'G', 'T')
    """
    own = getattr(model, "alphabet", None)
    if own is None:
        return DNA if alphabet is None else check_alphabet(alphabet)
    try:
        stated = check_alphabet(own)
    except (TypeError, ValueError):
        if alphabet is not None:  # such as a tokeniser's
            return check_alphabet(alphabet)
        raise ValueError(
            f"`model.alphabet`={own!r} must be None or the letters of the channels; "
            "or give `alphabet`."
        ) from None
    letters = stated if alphabet is None else check_alphabet(alphabet)
    if _as_dna(letters) != _as_dna(stated):
        raise ValueError(
            f"`alphabet` is {', '.join(letters)}, but `model` reads "
            f"{', '.join(stated)}."
        )
    return letters


def complement_channels(alphabet: Sequence[str]) -> tuple[int, ...]:
    """The channel of each letter's complement.

    Raises
    ------
    ValueError
        If the alphabet is neither DNA nor RNA.

    Examples
    --------
    >>> complement_channels("ACGT")
    (3, 2, 1, 0)
    """
    letters = check_alphabet(alphabet)
    for complements in (_COMPLEMENTS, _COMPLEMENTS_RNA):
        if set(letters) == set(complements):
            return tuple(letters.index(complements[letter]) for letter in letters)
    raise ValueError(
        f"`alphabet` {', '.join(letters)} has no complement; only DNA (A, C, G, T) and "
        "RNA (A, C, G, U) have."
    )


def check_sequences(
    X: Any,
    alphabet: Sequence[str] | None = None,
    name: str = "X",
    *,
    may_be_empty: bool = False,
) -> None:
    """Raise unless `X` is a batch of one-hot sequences; zero columns are allowed.

    Parameters
    ----------
    X: torch.Tensor, shape=(n, len(alphabet), length), or PackedSequence
        The sequences, of any dtype and on any device.

    alphabet: sequence of str or None, optional
        The letters that the channels have to be; None takes any number of channels.
        Default is None.

    name: str, optional
        What to call the sequences. Default is "X".

    may_be_empty: bool, optional
        Whether there may be no sequence, or no position. Default is False.

    Raises
    ------
    TypeError
        If `X` is neither a tensor nor a PackedSequence.

    ValueError
        If its shape, its alphabet or its values do not fit; of values, the first row
        and position is named.

    Examples
    --------
    >>> check_sequences(torch.zeros(2, 4, 41), DNA)
    """
    _check_form(X, alphabet, name, may_be_empty)
    if isinstance(X, torch.Tensor):
        _codes_of_columns(X, name)


def codes_from_one_hot(
    X: torch.Tensor | PackedSequence,
    rows: NDArray[np.intp] | None = None,
    name: str = "X",
) -> Codes:
    """The codes, shape=(n, length), of one-hot sequences or of some of their rows.

    Raises
    ------
    TypeError, ValueError
        If `X` is not a batch of sequences, or any of them, asked for or not, is not
        one-hot.

    Examples
    --------
    >>> codes_from_one_hot(torch.tensor([[[0, 1, 0], [1, 0, 0]]]))
    array([[ 1,  0, -1]], dtype=int8)
    """
    _check_form(X, None, name, may_be_empty=True)
    if isinstance(X, PackedSequence):
        chosen = X if rows is None else X[torch.from_numpy(rows)]
        packed: Codes = chosen.to_codes().numpy().astype(np.int8)
        packed[packed == X.shape[1]] = GAP
        return packed
    codes = _codes_of_columns(X, name)
    return codes if rows is None else codes[rows]


def one_hot(
    codes: NDArray[Any], n_letters: int, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """One-hot int8 of codes, (..., k) to (..., n_letters, k); -1 is a zero column.

    Examples
    --------
    >>> one_hot(np.array([1, -1]), 3)
    tensor([[0, 0],
            [1, 0],
            [0, 0]], dtype=torch.int8)
    """
    letters = np.arange(n_letters, dtype=np.int8)[:, None]
    return torch.from_numpy((codes[..., None, :] == letters).view(np.int8)).to(device)


def as_seed(random_state: RandomState) -> int:
    """An integer seed: the one given, one drawn from a generator, or fresh entropy.

    Raises
    ------
    ValueError
        If an integer is negative.

    TypeError
        If it is none of the kinds allowed.

    Examples
    --------
    >>> as_seed(3)
    3
    """
    if random_state is None:
        entropy = np.random.SeedSequence().entropy
        return operator.index(entropy)  # type: ignore[arg-type]
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(1 << 63))
    if isinstance(random_state, bool) or not isinstance(random_state, int | np.integer):
        raise TypeError(
            f"`random_state`={random_state!r} must be an integer, a numpy Generator or "
            "None."
        )
    if random_state < 0:
        raise ValueError(f"`random_state`={random_state} must not be negative.")
    return int(random_state)


def as_generator(random_state: RandomState, *stream: int) -> np.random.Generator:
    """A generator of one stream of a seed (see `as_seed`).

    Examples
    --------
    >>> [int(as_generator(3, *stream).integers(10)) for stream in [(), (DRAW_STREAM,)]]
    [8, 7]
    """
    sequence = np.random.SeedSequence(as_seed(random_state), spawn_key=stream)
    return np.random.default_rng(sequence)


def as_float64(values: ArrayLike | torch.Tensor, name: str) -> NDArray[np.float64]:
    """Numbers of any kind as a float64 array on the CPU; `name` is the argument's.

    Raises
    ------
    TypeError
        If they are not numbers in one array.

    Examples
    --------
    >>> as_float64(torch.tensor([1, 2], dtype=torch.bfloat16), "scores")
    array([1., 2.])
    """
    if isinstance(values, torch.Tensor):
        # NumPy has no bfloat16.
        values = values.detach().cpu().to(torch.float64).numpy()
    # The outputs of a model with several would be stacked as if they were backgrounds.
    if isinstance(values, list | tuple) and any(
        isinstance(part, torch.Tensor) and part.ndim for part in values
    ):
        raise TypeError(
            f"`{name}` is a {type(values).__name__} of tensors; it must be one tensor "
            "or array. Choose that of one output, or stack them."
        )
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"`{name}` must be numbers in one array, not {type(values).__name__}: "
            f"{error}."
        ) from error


def check_count(name: str, value: object, least: int = 1) -> None:
    """Raise unless `value` is an integer of at least `least`.

    Examples
    --------
    >>> check_count("n", 3)
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"`{name}`={value!r} must be an integer.")
    if value < least:
        raise ValueError(f"`{name}`={value} must be at least {least}.")


def _check_form(
    X: Any, alphabet: Sequence[str] | None, name: str, may_be_empty: bool
) -> None:
    """Check all of sequences but the values of dense ones."""
    if not isinstance(X, torch.Tensor | PackedSequence):
        raise TypeError(
            f"`{name}` is of type {type(X).__name__}; it must be a torch.Tensor or a "
            "PackedSequence."
        )
    n_letters = "alphabet" if alphabet is None else len(alphabet)
    allowed = range(1, _MOST_LETTERS + 1) if alphabet is None else [n_letters]
    is_empty = 0 in X.shape and not may_be_empty
    if X.ndim != 3 or X.shape[1] not in allowed or is_empty:
        least = "" if may_be_empty else " with at least one sequence and position"
        letters = "" if alphabet is None else f"; `alphabet` is {', '.join(alphabet)}"
        raise ValueError(
            f"`{name}` has shape {tuple(X.shape)}; it must be (n, {n_letters}, length)"
            f"{least}{letters}."
        )
    # DNA and RNA share their channel order, T being U.
    if (
        isinstance(X, PackedSequence)
        and alphabet is not None
        and _as_dna(X.alphabet) != _as_dna(alphabet)
    ):
        raise ValueError(
            f"`{name}` was packed with the alphabet {', '.join(X.alphabet)}; "
            f"`alphabet` is {', '.join(alphabet)}."
        )


def _as_dna(alphabet: Sequence[str]) -> list[str]:
    return ["T" if letter == "U" else letter for letter in alphabet]


def _codes_of_columns(X: torch.Tensor, name: str) -> Codes:
    n_letters = X.shape[1]
    # NumPy has no bfloat16.
    values = X.to(torch.float32) if X.dtype == torch.bfloat16 else X
    array = values.detach().cpu().numpy()
    codes = np.full((X.shape[0], X.shape[2]), GAP, dtype=np.int8)
    n_ones, n_zeros = np.zeros_like(codes), np.zeros_like(codes)
    for letter in range(n_letters):
        is_one = array[:, letter] == 1
        codes += is_one * np.int8(letter + 1)
        n_ones += is_one
        n_zeros += array[:, letter] == 0
    wrong = (n_ones > 1) | (n_ones + n_zeros != n_letters)
    if wrong.any():
        row, position = np.argwhere(wrong)[0]
        raise ValueError(
            f"`{name}` is not one-hot: sequence {row} holds "
            f"{array[row, :, position].tolist()} at position {position}; allowed is a "
            "single 1, or only 0 for padding and N."
        )
    return codes
