"""Which of many candidates are best on a finite population: a race instead of all.

Every candidate has a value on each member of the population (a k-mer's local
importance on each background); the best are those with the highest means. Those that
lead after few members, drawn at random, are measured on all; the others are left
behind as soon as they are surely below the best of these.
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

# Members seen before the first candidates are left behind.
FIRST = 24
# How many times as frequent as other candidates show them rare high values may be.
MORE_FREQUENT = 5
_CHUNK = 4096


class Race(NamedTuple):
    """Who may still be among the best, and what is known of them?

    Parameters
    ----------
    measured: numpy.ndarray of int, shape=(n_measured,)
        Candidates measured on all members, ascending.

    measured_values: numpy.ndarray, shape=(n, n_measured)
        Their values.

    others: numpy.ndarray of int, shape=(n_others,)
        Others that may be among the best, too, ascending.

    values: numpy.ndarray, shape=(n_seen, n_others)
        Their values on the members seen so far, which are the first ones.

    n_asked: int
        How many values were asked for, of all candidates.
    """

    measured: Indices
    measured_values: Values
    others: Indices
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

    After 24 members, 36, 54, ... and at last fewer than all, those that lead are
    measured on all members, so that the mean that a candidate has to reach, the
    `top`-th highest of the exact ones, is known and never too high. Any other is left
    behind if it is surely below: if that mean is above both

    - the upper limit of a one-sided t interval of the candidate's mean, with the finite
      population's correction, after regression on the mean value of those measured,
      which is known for every member;
    - what rare members could hide: the candidate's mean if the largest share of the
      population that can have escaped the draw (about 9 / m for m members of many) had
      values as high as the mean of the highest fifth of that share of any candidate's.

    Either at a probability of `delta / 2`, divided by the rounds and by `top`: only
    those that are truly among the best can be lost, and the mean that they have to
    reach does not depend on chance. The outcome is then that of asking for every value
    but with a probability of about `delta`. The first part rests on t intervals, the
    second on rare high values being as high as other candidates show them, and at most
    five times as frequent. A candidate that owes its rank to values on some per cent of
    the members, of a size never seen with any, can be missed; no method that does not
    ask for nearly everything finds it.

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
        Members that it has not seen remain to be asked for the `others`.

    Examples
    --------
    >>> values = np.random.default_rng(0).normal(size=(500, 40)) + np.arange(40)
    >>> found = race(
    ...     lambda candidates, members: values[members, candidates],
    ...     *(40, 500),
    ...     top=2,
    ...     delta=0.01,
    ... )
    >>> found.measured, found.others, found.n_asked
    (array([38, 39]), array([], dtype=int64), 1912)
    """
    measured, full = np.empty(0, dtype=np.int64), np.empty((n, 0))
    others, values = np.arange(n_candidates), np.empty((0, n_candidates))
    n_asked = 0
    sizes = round_sizes(n)
    probability = delta / (2 * top * len(sizes)) if sizes else delta
    for size in sizes:
        wanted = len(others) * size + (len(measured) + top) * n
        if n_candidates <= top or len(others) == 0 or wanted > max_values:
            break
        new = ask(others, slice(len(values), size))
        values = np.concatenate([values, new])
        leads = _leaders(full.mean(axis=0), values.mean(axis=0), top)
        rest = ask(others[leads], slice(size, n)) if leads.any() else full[size:, :0]
        n_asked += new.size + rest.size
        measured = np.concatenate([measured, others[leads]])
        full = np.concatenate([full, np.concatenate([values[:, leads], rest])], axis=1)
        others, values = others[~leads], values[:, ~leads]
        kept = ~surely_below(values, full, top, probability)
        others, values = others[kept], values[:, kept]
    order = np.argsort(measured)
    return Race(measured[order], full[:, order], others, values, n_asked)


def round_sizes(n: int) -> list[int]:
    """Members seen when candidates are left behind: 24, then by half more, below n.

    Examples
    --------
    >>> round_sizes(400)
    [24, 36, 54, 81, 121, 181, 271]
    """
    sizes = []
    size = FIRST
    while size < n:
        sizes.append(size)
        size += size // 2
    return sizes


