"""Which of many candidates are best on a finite population: a race instead of all.

Every candidate has a value on each member of the population (a k-mer's local
importance on each background); the best are those with the highest means. Those that
lead after few members are measured on all; the others are left behind as soon as they
are surely below the best of these. A pilot finds the members on which rare effects
fall, so that they are drawn more often.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np

from .pilot import Pilot, count_responsive, count_scouts, draw_pairs
from .strata import Indices, Mask, Stratum, Values, estimate, surely_below

# Members of those that respond most, and of the rest, that are seen before the first
# candidates are left behind.
FIRST = (5, 24)


class Table(Protocol):
    """What is raced on: the value of any candidate on any member."""

    def block(self, candidates: Indices, members: Indices) -> Values:
        """Of some candidates on some members, shape=(n_members, n_candidates)."""

    def scattered(self, candidates: Indices) -> Values:
        """On each member, of its own candidates, both shape=(n, n_each)."""


class Known:
    """A table of values that are known, to try races on.

    Parameters
    ----------
    values: numpy.ndarray, shape=(n, n_candidates)
        Value of every candidate on each member.
    """

    def __init__(self, values: Values) -> None:
        self._values = values

    def block(self, candidates: Indices, members: Indices) -> Values:
        """Of some candidates on some members."""
        return self._values[np.ix_(members, candidates)]

    def scattered(self, candidates: Indices) -> Values:
        """On each member, of its own candidates."""
        return np.take_along_axis(self._values, candidates, axis=1)


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

    seen: numpy.ndarray of int, shape=(n_seen,)
        Members that the others were seen on.

    values: numpy.ndarray, shape=(n_seen, n_others)
        Their values there.

    n_asked: int
        How many values were asked for, of all candidates.

    unseen_share: float
        Of how many members, as a share of all, those left behind first can have seen
        none, with a probability of `delta`; 0 if nobody was left behind.
    """

    measured: Indices
    measured_values: Values
    others: Indices
    seen: Indices
    values: Values
    n_asked: int
    unseen_share: float


def race(
    table: Table,
    n_candidates: int,
    n: int,
    *,
    top: int,
    delta: float,
    rng: np.random.Generator,
    max_values: float = math.inf,
    known: Values | None = None,
) -> Race:
    """Which candidates may be among the best, by means over a whole population?

    A pilot asks for other candidates on each member. Of those whose values stand out,
    some are measured on all members, each next one for a value that those before do not
    reach on its member; the sixteenth of the members with the largest values and the
    rest are two strata from now on. After 5 and 24 members of them, 10 and 36, ...,
    those that lead are measured on all members, so that the mean that a candidate has
    to reach, the `top`-th highest of the exact ones, is known and never too high. Any
    other is left behind if it is surely below: if that mean is above both

    - the upper limit of a one-sided t interval of the candidate's stratified mean, with
      the finite population's correction;
    - what rare members could hide: the mean plus, for the largest share of members of
      each stratum that can have escaped the draw, as much as any candidate's highest
      values there are above its mean (the mean of as many as are a fifth of that
      share; those measured on all members included).

    Either at a probability of `delta / 2`, divided by the rounds and by `top`: only
    those that are truly among the best can be lost, and the mean that they have to
    reach does not depend on chance. What a member does to all candidates alike, the
    median of its pilot, changes no order and is taken from all values. The first part
    rests on t intervals, the second on rare high values being as high as other
    candidates show them, and at most five times as frequent. A candidate that owes its
    rank to values on a few members, of a size never seen with any, can be missed; no
    method that does not ask for nearly everything finds it.

    Parameters
    ----------
    table: Table
        Gives the values.

    n_candidates, n: int
        How many candidates and members there are.

    top: int
        How many of the best are wanted.

    delta: float
        Accepted probability that not all of them are among those left.

    rng: numpy.random.Generator
        Draws the pilot and the members.

    max_values: float, optional
        The most values to keep; with more candidates than fit, the race ends early
        and more are left. Default is no limit.

    known: numpy.ndarray or None, shape=(n_known, n_candidates), optional
        Values of all candidates on the first members, if they were asked before; which
        members come first must not depend on their values. Default is None.

    Returns
    -------
    race: Race
        Members that it has not seen remain to be asked for the `others`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> table = Known(rng.normal(size=(500, 40)) + np.arange(40))
    >>> found = race(table, 40, 500, top=2, delta=0.01, rng=rng)
    >>> found.measured, found.others, found.n_asked
    (array([36, 38, 39]), array([], dtype=int64), 4474)
    """
    sizes = round_sizes(n)
    course = _Course(table, n_candidates, n, known)
    if n_candidates <= top or not sizes or course.kept(sizes[0], top) > max_values:
        return course.result()
    course.run_pilot(rng)
    for size in sizes:
        if len(course.others) == 0 or course.kept(size, top) > max_values:
            break
        course.see(size)
        course.measure(course.leaders(top))
        course.leave_behind(top, delta, delta / (2 * top * len(sizes)))
    return course.result()


