"""Do several sites add up on the scale on which everything else does?"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from .._core.agreement import one_warning
from .._core.clusters import Values
from .._core.letters import RandomState, check_count
from .._core.results import GIAResult
from .._core.short import in_short
from .conjoint import check_additivity
from .inputs import check_fraction
from .intervals import Interval
from .latent_grid import misfit
from .latent_verdicts import (
    ADDS_UP,
    EXPLAINED,
    SURVIVES,
    UNKNOWN,
    judge,
    latent_interval,
    named,
    out_of_reach,
    surely_broken,
    t_interval,
    unread,
)
from .site_sets import Fit, Sites, as_sites, fit_sites, read_sites, resample_sites

# What a deviation is measured in.
_UNIT = "of one site's effect"
_FACTORS = ("sites", "C", "D")
# A curve is as good as the worst that is said of any number of sites.
_ORDER = (SURVIVES, UNKNOWN, EXPLAINED, ADDS_UP)


@in_short
class LatentAdditivity(NamedTuple):
    """Does a curve of sites add up on any scale?

    `verdict` is "survives" (some number of sites deviates from the sum on every scale),
    "explained by saturation", "adds up" or "not identifiable", for the `reason`;
    `points` has each number of sites, and `checks` what was asked of the assumption.
    """

    verdict: str
    reason: str
    points: pd.DataFrame
    checks: pd.DataFrame


class _Deviation(NamedTuple):
    """That of some sites, or the reason why there is none."""

    latent: Interval
    misfit: float
    reason: str


@one_warning
def latent_additivity(
    result: GIAResult,
    confidence: float = 0.95,
    *,
    margin: float = 0.25,
    n_resamples: int = 199,
    random_state: RandomState = 0,
) -> LatentAdditivity:
    """Do several sites count for less than their sum, or does the output saturate?

    The sibling of `additivity_fit`, on whichever scale sites add up, if there is one.
    Where backgrounds, sites and two further elements C and D add up on some scale, the
    mean output is one monotone function of their sum (see `latent_contrast`). It is
    fitted with a value of its own for each set of sites, none of which is taken to add
    up, and what several sites are worth is read off the cells of all other sets.

    Parameters
    ----------
    result: GIAResult
        The outcome of `latent_sites`, with one output.

    confidence: float, optional
        Coverage of all intervals together: those of k numbers of sites are wider
        (Bonferroni). Default is 0.95.

    margin: float, optional
        An interval that holds 0 tells of no deviation only if it reaches no further
        than this for each site after the first, in effects of one site. Default is
        0.25.

    n_resamples: int, optional
        Resamples of backgrounds, or templates. Default is 199.

    random_state: int, numpy Generator or None, optional
        Seed of the bootstrap. Default is 0.

    Returns
    -------
    fit: LatentAdditivity
        `points`, a row for each number of sites: `n_sites`; `effect` of these on the
        output, without C and D, and `raw`, `raw_low`, `raw_high`, by how much it
        deviates from the sum of each alone; `latent`, what the sites are worth
        together, and `additive`, the sum of what each is worth alone, both in units of
        the mean of all single sites; their difference, `deviation`, with
        `deviation_low` and `deviation_high`;
        `misfit`, by how much other cells deviate; `verdict` and `reason`, as of
        `latent_contrast`. One site deviates from itself by nothing: NaN.

        `verdict` is that of the number of sites that says most: *survives* before *not
        identifiable*, *explained by saturation* and *adds up*. `checks` as of
        `latent_contrast`.

    Raises
    ------
    ValueError, TypeError
        If the result is not all of the outcome of `latent_sites`, has several outputs
        or fewer than 2 backgrounds, or an option is out of range.

    Examples
    --------
    >>> import torch
    >>> from tangermeme_gia import latent_sites
    >>> X = torch.eye(4)[torch.randint(4, (100, 60))].transpose(1, 2)
    >>> generator = torch.Generator().manual_seed(1)
    >>> weight = torch.rand(4, 60, generator=generator) / 3
    >>> result = latent_sites(
    ...     lambda X: (X * weight).sum(dim=(1, 2))[:, None].exp(),
    ...     X,
    ...     "GATAA",
    ...     [4, 14, 24],
    ...     random_state=0,
    ... )
    >>> fit = latent_additivity(result)
    >>> fit.points["n_sites"].tolist(), fit.verdict != "survives"
    ([1, 2, 3], True)
    """
    check_fraction("confidence", confidence)
    check_count("n_resamples", n_resamples, 2)
    if not margin > 0:
        raise ValueError(f"`margin`={margin} must be above 0.")
    sites = as_sites(result)
    each = 1 - (1 - confidence) / (sites.n_sites - 1)
    levels = np.array(list(np.ndindex(sites.outputs.shape[1:])))
    flat = sites.outputs.reshape(len(sites.outputs), -1)
    every = np.ones(len(levels), bool)
    checks = check_additivity(flat, sites.codes, levels, every, _FACTORS)
    broken = surely_broken(checks)
    whole = fit_sites(sites, sites.outputs.mean(axis=0))
    drawn = [
        fit_sites(sites, mean)
        for mean in resample_sites(sites, n_resamples, random_state)
    ]
    held, obstacle = [fit for fit in drawn if fit], _obstacle(sites, each)
    rows = [_first(sites, whole)]
    for n in range(2, sites.n_sites + 1):
        found = _Deviation(_nothing(sites), float("nan"), obstacle)
        if not obstacle:
            found = _deviation(
                sites, n, (whole, held, n_resamples), len(broken) > 0, each
            )
        raw = t_interval(sites.sign * _beyond(sites, n), sites.codes, each)
        allowed = margin * (n - 1), sites.rounding, _UNIT
        verdict, reason = judge(found.latent, raw, found.reason, *allowed)
        reason += named(broken, len(checks), found.misfit)
        told = {"verdict": verdict, "reason": reason}
        rows.append(_point(sites, n, whole, found, raw) | told)
    points = pd.DataFrame(rows)
    several = points.iloc[1:]
    worst = min(several.index, key=lambda i: _ORDER.index(several.loc[i, "verdict"]))
    verdict = str(several.loc[worst, "verdict"])
    which = f"{several.loc[worst, 'n_sites']} sites: {several.loc[worst, 'reason']}"
    return LatentAdditivity(verdict, which, points, checks)


def _obstacle(sites: Sites, confidence: float) -> str:
    """Why nothing can be told, if so."""
    y, last = sites.outputs, sites.n_sites + 1

    def differs(local: Values) -> bool:
        found = t_interval(local, sites.codes, confidence)
        return max(float(found.low), -float(found.high)) > sites.rounding

    alone = y[:, 1:last].mean(axis=1) - y[:, 0]
    if not differs(alone.mean(axis=(1, 2))):
        return "sites do nothing alone, so that there is no unit"
    ends = y[:, :, -1] - y[:, :, 0], y[:, :, :, -1] - y[:, :, :, 0]
    if not any(differs(end.mean(axis=(1, 2))) for end in ends):
        return "neither C's nor D's grades differ, so that there is no link to read"
    return ""


def _beyond(sites: Sites, n: int) -> Values:
    """The outputs of n sites less the sum of each alone, without C and D."""
    y = sites.outputs[..., 0, 0]
    alone = (y[:, 1 : n + 1] - y[:, :1]).sum(axis=1)
    beyond: Values = y[:, sites.arm(n)] - y[:, 0] - alone
    return beyond


def _nothing(sites: Sites) -> Interval:
    nan = np.full((), np.nan)
    return Interval(nan, nan, nan, nan, len(sites.outputs))


def _deviation(
    sites: Sites,
    n: int,
    fits: tuple[Fit | None, list[Fit], int],
    broken: bool,
    confidence: float,
) -> _Deviation:
    """What n sites are worth together less the sum of each."""
    whole, held, n_resamples = fits
    reading = None if whole is None else read_sites(sites, whole, n)
    reason = unread(reading, f"{n} sites lie")
    if whole is not None and reading is None:
        reason = (
            f"outputs of {n} sites, of each alone and of nothing do not overlap; "
            "stronger C and D reach further"
        )
    if whole is None or reading is None or reason:
        return _Deviation(_nothing(sites), float("nan"), reason)
    drawn = [(fit, read_sites(sites, fit, n)) for fit in held]
    inside = [(fit, r) for fit, r in drawn if r is not None and r.inside.any()]
    reason = out_of_reach(len(inside), n_resamples, f"{n} sites are")
    if reason:
        return _Deviation(_nothing(sites), float("nan"), reason)
    # Where an order is surely broken, that of the set of sites that deviates most.
    arm = np.indices(whole.y.shape)[0].ravel()
    groups = [arm == i for i in range(1, len(whole.y))] if broken else []
    n_values = sum(whole.y.shape) - whole.y.ndim
    off = misfit(whole.off, np.array([fit.off for fit, _ in inside]), n_values, groups)
    # The sum is of n values, each of which may be as far off as a cell.
    latent = latent_interval(
        reading, [r for _, r in inside], sites.sizes, np.sqrt(n) * off, confidence
    )
    return _Deviation(latent, off, "")


def _first(sites: Sites, whole: Fit | None) -> dict[str, object]:
    """The row of one site, which deviates by nothing from itself."""
    alone = float("nan") if whole is None else float(whole.alone[0])
    return {"n_sites": 1, "effect": sites.effect(1), "latent": alone, "additive": alone}


def _point(
    sites: Sites, n: int, whole: Fit | None, found: _Deviation, raw: Interval
) -> dict[str, object]:
    """The row of n sites."""
    latent = found.latent
    additive = float("nan") if whole is None else float(whole.alone[:n].sum())
    return {
        "n_sites": n,
        "effect": sites.effect(n),
        "raw": float(raw.effect),
        "raw_low": float(raw.low),
        "raw_high": float(raw.high),
        "latent": additive + float(latent.effect),
        "additive": additive,
        "deviation": float(latent.effect),
        "deviation_low": float(latent.low),
        "deviation_high": float(latent.high),
        "misfit": found.misfit,
    }
