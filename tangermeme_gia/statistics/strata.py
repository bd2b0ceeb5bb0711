"""Who is surely below, judged by members drawn from strata of a finite population."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import scipy
from numpy.typing import NDArray

Indices: TypeAlias = NDArray[np.int64]
Values: TypeAlias = NDArray[np.float64]
Mask: TypeAlias = NDArray[np.bool_]

# How many times as frequent as other candidates show them rare high values may be.
MORE_FREQUENT = 5
_CHUNK = 4096


class Stratum(NamedTuple):
    """Some members of a population, and what candidates do on the first of them.

    Parameters
    ----------
    members: numpy.ndarray of int, shape=(n_members,)
        Which they are, in random order.

    offsets: numpy.ndarray, shape=(n_members,)
        What each does to the values of all candidates alike; of mean 0 over the
        population, so that no mean over all of it depends on them.

    values: numpy.ndarray, shape=(n_seen, n_candidates)
        Values of the candidates on the first members; at least two.
    """

    members: Indices
    offsets: Values
    values: Values

    @property
    def unseen(self) -> Indices:
        """The members that remain to be asked."""
        return self.members[len(self.values) :]

    def unseen_share(self, probability: float) -> float:
        """Which share of its members can have been missed with some probability?"""
        return unseen_share(probability, len(self.values), len(self.members))

    def add(self, values: Values) -> Stratum:
        """With the values on the next members."""
        return self._replace(values=np.concatenate([self.values, values]))

    def keep(self, kept: Mask) -> Stratum:
        """With some of the candidates only."""
        return self._replace(values=self.values[:, kept])

    def without_offsets(self, candidates: slice) -> Values:
        """Values of some candidates less what their members do to all alike."""
        seen = self.offsets[: len(self.values), None]
        return self.values[:, candidates] - seen


class Estimate(NamedTuple):
    """Means over the population, the errors of these, and degrees of freedom."""

    mean: Values
    se: Values
    df: Values


def estimate(strata: Sequence[Stratum], candidates: slice = slice(None)) -> Estimate:
    """How high is the mean of each candidate over the whole population?

    The stratified mean with the finite population's correction and Satterthwaite's
    degrees of freedom (Cochran, Sampling techniques, 1977, chapter 5).

    Examples
    --------
    >>> rare = Stratum(np.arange(2), np.zeros(2), np.array([[4.0], [6.0]]))
    >>> rest = Stratum(np.arange(2, 8), np.zeros(6), np.array([[0.0], [2.0]]))
    >>> [y.round(3).item() for y in estimate([rare, rest])]
    [2.0, 0.612, 1.0]
    """
    n = sum(len(stratum.members) for stratum in strata)
    means, variances, per_df = [], [], []
    for stratum in strata:
        values = stratum.without_offsets(candidates)
        n_seen, n_members = len(values), len(stratum.members)
        weight = n_members / n
        sampling = weight**2 * (1 / n_seen - 1 / n_members)
        means.append(weight * values.mean(axis=0))
        variances.append(sampling * values.var(axis=0, ddof=1))
        per_df.append(variances[-1] ** 2 / (n_seen - 1))
    variance, least = np.sum(variances, axis=0), np.finfo(np.float64).tiny
    df = np.maximum(variance**2, least) / np.maximum(np.sum(per_df, axis=0), least)
    return Estimate(np.sum(means, axis=0), np.sqrt(variance), np.maximum(df, 1.0))


def surely_below(
    strata: Sequence[Stratum], full: Values, top: int, probability: float
) -> Mask:
    """Which candidates are surely below the best of those measured on all members?

    Parameters
    ----------
    strata: sequence of Stratum
        The candidates on some members of each.

    full: numpy.ndarray, shape=(n, n_measured)
        Values of those measured, on all members; at least `top` of them.

    top: int
        How many are wanted.

    probability: float
        That a candidate of the true top is taken to be below, for each of the two
        reasons that `race` tells.

    Returns
    -------
    below: numpy.ndarray of bool, shape=(n_candidates,)
        None of them if a value is not a number.

    Examples
    --------
    >>> full = np.array([[5.0], [5.5], [4.5], [5.0]] * 100)
    >>> members, values = np.arange(400), [[1.0, 5.0], [1.2, 4.9], [1.1, 5.2]] * 10
    >>> surely_below(
    ...     [Stratum(members, np.zeros(400), np.array(values))], full, 1, 1e-4
    ... )
    array([ True, False])
    """
    to_reach = np.sort(full.mean(axis=0))[-top]
    to_reach_seen = to_reach - hidden(strata, full, probability)
    below = []
    for chunk in _chunks(strata[0].values.shape[1]):
        mean, se, df = estimate(strata, chunk)
        interval = scipy.stats.t.isf(probability, df) * se
        below.append((mean + interval < to_reach) & (mean < to_reach_seen))
    return np.concatenate(below)


def hidden(strata: Sequence[Stratum], full: Values, probability: float) -> float:
    """By how much could members that were not seen raise the mean of a candidate?

    In each stratum by as much, on the largest share that can be unseen, as the highest
    values of any candidate are above its mean over the population: the mean of as many
    as are a fifth of that share.
    """
    lift = 0.0
    exact = full.mean(axis=0)
    for stratum in strata:
        share = stratum.unseen_share(probability)
        measured = full[stratum.members] - stratum.offsets[:, None]
        highest = [_highest(measured - exact, share / MORE_FREQUENT)]
        for chunk in _chunks(stratum.values.shape[1]):
            values = stratum.without_offsets(chunk) - estimate(strata, chunk).mean
            highest.append(_highest(values, share / MORE_FREQUENT))
        lift += share * len(stratum.members) / len(full) * np.max([0.0, *highest])
    return float(lift)


def unseen_share(probability: float, n_seen: int, n: int) -> float:
    """Which share of a population can a draw have missed with some probability?

    A draw of m of n members without replacement misses all of some q members with a
    probability of at most (1 - m / n)^q, and at most (1 - q / n)^m.

    Examples
    --------
    >>> round(unseen_share(0.001, 100, 1000), 3)
    0.066
    """
    if n_seen == n:
        return 0.0
    by_members = math.log(probability) / math.log1p(-n_seen / n) / n
    by_draws = -math.expm1(math.log(probability) / n_seen)
    return min(by_members, by_draws)


def _highest(values: Values, share: float) -> float:
    """The highest mean of the highest values, as many as are that share of all."""
    n = max(1, math.ceil(share * len(values)))
    return float(np.partition(values, -n, axis=0)[-n:].mean(axis=0).max())


def _chunks(n: int) -> Iterator[slice]:
    """So many candidates at a time that copies of their values are small."""
    for first in range(0, n, _CHUNK):
        yield slice(first, min(first + _CHUNK, n))