def round_sizes(n: int) -> list[tuple[int, int]]:
    """Members of the two strata seen when candidates are left behind.

    5 and 24; then twice as many, in the end all, and half more, never all.

    Examples
    --------
    >>> round_sizes(200)
    [(5, 24), (10, 36), (12, 54), (12, 81), (12, 121), (12, 181)]
    """
    n_responsive = count_responsive(n)
    sizes = []
    responsive, rest = FIRST
    while rest < n - n_responsive:
        sizes.append((min(responsive, n_responsive), rest))
        responsive, rest = 2 * responsive, rest + rest // 2
    return sizes


class _Course:
    """Who still runs, and what has been seen."""

    def __init__(
        self, table: Table, n_candidates: int, n: int, known: Values | None
    ) -> None:
        self._table, self._n = table, n
        self._known = np.empty((0, n_candidates)) if known is None else known
        self._measured, self._full = np.empty(0, dtype=np.int64), np.empty((n, 0))
        self.others = np.arange(n_candidates)
        nobody = np.empty((0, n_candidates))
        self._strata = [Stratum(np.arange(n), np.zeros(n), nobody)]
        self._n_asked, self._unseen_share = 0, 0.0

    def kept(self, sizes: Sequence[int], top: int) -> int:
        """How many values are kept after a round, at most."""
        return len(self.others) * sum(sizes) + (len(self._measured) + top) * self._n

    def run_pilot(self, rng: np.random.Generator) -> None:
        """Follow those that stand out, and split the members by their response."""
        n_candidates = len(self.others)
        candidates = draw_pairs(n_candidates, self._n, rng)
        pilot = Pilot.of(candidates, self._table.scattered(candidates))
        self._n_asked += candidates.size
        explained = np.full(self._n, pilot.values.min())
        for _ in range(count_scouts(n_candidates)):
            scout = pilot.most_unexpected(explained)
            if scout is None:
                break
            self.measure(self.others == scout)
            explained = np.maximum(explained, self._full[:, -1] - pilot.offsets)
        self._strata = [
            self._stratum(members, pilot.offsets)
            for members in pilot.strata(self._full, rng)
        ]

    def _stratum(self, members: Indices, offsets: Values) -> Stratum:
        """Members in random order, of which those that are known come first."""
        is_known = members < len(self._known)
        members = np.concatenate([members[is_known], members[~is_known]])
        values = self._known[np.ix_(members[: is_known.sum()], self.others)]
        return Stratum(members, offsets[members], values)

    def see(self, sizes: Sequence[int]) -> None:
        """Ask for all others on more members of each stratum."""
        for i, (stratum, size) in enumerate(zip(self._strata, sizes, strict=True)):
            members = stratum.members[len(stratum.values) : size]
            self._strata[i] = stratum.add(self._ask(self.others, members))

    def leaders(self, top: int) -> Mask:
        """Which of the others are among the best by what is known."""
        exact, means = self._full.mean(axis=0), estimate(self._strata).mean
        best = np.argsort(-np.concatenate([exact, means]), kind="stable")[:top]
        leads = np.zeros(len(means), dtype=bool)
        leads[best[best >= len(exact)] - len(exact)] = True
        return leads

    def measure(self, chosen: Mask) -> None:
        """Some of the others on all members."""
        values = np.empty((self._n, int(chosen.sum())))
        for stratum in self._strata:
            seen = stratum.members[: len(stratum.values)]
            values[seen] = stratum.values[:, chosen]
            values[stratum.unseen] = self._ask(self.others[chosen], stratum.unseen)
        self._measured = np.concatenate([self._measured, self.others[chosen]])
        self._full = np.concatenate([self._full, values], axis=1)
        self._keep(~chosen)

    def leave_behind(self, top: int, delta: float, probability: float) -> None:
        """Those that are surely below the best of the measured."""
        if len(self.others) == 0:
            return
        below = surely_below(self._strata, self._full, top, probability)
        if below.any() and self._unseen_share == 0:
            self._unseen_share = max(
                stratum.unseen_share(delta) * len(stratum.members) / self._n
                for stratum in self._strata
            )
        self._keep(~below)

    def result(self) -> Race:
        """Everything known, by ascending candidates."""
        order = np.argsort(self._measured)
        return Race(
            self._measured[order],
            self._full[:, order],
            self.others,
            np.concatenate([s.members[: len(s.values)] for s in self._strata]),
            np.concatenate([s.values for s in self._strata]),
            self._n_asked,
            self._unseen_share,
        )

    def _ask(self, candidates: Indices, members: Indices) -> Values:
        if len(candidates) == 0 or len(members) == 0:
            return np.empty((len(members), len(candidates)))
        self._n_asked += len(candidates) * len(members)
        return self._table.block(candidates, members)

    def _keep(self, kept: Mask) -> None:
        self.others = self.others[kept]
        self._strata = [stratum.keep(kept) for stratum in self._strata]
