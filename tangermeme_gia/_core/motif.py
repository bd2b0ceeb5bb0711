"""Motifs, parsed once: letters with gaps, or a PPM of which letters are drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias, Union, overload

import numpy as np
import torch
from numpy.typing import NDArray

from .letters import (
    DNA,
    GAP,
    GAP_LETTER,
    SUM_TOLERANCE,
    Codes,
    RandomState,
    as_float64,
    as_seed,
    check_alphabet,
    complement_channels,
)
from .spelling import letters_of_values, respell, values_of_letters

# Letters; one-hot or probabilities of shape (alphabet, k), (1, alphabet, k) or, for
# a motif of its own in each background, (n, alphabet, k).
MotifLike: TypeAlias = Union[str, torch.Tensor, NDArray[Any], "Motif"]


@dataclass(frozen=True, eq=False, repr=False)
class Motif:
    """A motif over an alphabet, the same in every background or one for each.

    Motifs are equal, and have the same hash, if they have the same alphabet, shape and
    letters or probabilities.

    Parameters
    ----------
    alphabet: tuple of str
        Letters in channel order.

    values: numpy.ndarray
        Of letters that are certain their codes, shape=(1 or n, k), -1 for a gap, where
        the background keeps its own letter; of others their probabilities,
        shape=(1 or n, len(alphabet), k).

    name: str, optional
        What a file calls it. Default is "", no name.
    """

    alphabet: tuple[str, ...]
    values: NDArray[Any]
    name: str = ""

    @classmethod
    def parse(cls, motif: MotifLike, alphabet: Sequence[str] = DNA) -> Motif:
        """What does someone mean by a motif?

        Parameters
        ----------
        motif: str, torch.Tensor, numpy.ndarray or Motif
            Letters of the alphabet, of either case and with T or U, and N, which keeps
            the background base (unless N is itself a letter, as in proteins). Where
            one of IUPAC's letters for several bases (R, Y, S, W, K, M, B, D, H, V) is
            among them, the motif is a PPM. Or one-hot of shape (len(alphabet), k) or
            (1, len(alphabet), k), where a zero column keeps the base; or one per
            background, (n, len(alphabet), k); or probabilities of these shapes (a PPM),
            from which one motif is drawn per background.

        alphabet: sequence of str, optional
            Letters in channel order. Default is DNA.

        Raises
        ------
        ValueError
            If a letter is not in the alphabet, a shape does not fit, or columns are
            neither one-hot nor probabilities.

        TypeError
            If the motif is neither a string nor numbers.

        Examples
        --------
        >>> Motif.parse("UGNA", "ACGU").values
        array([[ 3,  2, -1,  0]], dtype=int8)
        """
        letters = check_alphabet(alphabet)
        if isinstance(motif, Motif):
            if respell("".join(motif.alphabet), letters) != "".join(letters):
                raise ValueError(
                    f"`motif` {motif.label!r} has the alphabet "
                    f"{', '.join(motif.alphabet)}; `alphabet` is {', '.join(letters)}."
                )
            same = motif.alphabet == letters
            return motif if same else replace(motif, alphabet=letters)
        if isinstance(motif, str):
            return cls(letters, values_of_letters(motif, letters))
        values = _as_values(motif, len(letters))
        totals = values.sum(axis=1)
        if ((values == 0) | (values == 1)).all() and (totals <= 1).all():
            codes = np.where(totals == 0, GAP, values.argmax(axis=1))
            return cls(letters, codes.astype(np.int8))
        _check_probabilities(values, totals)
        return cls(letters, values)

    def __len__(self) -> int:
        """How many positions it has, gaps included."""
        return int(self.values.shape[-1])

    def __repr__(self) -> str:
        return f"Motif({self.label!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Motif) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @property
    def is_drawn(self) -> bool:
        """Whether it holds probabilities, which each background draws from."""
        return self.values.ndim == 3

    @property
    def ppm(self) -> NDArray[np.float64]:
        """Its probabilities, shape=(len(alphabet), k); a gap is a zero column.

        Raises
        ------
        ValueError
            If it is one of each background.

        Examples
        --------
        >>> Motif.parse("GA").ppm.tolist()
        [[0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]]
        """
        if len(self.values) != 1:
            raise ValueError(f"`motif` is a {self.label}, which is no single matrix.")
        if self.is_drawn:
            return np.asarray(self.values[0], dtype=np.float64)
        codes = self.values[0]
        ppm: NDArray[np.float64] = np.zeros((len(self.alphabet), len(self)))
        ppm[codes[codes != GAP], np.flatnonzero(codes != GAP)] = 1
        return ppm

    @property
    def label(self) -> str:
        """What to call it in a table: its letters, or what it is drawn from.

        Examples
        --------
        >>> Motif.parse(torch.eye(4)[:, [3, 2, 1]]).label
        'TGC'
        >>> Motif.parse(0.4 * torch.eye(4)[:, [3, 2, 1]] + 0.15).label
        'PPM(TGC)'
        >>> Motif.parse("TGYR").label
        'TGYR'
        >>> Motif.parse(torch.zeros(10, 4, 6)).label
        '6-mer of each background'
        """
        if len(self.values) != 1:
            return f"{len(self)}-mer of each background"
        codes = self.values[0]
        if self.is_drawn:
            text = letters_of_values(codes, self.alphabet)
            if text is not None:
                return text
            codes = np.where(codes.any(axis=0), codes.argmax(axis=0), GAP)
        # The code -1 picks the last one.
        letters = (*self.alphabet, GAP_LETTER)
        text = "".join(letters[code] for code in codes)
        return f"PPM({text})" if self.is_drawn else text

    def draw(self, n: int, random_state: RandomState = None) -> Codes:
        """Which letter does it put at each of its positions, in each background?

        Parameters
        ----------
        n: int
            Number of backgrounds.

        random_state: int, numpy Generator or None, optional
            Seed of the draws from a PPM. One seed and one PPM give background i the
            same letters in every call, for every `n` above i; different PPMs are drawn
            independently. Default is None, a new draw each time.

        Returns
        -------
        codes: numpy.ndarray, dtype=int8, shape=(1, k) or (n, k)
            One row if the motif is the same in every background.

        Raises
        ------
        ValueError
            If it is one of each background, of another number of them.

        Examples
        --------
        >>> Motif.parse("GAT").draw(1000)
        array([[2, 0, 3]], dtype=int8)
        """
        if len(self.values) not in (1, n):
            shape = (len(self.values), len(self.alphabet), len(self))
            raise _shape_error(shape, len(self.alphabet), n)
        if not self.is_drawn:
            return self.values
        # The stream belongs to the seed and the PPM, and is consumed background by
        # background, so that row i never depends on what else is drawn.
        rng = np.random.default_rng(self.seed(as_seed(random_state)))
        return _codes_of_uniform(self.values, rng.random((n, len(self))))

    def seed(self, *numbers: int) -> list[int]:
        """The seed of what is drawn for it and no other motif."""
        first, *others = numbers
        return [first, int.from_bytes(self._digest, "little"), *others]

    def reverse_complement(self) -> Motif:
        """How does it read on the other strand?

        Raises
        ------
        ValueError
            If the alphabet is neither DNA nor RNA.

        Examples
        --------
        >>> Motif.parse("GATTNA").reverse_complement()
        Motif('TNAATC')
        """
        channels = complement_channels(self.alphabet)
        backwards = self.values[..., ::-1]
        if self.is_drawn:
            return Motif(self.alphabet, backwards[:, list(channels)])
        # The code -1 picks the last one.
        return Motif(self.alphabet, np.array([*channels, GAP], np.int8)[backwards])

    def consensus(self) -> Motif:
        """Which letter is the most likely at each position?

        Of letters that are equally likely the first of the alphabet; where all are, the
        background keeps its own, as at a gap.

        Examples
        --------
        >>> Motif.parse("WGATNR").consensus()
        Motif('AGATNA')
        """
        if not self.is_drawn:
            return self
        values = self.values
        codes = np.where(np.ptp(values, axis=1) == 0, GAP, values.argmax(axis=1))
        return replace(self, values=codes.astype(np.int8))

    @cached_property
    def _digest(self) -> bytes:
        # float32, so that one PPM held in two precisions is drawn alike.
        dtype = np.float32 if self.is_drawn else np.int8
        content = np.ascontiguousarray(self.values, dtype=dtype).tobytes()
        return hashlib.blake2b(content, digest_size=16).digest()

    @property
    def _key(self) -> tuple[Any, ...]:
        return self.alphabet, self.values.shape, self._digest


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
def reverse_complement(
    motif: str | torch.Tensor | NDArray[Any], alphabet: Sequence[str] = DNA
) -> str | torch.Tensor | NDArray[Any]:
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
    if isinstance(motif, str):
        return Motif.parse(motif, letters).reverse_complement().label
    channels = list(complement_channels(letters))
    if motif.ndim < 2 or motif.shape[-2] != len(letters):
        raise ValueError(
            f"`motif` has shape {tuple(motif.shape)}; it must be (..., {len(letters)}, "
            f"k) for `alphabet` {', '.join(letters)}."
        )
    if isinstance(motif, torch.Tensor):
        return motif.flip(-1)[..., channels, :]
    # PyTorch takes no array that is read backwards.
    return np.ascontiguousarray(motif[..., channels, ::-1])


def _as_values(motif: Any, n_letters: int) -> NDArray[np.float64]:
    """The numbers of a motif, of shape (1 or n, n_letters, k)."""
    if not isinstance(motif, torch.Tensor | np.ndarray):
        raise TypeError(
            f"`motif` is of type {type(motif).__name__}; it must be a string, a tensor "
            "or an array."
        )
    values = as_float64(motif, "motif")
    if values.ndim == 2:
        values = values[None]
    if values.ndim != 3 or values.shape[1] != n_letters:
        raise _shape_error(tuple(motif.shape), n_letters, "n")
    return values


def _shape_error(shape: tuple[int, ...], n_letters: int, n: int | str) -> ValueError:
    return ValueError(
        f"`motif` has shape {shape}; it must be ({n_letters}, k), (1, {n_letters}, k) "
        f"or, with one motif per background, ({n}, {n_letters}, k)."
    )


def _check_probabilities(
    values: NDArray[np.float64], totals: NDArray[np.float64]
) -> None:
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError(
            "`motif` holds negative or missing numbers; it must be one-hot or hold "
            "probabilities (a PPM)."
        )
    wrong = (np.abs(totals - 1) > SUM_TOLERANCE) & (totals != 0)
    if wrong.any():
        row, position = np.argwhere(wrong)[0]
        raise ValueError(
            f"`motif` sums to {totals[row, position]:.6g} at position {position}; "
            "every column must be one-hot, zero (a gap) or probabilities that sum to "
            "1. Turn counts into probabilities first."
        )


def _codes_of_uniform(
    values: NDArray[np.float64], uniform: NDArray[np.float64]
) -> Codes:
    """The letters of a PPM that uniform numbers, shape=(n, k), pick."""
    cumulative = values.cumsum(axis=1)
    # Dividing by the last entry makes it exactly 1, above every uniform number, and
    # keeps letters of probability 0 out of reach.
    last = cumulative[:, -1:]
    cumulative = np.divide(cumulative, last, where=last > 0, out=cumulative)
    codes = np.zeros(uniform.shape, dtype=np.int8)
    for letter in range(values.shape[1] - 1):
        codes += uniform >= cumulative[:, letter]
    return np.where(values.any(axis=1), codes, np.int8(GAP))
