"""k-mers as integers, so that millions of them need no strings.

The index of a k-mer is its place among all k-mers in the order of
`itertools.product`: letters are the digits, the first letter the slowest.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, TypeAlias, overload

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from .._core.letters import DNA, Codes, check_alphabet, complement_channels, one_hot
from .._core.patterns import resolve_start

Indices: TypeAlias = NDArray[np.int64]


def all_kmers(k: int, alphabet: Sequence[str] = DNA) -> list[str]:
    """Every k-mer as letters, in the order of their indices.

    Raises
    ------
    ValueError
        If `k` is below 1 or there are more k-mers than fit 64 bits.

    Examples
    --------
    >>> all_kmers(2, "ACGU")[:6]
    ['AA', 'AC', 'AG', 'AU', 'CA', 'CC']
    """
    letters = check_alphabet(alphabet)
    n_kmers(k, len(letters))
    return ["".join(kmer) for kmer in product(letters, repeat=k)]


def n_kmers(k: int, n_letters: int = 4) -> int:
    """How many k-mers are there?

    Raises
    ------
    ValueError
        If `k` is below 1 or there are more k-mers than fit 64 bits.

    Examples
    --------
    >>> n_kmers(6)
    4096
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(f"`k`={k!r} must be an integer of at least 1.")
    number: int = int(n_letters) ** int(k)
    if number > np.iinfo(np.int64).max:
        raise ValueError(f"`k`={k} gives more k-mers than can be counted in 64 bits.")
    return number


def kmer_from_index(index: int, k: int, alphabet: Sequence[str] = DNA) -> str:
    """The letters of one k-mer.

    Raises
    ------
    ValueError
        If there is no such k-mer.

    Examples
    --------
    >>> kmer_from_index(27, 3)
    'CGT'
    """
    letters = check_alphabet(alphabet)
    return "".join(letters[i] for i in kmer_channels([index], k, len(letters))[0])


def indices_from_codes(codes: Codes, n_letters: int = 4) -> Indices:
    """The index of each k-mer of codes, shape=(n, k).

    Examples
    --------
    >>> indices_from_codes(np.array([[1, 2, 3], [0, 0, 0]], dtype=np.int8))
    array([27,  0])
    """
    return codes @ _place_values(codes.shape[1], n_letters)


def kmer_channels(indices: ArrayLike, k: int, n_letters: int = 4) -> NDArray[np.int8]:
    """Which channel does each k-mer have at each of its positions?

    Parameters
    ----------
    indices: array-like of int, shape=(n,)
        Indices of k-mers.

    k: int
        Their length.

    n_letters: int, optional
        Size of the alphabet. Default is 4.

    Returns
    -------
    channels: numpy.ndarray, dtype=int8, shape=(n, k)

    Raises
    ------
    ValueError
        If an index is out of range.

    Examples
    --------
    >>> kmer_channels([0, 27, 63], 3)
    array([[0, 0, 0],
           [1, 2, 3],
           [3, 3, 3]], dtype=int8)
    """
    numbers = _as_indices(indices, k, n_letters)
    channels: Indices = numbers[:, None] // _place_values(k, n_letters) % n_letters
    return channels.astype(np.int8)


def reverse_complement_index(
    indices: ArrayLike, k: int, alphabet: Sequence[str] = DNA
) -> Indices:
    """The index of each k-mer as it reads on the other strand.

    Raises
    ------
    ValueError
        If an index is out of range or the alphabet is neither DNA nor RNA.

    Examples
    --------
    >>> [kmer_from_index(i, 3) for i in reverse_complement_index([0, 27], 3)]
    ['TTT', 'ACG']
    """
    complements = np.array(complement_channels(alphabet))
    numbers = _as_indices(indices, k, len(complements))
    reverse = np.zeros_like(numbers)
    for _ in range(k):
        numbers, last = np.divmod(numbers, len(complements))
        reverse = reverse * len(complements) + complements[last]
    return reverse


def canonical_index(
    indices: ArrayLike, k: int, alphabet: Sequence[str] = DNA
) -> Indices:
    """One index for both strands: the lower of a k-mer's and its reverse complement's.

    Raises
    ------
    ValueError
        If an index is out of range or the alphabet is neither DNA nor RNA.

    Examples
    --------
    >>> [kmer_from_index(i, 3) for i in canonical_index([63, 27], 3)]
    ['AAA', 'ACG']
    """
    numbers = _as_indices(indices, k, len(check_alphabet(alphabet)))
    folded: Indices = np.minimum(
        numbers, reverse_complement_index(numbers, k, alphabet)
    )
    return folded


