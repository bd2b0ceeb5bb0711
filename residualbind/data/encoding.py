"""RNA sequences to one-hot tensors and back, without a loop over letters."""

from __future__ import annotations

import string
import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from tangermeme_gia._core.letters import (
    GAP,
    GAP_LETTER,
    RNA,
    Codes,
    check_sequences,
    codes_from_one_hot,
    one_hot,
)

# What a byte of a sequence is: the channel of its base, -1 for N, or one of these.
_OTHER_LETTER = -2
_NOT_A_LETTER = -3


def _make_lookup() -> Codes:
    lookup = np.full(256, _NOT_A_LETTER, dtype=np.int8)
    for letter in string.ascii_letters:
        lookup[ord(letter)] = _OTHER_LETTER
    for code, letters in enumerate(("Aa", "Cc", "Gg", "UuTt")):
        for letter in letters:
            lookup[ord(letter)] = code
    lookup[[ord("N"), ord("n")]] = GAP
    return lookup


_LOOKUP = _make_lookup()


def encode_sequences(
    sequences: Sequence[str],
    length: int | None = 41,
    source: str | Callable[[int], str] = "`sequences`",
) -> torch.Tensor:
    """What does a model see of these RNA or DNA sequences?

    Every sequence is centred in `length` columns as the authors did: a sequence of m
    letters is preceded by (length - m) // 2 zero columns and followed by the rest.
    U and T are the same base, case does not matter, and N is a zero column.

    Parameters
    ----------
    sequences: sequence of str, shape=(n,)
        The sequences, 5' to 3'.

    length: int or None, optional
        Columns of the encoding. None is the length of the longest sequence.
        Default is 41.

    source: str or callable, optional
        What errors and warnings call the sequences: a name, or a function that
        turns a row number (0-based) into a place such as "probes.txt, line 12".
        Default is "`sequences`".

    Returns
    -------
    X: torch.Tensor, shape=(n, 4, length), dtype=int8
        One-hot sequences in the order A, C, G, U; padding and N are zero columns.

    Raises
    ------
    ValueError
        If a sequence is empty, longer than `length` or holds something that is not
        a letter, or `length` is not a positive integer.
    TypeError
        If `sequences` is one string or holds something else than strings.

    Warns
    -----
    UserWarning
        Once, if letters other than A, C, G, T, U and N were read as N: how many, in
        how many sequences, and where the first is.

    Examples
    --------
    >>> X = encode_sequences(["ACGU", "gt"], length=6)
    >>> X.shape
    torch.Size([2, 4, 6])
    >>> X[1].argmax(dim=0)[2:4], X[1].sum(dim=0)
    (tensor([2, 3]), tensor([0, 0, 1, 1, 0, 0]))
    """
    where = source if callable(source) else lambda row: f"{source}[{row}]"
    _check_strings(sequences)
    sizes = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    length = _check_sizes(sizes, length, where)
    codes = _look_up(sequences, sizes, where)

    left = (length - sizes)[:, None] // 2
    columns = np.arange(length)
    inside = (columns >= left) & (columns < left + sizes[:, None])
    grid = np.full(inside.shape, GAP, dtype=np.int8)
    grid[inside] = codes
    return one_hot(grid, len(RNA))


