"""What the words of a command line stand for: positions, patterns, outputs."""

from __future__ import annotations

import argparse
import dataclasses
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what reads the words of a list of commands needs no torch
    from .._core.readouts import Readout
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
    >>> pattern("UGCAUG@17"), pattern("UGCAUG"), pattern("a@b.meme:Gata1@3")
    (('UGCAUG', 17), ('UGCAUG', None), ('a@b.meme:Gata1', 3))
    """
    motif, at, start = word.rpartition("@")
    if at and motif and re.fullmatch(r"-?\d+", start):
        return motif, int(start)
    # Only the names of files and of motifs in them may hold an @.
    if not word or (at and not re.search(r"[./\\:]", word)):
        raise _wrong(word, "MOTIF@START such as UGCAUG@17, or MOTIF for the centre")
    return word, None


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


def orders(word: str) -> str | list[list[int]]:
    """Several orders of motifs, or all.

    Examples
    --------
    >>> orders("1,2/2,1"), orders("all")
    ([[0, 1], [1, 0]], 'all')
    """
    return word if word == "all" else [order(part) for part in word.split("/")]


def orientations(word: str) -> str | list[str]:
    """Strands of motifs, or all.

    Examples
    --------
    >>> orientations("++,+-"), orientations("all")
    (['++', '+-'], 'all')
    """
    return word if word == "all" else word.split(",")


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


def target(word: str) -> int | str | tuple[int | str, ...] | Readout:
    """Which output: an index of axis 1, the key of a head, or such of axes 1, 2, ...

    With names it is a `Readout`.

    Examples
    --------
    >>> target("2"), target("2,62"), target("counts"), target("counts,0")
    (2, (2, 62), 'counts', ('counts', 0))
    >>> target("track=1,window=400:600,log2=1").window
    (400, 600)
    """
    if "=" in word:
        return _readout(word)
    parts = tuple(int(p) if p.isdecimal() else p for p in word.split(","))
    if any(part == "" or re.fullmatch(r"-\d+", str(part)) for part in parts):
        raise _wrong(word, "an index from 0, such as 2, 2,62, or the key of a head")
    return parts[0] if len(parts) == 1 else parts


def _readout(word: str) -> Readout:
    from .._core.readouts import Readout

    pairs = [part.partition("=")[::2] for part in word.split(",")]
    known = {field.name: field for field in dataclasses.fields(Readout)}
    given: dict[str, Any] = {}
    for name, text in pairs:
        if name not in known or name in given:
            what = "names one twice" if name in given else f"has {name!r}"
            raise _wrong(word, f"values of {', '.join(known)}, but {what}")
        try:
            given[name] = _READ_AS.get(name, int)(text)
        except ValueError:
            raise _wrong(word, f"such as {_EXAMPLE}; {name} is {text!r}") from None
    try:
        return Readout(**given)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{word!r}: {error}") from None


def _ends(text: str) -> tuple[int, int]:
    first, end = map(int, text.split(":"))
    return first, end


# How the values of a readout are read; the others are whole numbers.
_READ_AS: dict[str, Any] = {
    "head": lambda text: int(text) if text.isdecimal() else text,
    "window": _ends,
    "reduce": str,
    "log2": float,
}
_EXAMPLE = "track=0,window=400:600,log2=1 or head=profile,around=0,width=200"


def _wrong(word: str, wanted: str) -> argparse.ArgumentTypeError:
    return argparse.ArgumentTypeError(f"{word!r} must be {wanted}")
