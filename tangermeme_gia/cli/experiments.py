"""One experiment from the command line: a table, and a plot if asked for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import Command, Option
from .backgrounds import N_BACKGROUNDS, NAMES, Backgrounds
from .options import add_inputs, add_model, add_output, ask, take
from .values import structure

if TYPE_CHECKING:  # what explains the options needs neither pandas nor torch
    import pandas as pd

    from .._core.motif import Motif
    from ..statistics.comparisons import Comparison

# Letters of a title.
_LONGEST = 60


def add_options(command: Command, parser: argparse.ArgumentParser) -> None:
    """What a command for an experiment takes."""
    parser.set_defaults(command=partial(run_experiment, command))
    add_model(parser)
    add_group(parser, command.options)
    # The best of one background are not those of another, nor its junctions.
    add_backgrounds(
        parser, several=command.name not in ("best-kmers", "junction-effects")
    )
    add_output(
        parser,
        local=command.name
        not in ("kmer-scan", "best-kmers", "junction-effects", "motif-scan"),
    )
    add_inputs(parser)


def run_experiment(command: Command, **options: Any) -> None:
    """Write the table of an experiment, and its plot."""
    from ..experiments.robustness import across_backgrounds
    from .output import Output

    output, chosen = take(options, Output), take(options, Backgrounds)
    listed = options.pop("listed", options.get("top"))
    if chosen.backgrounds and (listed is not None or output.local is not None):
        raise ValueError("`--backgrounds` goes with neither `--top` nor `--local`.")
    asked = ask(options)
    alphabet = asked.inputs.alphabet
    given = _library_keywords(asked.given)
    title = f"{asked.inputs.name}: {subject(given, alphabet)}"
    drawn = chosen.draw(asked.inputs, asked.seed, **asked.prediction)
    run, keywords = command.function, {**given, **asked.keywords}
    if chosen.backgrounds:
        X = {name: each.X for name, each in drawn.items()}
        clusters = {name: each.clusters for name, each in drawn.items()}
        compared = across_backgrounds(
            run, asked.model, X, clusters=clusters, **keywords
        )
        output.write(
            _compare(command, compared, output.confidence),
            lambda plots: plots.background_grid(compared),
            title=title,
        )
        return
    (one,) = drawn.values()
    result = run(asked.model, one.X, clusters=one.clusters, **keywords)
    listing = partial(_tabulate, command, result)
    if listed is not None:
        listing = partial(result.top, listed, lowest=given.get("lowest", False))
    output.write(
        listing(confidence=output.confidence),
        lambda plots: command.draw(plots, result, {**given, "top": listed}, alphabet),
        result,
        title=title,
    )


def subject(given: Mapping[str, Any], alphabet: Sequence[str]) -> str:
    """What an experiment is about, as the title of a picture says it.

    Examples
    --------
    >>> subject({"a": ("uaauua", 10), "b": ("GCGC", None)}, "ACGU")
    'UAAUUA@10, GCGC'
    """
    from .._core.spelling import respell

    if isinstance(given.get("motifs"), Mapping):
        n = len(given["motifs"])
        return f"{n:,} motifs" if n > 1 else next(iter(given["motifs"]))
    for names in (("motif",), ("motifs",), ("patterns",), ("a", "b")):
        words = [w for name in names for w in _words(given.get(name, []))]
        if words:
            shown = respell(", ".join(words), alphabet)
            return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]} ..."
    kmers = given.get("kmers")
    return f"all {given['k']}-mers" if kmers is None else "given k-mers"


def _words(value: Any) -> list[str]:
    """The motifs in options, with their starts."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        motif, start = value
        return [motif if start is None else f"{motif}@{start}"]
    return [word for part in value for word in _words(part)]


def _tabulate(command: Command, result: Any, confidence: float) -> pd.DataFrame:
    from . import tables

    if command.tabulate is None:
        frame: pd.DataFrame = result.to_frame(confidence=confidence)
        return frame
    own: pd.DataFrame = command.tabulate(tables, result, confidence)
    return own


