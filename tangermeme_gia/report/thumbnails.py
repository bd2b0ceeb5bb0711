"""Small pictures of findings, as SVG that takes the colours of the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike

from ..motifs.matrices import information_logo

_WIDTH, _HEIGHT = 220.0, 96.0
_LEFT_OF_STRIP, _ROW = 84.0, 12.0
_LONGEST_LABEL = 14
_LETTER = 0.72  # height of a capital over that of its font


class _Scale(NamedTuple):
    """From numbers to pixels."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, values: ArrayLike, start: float, end: float) -> _Scale:
        """All finite values, and 0."""
        given = np.append(np.asarray(values, float).ravel(), 0.0)
        finite = given[np.isfinite(given)]
        low, high = float(finite.min()), float(finite.max())
        return cls(low, high if high > low else low + 1, start, end)

    def __call__(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (
            self.high - self.low
        )
        return round(self.start + share * (self.end - self.start), 1)


def curve(
    x: Sequence[float], effect: ArrayLike, low: ArrayLike, high: ArrayLike
) -> str:
    """Effects along an axis with their intervals as a band, and 0 as a line.

    Examples
    --------
    >>> curve([0, 1], [1, 2], [0, 1], [2, 3]).count("<polyline")
    1
    """
    bands = np.array([effect, low, high], float)
    kept = np.isfinite(bands).all(axis=0)
    bands, at = bands[:, kept], np.asarray(x, float)[kept]
    if not at.size:
        return _svg("")
    across = _Scale(float(at.min()), max(float(at.max()), at.min() + 1), 4, _WIDTH - 4)
    up = _Scale.over(bands, _HEIGHT - 6, 6)
    lines = [
        [f"{across(a)},{up(v)}" for a, v in zip(at, row, strict=True)] for row in bands
    ]
    band = " ".join(lines[1] + lines[2][::-1])
    return _svg(
        _zero(4, up(0), _WIDTH - 4, up(0)) + f'<polygon class="band" points="{band}"/>'
        f'<polyline class="curve" points="{" ".join(lines[0])}"/>'
    )


def strip(
    labels: Sequence[str], effect: ArrayLike, low: ArrayLike, high: ArrayLike
) -> str:
    """A row with a point and its interval for each label, and 0 as a line.

    Examples
    --------
    >>> strip(["a", "b"], [1, 2], [0, 1], [2, 3]).count("<circle")
    2
    """
    rows = np.array([effect, low, high], float).T
    across = _Scale.over(rows, _LEFT_OF_STRIP, _WIDTH - 6)
    height = max(_HEIGHT, _ROW * len(labels))
    step = height / max(1, len(labels))
    parts = [_zero(across(0), 0, across(0), height)]
    for i, (label, (middle, start, end)) in enumerate(zip(labels, rows, strict=True)):
        y = round((i + 0.5) * step, 1)
        parts.append(f'<text x="0" y="{y + 3.5:.1f}">{escape(_short(label))}</text>')
        if not np.isfinite(middle):
            continue
        if np.isfinite([start, end]).all():
            parts.append(
                f'<path class="whisker" d="M{across(start)},{y}H{across(end)}"/>'
            )
        parts.append(f'<circle cx="{across(middle)}" cy="{y}" r="3.2"/>')
    return _svg("".join(parts), height)


def logo(ppm: torch.Tensor, letters: Sequence[str]) -> str:
    """The letters of a motif, as high as they tell.

    Examples
    --------
    >>> logo(torch.eye(4), "ACGT").count("<text")
    4
    """
    return _svg(logo_letters(ppm, letters))


def logo_again(name: str) -> str:
    """A logo whose letters the page holds once, as the group of this name.

    Examples
    --------
    >>> '<use href="#logo-3"/>' in logo_again("logo-3")
    True
    """
    return _svg(f'<use href="#{escape(name)}"/>')


def logo_letters(ppm: torch.Tensor, letters: Sequence[str]) -> str:
    """The letters of a logo without the picture around them.

    Examples
    --------
    >>> logo_letters(torch.eye(4), "ACGT").count("<text")
    4
    """
    bits = information_logo(ppm, list(letters))
    unit = _HEIGHT / float(np.log2(len(letters)))
    step = min(36.0, _WIDTH / len(bits))
    parts = []
    for i, row in enumerate(bits.to_dict("records")):
        floor = _HEIGHT
        for letter, height in sorted(row.items(), key=lambda pair: pair[1]):
            if height * unit < 1:
                continue
            parts.append(
                f'<text class="letter letter-{escape(str(letter))}" '
                f'transform="translate({(i + 0.5) * step:.1f},{floor:.1f}) '
                f'scale({step / 36:.3f},{height * unit / (36 * _LETTER):.3f})">'
                f"{escape(str(letter))}</text>"
            )
            floor -= height * unit
    return "".join(parts)


def _short(label: str) -> str:
    most = _LONGEST_LABEL
    return label if len(label) <= most else f"{label[: most - 1]}…"


def _zero(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<path class="zero" d="M{x1},{y1}L{x2},{y2}"/>'


def _svg(content: str, height: float = _HEIGHT) -> str:
    # The sentence beside it says the same.
    return (
        f'<svg class="thumbnail" viewBox="0 0 {_WIDTH:g} {height:g}" '
        'preserveAspectRatio="xMinYMid" aria-hidden="true">'
        f"{content}</svg>"
    )
