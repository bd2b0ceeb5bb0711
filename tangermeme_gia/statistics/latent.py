"""Do two patterns interact on the scale on which everything else adds up?"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from .._core.agreement import one_warning, unnoted
from .._core.letters import RandomState, check_count
from .._core.results import GIAResult
from .._core.short import in_short
from .conjoint import check_additivity
from .effects import effect_ratio
from .inputs import check_fraction
from .intervals import Interval
from .latent_grid import (
    Grid,
    as_grid,
    cells_table,
    corners,
    effect_of,
    link_table,
    misfit_of,
    read_latent,
    resample,
)
from .latent_verdicts import (
    judge,
    latent_interval,
    named,
    out_of_reach,
    surely_broken,
    t_interval,
    unread,
)

# What the interaction is measured in.
_UNIT = "of A's effect"


@in_short
class LatentContrast(NamedTuple):
    """What two patterns do together beyond their sum on the latent scale.

    `verdict` is "survives", "explained by saturation", "adds up" (neither scale shows
    an interaction) or "not identifiable", for the `reason`. `latent` is the interaction
    in units of A's own latent effect (NaN if it is not identifiable), `raw` that of the
    outputs, and `logit` that of the given scale, in units of A's effect there. `cells`
    is the grid with its outputs and latent values, `link` what makes outputs of these,
    `checks` what was asked of the assumption, and `misfit` by how much a cell deviates
    from the sum.
    """

    verdict: str
    reason: str
    latent: Interval
    raw: Interval
    logit: Interval | None
    cells: pd.DataFrame
    link: pd.DataFrame
    checks: pd.DataFrame
    misfit: float


@one_warning
def latent_contrast(
    result: GIAResult,
    confidence: float = 0.95,
    *,
    fitted: Literal["graded", "alone"] = "graded",
    logit: GIAResult | None = None,
    margin: float = 0.25,
    n_resamples: int = 199,
    random_state: RandomState = 0,
) -> LatentContrast:
    """Do two patterns interact, or does the output only saturate?

    AB - A - B + 0 on the output's scale calls a readout that saturates an interaction.
    Where backgrounds, A, B and C add up on some scale, the mean output over backgrounds
    is one monotone function of a + b + c, whichever the backgrounds and the readout
    are: the link. It and the latent values follow from the cells in which A and B are
    not both at full strength (conjoint measurement, Luce and Tukey 1964), and AB's
    latent value is read off it.

    Parameters
    ----------
    result: GIAResult
        The outcome of `latent_interaction`, with one output.

    confidence: float, optional
        Coverage of the intervals. Default is 0.95.

    fitted: {"graded", "alone"}, optional
        Which cells make the link. "graded" are all but those with both at full
        strength: weaker variants are taken to add up. "alone" are only those with
        nothing of A or nothing of B, for interactions that grow with the grades; C must
        then reach as far as the weaker of A and B. Default is "graded".

    logit: GIAResult or None, optional
        The same run on a scale on which the model is known to add up, such as its
        logits: another output of the same result. Default is None.

    margin: float, optional
        An interval that holds 0 tells of no interaction only if it reaches no further
        than this on either side, in units of A's latent effect. Default is 0.25.

    n_resamples: int, optional
        Resamples of backgrounds, or templates. Default is 199.

    random_state: int, numpy Generator or None, optional
        Seed of the bootstrap. Default is 0.

    Returns
    -------
    contrast: LatentContrast
        `verdict`: *survives* (the interval of the latent interaction excludes 0),
        *explained by saturation* (it holds 0, and that of the output's scale does not),
        *adds up* (both hold 0) or *not identifiable*: A's grades do not differ, or
        neither B's nor C's; outputs are flat; AB lies beyond all other cells; or the
        interval holds 0 and more than `margin`. `reason` says so in words, and names
        the checks of the assumption that surely fail (p < 0.05, Bonferroni).

        `latent`: the mean over the levels of C at which AB is within reach, in units of
        A's latent effect. Its interval is of percentiles of resampled backgrounds, and
        goes from the latent value of the next cell below AB to that of the next one
        above, further by as much as other cells deviate (`misfit`, of which resampled
        backgrounds explain nothing).

        `raw`: AB - A - B + 0 of the outputs, with the words for nothing in place of
        what is not there; t interval. `logit`: the same of that scale, over A's effect
        there (Fieller's interval).

        `cells`: `level_a`, `level_b`, `level_c`, `output` (mean), `both` (A and B at
        full strength), `latent` (the sum) and, of `both`, `read` off the link, between
        `read_low` and `read_high`. `link`: `latent` and `output`, at the sums of the
        fitted cells. `checks`: whether any order that must hold on every scale is
        surely broken (`condition`, `factors`, `n_tests`, `p`), among the fitted cells.
        `misfit`: in units of A's latent effect; where an order is surely broken, that
        of the cells with A, or of those with B, at full strength, if it is larger.

    Raises
    ------
    ValueError, TypeError
        If the result is not all of the outcome of `latent_interaction`, has several
        outputs or fewer than 2 backgrounds, `logit` is of another run, or an option is
        out of range.

    Notes
    -----
    That backgrounds and patterns add up on one scale is assumed. `checks` and `misfit`
    test it among the fitted cells: a small `p` says that no scale makes these add up,
    so that the interaction is one of many deviations, as large as `misfit`.

    Examples
    --------
    >>> import torch
    >>> from tangermeme_gia import latent_interaction
    >>> X = torch.eye(4)[torch.randint(4, (100, 40))].transpose(1, 2)
    >>> generator = torch.Generator().manual_seed(1)
    >>> weight = torch.rand(4, 40, generator=generator) / 3
    >>> result = latent_interaction(
    ...     lambda X: (X * weight).sum(dim=(1, 2))[:, None].exp(),
    ...     X,
    ...     ("GATAA", 4),
    ...     ("CACGTG", 16),
    ...     random_state=0,
    ... )
    >>> latent_contrast(result).verdict != "survives"
    True
    """
    check_fraction("confidence", confidence)
    check_count("n_resamples", n_resamples, 2)
    if fitted not in ("graded", "alone"):
        raise ValueError(f"`fitted`={fitted!r} must be 'graded' or 'alone'.")
    if not margin > 0:
        raise ValueError(f"`margin`={margin} must be above 0.")
    grid = as_grid(result, "result", fitted)
    raw = t_interval(grid.sign * corners(grid), grid.codes, confidence)
    whole = read_latent(grid, grid.flat.mean(axis=0))
    checks = check_additivity(grid.flat, grid.codes, grid.levels, grid.fitted)
    broken = surely_broken(checks)
    reason = _obstacle(grid, confidence) or unread(whole, "AB lies")
    nan = np.full((), np.nan)
    latent, misfit = Interval(nan, nan, nan, nan, raw.n), float("nan")
    if whole is not None and not reason:
        resampled = resample(grid, n_resamples, random_state)
        reason = out_of_reach(len(resampled), n_resamples, "AB is")
        if not reason:
            misfit = misfit_of(grid, whole, resampled, len(broken) > 0)
            sizes = len(grid.outputs), grid.n_units
            latent = latent_interval(whole, resampled, sizes, misfit, confidence)
    verdict, reason = judge(latent, raw, reason, margin, grid.rounding, _UNIT)
    beside = None if logit is None else _on_logit(logit, grid, confidence)
    cells = cells_table(result, grid, whole)
    reason += named(broken, len(checks), misfit)
    link = link_table(grid, whole)
    return LatentContrast(
        verdict, reason, latent, raw, beside, cells, link, checks, misfit
    )


def _obstacle(grid: Grid, confidence: float) -> str:
    """Why grades say nothing, if so."""
    differ = []
    for factor in range(3):
        found = t_interval(effect_of(grid, factor), grid.codes, confidence)
        least = max(float(found.low), -float(found.high))
        differ.append(least > grid.rounding)
    if not differ[0]:
        return "A's grades do not differ, so that there is no unit"
    if not (differ[1] or differ[2]):
        return "neither B's nor C's grades differ, so that there is no link to read"
    return ""


def _on_logit(logit: GIAResult, grid: Grid, confidence: float) -> Interval:
    """The same contrast on another scale, over A's effect there."""
    other = as_grid(logit, "logit", "graded")
    if other.shape != grid.shape or len(other.outputs) != len(grid.outputs):
        raise ValueError(
            f"`logit` has {len(other.outputs)} backgrounds and a grid {other.shape}, "
            f"`result` {len(grid.outputs)} and {grid.shape}; both are of one run."
        )
    y = other.outputs[..., 0]
    with unnoted():
        return effect_ratio(
            corners(other), y[:, -1, 0] - y[:, 0, 0], confidence, clusters=grid.codes
        )
