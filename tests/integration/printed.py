"""The one comparison of printed text: what a page shows, and what its code prints.

Processors, numbers of threads and batch sizes add up in another order, so that decimal
numbers agree to rounding only; words and whole numbers are equal.
"""

from __future__ import annotations

import math
import re
from typing import NamedTuple

RELATIVE = 1e-3
# Of the largest decimal number of a text: what is zero but for rounding.
ABSOLUTE = 1e-5
NUMBER = re.compile(
    r"(?<![\w.])[-+]?\d+(?:\.(?P<decimals>\d*))?(?:e(?P<power>[-+]?\d+))?(?!\.?\d)"
)
# Tabs separate the cells of a table, which may be empty; other spaces say nothing.
TOKEN = re.compile(rf"{NUMBER.pattern}|\w+|\t|[^\w\s]")


class Token(NamedTuple):
    """A word, a sign or a number; `digit` is what the last of its decimals is worth."""

    text: str
    value: float = math.nan
    digit: float = math.inf  # of a word and a whole number


def tokens(text: str) -> list[Token]:
    """The words, signs and numbers of a text."""
    return [token(match) for match in TOKEN.finditer(text.strip())]


def token(match: re.Match[str]) -> Token:
    """What one match of `TOKEN` is."""
    decimals, power = match["decimals"], match["power"]
    if not NUMBER.fullmatch(match[0]):
        return Token(match[0])
    if not decimals and not power:
        return Token(match[0], float(match[0]))
    return Token(
        match[0], float(match[0]), 10.0 ** (int(power or 0) - len(decimals or ""))
    )


def differences(shown: str, printed: str, tolerance: float = 0) -> list[str]:
    """What is printed otherwise than shown; decimals may be `tolerance` further off."""
    old, new = tokens(shown), tokens(printed)
    if len(old) != len(new):
        return [f"shown:\n{shown}\nprinted:\n{printed}"]
    decimals = (abs(token.value) for token in old if token.digit < math.inf)
    tolerance += ABSOLUTE * max(decimals, default=0)
    return [
        f"{a.text} is shown, {b.text} printed"
        for a, b in zip(old, new, strict=True)
        if a.text != b.text and not near(a, b, tolerance)
    ]


def near(a: Token, b: Token, tolerance: float) -> bool:
    """Are these numbers, one of them with decimals, that agree to rounding?"""
    digit = min(a.digit, b.digit)  # `%g` writes 0.1 for 0.100000 and 1 for 1.00000
    allowed = RELATIVE * max(abs(a.value), abs(b.value)) + digit + tolerance
    return digit < math.inf and abs(a.value - b.value) <= allowed
