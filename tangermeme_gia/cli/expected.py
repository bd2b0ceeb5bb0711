"""`tangermeme-gia expected`: has the model learned the motif that it should know?"""

from __future__ import annotations

import argparse
import functools
import logging
from pathlib import Path
from typing import Any

from .._core.command_line import check_files, write_table
from .arguments import BOTH_STRANDS, Option, option, start
from .backgrounds import Backgrounds, add_backgrounds
from .experiments import add_group
from .options import add_inputs, add_model, add_output, ask, take

_log = logging.getLogger("tangermeme_gia.cli")
_EXPECTED: tuple[Option, ...] = (
    option(
        "--motifs",
        "what is expected: words, IUPAC's letters too, FILE:NAME, or FILE [NAME ...] "
        "for motifs of a file (MEME, JASPAR, HOMER, ...)",
        nargs="+",
        required=True,
    ),
    option(
        "--k",
        "letters of the longest word that is ranked; of a longer motif these with the "
        "most information (default: 6, or fewer of a larger alphabet)",
        type=int,
    ),
    start("words"),
    option(
        "--n-shifts", "letters by which words are moved, at most", type=int, default=2
    ),
    BOTH_STRANDS,
    option(
        "--lowest", "they are expected to lower the output most", action="store_true"
    ),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `expected` takes."""
    parser.set_defaults(command=run_expected)
    add_model(parser)
    add_group(parser, _EXPECTED)
    add_backgrounds(parser, several=False)
    output = add_output(parser, raw=False)
    output.add_argument(
        "--ranks",
        type=Path,
        metavar="FILE",
        help="table of the ranks of words, shifts and reverse complements",
    )
    output.add_argument(
        "--alpha",
        type=float,
        default=0.05,
        help="chance that a word the model does not know is called learned",
    )
    add_inputs(parser)


def run_expected(*, ranks: Path | None, alpha: float, **options: Any) -> None:
    """Write a row for each motif, and its verdict as a line on stderr."""
    from ..surveys.expected import rank_expected
    from .output import Output, say_varied

    output, chosen = take(options, Output), take(options, Backgrounds)
    check_files(out=output.out, plot=output.plot, save=output.save, ranks=ranks)
    asked = ask(options)
    (one,) = chosen.draw(asked.inputs, asked.seed, **asked.prediction).values()
    expected = rank_expected(
        asked.model,
        one.X,
        clusters=one.clusters,
        keep=chosen.keep,
        **asked.given,
        **asked.keywords,
    )
    table = expected.to_frame(output.confidence, alpha=alpha)
    for line in table["line"]:
        _log.info("%s", line)
    if ranks is not None:
        write_table(expected.ranks(output.confidence), ranks, "ranks")
    output.write(
        table.drop(columns="line"),
        expected,
        functools.partial(expected.plot, confidence=output.confidence, alpha=alpha),
        title=f"{asked.inputs.name}: expected motifs among all k-mers",
    )
    say_varied(table, n_averaged=asked.n_weights)
