"""On how many backgrounds was anything seen? Where on few, intervals say too much."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from .clusters import Codes
from .moments import blocks_of_effects, change
from .outputs import Outputs, as_heads

# Backgrounds with another effect than most from which 95 % intervals of zero-inflated
# exponential effects hold the mean in about 94 % (benchmarks/calibration.py, section
# "zeros").
FEWEST_APART = 100
# Rounding of a model's outputs, in units of their precision.
_ROUNDING = 8
# Effects that are looked at together: 8 MiB.
_BLOCK = 1 << 20
_FOLDER = str(Path(__file__).parents[1])

_P = ParamSpec("_P")
_R = TypeVar("_R")


class FewEffectsWarning(UserWarning):
    """How much do intervals and tests say where (nearly) all backgrounds agree?

    Comes with tables, intervals and tests, once for each call, where all backgrounds
    show no effect or the same one, or most do and fewer than 100 another. Of the former
    an exact bound says how often there may be another effect (Clopper and Pearson 1934,
    one-sided, 95 %), not how large it is. In the latter case intervals cover too
    little, whatever their method: their spread is that of a few. A table takes what
    rounds the model's outputs for no effect.

    Examples
    --------
    >>> import warnings
    >>> from tangermeme_gia.statistics import paired_t_test
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     test = paired_t_test(np.zeros(30))
    >>> print(str(caught[0].message)[:50])
    None of 30 backgrounds shows any effect: with 95 %
    """


class Agreement(NamedTuple):
    """In how many of some conditions do backgrounds agree?

    In `n_none` none of the `n` backgrounds shows any effect, in `n_same` all show the
    same one, and in `n_few` most agree and fewer than `FEWEST_APART`, at least
    `fewest`, do not.
    """

    n: int
    n_conditions: int
    n_none: int
    n_same: int
    n_few: int
    fewest: int
    what: str = "effect"
    unit: str = "backgrounds"

    @property
    def n_affected(self) -> int:
        """Conditions whose intervals say too much."""
        return self.n_none + self.n_same + self.n_few


_noted: ContextVar[list[Agreement] | None] = ContextVar("noted", default=None)


def one_warning(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Of all that is noted within a call only the worst becomes a warning, once."""

    @functools.wraps(function)
    def warn_once(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        if _noted.get() is not None:
            return function(*args, **kwargs)
        notes: list[Agreement] = []
        token = _noted.set(notes)
        try:
            value = function(*args, **kwargs)
        finally:
            _noted.reset(token)
        if notes:
            _warn(max(notes, key=lambda note: note.n_affected))
        return value

    return warn_once


@contextmanager
def unnoted() -> Iterator[None]:
    """Where numbers that agree are nothing to warn of."""
    token = _noted.set([])
    try:
        yield
    finally:
        _noted.reset(token)


def note_agreement(
    values: NDArray[np.float64],
    codes: Codes | None = None,
    what: str = "effect",
) -> None:
    """Warn where columns hold one value on all rows, or on most and few others.

    With the template of each row, templates are counted, and are apart if a row is.
    """
    columns = values.reshape(len(values), int(np.prod(values.shape[1:])))
    if not columns.size:
        return
    width = max(1, _BLOCK // len(values))
    _note(
        _agreement(columns[:, first : first + width], 0.0, codes, what)
        for first in range(0, columns.shape[1], width)
    )


def note_agreement_of_outputs(
    y_before: Outputs, y_afters: Outputs, codes: Codes | None
) -> None:
    """The same for effects, of which what rounds the outputs is none."""
    if _n_units(len(as_heads(y_before)[0]), codes) > 1:
        _note(_agreements_of_outputs(y_before, y_afters, codes))


def _agreements_of_outputs(
    y_before: Outputs, y_afters: Outputs, codes: Codes | None
) -> Iterator[Agreement]:
    for before, after in zip(as_heads(y_before), as_heads(y_afters), strict=True):
        n, n_conditions = after.shape[:2]
        before, after = before.reshape(n, -1), after.reshape(n, n_conditions, -1)
        for rows, columns in blocks_of_effects(after):
            part = after[:, rows, columns]
            local = change(before[:, columns], part).to(torch.float64).numpy()
            rounding = _rounding(before[:, columns], part)
            yield _agreement(local.reshape(n, -1), rounding, codes)


def note_agreement_of_moments(
    mean: NDArray[np.float64], se: NDArray[np.float64], n: int, codes: Codes | None
) -> None:
    """The same where only moments are known: warn where all of them agree."""
    n = _n_units(n, codes)
    apart = np.where(se == 0, 0, n).ravel()
    _note([_count(n, apart, (mean == 0).ravel(), "effect", codes)])


def _n_units(n: int, codes: Codes | None) -> int:
    """Backgrounds that are independent, or templates of which they are."""
    return n if codes is None else int(codes.max()) + 1


def _agreement(
    columns: NDArray[np.float64],
    rounding: NDArray[np.float64] | float,
    codes: Codes | None,
    what: str = "effect",
) -> Agreement:
    """How many rows differ from most others, in how many columns."""
    n = len(columns)
    absent = np.abs(columns) <= rounding
    is_absent = absent.sum(axis=0) * 2 > n
    middle = np.partition(columns, n // 2, axis=0)[n // 2]
    differs = ~np.where(is_absent, absent, columns == middle)
    if codes is not None:
        differs = np.stack([differs[codes == i].any(axis=0) for i in np.unique(codes)])
    return _count(_n_units(n, codes), differs.sum(axis=0), is_absent, what, codes)


def _count(
    n: int,
    apart: NDArray[np.intp],
    is_absent: NDArray[np.bool_],
    what: str,
    codes: Codes | None,
) -> Agreement:
    """Conditions by how many of n units are apart from the others."""
    agree = apart == 0
    few = ~agree & (apart < FEWEST_APART) & (2 * apart < n)
    return Agreement(
        n,
        len(apart),
        int((agree & is_absent).sum()),
        int((agree & ~is_absent).sum()),
        int(few.sum()),
        int(apart[few].min(initial=n)),
        what,
        "backgrounds" if codes is None else "templates",
    )


def _rounding(before: torch.Tensor, after: torch.Tensor) -> NDArray[np.float64]:
    if not after.is_floating_point():
        return np.zeros(1)
    scale = torch.maximum(after.abs(), before.abs()[:, None].to(after))
    precision = _ROUNDING * torch.finfo(after.dtype).eps
    rounding: NDArray[np.float64] = scale.to(torch.float64).numpy() * precision
    return rounding.reshape(len(after), -1)


def _note(parts: Iterable[Agreement]) -> None:
    """Warn of all conditions together, or keep it for `one_warning`."""
    counts = list(parts)
    note = counts[0]._replace(
        n_conditions=sum(part.n_conditions for part in counts),
        n_none=sum(part.n_none for part in counts),
        n_same=sum(part.n_same for part in counts),
        n_few=sum(part.n_few for part in counts),
        fewest=min(part.fewest for part in counts),
    )
    notes = _noted.get()
    if note.n_affected == 0:
        return
    if notes is None:
        _warn(note)
    else:
        notes.append(note)


def describe_agreement(note: Agreement) -> str:
    """What was seen, and what that leaves open, in words.

    Examples
    --------
    >>> describe_agreement(Agreement(30, 1, 1, 0, 0, 30))[:78]
    'None of 30 backgrounds shows any effect: with 95 % confidence fewer than 9.5 %'
    """
    n, lines = note.n, []
    bound = f"{100 * -np.expm1(np.log(0.05) / n):.2g} %"

    def told(n_of: int) -> str:
        if note.n_conditions == 1:
            return ""
        return f" in {n_of:,} of {note.n_conditions:,} conditions"

    if note.n_none:
        lines.append(
            f"None of {n} {note.unit} shows any {note.what}{told(note.n_none)}: with "
            f"95 % confidence fewer than {bound} do."
        )
    if note.n_same:
        lines.append(
            f"All {n} {note.unit} show the same {note.what}{told(note.n_same)}: with "
            f"95 % confidence fewer than {bound} show another."
        )
    if lines:
        lines.append(
            "That bounds how often there is one, not how large it is, and an interval "
            "without width says no more."
        )
    if note.n_few:
        lines.append(
            f"Most of {n} {note.unit} agree exactly{told(note.n_few)} and few, "
            f"{'at least ' if note.n_few > 1 else ''}{note.fewest}, do not: below "
            f"{FEWEST_APART} of these intervals cover less than they say and tests "
            "find too much."
        )
    return " ".join(lines)


def _warn(note: Agreement) -> None:
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_code.co_filename.startswith(_FOLDER):
        level, frame = level + 1, frame.f_back
    warnings.warn(describe_agreement(note), FewEffectsWarning, stacklevel=level)
