"""How close may two sites be?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from ... import plot
from ..._core.clusters import Values
from ..._core.results import GIAResult
from ...experiments.spacing import motif_spacing
from ...statistics.intervals import Interval, confidence_interval
from ...statistics.selection import benjamini_hochberg
from ...statistics.significance import paired_t_test
from ..effects import ALPHA, ON_HALVES, Extremes, extremes, local_effects, unrounded
from ..layout import no_second_site, site_starts
from ..section import Figure, Section
from ..store import Results
from ..study import Study
from ..wording import count, row_with_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_SPACINGS = 21


def obstacle(study: Study) -> str | None:
    """Two sites are needed."""
    return no_second_site(study)


def compute(study: Study) -> Results:
    """Two copies at growing spacing, the first where the first site was."""
    first, k = site_starts(study)[0], len(study.motif)
    room = study.inputs.length - first - 2 * k
    spacings = range(min(_MOST_SPACINGS, room + 1))
    motifs = [study.motif, study.motif]
    result = motif_spacing(
        study.model, study.X, motifs, spacings, start=first, **study.ask
    )
    return {"spacing": result}


def describe(study: Study, results: Results) -> Section:
    """What a pair does beyond the sum of both sites, by spacing."""
    result: GIAResult = results["spacing"]
    table, local = _pair_interaction(result)
    ends, unit = extremes(local, result.clusters), study.inputs.unit
    widest = count(int(table["spacing"].max()), unit)
    mean = confidence_interval(local.mean(axis=1), clusters=result.clusters)
    where = _where(table, mean, ends, unit)
    differing = _differing(table["significant"])
    shown = table.rename(columns={"interaction": "effect"})
    return Section(
        "spacing",
        "How close may two sites be?",
        f"Two copies of {study.motif}, the first at {site_starts(study)[0]}, with 0 to "
        f"{widest} between them, and each alone at the same places. The interaction is "
        "what the pair does beyond the sum of both.",
        [
            Figure(
                "spacing",
                partial(_curve, result, unit, by="arm"),
                "The pair ('all') against each site alone: where the curves of the "
                "single sites fall, position matters, not spacing.",
            ),
            Figure(
                "spacing_interaction",
                partial(_curve, shown, unit, "Interaction"),
                f"The interaction is {where}{ON_HALVES if ends.differ else ''}; "
                f"{differing}.",
            ),
        ],
        {"spacing": result.to_frame(), "spacing_interaction": table},
        f"The interaction of two sites is {where}; {differing}.",
        [("Interaction of two sites", f"{where}; {differing}")],
        ends.numbers("interaction"),
    )


def _pair_interaction(result: GIAResult) -> tuple[pd.DataFrame, Values]:
    """What a pair does beyond the sum of both sites: by spacing, and on each
    background, shape=(n, n_spacings)."""
    frame = result.conditions
    local = local_effects(result)
    pair, first, second = (
        local[:, (frame["arm"] == arm).to_numpy()] for arm in ("all", "1", "2")
    )
    exact = unrounded(pair - first - second, result)
    known = result.clusters
    interval = confidence_interval(exact, clusters=known)
    p = paired_t_test(exact, clusters=known).p
    table = pd.DataFrame(
        {
            "spacing": frame.loc[frame["arm"] == "all", "spacing"].to_numpy(),
            "interaction": interval.effect,
            "se": interval.se,
            "low": interval.low,
            "high": interval.high,
            "p": p,
            "significant": benjamini_hochberg(p, ALPHA).significant,
            "n": interval.n,
        }
    )
    return table, exact


def _where(table: pd.DataFrame, mean: Interval, ends: Extremes, unit: str) -> str:
    if ends.differ:
        low, high = (count(int(table["spacing"][i]), unit) for i in ends.places)
        return ends.between(f"at a spacing of {low}", f"at {high}")
    return (
        f"without clear dependence on the spacing: {row_with_interval(mean)} on average"
    )


def _differing(significant: pd.Series[bool]) -> str:
    n = significant.sum()
    return (
        f"{n or 'none'} of {count(len(significant), 'spacing')} "
        f"{'differ' if n > 1 else 'differs'} from additivity at a false discovery rate "
        "of 5 %"
    )


def _curve(
    result: Any, unit: str, label: str = "", by: str | tuple[str, ...] = ()
) -> Axes:
    ax = plot.spacing_curve(result, by=by)
    ax.set_xlabel(f"Spacing between motifs ({unit}s)")
    if label:
        ax.set_ylabel(label)
    return ax
