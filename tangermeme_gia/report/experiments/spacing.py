"""How close may two sites be?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from ... import plot
from ..._core.results import GIAResult
from ...experiments.spacing import motif_spacing
from ...statistics.intervals import Interval, confidence_interval
from ..charts import curve_chart
from ..effects import ON_HALVES, Extremes, extremes
from ..figures import unit_of
from ..layout import no_second_site, room, site_starts
from ..pairs import pair_interaction
from ..section import Figure, Line, Section
from ..sentences import Pairs, pairs_add_up
from ..store import Results
from ..study import Study
from ..thumbnails import curve
from ..wording import count, row_with_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_SPACINGS = 21


def obstacle(study: Study) -> str | None:
    """Two sites are needed."""
    return no_second_site(study)


def compute(study: Study) -> Results:
    """Two copies at growing spacing, the first where the first site was."""
    first, k = site_starts(study)[0], len(study.placed)
    left = room(study)[1] - first - 2 * k
    spacings = range(min(_MOST_SPACINGS, left + 1))
    motifs = [study.placed, study.placed]
    result = motif_spacing(
        study.model, study.X, motifs, spacings, start=first, **study.ask
    )
    return {"spacing": result}


def describe(study: Study, results: Results) -> Section:
    """What a pair does beyond the sum of both sites, by spacing."""
    result: GIAResult = results["spacing"]
    table, local = pair_interaction(result)
    ends, unit = extremes(local, result.clusters), study.inputs.unit
    named = _in_words(result)
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
                partial(_curve, named, unit, by="sites"),
                "Both sites together against each alone: where the curves of the "
                "single sites fall, position matters, not spacing.",
                curve_chart(named.to_frame(), "spacing", _titles(study), "sites"),
            ),
            Figure(
                "spacing_interaction",
                partial(_curve, shown, unit, "Interaction"),
                f"The interaction is {where}{ON_HALVES if ends.differ else ''}; "
                f"{differing}.",
                curve_chart(shown, "spacing", _titles(study, "Interaction")),
            ),
        ],
        {"spacing": named.to_frame(), "spacing_interaction": table},
        pairs_add_up(Pairs.of(table), unit),
        curve(
            table["spacing"].tolist(), table["interaction"], table["low"], table["high"]
        ),
        summary=[Line("Two sites minus the sum of each", f"{where}; {differing}")],
        headline=ends.numbers("interaction"),
    )


def _titles(study: Study, effect: str = "Effect") -> dict[str, str]:
    return {
        "spacing": f"Spacing between motifs ({study.inputs.unit}s)",
        "effect": f"{effect} ({unit_of(study.inputs.answer)})",
    }


def _in_words(result: GIAResult) -> GIAResult:
    """The same result, which says in words which sites are there."""
    words = {"all": "both", "1": "5′ site alone", "2": "3′ site alone"}
    conditions = result.conditions.assign(arm=result.conditions["arm"].map(words))
    return result._replace(conditions=conditions.rename(columns={"arm": "sites"}))


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
