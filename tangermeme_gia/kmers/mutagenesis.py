"""All single-letter variants of a k-mer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from tangermeme.utils import PackedSequence

from .._core.controls import with_controls
from .._core.designs import run_patterns
from .._core.motif_codes import DNA, GAP_LETTER, as_seed, check_alphabet
from .._core.options import document
from .._core.results import GIAResult
from ..motifs.matrices import logo_frame
from .results import pick_output

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
    alphabet: Sequence[str] = DNA,
    n_controls: int = 0,
    random_state: int | None = None,
    **options: Unpack[Options],
) -> GIAResult:
    """Which letters of a k-mer matter: how do all its single-letter variants do?

    The paper's "k-mer mutagenesis". Effects are against the background, as in every
    experiment; `mutagenesis_change` gives those against the wild type.

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
    letters = check_alphabet(alphabet)
    if not isinstance(motif, str):
        raise TypeError(
            f"`motif` is of type {type(motif).__name__}; the variants of a string can "
            "be listed."
        )
    seed = as_seed(random_state)
    tables = [
        _variants(control, letters).assign(control=name)
        for control, name in with_controls(motif, n_controls, letters, seed)
        if isinstance(control, str)
    ]
    table = pd.concat(tables, ignore_index=True)
    return run_patterns(
        model,
        X,
        [[(variant, start)] for variant in table["motif"]],
        table,
        alphabet=letters,
        random_state=seed,
        **options,
    )


def mutagenesis_change(
    result: GIAResult, output: int | tuple[int, ...] = 0, alphabet: Sequence[str] = DNA
) -> pd.DataFrame:
    """How much does each single-letter variant change the effect of a k-mer?

    Logos are made of this change, not of the effects themselves, whose norm is highest
    where letters matter least: `sensitivity_logo(mutagenesis_change(result), motif)`.

    Parameters
    ----------
    result: GIAResult
        From `kmer_mutagenesis`; of its controls nothing is read.

    output: int or tuple of int, optional
        Which output, labelled as in `to_frame`. Default is 0.

    alphabet: sequence of str, optional
        Letters in column order, those of the experiment. Default is DNA.

    Returns
    -------
    change: pandas.DataFrame, shape=(length, len(alphabet))
        Global importance of each variant minus that of the wild type, whose letters
        have 0; a row of zeros where the motif has N.

    Raises
    ------
    ValueError
        If the result is not from `kmer_mutagenesis`, has letters outside the alphabet,
        or has no such output.

    Examples
    --------
    >>> y = torch.zeros(5, 1)
    >>> table = pd.DataFrame(
    ...     {
    ...         "motif": ["C", "A", "G", "T"],
    ...         "position": pd.array([None, 0, 0, 0], dtype="Int64"),
    ...         "letter": [None, "A", "G", "T"],
    ...         "is_wild_type": [True, False, False, False],
    ...         "control": "none",
    ...     }
    ... )
    >>> effects = torch.tensor([3.0, 1.0, 0.0, 0.5])
    >>> mutagenesis_change(GIAResult(y, y[:, None] + effects[:, None], table))
         A    C    G    T
    0 -2.0  0.0 -3.0 -2.5
    """
    letters = check_alphabet(alphabet)
    table = result.conditions
    if not {"motif", "position", "letter", "is_wild_type", "control"} <= set(
        table.columns
    ):
        raise ValueError(
            f"`result` has conditions with the columns {list(table.columns)}; it must "
            "come from `kmer_mutagenesis`."
        )
    after = pick_output(result.y_afters, output, leading=2).to(torch.float64)
    wild_type = int(np.flatnonzero(table["is_wild_type"])[0])
    moved = (after - after[:, [wild_type]]).mean(dim=0).tolist()
    change = np.zeros((len(letters), len(table["motif"].iloc[wild_type])))
    for i in np.flatnonzero(~table["is_wild_type"] & (table["control"] == "none")):
        letter = table["letter"].iloc[i]
        if letter not in letters:
            raise ValueError(
                f"`result` has a variant with {letter!r}, which is not in `alphabet` "
                f"{', '.join(letters)}."
            )
        change[letters.index(letter), int(table["position"].iloc[i])] = moved[i]
    return logo_frame(change, letters)


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
