"""What a report says of a motif in context: copies, place, flanks, structure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from .. import plot
from ..additivity import additivity_fit
from ..comparisons import BackgroundComparison
from ..effects import effect_difference, effect_ratio, interaction_contrast
from ..hairpin import relative_to_stem
from ..motif_codes import reverse_complement
from ..results import GIAResult
from ..selection import benjamini_hochberg, split_and_rescore
from ..statistics import confidence_interval
from .parts import flank_starts, report_hairpin, site_starts
from .store import Results
from .study import Study
from .wording import count, number, row_with_interval, with_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

from .section import ALPHA, Figure, Section, as_result, listed, local_effects


def sites(study: Study, results: Results) -> Section:
    result, alone = as_result(results["sites"]), as_result(results["alone"])
    local, single = local_effects(result), local_effects(alone)
    fit = additivity_fit(
        local, result.conditions["n_sites"].tolist(), single_sites=single
    )
    last = fit.points.iloc[-1]
    expected = with_interval(
        last["deviation"], last["deviation_low"], last["deviation_high"]
    )
    r2 = "" if np.isnan(fit.r2) else f", R² {number(fit.r2)}"
    reading = (
        f"Each further site adds {row_with_interval(fit.slope)}{r2}; the effect of "
        f"{last['n_sites']:.0f} sites differs from the sum of their single effects by "
        f"{expected}."
    )
    return Section(
        "sites",
        "Do several sites add up?",
        f"{study.motif} at positions {listed(site_starts(study))}, one after the "
        "other, and each alone. The line is fitted without the background itself.",
        [
            Figure("sites", partial(plot.additivity_line, result), reading),
            Figure(
                "sites_local",
                partial(plot.local_importance_boxes, result, "n_sites"),
                "Each box holds the effects on single backgrounds; the diamond is "
                "their mean, the global importance.",
            ),
        ],
        {"sites": result.to_frame(), "additivity": fit.points},
        f"Each further site adds {row_with_interval(fit.slope)}; "
        f"{last['n_sites']:.0f} sites do {_against_sum(last)}.",
        [
            ("Each further site adds", row_with_interval(fit.slope) + r2),
            ("Deviation from additivity", f"{expected} at {last['n_sites']:.0f} sites"),
        ],
        {
            "per_site": float(fit.slope.effect),
            "r2": fit.r2,
            "deviation": float(last["deviation"]),
        },
    )


def spacing(study: Study, results: Results) -> Section:
    result = as_result(results["spacing"])
    frame = result.conditions
    local = local_effects(result)
    arms = {
        arm: local[:, (frame["arm"] == arm).to_numpy()] for arm in ("all", "1", "2")
    }
    spacings = frame.loc[frame["arm"] == "all", "spacing"].to_numpy()
    contrast = interaction_contrast(arms["all"], arms["1"], arms["2"])
    significant = benjamini_hochberg(contrast.test.p, ALPHA).significant
    table = pd.DataFrame(
        {
            "spacing": spacings,
            "interaction": contrast.interval.effect,
            "se": contrast.interval.se,
            "low": contrast.interval.low,
            "high": contrast.interval.high,
            "p": contrast.test.p,
            "significant": significant,
            "n": contrast.interval.n,
        }
    )
    ends = {}
    for by in ("smallest", "largest"):
        row = split_and_rescore(contrast.local, by=by).iloc[0]
        at = int(spacings[int(row["condition"])])
        ends[by] = f"{row_with_interval(row)} at a spacing of {count(at, 'base')}"
    where = f"between {ends['smallest']} and {ends['largest']}"
    shown = table.rename(columns={"interaction": "effect"})
    return Section(
        "spacing",
        "How close may two sites be?",
        f"Two copies of {study.motif}, the first at {site_starts(study)[0]}, with 0 to "
        f"{spacings.max()} bases between them, and each alone at the same places. The "
        "interaction is what the pair does beyond the sum of both.",
        [
            Figure(
                "spacing",
                partial(plot.spacing_curve, result, by="arm"),
                "The pair ('all') against each site alone: where the curves of the "
                "single sites fall, position matters, not spacing.",
            ),
            Figure(
                "spacing_interaction",
                partial(_interaction_curve, shown),
                f"The interaction lies {where} (both found on one half of the "
                f"backgrounds, measured on the other); {significant.sum()} of "
                f"{count(len(spacings), 'spacing')} differ from additivity at a false "
                "discovery rate of 5 %.",
            ),
        ],
        {"spacing": result.to_frame(), "spacing_interaction": table},
        f"The interaction of two sites lies {where}.",
        [("Interaction of two sites", where)],
        {
            "interaction_low": float(contrast.interval.effect.min()),
            "interaction_high": float(contrast.interval.effect.max()),
        },
    )


def _interaction_curve(frame: pd.DataFrame) -> Axes:
    ax = plot.spacing_curve(frame)
    ax.set_ylabel("Interaction")
    return ax


def position(study: Study, results: Results) -> Section:
    result = as_result(results["position"])
    local = local_effects(result)
    starts = result.conditions["start"].to_numpy()
    ends = {}
    for by in ("largest", "smallest"):
        row = split_and_rescore(local, by=by).iloc[0]
        ends[by] = f"{row_with_interval(row)} at {starts[int(row['condition'])]}"
    effects = local.mean(axis=0)
    change = (
        f"between {ends['smallest']} and {ends['largest']}"
        if len(starts) > 1
        else ends["largest"]
    )
    return Section(
        "position",
        "Does it matter where the motif is?",
        f"{study.motif} at {count(len(starts), 'start')} of the same backgrounds.",
        [
            Figure(
                "position",
                partial(plot.position_curve, result),
                f"The effect lies {change} (both found on one half of the backgrounds, "
                "measured on the other).",
            )
        ],
        {"position": result.to_frame()},
        f"By position, the effect lies {change}.",
        [("Effect by position", change)],
        {"position_low": float(effects.min()), "position_high": float(effects.max())},
    )


def gc(study: Study, results: Results) -> Section:
    result = as_result(results["gc"])
    local = local_effects(result)
    arm = {name: local[:, i] for i, name in enumerate(result.conditions["arm"])}
    ratios = {
        side: effect_ratio(arm[f"motif+{side}"], arm["motif"])
        for side in ("left", "right")
    }
    difference = effect_difference(arm["motif+left"], arm["motif+right"])
    alone = {side: confidence_interval(arm[side]) for side in ("left", "right")}
    left, right = flank_starts(study)
    texts = {side: row_with_interval(ratio) for side, ratio in ratios.items()}
    return Section(
        "gc",
        "Does GC beside the motif matter?",
        f"GCGCGC at {left} (5′) and {right} (3′), with and without {study.motif} at "
        f"{study.start}. The GC-bias effect size is the effect with the flank divided "
        "by that of the motif alone.",
        [
            Figure(
                "gc",
                partial(plot.local_importance_boxes, result, "arm"),
                f"With GC at the 5′ end the effect is {texts['left']} times that of "
                f"the motif alone, at the 3′ end {texts['right']} times; GC alone has "
                f"{row_with_interval(alone['left'])} and "
                f"{row_with_interval(alone['right'])}.",
            )
        ],
        {"gc": result.to_frame()},
        f"GC at the 5′ end multiplies the effect of the motif by {texts['left']}, at "
        f"the 3′ end by {texts['right']}.",
        [
            (
                "GC-bias effect size",
                f"5′ {texts['left']}, 3′ {texts['right']}; 5′ − 3′ "
                f"{row_with_interval(difference)}",
            )
        ],
        {
            "left": float(ratios["left"].effect),
            "right": float(ratios["right"].effect),
        },
    )


def hairpin(study: Study, results: Results) -> Section:
    result = _folded_and_not(as_result(results["hairpin"]))
    frame = result.to_frame()
    rows = {
        (row["structure"], row["place"]): row_with_interval(row)
        for _, row in frame.iterrows()
    }
    loop = rows["hairpin", "loop"]
    flat = rows["unstructured", "loop"]
    arms = listed([rows["hairpin", f"{side} arm"] for side in ("left", "right")])
    shape = report_hairpin(study)
    caution = ""
    if reverse_complement(study.motif, study.inputs.alphabet) == study.motif:
        caution = (
            f" {study.motif} is its own reverse complement: in a stem its partner is a "
            "second site, so the stem arms say nothing about structure."
        )
    return Section(
        "hairpin",
        "Is the motif read in a loop or a stem?",
        f"Hairpins with stems of {shape.stem_length} pairs from position "
        f"{shape.stem_start} and a loop of {shape.loop_length} bases. The effect of "
        "the motif in the hairpin is against the empty hairpin, that without structure "
        f"against the background.{caution} A model of sequence alone can know "
        "structure only through what pairs.",
        [
            Figure(
                "hairpin",
                partial(plot.local_importance_boxes, result, ["place", "structure"]),
                f"In the loop the motif adds {loop}, at the same place without "
                f"structure {flat}; in the stem arms {arms}.",
            )
        ],
        {"hairpin": frame},
        f"In the loop of a hairpin the motif adds {loop}, without structure {flat}.",
        [("In a loop", f"{loop}, without structure {flat}")],
    )


def robustness(study: Study, results: Results) -> Section:
    comparison = BackgroundComparison({k: as_result(v) for k, v in results.items()})
    frame = comparison.to_frame()
    first = frame.groupby("background", sort=False).first()
    lowest, highest = (
        first.loc[getattr(first["effect"], f"idx{end}")()] for end in ("min", "max")
    )
    texts = {"min": row_with_interval(lowest), "max": row_with_interval(highest)}
    tables = {"robustness": frame}
    agreement = ""
    if len(results) > 1:
        table = comparison.agreement()
        tables["agreement"] = table
        worst = float(table["pearson"].min())
        if not np.isnan(worst):
            agreement = (
                " Between any two backgrounds the effects of the conditions correlate "
                f"at {number(worst, 2)} or more."
            )
    reading = (
        f"The motif's effect is between {texts['min']} ({lowest.name}) and "
        f"{texts['max']} ({highest.name}).{agreement}"
    )
    return Section(
        "robustness",
        "Does the answer depend on the background?",
        f"The main conditions under {count(len(results), 'background')}. "
        + _about_backgrounds(study),
        [Figure("robustness", partial(plot.background_grid, comparison), reading)],
        tables,
        f"Under {count(len(results), 'background')} its effect is {texts['min']} to "
        f"{texts['max']}.",
        [
            (
                "Effect by background",
                f"{texts['min']} ({lowest.name}) to {texts['max']} ({highest.name})",
            )
        ],
        {"background_low": lowest["effect"], "background_high": highest["effect"]},
    )


def _about_backgrounds(study: Study) -> str:
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
    return text


def _against_sum(point: Any) -> str:
    """How several sites compare with the sum of their single effects."""
    deviation = with_interval(
        point["deviation"], point["deviation_low"], point["deviation_high"]
    )
    relation = "as much as"
    if point["deviation_low"] > 0:
        relation = "more than"
    elif point["deviation_high"] < 0:
        relation = "less than"
    return f"{relation} the sum of their single effects (deviation {deviation})"


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
