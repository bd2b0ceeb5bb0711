"""The page of a report, and what is needed to make it again."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import math
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from .._core.kept import resolve_keep
from .._core.storage import write_atomically
from ..backgrounds.by_name import GENOMIC
from . import tables, verdict
from .inputs import ReportInputs
from .rendering import render, shown_figures
from .section import Section
from .store import REPORT
from .study import Study
from .wording import count, listed, spans

_PACKAGES = ("tangermeme-gia", "tangermeme", "torch", "numpy", "scipy", "matplotlib")
# Of a logo, which columns still sum to 1 with.
_PROBABILITY_DIGITS = 6
_DOI = "10.1371/journal.pcbi.1008925"


class Provenance(NamedTuple):
    """All that is needed to make a report again."""

    rows: dict[str, str]

    @classmethod
    def of(cls, study: Study, command: str | None, seconds: float) -> Provenance:
        """That of a study that has just been run."""
        inputs, options = study.inputs, study.options
        checksums = study.checksums
        rows = {
            **inputs.origin,
            "output": inputs.answer,
            "alphabet": ", ".join(inputs.alphabet),
            "length": count(inputs.length, inputs.unit),
            "command": command or "run_report in Python",
            "seed of the draws": str(options.random_state),
            "backgrounds": f"{options.n:,} ({options.backgrounds[0]}), and "
            f"{study.n_scan:,} before them for the search of a motif",
            "model SHA-256": checksums["model"],
            "data SHA-256": checksums["data"],
            "versions": ", ".join(f"{k} {v}" for k, v in _versions().items()),
            "device": str(study.prediction.get("device") or "default of tangermeme"),
            "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
            "seconds of this run": f"{seconds:.0f}",
        }
        return cls({k: v for k, v in rows.items() if v})


def write_page(
    folder: Path,
    study: Study,
    sections: Sequence[Section],
    skipped: Mapping[str, str],
    provenance: Provenance,
    key: str,
) -> None:
    """Write `index.html`, which needs no other file to be read, and `report.json`.

    `key` tells in it what the page was made of.
    """
    inputs = study.inputs
    headline = {k: v for section in sections for k, v in section.headline.items()}
    shown = _all_shown(study, sections, folder)
    page = render(
        "page.html.jinja",
        charts=any(f.chart for section in sections for f in section.figures),
        name=inputs.name,
        output=inputs.answer,
        cautions=verdict.cautions(sections),
        verdict=verdict.verdict(sections),
        summary=verdict.summary(sections, headline),
        spread=verdict.spread(headline),
        varied=_varied(shown),
        sections=shown,
        skipped=skipped,
        methods=_methods(study),
        provenance=provenance.rows,
        doi=_DOI,
    )
    report = {
        "name": inputs.name,
        "output": inputs.label,
        "parts": [name for name, results in study.finished.items() if results],
        "headline": {k: _for_json(v) for k, v in headline.items()},
        "logo": _logo(sections, inputs.alphabet),
        "provenance": provenance.rows,
        "key": key,
    }
    write_atomically(folder / "index.html", page.encode())
    write_atomically(
        folder / REPORT, json.dumps(report, indent=2, allow_nan=False).encode()
    )


def _varied(sections: Sequence[Mapping[str, Any]]) -> str:
    """What the intervals of the motif's effect are over."""
    tables = [t for s in sections if s["name"] == "motif" for t in s["tables"]]
    return next((table.varied for table in tables if table.varied), "")


def _for_json(value: float | str) -> float | str | None:
    """JSON knows neither NaN nor infinity."""
    if isinstance(value, str):
        return value
    return float(value) if math.isfinite(value) else None


def _logo(sections: Sequence[Section], letters: Sequence[str]) -> dict[str, Any] | None:
    """The motif as probabilities, if it is known: by letter, a list of positions."""
    for section in reversed(sections):
        if section.motif is not None:
            ppm = section.motif.to(torch.float64)
            return {
                letter: [round(value, _PROBABILITY_DIGITS) for value in row]
                for letter, row in zip(letters, ppm.tolist(), strict=True)
            }
    return None


def _all_shown(
    study: Study, sections: Sequence[Section], folder: Path
) -> list[dict[str, Any]]:
    """Every section as the template reads it."""
    known = {
        "with_output": study.inputs.label is not None,
        "drawn": ["letters"] if study.placed.is_drawn else [],
        "n_averaged": max(1, len(study.inputs.folds)),
    }
    return [_shown(section, folder, **known) for section in sections]


def _shown(section: Section, folder: Path, **known: Any) -> dict[str, Any]:
    """A section as the template reads it; `known` is what `tables.shown` takes."""
    return {
        "name": section.name,
        "question": section.question,
        "sentence": section.sentence,
        "thumbnail": section.thumbnail,
        "method": section.method,
        "cautions": section.cautions,
        "files": section.files,
        "figures": shown_figures(section.figures, folder / "figures"),
        "tables": [
            tables.shown(name, table, **known) for name, table in section.tables.items()
        ],
    }


def _methods(study: Study) -> str:
    options, inputs = study.options, study.inputs
    name = options.backgrounds[0]
    source = _source(inputs, name)
    search = f"The motif was chosen on {study.n_scan:,} others"
    if options.motif is not None:
        search = "The motif was given"
    elif study.given:
        search += f", as the one of {len(study.given):,} given with the highest effect"
    n_padded = int((study.X.sum(dim=1) == 0).any(dim=-1).sum())
    padding = (
        f" {n_padded:,} of them have padding or N, over which patterns are written "
        "where they meet it."
        if n_padded
        else ""
    )
    return (
        "Global importance analysis (Koo et al. 2021) measures the effect of a pattern "
        "on a model: the pattern is placed in each of a population of background "
        "sequences, and the mean difference between the model's predictions with and "
        f"without it is its global importance. The backgrounds are {options.n:,} "
        f"sequences of {count(inputs.length, inputs.unit)}, {source} ({name}), with "
        f"seed {options.random_state}.{padding}{_kept(study)} {search}. "
        "Intervals are 95 % t intervals of the mean over backgrounds, each for itself "
        "and not for all of them together; comparisons on the same backgrounds are "
        "paired, and intervals "
        "of ratios are Fieller's. Searches control the false discovery rate at 5 % "
        "(Benjamini and Hochberg); the best of many is measured on backgrounds other "
        "than those that chose it. Intervals say how sure the mean over such "
        "backgrounds is for this one model: not how replicates of the model would "
        "differ, nor whether the molecule does what the model says."
    )


def _kept(study: Study) -> str:
    """Which positions stay, in a sentence."""
    if not study.options.keep:
        return ""
    kept = resolve_keep(study.options.keep, study.inputs.length)
    shown = listed(spans(np.flatnonzero(kept).tolist()))
    return (
        f" Positions {shown} (from 0) stay as in "
        "the sequences that these are made of, and no pattern is placed there."
    )


def _source(inputs: ReportInputs, background: str) -> str:
    """What the backgrounds are made of."""
    if inputs.X is None:
        return (
            "drawn from the letter frequencies at each position that belong to "
            f"{inputs.name}"
        )
    n = f"{len(inputs.X):,}"
    if background == GENOMIC:
        return f"windows of the genome beside the {n} regions, of their GC content"
    return f"made of {n} observed sequences"


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    return versions | {name: importlib.metadata.version(name) for name in _PACKAGES}
