"""One experiment from the command line: a table, and a plot if asked for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .._core.command_line import check_files, write_table
from ..experiments.robustness import across_backgrounds
from ..kmers.race import best_kmers
from ..structure.pairs import Hairpin
from .backgrounds import (
    N_BACKGROUNDS,
    NAMES,
    STRUCTURED,
    draw_all,
    draw_background,
)
from .designs import DESIGNS, Design
from .options import add_inputs, add_output, add_parser, ask, check_confidence
from .output import check_picture, local_table, write_plot
from .values import respell, structure

# Keywords that hold motifs, which may be given in lower case and with T for U.
_MOTIFS = ("motif", "motifs", "left", "right", "patterns", "a", "b", "kmers")


def add_commands(subparsers: Any) -> None:
    """Add a command for each experiment on backgrounds."""
    for design in DESIGNS:
        parser = add_parser(subparsers, design.name, design.summary, design.example)
        parser.set_defaults(command=partial(run_experiment, design))
        design.add(parser.add_argument_group("experiment"))
        _add_backgrounds(parser)
        add_output(parser, local=design.name != "kmer-scan")
        add_inputs(parser)


def run_experiment(
    design: Design,
    *,
    background: str,
    backgrounds: list[str] | None,
    n: int | None,
    dot_bracket: str | Hairpin | None,
    fold_check: bool,
    confidence: float,
    out: Path | None,
    plot: Path | None,
    local: Path | None = None,
    top: int | None = None,
    **options: Any,
) -> None:
    """Write the table of an experiment, and its plot."""
    check_picture(plot)
    check_files(out=out, plot=plot, local=local)
    check_confidence(confidence)
    design_of: dict[str, Any] = {"dot_bracket": dot_bracket, "fold_check": fold_check}
    if STRUCTURED not in (backgrounds or [background]) and any(design_of.values()):
        raise ValueError(
            "`--dot-bracket` and `--fold-check` go with the background 'structured'."
        )
    if backgrounds and (top is not None or local is not None):
        raise ValueError("`--backgrounds` goes with neither `--top` nor `--local`.")
    if backgrounds and options.get("method") == "racing":
        raise ValueError(
            "`--method racing` finds the best of one background, and others are best "
            "under another; it does not go with `--backgrounds`."
        )
    asked = ask(options)
    inputs, seed = asked.inputs, asked.seed
    given = _library_keywords(asked.given, inputs.alphabet)
    run, delta = design.function, given.pop("delta", None)
    if given.pop("method", None) == "racing":
        run, given = best_kmers, {**given, "top": top or 10, "delta": delta}
    keywords = {**given, **asked.keywords}
    if backgrounds:
        drawn = draw_all(backgrounds, inputs, n, seed, **design_of, **asked.prediction)
        comparison = across_backgrounds(run, inputs.model, drawn, **keywords)
        write_table(comparison.to_frame(confidence), out)
        if plot is not None:
            write_plot(lambda plots: plots.background_grid(comparison), plot)
        return
    X = draw_background(background, inputs, n, seed, **design_of, **asked.prediction)
    result = run(inputs.model, X, **keywords)
    if top is None:
        write_table(result.to_frame(confidence), out)
    else:
        write_table(result.top(top, confidence=confidence), out)
    if local is not None:
        write_table(local_table(result), local, "local")
    if plot is not None:
        seen = {**given, "top": top}
        write_plot(
            lambda plots: design.draw(plots, result, seen, inputs.alphabet), plot
        )


def _add_backgrounds(parser: argparse.ArgumentParser) -> None:
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


def _library_keywords(given: dict[str, Any], alphabet: Sequence[str]) -> dict[str, Any]:
    """The options as the library takes them."""
    keywords = {
        name: respell(value, alphabet) if name in _MOTIFS else value
        for name, value in given.items()
    }
    kmers = keywords.get("kmers")
    if kmers is not None and any(isinstance(kmer, Path) for kmer in kmers):
        if len(kmers) > 1:
            raise ValueError("`--kmers` takes words, or one MEME file.")
        if not kmers[0].is_file():
            raise FileNotFoundError(f"`--kmers`: there is no file {kmers[0]}.")
        keywords["kmers"] = kmers[0]
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
