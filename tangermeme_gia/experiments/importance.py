"""Global importance of patterns at given places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import torch
from tangermeme.utils import PackedSequence

from .._core.designs import describe_patterns, run_patterns
from .._core.letters import resolve_alphabet
from .._core.options import document
from .._core.patterns import PatternsLike, as_conditions
from .._core.results import GIAResult

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import PatternOptions


@document
def global_importance(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    patterns: PatternsLike,
    *,
    insert: bool = False,
    alphabet: Sequence[str] | None = None,
    **options: Unpack[PatternOptions],
) -> GIAResult:
    """How much do these patterns change the output, on average over backgrounds?

    The paper's Eq. 2: each difference is a local importance, their mean over the
    backgrounds is the global importance.

    Parameters
    ----------
    {model}

    patterns: sequence of (motif, start), or sequence of such sequences
        The patterns of one condition, or of several. A motif is a string (N keeps the
        background), "FILE:NAME", one-hot, or a PPM of which each background gets one
        draw; a start is the 0-based first base, or None for the centre. Or a file of
        motifs, each of which is a condition, in the centre.

    {insert}

    {options}

    {controls}

    Returns
    -------
    result: GIAResult
        `conditions` has the columns `patterns` ("UGCAUG@17 + ..."), `n_patterns` and
        `control`.

    Raises
    ------
    ValueError, TypeError
        If a pattern runs past X, overlaps another or has letters outside the
        alphabet, or X is not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> result = global_importance(model, X, [("GATA", 8)])
    >>> result.global_importance.shape
    torch.Size([1, 1])
    """
    letters = resolve_alphabet(model, alphabet)
    conditions = as_conditions(patterns, letters)
    table = pd.DataFrame(
        {
            "patterns": [describe_patterns(c) for c in conditions],
            "n_patterns": [len(condition) for condition in conditions],
        }
    )
    return run_patterns(
        model,
        X,
        conditions,
        table,
        insert=insert,
        alphabet=letters,
        **options,
    )
