"""How letters are written: of either case, T or U, and IUPAC's for several bases."""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .letters import DNA, GAP, GAP_LETTER, RNA, SUM_TOLERANCE

# IUPAC's letters for several bases, but N.
AMBIGUOUS = {
    "R": "AG",
    "Y": "CT",
    "S": "CG",
    "W": "AT",
    "K": "GT",
    "M": "AC",
    "B": "CGT",
    "D": "AGT",
    "H": "ACT",
    "V": "ACG",
}


def is_nucleic(alphabet: Sequence[str]) -> bool:
    """Whether these are the letters of DNA or of RNA, in any order.

    Examples
    --------
    >>> is_nucleic("UGCA"), is_nucleic("ACDEFGHIKLMNPQRSTVWY")
    (True, False)
    """
    return set(alphabet) in (set(DNA), set(RNA))


def respell(text: str, alphabet: Sequence[str]) -> str:
    """Letters as the alphabet has them: of either case, and T or U.

    Examples
    --------
    >>> respell("tgcatgn", RNA)
    'UGCAUGN'
    """
    return text.translate(_spellings(tuple(alphabet)))


def values_of_letters(motif: str, letters: tuple[str, ...]) -> NDArray[Any]:
    """Codes of letters that are certain, shape=(1, k), or a PPM with those of IUPAC."""
    channels = {GAP_LETTER: GAP} | {letter: i for i, letter in enumerate(letters)}
    several = AMBIGUOUS if is_nucleic(letters) else {}
    spelled = respell(motif, letters)
    for position, letter in enumerate(spelled):
        if letter not in channels and letter not in several:
            more = f", {GAP_LETTER} and IUPAC's {', '.join(several)}" if several else ""
            raise ValueError(
                f"`motif` {motif!r} has {motif[position]!r} at position {position}, "
                f"which is not in `alphabet` {', '.join(letters)}{more}."
            )
    if channels.keys() >= set(spelled):
        return np.array([[channels[letter] for letter in spelled]], dtype=np.int8)
    values = np.zeros((1, len(letters), len(spelled)))
    for position, letter in enumerate(spelled):
        bases = respell(several.get(letter, letter), letters)
        rows = [channels[base] for base in bases if base != GAP_LETTER]
        values[0, rows, position] = 1 / len(bases)
    return values


def letters_of_values(values: NDArray[Any], alphabet: tuple[str, ...]) -> str | None:
    """A PPM of as likely letters in each column as IUPAC writes it; None of others."""
    if not is_nucleic(alphabet):
        return None
    names = {frozenset(bases): name for name, bases in AMBIGUOUS.items()}
    names |= {frozenset(base): respell(base, alphabet) for base in DNA}
    names[frozenset()] = GAP_LETTER
    bases = np.array(list(respell("".join(alphabet), DNA)))
    text = ""
    for column in values.T:
        chosen = column > 0
        name = names.get(frozenset(bases[chosen]))
        uneven = chosen.any() and np.ptp(column[chosen]) > SUM_TOLERANCE
        if name is None or uneven:
            return None
        text += name
    return text


@cache
def _spellings(alphabet: tuple[str, ...]) -> dict[int, str]:
    """What stands for a letter that the alphabet lacks, by code point."""
    swapped = {"T": "U", "U": "T"} if is_nucleic(alphabet) else {}
    table = {}
    for letter in {*string.ascii_letters} - {*alphabet}:
        upper, lower = letter.upper(), letter.lower()
        ways = [upper, swapped.get(upper, upper), lower]
        table[ord(letter)] = next((w for w in ways if w in alphabet), upper)
    return table
