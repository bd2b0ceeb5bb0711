"""How do the two best of the given motifs work together?"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from ... import plot
from ..._core.clusters import Values
from ..._core.results import GIAResult
from ...experiments.spacing import motif_spacing
from ...statistics.selection import benjamini_hochberg
from ..charts import curve_chart
from ..effects import ALPHA, ON_HALVES, Extremes, extremes, local_effects
from ..figures import unit_of
from ..layout import room
from ..pairs import pair_interaction
from ..section import Figure, Line, Section
from ..store import Results
from ..study import Study
from ..thumbnails import curve
from ..wording import count, listed, row_with_interval, spans

_MOST_SPACINGS = 21


def obstacle(study: Study) -> str | None:
    """Two motifs are needed, and room for both."""
    if len(study.given) < 2:
        return "two given motifs are needed"
    if _room(study) < 0:
        return f"{' and '.join(_pair(study))} have no room beside each other"
    return None


def compute(study: Study) -> Results:
    """Both at growing spacing in both orders, and each alone at the same places."""
    motifs = [study.given[name] for name in _pair(study)]
    spacings = range(min(_MOST_SPACINGS, _room(study) + 1))
    result = motif_spacing(
        study.model,
        study.X,
        motifs,
        spacings,
        orders="all",
        start=None if study.options.keep is None else room(study)[0],
        **study.ask,
    )
    return {"pair": result}


def describe(study: Study, results: Results) -> Section:
    """What both do beyond the sum of each, by spacing and order."""
    table, local = _interactions(results["pair"], _pair(study))
    ends, unit = extremes(local, results["pair"].clusters), study.inputs.unit
    both = " and ".join(_pair(study))
    where, clear = _where(table, ends, unit), _clear(table)
    strongest = int(np.abs(local.mean(axis=0)).argmax())
    shown = table.rename(columns={"interaction": "effect"})
    titles = {
        "spacing": f"Spacing between motifs ({unit}s)",
        "effect": f"Interaction ({unit_of(study.inputs.answer)})",
    }
    drawn = table[table["order"] == table["order"][strongest]]
    return Section(
        "pair",
        f"How do {both} work together?",
        f"The two given motifs with the largest effects, with 0 to "
        f"{count(int(table['spacing'].max()), unit)} between them, in both orders on "
        "the forward strand, and each alone at the same places. The interaction is "
        "what the pair does beyond the sum of both.",
        [
            Figure(
                "pair",
                partial(_draw, shown, titles),
                f"The interaction is {where}; {clear}.",
                curve_chart(shown, "spacing", titles, "order"),
            )
        ],
        {"pair": table},
        f"{both} {_rule(table, unit)}.",
        curve(
            drawn["spacing"].tolist(), drawn["interaction"], drawn["low"], drawn["high"]
        ),
        summary=[Line(f"{both} minus the sum of each", f"{where}; {clear}")],
        headline=ends.numbers("pair_interaction"),
    )


def _pair(study: Study) -> list[str]:
    """The motif and the one of the others with the largest effect."""
    chosen: GIAResult = study.finished["motifs"]["chosen"]
    sizes = np.abs(local_effects(chosen).mean(axis=0))
    names = chosen.conditions["motif"].tolist()
    ranked = [names[i] for i in np.argsort(-sizes, kind="stable")]
    return [study.motif, next(name for name in ranked if name != study.motif)]


def _room(study: Study) -> int:
    """How many bases can be between both."""
    first, end = room(study)
    return end - first - sum(len(study.given[name]) for name in _pair(study))


def _interactions(result: GIAResult, names: list[str]) -> tuple[pd.DataFrame, Values]:
    """By order and spacing, tested together; and on each background."""
    tables, local = [], []
    for order, left_to_right in {"1,2": names, "2,1": names[::-1]}.items():
        table, exact = pair_interaction(result.select(order=order))
        table.insert(0, "order", f"{left_to_right[0]} first")
        tables.append(table)
        local.append(exact)
    whole: pd.DataFrame = pd.concat(tables, ignore_index=True)
    whole["significant"] = benjamini_hochberg(whole["p"], ALPHA).significant
    return whole, np.concatenate(local, axis=1)


def _where(table: pd.DataFrame, ends: Extremes, unit: str) -> str:
    if not ends.differ:
        return "without clear dependence on spacing and order"
    low, high = (
        f"at {count(int(table['spacing'][i]), unit)} with {table['order'][i]}"
        for i in ends.places
    )
    larger = max((ends.low, ends.high), key=lambda row: abs(float(row["effect"])))
    if larger is ends.high:
        return f"strongest {high}, {row_with_interval(ends.high)}{ON_HALVES}"
    return f"strongest {low}, {row_with_interval(ends.low)}{ON_HALVES}"


def _clear(table: pd.DataFrame) -> str:
    """Which arrangements are not the sum of both."""
    clear = table[table["significant"]]
    text = f"{len(clear) or 'none'} of {count(len(table), 'arrangement')}"
    text += f" {'differ' if len(clear) > 1 else 'differs'} from additivity at a false "
    text += "discovery rate of 5 %"
    return f"{text}: {_places(clear)}" if len(clear) else text


def _rule(table: pd.DataFrame, unit: str) -> str:
    """What both do, in the few words of the first screen."""
    clear = table[table["significant"]]
    if not len(clear):
        return f"add up at every spacing to {table['spacing'].max()} {unit}s"
    signs = np.sign(clear["interaction"])
    what = "more" if (signs > 0).all() else "less" if (signs < 0).all() else "other"
    return f"do {what} than the sum of both with {_places(clear)} {unit}s between them"


def _places(clear: pd.DataFrame) -> str:
    """Orders with their spacings."""
    return "; ".join(
        f"{order} at {listed(spans(part['spacing'].tolist()))}"
        for order, part in clear.groupby("order", sort=False)
    )


def _draw(table: pd.DataFrame, titles: dict[str, str]) -> Any:
    ax = plot.spacing_curve(table, by="order")
    ax.set_xlabel(titles["spacing"])
    ax.set_ylabel("Interaction")
    return ax
