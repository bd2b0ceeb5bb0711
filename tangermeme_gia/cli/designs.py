"""The experiments as commands: each option is the library keyword of the same name."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pandas as pd

from ..experiments.flanks import gc_flank
from ..experiments.hairpin import hairpin_importance
from ..experiments.importance import global_importance
from ..experiments.interaction import factorial, pairwise_interaction
from ..experiments.positions import positional_bias, random_position
from ..experiments.sites import multi_site
from ..experiments.spacing import motif_spacing
from ..kmers.mutagenesis import kmer_mutagenesis
from ..kmers.scan import kmer_scan
from .values import gaps, integers, kmer_or_file, order, pattern, structure

Given = Mapping[str, Any]


class Design(NamedTuple):
    """A command that runs one experiment.

    `add` gives its options the names of the function's keywords; `draw(plot, result,
    given, alphabet)` draws the plot that fits it.
    """

    name: str
    function: Callable[..., Any]
    summary: str
    example: str
    add: Callable[[argparse._ActionsContainer], None]
    draw: Callable[..., Any]


class Flat(argparse.Action):
    """Several words of which each stands for a list, as one list."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, [x for value in values for x in value])


def add_numbers(
    parser: argparse._ActionsContainer,
    option: str,
    text: str,
    kind: Callable[[str], Any] = integers,
    required: bool = False,
) -> None:
    """An option that takes lists and ranges."""
    metavar = option.strip("-").upper().removesuffix("S")
    parser.add_argument(
        option,
        nargs="+",
        type=kind,
        action=Flat,
        required=required,
        metavar=metavar,
        help=text,
    )


def _add_motif(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--motif", required=True, help="its letters; N keeps the background"
    )


def _add_start(parser: argparse._ActionsContainer, what: str = "motif") -> None:
    parser.add_argument(
        "--start",
        type=int,
        help=f"first base of the {what}, 0-based (default: in the centre)",
    )


def _add_insert(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--insert",
        action="store_true",
        help="insert between bases, which makes sequences longer, instead of replacing",
    )


def _add_controls(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--n-controls",
        type=int,
        default=0,
        help="random motifs, and as many permutations of the motif's letters, that "
        "take its place in rows of their own",
    )


def _add_global_importance(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--patterns",
        nargs="+",
        action="append",
        type=pattern,
        required=True,
        metavar="MOTIF@START",
        help="what is placed together, with 0-based first bases; without @START in "
        "the centre. Given again, it is a further condition",
    )
    _add_insert(parser)
    _add_controls(parser)


def _add_multi_site(parser: argparse._ActionsContainer) -> None:
    _add_motif(parser)
    text = "0-based first base of each site, in the order filled, such as 3 10 17"
    add_numbers(parser, "--starts", text, required=True)
    _add_controls(parser)


def _orders(word: str) -> Any:
    return word if word == "all" else [order(part) for part in word.split("/")]


def _orientations(word: str) -> Any:
    return word if word == "all" else word.split(",")


def _add_spacing(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--motifs", nargs="+", required=True, help="two or more, from left to right"
    )
    text = (
        "bases between the motifs: 0:20 is 0 to 19; 3/5 gives each gap of three "
        "motifs its own"
    )
    add_numbers(parser, "--spacings", text, gaps, required=True)
    _add_start(parser, "leftmost motif")
    parser.add_argument(
        "--orders",
        type=_orders,
        metavar="ORDER",
        help="all, or the numbers of the motifs from left to right, such as 1,2/2,1 "
        "(default: as given)",
    )
    parser.add_argument(
        "--orientations",
        type=_orientations,
        metavar="SIGNS",
        help="DNA: all, or strands of the motifs, such as ++,+- (write "
        "--orientations=-+,-- if the first is -; default: all +)",
    )
    _add_controls(parser)


def _add_position(parser: argparse._ActionsContainer) -> None:
    _add_motif(parser)
    add_numbers(
        parser, "--starts", "0-based first bases, such as 0:36:5 (default: every one)"
    )
    _add_insert(parser)
    _add_controls(parser)


def _add_random_position(parser: argparse._ActionsContainer) -> None:
    _add_motif(parser)
    parser.add_argument(
        "--avoid-padding",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="only where the background has bases",
    )
    _add_controls(parser)


def _add_flank(parser: argparse._ActionsContainer) -> None:
    _add_motif(parser)
    parser.add_argument("--left", default="GCGCGC", help="5' flank")
    parser.add_argument("--right", default="GCGCGC", help="3' flank")
    _add_start(parser)
    parser.add_argument(
        "--left-start", type=int, default=0, help="first base of the 5' flank, 0-based"
    )
    parser.add_argument(
        "--right-start",
        type=int,
        help="first base of the 3' flank, 0-based (default: at the end)",
    )
    _add_controls(parser)


def _add_hairpin(parser: argparse._ActionsContainer) -> None:
    _add_motif(parser)
    parser.add_argument(
        "--structure",
        type=structure,
        default="paper",
        help="paper (start 5, stem 11, loop 6) or released (7,9,7: the authors' code), "
        "start (0-based),stem,loop of a hairpin, or dot-bracket as long as the "
        "sequences",
    )
    text = "0-based first bases of the motif (default: middle of the loop and each arm)"
    add_numbers(parser, "--starts", text)
    parser.add_argument(
        "--wobble", action="store_true", help="let G-U pairs of the background stay"
    )
    _add_controls(parser)


def _add_pair(parser: argparse._ActionsContainer) -> None:
    for name, number in (("--a", "first"), ("--b", "second")):
        parser.add_argument(
            name,
            type=pattern,
            required=True,
            metavar="MOTIF@START",
            help=f"the {number} pattern, with its 0-based first base",
        )
    _add_controls(parser)


def _add_factorial(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--patterns",
        nargs="+",
        type=pattern,
        required=True,
        metavar="MOTIF@START",
        help="patterns A, B, C, ..., with 0-based first bases",
    )
    _add_controls(parser)


def _add_scan(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("--k", type=int, default=6, help="length of the k-mers")
    parser.add_argument(
        "--kmers",
        nargs="+",
        type=kmer_or_file,
        help="instead of all: words, or one MEME file of motifs",
    )
    _add_start(parser, "k-mers")
    parser.add_argument(
        "--fold-reverse-complements",
        action="store_true",
        help="take both strands of a k-mer as one",
    )
    parser.add_argument(
        "--method",
        choices=["exhaustive", "racing"],
        default="exhaustive",
        help="racing finds the --top best (10 if not given) with fewer predictions",
    )
    parser.add_argument(
        "--delta",
        type=float,
        default=0.01,
        help="accepted probability that a race misses one of the best",
    )
    parser.add_argument(
        "--top",
        type=int,
        metavar="N",
        help="list only the N best. Their effects are biased upwards on the "
        "backgrounds that chose them: measure them again with global-importance and "
        "another --seed",
    )


def _add_mutagenesis(parser: argparse._ActionsContainer) -> None:
    _add_motif(parser)
    _add_start(parser)
    _add_controls(parser)


def _varying(conditions: pd.DataFrame, *columns: str) -> list[str]:
    """The columns that have more than one value."""
    return [c for c in columns if conditions[c].astype(str).nunique() > 1]


def _draw_boxes(plot: Any, result: Any, *columns: str) -> Any:
    label = _varying(result.conditions, *columns, "control") or list(columns[:1])
    return plot.local_importance_boxes(result, label)


def _draw_hairpin(plot: Any, result: Any) -> Any:
    columns = ["place", "structure"]
    table = result.conditions
    main = table[table["control"] == "none"]
    if main.duplicated(columns).any():
        columns.append("start")
    return _draw_boxes(plot, result, *columns)


def _draw_spacing(plot: Any, result: Any) -> Any:
    columns = ("order", "orientation", "arm")
    if not pd.api.types.is_numeric_dtype(result.conditions["spacing"]):
        # Gaps that differ are no axis.
        return _draw_boxes(plot, result, *columns, "spacing")
    return plot.spacing_curve(
        result, by=_varying(result.conditions, *columns, "control")
    )


def _draw_mutagenesis(plot: Any, result: Any, given: Given, alphabet: Any) -> Any:
    return plot.mutagenesis_heatmap(result, alphabet=alphabet)


def _draw_position(plot: Any, result: Any) -> Any:
    return plot.position_curve(result, by=_varying(result.conditions, "control"))


DESIGNS = (
    Design(
        "global-importance",
        global_importance,
        "How much do these patterns change the output, on average over backgrounds?",
        "--patterns UAAUUA@17 --patterns UAAUUA@10 UAAUUA@17 --n 200",
        _add_global_importance,
        lambda plot, result, *_: _draw_boxes(plot, result, "patterns"),
    ),
    Design(
        "multi-site",
        multi_site,
        "Do several copies of a motif add up, or does each one count for less?",
        "--motif UAAUUA --starts 3 10 17 --n 200 --plot sites.png",
        _add_multi_site,
        lambda plot, result, *_: plot.additivity_line(result),
    ),
    Design(
        "motif-spacing",
        motif_spacing,
        "How does what motifs do together depend on the bases between them?",
        "--motifs UAAUUA UAAUUA --spacings 0:20 --n 200 --plot spacing.png",
        _add_spacing,
        lambda plot, result, *_: _draw_spacing(plot, result),
    ),
    Design(
        "positional-bias",
        positional_bias,
        "Does it matter where in the sequence a motif stands?",
        "--motif UAAUUA --n 200 --plot position.png",
        _add_position,
        lambda plot, result, *_: _draw_position(plot, result),
    ),
    Design(
        "random-position",
        random_position,
        "What does a motif do wherever it stands, averaged over positions?",
        "--motif UAAUUA --n 200 --n-controls 2",
        _add_random_position,
        lambda plot, result, *_: _draw_boxes(plot, result, "motif"),
    ),
    Design(
        "gc-flank",
        gc_flank,
        "Does GC at the 5' or the 3' end change what a motif does?",
        "--motif UAAUUA --n 200 --plot gc.png",
        _add_flank,
        lambda plot, result, *_: _draw_boxes(plot, result, "arm"),
    ),
    Design(
        "hairpin-importance",
        hairpin_importance,
        "Does a motif act in the loop, in the stem, or without any structure?",
        "--motif UAAUUA --structure released --n 200 --plot hairpin.png",
        _add_hairpin,
        lambda plot, result, *_: _draw_hairpin(plot, result),
    ),
    Design(
        "pairwise-interaction",
        pairwise_interaction,
        "Do two patterns together do more, or less, than the sum of each alone?",
        "--a UAAUUA@10 --b UAAUUA@20 --n 200 --plot interaction.png",
        _add_pair,
        lambda plot, result, *_: plot.interaction_bars(result),
    ),
    Design(
        "factorial",
        factorial,
        "Which patterns depend on each other: what does every subset of them do?",
        "--patterns UAAUUA@3 UAAUUA@17 GCGCGC@30 --n 200 --plot factorial.png",
        _add_factorial,
        lambda plot, result, *_: plot.factorial_bars(result),
    ),
    Design(
        "kmer-scan",
        kmer_scan,
        "Which of all k-mers change the output most, on average over backgrounds?",
        "--k 4 --n 50 --top 10 --plot ranks.png",
        _add_scan,
        lambda plot, result, given, _: plot.kmer_ranks(result, given["top"] or 5),
    ),
    Design(
        "kmer-mutagenesis",
        kmer_mutagenesis,
        "Which letters of a k-mer matter: how do all its single-letter variants do?",
        "--motif UAAUUA --n 200 --plot mutagenesis.png",
        _add_mutagenesis,
        _draw_mutagenesis,
    ),
)
