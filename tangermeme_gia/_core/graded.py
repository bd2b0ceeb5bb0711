"""Words for sites, graded from nothing to full strength by what they do."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from .cards import listed
from .designs import PatternDesign, describe_patterns
from .engine import Engine
from .kept import Keep, resolve_keep
from .letters import GAP, Codes, as_generator, check_count
from .motif import Motif
from .outputs import as_columns, as_heads
from .pattern_inputs import as_pattern
from .patterns import Pattern, PatternLike, compile_conditions, resolve_start
from .results import GIAResult

_Values = NDArray[np.float64]
# Backgrounds on which words are tried, and the stream of the seed that draws these.
_TRIED_ON, _WORD_STREAM = 100, 5


class Grades(NamedTuple):
    """Words for one site, from nothing to full strength, with their shares of it."""

    patterns: list[Pattern]
    shares: _Values


def find_grades(
    engine: Engine,
    full: Mapping[str, Pattern],
    letters: Sequence[str],
    sizes: Sequence[int],
    n_words: int,
    seed: int,
) -> list[Grades]:
    """Words of each, by the effects that they have alone."""
    words = [
        _words(pattern, letters, n_words, as_generator(seed, _WORD_STREAM, i))
        for i, pattern in enumerate(full.values())
    ]
    for name, tried, size in zip(full, words, sizes, strict=True):
        if len(tried) < size:
            raise ValueError(
                f"`{name}` {tried[0].motif.label!r} has {len(tried)} words with "
                f"itself; `n_levels` asks for {size} different ones."
            )
    shares = _try(engine, words, letters)
    return [_choose(*each) for each in zip(words, shares, sizes, strict=True)]


def grades_of(
    like: GIAResult,
    full: Mapping[str, Pattern],
    letters: Sequence[str],
    experiment: str,
) -> list[Grades]:
    """Those of an earlier result, if it is of the same patterns."""
    table = like.conditions
    grades = []
    for name, (motif, start) in full.items():
        columns = [f"{what}_{name}" for what in ("level", "site", "share")]
        if not {*columns} <= {*table}:
            raise ValueError(
                f"`like` has no column {columns[0]!r}; it must be the outcome of "
                f"`{experiment}`."
            )
        rows = table[columns].drop_duplicates(columns[0]).sort_values(columns[0])
        sites = rows[columns[1]].tolist()
        if sites[-1] != motif.label:
            raise ValueError(
                f"`like` has {sites[-1]!r} for {name.upper()}, and it is "
                f"{motif.label!r} here; ask for the same one."
            )
        patterns = [Pattern(Motif.parse(site, letters), start) for site in sites]
        grades.append(Grades(patterns, rows[columns[2]].to_numpy(float)))
    return grades


def as_levels(n_levels: Sequence[int], names: str) -> list[int]:
    """Numbers of grades, one for each name."""
    sizes = list(n_levels) if hasattr(n_levels, "__iter__") else []
    if len(sizes) != len(names):
        told = listed([name.upper() for name in names])
        raise ValueError(
            f"`n_levels`={n_levels!r} must be {len(names)} numbers, those of {told}."
        )
    for size in sizes:
        check_count("n_levels", size, 2)
    return sizes


def resolve_patterns(
    given: Mapping[str, PatternLike | None],
    length: int,
    letters: Sequence[str],
    keep: Keep | None,
) -> dict[str, Pattern]:
    """All at full strength, with their starts; None is the first motif, far away."""
    kept = resolve_keep(keep, length)
    placed: dict[str, Pattern] = {}
    for name, value in given.items():
        try:
            if value is None:
                first = next(iter(placed.values())).motif
                value = first, _far_start([*placed.values()], first, kept)
            motif, start = as_pattern(value, letters)
            start = resolve_start(start, len(motif), length)
        except (TypeError, ValueError) as error:
            raise type(error)(f"`{name}`: {error}") from error
        placed[name] = Pattern(motif.consensus(), start)
    return placed


def _far_start(placed: Sequence[Pattern], motif: Motif, kept: NDArray[np.bool_]) -> int:
    """Where a motif is as far from those placed as what may be written has room."""
    width, length = len(motif), len(kept)
    spans = [(start or 0, (start or 0) + len(other)) for other, start in placed]
    every = range(length - width + 1)
    starts = [start for start in every if not kept[start + motif.written].any()]
    gaps = [
        min(max(first - start - width, start - last) for first, last in spans)
        for start in starts
    ]
    if max(gaps, default=-1) < 0:
        free = " that is not kept" if kept.any() else ""
        raise ValueError(
            f"`X` of length {length} has no room{free} for the first motif again "
            "beside the others; give another pattern."
        )
    return starts[int(np.argmax(gaps))]


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


def _choose(words: Sequence[Pattern], shares: _Values, size: int) -> Grades:
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
    return Grades([words[i] for i in order], shares[order])


def graded_conditions(
    names: Iterable[str],
    grades: Sequence[Grades],
    levels: Sequence[Sequence[int]],
) -> tuple[list[list[Pattern]], pd.DataFrame]:
    """The words of each row of levels, and the table of them."""
    conditions = [
        [each.patterns[i] for each, i in zip(grades, level, strict=True)]
        for level in levels
    ]
    columns: dict[str, Any] = {}
    numbered = list(enumerate(names))
    for f, name in numbered:
        columns[f"level_{name}"] = [level[f] for level in levels]
    for f, name in numbered:
        columns[f"site_{name}"] = [each[f].motif.label for each in conditions]
    for f, name in numbered:
        columns[f"share_{name}"] = [grades[f].shares[level[f]] for level in levels]
    table = pd.DataFrame(columns)
    table["patterns"] = [describe_patterns(each) for each in conditions]
    table["starts"] = [tuple(p.start for p in each) for each in conditions]
    return conditions, table.assign(control="none")
