"""Designs made of patterns: conditions that write motifs into the backgrounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .controls import CONTROLS, control_motif
from .engine import distinct, run_design
from .motif_codes import Motif, as_seed, check_alphabet, motif_label
from .patterns import Pattern, PatternLike, compile_conditions
from .placements import Placement, check_sequences
from .results import GIAResult

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import Options

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
        What each condition writes, or each of those that differ.

    columns: numpy.ndarray or None, optional
        Which of the placements each condition is; None if its own. Default is None.
    """

    any_device = True

    def __init__(
        self,
        conditions: pd.DataFrame,
        placements: list[Placement],
        columns: NDArray[np.int64] | None = None,
    ) -> None:
        self.conditions, self.columns = conditions, columns
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
    insert: bool = False,
    n_controls: int = 0,
    random_state: int | None = None,
    **options: Unpack[Options],
) -> GIAResult:
    """Place every condition's patterns in every background and run the model.

    `table` has one row per condition; rows of controls follow, and all get a column
    `control`. Each distinct placement is predicted once.
    """
    letters = check_alphabet(alphabet)
    check_backgrounds(X, letters)
    seed = as_seed(random_state)
    if "control" not in table:
        conditions, table = add_controls(conditions, table, n_controls, letters, seed)
    placements = compile_conditions(
        conditions, len(X), X.shape[-1], letters, insert=insert, random_state=seed
    )
    first, columns = distinct([placement.key for placement in placements])
    design = PatternDesign(table, [placements[i] for i in first], columns)
    return run_design(model, X, design, **options)


def check_backgrounds(X: Any, letters: Sequence[str]) -> None:
    """Check that `X` is one-hot over the alphabet and holds a background.

    Raises
    ------
    ValueError, TypeError
        If it is not.
    """
    check_sequences(X, letters)
    if len(X) == 0:
        raise ValueError("`X` is empty; at least one background sequence is needed.")


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
