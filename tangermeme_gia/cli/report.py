"""`tangermeme-gia report`: from models to pages."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shlex
import sys
import traceback
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.command_line import USER_ERRORS, check_folders
from ..backgrounds.by_name import GENOMIC, background_names
from ..report.experiments import EXPERIMENTS
from .arguments import CONSENSUS
from .backgrounds import add_keep
from .folds import CROSS, add_folds, check_folds, say_folds
from .models import Loading
from .options import (
    Reading,
    add_inputs,
    add_model,
    folds_of,
    prediction_options,
    read_inputs,
    take,
    take_contrast,
)

if TYPE_CHECKING:  # what explains the options needs no torch
    from ..report import Entry, ReportOptions

# What the state of a model is that was stopped.
_LEFT = "waiting"
# Bytes of a model's name in that of its folder: file systems take 255.
_LONGEST = 100
_BACKGROUNDS = (
    f"those of the robustness, of {', '.join(background_names())}, and {GENOMIC} for "
    "regions of a --genome; the first is that of everything else"
)
# No file or folder of Windows can be called so, with whatever ending.
_DEVICES_OF_WINDOWS = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.I)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `report` takes."""
    parser.set_defaults(command=report, words=[])
    add_model(parser, several=True)
    parser.add_argument(
        "--out", type=Path, default=Path("report"), help="folder to write"
    )
    parser.add_argument(
        "--name",
        nargs="+",
        help="what to call the models, in their order (default: their own names)",
    )
    analysis = parser.add_argument_group("analysis")
    _add_analysis(analysis)
    add_keep(analysis)
    add_folds(parser)
    add_inputs(parser)


