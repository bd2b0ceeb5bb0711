"""The difference of two means, of groups of backgrounds that may share templates."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._core.agreement import note_agreement
from .._core.clusters import Codes, Labels, Values, as_codes, as_labels, sum_by
from .._core.moments import centre, summarise
from .._core.results import GIAResult
from .._core.short import in_short
from .inputs import LocalImportance, as_local, clusters_of


@in_short
class Difference(NamedTuple):
    """Mean of one group minus that of another, its error, and how sure that is."""

    effect: Values
    se: Values
    df: Values
    n: int


def difference_of_groups(
    a: LocalImportance,
    b: LocalImportance,
    clusters: tuple[Labels, Labels] | None = None,
) -> Difference:
    """How far are the means of two groups apart?

    Parameters
    ----------
    a, b: GIAResult, array-like or torch.Tensor, shape=(n_a, ...) and (n_b, ...)
        Local importances of either group.

    clusters: pair of sequences or None, optional
        The template of each background of either group; a label that both have is one
        template. None takes those of results. Default is None.

    Returns
    -------
    difference: Difference
        The error is Welch's; with templates in common it is that of a sum over
        templates of what each does to the difference, and the degrees of freedom are
        the fewer of both groups'.

    Raises
    ------
    ValueError
        If the groups differ in more than axis 0.

    Examples
    --------
    >>> difference_of_groups([1.0, 3.0], [0.0, 2.0], ([4, 5], [4, 5])).se
    np.float64(0.0)
    """
    groups = as_local(a, "a"), as_local(b, "b")
    if groups[0].shape[1:] != groups[1].shape[1:]:
        raise ValueError(
            f"`a` has shape {groups[0].shape} and `b` {groups[1].shape}; they may "
            "differ in axis 0 only."
        )
    given = (None, None) if clusters is None else clusters
    measured = zip(given, groups, (a, b), strict=True)
    codes = [clusters_of(one, len(group), local) for one, group, local in measured]
    for group, known in zip(groups, codes, strict=True):
        note_agreement(group, known)
    first, second = map(summarise, groups, codes)
    effect = first.mean - second.mean
    # Welch's t from means and errors, as scipy.stats.ttest_ind(equal_var=False) where
    # groups vary (tested), without its NaN and warning where they do not.
    variance = first.se**2 + second.se**2
    spread = first.se**4 / first.df + second.se**4 / second.df
    df = np.divide(variance**2, spread, out=np.ones_like(spread), where=spread > 0)
    both = [_labels(*each) for each in zip(given, groups, (a, b), strict=True)]
    labels = [known for known in both if known is not None]
    if len(labels) == 2:
        together = as_codes(np.concatenate(labels, dtype=object))
        own = together[: first.n], together[first.n :]
        if np.intersect1d(own[0], own[1]).size:
            pulls = [_pulls(*each, together) for each in zip(groups, own, strict=True)]
            variance = ((pulls[0] - pulls[1]) ** 2).sum(axis=0)
            df = np.full_like(df, min(first.df, second.df))
    return Difference(effect, np.sqrt(variance), df, first.n + second.n)


def _labels(
    given: Labels | None, group: Values, local: LocalImportance
) -> NDArray[Any] | None:
    if given is not None:
        return as_labels(given, len(group))
    return local.clusters if isinstance(local, GIAResult) else None


def _pulls(values: Values, codes: Codes, together: Codes) -> Values:
    """What each template of both groups does to the mean of one, as in its error."""
    n, size = len(values), np.bincount(codes, minlength=together.max() + 1)
    pulls = np.zeros((len(size), *values.shape[1:]))
    scale = n * np.sqrt(1 - size[size > 0] / n)
    sums = sum_by(centre(values)[1], codes)
    pulls[size > 0] = sums / scale.reshape(-1, *[1] * (values.ndim - 1))
    return pulls
