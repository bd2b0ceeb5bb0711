"""Motifs as channel codes: strings with N gaps, one-hot, draws from a PPM.

A code is the index of a letter in the alphabet; -1 is a gap, where the background
keeps its own base.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, TypeAlias, overload

import numpy as np
import torch
from numpy.typing import NDArray

from .letters import (
    DNA,
    GAP,
    GAP_LETTER,
    Codes,
    RandomState,
    as_seed,
    check_alphabet,
    one_hot,
)

# Letters; one-hot or probabilities of shape (alphabet, k), (1, alphabet, k) or, for
# a motif of its own in each background, (n, alphabet, k).
Motif: TypeAlias = str | torch.Tensor | NDArray[Any]

# A printed PPM often has three decimals, so that a column misses 1 by up to 0.002.
_SUM_TOLERANCE = 2e-3
_COMPLEMENTS = {"A": "T", "C": "G", "G": "C", "T": "A"}
_COMPLEMENTS_RNA = {"A": "U", "C": "G", "G": "C", "U": "A"}


def encode_motif(
    motif: Motif,
    n: int,
    alphabet: Sequence[str] = DNA,
    *,
    random_state: RandomState = None,
) -> Codes:
    """Which letter does a motif put at each of its positions, in each background?

    Parameters
    ----------
    motif: str, torch.Tensor or numpy.ndarray
        Letters of the alphabet and N, which keeps the background base (unless N is
        itself a letter, as in proteins); or one-hot of shape (len(alphabet), k) or
        (1, len(alphabet), k), where a zero column keeps the base; or one per
        background, (n, len(alphabet), k); or probabilities of these shapes (a PPM),
        from which one motif is drawn per background.

    n: int
        Number of backgrounds.

    alphabet: sequence of str, optional
        Letters in channel order. Default is DNA.

    random_state: int, numpy Generator or RandomState, or None, optional
        Seed of the draws from a PPM. One seed and one PPM give background i the same
        motif in every call, for every `n` above i; different PPMs are drawn
        independently. Default is None, a new draw each time.

    Returns
    -------
    codes: numpy.ndarray, dtype=int8, shape=(1, k) or (n, k)
        Channel of the letter, or -1 to keep the base; one row if the motif is the
        same in every background.

    Raises
    ------
    ValueError
        If a letter is not in the alphabet, a shape does not fit, or columns are
        neither one-hot nor probabilities.

    TypeError
        If the motif is neither a string nor numbers.

    Examples
    --------
    >>> encode_motif("UGNA", 1000, "ACGU")
    array([[ 3,  2, -1,  0]], dtype=int8)
    """
    letters = check_alphabet(alphabet)
    if isinstance(motif, str):
        return _encode_letters(motif, letters)
    values = _as_values(motif, n, len(letters))
    totals = values.sum(axis=1)
    if _is_binary(values) and (totals <= 1).all():
        return np.where(totals == 0, GAP, values.argmax(axis=1)).astype(np.int8)
    _check_probabilities(values, totals)
    return _draw(values, totals, n, as_seed(random_state))


def sample_motif(
    ppm: torch.Tensor | NDArray[Any], n: int, *, random_state: RandomState = None
) -> torch.Tensor:
    """What would a motif look like, drawn from its PPM for each background?

    The result is a motif of its own for each background. A PPM given as a motif is
    drawn in the same way, but always the same for one seed; two copies that should
    differ are two calls with different seeds.

    Parameters
    ----------
    ppm: torch.Tensor or numpy.ndarray, shape=(len(alphabet), k)
        Probabilities; every column sums to 1, or to 0 for a gap.

    n: int
        Number of motifs to draw.

    random_state: int, numpy Generator or RandomState, or None, optional
        Seed. Default is None, a new draw each time.

    Returns
    -------
    motifs: torch.Tensor, dtype=int8, shape=(n, len(alphabet), k)
        One-hot; a gap is a zero column.

    Raises
    ------
    ValueError
        If the PPM has no shape (len(alphabet), k) or does not hold probabilities.

    Examples
    --------
    >>> ppm = torch.tensor([[0.5, 0.0], [0.0, 1.0], [0.5, 0.0], [0.0, 0.0]])
    >>> sample_motif(ppm, 1000, random_state=0).float().mean(0).round(decimals=1)
    tensor([[0.5000, 0.0000],
            [0.0000, 1.0000],
            [0.5000, 0.0000],
            [0.0000, 0.0000]])
    """
    if np.ndim(ppm) != 2:
        raise ValueError("`ppm` must hold probabilities of shape (len(alphabet), k).")
    values = _as_values(ppm, n, ppm.shape[0])
    totals = values.sum(axis=1)
    _check_probabilities(values, totals)
    codes = _draw(values, totals, n, as_seed(random_state))
    return one_hot(codes, ppm.shape[0])


@overload
def reverse_complement(motif: str, alphabet: Sequence[str] = ...) -> str: ...
@overload
def reverse_complement(
    motif: torch.Tensor, alphabet: Sequence[str] = ...
) -> torch.Tensor: ...
@overload
def reverse_complement(
    motif: NDArray[Any], alphabet: Sequence[str] = ...
) -> NDArray[Any]: ...
@overload
def reverse_complement(motif: Motif, alphabet: Sequence[str] = ...) -> Motif: ...
def reverse_complement(motif: Motif, alphabet: Sequence[str] = DNA) -> Motif:
    """How does a motif read on the other strand?

    Parameters
    ----------
    motif: str, torch.Tensor or numpy.ndarray
        Letters and N, or any one-hot or PPM of shape (..., len(alphabet), k).

    alphabet: sequence of str, optional
        The letters of DNA or of RNA in any order. Default is DNA.

    Returns
    -------
    motif: str, torch.Tensor or numpy.ndarray
        The reverse complement, of the kind and shape given.

    Raises
    ------
    ValueError
        If the alphabet is neither DNA nor RNA, or the motif does not fit it.

    Examples
    --------
    >>> reverse_complement("GATTNA")
    'TNAATC'
    >>> reverse_complement("UGCAUG", "ACGU")
    'CAUGCA'
    """
    letters = check_alphabet(alphabet)
    channels = complement_channels(letters)
    if isinstance(motif, str):
        codes = _encode_letters(motif, letters)[0, ::-1]
        return "".join(
            GAP_LETTER if code == GAP else letters[channels[code]] for code in codes
        )
    if motif.ndim < 2 or motif.shape[-2] != len(letters):
        raise ValueError(
            f"`motif` has shape {tuple(motif.shape)}; it must be (..., {len(letters)}, "
            f"k) for `alphabet` {', '.join(letters)}."
        )
    if isinstance(motif, torch.Tensor):
        return motif.flip(-1)[..., list(channels), :]
    # PyTorch takes no array that is read backwards.
    return np.ascontiguousarray(motif[..., list(channels), ::-1])


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


def motif_label(motif: Motif, alphabet: Sequence[str] = DNA) -> str:
    """What to call a motif in a table: its letters, or what it is drawn from.

    Examples
    --------
    >>> motif_label(torch.eye(4)[:, [3, 2, 1]])
    'TGC'
    >>> motif_label(0.4 * torch.eye(4)[:, [3, 2, 1]] + 0.15)
    'PPM(TGC)'
    >>> motif_label(torch.zeros(10, 4, 6))
    '6-mer of each background'
    """
    if isinstance(motif, str):
        return motif
    letters = check_alphabet(alphabet)
    n = motif.shape[0] if motif.ndim == 3 else 1
    values = _as_values(motif, n, len(letters))
    if n != 1:
        return f"{values.shape[-1]}-mer of each background"
    totals = values.sum(axis=1)
    codes = np.where(totals == 0, GAP, values.argmax(axis=1))[0]
    text = "".join(GAP_LETTER if code == GAP else letters[code] for code in codes)
    return text if _is_binary(values) else f"PPM({text})"


def motif_length(motif: Motif) -> int:
    """How many positions a motif has, gaps included.

    Examples
    --------
    >>> motif_length("UGNAUG"), motif_length(torch.zeros(4, 8))
    (6, 8)
    """
    return len(motif) if isinstance(motif, str) else int(motif.shape[-1])


def _encode_letters(motif: str, letters: tuple[str, ...]) -> Codes:
    channels = {GAP_LETTER: GAP} | {letter: i for i, letter in enumerate(letters)}
    for position, letter in enumerate(motif):
        if letter not in channels:
            hint = ""
            if letter.upper() in channels:
                hint = " Letters are upper case."
            elif letter in "TU" and {"T", "U"} & set(letters):
                hint = " T is the letter of DNA, U that of RNA; pass `alphabet`."
            raise ValueError(
                f"`motif` {motif!r} has {letter!r} at position {position}, which is "
                f"not in `alphabet` {', '.join(letters)}.{hint}"
            )
    return np.array([[channels[letter] for letter in motif]], dtype=np.int8)


def _as_values(
    motif: torch.Tensor | NDArray[Any], n: int, n_letters: int
) -> NDArray[np.float64]:
    """The numbers of a motif, of shape (1 or n, n_letters, k)."""
    if not isinstance(motif, (torch.Tensor, np.ndarray)):
        raise TypeError(
            f"`motif` is of type {type(motif).__name__}; it must be a string, a tensor "
            "or an array."
        )
    if isinstance(motif, torch.Tensor):
        # NumPy has no bfloat16.
        motif = motif.detach().cpu().double().numpy()
    values: NDArray[np.float64] = np.asarray(motif, dtype=np.float64)
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or values.shape[1] != n_letters or len(values) not in (1, n):
        raise ValueError(
            f"`motif` has shape {tuple(motif.shape)}; it must be ({n_letters}, k), "
            f"(1, {n_letters}, k) or, with one motif per background, ({n}, "
            f"{n_letters}, k)."
        )
    return values


def _is_binary(values: NDArray[np.float64]) -> bool:
    return bool(((values == 0) | (values == 1)).all())


def _check_probabilities(
    values: NDArray[np.float64], totals: NDArray[np.float64]
) -> None:
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError(
            "`motif` holds negative or missing numbers; it must be one-hot or hold "
            "probabilities (a PPM)."
        )
    wrong = (np.abs(totals - 1) > _SUM_TOLERANCE) & (totals != 0)
    if wrong.any():
        row, position = np.argwhere(wrong)[0]
        raise ValueError(
            f"`motif` sums to {totals[row, position]:.6g} at position {position}; "
            "every column must be one-hot, zero (a gap) or probabilities that sum to "
            "1. Turn counts into probabilities first."
        )


def _draw(
    values: NDArray[np.float64], totals: NDArray[np.float64], n: int, seed: int
) -> Codes:
    """One draw per background. The stream belongs to the seed and the PPM, and is
    consumed background by background, so that row i never depends on what else is
    drawn."""
    # float32, so that one PPM held in two precisions is drawn alike.
    content = np.ascontiguousarray(values, dtype=np.float32).tobytes()
    digest = hashlib.blake2b(content, digest_size=16).digest()
    sequence = np.random.SeedSequence([seed, int.from_bytes(digest, "little")])
    uniform = np.random.default_rng(sequence).random((n, values.shape[-1]))
    cumulative = values.cumsum(axis=1)
    # Dividing by the last entry makes it exactly 1, above every uniform number, and
    # keeps letters of probability 0 out of reach.
    last = cumulative[:, -1:]
    cumulative = np.divide(cumulative, last, where=last > 0, out=cumulative)
    codes = np.zeros(uniform.shape, dtype=np.int8)
    for letter in range(values.shape[1] - 1):
        codes += uniform >= cumulative[:, letter]
    return np.where(totals == 0, np.int8(GAP), codes)
