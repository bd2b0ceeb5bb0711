"""Designs made of patterns: conditions that write motifs into the backgrounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .controls import CONTROLS, control_motif
from .engine import Engine, merge_kwargs
from .letters import as_seed, check_alphabet, check_sequences
from .motif_codes import Motif, motif_label
from .patterns import Pattern, PatternLike, compile_conditions
from .placements import Placement
from .results import GIAResult

check_backgrounds = check_sequences
Conditions = Sequence[Sequence[PatternLike]]
# Backgrounds or conditions, by a slice or in any order by their indices.
Chosen: TypeAlias = slice | NDArray[np.int64]


class PatternDesign:
    """Conditions compiled to placements.

    Parameters
    ----------
    conditions: pandas.DataFrame
        One row per condition.

    placements: list of Placement
        What each condition writes.
    """

    any_device = True

    def __init__(self, conditions: pd.DataFrame, placements: list[Placement]) -> None:
        self.conditions = conditions
        self.lengths: NDArray[np.int64] = np.array([p.length for p in placements], int)
        self._placements = placements

    def build(self, X: torch.Tensor, rows: Chosen, conditions: Chosen) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length)."""
        if isinstance(conditions, slice):
            placements = self._placements[conditions]
        else:
            placements = [self._placements[i] for i in conditions.tolist()]
        if placements[0].kept is not None:
            return torch.stack([p.apply(X, rows) for p in placements], dim=1)
        batch = X[:, None].repeat(1, len(placements), 1, 1)
        for i, placement in enumerate(placements):
            placement.write(batch[:, i], rows)
        return batch


def run_patterns(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    conditions: Conditions,
    table: pd.DataFrame,
    *,
    alphabet: Sequence[str],
    func: Callable[..., Any],
    additional_func_kwargs: Mapping[str, Any] | None,
    kwargs: Mapping[str, Any],
    max_memory: int | None,
    random_state: int | None,
    verbose: bool,
    insert: bool = False,
    n_controls: int | None = None,
) -> GIAResult:
    """Place every condition's patterns in every background and run the model.

    `table` has one row per condition. Where `n_controls` is a number, control
    conditions follow and the table gets a column `control`.
    """
    letters = check_alphabet(alphabet)
    check_sequences(X, letters)
    seed = as_seed(random_state)
    if n_controls is not None:
        conditions, table = add_controls(conditions, table, n_controls, letters, seed)
    placements = compile_conditions(
        conditions, len(X), X.shape[-1], letters, insert=insert, random_state=seed
    )
    engine = Engine(
        model,
        X,
        func=func,
        kwargs=merge_kwargs(kwargs, additional_func_kwargs),
        max_memory=max_memory,
        verbose=verbose,
    )
    return engine.run(PatternDesign(table.reset_index(drop=True), placements))


def add_controls(
    conditions: Conditions,
    table: pd.DataFrame,
    n_controls: int,
    letters: tuple[str, ...],
    seed: int,
) -> tuple[list[list[Pattern]], pd.DataFrame]:
    """The conditions, then each with its motifs replaced, `n_controls` times a kind.

    One motif has the same replacement in every condition, so that a control has the
    arms of what it controls.
    """
    if type(n_controls) is not int or n_controls < 0:
        raise ValueError(
            f"`n_controls`={n_controls!r} must be 0 or a positive integer."
        )
    patterns = [
        [Pattern(*pattern) for pattern in condition] for condition in conditions
    ]
    rounds, tables = [patterns], [table.assign(control="none")]
    for kind in CONTROLS:
        for i in range(n_controls):
            rng = np.random.default_rng([seed, CONTROLS.index(kind), i])
            replaced: dict[int | str, Motif] = {}
            for motif in (p.motif for condition in patterns for p in condition):
                key = motif if isinstance(motif, str) else id(motif)
                if key not in replaced:
                    replaced[key] = control_motif(motif, kind, letters, rng)
            rounds.append(
                [
                    [
                        Pattern(replaced[m if isinstance(m, str) else id(m)], start)
                        for m, start in condition
                    ]
                    for condition in patterns
                ]
            )
            tables.append(table.assign(control=f"{kind} {i + 1}"))
    flat = [condition for conditions_ in rounds for condition in conditions_]
    return flat, pd.concat(tables, ignore_index=True)


def describe_patterns(patterns: Sequence[Pattern], alphabet: Sequence[str]) -> str:
    """Patterns in a few letters, such as "UGCAUG@17 + GC@0"; "" for none."""
    return " + ".join(
        f"{motif_label(motif, alphabet)}@{'centre' if start is None else start}"
        for motif, start in patterns
    )
