"""What someone means by patterns: a pair, several, lists of several, or a file."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

import numpy as np
import torch

from .letters import DNA
from .motif import Motif, MotifLike
from .named_motifs import locate, named_motifs

_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Pattern(NamedTuple):
    """A motif and the 0-based position of its first base; None is centred."""

    motif: Motif
    start: int | None = None


PatternLike: TypeAlias = Pattern | tuple[MotifLike, int | None]
PatternsLike: TypeAlias = (
    Sequence[PatternLike] | Sequence[Sequence[PatternLike]] | str | os.PathLike[str]
)


def as_consensus(conditions: Iterable[Sequence[Pattern]]) -> list[list[Pattern]]:
    """Conditions that place the most likely letters of PPMs, as `Motif.consensus`.

    Examples
    --------
    >>> as_consensus([[Pattern(Motif.parse("GRTA"), 3)]])
    [[Pattern(motif=Motif('GATA'), start=3)]]
    """
    return [
        [Pattern(motif.consensus(), start) for motif, start in condition]
        for condition in conditions
    ]


def as_conditions(
    patterns: PatternsLike,
    alphabet: Sequence[str] = DNA,
) -> list[list[Pattern]]:
    """Is this one set of patterns, or several sets: which conditions are meant?

    Parameters
    ----------
    patterns: sequence
        (motif, start) pairs, which are one condition, or sequences of such pairs,
        each of which is a condition. Or a file of motifs, each of which is a condition,
        in the centre.

    alphabet: sequence of str, optional
        Letters in channel order. Default is DNA.

    Returns
    -------
    conditions: list of lists of Pattern

    Raises
    ------
    TypeError
        If pairs and sequences of pairs are mixed, or an entry is neither.

    ValueError
        If a motif does not fit the alphabet; the condition is named.

    Examples
    --------
    >>> as_conditions([("GATA", 4), ("TTA", 12)])
    [[Pattern(motif=Motif('GATA'), start=4), Pattern(motif=Motif('TTA'), start=12)]]
    >>> as_conditions([[("GATA", 4)], []])
    [[Pattern(motif=Motif('GATA'), start=4)], []]
    """
    if isinstance(patterns, (str, os.PathLike)):
        if locate(patterns) is None:
            raise _no_pattern(patterns)
        _, motifs = named_motifs(patterns, tuple(alphabet), "patterns")
        return [[Pattern(motif)] for motif in motifs]
    entries: list[Any] = [patterns] if _is_pattern(patterns) else list(patterns)
    if all(_is_pattern(entry) for entry in entries):
        entries = [entries]
    sets = [e if isinstance(e, (list, tuple)) else [e] for e in entries]
    return numbered(lambda ps: [as_pattern(p, alphabet) for p in ps], sets)


def numbered(function: Callable[[_In], _Out], conditions: Iterable[_In]) -> list[_Out]:
    """What a function makes of each condition; errors name it by its number."""
    made = []
    for i, condition in enumerate(conditions):
        try:
            made.append(function(condition))
        except (TypeError, ValueError) as error:
            raise type(error)(f"condition {i}: {error}") from error
    return made


def _is_pattern(value: object) -> bool:
    return (
        isinstance(value, (tuple, list))
        and len(value) == 2
        and isinstance(value[0], (str, os.PathLike, torch.Tensor, np.ndarray, Motif))
        and (value[1] is None or hasattr(value[1], "__index__"))
    )


def as_pattern(value: Any, alphabet: Sequence[str]) -> Pattern:
    if not _is_pattern(value):
        raise _no_pattern(value)
    return Pattern(Motif.parse(value[0], alphabet), value[1])


def _no_pattern(value: object) -> TypeError:
    return TypeError(
        f"{reprlib.repr(value)} is not a pattern; a pattern is a pair (motif, start) "
        "of a string, path, tensor or array and an integer or None."
    )
