"""Which of many candidates are best on a finite population: a race instead of all.

Every candidate has a value on each member of the population (a k-mer's local
importance on each background); the best are those with the highest means. Those that
cannot be among the best are left behind after few members, in random order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np
import scipy
from numpy.typing import NDArray

Indices: TypeAlias = NDArray[np.int64]
Values: TypeAlias = NDArray[np.float64]
# Values of some candidates on a range of members, shape=(n_members, n_candidates).
Ask: TypeAlias = Callable[[Indices, slice], Values]

# Members seen before the first candidates are left behind. With 16, the t quantiles of
# so many comparisons are so large that hardly any ever are.
FIRST = 32
_CHUNK = 4096


class Race(NamedTuple):
    """Who may still be among the best, and what is known of them?

    Parameters
    ----------
    candidates: numpy.ndarray of int, shape=(n_left,)
        Those left, ascending.

    values: numpy.ndarray, shape=(n_seen, n_left)
        Their values on the members seen so far, which are the first ones.

    n_asked: int
        How many values were asked for, of all candidates.
    """

    candidates: Indices
    values: Values
    n_asked: int


def race(
    ask: Ask,
    n_candidates: int,
    n: int,
    *,
    top: int,
    delta: float,
    max_values: float = math.inf,
) -> Race:
    """Which candidates may be among the best, by means over a whole population?

    After 32 members, 48, 72, ... and at last fewer than all, a candidate is left
    behind if it is surely below each of the `top` that lead. Surely: the difference of
    the two means, on the same members, is more than the larger of

    - the half-width of a one-sided t interval with the finite population's correction,
      at `delta / 2` divided by all pairs that could be confused (candidates x `top`)
      and by the rounds;
    - what rare members could hide: the largest share of the population that can have
      escaped the draw with that probability (`delta / 2` divided by `top` and the
      rounds; a share of 9 / m for m members of many), times the largest deviation of
      a difference from its mean among all candidates in the race.

    The mean over all members decides between those left, so that the outcome is that
    of asking for every value unless one of the best was left behind, which happens
    with a probability of at most about `delta`. The first part rests on t
    intervals, the second on rare large values being of a size that other candidates
    show. A candidate that owes its rank to values on some per cent of the members, of
    a size never seen with any, can be missed; no method that does not ask for nearly
    everything finds it.

    Parameters
    ----------
    ask: function
        `ask(candidates, members)` gives the values of some candidates, by ascending
        indices, on a slice of the members, shape=(n_members, n_candidates). The members
        have to be in random order.

    n_candidates, n: int
        How many candidates and members there are.

    top: int
        How many of the best are wanted.

    delta: float
        Accepted probability that not all of them are among those left.

    max_values: float, optional
        The most values to keep; with more candidates than fit, the race ends early
        and more are left. Default is no limit.

    Returns
    -------
    race: Race
        Members that it has not seen remain to be asked for those left.

    Examples
    --------
    >>> values = np.random.default_rng(0).normal(size=(500, 40)) + np.arange(40)
    >>> found = race(
    ...     lambda candidates, members: values[members, candidates],
    ...     *(40, 500),
    ...     top=2,
    ...     delta=0.01,
    ... )
    >>> found.candidates, found.n_asked
    (array([38, 39]), 1400)
    """
    left = np.arange(n_candidates)
    values = np.empty((0, n_candidates))
    n_asked = 0
    sizes = round_sizes(n)
    for size in sizes:
        if len(left) <= top or len(left) * size > max_values:
            break
        new = ask(left, slice(len(values), size))
        n_asked += new.size
        values = np.concatenate([values, new])
        critical = _t_quantile(
            delta / (2 * n_candidates * top * len(sizes)), size, population=n
        )
        hidden = unseen_share(delta / (2 * top * len(sizes)), size, n)
        kept = ~surely_below(values, top, critical, hidden)
        left, values = left[kept], values[:, kept]
    return Race(left, values, n_asked)


def round_sizes(n: int) -> list[int]:
    """Members seen when candidates are left behind: 32, then by half more, below n.

    Examples
    --------
    >>> round_sizes(400)
    [32, 48, 72, 108, 162, 243, 364]
    """
    sizes = []
    size = FIRST
    while size < n:
        sizes.append(size)
        size += size // 2
    return sizes


def unseen_share(probability: float, n_seen: int, n: int) -> float:
    """Which share of a population can a draw have missed with some probability?

    A draw of `n_seen` of `n` members without replacement misses all of some q members
    with a probability of at most (1 - n_seen / n)^q.

    Examples
    --------
    >>> round(unseen_share(0.001, 100, 1000), 3)
    0.066
    """
    return min(1.0, math.log(probability) / math.log1p(-n_seen / n) / n)


def surely_below(
    values: Values, top: int, critical: float, hidden: float
) -> NDArray[np.bool_]:
    """Which candidates are surely below each of the `top` that lead?

    Parameters
    ----------
    values: numpy.ndarray, shape=(n_members, n_candidates)
        Values on the members seen.

    top: int
        How many lead.

    critical: float
        Half-width of the interval of a difference, in its standard deviations.

    hidden: float
        Share of the population that the members seen may not stand for.

    Returns
    -------
    below: numpy.ndarray of bool, shape=(n_candidates,)
        None of them if a value is not finite.

    Examples
    --------
    >>> values = np.array([[1.0, 5.0, 3.0], [2.0, 5.5, 3.0]])
    >>> surely_below(values, 1, critical=1.0, hidden=0.1)
    array([ True, False,  True])
    """
    # What is not finite gives comparisons with NaN, which hold for none.
    with np.errstate(invalid="ignore", over="ignore"):
        mean = values.mean(axis=0)
        leaders = np.argsort(-mean, kind="stable")[:top]
        front = values[:, leaders] - mean[leaders]
        n_candidates = values.shape[1]
        spread = np.empty((len(leaders), n_candidates))
        deviation = 0.0
        for first in range(0, n_candidates, _CHUNK):
            part = slice(first, first + _CHUNK)
            centred = values[:, part] - mean[part]
            for i in range(len(leaders)):
                differences = front[:, [i]] - centred
                spread[i, part] = differences.std(axis=0, ddof=1)
                # Not the built-in function, which would lose NaN.
                deviation = float(np.maximum(deviation, -differences.min()))
        half_width = np.maximum(critical * spread, hidden * deviation)
        below: NDArray[np.bool_] = (mean[leaders, None] - mean > half_width).all(axis=0)
    return below


def _t_quantile(probability: float, n_seen: int, *, population: int) -> float:
    """In standard deviations of a value, for the mean of so many of a population."""
    quantile = float(scipy.stats.t.isf(probability, n_seen - 1))
    return quantile * math.sqrt((1 - n_seen / population) / n_seen)