def _compare(command: Command, compared: Comparison, confidence: float) -> pd.DataFrame:
    """The tables of all backgrounds below each other."""
    import pandas as pd

    table = compared.to_frame(confidence)
    own = [_tabulate(command, one, confidence) for one in compared.results.values()]
    more = pd.concat(own, ignore_index=True)
    whole: pd.DataFrame = table.join(
        more[more.columns.difference(table.columns, sort=False)]
    )
    return whole


def add_group(parser: argparse.ArgumentParser, options: Sequence[Option]) -> None:
    """The options of the experiment itself."""
    group = parser.add_argument_group("experiment")
    for name, settings in options:
        group.add_argument(name, **settings)


def add_backgrounds(parser: argparse.ArgumentParser, several: bool) -> None:
    """The options of `Backgrounds`; `several` adds `--backgrounds`."""
    group = parser.add_argument_group("backgrounds")
    one = group.add_mutually_exclusive_group()
    one.add_argument(
        "--background",
        choices=NAMES,
        metavar="NAME",
        default=NAMES[0],
        help=f"sequences the motifs are placed in: {', '.join(NAMES)} (observed: the "
        "sequences as they are; structured: folded as --dot-bracket says)",
    )
    if several:
        one.add_argument(
            "--backgrounds",
            nargs="+",
            choices=NAMES,
            metavar="NAME",
            help="several of these, to see whether the choice matters",
        )
    group.add_argument(
        "--n",
        type=int,
        help=f"background sequences (default: {N_BACKGROUNDS}, or all of 'observed')",
    )
    group.add_argument(
        "--dot-bracket",
        type=structure,
        metavar="STRUCTURE",
        help="design of 'structured': dot-bracket as long as the sequences, paper, "
        "released, or start (0-based),stem,loop of a hairpin",
    )
    group.add_argument(
        "--fold-check",
        action="store_true",
        help="only sequences that fold so by ViennaRNA; the others are drawn again",
    )


def as_kmers(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a scan as the library takes them: a file of motifs is no list."""
    keywords = dict(given)
    kmers = keywords.get("kmers")
    if kmers is not None and any(isinstance(kmer, Path) for kmer in kmers):
        if len(kmers) > 1:
            raise ValueError("`--kmers` takes words, or one file of motifs.")
        if not kmers[0].exists():
            raise FileNotFoundError(f"`--kmers`: there is no file {kmers[0]}.")
        keywords["kmers"] = kmers[0]
    return keywords


def motifs_of_file(path: Path, *names: str | Path) -> dict[str, Motif]:
    """The motifs of a file, or those of these names, in the order of the names."""
    from ..motifs.files import read_motifs

    if not path.is_file():
        raise FileNotFoundError(f"`--motifs`: there is no file {path}.")
    motifs = read_motifs(path)
    if not names:
        return motifs
    chosen = {}
    for name in map(str, names):
        keys = [k for k, m in motifs.items() if name in (k, m.name, *m.name.split())]
        if len(keys) != 1:
            found = f"{len(keys)} motifs are called so" if keys else "there is none"
            raise ValueError(f"`--motifs`: {name!r} of {path}: {found}.")
        chosen[keys[0]] = motifs[keys[0]]
    return chosen


def _library_keywords(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options as the library takes them."""
    keywords = as_kmers(given)
    motifs = keywords.get("motifs")
    if motifs and isinstance(motifs[0], Path):
        keywords["motifs"] = motifs_of_file(*motifs)
    orders = keywords.get("orders")
    if isinstance(orders, list):
        numbers = list(range(len(keywords["motifs"])))
        for order in orders:
            if sorted(order) != numbers:
                shown = ",".join(str(i + 1) for i in order)
                raise ValueError(
                    f"`--orders` has {shown}; each of the motifs 1 to {len(numbers)} "
                    "must be there once."
                )
    return keywords