def _add_analysis(group: argparse._ArgumentGroup) -> None:
    _add_motifs(group)
    group.add_argument(
        "--experiments",
        nargs="+",
        metavar="NAME",
        help=f"which of {', '.join(EXPERIMENTS)} (default: all that apply; with "
        "--motif or --motifs not scan and alignment)",
    )
    group.add_argument(
        "--backgrounds",
        nargs="+",
        metavar="NAME",
        default=list(background_names()),
        help=_BACKGROUNDS,
    )
    group.add_argument("--n", type=int, default=1000, help="backgrounds")
    group.add_argument(
        "--n-scan",
        type=int,
        help="backgrounds that choose the best k-mers (default: as --n)",
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


def _add_motifs(group: Any) -> None:
    text = "the motif, so that none is searched: letters or FILE:NAME"
    group.add_argument("--motif", help=text)
    group.add_argument(
        "--motifs",
        nargs="+",
        metavar="FILE",
        help="motifs of a file (MEME, JASPAR, HOMER, TRANSFAC, TF-MoDISco), all or "
        "FILE NAME ..., in place of the search of k-mers: the best is the motif, and "
        "pairs of them are asked about (for k-mers as well: --experiments scan ...)",
    )
    name, settings = CONSENSUS
    group.add_argument(name, **settings)
    group.add_argument(
        "--n-words",
        type=int,
        default=100,
        metavar="N",
        help="with --motif or --motifs: random words, and as many shuffles, with which "
        "its effect is compared in its place; 0 for none",
    )


@dataclass(frozen=True)
class _Asked:
    """What the command line says: which models, where to write, and how to analyse."""

    models: Sequence[str]
    names: Sequence[str] | None
    out: Path
    command: str
    options: ReportOptions
    prediction: Mapping[str, Any]
    reuse: bool | None
    inputs: Mapping[str, Any]
    folds: str

    def check(self) -> None:
        """Find out before the first report what would stop a later one."""
        from ..models.loading import check_model

        if len(set(self.models)) < len(self.models):
            raise ValueError(f"`--model` {' '.join(self.models)} names one twice.")
        if self.names and not len(set(self.names)) == len(self.names) == len(
            self.models
        ):
            raise ValueError(
                f"`--name` {' '.join(self.names)} must be a name of its own for each "
                f"of {len(self.models)} models."
            )
        for name in self.names or ():
            if not name.strip() or not name.isprintable():
                raise ValueError(f"`--name` {name!r} must be letters that can be read.")
        missing, weights = [], self.inputs["loading"].weights or []
        check_folds(self.folds, len(weights))
        for spec in self.models:
            try:
                check_model(spec, next(iter(weights), None))
            except (ValueError, OSError) as error:
                missing.append(str(error))
        self.inputs["reading"].check()
        names = ("sequences", "genome")
        files = [(name, getattr(self.inputs["reading"], name)) for name in names]
        files += [("weights", path) for path in weights]
        files.append(("tokens", self.inputs["loading"].tokens))
        for option, path in files:
            if path is not None and not path.exists():
                missing.append(f"`--{option}`: there is no file {path}.")
        if missing:
            raise ValueError(" ".join(dict.fromkeys(missing)))
        check_folders(out=self.out)

    def report(self, spec: str, name: str | None, folder: Path) -> str:
        """Write the report of one model; what it is called."""
        from ..report import run_report

        inputs = read_inputs(spec, **self.inputs)
        inputs = replace(inputs, name=name or inputs.name)
        loading = self.inputs["loading"]
        say_folds(inputs.name, self.folds, loading.weights or ())
        if self.folds == CROSS:
            inputs = replace(inputs, folds=folds_of(inputs, loading))
        print(f"{inputs.name}: {folder}", file=sys.stderr)
        run_report(
            inputs,
            folder,
            self.options,
            command=self.command,
            verbose=True,
            reuse=self.reuse,
            **self.prediction,
        )
        return inputs.name


def report(**given: Any) -> int:
    """Write the page of each model, and one of all of several; the exit code."""
    asked = _read(given)
    asked.check()
    if len(asked.models) > 1:
        from ..report.written import one_writer

        asked.out.mkdir(parents=True, exist_ok=True)
        with one_writer(asked.out):
            return _report_several(asked)
    name = asked.names[0] if asked.names else None
    asked.report(asked.models[0], name, asked.out)
    print(asked.out / "index.html")
    return 0


def _report_several(asked: _Asked) -> int:
    """One report after the other, and a page of all of them that follows."""
    from ..report import Entry

    titles = asked.names or titles_of(asked.models)
    folders = folders_of(asked.models, titles)
    entries = {title: Entry(title, state="waiting") for title in titles}
    try:
        for spec, title, folder in zip(asked.models, titles, folders, strict=True):
            entries[title] = Entry(title, state="running")
            _write_page(asked.out, entries, going_on=True)
            entries[title] = _report_one(asked, spec, title, asked.out / folder)
    finally:  # also where its user stops it
        _write_page(asked.out, entries, going_on=False)
    print(asked.out / "index.html")
    failed = [title for title, entry in entries.items() if entry.state == "failed"]
    if failed:
        print(
            f"tangermeme-gia report: error: {len(failed)} of {len(titles)} models "
            f"failed: {', '.join(failed)} (finished parts are kept)",
            file=sys.stderr,
        )
    return 1 if failed else 0


def _report_one(asked: _Asked, spec: str, title: str, folder: Path) -> Entry:
    """What became of one model, whatever happens to it."""
    from ..report import Entry, report_entry

    try:
        asked.report(spec, title, folder)
        return report_entry(folder)
    except Exception as error:  # whatever it is, it is one of many models
        if not isinstance(error, USER_ERRORS):
            traceback.print_exc()
        why = " ".join(str(error).split()) or type(error).__name__
        print(f"{title} failed: {why}", file=sys.stderr)
        return Entry(title, state="failed", error=why)


def _write_page(folder: Path, entries: Mapping[str, Entry], *, going_on: bool) -> None:
    """The page of all; none is still running where nothing goes on."""
    from ..report import write_fleet

    shown = [
        entry if going_on or entry.state != "running" else replace(entry, state=_LEFT)
        for entry in entries.values()
    ]
    title = "What have these models learned?"
    write_fleet(folder, shown, title=title, going_on=going_on)


def titles_of(specs: Sequence[str]) -> list[str]:
    """What to call models: the last part of their option, where that is enough.

    Examples
    --------
    >>> titles_of(["A1CF", "p/m.safetensors", "a/nets.py:build", "b/nets.py:build"])
    ['A1CF', 'm', 'a/nets.py:build', 'b/nets.py:build']
    """
    short = []
    for spec in specs:
        is_file = Path(spec).is_file() or "/" in spec
        code = spec.rpartition(":")[2]
        short.append(Path(spec).stem if is_file and code == spec else code)
    return [
        name if name and short.count(name) == 1 else spec
        for name, spec in zip(short, specs, strict=True)
    ]


def folders_of(specs: Sequence[str], titles: Sequence[str]) -> list[str]:
    """A folder of its own for each model, the same in whatever company it comes.

    Examples
    --------
    >>> folders_of(["m.py:K562", "m.py:tables"], ["K562", "tables"])
    ['K562', 'tables-206b54dc']
    """
    from ..report.fleet.entries import TAKEN

    # Some file systems tell neither cases nor composed letters apart.
    plain = [unicodedata.normalize("NFC", title) for title in titles]
    names = [re.sub(r"[^\w.-]+", "-", title).strip("-.") for title in plain]
    names = [
        f"model-{name}" if _DEVICES_OF_WINDOWS.match(name) else name for name in names
    ]
    folded = [name.casefold() for name in names]
    return [
        name
        if name == _shortened(name) and folded.count(same) == 1 and same not in TAKEN
        else f"{_shortened(name)}-{_digest(spec)}"
        for name, same, spec in zip(names, folded, specs, strict=True)
    ]


def _shortened(name: str) -> str:
    """No more bytes than file systems take; "model" of no letters at all."""
    return name.encode()[:_LONGEST].decode(errors="ignore") or "model"


def _digest(spec: str) -> str:
    return hashlib.sha256(os.fsencode(spec)).hexdigest()[:8]


def _read(given: dict[str, Any]) -> _Asked:
    """The options of `add_command`, those of `ReportOptions` among them by name."""
    from ..report import ReportOptions

    analysis: dict[str, Any] = {}
    for field in fields(ReportOptions):
        value = given.pop(field.name)
        analysis[field.name] = tuple(value) if isinstance(value, list) else value
    take_contrast(given)
    return _Asked(
        models=given.pop("model"),
        names=given.pop("name"),
        out=given.pop("out"),
        command=shlex.join(["tangermeme-gia", *given.pop("words")]),
        options=ReportOptions(**analysis),
        folds=given.pop("folds"),
        prediction=prediction_options(given.pop("device"), given.pop("batch_size")),
        reuse=given.pop("reuse"),
        inputs={
            "loading": take(given, Loading),
            "reading": take(given, Reading),
            **given,
        },
    )
