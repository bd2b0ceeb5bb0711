"""The effect or interaction of every set of several patterns."""

from __future__ import annotations

import string
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._core.clusters import Values
from .._core.results import GIAResult
from .._core.short import in_short
from .inputs import LocalImportance, as_arms, without_controls


@in_short
class FactorialContrasts(NamedTuple):
    """The effect or interaction of every set of patterns.

    `local`, shape (n, n_sets, ...), holds each background's contrasts, for any interval
    or test with `clusters`, those of the result; `sets`, shape (n_sets, n_patterns),
    says which patterns each belongs to, smaller sets first; `names` are such as "A×B".
    """

    local: Values
    sets: NDArray[np.bool_]
    names: list[str]
    clusters: NDArray[Any] | None


def factorial_contrasts(
    local: LocalImportance, present: ArrayLike | None = None
) -> FactorialContrasts:
    """Which of several patterns act alone, in pairs, or only all together?

    The contrast of a set of patterns is the alternating sum over the arms with some of
    them: A for one, AB - A - B + 0 for two, ABC - AB - AC - BC + A + B + C - 0 for
    three.

    Parameters
    ----------
    local: GIAResult, array-like or torch.Tensor, shape=(n, n_arms, ...)
        The outcome of `factorial` with one output, of which controls are left out; or
        local importances of every arm on the same backgrounds.

    present: array-like of bool or None, shape=(n_arms, n_patterns), optional
        Which patterns each arm holds: every non-empty subset once, in any order. The
        empty arm may be there too; left out, its local importance is 0. None is the
        columns of True and False of a result. Default is None.

    Returns
    -------
    contrasts: FactorialContrasts
        `local`, shape (n, 2 ** n_patterns - 1, ...), `sets`, `names` and `clusters`.

    Raises
    ------
    ValueError
        If `present` does not have one row per arm, or misses or repeats a subset, and
        if local importances are not finite or fewer than two.

    Examples
    --------
    >>> arms = [[True, False], [False, True], [True, True]]
    >>> contrasts = factorial_contrasts([[1.0, 2.0, 5.0], [1.0, 2.0, 6.0]], arms)
    >>> contrasts.local[:, 2]
    array([2., 3.])
    """
    names: list[str] | None = None
    if isinstance(local, GIAResult) and present is None:
        local = without_controls(local)
        table = local.conditions.select_dtypes("bool")
        present, names = table.to_numpy(), list(table.columns)
    values = as_arms(local)
    arms = np.asarray(present, dtype=bool)
    if values.ndim < 2 or arms.ndim != 2 or len(arms) != values.shape[1]:
        raise ValueError(
            f"`present` has shape {arms.shape} and `local` {values.shape}; they must "
            "be (n_arms, n_patterns) and (n, n_arms, ...)."
        )
    if not arms.shape[1]:
        raise ValueError(f"`present` has shape {arms.shape}; it holds no pattern.")
    n_patterns = arms.shape[1]
    codes = arms @ (1 << np.arange(n_patterns))
    found = np.bincount(codes, minlength=1 << n_patterns)
    if (found[1:] != 1).any() or found[0] > 1:
        wrong = 1 + int(np.flatnonzero(found[1:] != 1)[0]) if found[0] < 2 else 0
        raise ValueError(
            f"`present` holds the patterns {_members(wrong, n_patterns).nonzero()[0]} "
            f"in {found[wrong]} arms; every subset is needed once."
        )
    order = sorted(range(1, 1 << n_patterns), key=lambda code: (code.bit_count(), code))
    sets = np.array([_members(code, n_patterns) for code in order], dtype=bool)
    # Arm j enters the contrast of set i if it is a subset, with the sign of what it
    # lacks.
    subset = ~(arms[None] & ~sets[:, None]).any(axis=2)
    sign = (-1.0) ** (sets.sum(axis=1)[:, None] - arms.sum(axis=1)[None])
    contrasts = np.tensordot(values, (subset * sign).T, axes=([1], [0]))
    letters = np.array(names or list(string.ascii_uppercase[:n_patterns]))
    titles = ["×".join(letters[members]) for members in sets]
    clusters = local.clusters if isinstance(local, GIAResult) else None
    return FactorialContrasts(np.moveaxis(contrasts, -1, 1), sets, titles, clusters)


def _members(code: int, n_patterns: int) -> NDArray[np.bool_]:
    members: NDArray[np.bool_] = (code >> np.arange(n_patterns)) % 2 == 1
    return members
