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
from .._core.motif import Motif, MotifLike
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
    motif: MotifLike,
    start: int | None = None,
    *,
    alphabet: Sequence[str] | None = None,
    consensus: bool = False,
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

    motif: str, torch.Tensor or numpy.ndarray
        The wild type: letters, "FILE:NAME" or one-hot. A position with N keeps the
        background and has no variants. A PPM needs `consensus`.

    start: int or None, optional
        Its 0-based first base; None is the centre. Default is None.

    {options}

    {consensus}

    n_controls: int, optional
        How many random k-mers and how many permutations of the k-mer's own letters get
        all their variants, too; the rows say so in their column `control`.
        Default is 0.

    Returns
    -------
    result: GIAResult
        `conditions` has the columns `motif`, `letters` (those placed), `position` in
        the motif and `letter` put there (both missing for the wild type),
        `is_wild_type` and `control`. The wild type comes first, then the variants by
        position, in the order of the alphabet; then the same of each control.

    Raises
    ------
    ValueError, TypeError
        If the motif is no single word of the alphabet's letters or runs past X, or X is
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
    parsed = Motif.parse(motif, letters)
    if consensus:
        parsed = parsed.consensus()
    if parsed.is_drawn or len(parsed.values) != 1:
        raise ValueError(
            f"`motif` {parsed.label!r} stands for several words; variants are of one "
            f"word of {', '.join(letters)} and {GAP_LETTER}: `consensus`=True takes "
            "that of a PPM."
        )
    seed = as_seed(random_state)
    wild_type = [[Pattern(parsed, start)]]
    conditions, controls = with_controls(
        wild_type, pd.DataFrame(index=[0]), n_controls, seed
    )
    tables = [
        _variants(parsed, condition[0].motif.letters).assign(control=name)
        for condition, name in zip(conditions, controls["control"], strict=True)
    ]
    table = pd.concat(tables, ignore_index=True)
    variants = [Motif.parse(variant, letters) for variant in table["letters"]]
    return run_patterns(
        model,
        X,
        [[Pattern(variant, start)] for variant in variants],
        table,
        alphabet=letters,
        random_state=seed,
        **options,
    )


def _variants(motif: Motif, word: str) -> pd.DataFrame:
    """All variants of what is placed for a motif: of its letters, or a control."""
    letters = motif.alphabet
    words = [word]
    positions: list[int | None] = [None]
    variant_letters: list[str | None] = [None]
    for position, original in enumerate(word):
        if original == GAP_LETTER and original not in letters:
            continue
        for letter in letters:
            if letter != original:
                words.append(word[:position] + letter + word[position + 1 :])
                positions.append(position)
                variant_letters.append(letter)
    table: pd.DataFrame = pd.DataFrame(
        {
            "motif": motif.label,
            "letters": words,
            "position": pd.array(positions, dtype="Int64"),
            "letter": variant_letters,
            "is_wild_type": [p is None for p in positions],
        }
    )
    return table
