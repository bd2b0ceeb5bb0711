"""What kind of rule is a pair of motifs read by? Verdicts on its spacing curves.

A *profile* is a pair of motifs in one order on given strands: a curve of interactions
over spacings. What is asked of it was chosen on other backgrounds (the finding half),
so that every test here is of a question fixed beforehand.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy
from numpy.typing import NDArray

from .._core.agreement import unnoted
from .._core.clusters import Values
from .flips import Alternative
from .intervals import confidence_interval
from .periodicity import can_be_periodic, cosine_weights, spacing_periodicity
from .selection import benjamini_hochberg
from .significance import paired_t_test

Mask = NDArray[np.bool_]

# A rule is hard if its peak holds no more than this share of the spacings, of which
# there are at least so many, and less than this part of its height is elsewhere.
FEW, FEWEST, ELSEWHERE = 0.2, 5, 0.5
# A spacing belongs to the peak from this part of the highest on.
HEIGHT = 0.5
# A helical rule explains this share of the curve's variance around a line, and its
# amplitude is this part of the curve's root mean square.
EXPLAINED, AMPLITUDE = 1 / 3, 0.2


class Evidence(NamedTuple):
    """What both halves of the backgrounds say about some profiles.

    Parameters
    ----------
    spacings: list of int
        Bases between the motifs.

    found, found_se: numpy.ndarray, shape=(n_profiles, n_spacings + 1)
        Mean interactions on the finding half, and their errors; the last column
        is of the mean over spacings.

    asked: numpy.ndarray of bool, shape=(n_profiles, n_spacings + 1)
        What was asked of the confirming half.

    local: numpy.ndarray, shape=(n, n_profiles, n_spacings + 1)
        Interactions on each background of the confirming half.

    codes: numpy.ndarray or None, shape=(n,)
        Which of these depend on each other.

    pair: numpy.ndarray of int, shape=(n_profiles,)
        Which pair of motifs each profile is of.
    """

    spacings: list[int]
    found: Values
    found_se: Values
    asked: Mask
    local: Values
    codes: NDArray[Any] | None
    pair: NDArray[np.int64]

    def p_of(self, values: Values, one_sided: bool = False) -> Values:
        """p of contrasts of the confirming half, shape=(n, ...)."""
        side: Alternative = "greater" if one_sided else "two-sided"
        with unnoted():
            test = paired_t_test(values, clusters=self.codes, alternative=side)
        return np.asarray(test.p)


class Confirmed(NamedTuple):
    """Tests of all that was asked; NaN where nothing was.

    `p`, `q` and `significant`, shape=(n_profiles, n_spacings + 1), and `pair_p` and
    `pair_q` by the number of the pair.
    """

    p: Values
    q: Values
    significant: Mask
    pair_p: dict[int, float]
    pair_q: dict[int, float]


def confirm(evidence: Evidence, alpha: float) -> Confirmed:
    """Which interactions, and which pairs, stand on the confirming half?

    All that was asked is one family (Benjamini and Hochberg), and the pairs, each by
    Simes' test of what was asked of it, another. An interaction stands if it does and
    its pair does.

    Parameters
    ----------
    evidence: Evidence
        Of some profiles.

    alpha: float
        False discovery rate.

    Returns
    -------
    confirmed: Confirmed
    """
    p = np.full(evidence.asked.shape, np.nan)
    q, significant = p.copy(), np.zeros(p.shape, dtype=bool)
    if not evidence.asked.any():
        return Confirmed(p, q, significant, {}, {})
    p[evidence.asked] = evidence.p_of(evidence.local[:, evidence.asked])
    q[evidence.asked] = benjamini_hochberg(p[evidence.asked], alpha).p_adjusted
    pairs = np.unique(evidence.pair[evidence.asked.any(axis=1)]).tolist()
    own = {i: p[evidence.pair == i] for i in pairs}
    pair_p = {i: simes(each[~np.isnan(each)]) for i, each in own.items()}
    adjusted = benjamini_hochberg(list(pair_p.values()), alpha).p_adjusted
    pair_q = dict(zip(pairs, adjusted.tolist(), strict=True))
    stands = np.array([pair_q.get(int(i), 1.0) < alpha for i in evidence.pair])
    significant[evidence.asked] = q[evidence.asked] < alpha
    significant &= stands[:, None]
    return Confirmed(p, q, significant, pair_p, pair_q)


def simes(p: Values) -> float:
    """p of the null that none of several effects is there (Simes 1986).

    Examples
    --------
    >>> round(simes(np.array([0.02, 0.5, 0.03])), 3)
    0.045
    """
    ordered = np.sort(p)
    return float((ordered * len(p) / np.arange(1, len(p) + 1)).min())


def profile_table(
    evidence: Evidence, confirmed: Confirmed, alpha: float, seed: int
) -> pd.DataFrame:
    """What kind of rule is each profile? A row each.

    Parameters
    ----------
    evidence: Evidence
        Of some profiles.

    confirmed: Confirmed
        What stands of it.

    alpha: float
        False discovery rate of each of the tests of shape.

    seed: int
        Of the permutations of spacings.

    Returns
    -------
    table: pandas.DataFrame
        `class`, `effect` with `se`, `low` and `high` (mean over spacings),
        `n_confirmed`, `peak` (spacings, a tuple), `hard_q`, `period`, `phase`,
        `helical_q`, `decay_q` and `half_distance`.
    """
    with unnoted():
        mean = confidence_interval(evidence.local[:, :, -1], clusters=evidence.codes)
    table: pd.DataFrame = pd.DataFrame(
        {
            "class": "none",
            "effect": mean.effect,
            "se": mean.se,
            "low": mean.low,
            "high": mean.high,
            "n": mean.n,
            "n_confirmed": confirmed.significant[:, :-1].sum(axis=1),
        }
    )
    stands: Mask = np.asarray(confirmed.significant.any(axis=1))
    shapes = [_shape(evidence, i, seed) if stands[i] else {} for i in range(len(table))]
    shape = pd.DataFrame(shapes, index=table.index, columns=_SHAPE)
    for name in ("hard", "helical", "decay"):
        table[f"{name}_q"] = _adjusted(shape[f"{name}_p"].to_numpy(float))
    is_few, is_clear = (shape[name].eq(True) for name in ("is_few", "is_clear"))
    helical = (table["helical_q"] < alpha) & is_clear
    hard = (table["hard_q"] < alpha) & is_few
    kinds = ["none", "helical", "hard"]
    table["class"] = np.select([~stands, helical, hard], kinds, "soft")
    decays = (table["decay_q"] < alpha) & (table["class"] == "soft")
    table["peak"] = shape["peak"].where(table["class"] == "hard", None)
    for name in ("period", "phase"):
        table[name] = shape[name].astype(float).where(helical)
    table["half_distance"] = [
        _half_distance(evidence, i) if decays[i] else np.nan for i in range(len(table))
    ]
    return table


_SHAPE = [
    "peak",
    "hard_p",
    "is_few",
    "decay_p",
    "helical_p",
    "is_clear",
    "period",
    "phase",
]


def _shape(evidence: Evidence, i: int, seed: int) -> dict[str, object]:
    """Peak, cosine and slope of one profile, with p values of the confirming half."""
    found, local = evidence.found[i, :-1], evidence.local[:, i, :-1]
    at = np.array(evidence.spacings, dtype=float)
    sign = np.sign(found[np.abs(found).argmax()])
    is_peak = sign * found >= HEIGHT * np.abs(found).max()
    shape: dict[str, object] = {
        "peak": tuple(int(s) for s in at[is_peak]),
    }
    if len(at) < FEWEST:
        return shape
    if not is_peak.all():
        inside, outside = (local[:, m].mean(axis=1) for m in (is_peak, ~is_peak))
        above = sign * (inside - outside)
        shape["hard_p"] = float(evidence.p_of(above, one_sided=True))
        is_low = np.abs(outside.mean()) < ELSEWHERE * np.abs(inside.mean())
        shape["is_few"] = bool(is_low and is_peak.mean() <= FEW)
    fall = sign * (local @ (at.mean() - at))
    shape["decay_p"] = float(evidence.p_of(fall, one_sided=True))
    if can_be_periodic(evidence.spacings):
        shape |= _helical(evidence, i, seed)
    return shape


def _helical(evidence: Evidence, i: int, seed: int) -> dict[str, object]:
    """Both: other backgrounds show the cosine found, and it stands out of the curve."""
    local = evidence.local[:, i, :-1]
    curve = local.mean(axis=0)
    periodicity = spacing_periodicity(curve, evidence.spacings, random_state=seed)
    weights = cosine_weights(evidence.found[i, :-1], evidence.spacings)
    again = float(evidence.p_of(local @ weights, one_sided=True))
    scale = float(np.sqrt((curve**2).mean()))
    clear = periodicity.share >= EXPLAINED
    return {
        "period": periodicity.period,
        "phase": periodicity.peak,
        "helical_p": max(periodicity.p, again),
        "is_clear": clear and periodicity.amplitude >= AMPLITUDE * scale,
    }


def _half_distance(evidence: Evidence, i: int) -> float:
    """Bases over which an exponential that fits the curve falls to a half."""
    curve = evidence.local[:, i, :-1].mean(axis=0)
    at = np.array(evidence.spacings, dtype=float)
    at -= at.min()
    scale, span = float(np.abs(curve).max()), float(np.ptp(at))
    sign = np.sign(curve.sum())
    try:
        (_, length), _ = scipy.optimize.curve_fit(
            lambda s, height, length: height * np.exp(-s / length),
            at,
            sign * curve / scale,
            p0=(1.0, span / 2),
            bounds=([0, 0.1], [10, 100 * span]),
        )
    except RuntimeError:  # no fit
        return float("nan")
    return float(np.log(2) * length)


def _adjusted(p: Values) -> Values:
    """q of what was tested; NaN elsewhere."""
    q, tested = np.full(len(p), np.nan), ~np.isnan(p)
    if tested.any():
        q[tested] = benjamini_hochberg(p[tested]).p_adjusted
    return q
