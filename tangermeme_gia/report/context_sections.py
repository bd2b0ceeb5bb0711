"""What a report says of a motif in context: flanks, structure, background."""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from .. import plot
from .._core.motif import reverse_complement
from .._core.results import GIAResult
from ..experiments.hairpin import relative_to_stem
from ..statistics.comparisons import BackgroundComparison
from ..statistics.effects import effect_difference, effect_ratio, interaction_contrast
from ..statistics.intervals import Interval, confidence_interval
from .parts import FLANK, flank_starts, report_hairpin, site_starts
from .section import (
    Figure,
    Section,
    as_result,
    listed,
    local_effects,
)
from .store import Results
from .study import Study
from .wording import count, number, row_with_interval


class _Flanks(NamedTuple):
    """What GC on either side does, for "left" and "right": with the motif as a ratio to
    it, alone, and beyond the sum of both; and left minus right."""

    ratios: dict[str, Interval]
    alone: dict[str, Interval]
    beyond: dict[str, Interval]
    difference: Interval

    @property
    def defined(self) -> bool:
        """Whether the effect of the motif alone can be divided by."""
        return bool(np.isfinite(self.ratios["left"].high))


def _measure_flanks(result: GIAResult) -> _Flanks:
    local = local_effects(result)
    arm = {name: local[:, i] for i, name in enumerate(result.conditions["arm"])}
    ratios, alone, beyond = {}, {}, {}
    for side in ("left", "right"):
        both = arm[f"motif+{side}"]
        ratios[side] = effect_ratio(both, arm["motif"])
        alone[side] = confidence_interval(arm[side])
        beyond[side] = interaction_contrast(both, arm["motif"], arm[side]).interval
    difference = effect_difference(arm["motif+left"], arm["motif+right"])
    return _Flanks(ratios, alone, beyond, difference)


def gc(study: Study, results: Results) -> Section:
    result = as_result(results["gc"])
    flanks = _measure_flanks(result)
    ratios, alone, beyond = (
        {side: row_with_interval(value) for side, value in values.items()}
        for values in (flanks.ratios, flanks.alone, flanks.beyond)
    )
    times = (
        f"With GC 5′ of it the effect is {ratios['left']} times that of the motif "
        f"alone, with GC 3′ of it {ratios['right']} times"
    )
    sizes = f"5′ {ratios['left']}, 3′ {ratios['right']}; "
    if not flanks.defined:
        times = (
            "How many times the effect of the motif alone it has beside GC is not "
            "defined, for want of a clear effect alone"
        )
        sizes = ""
    sums = f"{beyond['left']} (5′) and {beyond['right']} (3′)"
    left, right = flank_starts(study)
    return Section(
        "gc",
        "Does GC beside the motif matter?",
        f"{FLANK} at position {left} (5′) and {right} (3′), with and without "
        f"{study.motif} at {study.start}. The GC-bias effect size is the effect of "
        "motif and flank together, divided by that of the motif alone; what GC does by "
        "itself is part of it.",
        [
            Figure(
                "gc",
                partial(plot.local_importance_boxes, result, "arm"),
                f"{times}. GC alone has an effect of "
                f"{alone['left']} (5′) and {alone['right']} (3′); beyond the sum of "
                f"motif and GC, both together do {sums}.",
            )
        ],
        {"gc": result.to_frame()},
        f"{times}; beyond what GC does by itself, that is {sums}.",
        [
            (
                "GC-bias effect size",
                f"{sizes}effect with 5′ GC minus that with 3′ GC "
                f"{row_with_interval(flanks.difference)}",
            ),
            ("Beyond what GC does by itself", sums),
        ],
        {
            side: float(ratio.effect) if flanks.defined else float("nan")
            for side, ratio in flanks.ratios.items()
        }
        | {f"{k}_beyond": float(v.effect) for k, v in flanks.beyond.items()},
    )


