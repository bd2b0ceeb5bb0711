"""What are sequences made of: k-mers, G and C, and chance occurrences of a motif?

One-hot sequences of any alphabet; padding and N, zero columns, are left out of all
counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import scipy
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.agreement import unnoted
from .._core.letters import (
    DNA,
    Codes,
    as_generator,
    check_sequences,
    codes_from_one_hot,
)
from .._core.moments import summarise
from .._core.motif import Motif
from ..statistics.significance import welch_test

OneHot: TypeAlias = torch.Tensor | PackedSequence | NDArray[Any]
# Larger tables of k-mers are mostly empty, and slow to draw from.
MAX_KMERS = 1 << 18
CHANCE_DRAWS = 199
WINDOWS_AT_ONCE = 1 << 22


class KmerDivergence(NamedTuple):
    """Jensen-Shannon divergence in bits, and what equal distributions would give."""

    divergence: float
    by_chance: float
    n_kmers: int
    n_kmers_observed: int


class Comparison(NamedTuple):
    """Means of background and observed sequences, with a test that they are equal."""

    background: float
    observed: float
    difference: float
    se: float
    p: float


def kmer_divergence(X: OneHot, X_observed: OneHot, k: int = 3) -> KmerDivergence:
    """How far is the k-mer content of a background from that of observed sequences?

    Parameters
    ----------
    X, X_observed: torch.Tensor, shape=(-1, len(alphabet), length), or PackedSequence
        One-hot background and observed sequences, whose number and length may differ;
        k-mers that touch padding or N, zero columns, are not counted.

    k: int, optional
        Length of the k-mers. Default is 3.

    Returns
    -------
    divergence: KmerDivergence
        `divergence`, the Jensen-Shannon divergence between both k-mer frequencies in
        bits, 0 (equal) to 1 (no k-mer in common); `by_chance`, the 95th percentile of
        what samples of these sizes give if both come from the pooled frequencies, with
        overlapping k-mers taken as independent (too little for k-mers so long that a
        side holds fewer of them than there are different ones); `n_kmers` and
        `n_kmers_observed`, how many were counted.

    Raises
    ------
    ValueError
        If sequences are not one-hot, alphabets differ, `k` is below 1 or too long for a
        table, or no k-mer without padding is found.

    Examples
    --------
    >>> X = torch.eye(4)[torch.tensor([[0, 1, 2, 3]])].transpose(1, 2)
    >>> kmer_divergence(X, X, k=2).divergence
    0.0
    >>> kmer_divergence(X, X.flip(2), k=2).divergence
    1.0
    """
    letters = _as_codes(X, "X")
    n_channels = X.shape[1]
    alphabet = X.alphabet if isinstance(X, PackedSequence) else None
    letters_observed = _as_codes(X_observed, "X_observed", alphabet)
    if n_channels != X_observed.shape[1]:
        raise ValueError(
            f"`X` has {n_channels} channels and `X_observed` {X_observed.shape[1]}; "
            "their alphabets must agree."
        )
    counts = [
        _count_kmers(letters, n_channels, k, "X"),
        _count_kmers(letters_observed, n_channels, k, "X_observed"),
    ]
    totals = [int(count.sum()) for count in counts]
    divergence = _divergence(counts[0], counts[1])
    pooled = (counts[0] + counts[1]) / sum(totals)
    # Drawn from the k-mers that were seen; the approximation by a chi-squared
    # distribution is far too small where k-mers outnumber what was counted.
    seen, rng = pooled[pooled > 0], as_generator(0)
    chance = [
        _divergence(rng.multinomial(totals[0], seen), rng.multinomial(totals[1], seen))
        for _ in range(CHANCE_DRAWS)
    ]
    by_chance = float(np.quantile(chance, 0.95))
    return KmerDivergence(divergence, by_chance, totals[0], totals[1])


def gc_comparison(
    X: OneHot, X_observed: OneHot, alphabet: Sequence[str] = DNA
) -> Comparison:
    """Is a background richer or poorer in G and C than observed sequences?

    Parameters
    ----------
    X, X_observed: torch.Tensor, shape=(-1, len(alphabet), length), or PackedSequence
        One-hot background and observed sequences.

    alphabet: sequence of str, optional
        The letters, in channel order. Default is ("A", "C", "G", "T").

    Returns
    -------
    comparison: Comparison
        Mean GC content `background` and `observed`, their `difference`, its standard
        error `se` and the `p` of Welch's test (the sets are independent).

    Raises
    ------
    ValueError
        If sequences are not one-hot over `alphabet`, the alphabet has no G or no C, a
        sequence is padding only, or a side has fewer than two sequences.

    Examples
    --------
    >>> X = torch.eye(4)[torch.tensor([[0, 1, 2, 2], [0, 0, 1, 1]])].transpose(1, 2)
    >>> gc_comparison(X, X.flip(1)).difference
    0.0
    """
    gc = [
        _gc_content(sequences, name, alphabet)
        for name, sequences in (("X", X), ("X_observed", X_observed))
    ]
    for name, values in zip(("X", "X_observed"), gc, strict=True):
        if len(values) < 2:
            raise ValueError(
                f"`{name}` holds 1 sequence; at least 2 are needed to compare GC."
            )
    with unnoted():  # shuffles of one sequence all have its GC content
        test = welch_test(*gc)
    se = np.hypot(*(summarise(values, None).se for values in gc))
    background, observed = (float(values.mean()) for values in gc)
    return Comparison(
        background, observed, float(test.effect), float(se), float(test.p)
    )


def motif_occurrences(
    X: OneHot,
    motif: str,
    alphabet: Sequence[str] = DNA,
    *,
    both_strands: bool = False,
) -> NDArray[np.int64]:
    """How often does each background hold the motif before it is placed there?

    Parameters
    ----------
    X: torch.Tensor, shape=(n, len(alphabet), length), or PackedSequence
        One-hot sequences.

    motif: str
        Letters of the alphabet, N for any of them (but not for padding), and IUPAC's
        codes for some of them, such as W for A or T.

    alphabet: sequence of str, optional
        The letters, in channel order. Default is ("A", "C", "G", "T").

    both_strands: bool, optional
        Whether a window that holds the reverse complement counts too (once, if it holds
        both). Needs the alphabet A, C, G, T or A, C, G, U. Default is False.

    Returns
    -------
    counts: numpy.ndarray of int, shape=(n,)
        Occurrences in each sequence, overlapping ones included.

    Raises
    ------
    ValueError
        If the motif is empty, longer than the sequences, or holds no or other letters,
        or the alphabet has no complement and `both_strands` asks for it.

    Examples
    --------
    >>> X = torch.eye(4)[torch.tensor([[0, 1, 0, 1, 0]])].transpose(1, 2)
    >>> motif_occurrences(X, "ACA"), motif_occurrences(X, "NTGT", both_strands=True)
    (array([2]), array([1]))
    """
    letters = _as_codes(X, "X", alphabet)
    parsed = Motif.parse(motif, alphabet)
    strands = [parsed, parsed.reverse_complement()] if both_strands else [parsed]
    if _allowed(parsed).all():
        raise ValueError(f"`motif`={motif!r} must hold a letter besides N.")
    if len(parsed) > letters.shape[1]:
        raise ValueError(
            f"`motif`={motif!r} of {len(parsed)} letters is longer than `X` "
            f"({letters.shape[1]})."
        )
    n_windows = letters.shape[1] - len(parsed) + 1
    found = np.zeros((len(letters), n_windows), dtype=bool)
    for strand in strands:
        matches = np.ones_like(found)
        for offset, allowed in enumerate(_allowed(strand)):
            window = letters[:, offset : offset + n_windows]
            matches &= (window >= 0) & allowed[window]
        found |= matches
    counts: NDArray[np.int64] = found.sum(axis=1)
    return counts


def _allowed(motif: Motif) -> NDArray[np.bool_]:
    """Which letters may stand at each position, shape=(k, n_letters)."""
    allowed: NDArray[np.bool_] = motif.ppm.T > 0
    return allowed | ~allowed.any(axis=1, keepdims=True)  # N is a column of zeros


def _as_codes(X: OneHot, name: str, alphabet: Sequence[str] | None = None) -> Codes:
    sequences = torch.from_numpy(X) if isinstance(X, np.ndarray) else X
    check_sequences(sequences, alphabet, name)
    return codes_from_one_hot(sequences, name=name)


def _count_kmers(
    letters: Codes, n_channels: int, k: int, name: str
) -> NDArray[np.int64]:
    n_windows = letters.shape[1] - k + 1
    if k < 1 or n_channels**k > MAX_KMERS or n_windows < 1:
        raise ValueError(
            f"`k`={k} must be at least 1, at most the length of `{name}` "
            f"({letters.shape[1]}), and make at most {MAX_KMERS} k-mers of "
            f"{n_channels} letters."
        )
    counts = np.zeros(n_channels**k, dtype=np.int64)
    rows = max(1, WINDOWS_AT_ONCE // n_windows)
    for first in range(0, len(letters), rows):
        part = letters[first : first + rows]
        code = np.zeros((len(part), n_windows), dtype=np.int64)
        whole = np.ones(code.shape, dtype=bool)
        for offset in range(k):
            letter = part[:, offset : offset + n_windows]
            code = code * n_channels + letter
            whole &= letter >= 0
        counts += np.bincount(code[whole], minlength=len(counts))
    if not counts.any():
        raise ValueError(f"`{name}` holds no {k}-mer without padding or N.")
    return counts


def _divergence(p: NDArray[np.int64], q: NDArray[np.int64]) -> float:
    return float(scipy.spatial.distance.jensenshannon(p, q, base=2) ** 2)


def _gc_content(X: OneHot, name: str, alphabet: Sequence[str]) -> NDArray[np.float64]:
    letters = _as_codes(X, name, alphabet)
    if not {"G", "C"} <= set(alphabet):
        raise ValueError(f"`alphabet`={tuple(alphabet)} has no G or no C.")
    empty = (letters < 0).all(axis=1)
    if empty.any():
        raise ValueError(
            f"`{name}` holds {empty.sum()} sequences of padding only, the first at "
            f"index {np.flatnonzero(empty)[0]}."
        )
    is_gc = np.isin(letters, [alphabet.index("G"), alphabet.index("C")])
    content: NDArray[np.float64] = is_gc.sum(axis=1) / (letters >= 0).sum(axis=1)
    return content
