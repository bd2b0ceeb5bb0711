"""What the words of a command line stand for: positions, patterns, outputs."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what reads the words of a list of commands needs no torch
    from ..structure.pairs import Hairpin

_RANGE = re.compile(r"(-?\d+):(-?\d+)(?::(\d+))?")


def integers(word: str) -> list[int]:
    """Positions or numbers: 17, 3,10,17, or 0:20 for 0 to 19, 0:20:5 for 0, 5, 10, 15.

    Examples
    --------
    >>> integers("0:20:5"), integers("3,10,17")
    ([0, 5, 10, 15], [3, 10, 17])
    """
    numbers: list[int] = []
    for part in word.split(","):
        matched = _RANGE.fullmatch(part)
        if matched:
            first, end, step = matched.groups()
            if step == "0":
                raise _wrong(word, "a range with a step of at least 1")
            numbers += range(int(first), int(end), int(step or 1))
        else:
            try:
                numbers.append(int(part))
            except ValueError:
                raise _wrong(word, "numbers such as 17 or 3,10,17 or 0:20") from None
    if not numbers:
        raise _wrong(word, "a range that holds a number; its end is not part of it")
    return numbers


def gaps(word: str) -> list[int] | list[list[int]]:
    """Spacings: 0:20 or 3,10 for all gaps alike, 3/5 for each gap of three motifs.

    Examples
    --------
    >>> gaps("0:3"), gaps("3/5")
    ([0, 1, 2], [[3, 5]])
    """
    if "/" not in word:
        return integers(word)
    try:
        return [[int(gap) for gap in row.split("/")] for row in word.split(",")]
    except ValueError:
        wanted = "spacings such as 0:20, or 3/5 for the gaps of three motifs"
        raise _wrong(word, wanted) from None


def pattern(word: str) -> tuple[str, int | None]:
    """A motif and its start: UGCAUG@17, or UGCAUG for the centre.

    Examples
    --------
    >>> pattern("UGCAUG@17"), pattern("UGCAUG")
    (('UGCAUG', 17), ('UGCAUG', None))
    """
    motif, at, start = word.partition("@")
    letters(motif)
    if motif and not at:
        return motif, None
    if not motif or not re.fullmatch(r"-?\d+", start):
        raise _wrong(word, "MOTIF@START such as UGCAUG@17, or MOTIF for the centre")
    return motif, int(start)


def start_or_random(word: str) -> int | str:
    """A first base, or the word random.

    Examples
    --------
    >>> start_or_random("17"), start_or_random("random")
    (17, 'random')
    """
    if word == "random":
        return word
    if not re.fullmatch(r"-?\d+", word):
        raise _wrong(word, "a number such as 17, or random")
    return int(word)


def structure(word: str) -> str | Hairpin:
    """A dot-bracket string, start,stem,loop of a hairpin, or the name of one.

    Examples
    --------
    >>> structure("5,11,6"), structure("paper")
    (Hairpin(stem_start=5, stem_length=11, loop_length=6), 'paper')
    """
    from ..structure.pairs import Hairpin

    if set(word) <= set("().[]{}<>") or word in ("paper", "released"):
        return word
    try:
        start, stem, loop = map(int, word.split(","))
        return Hairpin(start, stem, loop)
    except ValueError as error:
        wanted = "paper, released, dot-bracket, or start,stem,loop such as 5,11,6"
        # Hairpin says which of three numbers is wrong.
        detail = f" ({error})" if word.count(",") == 2 and "`" in str(error) else ""
        raise _wrong(word, wanted + detail) from None


def order(word: str) -> list[int]:
    """The numbers of motifs from left to right, from 1 as in the table; as indices.

    Examples
    --------
    >>> order("2,1")
    [1, 0]
    """
    numbers = integers(word)
    if min(numbers) < 1:
        raise _wrong(word, "numbers of motifs from 1, such as 2,1")
    return [number - 1 for number in numbers]


def region(word: str) -> list[int]:
    """A region: 10:16 is the bases 10 to 15; 2:10:16 those of sequence 2.

    Examples
    --------
    >>> region("10:16"), region("2:10:16")
    ([10, 16], [2, 10, 16])
    """
    if not re.fullmatch(r"\d+:\d+(:\d+)?", word):
        raise _wrong(word, "start:end, or sequence:start:end, such as 10:16")
    return [int(number) for number in word.split(":")]


def target(word: str) -> int | str | tuple[int | str, ...]:
    """Which output: an index of axis 1, the key of a head, or such of axes 1, 2, ...

    Examples
    --------
    >>> target("2"), target("2,62"), target("counts"), target("counts,0")
    (2, (2, 62), 'counts', ('counts', 0))
    """
    parts = tuple(int(p) if p.isdecimal() else p for p in word.split(","))
    if any(part == "" or re.fullmatch(r"-\d+", str(part)) for part in parts):
        raise _wrong(word, "an index from 0, such as 2, 2,62, or the key of a head")
    return parts[0] if len(parts) == 1 else parts


def kmer_or_file(word: str) -> str | Path:
    """Letters, or a file of motifs if it exists or its name has a dot or a folder."""
    path = Path(word)
    return path if path.is_file() or re.search(r"[./\\]", word) else word


def letters(word: str) -> str:
    """A motif, which a file is not; `kmer-scan` takes those.

    Examples
    --------
    >>> letters("UGNAUG")
    'UGNAUG'
    """
    if isinstance(kmer_or_file(word), Path):
        raise _wrong(
            word,
            f"the letters of a motif, not a file; `kmer-scan --kmers {word}` takes "
            "all motifs of a file",
        )
    return word


def _wrong(word: str, wanted: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"{word!r} must be {wanted}")
