"""`tangermeme-gia grammar`: which motifs act together, and how they have to stand."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .._core.command_line import check_files, write_table
from .arguments import CONSENSUS, Option, numbers, option, start
from .backgrounds import Backgrounds, add_backgrounds
from .experiments import add_group
from .options import add_inputs, add_model, add_output, ask, take
from .values import orders, orientations

_TABLES = ("pairs", "profiles", "triples")
_GRAMMAR: tuple[Option, ...] = (
    option(
        "--motifs",
        "words, FILE:NAME, or FILE [NAME ...] for motifs of a file; every pair, also "
        "of a motif with itself, is asked about",
        nargs="+",
        required=True,
    ),
    numbers(
        "--spacings",
        "bases between the motifs; every one, such as 0:40, so that neither hard rules "
        "nor the period of the helix are missed",
        required=True,
    ),
    start("leftmost motif"),
    option(
        "--orders",
        "all, 1,2 (the motif of a pair that was given first is on the left) or 2,1 "
        "(default: all)",
        type=orders,
        metavar="ORDER",
        default="all",
    ),
    option(
        "--orientations",
        "DNA: all, or strands of both motifs, such as ++,+- (write "
        "--orientations=-+,-- if the first is -; default: all)",
        type=orientations,
        metavar="SIGNS",
        default="all",
    ),
    option(
        "--n-starts",
        "from how many neighbouring starts on, one in each background (default: the "
        "stride of the model's layers)",
        type=int,
        metavar="N",
    ),
    CONSENSUS,
    option("--alpha", "false discovery rate", type=float, default=0.05),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `grammar` takes."""
    parser.set_defaults(command=run_grammar)
    add_model(parser)
    add_group(parser, _GRAMMAR)
    add_backgrounds(parser, several=False)
    output = add_output(parser, raw=False)
    texts = {
        "pairs": "table of the pairs: kind of rule, strongest placement, q",
        "profiles": "table of each order and strands: kind of rule, period, decay",
        "triples": "table of interactions of three motifs, all of whose pairs are "
        "confirmed; they are measured only if this is given",
    }
    for name in _TABLES:
        output.add_argument(f"--{name}", type=Path, metavar="FILE", help=texts[name])
    add_inputs(parser)


def run_grammar(
    *, pairs: Path | None, profiles: Path | None, triples: Path | None, **options: Any
) -> None:
    """Write a row for each placement of the pairs that were asked about."""
    from ..surveys.grammar import motif_grammar
    from .output import Output, say_varied

    output, chosen = take(options, Output), take(options, Backgrounds)
    files = {"pairs": pairs, "profiles": profiles, "triples": triples}
    check_files(out=output.out, plot=output.plot, save=output.save, **files)
    asked = ask(options)
    (one,) = chosen.draw(asked.inputs, asked.seed, **asked.prediction).values()
    grammar = motif_grammar(
        asked.model,
        one.X,
        clusters=one.clusters,
        keep=chosen.keep,
        triples=triples is not None,
        **asked.given,
        **asked.keywords,
    )
    for name, path in files.items():
        if path is not None:
            write_table(getattr(grammar, name), path, name)

    table = grammar.to_frame(output.confidence)
    output.write(
        table,
        grammar,
        grammar.plot,
        title=f"{asked.inputs.name}: pairs of {len(grammar.motifs)} motifs",
    )
    drawn = any(motif.is_drawn for motif in grammar.motifs.values())
    say_varied(table, drawn=["letters"] if drawn else [], n_averaged=asked.n_weights)
