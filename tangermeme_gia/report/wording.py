"""Numbers as a reader expects them in a sentence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .._core.cards import listed as listed

# Numbers with smaller intervals are written with an exponent.
_LEAST_DECIMAL = 1e-5


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
    >>> with_interval(0.3, 0.05, 0.55), with_interval(2e-7, 1e-7, 3e-7)
    ('0.30 [0.05, 0.55]', '2e−07 [1e−07, 3e−07]')
    """
    half_width = (high - low) / 2
    if math.isinf(half_width):
        return f"{number(effect)} [−∞, ∞]"
    if not half_width > 0:
        return number(effect)
    # One digit of the half-width, or two if it begins with 1 or 2.
    decimals: int | None = max(0, math.ceil(-math.log10(half_width / 3)))
    if half_width < _LEAST_DECIMAL:
        decimals = None
    shown = [number(value, decimals) for value in (effect, low, high)]
    return f"{shown[0]} [{shown[1]}, {shown[2]}]"


def row_with_interval(row: Any) -> str:
    """The same for a row, or a named tuple, with `effect`, `low` and `high`."""
    return with_interval(float(row.effect), float(row.low), float(row.high))


def span(values: Any) -> str:
    """From the smallest to the largest of some numbers, two digits of the larger.

    Examples
    --------
    >>> span([0.03, -0.127]), span([0.0002, 0.00131]), span([2, 2.01])
    ('−0.13 to 0.03', '0.0002 to 0.0013', '2.0')
    """
    ends = [float(min(values)), float(max(values))]
    largest = max(map(abs, ends))
    decimals: int | None = None
    if largest > _LEAST_DECIMAL:
        decimals = max(0, 1 - math.floor(math.log10(largest)))
    shown = [number(end, decimals) for end in ends]
    return shown[0] if shown[0] == shown[1] else " to ".join(shown)


def count(n: int, noun: str) -> str:
    """A number of things.

    Examples
    --------
    >>> count(1, "spacing"), count(4096, "6-mer")
    ('1 spacing', '4,096 6-mers')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def numeral(n: int) -> str:
    """A small number as a word.

    Examples
    --------
    >>> numeral(3), numeral(12)
    ('three', '12')
    """
    words = (
        "no",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
    )
    return words[n] if n < len(words) else f"{n:,}"


def spans(values: Sequence[int]) -> list[str]:
    """Rising whole numbers, those that follow each other as one span.

    Examples
    --------
    >>> spans([0, 1, 2, 7, 9, 10])
    ['0–2', '7', '9–10']
    """
    runs: list[list[int]] = []
    for value in values:
        if runs and value == runs[-1][-1] + 1:
            runs[-1].append(value)
        else:
            runs.append([value])
    return [str(r[0]) if len(r) == 1 else f"{r[0]}–{r[-1]}" for r in runs]