def unseen_share(probability: float, n_seen: int, n: int) -> float:
    """Which share of a population can a draw have missed with some probability?

    A draw of m of n members without replacement misses all of some q members with a
    probability of at most (1 - m / n)^q, and at most (1 - q / n)^m.

    Examples
    --------
    >>> round(unseen_share(0.001, 100, 1000), 3)
    0.066
    """
    by_members = math.log(probability) / math.log1p(-n_seen / n) / n
    by_draws = -math.expm1(math.log(probability) / n_seen)
    return min(by_members, by_draws)


def surely_below(
    values: Values, full: Values, top: int, probability: float
) -> NDArray[np.bool_]:
    """Which candidates are surely below the best of those measured on all members?

    Parameters
    ----------
    values: numpy.ndarray, shape=(n_seen, n_others)
        Values of the candidates on the first members.

    full: numpy.ndarray, shape=(n, n_measured)
        Values of those measured, on all members; at least `top` of them.

    top: int
        How many are wanted.

    probability: float
        That a candidate of the true top is taken to be below, for each of the two
        reasons that `race` tells.

    Returns
    -------
    below: numpy.ndarray of bool, shape=(n_others,)
        None of them if a value is not finite.

    Examples
    --------
    >>> full = np.array([[5.0], [5.5], [4.5], [5.0]] * 100)
    >>> values = np.array([[1.0, 5.0], [1.2, 4.9], [1.1, 5.2]] * 10)
    >>> surely_below(values, full, 1, 1e-4)
    array([ True, False])
    """
    n_seen, n = len(values), len(full)
    if not (np.isfinite(values).all() and np.isfinite(full).all()):
        return np.zeros(values.shape[1], dtype=bool)
    to_reach = np.sort(full.mean(axis=0))[-top]
    share = unseen_share(probability, n_seen, n)
    covariate = full.mean(axis=1) - full.mean()
    critical = float(scipy.stats.t.isf(probability, n_seen - 2))
    critical *= _spread_of_mean(covariate, n_seen)
    mean, spread, highest = [], [], -math.inf
    for table in (full[:n_seen], values):
        for first in range(0, table.shape[1], _CHUNK):
            adjusted = _regress(table[:, first : first + _CHUNK], covariate[:n_seen])
            highest = max(highest, _highest_share(adjusted, share / MORE_FREQUENT))
            mean.append(adjusted.mean(axis=0))
            spread.append(adjusted.std(axis=0, ddof=2))
    n_measured = full.shape[1]
    means = np.concatenate(mean)[n_measured:]
    spreads = np.concatenate(spread)[n_measured:]
    below: NDArray[np.bool_] = (means + critical * spreads < to_reach) & (
        (1 - share) * means + share * highest < to_reach
    )
    return below


def _leaders(exact: Values, means: Values, top: int) -> NDArray[np.bool_]:
    """Which of those with estimated means are among the top with the exact ones."""
    best = np.argsort(-np.concatenate([exact, means]), kind="stable")[:top]
    leads = np.zeros(len(means), dtype=bool)
    leads[best[best >= len(exact)] - len(exact)] = True
    return leads


def _spread_of_mean(covariate: Values, n_seen: int) -> float:
    """Standard deviation of a mean estimated by regression, in those of residuals."""
    seen = covariate[:n_seen]
    squares = float(((seen - seen.mean()) ** 2).sum())
    sampling = (1 - n_seen / len(covariate)) / n_seen
    shift = float(seen.mean()) ** 2 / squares if squares > 0 else 0.0
    return math.sqrt(sampling + shift)


def _regress(values: Values, covariate: Values) -> Values:
    """Each column less what its regression on the covariate, of mean 0, explains."""
    centred = covariate - covariate.mean()
    squares = float(centred @ centred)
    slopes = centred @ values / squares if squares > 0 else np.zeros(values.shape[1])
    adjusted: Values = values - covariate[:, None] * slopes
    return adjusted


def _highest_share(values: Values, share: float) -> float:
    """The highest mean of the highest values, as many as are that share of all."""
    n = max(1, math.ceil(share * len(values)))
    return float(np.partition(values, -n, axis=0)[-n:].mean(axis=0).max())
