"""What replaces a region of a sequence: shuffles of it, or other sequences."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.utils import PackedSequence

from .._core.letters import check_count, check_sequences

Background: TypeAlias = str | torch.Tensor | PackedSequence
_SHUFFLES = ("shuffle", "dinucleotide")
# Orders of shuffles that are kept: 32 MiB.
_KEPT = 1 << 25


class Replacements:
    """What replaces a region in each draw, drawn for each of `n_rows` on its own."""

    def __init__(
        self,
        background: Background,
        X: torch.Tensor | PackedSequence,
        n: int,
        n_rows: int,
        seed: int,
        letters: tuple[str, ...],
    ) -> None:
        check_count("n", n)
        self.n = n
        # A seed of its own for every row: what all rows share is no mean over rows.
        # The generators of tangermeme take 32 bits.
        self._seeds = np.random.SeedSequence(seed).generate_state(n_rows).tolist()
        self._orders: dict[tuple[int, int], NDArray[np.int32]] = {}
        self._held = 0
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
                for i in range(n_rows)
            ]
        )

    def of(
        self, region: torch.Tensor, start: int, draws: slice, rows: slice
    ) -> torch.Tensor:
        """Replacements of some rows, shape=(n_rows, n_draws, n_letters, width)."""
        seeds = self._seeds[rows]
        if self.name == "shuffle":
            orders = [self._order(seed, region.shape[-1])[draws] for seed in seeds]
            order = torch.from_numpy(np.stack(orders).astype(np.int64))
            return _reordered(region, order.to(region.device))
        if self.name == "dinucleotide":
            # All draws of a region are made to give out any, with four times their
            # memory: as much at once as what is asked for, or that of one region.
            asked = len(range(self.n)[draws])
            at_once = max(1, len(region) * asked // (4 * self.n))
            replaced = region.new_empty((len(region), asked, *region.shape[1:]))
            for i in range(0, len(region), at_once):
                part = slice(i, i + at_once)
                replaced[part] = _shuffled(region[part], self.n, seeds[part])[:, draws]
            return replaced
        chosen = torch.from_numpy(self._chosen[rows, draws])
        source: Any = self._sequences
        source = source[chosen.ravel()]
        if isinstance(source, PackedSequence):
            source = source.to_one_hot()
        columns = slice(start, start + region.shape[-1])
        drawn = source[:, :, columns].reshape(*chosen.shape, *region.shape[1:])
        given: torch.Tensor = drawn.to(region) * _letters(region)[:, None, None]
        return given

    def _order(self, seed: int, width: int) -> NDArray[np.int32]:
        """The orders of `tangermeme.ersatz.shuffle`; windows of one width share them.

        They are kept while they take little memory, because numpy draws them one by
        one.
        """
        key = seed, width
        if key in self._orders:
            return self._orders[key]
        rng = np.random.RandomState(seed)
        orders = np.tile(np.arange(width, dtype=np.int32), (self.n, 1))
        for order in orders:
            rng.shuffle(order)
        if self._held + orders.nbytes <= _KEPT:
            self._orders[key] = orders
            self._held += orders.nbytes
        return orders


def _letters(region: torch.Tensor) -> torch.Tensor:
    """Which positions hold a letter, neither padding nor N; shape=(n_rows, width)."""
    is_letter: torch.Tensor = (region != 0).any(dim=1)
    return is_letter


def _reordered(region: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """The letters of each row in its orders, shape=(n_rows, n_draws, n_letters, width).

    `order` is of shape (n_rows, n_draws, width). Letters go to the places of letters,
    so that padding stays where it is.
    """
    absent = ~_letters(region)[:, None].expand_as(order)
    columns = order
    if absent.any():
        letters_first = absent.gather(-1, order).sort(dim=-1, stable=True).indices
        source = order.gather(-1, letters_first)
        places = absent.sort(dim=-1, stable=True).indices
        columns = torch.empty_like(source).scatter_(-1, places, source)
    shape = (*order.shape[:2], region.shape[1], order.shape[2])
    return region[:, None].expand(shape).gather(-1, columns[:, :, None].expand(shape))


def _shuffled(region: torch.Tensor, n: int, seeds: list[int]) -> torch.Tensor:
    """`n` dinucleotide shuffles of each row, shape=(n_rows, n, n_letters, width).

    Padding stays where it is: every run of letters between it is shuffled alone.
    """
    is_letter = _letters(region)
    if is_letter.all():
        drawn = dinucleotide_shuffle(region, n=n, random_state=seeds)
        return torch.as_tensor(drawn)
    shuffled = region[:, None].repeat(1, n, 1, 1)
    for row, letters in enumerate(is_letter.tolist()):
        edges = np.flatnonzero(np.diff(letters, prepend=False, append=False))
        rng = np.random.default_rng(seeds[row])
        for first, end in edges.reshape(-1, 2).tolist():
            # One draw of each copy: a short run may have no other order.
            copies = region[row : row + 1, :, first:end].expand(n, -1, -1)
            drawn = dinucleotide_shuffle(
                copies, n=1, random_state=rng.integers(2**31 - 1, size=n).tolist()
            )
            shuffled[row, ..., first:end] = drawn[:, 0]
    if n > 1 and (shuffled == shuffled[:, :1]).flatten(1).all(dim=1).any():
        raise ValueError(
            "`background`='dinucleotide': all dinucleotide shuffles of a region with "
            "padding are identical, as where it has no run of more than 3 letters."
        )
    return shuffled


def _check_background(
    background: torch.Tensor | PackedSequence,
    X: torch.Tensor | PackedSequence,
    n: int,
    letters: tuple[str, ...],
) -> None:
    check_sequences(background, letters, "background")
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
