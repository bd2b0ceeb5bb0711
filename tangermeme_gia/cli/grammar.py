"""`tangermeme-gia grammar`: which motifs act together, and how they have to stand."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.command_line import check_files, write_table
from .arguments import CONSENSUS, Option, numbers, option, start
from .backgrounds import Backgrounds, add_backgrounds
from .experiments import add_group
from .options import Asked, add_inputs, add_model, add_output, ask, take
from .values import orders, orientations

if TYPE_CHECKING:
    import pandas as pd

    from ..backgrounds.by_name import Drawn
    from ..statistics.grammar import Grammar

_TABLES = ("pairs", "profiles", "triples", "saturation")
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
        "saturation": "table of the confirmed pairs: an interaction, or only an output "
        "that saturates? Asked of the half that confirms, only if this is given",
    }
    for name in _TABLES:
        output.add_argument(f"--{name}", type=Path, metavar="FILE", help=texts[name])
    add_inputs(parser)


def run_grammar(
    *,
    pairs: Path | None,
    profiles: Path | None,
    triples: Path | None,
    saturation: Path | None,
    **options: Any,
) -> None:
    """Write a row for each placement of the pairs that were asked about."""
    from ..surveys.grammar import motif_grammar
    from .output import Output, say_varied

    output, chosen = take(options, Output), take(options, Backgrounds)
    files = {"pairs": pairs, "profiles": profiles, "triples": triples}
    every = {**files, "saturation": saturation}
    check_files(out=output.out, plot=output.plot, save=output.save, **every)
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
    if saturation is not None:
        table = _saturation(asked, one, grammar, chosen.keep, output.confidence)
        write_table(table, saturation, "saturation")

    table = grammar.to_frame(output.confidence)
    output.write(
        table,
        grammar,
        grammar.plot,
        title=f"{asked.inputs.name}: pairs of {len(grammar.motifs)} motifs",
    )
    drawn = any(motif.is_drawn for motif in grammar.motifs.values())
    say_varied(table, drawn=["letters"] if drawn else [], n_averaged=asked.n_weights)


def _saturation(
    asked: Asked,
    one: Drawn,
    grammar: Grammar,
    keep: list[int] | None,
    confidence: float,
) -> pd.DataFrame:
    """The verdicts on confirmed pairs, of the backgrounds that confirm."""
    from ..surveys.latent_pairs import confirming_rows, latent_pairs

    rows = confirming_rows(len(one.X), one.clusters, asked.seed)
    clusters = None if one.clusters is None else one.clusters[rows]
    return latent_pairs(
        asked.model,
        one.X[rows],
        grammar,
        confidence=confidence,
        clusters=clusters,
        keep=keep,
        **asked.keywords,
    )
