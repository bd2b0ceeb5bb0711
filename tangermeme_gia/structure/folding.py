"""How do sequences fold? Minimum-free-energy structures and pair probabilities.

By ViennaRNA (extra `vienna`). Sequences are folded as RNA with its defaults: the energy
parameters of Turner 2004, dangles 2, 37 degrees C. Parameters are global to a process,
and other code may have loaded others, such as those of Turner 1999 for the profiles of
RNAcompete data. Folding is therefore done in processes of its own: nothing that was
loaded before matters, and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.letters import DNA, Codes, check_sequences, codes_from_one_hot
from .._core.progress import progress
from .._core.short import in_short
from .pairs import (
    Hairpin,
    Pairs,
    complementary_bases,
    pair_indices,
    parse_dot_bracket,
)
from .processes import count_jobs, require_vienna, run_task

Values = NDArray[np.float64]


@in_short
class Folds(NamedTuple):
    """The minimum-free-energy structures of sequences.

    `structures` are dot-bracket strings as long as `X`, and `energies`, shape (n,), are
    their free energies in kcal/mol: 0 where nothing pairs, lower the more stable.
    """

    structures: list[str]
    energies: Values


@in_short
class FoldingCheck(NamedTuple):
    """Do sequences fold into the structure that they were designed for?

    One value for each sequence, shape (n,): `folds`, whether all designed pairs are in
    its minimum-free-energy structure (which may have others besides);
    `pairs_formed`, the share of them that is; `pair_probability`, the mean of their
    probabilities; and `energies`, the free energy of that structure in kcal/mol.
    """

    folds: NDArray[np.bool_]
    pairs_formed: Values
    pair_probability: Values
    energies: Values

    @property
    def share(self) -> float:
        """The share of the sequences that fold."""
        return float(self.folds.mean())


def fold(
    X: torch.Tensor | PackedSequence,
    *,
    alphabet: Sequence[str] = DNA,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> Folds:
    """What is the most stable structure of each sequence, and how stable is it?

    Parameters
    ----------
    X: torch.Tensor, shape=(-1, len(alphabet), length), or PackedSequence
        One-hot sequences. Zero columns at the ends are padding, which is not there;
        within the bases they are N, which pairs with nothing.

    alphabet: list or tuple of str, optional
        A, C, G and one of T and U, in channel order; T is folded as U, and sequences
        as RNA. Default is ("A", "C", "G", "T").

    n_jobs: int or None, optional
        Processes that fold, which stay for the next call; the result does not depend
        on it. None is one for each processor. If this program is killed they end at
        once, but on Windows, where none can be watched, after the fold that they are
        in. Default is None.

    verbose: bool, optional
        Whether to show a progress bar. Default is False.

    Returns
    -------
    folds: Folds
        `structures` and `energies`.

    Raises
    ------
    ImportError
        If ViennaRNA is missing.

    TypeError, ValueError
        If `X` is not one-hot with a channel per letter, or the alphabet is not of
        nucleotides.

    Examples
    --------
    >>> from tangermeme.utils import one_hot_encode
    >>> folds = fold(one_hot_encode("GGGGAAAACCCC")[None])
    >>> folds.structures, float(folds.energies[0].round(1))
    (['((((....))))'], -5.4)
    """
    sequences = _Sequences(X, alphabet)
    answers = list(sequences.ask("structure", n_jobs, verbose))
    structures = [
        sequences.spread(i, structure) for i, (structure, _, _) in enumerate(answers)
    ]
    return Folds(structures, np.array([energy for _, energy, _ in answers]))


def unpaired_probabilities(
    X: torch.Tensor | PackedSequence,
    *,
    alphabet: Sequence[str] = DNA,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> Values:
    """How likely is each base to be unpaired?

    Over all structures of a sequence, by their Boltzmann weight (McCaskill).

    Parameters
    ----------
    X, alphabet, n_jobs, verbose
        As in `fold`.

    Returns
    -------
    probabilities: numpy.ndarray, shape=(n, length)
        1 for N, NaN for padding.

    Raises
    ------
    ImportError, TypeError, ValueError
        As `fold`.

    Examples
    --------
    >>> from tangermeme.utils import one_hot_encode
    >>> unpaired_probabilities(one_hot_encode("GGGGAAAACCCC")[None]).round(1)[0, 2:6]
    array([0. , 0.1, 1. , 1. ])
    """
    return folds_and_probabilities(X, alphabet, n_jobs, verbose)[1]


def folds_and_probabilities(
    X: torch.Tensor | PackedSequence,
    alphabet: Sequence[str],
    n_jobs: int | None = None,
    verbose: bool = False,
) -> tuple[Folds, Values]:
    """What `fold` and `unpaired_probabilities` say, in the time of the latter."""
    sequences = _Sequences(X, alphabet)
    probabilities = np.full((len(X), X.shape[-1]), np.nan)
    structures, energies = [], np.zeros(len(X))
    asked = sequences.ask("unpaired", n_jobs, verbose)
    for i, (structure, energy, unpaired) in enumerate(asked):
        probabilities[i, sequences.bases(i)] = unpaired
        structures.append(sequences.spread(i, structure))
        energies[i] = energy
    return Folds(structures, energies), probabilities


def pair_probabilities(
    X: torch.Tensor | PackedSequence,
    *,
    alphabet: Sequence[str] = DNA,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> Values:
    """How likely is each base to pair with each other one?

    Parameters
    ----------
    X, alphabet, n_jobs, verbose
        As in `fold`.

    Returns
    -------
    probabilities: numpy.ndarray, shape=(n, length, length)
        Symmetric; 0 for padding and N.

    Raises
    ------
    ImportError, TypeError, ValueError
        As `fold`.

    Examples
    --------
    >>> from tangermeme.utils import one_hot_encode
    >>> P = pair_probabilities(one_hot_encode("GGGGAAAACCCC")[None])
    >>> float(P[0, 0, 11].round(1)), float(P[0, 0, 4].round(1))
    (0.9, 0.0)
    """
    sequences = _Sequences(X, alphabet)
    probabilities = np.zeros((len(X), X.shape[-1], X.shape[-1]))
    asked = sequences.ask("matrix", n_jobs, verbose)
    for i, (_, _, matrix) in enumerate(asked):
        where = sequences.bases(i)
        probabilities[i, where, where] = matrix
    return probabilities


def folding_check(
    X: torch.Tensor | PackedSequence,
    structure: str | Hairpin,
    *,
    alphabet: Sequence[str] = DNA,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> FoldingCheck:
    """Do sequences fold into the structure that they were designed for?

    Letters that can pair need not: other pairs may be more stable. Pairs that the
    design does not have, between its flanks for example, are not held against it.

    Parameters
    ----------
    X: torch.Tensor, shape=(-1, len(alphabet), length), or PackedSequence
        One-hot sequences, as from `structured_background`.

    structure: str or Hairpin
        The design, as for `pair_indices`.

    alphabet, n_jobs, verbose
        As in `fold`.

    Returns
    -------
    check: FoldingCheck
        `folds`, `pairs_formed`, `pair_probability` and `energies` of each sequence, and
        `share`, how many fold.

    Raises
    ------
    ImportError, TypeError, ValueError
        As `fold`; and if the structure does not fit `X`, or has no pair.

    Examples
    --------
    >>> from tangermeme.utils import one_hot_encode
    >>> X = torch.stack([one_hot_encode(x) for x in ("GGGGAAAACCCC", "ATATAAAAATAT")])
    >>> check = folding_check(X, "((((....))))")
    >>> check.folds.tolist(), check.share
    ([True, False], 0.5)
    """
    pairs = pair_indices(structure, X.shape[-1])
    if not len(pairs):
        raise ValueError(
            "`structure` has no base pair, so that nothing can be checked."
        )
    sequences = _Sequences(X, alphabet)
    inside = [sequences.within(i, pairs) for i in range(len(X))]
    listed = [
        (pairs[kept] - first).tolist()
        for kept, first in zip(inside, sequences.firsts, strict=True)
    ]
    formed = np.zeros((len(X), len(pairs)), dtype=bool)
    probabilities, energies = np.zeros(formed.shape), np.zeros(len(X))
    for i, answer in enumerate(sequences.ask("pairs", n_jobs, verbose, listed)):
        found, energies[i], probabilities[i, inside[i]] = answer
        formed[i] = _has(sequences.spread(i, found), pairs)
    return FoldingCheck(
        formed.sum(axis=1) == len(pairs),
        formed.mean(axis=1),
        probabilities.mean(axis=1),
        energies,
    )


def folds_as_designed(
    X: torch.Tensor, pairs: Pairs, alphabet: Sequence[str], n_jobs: int | None
) -> NDArray[np.bool_]:
    """`folding_check(...).folds`, without the time that probabilities take."""
    structures = fold(X, alphabet=alphabet, n_jobs=n_jobs).structures
    return np.array([_has(structure, pairs).all() for structure in structures])


def _has(structure: str, pairs: Pairs) -> NDArray[np.bool_]:
    """Which of the pairs are in a structure."""
    table = parse_dot_bracket(structure)
    present: NDArray[np.bool_] = table[pairs[:, 0]] == pairs[:, 1]
    return present


class _Sequences:
    """One-hot sequences as letters without padding, and where these belong."""

    def __init__(self, X: torch.Tensor | PackedSequence, alphabet: Sequence[str]):
        complementary_bases(alphabet)
        check_sequences(X, alphabet)
        codes = codes_from_one_hot(X)
        self.length = codes.shape[1]
        self.firsts, self.ends = _extents(codes)
        letters = np.array([*("U" if x == "T" else x for x in alphabet), "N"])
        self.texts = [
            "".join(letters[row[first:end]].tolist())
            for row, first, end in zip(codes, self.firsts, self.ends, strict=True)
        ]

    def bases(self, i: int) -> slice:
        """Where sequence `i` has its bases."""
        return slice(int(self.firsts[i]), int(self.ends[i]))

    def within(self, i: int, pairs: Pairs) -> NDArray[np.bool_]:
        """Which pairs lie within the bases of sequence `i`."""
        is_base = (pairs >= self.firsts[i]) & (pairs < self.ends[i])
        both: NDArray[np.bool_] = is_base[:, 0] & is_base[:, 1]
        return both

    def spread(self, i: int, structure: str) -> str:
        """A structure of sequence `i`, with the padding unpaired."""
        return ("." * int(self.firsts[i]) + structure).ljust(self.length, ".")

    def ask(
        self, task: str, n_jobs: int | None, verbose: bool, *more: Sequence[Any]
    ) -> Iterator[Any]:
        """The folds of the sequences, in order; `task` of `vienna` takes `more`."""
        require_vienna()
        n_jobs = count_jobs(n_jobs)
        # Without a base there is nothing to fold.
        given = [row for row in zip(self.texts, *more, strict=True) if row[0]]
        answers = run_task(task, given, n_jobs)
        with progress(len(given), "sequences", verbose) as update:
            for text in self.texts:
                if text:
                    yield next(answers)
                    update(1)
                else:
                    yield "", 0.0, np.zeros(0)


def _extents(codes: Codes) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The first base of each sequence and one past its last one."""
    is_base = codes >= 0
    firsts = is_base.argmax(axis=1)
    ends = codes.shape[1] - is_base[:, ::-1].argmax(axis=1)
    return firsts, np.where(is_base.any(axis=1), ends, firsts)
