"""Designs made of patterns: conditions that write motifs into the backgrounds."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .conditions import Table, distinct
from .controls import with_controls
from .engine import run_design
from .letters import RandomState, as_seed, check_alphabet, check_sequences
from .patterns import Pattern, as_consensus, compile_conditions
from .placements import Placement
from .results import GIAResult

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import Options

_MOVED = (
    "`insert`=True moves all that follows a motif: effects are right for a model that "
    "answers for the whole sequence (a sum, a mean, a maximum), not for one that reads "
    "at a fixed place."
)
Conditions = Sequence[Sequence[Pattern]]
# Backgrounds or conditions, by a slice or in any order by their indices.
Chosen: TypeAlias = slice | NDArray[np.int64]


class PatternDesign(Table):
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
        self.placements = placements

    def touching(self, kept: NDArray[np.bool_]) -> list[bool]:
        """Which of the placements change any of these positions."""
        return [placement.touches(kept) for placement in self.placements]

    def build(self, X: torch.Tensor, rows: Chosen, conditions: Chosen) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length)."""
        if isinstance(conditions, slice):
            placements = self.placements[conditions]
        else:
            placements = [self.placements[i] for i in conditions.tolist()]
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
    consensus: bool = False,
    n_controls: int = 0,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> GIAResult:
    """Place every condition's patterns in every background and run the model.

    `table` has one row per condition; rows of controls follow, and all get a column
    `control`, and `letters` where a motif is called otherwise than by what is placed.
    Each distinct placement is predicted once.
    """
    letters = check_alphabet(alphabet)
    check_sequences(X, letters)
    seed = as_seed(random_state)
    conditions, table = with_letters(conditions, table, consensus)
    if "control" not in table:
        conditions, table = with_controls(conditions, table, n_controls, seed)
    placements = compile_conditions(
        conditions, len(X), X.shape[-1], letters, insert=insert, random_state=seed
    )
    if insert and any(placement.length != X.shape[-1] for placement in placements):
        warnings.warn(_MOVED, UserWarning, stacklevel=2)
    first, columns = distinct([placement.key for placement in placements])
    design = PatternDesign(table, [placements[i] for i in first], columns)
    return run_design(model, X, design, **options)


def with_letters(
    conditions: Conditions, table: pd.DataFrame, consensus: bool
) -> tuple[Conditions, pd.DataFrame]:
    """Conditions as they are placed, and a column `letters` for what has another label.

    Examples
    --------
    >>> from tangermeme_gia.motifs import Motif
    >>> motif = Motif.parse("GRTA")
    >>> _, table = with_letters([[Pattern(motif, 3)]], pd.DataFrame(index=[0]), True)
    >>> table["letters"].tolist()
    ['GATA']
    """
    placed = as_consensus(conditions) if consensus else conditions
    if "letters" not in table and any(
        motif.label != after.letters
        for before, condition in zip(conditions, placed, strict=True)
        for (motif, _), (after, _) in zip(before, condition, strict=True)
    ):
        letters = [dict.fromkeys(m.letters for m, _ in each) for each in placed]
        table = table.assign(letters=[" + ".join(each) for each in letters])
    return placed, table


def describe_patterns(patterns: Sequence[Pattern]) -> str:
    """Patterns in a few letters, such as "UGCAUG@17 + GC@0"; "" for none."""
    return " + ".join(
        f"{motif.label}@{'centre' if start is None else start}"
        for motif, start in patterns
    )
