"""Which letters of the motif matter?"""

from __future__ import annotations

from functools import partial
from typing import Any

from ... import plot
from ..._core.motif import Motif
from ..._core.results import GIAResult
from ...kmers.mutagenesis import kmer_mutagenesis
from ...statistics.mutagenesis import mutagenesis_change
from ..effects import ON_HALVES, extremes, local_effects
from ..section import Figure, Section
from ..store import Results
from ..study import Study
from ..wording import row_with_interval


def obstacle(study: Study) -> str | None:
    """One word can be changed letter by letter, a choice of words cannot."""
    letters = study.inputs.alphabet
    if Motif.parse(study.motif, letters).is_drawn:
        return f"{study.motif} has letters that stand for several"
    return None


def compute(study: Study) -> Results:
    """Every single-letter variant of the motif."""
    result = kmer_mutagenesis(
        study.model, study.X, study.motif, study.start, **study.ask
    )
    return {"mutagenesis": result}


def describe(study: Study, results: Results) -> Section:
    """The letter that matters most, and the changes that do."""
    result: GIAResult = results["mutagenesis"]
    motif, letters = study.motif, study.inputs.alphabet
    changes = mutagenesis_change(result, alphabet=letters)
    place = int((changes.to_numpy() ** 2).sum(axis=1).argmax())
    most = f"{motif[place]} at position {place}"
    clear = _clear_changes(motif, result)
    reading, sentence = "No single change clearly alters the effect", ""
    if clear:
        reading = f"{most} of the motif matters most. Of all single changes, {clear}"
        sentence = f"Its most important letter is {most} of the motif."
    return Section(
        "mutagenesis",
        "Which of its letters matter?",
        "Every single-letter variant of the motif in place of it. The heat map shows "
        "the change from the motif itself, the logo its length (L2 norm) at each "
        "position.",
        [
            Figure(
                "mutagenesis",
                partial(plot.mutagenesis_heatmap, changes, motif, letters),
                f"{reading}{ON_HALVES}.",
            )
        ],
        {"mutagenesis": result.to_frame()},
        sentence or "None of its letters clearly matters.",
        [("Most important letter", most if clear else "none is clear")],
    )


def _clear_changes(motif: str, result: GIAResult) -> str:
    """Which changes lower and raise the effect most; empty if none clearly does."""
    local = local_effects(result)
    ends = extremes(local[:, 1:] - local[:, :1], result.clusters)
    down, up = (_variant(motif, result, row) for row in (ends.low, ends.high))
    lowers, raises = ends.low["high"] < 0, ends.high["low"] > 0
    if not lowers and not raises:
        return ""
    return (
        f"{down} lowers the effect most" if lowers else "none clearly lowers the effect"
    ) + (f"; {up} raises it most" if raises else "; none clearly raises it")


def _variant(motif: str, result: GIAResult, row: Any) -> str:
    """A single change of the motif and what it does."""
    variant = result.conditions.iloc[1 + int(row["condition"])]
    place = int(variant["position"])
    return (
        f"{motif[place]} to {variant['letter']} at position {place} "
        f"({row_with_interval(row)})"
    )
