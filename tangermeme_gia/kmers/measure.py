"""Effects of k-mers, block by block, on one strand or averaged over both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from numpy.typing import NDArray

from .._core.clusters import as_codes
from .._core.conditions import Design
from .._core.engine import Engine
from .._core.moments import ClusteredMoments, Moments
from .._core.readings import Block


def make_moments(
    n_kmers: int, shape: tuple[int, ...], clusters: NDArray[Any] | None
) -> Moments | ClusteredMoments:
    """What adds up the effects of k-mers on backgrounds, of which some may depend."""
    if clusters is None:
        return Moments(n_kmers, shape)
    return ClusteredMoments(n_kmers, shape, as_codes(clusters))


def add_effects(
    moments: Sequence[Moments | ClusteredMoments],
    engine: Engine,
    design: Design,
    before: list[torch.Tensor],
    strands: int,
) -> None:
    """Run a design and take its effects into the moments, one for each head."""
    for block in engine.stream(design, before, together=strands):
        kmers = block_kmers(block, strands)
        for after, y, moment in zip(block.y, before, moments, strict=True):
            moment.add(kmers, block_effects(after, y[block.rows], strands))


def block_effects(
    after: torch.Tensor, before: torch.Tensor, strands: int
) -> torch.Tensor:
    """Local importances of a block, shape=(n_rows, n_kmers, ...)."""
    effects = after.to(torch.float64) - before[:, None].to(torch.float64)
    if strands > 1:
        shape = (len(effects), -1, strands, *effects.shape[2:])
        effects = effects.reshape(shape).mean(dim=2)
    return effects


def block_kmers(block: Block, strands: int) -> slice:
    """Which k-mers a block holds, each of which has a condition for every strand."""
    first, last = block.conditions.start // strands, block.conditions.stop // strands
    return slice(first, last)
