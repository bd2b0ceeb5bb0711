"""Before a race: on which members do candidates differ most?

Rare effects of related candidates fall on the same members (a motif's k-mers on the
backgrounds that hold its partner's site). A few candidates drawn for each member find
these members, which a draw of members would miss.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .strata import Indices, Values

# Values that are asked for, and how many of all they are at most, but 3 on each member.
N_PAIRS = 50_000
_MOST = 1 / 16
_LEAST_EACH = 3
# How many of the candidates that stand out are followed on all members, at most.
_N_SCOUTS = 16
# The share of the members that goes to the first stratum.
_RESPONSIVE = 1 / 16


def count_scouts(n_candidates: int) -> int:
    """How many candidates that stand out are followed on all members."""
    return max(1, min(_N_SCOUTS, n_candidates // 64))


def count_responsive(n: int) -> int:
    """How many members are in the stratum of those that respond most."""
    return max(2, round(_RESPONSIVE * n))


def draw_pairs(n_candidates: int, n: int, rng: np.random.Generator) -> Indices:
    """Candidates for each member, others for each, and all about equally often.

    Returns
    -------
    candidates: numpy.ndarray of int, shape=(n, n_each)

    Examples
    --------
    >>> draw_pairs(1024, 1000, np.random.default_rng(0)).shape
    (1000, 50)
    """
    n_each = max(_LEAST_EACH, min(N_PAIRS / n, _MOST * n_candidates))
    n_pairs = n * min(n_candidates, round(n_each))
    turns = range(-(-n_pairs // n_candidates))
    drawn = np.concatenate([rng.permutation(n_candidates) for _ in turns])
    return drawn[:n_pairs].reshape(n, -1)


class Pilot(NamedTuple):
    """What is known of the members from candidates drawn for each.

    Parameters
    ----------
    candidates: numpy.ndarray of int, shape=(n, n_each)
        Which were drawn for each member.

    values: numpy.ndarray, shape=(n, n_each)
        Their values there, less `offsets`.

    offsets: numpy.ndarray, shape=(n,)
        The median of each member's values; their mean is 0.
    """

    candidates: Indices
    values: Values
    offsets: Values

    @classmethod
    def of(cls, candidates: Indices, values: Values) -> Pilot:
        """From the values as they were asked for."""
        offsets = np.median(values, axis=1)
        offsets -= offsets.mean()
        return cls(candidates, values - offsets[:, None], offsets)

    def most_unexpected(self, explained: Values) -> int | None:
        """The candidate whose value is highest above what others explain there.

        Parameters
        ----------
        explained: numpy.ndarray, shape=(n,)
            The highest value on each member of those followed by now.

        Returns
        -------
        candidate: int or None
            None if no value is above.

        Examples
        --------
        >>> pilot = Pilot.of(np.array([[7, 8], [9, 7]]), np.array([[3.0, 1.0], [2, 0]]))
        >>> [pilot.most_unexpected(np.array(y)) for y in ([0.0, 0.0], [3.0, 1.0])]
        [7, 9]
        """
        news = self.values - explained[:, None]
        place = news.argmax()
        return int(self.candidates.flat[place]) if news.flat[place] > 0 else None

    def strata(
        self, scouts: Values, rng: np.random.Generator
    ) -> tuple[Indices, Indices]:
        """The members that respond most, and the rest, each in random order.

        Parameters
        ----------
        scouts: numpy.ndarray, shape=(n, n_scouts)
            Values of the scouts on all members.

        rng: numpy.random.Generator
            Of the orders.

        Examples
        --------
        >>> rng, values = np.random.default_rng(0), np.zeros((32, 3))
        >>> values[[4, 9], 1] = 5
        >>> pilot = Pilot.of(draw_pairs(40, 32, rng), values)
        >>> sorted(pilot.strata(np.zeros((32, 1)), rng)[0].tolist())
        [4, 9]
        """
        followed = scouts - self.offsets[:, None]
        differences = [
            self.values - np.median(self.values),
            followed - followed.mean(axis=0),
        ]
        response = (np.concatenate(differences, axis=1) ** 2).sum(axis=1)
        response += self.values.shape[1] * self.offsets**2
        order = np.argsort(-response, kind="stable")
        n = count_responsive(len(order))
        return rng.permutation(order[:n]), rng.permutation(order[n:])
