"""Tables of commands that say more than the effect of each condition."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .._core.outputs import as_columns
from .._core.results import GIAResult
from ..statistics.additivity import additivity_fit
from ..statistics.affinity import affinity_fit
from ..statistics.effects import effect_ratio
from ..statistics.latent import latent_contrast
from ..statistics.latent_sites import latent_additivity
from ..statistics.nulls import effect_null

_ADDITIVITY = (
    "deviation",
    "deviation_low",
    "deviation_high",
    "slope",
    "slope_low",
    "slope_high",
    "r2",
)
_LATENT = (
    "latent",
    "verdict",
    "reason",
    "interaction",
    "interaction_low",
    "interaction_high",
    "raw_interaction",
    "raw_interaction_low",
    "raw_interaction_high",
    "misfit",
    "order_p",
)
_LATENT_SITES = (
    "latent",
    "additive",
    "deviation",
    "deviation_low",
    "deviation_high",
    "misfit",
    "verdict",
    "reason",
)
# Arms with a flank, whose effects are taken over that of the motif alone.
_SIDES = {
    "5'": ("motif+left",),
    "3'": ("motif+right",),
    "5' minus 3'": ("motif+left", "motif+right"),
}
_LABELS = ("motif", "left", "right", "control")


def with_additivity(result: GIAResult, confidence: float) -> pd.DataFrame:
    """Do sites add up: the effects of a `multi_site`, and the line through them.

    Parameters
    ----------
    result: GIAResult
        With one output.

    confidence: float
        Coverage of the intervals.

    Returns
    -------
    table: pandas.DataFrame
        `to_frame`, with `deviation` from as many times the first site's effect, and
        `slope` per site and `r2` of the line through the rows of the same `control`
        (see `statistics.additivity_fit`); missing where there is nothing to fit.
    """
    table: pd.DataFrame = result.to_frame(confidence)
    table[list(_ADDITIVITY)] = np.nan
    local = as_columns(result.local_importance).numpy()
    sites, controls = (
        result.conditions[name].to_numpy() for name in ("n_sites", "control")
    )
    known = result.clusters
    n_independent = len(local) if known is None else len(set(known))
    for control in dict.fromkeys(controls):
        rows = np.flatnonzero(controls == control)
        if min(len(rows), n_independent) < 2:
            continue
        fit = additivity_fit(
            local[:, rows], sites[rows], confidence=confidence, clusters=known
        )
        line = fit.fits.iloc[0][list(_ADDITIVITY[3:])]
        table.loc[rows, list(_ADDITIVITY[:3])] = fit.points[
            list(_ADDITIVITY[:3])
        ].to_numpy()
        table.loc[rows, list(_ADDITIVITY[3:])] = line.to_numpy(float)
    return table


def with_affinity(result: GIAResult, confidence: float) -> pd.DataFrame:
    """Do effects follow the scores of sites: those of an `affinity_response`.

    Parameters
    ----------
    result: GIAResult
        With one output.

    confidence: float
        Coverage of the intervals.

    Returns
    -------
    table: pandas.DataFrame
        `to_frame`, with the same in every row: `spearman` and `saturation` with their
        intervals, and `saturates` (see `statistics.affinity_fit`); missing where there
        are too few backgrounds or sites.
    """
    table: pd.DataFrame = result.to_frame(confidence)
    known = result.clusters
    n_independent = len(result.y_before) if known is None else len(set(known))
    if n_independent < 2 or len(table) < 4:
        table[["spearman", "saturation"]] = np.nan
        return table
    fit = affinity_fit(result, confidence)
    table["spearman"], table["spearman_low"], table["spearman_high"] = (
        float(v) for v in (fit.spearman.effect, fit.spearman.low, fit.spearman.high)
    )
    table["saturation"], table["saturates"] = fit.saturation, fit.saturates
    table["saturation_low"] = fit.saturation_low
    table["saturation_high"] = fit.saturation_high
    return table


def with_latent(result: GIAResult, confidence: float) -> pd.DataFrame:
    """Interaction or saturation: the cells of a `latent_interaction`.

    Parameters
    ----------
    result: GIAResult
        With one output.

    confidence: float
        Coverage of the intervals.

    Returns
    -------
    table: pandas.DataFrame
        `to_frame`, with `latent`, the sum of the cell's latent values, and the same in
        every row: `verdict`, `reason`, `interaction` (in units of A's latent effect)
        and `raw_interaction` (of the output) with their intervals, `misfit`, and
        `order_p`, the smallest p of the checks of the assumption times their number
        (see `statistics.latent_contrast`); missing where there is one background only.
    """
    table: pd.DataFrame = result.to_frame(confidence)
    known = result.clusters
    if (len(result.y_before) if known is None else len(set(known))) < 2:
        table[list(_LATENT)] = np.nan
        return table
    fit = latent_contrast(result, confidence)
    table["latent"] = fit.cells["latent"].to_numpy()
    table["verdict"], table["reason"] = fit.verdict, fit.reason
    for name, found in (("interaction", fit.latent), ("raw_interaction", fit.raw)):
        table[name], table[f"{name}_low"] = float(found.effect), float(found.low)
        table[f"{name}_high"] = float(found.high)
    table["misfit"] = fit.misfit
    table["order_p"] = min(1.0, float(fit.checks["p"].min()) * len(fit.checks))
    return table


def with_latent_sites(result: GIAResult, confidence: float) -> pd.DataFrame:
    """Do sites add up on any scale: the cells of a `latent_sites`.

    Parameters
    ----------
    result: GIAResult
        With one output.

    confidence: float
        Coverage of the intervals.

    Returns
    -------
    table: pandas.DataFrame
        `to_frame`, with, in the rows of the first 2, 3, ... sites, what they are worth
        on the scale on which other elements add up: `latent`, `additive`, `deviation`
        with its interval (in effects of one site), `verdict` and `reason`
        (see `statistics.latent_additivity`); missing in other rows, and where there is
        one background only.
    """
    table: pd.DataFrame = result.to_frame(confidence)
    table[list(_LATENT_SITES)] = np.nan
    known = result.clusters
    if (len(result.y_before) if known is None else len(set(known))) < 2:
        return table
    points = latent_additivity(result, confidence).points.set_index("n_sites")
    table = table.astype({"verdict": object, "reason": object})
    for n in points.index[1:]:
        rows = table["n_sites"] == n
        table.loc[rows, list(_LATENT_SITES)] = points.loc[
            n, list(_LATENT_SITES)
        ].tolist()
    return table


def standings(result: GIAResult, confidence: float) -> pd.DataFrame:
    """Is each effect large: its percentile among random words, and among shuffles.

    Parameters
    ----------
    result: GIAResult
        With controls.

    confidence: float
        Coverage of the intervals.

    Returns
    -------
    table: pandas.DataFrame
        Two rows for each effect (see `statistics.EffectNull.to_frame`).
    """
    return effect_null(result).to_frame(confidence)


def ratios(result: GIAResult, confidence: float) -> pd.DataFrame:
    """The GC-bias effect sizes of a `gc_flank` (the paper's figures 4d and 4e).

    Parameters
    ----------
    result: GIAResult
        With one output.

    confidence: float
        Coverage of the intervals.

    Returns
    -------
    table: pandas.DataFrame
        Three rows for the motif, and for each of its controls: the effect with the
        flank at the 5' `end`, at the 3', and the first minus the second, over that of
        the motif alone. `ratio` has its `se`, `low` and `high` (-inf to inf where the
        effect of the motif alone cannot be told from 0; `statistics.effect_ratio`).
    """
    rows = []
    for control in dict.fromkeys(result.conditions["control"]):
        group = result.select(control=control)
        arms = {
            arm: as_columns(group.select(arm=arm).local_importance).numpy()[:, 0]
            for arm in ("motif", "motif+left", "motif+right")
        }
        labels = group.conditions.iloc[0][list(_LABELS)]
        for end, (first, *second) in _SIDES.items():
            top = arms[first] - sum(arms[arm] for arm in second)
            ratio = effect_ratio(
                top, arms["motif"], confidence, clusters=result.clusters
            )
            shown = {"ratio": ratio.effect, "se": ratio.se, "low": ratio.low}
            rows.append({**labels, "end": end, **shown, "high": ratio.high})
    table: pd.DataFrame = pd.DataFrame(rows)
    table["n"] = len(result.heads[0].y_before)
    return table
