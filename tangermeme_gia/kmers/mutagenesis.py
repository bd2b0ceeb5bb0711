"""All single-letter variants of a k-mer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import torch
from tangermeme.utils import PackedSequence

from .._core.controls import with_controls
from .._core.designs import run_patterns
from .._core.letters import GAP_LETTER, RandomState, as_seed, resolve_alphabet
from .._core.motif import Motif
from .._core.options import document
from .._core.patterns import Pattern
from .._core.results import GIAResult

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options


@document
def kmer_mutagenesis(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    motif: str,
    start: int | None = None,
    *,
    alphabet: Sequence[str] | None = None,
    n_controls: int = 0,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> GIAResult:
    """Which letters of a k-mer matter: how do all its single-letter variants do?

    The paper's "k-mer mutagenesis". Effects are against the background, as in every
    experiment; `statistics.mutagenesis_change` gives those against the wild type.

    Parameters
    ----------
    {model}

    motif: str
        The wild type. A position with N keeps the background and has no variants.

    start: int or None, optional
        Its 0-based first base; None is the centre. Default is None.

    {options}

    n_controls: int, optional
        How many random k-mers and how many permutations of the k-mer's own letters get
        all their variants, too; the rows say so in their column `control`.
        Default is 0.

    Returns
    -------
    result: GIAResult
        `conditions` has the columns `motif` (the letters placed), `position` in the
        motif and `letter` put there (both missing for the wild type), `is_wild_type`
        and `control`. The wild type comes first, then the variants by position, in
        the order of the alphabet; then the same of each control.

    Raises
    ------
    ValueError, TypeError
        If the motif is not a string of the alphabet's letters or runs past X, or X is
        not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> result = kmer_mutagenesis(model, X, "GATA")
    >>> len(result.conditions)
    13
    """
    letters = resolve_alphabet(model, alphabet)
    if not isinstance(motif, str):
        raise TypeError(
            f"`motif` is of type {type(motif).__name__}; the variants of a string can "
            "be listed."
        )
    parsed = Motif.parse(motif, letters)
    if parsed.is_drawn:
        raise ValueError(
            f"`motif` {motif!r} has letters that stand for several; variants are of "
            f"one word of {', '.join(letters)} and {GAP_LETTER}."
        )
    seed = as_seed(random_state)
    wild_type = [[Pattern(parsed, start)]]
    conditions, controls = with_controls(
        wild_type, pd.DataFrame(index=[0]), n_controls, seed
    )
    tables = [
        _variants(condition[0].motif.label, letters).assign(control=name)
        for condition, name in zip(conditions, controls["control"], strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)
    variants = [Motif.parse(variant, letters) for variant in table["motif"]]
    return run_patterns(
        model,
        X,
        [[Pattern(variant, start)] for variant in variants],
        table,
        alphabet=letters,
        random_state=seed,
        **options,
    )


def _variants(motif: str, letters: tuple[str, ...]) -> pd.DataFrame:
    motifs: list[str] = [motif]
    positions: list[int | None] = [None]
    variant_letters: list[str | None] = [None]
    for position, original in enumerate(motif):
        if original == GAP_LETTER and original not in letters:
            continue
        for letter in letters:
            if letter != original:
                motifs.append(motif[:position] + letter + motif[position + 1 :])
                positions.append(position)
                variant_letters.append(letter)
    table: pd.DataFrame = pd.DataFrame(
        {
            "motif": motifs,
            "position": pd.array(positions, dtype="Int64"),
            "letter": variant_letters,
            "is_wild_type": [p is None for p in positions],
        }
    )
    return table
