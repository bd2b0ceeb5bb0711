"""The backgrounds as a model is given them: one-hot, with their side inputs."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence


class BackgroundRows:
    """Backgrounds and what belongs to each, some rows at a time.

    Parameters
    ----------
    X: torch.Tensor or PackedSequence, shape=(n, n_letters, length)
        The backgrounds.

    args: list of torch.Tensor or None
        Side inputs of the model, a row for each.

    device: torch.device or None
        Where they are kept in one byte a letter, since `predict` casts each batch to
        the dtype of the model there; None leaves them as they came.
    """

    def __init__(
        self,
        X: torch.Tensor | PackedSequence,
        args: list[torch.Tensor] | None,
        device: torch.device | None,
    ) -> None:
        self.X, self.args, self._device = X, args, device
        # Which of those that were given they are.
        self.numbers = np.arange(len(X))

    def on(self, rows: NDArray[np.int64]) -> BackgroundRows:
        """Some of them, in any order."""
        chosen = torch.from_numpy(rows)
        part = copy.copy(self)
        part.X, part.numbers = self.X[chosen], self.numbers[rows]
        if self.args is not None:
            part.args = [arg[chosen] for arg in self.args]
        return part

    def one_hot(self, rows: slice, *, any_device: bool = True) -> torch.Tensor:
        """Some of them, not to be written into."""
        X: torch.Tensor | PackedSequence = self.X[rows]
        X = X.to_one_hot() if isinstance(X, PackedSequence) else X
        if self._device is None:
            return X
        return X.to(self._device if any_device else X.device, torch.int8)

    def writable(self, rows: slice) -> torch.Tensor:
        """Some of them, which `func` may change."""
        X = self.one_hot(rows)
        is_view = isinstance(self.X, torch.Tensor) and (
            X.untyped_storage().data_ptr() == self.X.untyped_storage().data_ptr()
        )
        return X.clone() if is_view else X

    def side_inputs(self, rows: slice, times: int = 1) -> list[torch.Tensor] | None:
        """Those of some of them, each repeated."""
        if self.args is None:
            return None
        return [arg[rows].repeat_interleave(times, dim=0) for arg in self.args]

    def bytes_of_one(self, length: int) -> int:
        """Of a sequence of that length that is built, put into a row, and asked."""
        one_byte = self._device is not None or isinstance(self.X, PackedSequence)
        n_bytes: int = 2 * self.X.shape[1] * length
        n_bytes *= 1 if one_byte else self.X.itemsize
        for arg in self.args or []:
            n_bytes += arg[0].numel() * arg.element_size()
        return n_bytes
