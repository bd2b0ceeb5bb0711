"""Interaction: patterns alone and together."""

from __future__ import annotations

import itertools
import string
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import torch
from tangermeme.utils import PackedSequence

from .._core.designs import describe_patterns, run_patterns
from .._core.letters import check_sequences, resolve_alphabet
from .._core.options import document
from .._core.patterns import Pattern, PatternLike, as_conditions, resolve_start
from .._core.results import GIAResult

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import PatternOptions

# 65,535 conditions.
_MOST_PATTERNS = 16


@document
def pairwise_interaction(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    a: PatternLike,
    b: PatternLike,
    *,
    alphabet: Sequence[str] | None = None,
    **options: Unpack[PatternOptions],
) -> GIAResult:
    """Do two patterns together do more, or less, than the sum of each alone?

    All arms stand at the same coordinates of the same backgrounds. The local
    importances AB - A - B are the interaction on each background.

    Parameters
    ----------
    {model}

    a, b: (motif, start)
        The two patterns. A motif is a string (N keeps the background), "FILE:NAME",
        one-hot, or a PPM of which each background gets one draw; a start is the 0-based
        first base, or None for the centre.

    {options}

    {controls}

    Returns
    -------
    result: GIAResult
        Three conditions. `conditions` has the columns `arm` ("A", "B", "AB"), `A` and
        `B` (whether the pattern is there), `patterns` ("UGCAUG@17 + ..."), `starts` (a
        tuple) and `control`.

    Raises
    ------
    ValueError, TypeError
        If a pattern runs past X, overlaps the other or has letters outside the
        alphabet, or X is not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> result = pairwise_interaction(model, X, ("GATA", 2), ("TTA", 12))
    >>> arms = dict(zip(result.conditions["arm"], result.local_importance.unbind(1)))
    >>> bool((arms["AB"] - arms["A"] - arms["B"]).abs().max() < 1e-5)
    True
    """
    return factorial(
        model,
        X,
        [a, b],
        alphabet=alphabet,
        **options,
    )


@document
def factorial(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    patterns: Sequence[PatternLike],
    *,
    alphabet: Sequence[str] | None = None,
    **options: Unpack[PatternOptions],
) -> GIAResult:
    """Which patterns depend on each other: what does every subset of them do?

    Parameters
    ----------
    {model}

    patterns: sequence of (motif, start)
        One to 16 patterns, named A, B, C, ... in this order. A motif is a string (N
        keeps the background), "FILE:NAME", one-hot, or a PPM of which each background
        gets one draw; a start is the 0-based first base, or None for the centre.

    {options}

    {controls}

    Returns
    -------
    result: GIAResult
        A condition for each of the 2^m - 1 subsets that are not empty, the small ones
        first. `conditions` has the columns `arm` ("A", "B", "AB", ...), one for each
        pattern (`A`, `B`, ...: whether it is there), `patterns` ("UGCAUG@17 + ..."),
        `starts` (a tuple) and `control`.

    Raises
    ------
    ValueError, TypeError
        If there is no pattern or more than 16, one runs past X, overlaps another or
        has letters outside the alphabet, or X is not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> result = factorial(model, X, [("GATA", 0), ("TTA", 8), ("CC", 15)])
    >>> result.conditions["arm"].tolist()
    ['A', 'B', 'C', 'AB', 'AC', 'BC', 'ABC']
    """
    letters = resolve_alphabet(model, alphabet)
    check_sequences(X, letters)
    placed = _resolve_patterns(patterns, X.shape[-1], letters)
    subsets = [
        subset
        for size in range(1, len(placed) + 1)
        for subset in itertools.combinations(range(len(placed)), size)
    ]
    conditions = [[placed[i] for i in subset] for subset in subsets]
    names = string.ascii_uppercase
    table = pd.DataFrame({"arm": ["".join(names[i] for i in s) for s in subsets]})
    for i in range(len(placed)):
        table[names[i]] = [i in subset for subset in subsets]
    table["patterns"] = [describe_patterns(c) for c in conditions]
    table["starts"] = [tuple(p.start for p in c) for c in conditions]
    return run_patterns(
        model,
        X,
        conditions,
        table,
        alphabet=letters,
        **options,
    )


def _resolve_patterns(
    patterns: Sequence[PatternLike], length: int, alphabet: Sequence[str]
) -> list[Pattern]:
    if not 0 < len(patterns) <= _MOST_PATTERNS:
        raise ValueError(
            f"`patterns` has {len(patterns)} patterns; allowed are 1 to "
            f"{_MOST_PATTERNS}, which make 2^m - 1 conditions."
        )
    resolved = []
    parsed = as_conditions([list(patterns)], alphabet)[0]
    for name, (motif, start) in zip(string.ascii_uppercase, parsed, strict=False):
        try:
            start = resolve_start(start, len(motif), length)
        except (TypeError, ValueError) as error:
            raise type(error)(f"pattern {name}: {error}") from error
        resolved.append(Pattern(motif, start))
    return resolved
