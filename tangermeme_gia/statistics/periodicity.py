"""Does an effect come and go with the spacing, as with the turn of the helix?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from .._core.clusters import Values
from .._core.letters import RandomState, as_float64, as_generator
from .inputs import LocalImportance, as_arms

# Bases of a turn of the helix, with what a range of a few turns resolves.
HELIX = (9.5, 11.5)
# What is searched, in bases: to twice a turn, so that a trend or a slow curve finds its
# own period there, and not that of the helix.
_SHORTEST, _LONGEST, _STEP = 4.5, 21.0, 0.25
# Distinct spacings from which a cosine and a line are told from noise.
_FEWEST = 12


class Periodicity(NamedTuple):
    """The cosine that fits a curve best, among the periods that were asked for.

    `period` in bases, `amplitude` in units of the curve, `peak` the first spacing from
    0 on at which the cosine is highest, `share` of the curve's variance around a line
    that it explains, and `p` that curves whose spacings are permuted show as much.
    """

    period: float
    amplitude: float
    peak: float
    share: float
    p: float


def spacing_periodicity(
    local: LocalImportance,
    spacings: ArrayLike,
    *,
    period: tuple[float, float] = HELIX,
    n_resamples: int = 1999,
    random_state: RandomState = 0,
) -> Periodicity:
    """Do two motifs act together once in every turn of the helix?

    A cosine of a period between 4.5 and 21 bases is fitted, beside a line, to the mean
    over backgrounds. The null is that the curve is a line with deviations in any
    order: the spacings of these are permuted, those of all backgrounds (which all
    spacings share) in the same way, and every permuted curve is searched over the same
    periods. The statistic is the share of variance that the best period explains if
    it lies within `period`, and otherwise 0, so that a decay or a slow curve, which is
    best fitted by the longest period, is not taken for the helix.

    Parameters
    ----------
    local: array-like or torch.Tensor, shape=(n, n_spacings)
        Interactions, of each background a row, or one row of means.

    spacings: array-like, shape=(n_spacings,)
        Bases between the motifs, in any order: 12 or more that span 21 bases, with
        gaps of 2 at most; coarser ones would take another period for this.

    period: (float, float), optional
        The periods that count, in bases. Default is (9.5, 11.5).

    n_resamples: int, optional
        How many permutations; p is at least 1 / (n_resamples + 1). Default is 1999.

    random_state: int, numpy Generator or None, optional
        Seed of the permutations. Default is 0.

    Returns
    -------
    periodicity: Periodicity
        Of the best cosine within `period`, wherever the best of all is.

    Raises
    ------
    ValueError
        If the spacings are too few or too coarse, or the shapes do not fit.

    Notes
    -----
    A range of R bases tells a period T from others about T^2 / R away: 40 spacings do
    not tell 10 from 10.5. A model that pools over about 10 bases answers in steps of
    as many, which look alike: spread the motifs over as many starts as the stride has
    bases, as `motif_grammar` does. Neighbouring spacings whose noise is alike are no
    free permutation; `motif_grammar` therefore asks in addition whether the cosine
    that was found on some backgrounds is there on others.

    Examples
    --------
    >>> spacings = np.arange(40)
    >>> found = spacing_periodicity(np.cos(spacings / 10.5 * 2 * np.pi), spacings)
    >>> float(found.period), round(found.amplitude, 2), found.p
    (10.5, 1.0, 0.0005)
    """
    at = as_float64(spacings, "spacings")
    curve = _mean_curve(local, at)
    if not can_be_periodic(at.tolist()):
        raise ValueError(
            f"`spacings` are {len(at)} of {np.ptp(at):g} bases; {_FEWEST} or more that "
            f"span {_LONGEST:g} bases with gaps of 2 at most are needed for a period."
        )
    if n_resamples < 1:
        raise ValueError(f"`n_resamples`={n_resamples} must be at least 1.")
    search = _Search(at)
    rest = search.without_line(curve)
    fits = search.fit(rest[None])[0]
    inside = search.within(period)
    best = inside[int(fits[inside].argmax())]
    total = float(rest @ rest)
    share = fits[best] / total if total > 0 else 0.0
    rng = as_generator(random_state)
    permuted = rng.permuted(np.tile(rest, (n_resamples, 1)), axis=1)
    null = search.statistic(search.without_line(permuted), inside)
    observed = search.statistic(rest[None], inside)[0]
    n_above = (null >= observed * (1 - 1e-9)).sum() if observed > 0 else n_resamples
    amplitude, peak = search.cosine(rest, best)
    p = (int(n_above) + 1) / (n_resamples + 1)
    return Periodicity(float(search.periods[best]), amplitude, peak, float(share), p)


def can_be_periodic(spacings: Sequence[float]) -> bool:
    """Whether a turn of the helix can be told from other periods.

    Examples
    --------
    >>> can_be_periodic(range(24)), can_be_periodic(range(0, 60, 5))
    (True, False)
    """
    at = np.unique(np.asarray(spacings, dtype=float))
    if len(at) < _FEWEST or np.ptp(at) < _LONGEST:
        return False
    return bool(np.diff(at).max() <= 2)


def cosine_weights(curve: Values, spacings: Sequence[float]) -> Values:
    """Weights of spacings whose sum with a curve like this one is its amplitude.

    The cosine of a period of the helix that fits best, without what a line explains.

    Examples
    --------
    >>> at = list(range(42))
    >>> curve = np.cos(np.array(at) / 10.5 * 2 * np.pi)
    >>> bool(cosine_weights(curve, at) @ curve > 0.9)
    True
    """
    search = _Search(np.asarray(spacings, dtype=float))
    rest = search.without_line(curve)
    inside = search.within(HELIX)
    fits = search.fit(rest[None])[0]
    basis = search.bases[inside[int(fits[inside].argmax())]]
    wave = basis @ (basis.T @ rest)
    size = float(np.abs(wave).max())
    if size == 0:
        return np.zeros(len(wave))
    wave = wave / size
    weights: Values = wave / (wave @ wave)
    return weights


class _Search:
    """Cosines of every period, without what a line explains."""

    def __init__(self, spacings: Values) -> None:
        self._at = spacings
        self.periods = np.arange(_SHORTEST, _LONGEST + _STEP / 2, _STEP)
        line = np.stack([np.ones(len(spacings)), spacings], axis=1)
        self._line = np.linalg.qr(line)[0]
        angles = 2 * np.pi * spacings[None, :] / self.periods[:, None]
        waves = np.stack([np.cos(angles), np.sin(angles)], axis=2)
        waves -= self._line @ (self._line.T @ waves)
        self.bases = np.linalg.qr(waves)[0]

    def without_line(self, curves: Values) -> Values:
        """Curves, shape=(..., n_spacings), less the line that fits each best."""
        rest: Values = curves - (curves @ self._line) @ self._line.T
        return rest

    def fit(self, rest: Values) -> Values:
        """Sum of squares that each period explains, shape=(n_curves, n_periods)."""
        flat = self.bases.transpose(1, 0, 2).reshape(rest.shape[1], -1)
        parts = (rest @ flat).reshape(len(rest), len(self.periods), 2)
        return np.asarray((parts**2).sum(axis=2))

    def statistic(self, rest: Values, inside: NDArray[np.int64]) -> Values:
        """The best share within the asked periods; 0 if another is better."""
        total = (rest**2).sum(axis=1)
        fits = self.fit(rest)
        best = fits[:, inside].max(axis=1)
        share = np.divide(best, total, out=np.zeros(len(rest)), where=total > 0)
        return np.where(best >= fits.max(axis=1) * (1 - 1e-9), share, 0.0)

    def within(self, period: tuple[float, float]) -> NDArray[np.int64]:
        """Which of the periods are in a range."""
        low, high = period
        found = np.flatnonzero((self.periods >= low) & (self.periods <= high))
        if not len(found):
            raise ValueError(
                f"`period`={period} must hold a period from {_SHORTEST} to {_LONGEST}."
            )
        return found

    def cosine(self, rest: Values, number: int) -> tuple[float, float]:
        """Amplitude, and the first spacing from 0 on at the top."""
        period = float(self.periods[number])
        angles = 2 * np.pi * self._at / period
        waves = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        waves -= self._line @ (self._line.T @ waves)
        a, b = scipy.linalg.lstsq(waves, rest)[0]
        peak = float(np.arctan2(b, a) % (2 * np.pi)) / (2 * np.pi) * period
        return float(np.hypot(a, b)), peak


def _mean_curve(local: LocalImportance, spacings: Values) -> Values:
    values = np.asarray(local) if not hasattr(local, "conditions") else None
    if values is not None and values.ndim == 1:
        curve = as_float64(values, "local")
    else:
        curve = as_arms(local).mean(axis=0)
    if spacings.ndim != 1 or curve.shape != spacings.shape:
        raise ValueError(
            f"`local` has {curve.shape} means and `spacings` the shape "
            f"{spacings.shape}; there must be one of each spacing."
        )
    return curve
