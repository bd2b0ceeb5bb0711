"""Interaction or saturation: graded sites of two motifs and of a third element."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from tangermeme.utils import PackedSequence

from .._core.designs import run_patterns
from .._core.engine import Engine
from .._core.graded import (
    as_levels,
    find_grades,
    graded_conditions,
    grades_of,
    resolve_patterns,
)
from .._core.letters import (
    RandomState,
    as_seed,
    check_count,
    check_sequences,
    resolve_alphabet,
)
from .._core.options import document
from .._core.patterns import PatternLike, compile_conditions
from .._core.results import GIAResult

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options

_NAMES = "abc"


@document
def latent_interaction(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    a: PatternLike,
    b: PatternLike,
    c: PatternLike | None = None,
    n_levels: Sequence[int] = (5, 5, 4),
    *,
    n_words: int = 48,
    like: GIAResult | None = None,
    alphabet: Sequence[str] | None = None,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> GIAResult:
    """Do two patterns interact, or does the output only saturate?

    Variants of A, from full strength to nothing, are placed with variants of B and of
    a third element C, each with each (a grid of 100 conditions). If backgrounds, A, B
    and C add up on some scale, the mean output is one monotone function of their sum,
    which the cells show but for those with A and B at full strength.
    `statistics.latent_contrast` reads these off it.

    Words are tried alone on up to 100 of the backgrounds, and chosen by the share of
    the full effect that they have, which is to grow in equal steps. All grades, nothing
    too, write letters, so that the backgrounds keep the same ones around them.

    Parameters
    ----------
    {model}

    a, b: (motif, start)
        The two patterns. A motif is a string (N keeps the background), "FILE:NAME",
        one-hot, or a PPM, of which the most likely letters are the full strength; a
        start is the 0-based first base, or None for the centre.

    c: (motif, start) or None, optional
        A third one that acts with neither. The further its effect reaches, the larger
        are the interactions that can be read. None is A's motif again, as far from both
        as X has room. Default is None.

    n_levels: sequence of int, optional
        Of A, B and C, nothing and full strength among them; the cells are their
        product. Default is (5, 5, 4).

    n_words: int, optional
        Words that are tried for each, with one letter to all of them changed.
        Default is 48.

    like: GIAResult or None, optional
        An earlier result, whose words are placed again instead of chosen: so several
        models, or backgrounds, are asked the same (`across_models`). Default is None.

    {options}

    Returns
    -------
    result: GIAResult
        A condition for each cell. `conditions` has the columns `level_a`, `level_b`,
        `level_c` (0 is nothing, the highest full strength), `site_a`, `site_b`,
        `site_c` (letters), `share_a`, `share_b`, `share_c` (of the full effect, where
        words were tried; of several outputs, of the effect along the full one),
        `patterns`, `starts` and `control`.

    Raises
    ------
    ValueError, TypeError
        If a pattern runs past X, overlaps another or has letters outside the alphabet,
        there is no room for C, or a motif is too short for so many levels; or X is not
        one-hot.

    Examples
    --------
    >>> X = torch.eye(4)[torch.randint(4, (50, 40))].transpose(1, 2)
    >>> weight = torch.randn(4, 40)
    >>> result = latent_interaction(
    ...     lambda X: (X * weight).sum(dim=(1, 2))[:, None].exp(),
    ...     X,
    ...     ("GATAA", 4),
    ...     ("CACGTG", 16),
    ...     random_state=0,
    ... )
    >>> result.conditions[["level_a", "level_b", "level_c"]].max().tolist()
    [4, 4, 3]
    """
    letters, seed = resolve_alphabet(model, alphabet), as_seed(random_state)
    check_sequences(X, letters)
    check_count("n_words", n_words)
    sizes = as_levels(n_levels, _NAMES)
    given = {"a": a, "b": b, "c": c}
    full = resolve_patterns(given, X.shape[-1], letters, options.get("keep"))
    compile_conditions([[*full.values()]], len(X), X.shape[-1], letters)
    if like is None:
        # What chooses the words is not kept.
        engine = Engine(model, X, **{**options, "save_to": None})  # type: ignore[arg-type]
        grades = find_grades(engine, full, letters, sizes, n_words, seed)
    else:
        grades = grades_of(like, full, letters, "latent_interaction")
    levels = list(np.ndindex(*(len(each.patterns) for each in grades)))
    conditions, table = graded_conditions(_NAMES, grades, levels)
    return run_patterns(
        model, X, conditions, table, alphabet=letters, random_state=seed, **options
    )
