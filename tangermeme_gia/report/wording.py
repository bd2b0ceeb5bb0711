"""Numbers as a reader expects them in a sentence."""

from __future__ import annotations

import math
from typing import Any


def number(value: float, decimals: int | None = None) -> str:
    """A number with a true minus sign; three significant digits if not said otherwise.

    Examples
    --------
    >>> number(-1.2345), number(0.5, 2), number(float("nan"))
    ('−1.23', '0.50', 'not defined')
    """
    if math.isnan(value):
        return "not defined"
    text = f"{value:.3g}" if decimals is None else f"{value:.{decimals}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def with_interval(effect: float, low: float, high: float) -> str:
    """An effect and its interval, with the digits that its width leaves meaning.

    Examples
    --------
    >>> with_interval(1.8963, 1.8171, 1.9755), with_interval(104.2, 91.0, 117.4)
    ('1.90 [1.82, 1.98]', '104 [91, 117]')
    """
    half_width = (high - low) / 2
    if not half_width > 0:
        return number(effect)
    decimals = min(6, max(0, math.ceil(-math.log10(half_width))))
    shown = [number(value, decimals) for value in (effect, low, high)]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def row_with_interval(row: Any) -> str:
    """The same for a row, or a named tuple, with `effect`, `low` and `high`."""
    return with_interval(float(row.effect), float(row.low), float(row.high))


def count(n: int, noun: str) -> str:
    """A number of things.

    Examples
    --------
    >>> count(1, "spacing"), count(4096, "6-mer")
    ('1 spacing', '4,096 6-mers')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
