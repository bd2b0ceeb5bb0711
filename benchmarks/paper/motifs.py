"""Panels 2e, 3b and 4b (letters of the motif), and 2f (measured affinities)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

import tangermeme_gia as gia
from tangermeme_gia import plot
from tangermeme_gia.report.wording import listed, number, row_with_interval

from .material import START, Material, Subject
from .panel import Missing, Panel, figure, of_each
from .simulated import CG17838, RBFOX1, RNA, VTS1, WORD, true_model, truth_of

# ln KD falls by 1 where the planted effect rises by as much.
EFFECT_PER_LN_KD = 2.0
# Single letters of UGCAUG changed, as the variants of the paper's panel have them.
VARIANTS = ("UGCAUG", "AGCAUG", "CGCAUG", "UGUAUG", "UACAUG", "UGCACG", "UGCAUA")


def panel_2e(material: Material) -> Panel:
    """Which letters of the best k-mer matter?"""
    return _letters(
        material.shown,
        "2e",
        paper="RBFOX1: most changes of UGCAUG's letters take away its effect, GCAUG's "
        "above all; the aligned best 6-mers are the known motif.",
        source=material.source,
        differs="Other proteins. The matrix is of k-mers measured on other backgrounds "
        "than those that chose them.",
    )


def panel_3b(material: Material) -> Panel:
    """The same of the protein that reads structure."""
    trained = material.trained(VTS1)
    return _letters(
        {VTS1: material.simulated(VTS1)},
        "3b",
        paper="VTS1: every letter of GCUGGC matters.",
        source=f"a simulated protein that binds {WORD[VTS1]} (see 3c): "
        f"{trained.budget}.",
        differs="Simulated: all six letters are planted to matter alike, so a logo of "
        "even height is the truth.",
    )


def panel_4b(material: Material) -> Panel:
    """The same of the protein that goes with GC."""
    trained = material.trained(CG17838)
    return _letters(
        {CG17838: material.simulated(CG17838)},
        "4b",
        paper="CG17838: CAAAUU is the best 6-mer.",
        source=f"a simulated protein that binds {WORD[CG17838]}, and whose score rises "
        f"with G and C among the last seven bases: {trained.budget}.",
        differs="Simulated; all six letters are planted to matter alike.",
    )


def panel_2f(material: Material) -> Panel:
    """Do effects go along with measured affinities?"""
    found, tables, said = {}, {}, []
    for name, path in material.given.affinities.items():
        if name not in material.subjects:
            raise Missing(
                f"affinities are of {name}, and models of {list(material.subjects)}"
            )
        found[name] = (material.subjects[name], read_affinities(path))
    source = f"affinities of {listed(list(found))}, as given. " if found else ""
    if not found:
        found[RBFOX1] = (material.simulated(RBFOX1), known_affinities())
        source = (
            "a simulated protein whose affinities are known: ln KD falls by 1 where "
            f"the planted effect rises by {EFFECT_PER_LN_KD:g}, so the slope is "
            f"{-EFFECT_PER_LN_KD:g}. Model: {material.trained(RBFOX1).budget}; test "
            f"Pearson {material.trained(RBFOX1).pearson:.3f}."
        )
    drawn = {}
    for name, (subject, affinities) in found.items():
        effects = affinity_effects(subject, list(affinities.index))
        fit = gia.statistics.affinity_regression(effects, affinities, log=True)
        tables[name] = fit.kmers
        drawn[name] = partial(
            plot.affinity_regression, effects, affinities, log=True, name="KD"
        )
        said.append(
            f"{name}: R² {fit.r2:.2f}, p {fit.p:.2g}, Pearson "
            f"{row_with_interval(fit.pearson)}, Spearman "
            f"{row_with_interval(fit.spearman)}, slope {row_with_interval(fit.slope)} "
            f"per unit of ln KD, {len(fit.kmers)} k-mers"
        )
    return Panel(
        "2f",
        "Do effects go along with measured affinities?",
        "Each k-mer's effect against the logarithm of its dissociation constant.",
        [figure("2f", "Effects with intervals, and the line of least squares.", drawn)],
        {"2f": of_each(tables)},
        ours="; ".join(said) + ".",
        paper="RBFOX1, seven variants of UGCAUGU against ln KD: slope −1.599, "
        "r = −0.94, p = 0.0015 (the authors' fit).",
        source=source,
        differs="Intervals of the slope and the correlations are over k-mers, which "
        "are the sample: seven of them leave wide ones however many backgrounds there "
        "are. Where affinities are simulated, so is the protein.",
    )


def affinity_effects(subject: Subject, kmers: list[str]) -> pd.DataFrame:
    """The effect of each k-mer, with its interval."""
    result = gia.global_importance(
        subject.model, subject.X, [[(k, START)] for k in kmers], alphabet=RNA
    )
    return result.to_frame().assign(kmer=kmers)[["kmer", "effect", "low", "high"]]


def known_affinities() -> pd.Series:
    """KD of the variants for the simulated RBFOX1, which its planted effects give."""
    truth = truth_of(RBFOX1)
    strength = {kmer: _strength(kmer, truth.log_odds) for kmer in VARIANTS}
    effect = pd.Series(strength) * truth.motif_effect
    return np.exp(-effect / EFFECT_PER_LN_KD)


def read_affinities(path: Path) -> pd.Series:
    """K-mers and their numbers: the first two columns of a table with a header."""
    table = pd.read_csv(path, sep=None, engine="python", comment="#")
    kmer, value = table.columns[:2]
    return table.set_index(kmer)[value].astype(float)


def _strength(kmer: str, log_odds: np.ndarray) -> float:
    """That of a site, as `Truth` says."""
    threshold = truth_of(RBFOX1).site_threshold
    best = log_odds.max(axis=0).sum()
    own = sum(log_odds[RNA.index(letter), i] for i, letter in enumerate(kmer))
    return float(max(own / best - threshold, 0) / (1 - threshold))


def _letters(subjects: Mapping[str, Subject], name: str, **words: str) -> Panel:
    results = {
        each: gia.kmer_mutagenesis(s.model, s.X, s.motif, start=START, alphabet=RNA)
        for each, s in subjects.items()
    }
    changes = {
        each: gia.statistics.mutagenesis_intervals(result)
        for each, result in results.items()
    }
    said = []
    for each, s in subjects.items():
        change = gia.statistics.mutagenesis_change(results[each])
        effect = results[each].to_frame()["effect"][0]
        lost = (-change.min(axis=1) / effect).tolist()
        letters = [
            f"{letter}{i + 1} {number(v, 2)}"
            for i, (letter, v) in enumerate(zip(s.motif, lost, strict=True))
        ]
        consensus = "".join(RNA[i] for i in np.asarray(s.aligned.ppm).argmax(axis=0))
        said.append(
            f"{each}: {s.motif}, effect {number(effect)}; the worst change of each "
            f"letter takes of it {listed(letters)}. Aligned best k-mers: {consensus}"
        )
    return Panel(
        name,
        f"Which letters of the motif matter ({listed(list(subjects))})?",
        "Every single-letter variant less the wild type; above, letters as high as the "
        "L2 norm of their changes. Below, the ten best k-mers aligned, weighted by "
        "effect.",
        [
            figure(
                f"{name}_changes",
                "Change of importance by every variant.",
                {
                    each: partial(plot.mutagenesis_heatmap, r)
                    for each, r in results.items()
                },
            ),
            figure(
                f"{name}_motif",
                "The ten best k-mers aligned to a matrix, in bits.",
                {
                    each: partial(plot.motif_logo, s.aligned.ppm, RNA)
                    for each, s in subjects.items()
                },
                height=1.6,
            ),
        ],
        {name: of_each(changes)},
        ours=". ".join(said) + ".",
        **words,
    )


def true_subject(subject: Subject) -> Subject:
    """The simulated protein itself in place of its model."""
    return Subject(
        subject.name,
        true_model(subject.name).eval(),
        subject.profile,
        subject.budget,
        planted=subject.planted,
    )
