"""The words that an expected motif stands for, and those around it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._core.motif import Motif
from ..kmers.codes import canonical_index, indices_from_codes, kmer_channels
from ..motifs.matrices import information_content

Indices = NDArray[np.int64]
# A shorter word is the first of all by chance too often; of more words than these the
# best tells nothing.
_FEWEST_LETTERS, _MOST_WORDS = 3, 64
# Letters nearly as likely, or windows with nearly as much information, are alike.
_ALIKE = 1e-6


class Core(NamedTuple):
    """The words of a motif, all of one length, as indices among all k-mers."""

    k: int
    words: Indices
    is_whole: bool


def core_of(motif: Motif, name: str, k: int) -> Core:
    """What of a motif is ranked: all of it, or the most informative k letters.

    Of letters that are equally likely each makes a word; so do IUPAC's letters, and N.
    Several windows with the same information are all taken.

    Raises
    ------
    ValueError
        If it has fewer than 3 letters, is one of each background, or stands for more
        than 64 words.

    Examples
    --------
    >>> core_of(Motif.parse("NGYA"), "NGYA", 6)
    Core(k=3, words=array([36, 44]), is_whole=True)
    """
    if len(motif.values) != 1:
        raise ValueError(f"`motifs` {name!r} is one of each background, not a motif.")
    ppm = motif.ppm
    n_letters = len(motif.alphabet)
    ppm = np.where(ppm.any(axis=0), ppm, 1 / n_letters)
    bits = information_content(ppm).numpy()
    told = np.flatnonzero(bits > _ALIKE)
    if len(told) < _FEWEST_LETTERS:
        raise ValueError(
            f"`motifs` {name!r} has {len(told)} letter(s) that say something; at least "
            f"{_FEWEST_LETTERS} are needed."
        )
    inside = slice(told[0], told[-1] + 1)
    ppm, bits = ppm[:, inside], bits[inside]
    width = min(k, len(bits))
    sums = np.convolve(bits, np.ones(width), "valid")
    windows = np.flatnonzero(sums >= sums.max() - _ALIKE)
    choices = [_likely(ppm[:, i : i + width]) for i in windows]
    n_words = sum(int(np.prod([len(c) for c in each])) for each in choices)
    if n_words > _MOST_WORDS:
        raise ValueError(
            f"`motifs` {name!r} stands for {n_words:,} words of {width} letters; at "
            f"most {_MOST_WORDS} are ranked. Give the letters that matter."
        )
    codes = [word for each in choices for word in itertools.product(*each)]
    words = np.unique(indices_from_codes(np.array(codes), n_letters))
    return Core(width, words, width == len(bits))


def shifted_words(words: Indices, by: int, k: int, n_letters: int) -> Indices:
    """Words moved by some letters to either side, with any letters beside them.

    Examples
    --------
    >>> shifted_words(np.array([27]), 1, 3, 4)  # CGT: GT. and .CG
    array([ 6, 22, 38, 44, 45, 46, 47, 54])
    """
    fills, kept = n_letters**by, n_letters ** (k - by)
    beside = np.arange(fills)
    left = words[:, None] % kept * fills + beside
    right = beside * kept + words[:, None] // fills
    return np.unique(np.concatenate([left.ravel(), right.ravel()]))


def shuffled_words(word: int, k: int, n_letters: int) -> Indices:
    """All other words of the same letters.

    Examples
    --------
    >>> shuffled_words(1, 3, 4)  # AAC
    array([ 4, 16])
    """
    letters = kmer_channels([word], k, n_letters)[0].tolist()
    orders = np.array(list(_orders(sorted(letters), k)), dtype=np.int8)
    indices: Indices = indices_from_codes(orders, n_letters)
    others: Indices = indices[indices != word]
    return others


def as_listed(words: Indices, k: int, letters: Sequence[str], strands: int) -> Indices:
    """Words as a scan lists them: of two strands the one that comes first.

    Examples
    --------
    >>> as_listed(np.array([1, 11, 63]), 3, "ACGT", 2)
    array([0, 1, 7])
    """
    listed: Indices = canonical_index(words, k, letters) if strands == 2 else words
    return np.unique(listed)


def _orders(letters: list[int], k: int) -> Iterator[list[int]]:
    """Each different order of sorted letters once."""
    if not letters:
        yield []
        return
    for i, letter in enumerate(letters):
        if i and letters[i - 1] == letter:
            continue
        for rest in _orders(letters[:i] + letters[i + 1 :], k):
            yield [letter, *rest]


def _likely(ppm: NDArray[np.float64]) -> list[NDArray[np.intp]]:
    """The most likely letters of each column."""
    highest = ppm.max(axis=0) - _ALIKE
    return [
        np.flatnonzero(column >= high)
        for column, high in zip(ppm.T, highest, strict=True)
    ]
