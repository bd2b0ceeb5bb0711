"""Placements: which letters of which motifs are written where in the backgrounds.

A *pattern* is a motif with its start; a *condition* is a set of patterns placed
together. Conditions are compiled once, which checks them, and are then written into
any chunk of background rows.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import torch
from tangermeme.utils import PackedSequence

from .letters import (
    DNA,
    Codes,
    RandomState,
    as_seed,
    check_alphabet,
    check_sequences,
)
from .motif import Motif
from .pattern_inputs import Pattern as Pattern
from .pattern_inputs import PatternLike as PatternLike
from .pattern_inputs import PatternsLike as PatternsLike
from .pattern_inputs import as_conditions as as_conditions
from .pattern_inputs import as_consensus as as_consensus
from .pattern_inputs import as_pattern, numbered
from .placements import Placement, Positions


def place(
    X: torch.Tensor | PackedSequence,
    patterns: Sequence[PatternLike],
    alphabet: Sequence[str] = DNA,
    *,
    insert: bool = False,
    consensus: bool = False,
    random_state: RandomState = None,
) -> torch.Tensor | PackedSequence:
    """What do the backgrounds look like with these patterns in them?

    Substitution equals `tangermeme.ersatz.substitute` and `multisubstitute`: a motif
    overwrites the bases under it, padding (zero columns) included, and N keeps them.

    Parameters
    ----------
    X: torch.Tensor, shape=(n, len(alphabet), length), or PackedSequence
        One-hot backgrounds; padding and unknown bases are zero columns.

    patterns: sequence of (motif, start)
        The motif as a string with N gaps, as "FILE:NAME", as one-hot, or as a PPM of
        which every background gets one draw; the start as the 0-based
        position of its first base, or None for the centre, as in tangermeme. None
        changes nothing if the sequence is empty.

    alphabet: sequence of str, optional
        Letters in channel order. Default is DNA.

    insert: bool, optional
        Whether to insert before the background base at `start` instead. Starts count
        in the background, whatever else is inserted; motifs with the same start stand
        in the order given. A motif with gaps cannot be inserted. Default is False.

    consensus: bool, optional
        Whether a PPM is placed as its most likely letters instead. Default is False.

    random_state: int, numpy Generator or None, optional
        Seed of the draws from PPMs. Default is None, a new draw each time.

    Returns
    -------
    X_with: torch.Tensor or PackedSequence
        The treated sequences, of the kind and dtype of `X`.

    Raises
    ------
    ValueError
        If `X` is not one-hot, a letter is not in the alphabet, a pattern runs past
        the sequence, or two patterns overlap.

    TypeError
        If `X`, a motif or a start is of the wrong type.

    Examples
    --------
    >>> from tangermeme.utils import characters, one_hot_encode
    >>> X = one_hot_encode("AAAAAAAAAA")[None]
    >>> characters(place(X, [("GC", 1), ("TNT", 6)])[0])
    'AGCAAATATA'
    >>> characters(place(X, [("GC", 1), ("TT", 6)], insert=True)[0])
    'AGCAAAAATTAAAA'
    """
    letters = check_alphabet(alphabet)
    check_sequences(X, letters, may_be_empty=True)
    if isinstance(X, PackedSequence):
        X_with = place(
            X.to_one_hot(),
            patterns,
            letters,
            insert=insert,
            consensus=consensus,
            random_state=random_state,
        )
        return PackedSequence.from_one_hot(X_with, X.alphabet)
    if consensus:
        parsed = [as_pattern(pattern, letters) for pattern in patterns]
        (patterns,) = as_consensus([parsed])
    compiler = _Compiler(len(X), X.shape[-1], letters, insert, as_seed(random_state))
    return compiler.compile(patterns).apply(X)


def compile_conditions(
    conditions: Iterable[Sequence[PatternLike]],
    n: int,
    length: int,
    alphabet: Sequence[str] = DNA,
    *,
    insert: bool = False,
    random_state: RandomState = None,
) -> list[Placement]:
    """Which letters does each condition of an experiment write where?

    Parameters
    ----------
    conditions: iterable of sequences of (motif, start)
        The patterns of each condition, as for `place`. A PPM is drawn once per
        background for the whole experiment: wherever it stands, in whichever
        condition, background i gets the same letters, so that conditions are paired.

    n, length: int
        Number and length of the backgrounds.

    alphabet: sequence of str, optional
        Letters in channel order. Default is DNA.

    insert: bool, optional
        Whether to insert instead of substituting. Default is False.

    random_state: int, numpy Generator or None, optional
        Seed of the draws from PPMs. Default is None, a new draw for every call.

    Returns
    -------
    placements: list of Placement
        One for each condition, in order.

    Raises
    ------
    ValueError, TypeError
        As for `place`, naming the condition by its number from 0.

    Examples
    --------
    >>> conditions = [[], [("UGCAUG", 4)], [("UGCAUG", 4), ("UGCAUG", 20)]]
    >>> [p.starts for p in compile_conditions(conditions, 1000, 41, "ACGU")]
    [(), (4,), (4, 20)]
    """
    letters = check_alphabet(alphabet)
    compiler = _Compiler(n, length, letters, insert, as_seed(random_state))
    return numbered(compiler.compile, conditions)


def resolve_start(
    start: int | None, motif_length: int, length: int, *, insert: bool = False
) -> int:
    """Where does a motif start: at `start` if that is in range, or centred if None.

    Centred is as in tangermeme: `length // 2 - motif_length // 2` for a substitution,
    `length // 2` for an insertion.

    Raises
    ------
    ValueError
        If the start is out of range.

    TypeError
        If it is not an integer.

    Examples
    --------
    >>> resolve_start(None, 6, 41)
    17
    """
    last = length if insert else length - motif_length
    if last < 0:
        raise ValueError(f"a {motif_length}-mer is longer than `X` of length {length}.")
    if start is None:
        return length // 2 - (0 if insert else motif_length // 2)
    if isinstance(start, bool) or not hasattr(start, "__index__"):
        raise TypeError(f"`start`={start!r} must be an integer or None.")
    start = operator.index(start)
    if start < 0:
        raise ValueError(
            f"`start`={start} is before the first base of `X`; starts count from 0 and "
            f"the last valid start is {last}."
        )
    if start > last:
        what = "is" if insert else f"with a {motif_length}-mer runs"
        raise ValueError(
            f"`start`={start} {what} past `X` of length {length}; the last valid start "
            f"is {last}."
        )
    return start


def resolve_starts(
    starts: Sequence[int | None],
    motif_length: int,
    length: int,
    *,
    insert: bool = False,
) -> list[int]:
    """Where does a motif start in each condition of a sweep?

    Raises
    ------
    ValueError, TypeError
        If there is no start, or as for `resolve_start`, naming the condition by its
        number from 0.

    Examples
    --------
    >>> resolve_starts([0, None, 35], 6, 41)
    [0, 17, 35]
    """
    if len(starts) == 0:
        raise ValueError("`starts` is empty; at least one start is needed.")
    return numbered(
        lambda start: resolve_start(start, motif_length, length, insert=insert), starts
    )


class _Compiler:
    """Compiles conditions on the same backgrounds, with one draw of each PPM."""

    def __init__(
        self, n: int, length: int, alphabet: tuple[str, ...], insert: bool, seed: int
    ) -> None:
        self.n, self.length = n, length
        self.alphabet, self.insert, self.seed = alphabet, insert, seed
        self.drawn: dict[Motif, Codes] = {}

    def draw(self, motif: Motif) -> Codes:
        if motif not in self.drawn:
            self.drawn[motif] = motif.draw(self.n, self.seed)
        return self.drawn[motif]

    def compile(self, patterns: Sequence[PatternLike]) -> Placement:
        parsed = [as_pattern(pattern, self.alphabet) for pattern in patterns]
        codes = [self.draw(pattern.motif) for pattern in parsed]
        starts = [
            resolve_start(pattern.start, code.shape[1], self.length, insert=self.insert)
            for pattern, code in zip(parsed, codes, strict=True)
        ]
        # Where each motif begins in the sequences that result.
        firsts = self._shifted(starts, codes) if self.insert else starts
        written = [np.flatnonzero((code >= 0).any(axis=0)) for code in codes]
        columns = [first + where for first, where in zip(firsts, written, strict=True)]
        if self.insert:
            self._check_no_gaps(parsed, codes)
        else:
            self._check_no_overlap(parsed, starts, columns)
        merged = np.concatenate([np.empty(0, np.int64), *columns])
        order = np.argsort(merged)
        length, kept = self.length, None
        if self.insert:
            length += len(merged)
            kept = np.setdiff1d(np.arange(length), merged)
        return Placement(
            starts=tuple(starts),
            columns=merged[order],
            codes=self._merge(codes, written, order),
            length=length,
            kept=kept,
        )

    def _shifted(self, starts: list[int], codes: list[Codes]) -> list[int]:
        """Starts moved right by what is inserted before; ties keep their order."""
        firsts, shift = list(starts), 0
        for i in sorted(range(len(starts)), key=starts.__getitem__):
            firsts[i] += shift
            shift += codes[i].shape[1]
        return firsts

    def _merge(
        self, codes: list[Codes], written: list[Positions], order: Positions
    ) -> Codes:
        if len(codes) == 1 and len(order) == codes[0].shape[1]:
            return codes[0]
        n_rows = 1 if all(len(code) == 1 for code in codes) else self.n
        parts = [
            np.broadcast_to(code[:, where], (n_rows, len(where)))
            for code, where in zip(codes, written, strict=True)
        ]
        merged = np.concatenate([np.empty((n_rows, 0), np.int8), *parts], axis=1)
        return merged[:, order]

    def _check_no_gaps(self, patterns: list[Pattern], codes: list[Codes]) -> None:
        for pattern, code in zip(patterns, codes, strict=True):
            if (code < 0).any():
                raise ValueError(
                    f"`motif` {pattern.motif.label!r} has a gap at position "
                    f"{np.argwhere(code < 0)[0, 1]}; an inserted motif has no "
                    "background base to keep."
                )

    def _check_no_overlap(
        self, patterns: list[Pattern], starts: list[int], columns: list[Positions]
    ) -> None:
        merged = np.concatenate([np.empty(0, np.int64), *columns])
        if len(np.unique(merged)) == len(merged):
            return
        for i, j in combinations(range(len(patterns)), 2):
            shared = np.intersect1d(columns[i], columns[j])
            if len(shared):
                first, second = (
                    f"{patterns[k].motif.label!r} at `start`={starts[k]}"
                    for k in (i, j)
                )
                raise ValueError(
                    f"{first} and {second} overlap at position {shared[0]}; patterns "
                    "placed together must leave each other's letters alone (N gaps "
                    "may be filled)."
                )
