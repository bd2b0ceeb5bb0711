"""What the results of each part say: figures, tables, and sentences with numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy import stats

from .. import plot
from ..additivity import additivity_fit
from ..comparisons import BackgroundComparison
from ..effects import effect_difference, effect_ratio, interaction_contrast
from ..hairpin import relative_to_stem
from ..kmer_motifs import KmerAlignment, align_kmers
from ..kmer_results import KmerScan
from ..kmers import mutagenesis_change
from ..motif_codes import reverse_complement
from ..results import GIAResult
from ..selection import benjamini_hochberg, split_and_rescore
from ..statistics import confidence_interval
from .parts import TOP, flank_starts, report_hairpin, site_starts
from .store import Results
from .study import Study
from .wording import count, number, row_with_interval, with_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# False discovery rate of the searches.
ALPHA = 0.05


class Figure(NamedTuple):
    """A figure to draw, and what it says in one sentence."""

    name: str
    draw: Callable[[], Axes]
    reading: str


@dataclass
class Section:
    """What one part of a report says."""

    name: str
    question: str
    method: str
    figures: list[Figure] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    # Lines of the summary: what was asked, and the answer with its interval.
    summary: list[tuple[str, str]] = field(default_factory=list)
    # Numbers by name, for a table over many models.
    headline: dict[str, float | str] = field(default_factory=dict)


def scan(study: Study, results: Results) -> Section:
    found = _scan_of(results)
    frame = found.to_frame()
    k = len(found.kmers[0])
    p = 2 * stats.t.sf(np.abs(frame["effect"] / frame["se"]), found.n - 1)
    differ = int(benjamini_hochberg(p, ALPHA).significant.sum())
    top = found.top(min(TOP, len(found.kmers)))
    strands = (
        " averaged with their reverse complements" if study.options.both_strands else ""
    )
    reading = (
        f"{top['kmer'][0]} has the largest effect of {count(len(frame), f'{k}-mer')}; "
        f"{differ:,} differ from 0 at a false discovery rate of 5 %."
    )
    return Section(
        "scan",
        f"Which {k}-mer matters most?",
        f"All {count(len(frame), f'{k}-mer')}{strands} at position {study.start} of "
        f"{count(found.n, 'background')}. The best of many is partly lucky: effects "
        "below are measured again on other backgrounds.",
        [Figure("scan", partial(plot.kmer_ranks, found), reading)],
        {"scan": frame.sort_values("effect", ascending=False, kind="stable")},
    )


def motif(study: Study, results: Results) -> Section:
    controls = _result(results["controls"])
    frame = controls.to_frame()
    own = frame[frame["control"] == "none"].iloc[0]
    random = frame[frame["control"].str.startswith("random")]["effect"]
    shuffled = frame[frame["control"].str.startswith("shuffled")]["effect"]
    reading = (
        f"{study.motif} changes the {study.inputs.output} by {row_with_interval(own)}; "
        f"random motifs of its length by {_span(random)}, permutations of its letters "
        f"by {_span(shuffled)}."
    )
    section = Section(
        "motif",
        f"How large is the effect of {study.motif}?",
        f"{study.motif} at position {study.start} of "
        f"{count(len(study.X), 'background')}, with random motifs and permutations of "
        "its letters as controls on the same backgrounds.",
        [
            Figure(
                "motif",
                partial(plot.local_importance_boxes, _named(controls, study.motif)),
                reading,
            )
        ],
        {"motif": frame},
        [("Effect of the motif", f"{study.motif}: {row_with_interval(own)}")],
        {
            "motif": study.motif,
            "effect": own["effect"],
            "effect_low": own["low"],
            "effect_high": own["high"],
        },
    )
    if "winners" in results:
        winners = _result(results["winners"]).to_frame()
        section.tables["winners"] = winners
        best = winners.loc[winners["effect"].idxmax()]
        order = "stays first" if best.name == 0 else "is not the largest"
        section.method += (
            " It is the best k-mer of the scan, and these are other backgrounds than "
            f"those that chose it. Among the {len(winners)} best of the scan it "
            f"{order} here."
        )
    return section


def mutagenesis(study: Study, results: Results) -> Section:
    result = _result(results["mutagenesis"])
    changes = mutagenesis_change(result, alphabet=study.inputs.alphabet)
    heights = np.sqrt((changes.to_numpy() ** 2).sum(axis=1))
    place = int(heights.argmax())
    worst = np.unravel_index(changes.to_numpy().argmin(), changes.shape)
    letter = study.inputs.alphabet[worst[1]]
    reading = (
        f"Position {place + 1}, {study.motif[place]}, matters most; the most harmful "
        f"of the single changes is {study.motif[worst[0]]}{worst[0] + 1}{letter} "
        f"({number(float(changes.to_numpy().min()))})."
    )
    best = float(changes.to_numpy().max())
    if best > 0:
        gain = np.unravel_index(changes.to_numpy().argmax(), changes.shape)
        reading += (
            f" {study.motif[gain[0]]}{gain[0] + 1}{study.inputs.alphabet[gain[1]]} has "
            f"the largest gain ({number(best)})."
        )
    return Section(
        "mutagenesis",
        "Which of its letters matter?",
        "Every single-letter variant of the motif in place of it. The heat map shows "
        "the change from the motif itself, the logo its length (L2 norm) at each "
        "position.",
        [
            Figure(
                "mutagenesis",
                partial(
                    plot.mutagenesis_heatmap,
                    changes,
                    study.motif,
                    study.inputs.alphabet,
                ),
                reading,
            )
        ],
        {"mutagenesis": result.to_frame()},
        [("Most important letter", f"position {place + 1}, {study.motif[place]}")],
    )


def alignment(study: Study, results: Results) -> Section:
    top = _scan_of(results).top(TOP)
    letters = study.inputs.alphabet
    aligned = align_motif(study, results)
    consensus = "".join(letters[i] for i in aligned.ppm.argmax(dim=0))
    return Section(
        "alignment",
        "What does the motif look like?",
        f"The {len(top)} best k-mers of the scan, aligned to the best and weighted by "
        "their effects. It is drawn from effects on the model, not from counts of "
        "binding sites.",
        [
            Figure(
                "alignment",
                partial(plot.motif_logo, aligned.ppm, letters),
                f"The aligned k-mers read {consensus}.",
            )
        ],
        {"alignment": aligned.table},
        [("Aligned motif", consensus)],
        {"consensus": consensus},
    )


def align_motif(study: Study, results: Results) -> KmerAlignment:
    """The motif of a scan's best k-mers."""
    top = _scan_of(results).top(TOP)
    return align_kmers(
        top["kmer"].tolist(), top["effect"].tolist(), alphabet=study.inputs.alphabet
    )


