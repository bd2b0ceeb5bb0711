"""Sequences as letter codes, and seeded generators: what all samplers share.

A code is the channel of a letter; the number of letters stands for padding or N.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from tangermeme.utils import PackedSequence

Codes = NDArray[np.int16]

# Separate streams of one seed, so that which templates are drawn, which is public
# (`template_rows`), is independent of what is then done to them, and where a motif
# is then put is independent of the letters there.
TEMPLATE_STREAM, DRAW_STREAM, POSITION_STREAM = 0, 1, 2


def check_observed(X: torch.Tensor | PackedSequence) -> None:
    """Raise unless `X` has the type and shape of a batch of sequences.

    Raises
    ------
    TypeError
        If `X` is neither a torch.Tensor nor a PackedSequence.

    ValueError
        If `X` is empty or does not have three dimensions.
    """
    if not isinstance(X, torch.Tensor | PackedSequence):
        raise TypeError(
            f"`X` is a {type(X).__name__}; it must be a torch.Tensor or a "
            "PackedSequence."
        )
    if X.ndim != 3 or 0 in X.shape:
        raise ValueError(
            f"`X` has shape {tuple(X.shape)}; it must be (n, alphabet, length) with at "
            "least one sequence, letter and position."
        )


def check_one_hot(X: torch.Tensor | PackedSequence) -> None:
    """Raise unless `X` is a batch of one-hot sequences (see `observed_codes`)."""
    check_observed(X)
    if isinstance(X, torch.Tensor):
        _one_hot_codes(X)


def observed_codes(
    X: torch.Tensor | PackedSequence, rows: NDArray[np.intp] | None = None
) -> Codes:
    """The codes, shape=(n, length), of one-hot sequences or of some of their rows.

    Raises
    ------
    TypeError, ValueError
        If `X` is not a batch of sequences, or any of them, asked for or not, is not
        one-hot.
    """
    check_observed(X)
    if isinstance(X, PackedSequence):
        chosen = X if rows is None else X[torch.from_numpy(rows)]
        packed: Codes = chosen.to_codes().numpy().astype(np.int16)
        return packed
    codes = _one_hot_codes(X)
    return codes if rows is None else codes[rows]


def _one_hot_codes(X: torch.Tensor) -> Codes:
    n_letters = X.shape[1]
    values = X.to(torch.float32) if X.dtype == torch.bfloat16 else X
    array = values.detach().cpu().numpy()
    codes = np.full((X.shape[0], X.shape[2]), n_letters, dtype=np.int16)
    n_ones, n_zeros = np.zeros_like(codes), np.zeros_like(codes)
    for letter in range(n_letters):
        is_one = array[:, letter] == 1
        codes -= is_one * np.int16(n_letters - letter)
        n_ones += is_one
        n_zeros += array[:, letter] == 0
    wrong = (n_ones > 1) | (n_ones + n_zeros != n_letters)
    if wrong.any():
        row, position = np.argwhere(wrong)[0]
        raise ValueError(
            f"`X` is not one-hot: sequence {row} holds "
            f"{array[row, :, position].tolist()} at position {position}; allowed is a "
            "single 1, or only 0 for padding."
        )
    return codes


def one_hot(
    codes: Codes, n_letters: int, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """The int8 one-hot encoding, shape=(n, n_letters, length), of codes."""
    letters = torch.arange(n_letters, dtype=torch.int16)[:, None]
    return (torch.from_numpy(codes)[:, None] == letters).to(torch.int8).to(device)


def as_array(values: ArrayLike | torch.Tensor) -> NDArray[np.float64]:
    """Numbers as a float64 array on the CPU."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().double().numpy()
    return np.asarray(values, dtype=np.float64)


def check_count(name: str, value: object, least: int = 1) -> None:
    """Raise unless `value` is an integer of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"`{name}`={value!r} must be an integer.")
    if value < least:
        raise ValueError(f"`{name}`={value} must be at least {least}.")


def generator(random_state: int | None, stream: int) -> np.random.Generator:
    """A generator of one stream of a seed; None is a fresh one each time.

    Raises
    ------
    TypeError, ValueError
        If `random_state` is neither None nor an integer of at least 0.
    """
    if random_state is not None:
        if isinstance(random_state, bool) or not isinstance(
            random_state, int | np.integer
        ):
            raise TypeError(
                f"`random_state`={random_state!r} must be an integer or None."
            )
        if random_state < 0:
            raise ValueError(f"`random_state`={random_state} must not be negative.")
    seed = None if random_state is None else int(random_state)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(stream,)))
