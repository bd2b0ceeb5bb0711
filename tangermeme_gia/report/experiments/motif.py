"""How large is the effect of the motif?"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

import pandas as pd
import torch

from ... import plot
from ..._core.controls import CONTROLS
from ..._core.motif import Motif
from ..._core.results import GIAResult
from ...experiments.importance import global_importance
from ...plot.pairs import short_names
from ...statistics.effects import effect_difference
from ...statistics.nulls import Arm, EffectNull, effect_null
from ..effects import local_effects
from ..junctions import borrowed, measure_winners, split_winners
from ..parts import add_parts, has_parts, measure_parts
from ..places import find_elsewhere, scan_places
from ..placing import diagnose_placing, gc_in_words
from ..section import Figure, Line, Section
from ..sentences import direction, reads
from ..store import Results
from ..study import Study
from ..thumbnails import strip
from ..wording import count, number, row_with_interval, span, with_interval

_N_CONTROLS = 3
_log = logging.getLogger("tangermeme_gia.report")


def obstacle(study: Study) -> str | None:
    """An effect can always be measured."""
    return None


def compute(study: Study) -> Results:
    """The best k-mers on held-out backgrounds, and controls of the best.

    Of a motif that is given, what other words do in its place (one that a scan has
    chosen is the best of all of them), and without a place, where it has its effect.
    """
    site = [(study.placed, study.start)]
    n_words = study.options.n_words if study.options.given else 0
    n_controls = max(n_words, _N_CONTROLS)
    every = global_importance(
        study.model, study.X, site, n_controls=n_controls, **study.ask
    )
    first = [
        "none",
        *(f"{kind} {i + 1}" for kind in CONTROLS for i in range(_N_CONTROLS)),
    ]
    results: Results = {"controls": every.select(control=first)}
    if n_words:
        results["null"] = effect_null(every)
    if study.options.given and study.options.start is None:
        results["places"] = scan_places(study)
    if has_parts(study):
        results["parts"] = measure_parts(study)
    if "scan" in study.finished:
        results["winners"] = measure_winners(study)
    return results


def describe(study: Study, results: Results) -> Section:
    """The effect beside those of controls, and whether the winner stays first."""
    controls: GIAResult = results["controls"]
    frame = controls.to_frame()
    own = frame[frame["control"] == "none"].iloc[0]
    boxes = partial(plot.local_importance_boxes, _named(controls, study.motif))
    spread = float(_alone(controls).std())
    section = Section(
        "motif",
        f"How large is the effect of {study.motif}?",
        f"{study.motif} at position {study.start} of "
        f"{count(len(study.X), 'background')}, with random motifs and permutations of "
        "its letters as controls on the same backgrounds.",
        [Figure("motif", boxes, f"{_does(study, own)}. {_beside_controls(controls)}")],
        {"motif": frame},
        reads(study.inputs.name, study.motif, own, spread, not study.options.given),
        _thumbnail(study.motif, frame),
        summary=[
            Line(f"Effect of {study.motif}", row_with_interval(own), own["effect"]),
            Line("Mean output without it, standard deviation", _scale(controls)),
        ],
        headline={
            "motif": study.motif,
            "effect": own["effect"],
            "effect_low": own["low"],
            "effect_high": own["high"],
            "output_sd": spread,
        },
        motif=_matrix(study.placed),
    )
    placed = diagnose_placing(study, {study.motif: [(study.placed, study.start)]})
    if len(placed):
        section.tables["placed"] = placed
        section.method += gc_in_words(placed)
    _add_others(section, study, results)
    return section


def _matrix(motif: Motif) -> torch.Tensor | None:
    """The probabilities of a motif that is drawn; letters say themselves."""
    return torch.from_numpy(motif.ppm) if motif.is_drawn else None


def _add_others(section: Section, study: Study, results: Results) -> None:
    """Other words, outputs, folds, places and k-mers, as far as there are any."""
    if "null" in results:
        _add_null(section, study, results["null"])
    if "parts" in results:
        add_parts(section, study, results["parts"])
    if "places" in results:
        _say_where(section, study, results["places"])
    if "winners" in results:
        junctions = split_winners(study, results["winners"])
        section.tables["best_kmers"] = junctions.to_frame()
        if not study.options.given:
            section.method += _among_winners(section.tables["best_kmers"])
        section.method += borrowed(junctions)


def _add_null(section: Section, study: Study, null: EffectNull) -> None:
    """Whether the effect is large, beside what other words do in its place."""
    # Random words are the like of letters, not of a matrix.
    arm: Arm = "shuffled" if study.placed.is_drawn else "random"
    frame = null.to_frame()
    own: Any = frame[frame["arm"] == arm].iloc[0]
    section.tables["null"] = frame
    section.figures.append(
        Figure(
            "null",
            partial(plot.null_histogram, null),
            f"The effect of {study.motif} is {' and '.join(frame['reads'])} in its "
            "place. That is no test of whether it is there, but says how large it is.",
        )
    )
    if direction(own):
        section.sentence += f" That is {own['reads']} in its place."
    section.summary.append(
        Line(f"Effect of {study.motif} among words in its place", own["reads"])
    )
    section.headline = {
        **section.headline,
        "percentile": float(own["percentile"]),
        "percentile_low": float(own["percentile_low"]),
        "percentile_high": float(own["percentile_high"]),
    }


def _say_where(section: Section, study: Study, places: GIAResult) -> None:
    """Say it first if the motif matters elsewhere than at the centre."""
    elsewhere = find_elsewhere(study, places)
    if elsewhere is None:
        return
    text = elsewhere.sentence(study)
    _log.warning(text)
    section.caution = text
    effect = row_with_interval(elsewhere.effect)
    section.summary.append(
        Line(
            f"Its effect at position {elsewhere.start}, the largest",
            effect,
            float(elsewhere.effect.effect),
        )
    )


def _named(controls: GIAResult, motif: str) -> GIAResult:
    """The same result with one column that says what stands in each condition."""
    kinds = controls.conditions["control"]
    names = [motif if kind == "none" else kind for kind in kinds]
    return controls._replace(conditions=pd.DataFrame({"pattern": names}))


def _does(study: Study, effect: Any) -> str:
    """What the motif does to the output, with its interval."""
    output, text = study.inputs.answer, row_with_interval(effect)
    if effect["low"] > 0:
        return f"{study.motif} raises the {output} by {text}"
    if effect["high"] < 0:
        size = with_interval(-effect["effect"], -effect["high"], -effect["low"])
        return f"{study.motif} lowers the {output} by {size}"
    return f"{study.motif} has no clear effect on the {output}: {text}"


def _beside_controls(controls: GIAResult) -> str:
    """How the motif, the first condition, stands beside backgrounds and controls."""
    frame = controls.to_frame()
    effect, kinds, local = frame["effect"], frame["control"], local_effects(controls)
    # The strongest control in the direction of the motif, against which it must stand.
    sign = -1 if effect.iloc[0] < 0 else 1
    rival = 1 + int((sign * effect.iloc[1:]).to_numpy().argmax())
    beyond = effect_difference(local[:, 0], local[:, rival], clusters=controls.clusters)
    return (
        f"{100 * (sign * local[:, 0] > 0).mean():.0f} % of backgrounds have an effect "
        f"of this sign. Random motifs of its length have effects of "
        f"{span(effect[kinds.str.startswith('random')])}, permutations of its letters "
        f"{span(effect[kinds.str.startswith('shuffled')])}; from the strongest of "
        f"these its own differs by {row_with_interval(beyond)}."
    )


def _alone(controls: GIAResult) -> torch.Tensor:
    """The outputs of the backgrounds as they are."""
    assert isinstance(controls.y_before, torch.Tensor)
    return controls.y_before


def _scale(controls: GIAResult) -> str:
    """What the outputs of the backgrounds are, by which effects are judged."""
    alone = _alone(controls)
    return f"{number(float(alone.mean()))}, {number(float(alone.std()))}"


def _thumbnail(motif: str, frame: pd.DataFrame) -> str:
    """The effect of the motif above those of its controls."""
    (short,) = short_names([motif])
    names = [short if kind == "none" else kind for kind in frame["control"]]
    return strip(names, frame["effect"], frame["low"], frame["high"])


def _among_winners(winners: pd.DataFrame) -> str:
    """Whether the scan's best k-mer is the best on other backgrounds, too."""
    first = winners["effect"].to_numpy().argmax()
    names = winners["kmer"]
    order = (
        "stays first here" if first == 0 else f"is not first here, but {names[first]}"
    )
    return (
        " It is the best k-mer of the scan, and these are other backgrounds than those "
        f"that chose it. Among the {len(winners)} best of the scan it {order}."
    )
