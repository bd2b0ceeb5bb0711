"""Panels over all models: 2g (R² of sites), 4d and 4e (GC at the ends), S Table 1."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd

import tangermeme_gia as gia
from tangermeme_gia import plot
from tangermeme_gia.report.section import Figure
from tangermeme_gia.report.wording import count, number

from .material import Material
from .panel import Missing, Panel, of_each
from .placing import SITES, gc_effects
from .simulated import RNA

# Fewer models make no histogram; their table says it all.
FEWEST = 5
_NEAR_ONE = 0.9


def panel_2g(material: Material) -> Panel:
    """In how many experiments do sites add up?"""
    rows = []
    for name, s in material.subjects.items():
        sites = gia.multi_site(s.model, s.X, s.motif, SITES, alphabet=RNA)
        fit = gia.statistics.additivity_fit(sites)
        rows.append(
            {
                "model": name,
                "motif": s.motif,
                "r2": fit.r2,
                "slope": float(fit.slope.effect),
                "low": float(fit.slope.low),
                "high": float(fit.slope.high),
            }
        )
    table = pd.DataFrame(rows)
    near = int((table["r2"] >= _NEAR_ONE).sum())
    return Panel(
        "2g",
        "In how many experiments do sites add up?",
        "The line of panel 2b for every model.",
        _histogram(
            "2g",
            "R² of the line through one, two and three sites.",
            len(table),
            partial(plot.additivity_histogram, table["r2"].to_numpy()),
        ),
        {"2g": table},
        ours=f"R² is at least {_NEAR_ONE} for {near} of {count(len(table), 'model')}, "
        f"median {number(float(table['r2'].median()), 2)}.{_too_few(len(table))}",
        paper="R² is near 1 for most of the 244 experiments.",
        source=material.source,
        differs="Fewer models. R² of three points says little about whether they lie "
        "on a line through the background; slopes and their intervals are in the "
        "table.",
    )


def panel_4d(material: Material) -> Panel:
    """Does GC at an end raise the effect, over all models?"""
    table = _gc_table(material)
    raised = int((table["right"] > 1).sum())
    return Panel(
        "4d",
        "Does GC at the 3′ end matter in most experiments?",
        "GC-bias effect size: the effect of motif and GC on that end over that of the "
        "motif alone; 1 is no difference.",
        _histogram(
            "4d",
            "GC-bias effect sizes of both ends.",
            len(table),
            partial(plot.gc_bias_histograms, table, reference=1),
        ),
        {"4d": table},
        ours=f"GC at the 3′ end raises the effect in {raised} of "
        f"{count(len(table), 'model')}, median size "
        f"{number(float(table['right'].median()))}; at the 5′ end the median is "
        f"{number(float(table['left'].median()))}.{_too_few(len(table))}",
        paper="3′ GC raises the score for nearly all experiments, 5′ GC less so.",
        source=material.source,
        differs="Fewer models. The ratio counts what GC does by itself, too: the table "
        "has the interaction (both less each alone) beside it. Where the motif's own "
        "effect is not clear there is no ratio.",
    )


def panel_4e(material: Material) -> Panel:
    """Which end matters more?"""
    table = _gc_table(material)[["model", "motif", "difference", "low", "high"]]
    higher = int((table["difference"] < 0).sum())
    return Panel(
        "4e",
        "Which end's GC matters more?",
        "Effect with 5′ GC less that with 3′ GC, over that of the motif alone, with "
        "Fieller's interval.",
        _histogram(
            "4e",
            "5′ less 3′ effect sizes; below 0 the 3′ end matters more.",
            len(table),
            partial(
                plot.gc_bias_histograms,
                table,
                "difference",
                reference=0,
                xlabel="5′ − 3′ GC-bias effect size",
            ),
        ),
        {"4e": table},
        ours=f"The 3′ end matters more in {higher} of {count(len(table), 'model')}."
        f"{_too_few(len(table))}",
        paper="Most differences are below 0: the 3′ end matters more.",
        source=material.source,
        differs="Fewer models.",
    )


def panel_s_table_1(material: Material) -> Panel:
    """Which known motifs do the models read?"""
    if not material.given.motifs:
        raise Missing(
            "no collection of known motifs was given (`--motifs FILE`, such as "
            "ATtRACT or RBPDB in TRANSFAC format)"
        )
    motifs = {name: s.aligned.ppm for name, s in material.subjects.items()}
    tables = {}
    for path in material.given.motifs:
        found = gia.motifs.compare_motifs(
            motifs, path, alphabet=RNA, n_nearest=3, n_jobs=1
        )
        tables[path.stem] = found
    table = of_each(tables, "collection").rename(columns={"query": "model"})
    best = table.drop_duplicates(["collection", "model"])
    likely = int((best["q_value"] < 0.05).sum())
    consensus = {
        name: "".join(RNA[i] for i in np.asarray(ppm).argmax(axis=0))
        for name, ppm in motifs.items()
    }
    table.insert(2, "motif", table["model"].map(consensus))
    first = best.iloc[0]
    return Panel(
        "S Table 1",
        "Which known motifs do the models' motifs resemble?",
        "The ten best 6-mers of each model, aligned to a matrix, against every motif "
        "of the collections by TOMTOM; the three best of each.",
        [],
        {"S_Table_1": table},
        ours=f"{likely} of {len(best)} best matches have a q value below 0.05; for "
        f"{first['model']} in {first['collection']} it is {first['known']} "
        f"(q {first['q_value']:.2g}).",
        paper="Motifs of k-mer alignments beside those of CISBP-RNA, which they "
        "resemble.",
        source=f"{material.source[:-1]}; "
        f"{', '.join(p.name for p in material.given.motifs)}, as given.",
        differs="Other models and the collections that were given. q values are over "
        "one collection.",
    )


def _gc_table(material: Material) -> pd.DataFrame:
    rows = []
    for name, s in material.subjects.items():
        result = gc_effects(s)
        motif, left, right = (
            result.select(arm=arm) for arm in ("motif", "motif+left", "motif+right")
        )
        ends = result.relative_to(arm="motif+right").select(arm="motif+left")
        row: dict[str, float | str] = {"model": name, "motif": s.motif}
        for side, arm in (("left", left), ("right", right)):
            row[side] = float(gia.statistics.effect_ratio(arm, motif).effect)
            both = gia.statistics.interaction_contrast(
                arm, motif, result.select(arm=side)
            )
            row[f"interaction_{side}"] = float(both.interval.effect)
        ratio = gia.statistics.effect_ratio(ends, motif)
        row |= {
            "difference": float(ratio.effect),
            "low": float(ratio.low),
            "high": float(ratio.high),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _histogram(name: str, reading: str, n: int, draw) -> list[Figure]:
    return [Figure(name, draw, reading)] if n >= FEWEST else []


def _too_few(n: int) -> str:
    few = f" {count(n, 'model')} make no histogram: see the table."
    return few if n < FEWEST else ""
