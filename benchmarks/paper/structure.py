"""Panels 3b and 3c: does a model of sequence alone read structure?"""

from __future__ import annotations

import warnings
from functools import partial
from typing import NamedTuple

import pandas as pd
import torch

import tangermeme_gia as gia
from residualbind.simulation.probes import STEMS
from tangermeme_gia import plot
from tangermeme_gia.report.wording import listed, number, row_with_interval

from .material import Material
from .panel import Panel, figure
from .simulated import CONTROL, LOOP, PAIRED, RNA, VTS1, WORD, true_model

# Of the probes whose shuffles are the backgrounds, and of the loop that holds the
# motif.
_LENGTH, _LOOP = 38, 8
KNOWN, RANDOM = "stems of the training", "other stems"


class Reading(NamedTuple):
    """Effects in loop and stem, folded and not."""

    result: gia.GIAResult
    gains: pd.DataFrame


def panel_3c(material: Material) -> Panel:
    """Loop or stem?"""
    n, seed = material.budget.n, material.budget.seed
    readings, rows = {}, []
    for name in (VTS1, CONTROL):
        probes = material.trained(name).prepared.test.X
        X = gia.backgrounds.shuffled_background(
            probes[probes.sum(dim=(1, 2)) == _LENGTH], n, random_state=seed
        )
        asked = {
            "model": material.simulated(name).model,
            "truth": true_model(name, material.trainings.profiles).eval(),
        }
        for reader, model in asked.items():
            for stems, read in ((KNOWN, known_stems), (RANDOM, random_stems)):
                found = read(model, X, WORD[name])
                readings[name, reader, stems] = found
                rows += found.gains.assign(protein=name, reader=reader, stems=stems)[
                    ["protein", "stems", "reader", "place", "effect", "low", "high"]
                ].to_dict("records")
    table = pd.DataFrame(rows)
    return Panel(
        "3c",
        "Is the motif read in the loop or the stem, by a model of sequence alone?",
        "What the fold changes: the motif's effect within the hairpin, less its effect "
        "at the same place unfolded, in units of the simulated score.",
        [
            figure(
                f"3c_{'known' if stems == KNOWN else 'other'}_stems",
                f"Effects on each background by place and fold, {stems}.",
                {
                    name: partial(
                        plot.local_importance_boxes,
                        readings[name, "model", stems].result,
                        ["place", "structure"],
                    )
                    for name in (VTS1, CONTROL)
                },
                height=3.2,
            )
            for stems in (KNOWN, RANDOM)
        ],
        {"3c": table},
        ours=_say(table),
        paper="VTS1, which binds GCUGGC in hairpin loops: the motif has a larger "
        "effect in the loop, and a smaller one in the stem, than the same motif "
        "unfolded. So ResidualBind learns structure from sequence alone.",
        source=f"simulated RNAcompete of {WORD[VTS1]} folded by ViennaRNA: a site "
        f"gains {LOOP:g} times the probability of its bases to be in a hairpin loop "
        f"and loses {PAIRED:g} times that of being paired, where it binds with 8 "
        "otherwise; two fifths of the probes have a hairpin of one of four stems. The "
        "control has the same probes, and no structure in its scores. "
        f"Models: {material.trained(VTS1).budget}; test Pearson "
        f"{material.trained(VTS1).pearson:.3f}, of the control "
        f"{material.trained(CONTROL).pearson:.3f}.",
        differs="Simulated, with a control that the paper lacks; hairpins of stems "
        "that training has shown, and of others. The truth (what an error-free model "
        "would say) is in the table. What stays of stems not seen in training may "
        "be the letters that pair with the motif, read as a word. One model each: "
        "intervals are over backgrounds, not over seeds of training.",
    )


def known_stems(model: torch.nn.Module, X: torch.Tensor, motif: str) -> Reading:
    """The motif in hairpins whose left arm is one of the training's stems."""
    parts = [
        _read(model, _write(part, stem, _first(stem)), motif, stem)
        for stem, part in zip(STEMS, X.tensor_split(len(STEMS)), strict=True)
    ]
    return _reading(
        gia.GIAResult(
            torch.cat([part.y_before for part in parts]),
            torch.cat([part.y_afters for part in parts]),
            parts[0].conditions.drop(columns="starts", errors="ignore"),
        )
    )


def random_stems(model: torch.nn.Module, X: torch.Tensor, motif: str) -> Reading:
    """The motif in hairpins whose left arm is that of each background."""
    return _reading(_read(model, X, motif, "N" * len(STEMS[0])))


def _reading(result: gia.GIAResult) -> Reading:
    inside = result.select(structure="hairpin").relative_to(place="none")
    outside = result.select(structure="unstructured")
    rows = []
    for place in inside.conditions["place"]:
        with warnings.catch_warnings():
            # Of a truth that is a word, most backgrounds agree to the last digit.
            warnings.simplefilter("ignore", gia.statistics.FewEffectsWarning)
            gain = gia.statistics.effect_difference(
                inside.select(place=place), outside.select(place=place)
            )
        found = {name: float(getattr(gain, name)) for name in ("effect", "low", "high")}
        rows.append({"place": place, **found})
    return Reading(result, pd.DataFrame(rows))


def _read(
    model: torch.nn.Module, X: torch.Tensor, motif: str, stem: str
) -> gia.GIAResult:
    first, arm = _first(stem), len(stem)
    return gia.hairpin_importance(
        model,
        X,
        motif,
        gia.structure.Hairpin(first, arm, _LOOP),
        starts=[first + arm + 1, first + 1, first + arm + _LOOP + 1],
        alphabet=RNA,
    )


def _first(stem: str) -> int:
    return (_LENGTH - 2 * len(stem) - _LOOP) // 2 + 1


def _write(X: torch.Tensor, stem: str, first: int) -> torch.Tensor:
    columns = [RNA.index(letter) for letter in stem]
    X = X.clone()
    X[:, :, first : first + len(stem)] = torch.eye(len(RNA), dtype=X.dtype)[columns].T
    return X


def _say(table: pd.DataFrame) -> str:
    said = []
    mine = table[table["protein"] == VTS1]
    for stems, part in mine.groupby("stems", sort=False):
        by = part.set_index(["reader", "place"])
        places = [
            f"{place} {row_with_interval(by.loc['model', place])} "
            f"(truth {number(by.loc['truth', place].effect, 2)})"
            for place in by.loc["model"].index
        ]
        said.append(f"{stems}: {listed(places)}")
    control = table[(table["protein"] == CONTROL) & (table["reader"] == "model")]
    return (
        f"{'; '.join(said)}. In the control, where no structure is planted, all are at "
        f"most {number(control['effect'].abs().max(), 2)} in size."
    )
