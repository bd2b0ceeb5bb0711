"""Does the answer depend on the background?"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

from ... import plot
from ..._core.motif import MotifLike
from ..._core.results import GIAResult
from ...backgrounds.by_name import GENOMIC
from ...experiments.importance import global_importance
from ...experiments.robustness import across_backgrounds
from ...statistics.comparisons import Comparison
from ..charts import heat_chart
from ..figures import unit_of
from ..layout import FLANK, flank_starts, no_flanks, site_starts
from ..section import Figure, Line, Section
from ..sentences import backgrounds_agree
from ..store import Results
from ..study import Study
from ..thumbnails import strip
from ..wording import count, listed, number, row_with_interval


def obstacle(study: Study) -> str | None:
    """One background is always there."""
    return None


def compute(study: Study) -> Results:
    """The main conditions under every background."""
    drawn = {name: study.other_backgrounds(name) for name in study.options.backgrounds}
    starts = site_starts(study)
    conditions: list[list[tuple[MotifLike, int]]] = [
        [(study.placed, start) for start in starts[-n:]]
        for n in range(1, len(starts) + 1)
    ]
    if no_flanks(study) is None:
        left, right = flank_starts(study)
        site = (study.placed, study.start)
        conditions += [[(FLANK, left), site], [site, (FLANK, right)]]
    comparison = across_backgrounds(
        global_importance,
        study.model,
        {name: each.X for name, each in drawn.items()},
        conditions,
        **study.ask | {"clusters": {k: each.clusters for k, each in drawn.items()}},
    )
    return dict(comparison.results)


def describe(study: Study, results: Results) -> Section:
    """Between which values the effect is, and how well backgrounds agree."""
    comparison = Comparison(
        {k: _with_short_names(study, v) for k, v in results.items()}
    )
    frame = comparison.to_frame()
    first = frame.groupby("background", sort=False).first()
    order = np.argsort(first["effect"].to_numpy(), kind="stable")
    lowest, highest = first.iloc[order[0]], first.iloc[order[-1]]
    low, high = map(row_with_interval, (lowest, highest))
    sign, n = _sign(first), count(len(results), "background")
    named = f"{low} ({lowest.name}) {{}} {high} ({highest.name}), {sign}"
    reading = f"The motif's effect is between {named.format('and')}."
    tables = {"robustness": frame}
    if len(results) > 1:
        correlations = comparison.agreement()
        tables["correlation_of_backgrounds"] = correlations
        reading += _least_alike(correlations, len(frame) // len(results))
    titles = {"effect": f"Effect ({unit_of(study.inputs.answer)})"}
    grid = partial(plot.background_grid, comparison, "condition")
    return Section(
        "robustness",
        "Does the answer depend on the background?",
        f"The main conditions under {n}. {_about_backgrounds(study, results)}",
        [
            Figure(
                "robustness",
                grid,
                reading,
                heat_chart(frame, "background", "condition", titles),
            )
        ],
        tables,
        backgrounds_agree(first),
        strip(list(first.index), first["effect"], first["low"], first["high"]),
        summary=[Line("Effect by background", named.format("to"))],
        headline={
            f"background_{end}{part}": float(row[name])
            for end, row in (("lowest", lowest), ("highest", highest))
            for part, name in (("", "effect"), ("_low", "low"), ("_high", "high"))
        },
    )


def _with_short_names(study: Study, result: GIAResult) -> GIAResult:
    """The same result with the conditions of `compute` in few letters."""
    n_sites = len(site_starts(study))
    names = [count(n, "site") for n in range(1, n_sites + 1)]
    if len(result.conditions) > n_sites:
        names += ["GC 5′", "GC 3′"]
    return result._replace(conditions=result.conditions.assign(condition=names))


def _sign(effects: pd.DataFrame) -> str:
    """Whether the effect has one sign, beyond doubt, under all backgrounds."""
    if (effects["low"] > 0).all():
        return "above 0 under each"
    if (effects["high"] < 0).all():
        return "below 0 under each"
    return "not clearly of one sign under all"


def _least_alike(correlations: pd.DataFrame, n_conditions: int) -> str:
    """A sentence about the two backgrounds whose effects differ most."""
    worst = float(correlations["pearson"].min())
    if np.isnan(worst):
        return ""
    return (
        f" The effects of the {n_conditions} conditions have a correlation (Pearson) "
        f"of at least {number(worst, 2)} between any two backgrounds."
    )


def _about_backgrounds(study: Study, results: Results) -> str:
    inputs = study.inputs
    if inputs.X is None:
        text = (
            "No observed sequences were given: shuffles and quartiles are made of "
            f"{len(study.observed):,} draws from the profile."
        )
    else:
        text = f"They are made of {len(study.observed):,} observed sequences."
    if GENOMIC in study.options.backgrounds:
        text += (
            " Genomic ones are other windows of the genome, without N, that overlap "
            "none of the regions and have their GC content."
        )
    if inputs.scores is None and any(
        name.startswith("quartile") for name in study.options.backgrounds
    ):
        text += " Quartiles are of the model's own predictions, for want of scores."
    if "quartile1" in results:
        text += " Quartile 1 has the lowest scores."
    sizes = {name: len(result.y_before) for name, result in results.items()}
    most = study.options.n
    fewer = [f"{n:,} ({name})" for name, n in sizes.items() if n < most]
    if fewer:
        text += f" Fewer sequences than {most:,}: {listed(fewer)}."
    return text