def hairpin(study: Study, results: Results) -> Section:
    result = _folded_and_not(as_result(results["hairpin"]))
    frame = result.to_frame()
    effects = local_effects(result)
    # The place, folded and not, and their paired difference.
    texts = {}
    for place in ("loop", "left arm", "right arm"):
        rows = {
            row["structure"]: (row_with_interval(row), effects[:, i])
            for i, (_, row) in enumerate(frame.iterrows())
            if row["place"] == place
        }
        (folded, inside), (flat, outside) = rows["hairpin"], rows["unstructured"]
        texts[place] = (
            f"{folded}, without structure {flat} (difference "
            f"{row_with_interval(effect_difference(inside, outside))})"
        )
    sentence = f"In the loop of a hairpin the motif adds {texts['loop']}"
    shape = report_hairpin(study)
    caution = ""
    if reverse_complement(study.motif, study.inputs.alphabet) == study.motif:
        caution = (
            f" {study.motif} is its own reverse complement: in a stem its partner is a "
            "second site, so the stem arms say nothing about structure."
        )
    else:
        sentence += (
            f"; in the left arm of the stem {texts['left arm']}, in the right "
            f"{texts['right arm']}"
        )
    return Section(
        "hairpin",
        "Is the motif read in a loop or a stem?",
        f"Hairpins with stems of {shape.stem_length} pairs from position "
        f"{shape.stem_start} and a loop of {shape.loop_length} bases. The effect of "
        "the motif in the hairpin is against the empty hairpin, that without structure "
        "against the background; both are measured at the same place. In a "
        "stem the other arm becomes the reverse complement of the motif."
        f"{caution} A model of sequence alone can know "
        "structure only through what pairs.",
        [
            Figure(
                "hairpin",
                partial(plot.local_importance_boxes, result, ["place", "structure"]),
                f"In the loop the motif adds {texts['loop']}; in the left arm of the "
                f"stem {texts['left arm']}; in the right {texts['right arm']}.",
            )
        ],
        {"hairpin": frame},
        f"{sentence}.",
        [("In the loop of a hairpin", texts["loop"])],
        {"loop": float(frame[_in_loop(frame)]["effect"].iloc[0])},
    )


def robustness(study: Study, results: Results) -> Section:
    comparison = BackgroundComparison(
        {k: _with_short_names(study, as_result(v)) for k, v in results.items()}
    )
    frame = comparison.to_frame()
    first = frame.groupby("background", sort=False).first()
    order = np.argsort(first["effect"].to_numpy(), kind="stable")
    lowest, highest = first.iloc[order[0]], first.iloc[order[-1]]
    texts = {"min": row_with_interval(lowest), "max": row_with_interval(highest)}
    tables = {"robustness": frame}
    agreement = ""
    if len(results) > 1:
        table = comparison.agreement()
        tables["agreement"] = table
        worst = float(table["pearson"].min())
        if not np.isnan(worst):
            agreement = (
                f" The effects of the {len(frame) // len(results)} conditions have a "
                f"correlation of {number(worst, 2)} between the two backgrounds that "
                "agree least."
            )
    reading = (
        f"The motif's effect is between {texts['min']} ({lowest.name}) and "
        f"{texts['max']} ({highest.name}), {_sign(first)}.{agreement}"
    )
    return Section(
        "robustness",
        "Does the answer depend on the background?",
        f"The main conditions under {count(len(results), 'background')}. "
        + _about_backgrounds(study, results),
        [
            Figure(
                "robustness",
                partial(plot.background_grid, comparison, "condition"),
                reading,
            )
        ],
        tables,
        f"Under {count(len(results), 'background')} its effect is {texts['min']} to "
        f"{texts['max']}, {_sign(first)}.",
        [
            (
                "Effect by background",
                f"{texts['min']} ({lowest.name}) to {texts['max']} ({highest.name}), "
                f"{_sign(first)}",
            )
        ],
        {"background_low": lowest["effect"], "background_high": highest["effect"]},
    )


def _with_short_names(study: Study, result: GIAResult) -> GIAResult:
    """The same result with the conditions of `parts.robustness` in few letters."""
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


def _about_backgrounds(study: Study, results: Results) -> str:
    inputs = study.inputs
    if inputs.X is None:
        text = (
            "No observed sequences were given: shuffles and quartiles are made of "
            f"{len(study.observed):,} draws from the profile."
        )
    else:
        text = f"They are made of {len(study.observed):,} observed sequences."
    if inputs.scores is None and any(
        name.startswith("quartile") for name in study.options.backgrounds
    ):
        text += " Quartiles are of the model's own predictions, for want of scores."
    if "quartile1" in results:
        text += " Quartile 1 has the lowest scores."
    fewer = [
        f"{len(as_result(result).y_before):,} ({name})"
        for name, result in results.items()
        if len(as_result(result).y_before) < study.options.n
    ]
    if fewer:
        text += f" Fewer sequences than {study.options.n:,}: {listed(fewer)}."
    return text


def _in_loop(frame: pd.DataFrame) -> pd.Series[bool]:
    return (frame["place"] == "loop") & (frame["structure"] == "hairpin")


def _folded_and_not(result: GIAResult) -> GIAResult:
    """The motif's own effect at each place: in the hairpin and without structure."""
    inside = relative_to_stem(result)
    flat = (result.conditions["structure"] == "unstructured").to_numpy()
    effects = np.concatenate(
        [local_effects(inside), local_effects(result)[:, flat]], axis=1
    )
    conditions = pd.concat([inside.conditions, result.conditions[flat]])
    order = np.argsort(conditions["start"].to_numpy(int), kind="stable")
    after = torch.from_numpy(effects[:, order])[..., None]
    return GIAResult(
        torch.zeros_like(after[:, 0]),
        after,
        conditions.iloc[order].reset_index(drop=True),
    )
