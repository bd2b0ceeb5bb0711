"""Which of the given motifs act together, and how must they stand?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from ... import plot
from ..._core.clusters import as_codes
from ..._core.results import GIAResult
from ..._core.storage import write_atomically
from ...experiments.latent import latent_interaction
from ...statistics.grammar import Grammar
from ...statistics.latent import latent_contrast
from ...statistics.latent_verdicts import ADDS_UP, EXPLAINED, SURVIVES, UNKNOWN
from ...surveys.grammar import motif_grammar
from ...surveys.latent_pairs import (
    confirming_rows,
    too_short,
    widest_free,
    with_third,
)
from ...surveys.measuring import total_stride
from ..acting_together import Together, confirmed_pairs, in_short
from ..effects import ALPHA
from ..foremost import foremost_motifs
from ..layout import room
from ..section import Figure, Line, Section
from ..store import Results
from ..study import Study
from ..tables import as_text
from ..thumbnails import curve
from ..wording import count, number, row_with_interval

if TYPE_CHECKING:
    from ...backgrounds.shuffles import Templates

# Four turns of the helix; more backgrounds answer little more.
_WIDEST, _MOST_BACKGROUNDS, _FEWEST_BACKGROUNDS = 40, 200, 8
_MOST_DRAWN = 6
_FEWEST_OF_A_NETWORK = 3
# Of graded sites, as `latent_interaction` has them.
_LEVELS = (5, 5, 4)
_SAID = {
    SURVIVES: "What {names} do other than their sum is an interaction: no saturation "
    "of the output explains it.",
    EXPLAINED: "What {names} do other than their sum is explained by the output's own "
    "bend, such as saturation: on the scale on which a further site adds up, they do.",
    ADDS_UP: "With a further site beside, {names} did not clearly deviate from their "
    "sum.",
    UNKNOWN: "Whether {names} interact, or the output only bends, cannot be told here.",
}
_TABLE = [
    "a",
    "b",
    "class",
    "arrangement",
    "spacing",
    "effect",
    "se",
    "low",
    "high",
    "q",
    "depends_on",
    "period",
    "n",
]


def obstacle(study: Study) -> str | None:
    """Two motifs, room for both, and enough backgrounds are needed."""
    if len(study.given) < 2:
        return "two given motifs are needed"
    names = foremost_motifs(study, _room(study)).names
    if len(names) < 2:
        return "given motifs have no room beside each other"
    X, clusters, _ = study.backgrounds[1].part(slice(_MOST_BACKGROUNDS))
    n = len(X) if clusters is None else len({*as_codes(clusters).tolist()})
    if n < _FEWEST_BACKGROUNDS:
        return f"{_FEWEST_BACKGROUNDS} independent backgrounds are needed"
    return None


def compute(study: Study) -> Results:
    """Every pair in every order, on all strands, at every spacing that has room."""
    names = foremost_motifs(study, _room(study)).names
    X, clusters, _ = study.backgrounds[1].part(slice(_MOST_BACKGROUNDS))
    widest = _widest(study, names)
    grammar = motif_grammar(
        study.model,
        X,
        {name: study.given[name] for name in names},
        range(widest + 1),
        **_where(study, names, widest),
        alpha=ALPHA,
        **{**study.ask, "clusters": clusters},
    )
    return {"grammar": grammar, **_strongest_graded(study, grammar, X, clusters)}


def _strongest_graded(
    study: Study, grammar: Grammar, X: torch.Tensor, clusters: Templates | None
) -> Results:
    """Graded sites of the strongest confirmed pair, on what did not choose it."""
    if not len(grammar.confirmed):
        return {}
    trio = with_third(
        *grammar.patterns(), widest_free(study.options.keep, study.inputs.length)
    )
    if trio is None or too_short(trio[:2], _LEVELS, len(study.inputs.alphabet)):
        return {}
    rows = confirming_rows(len(X), clusters, study.options.random_state)
    mine = None if clusters is None else np.asarray(clusters)[rows]
    asked = {**study.ask, "clusters": mine}
    return {"grammar_graded": latent_interaction(study.model, X[rows], *trio, **asked)}


def describe(study: Study, results: Results) -> Section:
    """Which pairs stand, what kind of rule each has, and what nobody asked."""
    grammar: Grammar = results["grammar"]
    names, unit = list(grammar.motifs), study.inputs.unit
    together = confirmed_pairs(grammar, unit)
    widest = int(grammar.found["spacing"].max())
    section = Section(
        "grammar",
        "Which motifs act together, and how must they stand?",
        _method(study, grammar, widest),
        [
            Figure(
                "grammar_pairs",
                partial(plot.pair_matrix, grammar),
                _matrix(grammar, together),
            )
        ],
        {"grammar": _confirmed_first(grammar)},
        in_short(together, len(names), widest, unit),
        summary=[_line(grammar, together)],
        files={
            f"grammar_{name}.tsv": partial(_write, table)
            for name, table in (
                ("profiles", grammar.profiles),
                ("placements", grammar.to_frame()),
            )
        },
    )
    if together:
        _add_confirmed(section, grammar, together)
    if "grammar_graded" in results:
        _add_verdict(section, together[0], results["grammar_graded"])
    return section


def _add_verdict(section: Section, first: Together, graded: GIAResult) -> None:
    """Whether the strongest pair interacts, or the output only bends."""
    fit = latent_contrast(graded)
    said = f"{fit.verdict}: {fit.reason}"
    section.figures.append(
        Figure(
            "grammar_graded",
            partial(plot.latent_link, graded, fit),
            f"Variants of {first.names} from full strength to nothing, with variants "
            f"of the left one again beside them. {said[0].upper()}{said[1:]}.",
        )
    )
    section.tables["grammar_graded"] = fit.cells
    section.headline = {
        **section.headline,
        "pair_verdict": fit.verdict,
        "pair_latent": float(fit.latent.effect),
        "pair_latent_low": float(fit.latent.low),
        "pair_latent_high": float(fit.latent.high),
    }
    told = "cannot be told"
    if not np.isnan(fit.latent.effect):
        told = f"{row_with_interval(fit.latent)} of the left one's effect"
    section.summary.append(Line(f"{first.names} beyond the output's bend", told))
    section.sentence += " " + _SAID[fit.verdict].format(names=_in_sentence(first.names))


def _add_confirmed(
    section: Section, grammar: Grammar, together: Sequence[Together]
) -> None:
    """Pictures and numbers of the pairs that stand."""
    if len(grammar.motifs) >= _FEWEST_OF_A_NETWORK:
        section.figures.append(
            Figure(
                "grammar_network",
                partial(plot.pair_network, grammar),
                "The confirmed pairs: the wider a line, the larger the interaction; a "
                "ring is a motif with itself.",
            )
        )
    section.figures.extend(_maps(grammar, together))
    first = together[0]
    shown = first.curve
    section.thumbnail = curve(
        shown["spacing"].tolist(), shown["effect"], shown["low"], shown["high"]
    )
    section.summary.append(_strongest(first))
    section.headline = {
        "pair": " and ".join(first.short[first.row[name]] for name in ("a", "b")),
        "pair_rule": str(first.row["class"]),
        "pair_interaction": float(first.row["effect"]),
        "pair_interaction_low": float(first.row["low"]),
        "pair_interaction_high": float(first.row["high"]),
    }


def _in_sentence(names: str) -> str:
    """Not at its beginning."""
    return names.replace("Two sites of", "two sites of", 1)


def _room(study: Study) -> int:
    """Bases from the leftmost motif on, to the end or to what is to stay."""
    if study.options.keep is None:
        return study.inputs.length - (study.options.start or 0)
    first, end = room(study)
    return end - first


def _widest(study: Study, names: Sequence[str]) -> int:
    """The largest spacing, with room for the starts over which strides even out."""
    longest = max(len(study.given[name]) for name in names)
    free = _room(study) - 2 * longest
    return max(0, min(_WIDEST, free, free + 1 - total_stride(study.model)))


def _where(study: Study, names: Sequence[str], widest: int) -> dict[str, Any]:
    """Where the leftmost motif stands, and at how many places."""
    if study.options.keep is None:
        return {"start": study.options.start}
    longest = max(len(study.given[name]) for name in names)
    free = _room(study) - 2 * longest - widest
    n_starts = max(1, min(total_stride(study.model), free + 1))
    return {"start": room(study)[0], "n_starts": n_starts}


def _method(study: Study, grammar: Grammar, widest: int) -> str:
    """What was asked, and what was left out."""
    names, unit = list(grammar.motifs), study.inputs.unit
    given = len(study.given)
    which = f"{len(names)} of {given}" if len(names) < given else "All"
    strands, behind = "", ""
    if "+-" in {*grammar.found["orientation"]}:
        strands = " and on both strands"
        behind = " Behind is to the right; of two on the same strand, downstream on it."
    n_found = int(grammar.found["n"].max())
    n_confirmed = len(grammar.interactions.y_before)
    fewer = ""
    if len(study.X) > _MOST_BACKGROUNDS:
        fewer = f" Of {len(study.X):,} backgrounds {_MOST_BACKGROUNDS} were asked."
    narrow = ""
    if widest < _WIDEST:
        narrow = f" Wider spacings than {widest} have no room in these sequences."
    return (
        f"{which} given motifs, every pair of them, also of a motif with itself, in "
        f"every order{strands}, with 0 to {count(widest, unit)} between them, and each "
        "alone at the same places. The interaction is what a pair does beyond the sum "
        f"of both. Up to {n_found} backgrounds find, {n_confirmed} others measure and "
        "test what was found; q values are of these questions (Benjamini and Hochberg, "
        "5 %). A rule is hard if few spacings hold it, helical if it comes back with "
        "the turn of the helix, soft otherwise. A hard rule of small spacings may be a "
        f"third motif that both make where they meet.{behind}{narrow}"
        f"{fewer}{foremost_motifs(study, _room(study)).sentence()}"
    )


def _confirmed_first(grammar: Grammar) -> pd.DataFrame:
    stands = grammar.pairs["significant"].astype(bool)
    rows: pd.DataFrame = pd.concat([grammar.confirmed, grammar.pairs[~stands]])
    table: pd.DataFrame = rows[_TABLE].reset_index(drop=True)
    return table


def _matrix(grammar: Grammar, together: Sequence[Together]) -> str:
    n = count(len(grammar.pairs), "pair")
    if not together:
        return f"None of {n} was confirmed; with few backgrounds that is no proof."
    kinds = grammar.confirmed["class"].value_counts()
    told = ", ".join(f"{k} {name}" for name, k in kinds.items())
    return (
        f"{len(together)} of {n} confirmed (framed): {told}. Colours are the "
        "interaction where each stood out most; grey pairs showed nothing on the half "
        "that finds."
    )


def _line(grammar: Grammar, together: Sequence[Together]) -> Line:
    n = count(len(grammar.pairs), "pair")
    told = "; ".join(f"{each.names} ({each.row['class']})" for each in together)
    return Line("Pairs of motifs that act together", f"{told or 'none'}, of {n}")


def _strongest(first: Together) -> Line:
    row = first.row
    at = "on average over spacings"
    if pd.notna(row["spacing"]):
        at = f"at a spacing of {count(int(row['spacing']), first.unit)}"
    interval = row_with_interval(pd.Series(row))
    told = (
        f"{interval} ({row['arrangement']} {at}; q = {number(float(row['q']), None)})"
    )
    return Line(f"{first.names} minus the sum of each", told, float(row["effect"]))


def _maps(grammar: Grammar, together: Sequence[Together]) -> list[Figure]:
    """A heat map for each of the largest interactions."""
    rows = "Rows are arrangements from left to right, + and − their strands; dots are "
    rows += "confirmed."
    figures = [
        Figure(
            f"grammar_{i}",
            partial(plot.spacing_heatmap, grammar, (pair.row["a"], pair.row["b"])),
            f"{pair.sentence()}. {rows}",
        )
        for i, pair in enumerate(together[:_MOST_DRAWN], start=1)
    ]
    n_more = len(together) - len(figures)
    if n_more:
        more = f" {count(n_more, 'pair')} with smaller interactions not drawn."
        figures[-1] = figures[-1]._replace(reading=figures[-1].reading + more)
    return figures


def _write(table: pd.DataFrame, path: Path) -> None:
    write_atomically(path, as_text(table).encode())
