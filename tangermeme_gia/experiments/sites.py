"""Additivity: one to k copies of a motif."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import torch
from tangermeme.utils import PackedSequence

from .._core.designs import run_patterns
from .._core.letters import check_sequences, resolve_alphabet
from .._core.motif import Motif, MotifLike
from .._core.options import document
from .._core.patterns import Pattern, resolve_starts
from .._core.results import GIAResult

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import PatternOptions


@document
def multi_site(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    motif: MotifLike,
    starts: Sequence[int | None],
    *,
    alphabet: Sequence[str] | None = None,
    **options: Unpack[PatternOptions],
) -> GIAResult:
    """Do several copies of a motif add up, or does each one count for less?

    The paper's multiple-site experiment: the motif is embedded progressively, first
    at the first start only, then at the first two, and so on.

    Parameters
    ----------
    {model}

    motif: str, torch.Tensor or numpy.ndarray
        The motif: letters (N keeps the background), "FILE:NAME", one-hot, or a PPM of
        which each background gets one draw, the same at every site.

    starts: sequence of int or None
        The 0-based first base of each copy, filled in the order given; None is the
        centre.

    {options}

    {controls}

    Returns
    -------
    result: GIAResult
        One condition for each number of sites from 1 to `len(starts)`. `conditions`
        has the columns `motif`, `n_sites`, `starts` (a tuple, in the order filled)
        and `control`.

    Raises
    ------
    ValueError, TypeError
        If `starts` is empty, a copy runs past X or overlaps another (the condition is
        named), the motif has letters outside the alphabet, or X is not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(164, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 41))].transpose(1, 2)
    >>> result = multi_site(model, X, "UGCAUG", [3, 10, 17], alphabet="ACGU")
    >>> result.conditions["starts"].tolist()
    [(3,), (3, 10), (3, 10, 17)]
    """
    letters = resolve_alphabet(model, alphabet)
    check_sequences(X, letters)
    parsed = Motif.parse(motif, letters)
    filled = resolve_starts(starts, len(parsed), X.shape[-1])
    sites = [tuple(filled[: i + 1]) for i in range(len(filled))]
    table = pd.DataFrame(
        {
            "motif": parsed.label,
            "n_sites": [len(site) for site in sites],
            "starts": sites,
        }
    )
    return run_patterns(
        model,
        X,
        [[Pattern(parsed, start) for start in site] for site in sites],
        table,
        alphabet=letters,
        **options,
    )
