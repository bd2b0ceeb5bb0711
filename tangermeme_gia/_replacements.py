"""What replaces a region of a sequence: shuffles of it, or other sequences."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.utils import PackedSequence

from ._codes import check_count
from .placements import check_sequences

Background: TypeAlias = str | torch.Tensor | PackedSequence
_SHUFFLES = ("shuffle", "dinucleotide")
# Sequences shuffled at once: all draws of them are made to give out any.
_CHUNK = 64


class Replacements:
    """What replaces a region in each draw."""

    def __init__(
        self,
        background: Background,
        X: torch.Tensor | PackedSequence,
        n: int,
        seed: int,
        letters: tuple[str, ...],
    ) -> None:
        check_count("n", n)
        self.n = n
        # The generators of tangermeme take 32 bits.
        self._seed = seed % 2**32
        self._orders: dict[int, torch.Tensor] = {}
        self._sequences: torch.Tensor | PackedSequence | None = None
        self._chosen: NDArray[np.int64] = np.empty((0, n), dtype=np.int64)
        if isinstance(background, str):
            if background not in _SHUFFLES:
                raise ValueError(
                    f"`background`={background!r} must be one of {list(_SHUFFLES)}, or "
                    "sequences."
                )
            self.name = background
            return
        _check_background(background, X, n, letters)
        self.name, self._sequences = "given", background
        self._chosen = np.stack(
            [
                np.random.default_rng([seed, i]).choice(len(background), n, False)
                for i in range(len(X))
            ]
        )

    def of(
        self,
        region: torch.Tensor,
        start: int,
        draws: slice,
        sequences: NDArray[np.int64],
        shift: NDArray[np.int64],
    ) -> torch.Tensor:
        """Replacements, shape=(n_rows, n_draws, n_letters, width).

        `sequences` are the rows' numbers in X; `shift` is added to the seed of each.
        """
        if self.name == "shuffle":
            order = self._order(region.shape[-1])[draws].to(region.device)
            return region[:, :, order].transpose(1, 2)
        if self.name == "dinucleotide":
            seeds = (self._seed + shift).tolist()
            parts = [
                dinucleotide_shuffle(
                    region[i : i + _CHUNK],
                    n=self.n,
                    random_state=seeds[i : i + _CHUNK],
                    allow_N=True,
                )[:, draws]
                for i in range(0, len(region), _CHUNK)
            ]
            return torch.cat(parts)
        chosen = torch.from_numpy(self._chosen[sequences, draws])
        source: Any = self._sequences
        source = source[chosen.ravel()]
        if isinstance(source, PackedSequence):
            source = source.to_one_hot()
        columns = slice(start, start + region.shape[-1])
        drawn = source[:, :, columns].reshape(*chosen.shape, *region.shape[1:])
        filled: torch.Tensor = (region != 0).any(dim=1)[:, None, None]
        replaced: torch.Tensor = drawn.to(region) * filled.to(region)
        return replaced

    def _order(self, width: int) -> torch.Tensor:
        """The orders of `tangermeme.ersatz.shuffle` with this seed."""
        if width not in self._orders:
            rng = np.random.RandomState(self._seed)
            orders = np.tile(np.arange(width), (self.n, 1))
            for order in orders:
                rng.shuffle(order)
            self._orders[width] = torch.from_numpy(orders)
        return self._orders[width]


def _check_background(
    background: torch.Tensor | PackedSequence,
    X: torch.Tensor | PackedSequence,
    n: int,
    letters: tuple[str, ...],
) -> None:
    try:
        check_sequences(background, letters)
    except (TypeError, ValueError) as error:
        raise type(error)(f"`background`: {error}") from error
    if background.shape[-1] != X.shape[-1]:
        raise ValueError(
            f"`background` has length {background.shape[-1]}, `X` {X.shape[-1]}; they "
            "must agree."
        )
    if len(background) < n:
        raise ValueError(
            f"`background` has {len(background)} sequences, fewer than the `n`={n} "
            "different ones to draw."
        )
