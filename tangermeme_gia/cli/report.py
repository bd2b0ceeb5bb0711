"""`tangermeme-gia report`: from models to pages."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
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
from .options import (
    add_inputs,
    add_model,
    prediction_options,
    read_inputs,
)
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


def report(
    *,
    words: Sequence[str],
    model: Sequence[str],
    out: Path,
    motif: str | None,
    experiments: Sequence[str] | None,
    backgrounds: Sequence[str],
    n: int,
    n_scan: int | None,
    k: int,
    start: int | None,
    both_strands: bool,
    device: str | None,
    batch_size: int | None,
    seed: int,
    **inputs: Any,
) -> None:
    """Write the page of each model, and an overview of several."""
    options = ReportOptions(
        k=k,
        n=n,
        n_scan=n_scan,
        motif=motif,
        start=start,
        experiments=None if experiments is None else tuple(experiments),
        backgrounds=tuple(backgrounds),
        both_strands=both_strands,
        random_state=seed,
    )
    keywords = prediction_options(device, batch_size)
    if len(set(model)) < len(model):
        raise ValueError(f"`--model` {' '.join(model)} names one twice.")
    loaded = _distinct(model, [read_inputs(spec, **inputs) for spec in model])
    folders = [out] if len(loaded) == 1 else [out / one.name for one in loaded]
    finished, failed = [], []
    for one, folder in zip(loaded, folders, strict=True):
        print(f"{one.name}: {folder}", file=sys.stderr)
        try:
            run_report(
                one,
                folder,
                replace(options, motif=respell(motif, one.alphabet)),
                command=shlex.join(["tangermeme-gia", *words]),
                verbose=sys.stderr.isatty(),
                **keywords,
            )
            finished.append(folder)
        except OutputError as error:  # one of many models need not stop the others
            failed.append(f"{one.name}: {error}")
    if len(loaded) > 1 and finished:
        write_overview(out, finished)
    if finished:
        print(out / "index.html")
    if failed:
        raise OutputError(f"{'; '.join(failed)} (finished parts are kept)")


def _distinct(specs: Sequence[str], loaded: list[ReportInputs]) -> list[ReportInputs]:
    """Models of one name, such as replicates, get the name of their option."""
    names = [one.name for one in loaded]
    return [
        one
        if names.count(one.name) == 1
        else replace(one, name=re.sub(r"[^\w.-]+", "-", spec).strip("-."))
        for spec, one in zip(specs, loaded, strict=True)
    ]
