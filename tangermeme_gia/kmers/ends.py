"""Both ends of a scan, by races that begin with what a few backgrounds tell of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import torch
from tangermeme.utils import PackedSequence

from .._core.engine import Engine
from .._core.letters import RandomState, as_seed, resolve_alphabet
from .._core.progress import whole
from .._core.results import GIAResult
from .._core.scans import KmerScan
from .designs import scan_design
from .measure import block_effects, block_kmers
from .race import Races

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options


class Ends(NamedTuple):
    """The k-mers of the highest and of the lowest effects, on all backgrounds."""

    highest: KmerScan
    lowest: KmerScan


def effects_of_kmers(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    kmers: Sequence[str],
    start: int | None = None,
    *,
    both_strands: bool = False,
    alphabet: Sequence[str] | None = None,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> GIAResult:
    """What does each k-mer do on each of a few backgrounds?

    As `kmer_scan`, with all effects kept: `y_afters` are these, `y_before` is 0.
    """
    letters, strands = resolve_alphabet(model, alphabet), 2 if both_strands else 1
    seed = as_seed(random_state)
    names, design = scan_design(X, 0, kmers, start, letters, strands, False, seed)
    engine = Engine(model, X, **options)
    with engine.held():
        before = engine.before()
        assert isinstance(before, torch.Tensor)
        shape = (len(before), len(names), *before.shape[1:])
        effects = torch.empty(shape, dtype=torch.float64)
        for block in engine.stream(design, [before], together=strands):
            columns = block_kmers(block, strands)
            effects[block.rows, columns] = block_effects(
                block.y[0], before[block.rows], strands
            )
    table = pd.DataFrame({"kmer": list(names)})
    return GIAResult(
        torch.zeros(len(before), *before.shape[1:], dtype=torch.float64),
        effects,
        table,
        clusters=engine.clusters,
    )


def race_to_both_ends(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    known: GIAResult,
    n_best: tuple[int, int],
    start: int | None = None,
    *,
    both_strands: bool = False,
    alphabet: Sequence[str] | None = None,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> Ends:
    """Which k-mers are highest and lowest, on backgrounds of which some are known?

    Parameters
    ----------
    model, X, start, both_strands, alphabet, random_state, options
        As for `best_kmers`.

    known: GIAResult
        Of `effects_of_kmers` on the first of the backgrounds.

    n_best: tuple of int
        How many of the highest, and of the lowest.
    """
    letters, strands = resolve_alphabet(model, alphabet), 2 if both_strands else 1
    seed = as_seed(random_state)
    kmers = known.conditions["kmer"].tolist()
    names, design = scan_design(X, 0, kmers, start, letters, strands, False, seed)
    engine = Engine(model, X, **options)
    effects = known.output().local_importance
    assert isinstance(effects, torch.Tensor)
    with engine.held(), whole(None, "sequences", engine.verbose):
        races = Races(engine, design, names, strands, seed)
        return Ends(
            *(
                races.best(top, 0.01, lowest, effects.numpy())
                for top, lowest in zip(n_best, (False, True), strict=True)
            )
        )
