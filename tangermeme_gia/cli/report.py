"""`tangermeme-gia report`: from models to pages."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..backgrounds.by_name import background_names
from ..report import (
    EXPERIMENTS,
    OutputError,
    ReportInputs,
    ReportOptions,
    run_report,
    write_overview,
)
from .options import add_inputs, add_model, prediction_options, read_inputs
from .values import respell


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `report` takes."""
    parser.set_defaults(command=report, words=[])
    add_model(parser, several=True)
    parser.add_argument(
        "--out", type=Path, default=Path("report"), help="folder to write"
    )
    _add_analysis(parser)
    add_inputs(parser)


def _add_analysis(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("analysis")
    group.add_argument("--motif", help="the motif, so that none is searched")
    group.add_argument(
        "--experiments",
        nargs="+",
        metavar="NAME",
        help=f"which of {', '.join(EXPERIMENTS)} (default: all that apply)",
    )
    group.add_argument(
        "--backgrounds",
        nargs="+",
        metavar="NAME",
        default=list(background_names()),
        help="those of the robustness; the first is that of everything else",
    )
    group.add_argument("--n", type=int, default=1000, help="backgrounds")
    group.add_argument(
        "--n-scan", type=int, help="backgrounds of the k-mer scan (default: as --n)"
    )
    group.add_argument("--k", type=int, default=6, help="length of the k-mers")
    group.add_argument(
        "--start", type=int, help="first base of the motif, from 0 (default: centre)"
    )
    group.add_argument(
        "--both-strands",
        action="store_true",
        help="DNA: scan each k-mer together with its reverse complement",
    )


@dataclass(frozen=True)
class _Asked:
    """What the command line says: which models, where to write, and how to analyse."""

    models: Sequence[str]
    out: Path
    command: str
    options: ReportOptions
    prediction: Mapping[str, Any]
    inputs: Mapping[str, Any]

    def load(self) -> list[tuple[ReportInputs, Path]]:
        """The models, and the folder that each is reported in."""
        if len(set(self.models)) < len(self.models):
            raise ValueError(f"`--model` {' '.join(self.models)} names one twice.")
        loaded = [read_inputs(model, **self.inputs) for model in self.models]
        if len(loaded) == 1:
            return [(loaded[0], self.out)]
        return [(one, self.out / one.name) for one in _distinct(self.models, loaded)]


def report(**given: Any) -> None:
    """Write the page of each model, and an overview of several."""
    asked = _read(given)
    loaded, finished, failed = asked.load(), [], []
    for one, folder in loaded:
        print(f"{one.name}: {folder}", file=sys.stderr)
        motif = respell(asked.options.motif, one.alphabet)
        try:
            run_report(
                one,
                folder,
                replace(asked.options, motif=motif),
                command=asked.command,
                verbose=sys.stderr.isatty(),
                **asked.prediction,
            )
            finished.append(folder)
        except OutputError as error:  # one of many models need not stop the others
            failed.append(f"{one.name}: {error}")
    if len(loaded) > 1 and finished:
        write_overview(asked.out, finished)
    if finished:
        print(asked.out / "index.html")
    if failed:
        raise OutputError(f"{'; '.join(failed)} (finished parts are kept)")


def _read(given: dict[str, Any]) -> _Asked:
    """The options of `add_command`, those of `ReportOptions` among them by name."""
    given["random_state"] = given.pop("seed")
    analysis: dict[str, Any] = {}
    for field in fields(ReportOptions):
        value = given.pop(field.name)
        analysis[field.name] = tuple(value) if isinstance(value, list) else value
    return _Asked(
        models=given.pop("model"),
        out=given.pop("out"),
        command=shlex.join(["tangermeme-gia", *given.pop("words")]),
        options=ReportOptions(**analysis),
        prediction=prediction_options(given.pop("device"), given.pop("batch_size")),
        inputs=given,
    )


def _distinct(specs: Sequence[str], loaded: list[ReportInputs]) -> list[ReportInputs]:
    """Models of one name, such as replicates, get the name of their option."""
    names = [one.name for one in loaded]
    return [
        one
        if names.count(one.name) == 1
        else replace(one, name=re.sub(r"[^\w.-]+", "-", spec).strip("-."))
        for spec, one in zip(specs, loaded, strict=True)
    ]