def sites(study: Study, results: Results) -> Section:
    result, alone = _result(results["sites"]), _result(results["alone"])
    local, single = _local(result), _local(alone)
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
        f"{study.motif} at positions {_list(site_starts(study))}, one after the other, "
        "and each alone. The line is fitted without the background itself.",
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
    result = _result(results["spacing"])
    frame = result.conditions
    local = _local(result)
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
    result = _result(results["position"])
    local = _local(result)
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
        [("Effect by position", change)],
        {"position_low": float(effects.min()), "position_high": float(effects.max())},
    )


def gc(study: Study, results: Results) -> Section:
    result = _result(results["gc"])
    local = _local(result)
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
    result = _folded_and_not(_result(results["hairpin"]))
    frame = result.to_frame()
    rows = {
        (row["structure"], row["place"]): row_with_interval(row)
        for _, row in frame.iterrows()
    }
    loop = rows["hairpin", "loop"]
    flat = rows["unstructured", "loop"]
    arms = _list([rows["hairpin", f"{side} arm"] for side in ("left", "right")])
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
        [("In a loop", f"{loop}, without structure {flat}")],
    )


def robustness(study: Study, results: Results) -> Section:
    comparison = BackgroundComparison({k: _result(v) for k, v in results.items()})
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


SECTIONS: dict[str, Callable[[Study, Results], Section]] = {
    "scan": scan,
    "motif": motif,
    "mutagenesis": mutagenesis,
    "alignment": alignment,
    "sites": sites,
    "spacing": spacing,
    "position": position,
    "gc": gc,
    "hairpin": hairpin,
    "robustness": robustness,
}


def _result(result: Any) -> GIAResult:
    assert isinstance(result, GIAResult)
    return result


def _scan_of(results: Results) -> KmerScan:
    found = results["scan"]
    assert isinstance(found, KmerScan)
    return found


def _local(result: GIAResult) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Local importances, shape=(n, n_conditions)."""
    local = result.local_importance
    assert isinstance(local, torch.Tensor)
    return local[..., 0].to(torch.float64).numpy()


def _folded_and_not(result: GIAResult) -> GIAResult:
    """The motif's own effect at each place: in the hairpin and without structure."""
    inside = relative_to_stem(result)
    flat = (result.conditions["structure"] == "unstructured").to_numpy()
    effects = np.concatenate([_local(inside), _local(result)[:, flat]], axis=1)
    conditions = pd.concat([inside.conditions, result.conditions[flat]])
    order = np.argsort(conditions["start"].to_numpy(int), kind="stable")
    after = torch.from_numpy(effects[:, order])[..., None]
    return GIAResult(
        torch.zeros_like(after[:, 0]),
        after,
        conditions.iloc[order].reset_index(drop=True),
    )


def _named(controls: GIAResult, motif: str) -> GIAResult:
    """The same result with one column that says what stands in each condition."""
    kinds = controls.conditions["control"]
    names = [motif if kind == "none" else kind for kind in kinds]
    return controls._replace(conditions=pd.DataFrame({"pattern": names}))


def _span(effects: pd.Series[float]) -> str:
    return f"{number(effects.min(), 2)} to {number(effects.max(), 2)}"


def _list(values: list[Any]) -> str:
    *most, last = [str(value) for value in values]
    return f"{', '.join(most)} and {last}" if most else last
