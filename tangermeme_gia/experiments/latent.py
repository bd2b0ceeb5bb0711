"""Interaction or saturation: graded sites of two motifs and of a third element."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.designs import PatternDesign, describe_patterns, run_patterns
from .._core.engine import Engine
from .._core.letters import (
    GAP,
    Codes,
    RandomState,
    as_generator,
    as_seed,
    check_count,
    check_sequences,
    resolve_alphabet,
)
from .._core.motif import Motif
from .._core.options import document
from .._core.outputs import as_columns, as_heads
from .._core.pattern_inputs import as_pattern
from .._core.patterns import (
    Pattern,
    PatternLike,
    compile_conditions,
    resolve_start,
)
from .._core.results import GIAResult

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options

_Values = NDArray[np.float64]
_NAMES = ("a", "b", "c")
# Backgrounds on which words are tried, and the stream of the seed that draws these.
_TRIED_ON, _WORD_STREAM = 100, 5


class _Grades(NamedTuple):
    """Words for one site, from nothing to full strength, with their shares of it."""

    patterns: list[Pattern]
    shares: _Values


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
    sizes = _as_levels(n_levels)
    full = _resolve(a, b, c, X.shape[-1], letters)
    compile_conditions([full], len(X), X.shape[-1], letters)
    if like is None:
        # What chooses the words is not kept.
        engine = Engine(model, X, **{**options, "save_to": None})  # type: ignore[arg-type]
        grades = _find_grades(engine, full, letters, sizes, n_words, seed)
    else:
        grades = _grades_of(like, full, letters)
    conditions, table = _grid(grades)
    return run_patterns(
        model, X, conditions, table, alphabet=letters, random_state=seed, **options
    )


def _find_grades(
    engine: Engine,
    full: Sequence[Pattern],
    letters: Sequence[str],
    sizes: Sequence[int],
    n_words: int,
    seed: int,
) -> list[_Grades]:
    """Words of each, by the effects that they have alone."""
    words = [
        _words(pattern, letters, n_words, as_generator(seed, _WORD_STREAM, i))
        for i, pattern in enumerate(full)
    ]
    for name, tried, size in zip(_NAMES, words, sizes, strict=True):
        if len(tried) < size:
            raise ValueError(
                f"`{name}` {tried[0].motif.label!r} has {len(tried)} words with "
                f"itself; `n_levels` asks for {size} different ones."
            )
    shares = _try(engine, words, letters)
    return [_choose(*each) for each in zip(words, shares, sizes, strict=True)]


def _grades_of(
    like: GIAResult, full: Sequence[Pattern], letters: Sequence[str]
) -> list[_Grades]:
    """Those of an earlier result, if it is of the same patterns."""
    table = like.conditions
    grades = []
    for name, (motif, start) in zip(_NAMES, full, strict=True):
        columns = [f"{what}_{name}" for what in ("level", "site", "share")]
        if not {*columns} <= {*table}:
            raise ValueError(
                f"`like` has no column {columns[0]!r}; it must be the outcome of "
                "`latent_interaction`."
            )
        rows = table[columns].drop_duplicates(columns[0]).sort_values(columns[0])
        sites = rows[columns[1]].tolist()
        if sites[-1] != motif.label:
            raise ValueError(
                f"`like` has {sites[-1]!r} for {name.upper()}, and `{name}` is "
                f"{motif.label!r}; ask for the same one."
            )
        patterns = [Pattern(Motif.parse(site, letters), start) for site in sites]
        grades.append(_Grades(patterns, rows[columns[2]].to_numpy(float)))
    return grades


def _as_levels(n_levels: Sequence[int]) -> list[int]:
    sizes = list(n_levels) if hasattr(n_levels, "__iter__") else []
    if len(sizes) != len(_NAMES):
        raise ValueError(
            f"`n_levels`={n_levels!r} must be three numbers, those of A, B and C."
        )
    for size in sizes:
        check_count("n_levels", size, 2)
    return sizes


def _resolve(
    a: PatternLike,
    b: PatternLike,
    c: PatternLike | None,
    length: int,
    letters: Sequence[str],
) -> list[Pattern]:
    """The three at full strength, with their starts."""
    placed: list[Pattern] = []
    for name, value in zip(_NAMES, (a, b, c), strict=True):
        try:
            if value is None and name == "c":
                motif = placed[0].motif
                value = (motif, _far_start(placed, len(motif), length))
            motif, start = as_pattern(value, letters)
            start = resolve_start(start, len(motif), length)
        except (TypeError, ValueError) as error:
            raise type(error)(f"`{name}`: {error}") from error
        placed.append(Pattern(motif.consensus(), start))
    return placed


def _far_start(placed: Sequence[Pattern], width: int, length: int) -> int:
    """Where a motif of this width is as far from those placed as there is room."""
    spans = [(start or 0, (start or 0) + len(motif)) for motif, start in placed]
    gaps = [
        min(max(first - start - width, start - last) for first, last in spans)
        for start in range(length - width + 1)
    ]
    best = int(np.argmax(gaps))
    if gaps[best] < 0:
        raise ValueError(
            f"`X` of length {length} has no room for A's motif again beside A and B; "
            "give another pattern."
        )
    return best


def _words(
    pattern: Pattern, letters: Sequence[str], n: int, rng: np.random.Generator
) -> list[Pattern]:
    """Full strength, and about n words with one letter to all of them changed."""
    motif, start = pattern
    codes: Codes = motif.draw(1)[0]
    written = np.flatnonzero(codes != GAP)
    seen = {codes.tobytes(): codes}
    for _ in range(4):  # short motifs have few words, drawn again and again
        for i in range(n):
            word = codes.copy()
            n_changed = 1 + i * len(written) // n
            where = rng.choice(written, n_changed, replace=False)
            step = rng.integers(1, len(letters), n_changed)
            word[where] = (word[where] + step) % len(letters)
            if len(seen) <= n:
                seen.setdefault(word.tobytes(), word)
    alphabet = tuple(letters)
    return [Pattern(Motif(alphabet, word[None]), start) for word in seen.values()]


def _try(
    engine: Engine, words: Sequence[Sequence[Pattern]], letters: Sequence[str]
) -> list[_Values]:
    """What share of the full effect has each word alone, on some of the backgrounds?"""
    n, _, length = engine.X.shape
    rows = np.unique(np.linspace(0, n - 1, min(n, _TRIED_ON)).round().astype(int))
    tried = [[word] for word in itertools.chain(*words)]
    placements = compile_conditions(tried, len(rows), length, letters)
    table = pd.DataFrame({"patterns": [describe_patterns(each) for each in tried]})
    result = engine.on(rows).run(PatternDesign(table, placements))
    local = [as_columns(y, 2) for y in as_heads(result.local_importance)]
    effect = torch.cat([y.double().mean(dim=0) for y in local], dim=1).numpy()
    shares, first = [], 0
    for each in words:
        found = effect[first : first + len(each)]
        first += len(each)
        square = float(found[0] @ found[0])
        if square > 0:
            shares.append((found @ found[0] / square).round(6))
        else:  # nothing to choose by but the letters
            kept = [_kept(word.motif, each[0].motif) for word in each]
            shares.append(np.array(kept))
    return shares


def _kept(word: Motif, full: Motif) -> float:
    """Which part of the letters is that of the full strength?"""
    return float((word.draw(1) == full.draw(1)).mean())


def _choose(words: Sequence[Pattern], shares: _Values, size: int) -> _Grades:
    """Words whose shares grow in steps as equal as these allow; the last is the full.

    The first is the nearest to no effect, the others the nearest to each step between.
    """
    free = list(range(1, len(words)))
    chosen = [0]
    for step in np.linspace(0, 1, size)[:-1]:
        nearest = min(free, key=lambda i: abs(float(shares[i]) - step))
        free.remove(nearest)
        chosen.append(nearest)
    order = [chosen[1], *sorted(chosen[2:], key=lambda i: float(shares[i])), 0]
    return _Grades([words[i] for i in order], shares[order])


def _grid(grades: Sequence[_Grades]) -> tuple[list[list[Pattern]], pd.DataFrame]:
    """Each grade with each, and the table of them."""
    levels = list(np.ndindex(*(len(each.patterns) for each in grades)))
    conditions = [
        [each.patterns[i] for each, i in zip(grades, level, strict=True)]
        for level in levels
    ]
    columns: dict[str, Any] = {}
    for f, name in enumerate(_NAMES):
        columns[f"level_{name}"] = [level[f] for level in levels]
    for f, name in enumerate(_NAMES):
        columns[f"site_{name}"] = [each[f].motif.label for each in conditions]
    for f, name in enumerate(_NAMES):
        columns[f"share_{name}"] = [grades[f].shares[level[f]] for level in levels]
    table = pd.DataFrame(columns)
    table["patterns"] = [describe_patterns(each) for each in conditions]
    table["starts"] = [tuple(p.start for p in each) for each in conditions]
    return conditions, table.assign(control="none")
