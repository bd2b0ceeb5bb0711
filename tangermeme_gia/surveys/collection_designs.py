"""Motifs of a collection, and how a scan places them and their controls."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from .._core.controls import permuted_letters
from .._core.letters import GAP, Codes, one_hot
from .._core.motif import Motif, MotifLike
from .._core.placements import Placement
from ..motifs.files import read_motifs

Collection: TypeAlias = (
    Mapping[str, MotifLike] | Sequence[MotifLike] | str | os.PathLike[str]
)


def read_collection(motifs: Collection, alphabet: tuple[str, ...]) -> dict[str, Motif]:
    """Motifs by their identifiers: of a mapping, a list or a file.

    Raises
    ------
    ValueError, TypeError
        If there is none, one is no matrix, or it is neither a file nor a list; the
        motif is named.

    Examples
    --------
    >>> read_collection(["GATA", "CACGTG"], tuple("ACGT"))
    {'GATA': Motif('GATA'), 'CACGTG': Motif('CACGTG')}
    """
    if isinstance(motifs, (str, os.PathLike)):
        if not Path(motifs).is_file():
            raise ValueError(
                f"`motifs`={os.fspath(motifs)!r} is not a file; pass a list to scan a "
                "single motif."
            )
        return read_motifs(motifs, alphabet=alphabet)
    if not isinstance(motifs, (Sequence, Mapping)):
        raise TypeError(
            f"`motifs` is of type {type(motifs).__name__}; it must be a list or dict "
            "of motifs or the path of a motif file."
        )
    if len(motifs) == 0:
        raise ValueError("`motifs` is empty; at least one is needed.")
    keys = motifs if isinstance(motifs, Mapping) else [None] * len(motifs)
    values = motifs.values() if isinstance(motifs, Mapping) else motifs
    found: dict[str, Motif] = {}
    for number, (key, value) in enumerate(zip(keys, values, strict=True)):
        where = number if key is None else key
        try:
            motif = Motif.parse(value, alphabet)
        except (ValueError, TypeError) as error:
            raise type(error)(f"`motifs`[{where!r}]: {error}") from error
        name = motif.label if key is None else str(key)
        if name in found:
            raise ValueError(
                f"`motifs` holds {name!r} twice; give a dict, whose keys are the names."
            )
        if len(motif.values) != 1 or len(motif) == 0:
            raise ValueError(
                f"`motifs`[{where!r}] is a {motif.label or 'motif without letters'}; "
                "each must be letters or one matrix."
            )
        found[name] = motif
    return found


class Row(NamedTuple):
    """A row of a scan: a motif as it is placed, on one strand or on both."""

    key: str
    strand: str
    placed: tuple[Motif, ...]


class CollectionDesign:
    """Every row of a scan with its controls, laid out as they are needed.

    A row has a condition for each strand it is averaged over, and again as many for
    each control. Nothing is kept of a row but its motif, so that memory does not
    depend on how many rows and backgrounds there are.

    Parameters
    ----------
    rows: sequence of Row
        What is placed.

    starts: list of numpy.ndarray, shape=(n,) or (1,)
        The first base of each row in each background, or in all of them.

    n, length: int
        Number and length of the backgrounds.

    n_controls: int
        How often the letters of each background are placed in random order.

    seed: int
        Seed of draws and controls.
    """

    any_device = True
    columns = None

    def __init__(
        self,
        rows: Sequence[Row],
        starts: Sequence[NDArray[np.int64]],
        n: int,
        length: int,
        n_controls: int,
        seed: int,
    ) -> None:
        self._rows, self._starts, self._n, self._seed = rows, starts, n, seed
        self.n_strands, self.n_controls = len(rows[0].placed), n_controls
        self.together = self.n_strands * (1 + n_controls)
        self.names = [row.key for row in rows]
        n_conditions = len(rows) * self.together
        self.conditions = pd.DataFrame(index=pd.RangeIndex(n_conditions))
        self.lengths: NDArray[np.int64] = np.full(n_conditions, length)
        self._drawn: tuple[int, list[Codes]] = (-1, [])

    def describe(self, built: int, row: int) -> str:
        """The motif and its strand, or which of its controls it is."""
        placed = self._rows[built // self.together]
        control = built % self.together // self.n_strands
        told = f", control {control}" if control else ""
        return f"motif {placed.key!r} on strand {placed.strand}{told}"

    def build(self, X: torch.Tensor, rows: slice, conditions: slice) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length)."""
        batch = X[:, None].repeat(1, conditions.stop - conditions.start, 1, 1)
        for i in range(batch.shape[1]):
            row, condition = divmod(conditions.start + i, self.together)
            codes = self._codes(row)[condition]
            starts = self._starts[row]
            if len(starts) == 1:
                columns = starts[0] + np.arange(codes.shape[1])
                written = Placement(
                    (int(starts[0]),), columns, codes, X.shape[-1], None
                )
                written.write(batch[:, i], rows)
            else:
                chosen = codes[rows] if len(codes) > 1 else codes
                _write_at(batch[:, i], chosen, starts[rows])
        return batch

    def _codes(self, row: int) -> list[Codes]:
        """Letters of each condition of a row: strands, then those of each control."""
        if self._drawn[0] != row:
            placed = self._rows[row].placed
            codes = [motif.draw(self._n, self._seed) for motif in placed]
            for number in range(self.n_controls):
                codes += [
                    permuted_letters(letters, self._n, motif.seed(self._seed, number))
                    for motif, letters in zip(placed, codes, strict=False)
                ]
            self._drawn = row, codes
        return self._drawn[1]


def _write_at(batch: torch.Tensor, codes: Codes, starts: NDArray[np.int64]) -> None:
    """Write letters into each sequence at a place of its own, in place."""
    n, n_letters, _ = batch.shape
    codes = np.broadcast_to(codes, (n, codes.shape[1]))
    where = torch.from_numpy(starts[:, None] + np.arange(codes.shape[1]))
    index = where.to(batch.device)[:, None].expand(-1, n_letters, -1)
    letters = one_hot(codes, n_letters, batch.device).to(batch.dtype)
    if (codes == GAP).any():
        gaps = torch.from_numpy(codes == GAP).to(batch.device)
        letters = torch.where(gaps[:, None], batch.gather(2, index), letters)
    batch.scatter_(2, index, letters)
