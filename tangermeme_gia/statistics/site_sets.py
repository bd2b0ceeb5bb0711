"""Sets of sites with graded elements: outputs, and what each set is worth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .._core.clusters import Codes, Values, sum_by
from .._core.letters import RandomState, as_generator
from .._core.outputs import as_columns
from .._core.results import GIAResult
from .conjoint import SAME, Additive, Mask, at_an_end, fit_additive, read_off
from .inputs import as_arms, clusters_of
from .latent_grid import Reading

# Of the inverse of the link: sites reach further along it than a pair does.
_N_PIECES = 32


class Sites(NamedTuple):
    """Outputs, shape=(n, arms, levels of C, of D), times `sign`: sites raise them.

    Arms are nothing, each of `n_sites` alone, and the first 2, 3, ... of them.
    """

    outputs: Values
    codes: Codes | None
    n_sites: int
    sign: float

    def arm(self, n: int) -> int:
        """That of the first n sites."""
        return n if n < 2 else self.n_sites + n - 1

    def effect(self, n: int) -> float:
        """That of the first n sites on the output, without C and D."""
        y = self.outputs[..., 0, 0]
        return self.sign * float((y[:, self.arm(n)] - y[:, 0]).mean())

    @property
    def rounding(self) -> float:
        """Of the outputs."""
        return float(SAME * np.abs(self.outputs).max())

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of backgrounds and of templates."""
        n = len(self.outputs)
        return n, n if self.codes is None else int(self.codes.max()) + 1


class Fit(NamedTuple):
    """Latent values of all cells of mean outputs `y`, shape=(arms, levels of C, of D).

    `alone` is what each site is worth, over their mean, the `unit`; `joined` are arms
    whose outputs overlap, in a chain, with those of nothing.
    """

    y: Values
    additive: Additive
    alone: Values
    unit: float
    joined: Mask

    @property
    def off(self) -> Values:
        """By how much each cell deviates, in effects of a site."""
        deviation: Values = (self.additive.read - self.additive.latent) / self.unit
        return deviation


def as_sites(result: GIAResult) -> Sites:
    """The cells of a result, checked."""
    as_arms(result, "result")
    table = result.conditions
    n_sites = 0
    while f"level_{n_sites + 1}" in table:
        n_sites += 1
    columns = [*(f"level_{i + 1}" for i in range(n_sites)), "level_c", "level_d"]
    if n_sites < 2 or not {*columns} <= {*table}:
        raise ValueError(
            "`result` has no columns 'level_1', 'level_2', 'level_c' and 'level_d'; it "
            "must be the outcome of `latent_sites`."
        )
    levels = table[columns].to_numpy(int)
    arms = site_sets(n_sites)
    shape = len(arms), *(levels[:, -2:].max(axis=0) + 1)
    found = {tuple(row): i for i, row in enumerate(levels.tolist())}
    expected = [(*arms[a], c, d) for a, c, d in np.ndindex(*shape)]
    if len(levels) != len(expected) or any(cell not in found for cell in expected):
        raise ValueError(
            f"`result` has {len(levels)} conditions, which are not each set of sites "
            f"with each level of C and D once ({len(expected)}); it must be all of the "
            "outcome of `latent_sites`."
        )
    y = as_columns(result.output().y_afters, 2)[..., 0].double().numpy()
    outputs = y[:, [found[cell] for cell in expected]].reshape(len(y), *shape)
    rise = outputs[:, n_sites + 1 :].mean() - outputs[:, 0].mean()
    sign = -1.0 if rise < 0 else 1.0
    codes = clusters_of(None, len(y), result)
    return Sites(sign * outputs, codes, n_sites, sign)


def site_sets(n_sites: int) -> list[tuple[int, ...]]:
    """Which sites each arm has: none, each alone, and the first 2, 3, ... of them.

    Examples
    --------
    >>> site_sets(2)
    [(0, 0), (1, 0), (0, 1), (1, 1)]
    """
    alone = np.eye(n_sites, dtype=int)
    first = np.tri(n_sites, dtype=int)[1:]
    arms = np.vstack([np.zeros((1, n_sites), int), alone, first])
    return [tuple(arm) for arm in arms.tolist()]


def resample_sites(
    sites: Sites, n_resamples: int, random_state: RandomState
) -> list[Values]:
    """Mean outputs of each cell over draws of backgrounds, or templates."""
    n = len(sites.outputs)
    codes = np.arange(n) if sites.codes is None else sites.codes
    sums, size = sum_by(sites.outputs.reshape(n, -1), codes), np.bincount(codes)
    means = []
    for rng in as_generator(random_state).spawn(n_resamples):
        drawn = np.bincount(
            rng.integers(len(size), size=len(size)), minlength=len(size)
        )
        mean = drawn @ sums / (drawn @ size)
        means.append(mean.reshape(sites.outputs.shape[1:]))
    return means


def fit_sites(sites: Sites, y: Values) -> Fit | None:
    """What each set of sites is worth, off one link of all cells.

    Each set has a value of its own, so that none is taken to add up.
    """
    # The unit of a fit is the highest level: that of the largest effect.
    order = [0, *sorted(range(1, len(y)), key=lambda arm: float(y[arm].mean()))]
    flat, levels = y[order].ravel(), np.array(list(np.ndindex(y.shape)))
    lowest, highest = at_an_end(flat, np.ones(len(flat), bool))
    fitted = ~lowest & ~highest
    found = fit_additive(flat, levels, fitted, _N_PIECES)
    if found is None:
        return None
    back = np.argsort(order)
    latent, read = (
        each.reshape(y.shape)[back].ravel() for each in (found.latent, found.read)
    )
    values = found.values[0][back]
    alone = values[1 : sites.n_sites + 1]
    unit = float(alone.mean())
    if not unit > 0:
        return None
    joined = _joined(np.where(fitted.reshape(y.shape)[back], y, np.nan))
    return Fit(
        y,
        Additive([values, *found.values[1:]], latent, read),
        alone / unit,
        unit,
        joined,
    )


def _joined(y: Values) -> Mask:
    """Of which arms do outputs overlap with those of nothing, from one to the next?

    Where there is a gap nothing says what it is worth.
    """
    low, high = np.nanmin(y, axis=(1, 2)), np.nanmax(y, axis=(1, 2))
    joined: Mask = np.arange(len(y)) == 0
    while True:
        overlap = (low < high[joined].max()) & (high > low[joined].min())
        more: Mask = overlap | joined
        if (more == joined).all():
            return joined
        joined = more


def read_sites(sites: Sites, fit: Fit, n: int) -> Reading | None:
    """How far n sites are from their sum, off the cells of all other sets of sites."""
    arm = sites.arm(n)
    if not fit.joined[[*range(n + 1), arm]].all():
        return None
    asked = np.zeros(fit.y.shape, bool)
    asked[arm] = True
    read = read_off(fit.y.ravel(), fit.additive.latent, ~asked.ravel(), asked.ravel())
    # Beyond what C and D are worth.
    others = fit.additive.latent.reshape(fit.y.shape)[0].ravel()
    total = fit.alone[:n].sum()
    value, low, high = ((each - others) / fit.unit - total for each in read)
    return Reading(value, low, high, fit.additive)
