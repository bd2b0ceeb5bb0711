"""Which letters of the motif matter?"""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd

from ... import plot
from ..._core.results import GIAResult
from ...kmers.mutagenesis import kmer_mutagenesis
from ...statistics.mutagenesis import mutagenesis_change
from ..charts import Chart, heat_chart
from ..effects import ON_HALVES, extremes, local_effects
from ..figures import letters_from_one, unit_of
from ..section import Figure, Line, Section
from ..store import Results
from ..study import Study
from ..wording import row_with_interval


def obstacle(study: Study) -> str | None:
    """One word can be changed letter by letter, a choice of words cannot."""
    if study.placed.is_drawn:
        advice = "; --consensus places one word" if study.placed.name else ""
        return f"{study.motif} has letters that stand for several{advice}"
    return None


def compute(study: Study) -> Results:
    """Every single-letter variant of the motif."""
    result = kmer_mutagenesis(
        study.model, study.X, study.placed, study.start, **study.ask
    )
    return {"mutagenesis": result}


def describe(study: Study, results: Results) -> Section:
    """The letter that matters most, and the changes that do."""
    result: GIAResult = results["mutagenesis"]
    motif, letters = study.placed.letters, study.inputs.alphabet
    changes = mutagenesis_change(result, alphabet=letters)
    place = int((changes.to_numpy() ** 2).sum(axis=1).argmax())
    most = f"{motif[place]}{place + 1}"
    clear = _clear_changes(motif, result)
    reading = "No single change clearly alters the effect"
    sentence = "None of its letters clearly matters."
    if clear:
        reading = f"Letter {most} matters most. Of all single changes, {clear}"
        sentence = f"{_ordinal(place + 1)} letter, {motif[place]}, matters most."
    return Section(
        "mutagenesis",
        "Which of its letters matter?",
        "Every single-letter variant of the motif in place of it. The heat map shows "
        "the change from the motif itself, the logo its length (L2 norm) at each "
        "letter. Letters of the motif are counted from 1.",
        [
            Figure(
                "mutagenesis",
                partial(
                    letters_from_one,
                    partial(plot.mutagenesis_heatmap, changes, motif, letters),
                    motif,
                ),
                f"{reading}{ON_HALVES}.",
                _chart(study, changes),
            )
        ],
        {"mutagenesis": _counted_from_one(result.to_frame())},
        sentence,
        summary=[
            Line("Most important letter (from 1)", most if clear else "none is clear")
        ],
    )


def _chart(study: Study, changes: pd.DataFrame) -> Chart:
    """The heat map, whose cells say what they show."""
    names = [f"{letter}{i}" for i, letter in enumerate(study.placed.letters, start=1)]
    cells = changes.set_axis(names, axis=0).stack().reset_index()
    cells.columns = pd.Index(["letter", "variant", "effect"])
    titles = {
        "letter": "Letter of the motif (from 1)",
        "variant": "Variant",
        "effect": f"Change ({unit_of(study.inputs.answer)})",
    }
    return heat_chart(cells, "letter", "variant", titles)


def _counted_from_one(frame: pd.DataFrame) -> pd.DataFrame:
    """The table with the letters of the motif counted as people do."""
    counted = frame.assign(position=frame["position"] + 1)
    renamed: pd.DataFrame = counted.rename(columns={"position": "letter_number"})
    return renamed


def _ordinal(n: int) -> str:
    """Which letter of the motif.

    Examples
    --------
    >>> _ordinal(1), _ordinal(6)
    ('Its first', 'Its 6th')
    """
    words = {1: "first", 2: "second", 3: "third"}
    return f"Its {words.get(n, f'{n}th')}"


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
        f"{motif[place]}{place + 1} to {variant['letter']} ({row_with_interval(row)})"
    )
