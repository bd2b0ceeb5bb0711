"""Pairs of motifs in every order, on every strand and at every spacing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from .._core.conditions import Table
from .._core.letters import DNA, one_hot
from .._core.motif import Motif
from .._core.named_motifs import MotifsLike, named_motifs
from ..experiments.spacing import as_orders, as_orientations

# A motif on a strand, by its number, and its first base.
Placed: TypeAlias = tuple[int, int]


class Arrangement(NamedTuple):
    """Two motifs, by number, from left to right.

    `left` and `right` are numbers of `Strands.motifs`, `pair` that of the two motifs.
    """

    pair: int
    a: str
    b: str
    order: str
    orientation: str
    left: int
    right: int


class Strands(NamedTuple):
    """Every motif on every strand: twice its number, and one more on the other."""

    names: list[str]
    motifs: list[Motif]

    @classmethod
    def of(cls, motifs: Mapping[str, Motif], both: bool) -> Strands:
        """Those of motifs by name; of palindromes, and one strand, twice the same."""
        strands = []
        for motif in motifs.values():
            strands += [motif, motif.reverse_complement() if both else motif]
        return cls(list(motifs), strands)

    def written(self, number: int) -> str:
        """Name and strand, such as "GATA-"."""
        return f"{self.names[number // 2]}{'+-'[number % 2]}"

    def has_two(self, motif: int) -> bool:
        """Whether the other strand reads differently."""
        return self.motifs[2 * motif] != self.motifs[2 * motif + 1]


def distinct_motifs(
    motifs: MotifsLike, letters: tuple[str, ...], consensus: bool = False
) -> dict[str, Motif]:
    """Motifs by name, of a file too; those of a list are called by their letters.

    Raises
    ------
    ValueError, TypeError
        If there is none, two have one name, or one is no motif.

    Examples
    --------
    >>> list(distinct_motifs(["GATA", "TTA"], DNA))
    ['GATA', 'TTA']
    """
    names, parsed = named_motifs(motifs, letters, consensus=consensus)
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise ValueError(
            f"`motifs` holds {twice[0]!r} more than once; pairs of a motif with itself "
            "are asked of each anyway. Give a dict to name motifs."
        )
    return dict(zip(names, parsed, strict=True))


def all_arrangements(
    motifs: Mapping[str, Motif],
    orders: Sequence[Sequence[int]] | str | None,
    orientations: Sequence[str] | str | None,
    letters: tuple[str, ...],
) -> tuple[Strands, list[Arrangement]]:
    """Pairs of motifs, those of a motif with itself too, in the arrangements asked for.

    Those that write the same are listed once: of a motif with itself one order, of a
    palindrome one strand.

    Examples
    --------
    >>> motifs = distinct_motifs(["GATA", "TTA"], DNA)
    >>> strands, found = all_arrangements(motifs, "all", "all", DNA)
    >>> len(found), [strands.written(i) for i in found[9][-2:]]
    (16, ['TTA-', 'GATA+'])
    """
    has_strands = set(letters) == set(DNA)
    if orientations == "all" and not has_strands:
        orientations = None
    signs = as_orientations(orientations, 2, letters)
    strands = Strands.of(motifs, has_strands)
    found, seen, names = [], set(), list(motifs)
    for pair, (i, j) in enumerate(_pairs(len(names))):
        for order in as_orders(orders, 2):
            for sign in signs:
                ids = [
                    2 * motif + (mark == "-" and strands.has_two(motif))
                    for motif, mark in zip((i, j), sign, strict=True)
                ]
                left, right = (ids[k] for k in order)
                if (left, right) in seen:
                    continue
                seen.add((left, right))
                written = ",".join(str(k + 1) for k in order)
                found.append(
                    Arrangement(pair, names[i], names[j], written, sign, left, right)
                )
    return strands, found


def _pairs(n: int) -> list[tuple[int, int]]:
    return [(i, j) for i in range(n) for j in range(i, n)]


class GrammarDesign(Table):
    """Motifs on strands at starts, moved by a few bases from background to background.

    Parameters
    ----------
    strands: Strands
        The motifs.

    conditions: list of tuples of Placed
        What each condition writes.

    length: int
        Of the sequences.

    codes: list of numpy.ndarray, shapes=(1 or n, k)
        Letters of each motif on each strand, of every background or of each.

    offsets: numpy.ndarray of int, shape=(n,)
        By how much each background's motifs are moved to the right.
    """

    any_device = True

    def __init__(
        self,
        strands: Strands,
        conditions: Sequence[tuple[Placed, ...]],
        length: int,
        codes: Sequence[NDArray[np.int8]],
        offsets: NDArray[np.int64],
    ) -> None:
        self._placed, self._codes, self._offsets = conditions, codes, offsets
        self.conditions = pd.DataFrame(
            {
                "patterns": [
                    " + ".join(f"{strands.written(i)}@{start}" for i, start in each)
                    for each in conditions
                ]
            }
        )
        self.lengths: NDArray[np.int64] = np.full(len(conditions), length)

    def touching(self, kept: NDArray[np.bool_]) -> list[bool]:
        """For each condition: does it change any of these positions, somewhere?"""
        moves = np.unique(self._offsets)

        def touches(number: int, start: int) -> bool:
            written = np.flatnonzero((self._codes[number] >= 0).any(axis=0))
            return bool(kept[start + written[:, None] + moves].any())

        return [any(touches(*placed) for placed in each) for each in self._placed]

    def build(self, X: torch.Tensor, rows: slice, conditions: slice) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length)."""
        placed = self._placed[conditions]
        batch = X[:, None].repeat(1, len(placed), 1, 1)
        offsets = torch.from_numpy(self._offsets[rows]).to(X.device)
        needed = {number for each in placed for number, _ in each}
        letters = {i: self._letters(i, X, rows) for i in needed}
        for column, each in enumerate(placed):
            for number, start in each:
                write(batch[:, column], *letters[number], offsets + start)
        return batch

    def _letters(
        self, number: int, X: torch.Tensor, rows: slice
    ) -> tuple[torch.Tensor, torch.Tensor]:
        codes = self._codes[number]
        codes = np.broadcast_to(
            codes if len(codes) == 1 else codes[rows], (len(X), codes.shape[1])
        )
        codes = np.ascontiguousarray(codes)
        gaps = torch.from_numpy(codes < 0).to(X.device)
        return one_hot(codes, X.shape[1], X.device).to(X.dtype), gaps


def write(
    X: torch.Tensor, letters: torch.Tensor, gaps: torch.Tensor, starts: torch.Tensor
) -> None:
    """Write letters, shape=(n, n_letters, k), at a start of each row, in place.

    Examples
    --------
    >>> X = torch.zeros(1, 2, 4, dtype=torch.int8)
    >>> ones = torch.ones(1, 2, 1, dtype=torch.int8)
    >>> write(X, ones, torch.tensor([[False]]), torch.tensor([2]))
    >>> X[0, 0].tolist()
    [0, 0, 1, 0]
    """
    k = letters.shape[-1]
    at = starts[:, None] + torch.arange(k, device=X.device)
    at = at[:, None].expand(-1, X.shape[1], -1)
    if gaps.any():
        letters = torch.where(gaps[:, None], X.gather(2, at), letters)
    X.scatter_(2, at, letters)


def placed_at(
    arrangement: Arrangement, spacing: int, start: int, strands: Strands
) -> tuple[Placed, Placed]:
    """Both motifs, the left one at `start`."""
    second = start + len(strands.motifs[arrangement.left]) + spacing
    return (arrangement.left, start), (arrangement.right, second)
