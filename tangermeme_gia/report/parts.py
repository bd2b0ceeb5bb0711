"""A motif's effect on both outputs of a difference, and with each fold of a model."""

from __future__ import annotations

from typing import Any

import pandas as pd
import scipy
import torch

from .._core.outputs import as_columns
from .._core.results import GIAResult
from .._core.target import Contrast, Target, word_of
from ..experiments.importance import global_importance
from ..statistics.comparisons import Comparison
from ..statistics.components import split_columns
from ..statistics.significance import paired_t_test
from .inputs import in_words
from .section import Line, Section
from .study import Study
from .wording import row_with_interval

# What the columns of the table are called in `conditions`, where "output" is taken.
_OUTPUT, _FOLD, _MEAN = "of_output", "fold", ""


def has_parts(study: Study) -> bool:
    """Whether there is more than one output or model to tell apart."""
    return len(_targets(study)) * len(_models(study)) > 1


def measure_parts(study: Study) -> GIAResult:
    """The motif, or each that is given, for every output and fold: a condition each.

    The outputs are effects, whose background is 0.
    """
    motifs = study.given or {study.motif: study.placed}
    start = study.options.start if study.options.motifs else study.start
    sites = [[(motif, start)] for motif in motifs.values()]
    effects, rows = [], []
    known = study.ask["clusters"]
    for fold, model in _models(study).items():
        for word, target in _targets(study).items():
            ask = {**study.ask, "target": target}
            found = global_importance(model, study.X, sites, **ask)
            effects.append(as_columns(found.local_importance, 2))
            rows += [{"motif": m, _OUTPUT: word, _FOLD: fold} for m in motifs]
    table = pd.DataFrame(rows).assign(control="none")
    local = torch.cat(effects, dim=1)
    return GIAResult(local.new_zeros(len(local), 1), local, table, clusters=known)


def add_parts(section: Section, study: Study, parts: GIAResult) -> None:
    """The table of all parts, lines about the motif, and what intervals are over."""
    table = _tabulate(parts)
    section.tables["outputs_and_folds"] = table
    n = len(_models(study))
    whole = f"{n} crossed" if n > 1 else ""
    own = table[(table["motif"] == study.motif) & (table["folds"] == whole)]
    over = f", over {n} folds and backgrounds" if n > 1 else ""
    said = []
    for (_, row), target in zip(own.iterrows(), _targets(study).values(), strict=True):
        text = row_with_interval(row)
        what = "the output" if target is None else in_words(target)
        section.summary.append(Line(f"Effect of {study.motif} on {what}{over}", text))
        said.append(f"{text} on {what}")
    section.sentence += f" Its effect is {'; '.join(said)}{over}."
    if len(_targets(study)) > 1:
        section.method += (
            " Of the difference of two outputs the table outputs_and_folds has both as "
            "well; the difference is taken on each background."
        )
    if n > 1:
        section.method += (
            f" The {n} folds of the model are averaged in all parts, whose intervals "
            "are over backgrounds alone. In the table outputs_and_folds they are "
            f"crossed: intervals of a fold are over backgrounds; those of {whole} are "
            "over folds, taken as a sample, and backgrounds, and its last columns say "
            "which part of their variance is from which, and what twice as many of "
            "each would make of the standard error."
        )


def _targets(study: Study) -> dict[str, Target | None]:
    target = study.inputs.model.target
    if not isinstance(target, Contrast):
        return {"" if target is None else word_of(target): target}
    both = {word_of(part): part for part in (target.output, target.minus)}
    return {**both, str(target): target}


def _models(study: Study) -> dict[str, Any]:
    return {**study.inputs.folds} or {_MEAN: study.inputs.model.whole()}


def _tabulate(parts: GIAResult) -> pd.DataFrame:
    """A row for each motif, output and fold, and one for all folds."""
    tables = []
    first = parts.conditions[["motif", _OUTPUT]].drop_duplicates()
    for motif, word in first.itertuples(index=False):
        named = {"motif": motif, _OUTPUT: word}
        folds = parts.conditions.query(f"motif == @motif and {_OUTPUT} == @word")[_FOLD]
        of_each = {fold: parts.select(**named, **{_FOLD: fold}) for fold in folds}
        for fold, result in of_each.items():
            row = result.to_frame().assign(folds=fold, p=paired_t_test(result).p.item())
            tables.append(row)
        if len(of_each) > 1:
            tables.append(_crossed(of_each))
    table = pd.concat(tables, ignore_index=True)
    table = table.drop(columns=["output", "control", _FOLD], errors="ignore")
    table = table.rename(columns={_OUTPUT: "output"})
    first_columns = ["motif", "output", "folds"]
    rest = [name for name in table if name not in first_columns]
    ordered: pd.DataFrame = table[first_columns + rest]
    return ordered


def _crossed(of_each: dict[str, GIAResult]) -> pd.DataFrame:
    """The mean over folds."""
    same = {fold: _without_fold(result) for fold, result in of_each.items()}
    compared = Comparison(same, "model")
    mean = compared.summary().join(split_columns(compared))
    t = (mean["effect"] / mean["se"]).abs()
    p = 2 * scipy.stats.t.sf(t, mean["df"])
    mean = mean.drop(columns="n_models")
    row: pd.DataFrame = mean.assign(folds=f"{len(of_each)} crossed", p=p)
    return row


def _without_fold(result: GIAResult) -> GIAResult:
    return result._replace(conditions=result.conditions.drop(columns=_FOLD))
