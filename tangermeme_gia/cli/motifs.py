"""The motifs of a command line: letters, FILE:NAME, or FILE with names behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what explains the options needs no torch
    from .._core.motif import Motif

# Stands for each of `--motifs` in a pattern.
EACH = "MOTIF"
# Options that hold one motif, or patterns.
_ONE = ("motif", "left", "right")
_PATTERNS = ("patterns", "a", "b")


def check_which(given: Mapping[str, Any]) -> None:
    """Raise unless it is clear what is placed: one motif, each of several, patterns."""
    each = given.get("each")
    for name in ("motif", "patterns"):
        if name in given and given[name] is None and each is None:
            raise ValueError(f"`--{name}` or `--motifs` is needed.")
    if given.get("motif") is not None and each is not None:
        raise ValueError("`--motif` and `--motifs`: give one, not both.")
    if "motif" in given or given.get("patterns", 0) is None:
        return
    placed = [p for name in _PATTERNS for p in _flat(given.get(name))]
    is_there = any(motif == EACH for motif, _ in placed)
    if placed and is_there != (each is not None):
        raise ValueError(
            f"`--motifs` and the word {EACH} in a pattern, as in {EACH}@17, belong "
            "together: it is each of these motifs in turn."
        )


def runs(
    given: Mapping[str, Any], alphabet: tuple[str, ...]
) -> list[tuple[str, dict[str, Any]]]:
    """What an experiment is asked for each of `--motifs`, by its label; or once, by "".

    Words have become motifs.
    """
    from .._core.named_motifs import named_motifs

    keywords = dict(given)
    words = keywords.pop("each", None)
    for name in ("motifs", "kmers"):
        if keywords.get(name) is not None:
            keywords[name] = named_motifs(keywords[name], alphabet, name)[1]
    if words is None:
        return [("", _parsed(keywords, None, alphabet))]
    labels, each = named_motifs(words, alphabet)
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise ValueError(f"`--motifs` has {', '.join(repeated)} more than once.")
    return [
        (label, _parsed(keywords, motif, alphabet))
        for label, motif in zip(labels, each, strict=True)
    ]


def _parsed(
    given: Mapping[str, Any], each: Motif | None, alphabet: tuple[str, ...]
) -> dict[str, Any]:
    """The options with motifs in place of their words."""
    from .._core.motif import Motif

    def parse(value: Any) -> Any:
        if isinstance(value, list):
            return [parse(part) for part in value]
        word, start = value
        is_each = each is not None and word == EACH
        return (each if is_each else Motif.parse(word, alphabet)), start

    keywords = dict(given)
    if each is not None and "motif" in keywords:
        keywords["motif"] = each
    elif each is not None and keywords.get("patterns", 0) is None:
        keywords["patterns"] = [[(EACH, None)]]
    for name in keywords:
        if name in _ONE:
            keywords[name] = Motif.parse(keywords[name], alphabet)
        elif name in _PATTERNS:
            keywords[name] = parse(keywords[name])
    return keywords


def _flat(value: Any) -> list[tuple[str, int | None]]:
    """The patterns in an option, whichever way it holds them."""
    if value is None:
        return []
    return [value] if isinstance(value, tuple) else [p for v in value for p in _flat(v)]
