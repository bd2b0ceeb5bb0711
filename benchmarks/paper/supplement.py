"""Panels S1 to S5: the same effects under the paper's seven backgrounds."""

from __future__ import annotations

from functools import partial

import pandas as pd
import torch

import tangermeme_gia as gia
from tangermeme_gia import plot
from tangermeme_gia.report.section import Figure
from tangermeme_gia.report.wording import number

from .material import START, Material, Subject
from .motifs import VARIANTS
from .panel import Panel
from .placing import SITES
from .simulated import CG17838, RBFOX1, RNA, VTS1, WORD

_PAPER = (
    "The same effects under all seven approximate data distributions: conclusions do "
    "not depend on the choice."
)
# Bases of the commonest probes: shorter ones have padding where patterns are placed.
LONG = 38
# Bases between two sites, whose first stands at 8.
_GAPS = [0, 2, 6, 12]


def panel_s1(material: Material) -> Panel:
    """Several sites."""
    return _robust(
        material, RBFOX1, "S1", "several sites", gia.multi_site, "n_sites", (SITES,)
    )


def panel_s2(material: Material) -> Panel:
    """Spacing."""
    return _robust(
        material,
        RBFOX1,
        "S2",
        "two sites at a distance",
        _pairs,
        "spacing",
        (_GAPS,),
    )


def panel_s3(material: Material) -> Panel:
    """Variants of the motif."""
    return _robust(
        material, RBFOX1, "S3", "variants of the motif", _variants, "kmer", ()
    )


def panel_s4(material: Material) -> Panel:
    """Loop and stem."""
    return _robust(
        material,
        VTS1,
        "S4",
        "loop and stem",
        _hairpins,
        ["place", "structure"],
        (),
    )


def panel_s5(material: Material) -> Panel:
    """GC at the ends."""
    return _robust(material, CG17838, "S5", "GC at the ends", _gc, "arm", ())


def _robust(
    material: Material,
    protein: str,
    name: str,
    words: str,
    experiment,
    label: str | list[str],
    args: tuple,
) -> Panel:
    subject, X, y = _subject(material, protein)
    drawn, templates = gia.backgrounds.sample_backgrounds(
        X,
        n=material.budget.n,
        scores=y,
        random_state=material.budget.seed,
        return_templates=True,
    )
    asked = {"alphabet": RNA}
    comparison = gia.across_backgrounds(
        experiment,
        subject.model,
        drawn,
        subject.motif,
        *args,
        clusters=templates,
        **asked,
    )
    table = comparison.to_frame()
    agreement = comparison.agreement()
    return Panel(
        name,
        f"Does it depend on the background: {words}?",
        f"{material.budget.n:,} sequences of each background, made of the probes of "
        "set B; quartiles are probes themselves, of the lowest to the highest scores.",
        [
            Figure(
                name,
                partial(plot.background_boxes, comparison, label),
                "Effects on each sequence, a panel for each background.",
            )
        ],
        {name: table},
        ours=_say(
            protein, table, [label] if isinstance(label, str) else label, agreement
        ),
        paper=_PAPER,
        source=f"the simulated {protein} protein, which binds {WORD[protein]}: "
        f"{material.trained(protein).budget}.",
        differs="Simulated scores, as quartiles need measured ones. Which experiment "
        "is which of S1 to S5 is our order. The upper quartiles hold the motif "
        "already, the more so as it was planted in most probes: a further one does "
        "less there, and patterns may be written over it.",
    )


def _subject(
    material: Material, protein: str
) -> tuple[Subject, torch.Tensor, torch.Tensor]:
    """The model of a simulated protein, and its probes that are long, with scores."""
    trained = material.trained(protein)
    test = trained.prepared.test
    long = test.X.sum(dim=(1, 2)) >= LONG
    scores = trained.prepared.test_scores[:, 0]
    return material.simulated(protein), test.X[long], scores[long]


def _say(
    name: str, table: pd.DataFrame, columns: list[str], agreement: pd.DataFrame
) -> str:
    """The strongest condition of the first background under all of them."""
    first = table[table["background"] == table["background"].iloc[0]]
    strongest = first.loc[first["effect"].idxmax(), columns]
    same = table[(table[columns] == strongest).all(axis=1)]
    said = [
        f"{each} {number(effect, 1)}"
        for each, effect in zip(same["background"], same["effect"], strict=True)
    ]
    worst = agreement.loc[agreement["pearson"].idxmin()]
    words = ", ".join(map(str, strongest)) if len(columns) > 1 else strongest.iloc[0]
    return (
        f"{name}, {' and '.join(columns).replace('_', ' ')} {words}: "
        f"{', '.join(said)}. Over conditions effects agree least between "
        f"{worst['background_a']} and {worst['background_b']}: Pearson "
        f"{number(worst['pearson'], 2)}."
    )


def _pairs(model, X, motif, gaps, *, alphabet, **options) -> gia.GIAResult:
    result = gia.motif_spacing(
        model, X, [motif, motif], gaps, start=8, alphabet=alphabet, **options
    )
    return result.select(arm="all")


def _variants(model, X, motif, *, alphabet, **options) -> gia.GIAResult:
    placed = [[(kmer, START)] for kmer in VARIANTS]
    result = gia.global_importance(model, X, placed, alphabet=alphabet, **options)
    result.conditions["kmer"] = list(VARIANTS)
    return result


def _hairpins(model, X, motif, *, alphabet, **options) -> gia.GIAResult:
    return gia.hairpin_importance(model, X, motif, alphabet=alphabet, **options)


def _gc(model, X, motif, *, alphabet, **options) -> gia.GIAResult:
    return gia.gc_flank(model, X, motif, start=START, alphabet=alphabet, **options)
