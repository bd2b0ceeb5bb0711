"""Designs of k-mer scans: by index where that can be, by placements otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.designs import Chosen, PatternDesign
from .._core.letters import check_sequences
from .._core.motif import Motif
from .._core.named_motifs import MotifsLike, named_motifs
from .._core.patterns import Pattern, compile_conditions, resolve_start
from .codes import (
    Indices,
    KmerNames,
    canonical_kmers,
    indices_from_codes,
    n_kmers,
    place_kmers,
    reverse_complement_index,
)


class KmerDesign:
    """k-mers by index at one start, each followed by its other strand if folded."""

    any_device = True
    columns = None

    def __init__(
        self,
        indices: Indices,
        k: int,
        start: int | None,
        length: int,
        letters: tuple[str, ...],
        strands: int,
    ) -> None:
        self._k, self._start = k, resolve_start(start, k, length)
        self._indices, self._letters = indices, letters
        if strands == 2:
            other = reverse_complement_index(indices, k, letters)
            self._indices = np.stack([indices, other], axis=1).ravel()
        # An index of rows without columns takes no memory.
        self.conditions = pd.DataFrame(index=pd.RangeIndex(len(self._indices)))
        self.lengths: NDArray[np.int64] = np.full(len(self._indices), length)

    def describe(self, built: int, row: int) -> str:
        """The k-mer that is placed."""
        names = KmerNames(self._indices[[built]], self._k, self._letters)
        return f"k-mer {names[0]}"

    def touching(self, kept: NDArray[np.bool_]) -> list[bool]:
        """For each k-mer: does it change any of these positions?"""
        window = slice(self._start, self._start + self._k)
        return [bool(kept[window].any())] * len(self._indices)

    def build(self, X: torch.Tensor, rows: Chosen, conditions: Chosen) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length)."""
        indices = self._indices[conditions]
        return place_kmers(X, indices, self._k, self._start).transpose(0, 1)


ScanDesign: TypeAlias = KmerDesign | PatternDesign


def scan_design(
    X: torch.Tensor | PackedSequence,
    k: int,
    kmers: MotifsLike | None,
    start: int | None,
    letters: tuple[str, ...],
    strands: int,
    consensus: bool,
    seed: int,
) -> tuple[Sequence[str], ScanDesign]:
    """What a scan runs, all k-mers or those given: their names and their design."""
    check_sequences(X, letters)
    n, length = len(X), X.shape[-1]
    if kmers is None:
        return _all_kmers(k, start, length, letters, strands)
    names, motifs = named_motifs(kmers, letters, "kmers", consensus)
    return names, _given(names, motifs, start, n, length, strands, seed)


def _all_kmers(
    k: int, start: int | None, length: int, letters: tuple[str, ...], strands: int
) -> tuple[Sequence[str], ScanDesign]:
    """All k-mers, or one of each two strands: their names and their design."""
    number = n_kmers(k, len(letters))
    # Before anything is as large as that number.
    resolve_start(start, k, length)
    indices = canonical_kmers(k, letters) if strands == 2 else np.arange(number)
    design = KmerDesign(indices, k, start, length, letters, strands)
    return KmerNames(indices, k, letters), design


def _given(
    names: list[str],
    motifs: list[Motif],
    start: int | None,
    n: int,
    length: int,
    strands: int,
    seed: int,
) -> ScanDesign:
    """The design of given motifs, or of those of a file."""
    letters = motifs[0].alphabet
    if _are_plain(motifs):
        codes = np.concatenate([motif.values for motif in motifs])
        indices = indices_from_codes(codes, len(letters))
        k = codes.shape[1]
        return KmerDesign(indices, k, start, length, letters, strands)
    placed = motifs
    if strands == 2:
        placed = [strand for m in motifs for strand in (m, m.reverse_complement())]
    placements = compile_conditions(
        [[Pattern(m, start)] for m in placed], n, length, letters, random_state=seed
    )
    table = pd.DataFrame({"k-mer": [name for name in names for _ in range(strands)]})
    return PatternDesign(table, placements)


def _are_plain(motifs: list[Motif]) -> bool:
    """Whether all are k-mers of one length, which need no placement each."""
    k, n_letters = len(motifs[0]), len(motifs[0].alphabet)
    if k == 0 or n_letters**k > np.iinfo(np.int64).max:
        return False
    return all(m.values.shape == (1, k) and (m.values >= 0).all() for m in motifs)
