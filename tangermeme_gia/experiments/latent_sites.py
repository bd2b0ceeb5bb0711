"""Do several sites add up on any scale? Sites with graded ones of two elements."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

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
from .._core.motif import MotifLike
from .._core.options import document
from .._core.patterns import PatternLike, compile_conditions
from .._core.results import GIAResult
from ..statistics.site_sets import site_sets

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options


@document
def latent_sites(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    motif: MotifLike,
    starts: Sequence[int | None],
    c: PatternLike | None = None,
    d: PatternLike | None = None,
    n_levels: Sequence[int] = (5, 4),
    *,
    n_words: int = 48,
    like: GIAResult | None = None,
    alphabet: Sequence[str] | None = None,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> GIAResult:
    """Do several sites count for less than their sum, or does the output saturate?

    `multi_site` on a scale that the model's readout bends. No site, each site alone,
    and the first two, three, ... of them are placed with variants of two further
    elements C and D, from full strength to nothing, each with each. If all add up on
    some scale, the mean output is one monotone function of their sum, which other cells
    show: `statistics.latent_additivity` reads off it what several sites are worth.

    Where a site is not, a word is written that does as little as possible alone, so
    that the backgrounds keep the same letters around all (see `latent_interaction`).

    Parameters
    ----------
    {model}

    motif: str, torch.Tensor or numpy.ndarray
        The motif: a string (N keeps the background), "FILE:NAME", one-hot, or a PPM, of
        which the most likely letters are placed.

    starts: sequence of int or None
        The 0-based first base of each site, filled in the order given, two at least;
        None is the centre.

    c, d: (motif, start) or None, optional
        Elements that act with no site. What several sites are worth can be told if C
        and D together reach as far as one more site. None is the motif again, as far
        from all as X has room. Default is None.

    n_levels: sequence of int, optional
        Of C and D, nothing and full strength among them. Default is (5, 4).

    n_words: int, optional
        Words that are tried for each, with one letter to all of them changed.
        Default is 48.

    like: GIAResult or None, optional
        An earlier result, whose words are placed again instead of chosen, as in
        `latent_interaction`. Default is None.

    {options}

    Returns
    -------
    result: GIAResult
        A condition for each cell, 2 k times the levels of C and D for k sites.
        `conditions` has `n_sites`, for each site `level_1`, `level_2`, ... (1 where it
        is), `level_c`, `level_d` (0 is nothing, the highest full strength), `site_...`
        (letters) and `share_...` of each (of the full effect, where words were tried),
        `patterns`, `starts` and `control`.

    Raises
    ------
    ValueError, TypeError
        If there are fewer than two `starts`, and as in `latent_interaction`.

    Examples
    --------
    >>> X = torch.eye(4)[torch.randint(4, (50, 60))].transpose(1, 2)
    >>> weight = torch.randn(4, 60)
    >>> result = latent_sites(
    ...     lambda X: (X * weight).sum(dim=(1, 2))[:, None].exp(),
    ...     X,
    ...     "GATAA",
    ...     [4, 14, 24],
    ...     random_state=0,
    ... )
    >>> result.conditions.groupby("n_sites").size().tolist()
    [20, 60, 20, 20]
    """
    letters, seed = resolve_alphabet(model, alphabet), as_seed(random_state)
    check_sequences(X, letters)
    check_count("n_words", n_words)
    if len(starts) < 2:
        raise ValueError(f"`starts`={starts!r} must be of two sites at least.")
    sizes = as_levels(n_levels, "cd")
    given = {str(i + 1): (motif, start) for i, start in enumerate(starts)}
    elements = {**given, "c": c, "d": d}
    full = resolve_patterns(elements, X.shape[-1], letters, options.get("keep"))
    compile_conditions([[*full.values()]], len(X), X.shape[-1], letters)
    if like is None:
        # What chooses the words is not kept.
        engine = Engine(model, X, **{**options, "save_to": None})  # type: ignore[arg-type]
        both = [2] * len(starts) + sizes
        grades = find_grades(engine, full, letters, both, n_words, seed)
    else:
        grades = grades_of(like, full, letters, "latent_sites")
        sizes = [len(each.patterns) for each in grades[-2:]]
    grid = itertools.product(site_sets(len(starts)), range(sizes[0]), range(sizes[1]))
    levels = [(*sites, of_c, of_d) for sites, of_c, of_d in grid]
    conditions, table = graded_conditions(full, grades, levels)
    table.insert(0, "n_sites", [sum(level[:-2]) for level in levels])
    return run_patterns(
        model, X, conditions, table, alphabet=letters, random_state=seed, **options
    )