def canonical_kmers(k: int, alphabet: Sequence[str] = DNA) -> Indices:
    """The k-mers left when each is folded with its reverse complement, ascending.

    Raises
    ------
    ValueError
        If `k` is below 1 or the alphabet is neither DNA nor RNA.

    Examples
    --------
    >>> len(canonical_kmers(6))
    2080
    """
    indices: Indices = np.arange(n_kmers(k, len(check_alphabet(alphabet))))
    folded: Indices = np.unique(canonical_index(indices, k, alphabet))
    return folded


def place_kmers(
    X: torch.Tensor, indices: ArrayLike, k: int, start: int | None = None
) -> torch.Tensor:
    """What do the backgrounds look like with each of many k-mers in them?

    The fast form of `place` for k-mer scans: no strings, one write for all of them.

    Parameters
    ----------
    X: torch.Tensor, shape=(n, n_letters, length)
        One-hot backgrounds, or any rows of them, of any dtype and on any device.

    indices: array-like of int, shape=(n_kmers,)
        Indices of k-mers.

    k: int
        Their length.

    start: int or None, optional
        The 0-based position of their first base; None is centred. Default is None.

    Returns
    -------
    X_with: torch.Tensor, shape=(n_kmers, n, n_letters, length)
        Every background with every k-mer, of the dtype of `X`, which is unchanged.

    Raises
    ------
    ValueError
        If an index or the start is out of range.

    Examples
    --------
    >>> from tangermeme.utils import characters, one_hot_encode
    >>> X = one_hot_encode("AAAAAAA")[None]
    >>> [characters(x[0]) for x in place_kmers(X, [27, 63], k=3)]
    ['AACGTAA', 'AATTTAA']
    """
    n_letters, length = X.shape[1:]
    channels = kmer_channels(indices, k, n_letters)
    start = resolve_start(start, k, length)
    X_with = X.repeat(len(channels), 1, 1, 1)
    letters = one_hot(channels, n_letters, X.device).to(X.dtype)
    X_with[..., start : start + k] = letters[:, None]
    return X_with


class KmerNames(Sequence[str]):
    """k-mers by their indices, spelled when they are read.

    Parameters
    ----------
    indices: numpy.ndarray of int, shape=(n_kmers,)
        Indices of the k-mers (see `kmer_channels`).

    k: int
        Their length.

    alphabet: sequence of str
        Letters in channel order.

    Examples
    --------
    >>> names = KmerNames(np.arange(4**9), 9, "ACGU")
    >>> len(names), names[-1]
    (262144, 'UUUUUUUUU')
    >>> names[:2]
    ['AAAAAAAAA', 'AAAAAAAAC']
    """

    def __init__(self, indices: Indices, k: int, alphabet: Sequence[str]) -> None:
        self._indices, self._k = indices, k
        self._letters = np.array(list(alphabet))

    def __len__(self) -> int:
        return len(self._indices)

    @overload
    def __getitem__(self, key: int) -> str: ...
    @overload
    def __getitem__(self, key: slice) -> list[str]: ...
    def __getitem__(self, key: int | slice) -> str | list[str]:
        wanted = np.atleast_1d(self._indices[key])
        channels = kmer_channels(wanted, self._k, len(self._letters))
        spelled = ["".join(letters) for letters in self._letters[channels].tolist()]
        return spelled if isinstance(key, slice) else spelled[0]


def _place_values(k: int, n_letters: int) -> Indices:
    return np.array([n_letters**i for i in reversed(range(k))], dtype=np.int64)


def _as_indices(indices: ArrayLike, k: int, n_letters: int) -> Indices:
    number = n_kmers(k, n_letters)
    numbers: NDArray[Any] = np.asarray(indices)
    if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
        raise ValueError("`indices` must be a one-dimensional array of integers.")
    wrong = numbers[(numbers < 0) | (numbers >= number)]
    if wrong.size:
        raise ValueError(
            f"`indices` holds {wrong[0]}; the {k}-mers of {n_letters} letters are "
            f"numbered 0 to {number - 1}."
        )
    return numbers.astype(np.int64)
