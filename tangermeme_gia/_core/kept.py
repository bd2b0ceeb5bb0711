"""Positions that stay as they are: adapters, primers, a promoter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from .letters import GAP, Codes
from .selections import find_rows

Keep: TypeAlias = slice | Sequence[Any] | NDArray[Any] | torch.Tensor


def resolve_keep(keep: Keep | None, length: int) -> NDArray[np.bool_]:
    """Which positions are to stay, True or False for each.

    Raises
    ------
    TypeError, ValueError
        If it is neither a slice, positions nor True and False for each, or a position
        is not there.

    Examples
    --------
    >>> resolve_keep([0, -1], 4).tolist(), resolve_keep(None, 2).tolist()
    ([True, False, False, True], [False, False])
    """
    kept: NDArray[np.bool_] = np.zeros(length, dtype=np.bool_)
    if keep is not None:
        kept[find_rows("keep", keep, length)] = True
    return kept


def without_kept(codes: Codes, keep: Keep | None) -> Codes:
    """Sequences of which a sampler sees the kept positions as padding."""
    if keep is None:
        return codes
    free: Codes = codes.copy()
    free[:, resolve_keep(keep, codes.shape[1])] = GAP
    return free


def with_kept(codes: Codes, templates: Codes, keep: Keep | None) -> Codes:
    """What a sampler made of templates, with their kept positions."""
    if keep is not None:
        kept = resolve_keep(keep, codes.shape[1])
        codes[:, kept] = templates[:, kept]
    return codes


def free_starts(
    kept: NDArray[np.bool_],
    written: NDArray[np.int64],
    width: int,
    *,
    insert: bool = False,
) -> NDArray[np.int64]:
    """Where a motif may start, of which some positions are written, and touch none.

    Raises
    ------
    ValueError
        If there is no such start.

    Examples
    --------
    >>> kept = resolve_keep([0, 1, 7], 8)
    >>> free_starts(kept, np.arange(3), 3).tolist()
    [2, 3, 4]
    >>> free_starts(kept, np.arange(3), 3, insert=True).tolist()
    [0, 2, 3, 4, 5, 6, 7, 8]
    """
    if insert:
        inner = kept[:-1] & kept[1:]
        return np.flatnonzero(~np.concatenate([[False], inner, [False]]))
    every = np.arange(len(kept) - width + 1)
    starts: NDArray[np.int64] = every[~kept[every[:, None] + written].any(axis=1)]
    if not len(starts):
        raise ValueError(f"`keep` leaves no place for a motif of {width} positions.")
    return starts
