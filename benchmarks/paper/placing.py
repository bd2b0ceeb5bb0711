"""Panels 2b, 2c, 2d and 4c: sites, their spacing, k-mers, and GC beside the motif."""

from __future__ import annotations

from functools import partial

import pandas as pd

import tangermeme_gia as gia
from tangermeme_gia import plot
from tangermeme_gia.report.wording import number, row_with_interval

from .material import START, Material, Subject
from .panel import Panel, figure, of_each
from .simulated import RNA

SITES = [3, 10, 17]
SPACINGS = [0, 1, 2, 3, 4, 6, 9, 12]


def panel_2b(material: Material) -> Panel:
    """Do sites add up?"""
    found = {
        name: gia.multi_site(s.model, s.X, s.motif, SITES, alphabet=RNA)
        for name, s in material.shown.items()
    }
    fits = {name: _additivity(material.shown[name], r) for name, r in found.items()}
    said = [
        f"{name} ({material.shown[name].motif}): {row_with_interval(fit.slope)} per "
        f"site, R² {fit.r2:.2f}; the third site is worth "
        f"{number(_share_of_first(fit), 2)} of the first"
        for name, fit in fits.items()
    ]
    return Panel(
        "2b",
        "Do several sites of the motif add up?",
        "The motif at bases 3, 10 and 17 (counted from 0), one site after the other; "
        "effects of all backgrounds as boxes, their means, a line and its R².",
        [
            figure(
                "2b_boxes",
                "Effects on each background of one, two and three sites; diamonds are "
                "their means.",
                {
                    name: partial(plot.local_importance_boxes, r, "n_sites")
                    for name, r in found.items()
                },
            ),
            figure(
                "2b_lines",
                "Means against the number of sites, and the line. The open point is "
                "the background itself, through which the line need not go.",
                {name: partial(plot.additivity_line, r) for name, r in found.items()},
            ),
        ],
        {"2b": of_each({name: fit.points for name, fit in fits.items()})},
        ours=". ".join(said) + ".",
        paper="RBFOX1's sites add up: the effect rises in a line with their number.",
        source=material.source,
        differs="Other proteins than RBFOX1. R² of three points is high for nearly any "
        "rising curve, so the third site is compared with the first, too.",
    )


def panel_2c(material: Material) -> Panel:
    """May sites be close?"""
    curves, contrasts = {}, {}
    for name, s in material.shown.items():
        pair = [s.motif, s.motif]
        result = gia.motif_spacing(s.model, s.X, pair, SPACINGS, start=8, alphabet=RNA)
        curves[name] = result
        contrast = gia.statistics.interaction_contrast(result).interval
        contrasts[name] = pd.DataFrame(
            {
                "spacing": SPACINGS,
                "interaction": contrast.effect,
                "low": contrast.low,
                "high": contrast.high,
            }
        )
    said = []
    for name, table in contrasts.items():
        first, last = table.iloc[0], table.iloc[-1]
        said.append(
            f"{name}: side by side two sites differ from their sum by "
            f"{number(first['interaction'], 2)}, {SPACINGS[-1]} bases apart by "
            f"{number(last['interaction'], 2)}"
        )
    return Panel(
        "2c",
        "How far apart must two sites be?",
        "The first site stays at base 8, the second moves away.",
        [
            figure(
                "2c",
                "Effect of both sites (arm all), and of each alone at the same places, "
                "against the bases between them.",
                {
                    name: partial(plot.spacing_curve, r, by="arm")
                    for name, r in curves.items()
                },
            )
        ],
        {"2c": of_each(contrasts)},
        ours="; ".join(said) + ".",
        paper="The effect of RBFOX1's two sites falls when they are too close.",
        source=material.source,
        differs="Each site is also placed alone where it stands in the pair; what is "
        "left (interaction: both less each alone) is spacing, and not the second "
        "site's position.",
    )


def panel_2d(material: Material) -> Panel:
    """Which k-mers matter?"""
    k = material.budget.k
    boxes, tables = {}, {}
    for name, s in material.shown.items():
        table = s.top.to_frame()
        kmers = table.sort_values("effect", ascending=False)["kmer"].head(5)
        placed = [[(kmer, START)] for kmer in kmers]
        boxes[name] = gia.global_importance(s.model, s.X, placed, alphabet=RNA)
        boxes[name].conditions["kmer"] = kmers.tolist()
        tables[name] = table
    said = [
        f"{name}: {s.motif}, effect {row_with_interval(s.top.to_frame().iloc[0])}"
        for name, s in material.shown.items()
    ]
    return Panel(
        "2d",
        f"Which {k}-mers does the model read?",
        f"All {4**k:,} {k}-mers at bases {START} to {START + k - 1}, raced on "
        f"{material.budget.n_scan:,} backgrounds, and the ten best measured on "
        f"{material.budget.n:,} others.",
        [
            figure(
                "2d",
                "Effects on each background of the five best.",
                {
                    name: partial(plot.local_importance_boxes, r, "kmer")
                    for name, r in boxes.items()
                },
            )
        ],
        {"2d": of_each(tables)},
        ours="; ".join(said) + ".",
        paper="The best 6-mers are the known motifs: UGCAUG of RBFOX1, UUAUUU of HuR, "
        "CAAAUU of CG17838, UUGCAC of SNF, GCUGGC of VTS1.",
        source=material.source,
        differs="Other proteins. The paper scans on the backgrounds that it also "
        "measures on, which flatters the winner; here it is measured on others.",
    )


def panel_4c(material: Material) -> Panel:
    """Does GC at an end change what the motif does?"""
    found = {name: gc_effects(s) for name, s in material.shown.items()}
    means = {
        name: result.to_frame().set_index("arm")["effect"]
        for name, result in found.items()
    }
    said = [
        f"{name}: the motif alone {number(m['motif'], 2)}, with 5′ GC "
        f"{number(m['motif+left'], 2)}, with 3′ GC {number(m['motif+right'], 2)}; GC "
        f"alone {number(m['left'], 2)} and {number(m['right'], 2)}"
        for name, m in means.items()
    ]
    return Panel(
        "4c",
        "Does GC at an end change what the motif does?",
        "GCGCGC at the 5′ end (bases 0 to 5) or the 3′ end (35 to 40), with the motif "
        f"at {START}, and each alone.",
        [
            figure(
                "4c",
                "Effects on each background of the motif, of GC at an end, and of "
                "both.",
                {
                    name: partial(plot.local_importance_boxes, r, "arm")
                    for name, r in found.items()
                },
                height=3.2,
            )
        ],
        {"4c": of_each({name: r.to_frame() for name, r in found.items()})},
        ours="; ".join(said) + ".",
        paper="GC at the 3′ end raises the effect of CG17838's motif.",
        source=material.source,
        differs="Other proteins; also an arm with GC at both ends.",
    )


def gc_effects(subject: Subject) -> gia.GIAResult:
    """The motif with GC at either end, each alone, and all together."""
    return gia.gc_flank(
        subject.model, subject.X, subject.motif, start=START, alphabet=RNA
    )


def _additivity(subject: Subject, sites: gia.GIAResult):
    alone = gia.positional_bias(
        subject.model, subject.X, subject.motif, SITES, alphabet=RNA
    )
    return gia.statistics.additivity_fit(sites, single_sites=alone)


def _share_of_first(fit) -> float:
    effect = fit.points.loc[fit.points["n_sites"] > 0, "effect"].tolist()
    return (effect[2] - effect[1]) / effect[0]
