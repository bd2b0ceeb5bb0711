"""Does it matter whether a motif stands in the loop or in the stem of a hairpin?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.conditions import Table, distinct
from .._core.controls import with_controls
from .._core.designs import with_letters
from .._core.engine import run_design
from .._core.letters import RandomState, as_seed, check_sequences, resolve_alphabet
from .._core.motif import Motif, MotifLike
from .._core.options import document
from .._core.patterns import Pattern, compile_conditions
from .._core.placements import Placement
from .._core.results import GIAResult
from ..structure.pairing import check_no_padding, impose_pairs
from ..structure.pairs import (
    Hairpin,
    Pairs,
    complementary_bases,
    named_structure,
    pair_indices,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options

# Sequences looked at together for padding, so that packed ones are decoded in parts.
_CHUNK = 4096


@document
def hairpin_importance(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    motif: MotifLike,
    structure: str | Hairpin = "paper",
    *,
    starts: Sequence[int] | None = None,
    wobble: bool = False,
    alphabet: Sequence[str] | None = None,
    consensus: bool = False,
    n_controls: int = 0,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> GIAResult:
    """Does a motif act in the loop, in the stem, or without any structure?

    The paper's "RNA structure". `X` is the unstructured background. Each sequence also
    gets a folded form, in which the right base of every pair that does not form
    becomes the complement of the left one, and the motif is placed in both at the same
    starts; in a stem its partners on the other arm change with it.

    `y_before` is that of the unstructured background, so that rows with `structure`
    "unstructured" have the motif's own effect, and "hairpin" rows that of stem and
    motif together. Its effect within the hairpin is that relative to the empty one:
    ``result.select(structure="hairpin").relative_to(place="none")``.

    Parameters
    ----------
    {model}

    motif: str, torch.Tensor or numpy.ndarray
        A string (N keeps the background, folded where it pairs), "FILE:NAME", one-hot,
        or a PPM of which each background gets one draw.

    structure: str or Hairpin, optional
        "paper" (pairs at 6-16 with 23-33 as the paper counts, from 1) or "released"
        (7-15 with 23-31, from 0, as in the authors' code), the geometry of a hairpin,
        or a dot-bracket string as long as X; with more than one perfect stem-loop it
        needs `starts`. Default is "paper".

    starts: sequence of int or None, optional
        The 0-based first bases at which to place the motif, each with the whole motif
        in one arm, one loop or outside. None is the middle of the loop, of the left
        arm and of the right arm. Default is None.

    wobble: bool, optional
        Whether G-U (or G-T) pairs that come about by chance stay. New pairs are always
        Watson-Crick. Default is False.

    {options}

    {controls}

    Returns
    -------
    result: GIAResult
        `conditions` has the columns `motif`, `start` (missing for the empty hairpin),
        `place` ("none", "loop", "left arm", "right arm" or "outside"), `structure`
        ("hairpin" or "unstructured") and `control`. The first row is the empty
        hairpin; then each start in the hairpin and unstructured. Rows of controls
        repeat these, with the motif that they control.

    Raises
    ------
    ValueError, TypeError
        If the structure does not fit X, X has padding in the stem, the motif is longer
        than an arm or the loop or reaches past one, the alphabet has no complementary
        bases, or X is not one-hot.

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(164, 1))
    >>> X = random_one_hot((50, 4, 41), random_state=0)
    >>> result = hairpin_importance(model, X, "GCTGGC")
    >>> result.conditions[["start", "place", "structure"]].head(3)
       start place     structure
    0   <NA>  none       hairpin
    1     16  loop       hairpin
    2     16  loop  unstructured
    """
    letters = resolve_alphabet(model, alphabet)
    check_sequences(X, letters)
    complementary_bases(letters)
    seed = as_seed(random_state)
    structure, length = named_structure(structure), X.shape[-1]
    pairs = pair_indices(structure, length)
    _check_stem(X, pairs)
    parsed = Motif.parse(motif, letters)
    k = len(parsed)
    elements = _elements(pairs, length)
    starts = _middles(structure, k) if starts is None else list(starts)
    if not starts:
        raise ValueError("`starts` is empty; at least one is needed.")
    places = [_place(elements, start, k) for start in starts]
    placed = [[Pattern(parsed, start)] for start in starts for _ in range(2)]
    table = _table(parsed.label, starts, places)
    conditions, table = with_letters([[], *placed], table, consensus)
    conditions, table = with_controls(conditions, table, n_controls, seed)
    placements = compile_conditions(
        conditions, len(X), length, letters, random_state=seed
    )
    design = _HairpinDesign(table, placements, pairs, letters, wobble)
    return run_design(model, X, design, **options)


class _HairpinDesign(Table):
    """Motifs in sequences that are folded where their row of the table says so."""

    any_device = False

    def __init__(
        self,
        conditions: pd.DataFrame,
        placements: list[Placement],
        pairs: Pairs,
        letters: tuple[str, ...],
        wobble: bool,
    ) -> None:
        self.conditions = conditions
        folded = (conditions["structure"] == "hairpin").tolist()
        keys = [(p.key, fold) for p, fold in zip(placements, folded, strict=True)]
        first, self.columns = distinct(keys)
        self._built = [(placements[i], folded[i]) for i in first]
        self.lengths: NDArray[np.int64] = np.array([p.length for p, _ in self._built])
        self._pairs, self._letters, self._wobble = pairs, letters, wobble

    def touching(self, kept: NDArray[np.bool_]) -> list[bool]:
        """For each condition: does its motif or its stem change these positions?"""
        stem = bool(kept[self._pairs].any())
        return [p.touches(kept) or (folded and stem) for p, folded in self._built]

    def build(self, X: torch.Tensor, rows: slice, conditions: slice) -> torch.Tensor:
        """Sequences, shape=(n_rows, n_conditions, n_letters, length)."""
        hairpins = self._fold(X, [])
        batch = []
        for placement, folded in self._built[conditions]:
            if folded:
                treated = placement.apply(hairpins, rows)
                batch.append(self._fold(treated, placement.columns.tolist()))
            else:
                batch.append(placement.apply(X, rows))
        return torch.stack(batch, dim=1)

    def _fold(self, X: torch.Tensor, keep: list[int]) -> torch.Tensor:
        return impose_pairs(
            X, self._pairs, keep=keep, alphabet=self._letters, wobble=self._wobble
        )


def _elements(pairs: Pairs, length: int) -> list[tuple[str, int]]:
    """The element of structure each position is in: its name and its number.

    An arm or a loop ends where the structure turns to another, so that two loops are
    two elements.
    """
    table = np.full(length, -1)
    table[pairs[:, 0]], table[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    opens, closes = (
        table > np.arange(length),
        (table >= 0) & (table < np.arange(length)),
    )
    inside = np.cumsum(opens) - np.cumsum(closes) > 0
    names = np.select(
        [opens, closes, inside], ["left arm", "right arm", "loop"], "outside"
    )
    numbers = np.cumsum(np.concatenate([[0], names[1:] != names[:-1]]))
    return list(zip(names.tolist(), numbers.tolist(), strict=True))


def _middles(structure: str | Hairpin, k: int) -> list[int]:
    """Starts of a motif in the middle of the loop, the left arm and the right arm."""
    if isinstance(structure, str):
        try:
            structure = Hairpin.from_dot_bracket(structure)
        except ValueError as error:
            raise ValueError(f"without `starts`: {error}") from error
    starts = []
    for name, element in [
        ("loop", structure.loop),
        ("left arm", structure.left_arm),
        ("right arm", structure.right_arm),
    ]:
        if k > len(element):
            raise ValueError(
                f"`motif` has {k} positions and does not fit the {name} of the "
                f"structure, which has {len(element)}; give `starts` where it fits."
            )
        starts.append(element.start + (len(element) - k) // 2)
    return starts


def _place(elements: list[tuple[str, int]], start: int, k: int) -> str:
    if isinstance(start, bool) or not hasattr(start, "__index__"):
        raise TypeError(f"`starts` holds {start!r}; it must hold integers.")
    if not 0 <= start <= len(elements) - k:
        raise ValueError(
            f"`starts` holds {start}; a {k}-mer in `X` of length {len(elements)} can "
            f"start at 0 to {len(elements) - k}."
        )
    covered = list(dict.fromkeys(elements[start : start + k]))
    if len(covered) != 1:
        names = ", ".join(name for name, _ in covered)
        raise ValueError(
            f"`starts` holds {start}, where the {k}-mer covers {names}; it must lie "
            "within one of them."
        )
    return covered[0][0]


def _table(label: str, starts: list[int], places: list[str]) -> pd.DataFrame:
    rows: list[tuple[str, int | None, str, str]] = [("", None, "none", "hairpin")]
    for start, place in zip(starts, places, strict=True):
        for background in ("hairpin", "unstructured"):
            rows.append((label, start, place, background))
    columns = ["motif", "start", "place", "structure"]
    table: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    table["start"] = table["start"].astype("Int64")
    return table


def _check_stem(X: torch.Tensor | PackedSequence, pairs: Pairs) -> None:
    columns = pairs.ravel()
    for first in range(0, len(X), _CHUNK):
        part = X[first : first + _CHUNK]
        part = part.to_one_hot() if isinstance(part, PackedSequence) else part
        padded = (part[:, :, columns] == 0).all(dim=1).reshape(len(part), -1, 2)
        rows = np.arange(first, first + len(part))
        check_no_padding(padded.cpu().numpy(), pairs, rows)