def decode_sequences(X: torch.Tensor) -> list[str]:
    """Which RNA sequences does a one-hot tensor hold?

    Parameters
    ----------
    X: torch.Tensor, shape=(n, channels, length)
        One-hot sequences in the first four channels; others are not looked at.

    Returns
    -------
    sequences: list of str
        RNA letters, N for zero columns between bases. Zero columns at the ends are
        padding and are left out, so an N at an end cannot come back.

    Raises
    ------
    TypeError, ValueError
        If `X` is no tensor, or its first four channels are not one-hot.

    Examples
    --------
    >>> decode_sequences(encode_sequences(["acgt", "UNG"], length=6))
    ['ACGU', 'UNG']
    """
    check_bases(X)
    codes = codes_from_one_hot(X[:, : len(RNA)])
    n, length = codes.shape
    # The code -1 picks the last one.
    letters = np.frombuffer("".join((*RNA, GAP_LETTER)).encode(), np.uint8)[codes]
    known = codes >= 0
    # The appended column makes argmax right for a row without any base.
    edge = np.ones((n, 1), dtype=np.bool_)
    first = np.concatenate([known, edge], axis=1).argmax(axis=1)
    last = length - np.concatenate([known[:, ::-1], edge], axis=1).argmax(axis=1)
    text = letters.tobytes().decode("ascii")
    starts = np.arange(n) * length
    return [
        text[start:stop]
        for start, stop in zip(
            (starts + first).tolist(), (starts + last).tolist(), strict=True
        )
    ]


def check_bases(X: torch.Tensor, name: str = "X") -> None:
    """Raise unless the first four channels are one-hot; others are not looked at."""
    has_more = isinstance(X, torch.Tensor) and X.ndim == 3
    bases = X[:, : len(RNA)] if has_more else X
    check_sequences(bases, RNA, name, may_be_empty=True)


def check_length(length: int | None) -> None:
    """Raise a ValueError unless `length` is None or a positive integer."""
    if length is None:
        return
    if isinstance(length, bool) or not isinstance(length, int) or length < 1:
        raise ValueError(
            f"`length`={length!r} must be a positive integer, or None for the length "
            "of the longest sequence."
        )


def _check_strings(sequences: Sequence[str]) -> None:
    if isinstance(sequences, str):
        raise TypeError("`sequences` is one string; give a list of strings.")
    for row, sequence in enumerate(sequences):
        if not isinstance(sequence, str):
            raise TypeError(
                f"`sequences`[{row}] is {type(sequence).__name__}, not a string."
            )


def _check_sizes(
    sizes: NDArray[np.int64], length: int | None, where: Callable[[int], str]
) -> int:
    check_length(length)
    if len(sizes) == 0 and length is None:
        raise ValueError("`length`=None needs at least one sequence to take it from.")
    if (sizes == 0).any():
        raise ValueError(f"{where(int(sizes.argmin()))}: the sequence is empty.")
    if length is None:
        return int(sizes.max())
    if (sizes > length).any():
        row = int((sizes > length).argmax())
        raise ValueError(
            f"{where(row)}: the sequence has {sizes[row]} letters, more than `length`="
            f"{length}; the longest has {sizes.max()}. Sequences are never cut: give a "
            "larger `length`, or None for the longest."
        )
    return length


def _look_up(
    sequences: Sequence[str],
    sizes: NDArray[np.int64],
    where: Callable[[int], str],
) -> Codes:
    """The code of every letter of all sequences, end to end."""
    # One byte per character: what Latin-1 does not have becomes "?", not a letter.
    text = "".join(sequences).encode("latin-1", "replace")
    codes = _LOOKUP[np.frombuffer(text, dtype=np.uint8)]
    ends = np.cumsum(sizes)
    if (codes == _NOT_A_LETTER).any():
        place = int((codes == _NOT_A_LETTER).argmax())
        row = int(np.searchsorted(ends, place, side="right"))
        position = int(place - (ends[row] - sizes[row]))
        raise ValueError(
            f"{where(row)}: {sequences[row][position]!r} at position {position + 1} of "
            "the sequence is not a letter."
        )
    others = np.flatnonzero(codes == _OTHER_LETTER)
    if len(others):
        rows = np.unique(np.searchsorted(ends, others, side="right"))
        kinds = sorted({text[place : place + 1].decode().upper() for place in others})
        warnings.warn(
            f"{len(others)} letter(s) ({', '.join(kinds)}) in {len(rows)} sequence(s) "
            "are none of A, C, G, T, U and N and were read as N; the first is at "
            f"{where(int(rows[0]))}.",
            UserWarning,
            stacklevel=3,
        )
    return codes
