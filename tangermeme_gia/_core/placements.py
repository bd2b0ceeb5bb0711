"""A condition in compiled form: which channel is written where, in which rows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from .letters import Codes, one_hot

Positions: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = slice | NDArray[Any] | torch.Tensor | None


@dataclass(frozen=True, eq=False)
class Placement:
    """One condition, checked and ready to be written into background sequences.

    Parameters
    ----------
    starts: tuple of int
        The start of each pattern in the order given, with None resolved.

    columns: numpy.ndarray, shape=(n_written,)
        Positions that are written, ascending, in the sequences that result.

    codes: numpy.ndarray, dtype=int8, shape=(1, n_written) or (n, n_written)
        Channel written at each of them, for all backgrounds or for each one; -1
        (only with one row per background) keeps the base.

    length: int
        Length of the sequences that result.

    kept: numpy.ndarray or None, shape=(background length,)
        Where the background bases go, if motifs are inserted; None if they are
        substituted.
    """

    starts: tuple[int, ...]
    columns: Positions
    codes: Codes
    length: int
    kept: Positions | None

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for placements that make the same sequences of the same backgrounds."""
        written = hashlib.sha256(self.columns.tobytes())
        written.update(self.codes.tobytes())
        return self.length, self.kept is None, len(self.codes), written.digest()

    def touches(self, kept: NDArray[np.bool_]) -> bool:
        """Whether it writes to positions of the background, or inserts among them."""
        if self.kept is None:
            return bool(kept[self.columns].any())
        parted = np.diff(self.kept) > 1
        return bool((parted & kept[:-1] & kept[1:]).any())

    def apply(self, X: torch.Tensor, rows: Rows = None) -> torch.Tensor:
        """The given background rows with the condition's patterns; `X` is unchanged.

        Parameters
        ----------
        X: torch.Tensor, shape=(n_rows, n_letters, length)
            One-hot backgrounds, of any dtype and on any device.

        rows: slice, integer array or None, optional
            Which of the `n` backgrounds the rows of `X` are. None if they are all of
            them, in order. Default is None.

        Returns
        -------
        X_with: torch.Tensor, shape=(n_rows, n_letters, self.length)

        Raises
        ------
        ValueError
            If `X` does not have the length or the number of rows compiled for.
        """
        length = self.length if self.kept is None else len(self.kept)
        if X.shape[-1] != length:
            raise ValueError(
                f"`X` has length {X.shape[-1]}; the condition was compiled for "
                f"{length}."
            )
        if self.kept is None:
            X_with = X.clone()
        else:
            X_with = X.new_zeros((*X.shape[:-1], self.length))
            X_with[..., torch.from_numpy(self.kept).to(X.device)] = X
        self.write(X_with, rows)
        return X_with

    def write(self, X: torch.Tensor, rows: Rows = None) -> None:
        """Write the patterns into a batch in place: the fast form of `apply`.

        With substitution the batch is a copy of background rows. With insertion it
        already has the length that results.

        Parameters
        ----------
        X: torch.Tensor, shape=(n_rows, n_letters, self.length)
            The batch, which is changed.

        rows: slice, integer array or None, optional
            Which of the `n` backgrounds the rows of `X` are. None if they are all of
            them, in order. Default is None.

        Raises
        ------
        ValueError
            If `X` does not have the length or the number of rows compiled for.
        """
        codes, n_rows = self.codes, len(X)
        if len(codes) != 1:
            if rows is not None:
                codes = codes[rows.cpu() if isinstance(rows, torch.Tensor) else rows]
            n_rows = len(codes)
        if X.shape[-1] != self.length or len(X) != n_rows:
            raise ValueError(
                f"`X` has {len(X)} rows of length {X.shape[-1]}; `rows` selects "
                f"{n_rows} backgrounds, and the condition gives length {self.length}."
            )
        if len(self.columns) == 0:
            return
        letters = one_hot(codes, X.shape[1], X.device).to(X.dtype)
        columns = self._column_index(X.device)
        if (codes < 0).any():
            gaps = torch.from_numpy(codes < 0).to(X.device)
            letters = torch.where(gaps[:, None], X[:, :, columns], letters)
        X[:, :, columns] = letters

    def _column_index(self, device: torch.device) -> slice | torch.Tensor:
        first, last = int(self.columns[0]), int(self.columns[-1])
        # A slice is several times faster than an index.
        if last - first + 1 == len(self.columns):
            return slice(first, last + 1)
        return torch.from_numpy(self.columns).to(device)
