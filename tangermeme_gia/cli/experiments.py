"""One experiment from the command line: a table, and a plot if asked for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from .backgrounds import N_BACKGROUNDS, NAMES, Backgrounds
from .commands import Command
from .options import add_inputs, add_model, add_output, ask, take
from .values import respell, structure

# Keywords that hold motifs, which may be given in lower case and with T for U.
_MOTIFS = ("motif", "motifs", "left", "right", "patterns", "a", "b", "kmers")


def add_options(command: Command, parser: argparse.ArgumentParser) -> None:
    """What a command for an experiment takes."""
    parser.set_defaults(command=partial(run_experiment, command))
    add_model(parser)
    group = parser.add_argument_group("experiment")
    for name, settings in command.options:
        group.add_argument(name, **settings)
    # The best of one background are not those of another.
    _add_backgrounds(parser, several=command.name != "best-kmers")
    add_output(parser, local=command.name not in ("kmer-scan", "best-kmers"))
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
    given = _library_keywords(asked.given, alphabet)
    drawn = chosen.draw(asked.inputs, asked.seed, **asked.prediction)
    run, keywords = command.function, {**given, **asked.keywords}
    if chosen.backgrounds:
        compared = across_backgrounds(run, asked.model, drawn, **keywords)
        output.write(
            compared.to_frame(output.confidence),
            lambda plots: plots.background_grid(compared),
        )
        return
    (X,) = drawn.values()
    result = run(asked.model, X, **keywords)
    listing = result.to_frame
    if listed is not None:
        listing = partial(result.top, listed, lowest=given.get("lowest", False))
    output.write(
        listing(confidence=output.confidence),
        lambda plots: command.draw(plots, result, {**given, "top": listed}, alphabet),
        result,
    )


def _add_backgrounds(parser: argparse.ArgumentParser, several: bool) -> None:
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


def _library_keywords(given: dict[str, Any], alphabet: Sequence[str]) -> dict[str, Any]:
    """The options as the library takes them."""
    keywords = {
        name: respell(value, alphabet) if name in _MOTIFS else value
        for name, value in given.items()
    }
    kmers = keywords.get("kmers")
    if kmers is not None and any(isinstance(kmer, Path) for kmer in kmers):
        if len(kmers) > 1:
            raise ValueError("`--kmers` takes words, or one file of motifs.")
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
