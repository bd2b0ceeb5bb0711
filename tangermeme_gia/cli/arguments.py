"""The options of each experiment, with the names of the library's keywords."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from .values import gaps, integers, kmer_or_file, order, pattern, structure

_BIASED = (
    "Their effects are biased upwards on the backgrounds that chose them: measure them "
    "again with global-importance and another --seed"
)


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


def add_global_importance(parser: argparse._ActionsContainer) -> None:
    """Options of `global-importance`."""
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


def add_multi_site(parser: argparse._ActionsContainer) -> None:
    """Options of `multi-site`."""
    _add_motif(parser)
    text = "0-based first base of each site, in the order filled, such as 3 10 17"
    add_numbers(parser, "--starts", text, required=True)
    _add_controls(parser)


def _orders(word: str) -> Any:
    return word if word == "all" else [order(part) for part in word.split("/")]


def _orientations(word: str) -> Any:
    return word if word == "all" else word.split(",")


def add_spacing(parser: argparse._ActionsContainer) -> None:
    """Options of `motif-spacing`."""
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


def add_position(parser: argparse._ActionsContainer) -> None:
    """Options of `positional-bias`."""
    _add_motif(parser)
    add_numbers(
        parser, "--starts", "0-based first bases, such as 0:36:5 (default: every one)"
    )
    _add_insert(parser)
    _add_controls(parser)


def add_random_position(parser: argparse._ActionsContainer) -> None:
    """Options of `random-position`."""
    _add_motif(parser)
    parser.add_argument(
        "--avoid-padding",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="only where the background has bases",
    )
    _add_controls(parser)


def add_flank(parser: argparse._ActionsContainer) -> None:
    """Options of `gc-flank`."""
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


def add_hairpin(parser: argparse._ActionsContainer) -> None:
    """Options of `hairpin-importance`."""
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


def add_pair(parser: argparse._ActionsContainer) -> None:
    """Options of `pairwise-interaction`."""
    for name, number in (("--a", "first"), ("--b", "second")):
        parser.add_argument(
            name,
            type=pattern,
            required=True,
            metavar="MOTIF@START",
            help=f"the {number} pattern, with its 0-based first base",
        )
    _add_controls(parser)


def add_factorial(parser: argparse._ActionsContainer) -> None:
    """Options of `factorial`."""
    parser.add_argument(
        "--patterns",
        nargs="+",
        type=pattern,
        required=True,
        metavar="MOTIF@START",
        help="patterns A, B, C, ..., with 0-based first bases",
    )
    _add_controls(parser)


def _add_kmers(parser: argparse._ActionsContainer) -> None:
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


def add_scan(parser: argparse._ActionsContainer) -> None:
    """Options of `kmer-scan`; `--top` concerns the table only."""
    _add_kmers(parser)
    parser.add_argument(
        "--top",
        type=int,
        dest="listed",
        metavar="N",
        help=f"list only the N best. {_BIASED}",
    )


def add_race(parser: argparse._ActionsContainer) -> None:
    """Options of `best-kmers`."""
    _add_kmers(parser)
    parser.add_argument(
        "--top", type=int, default=10, metavar="N", help=f"how many. {_BIASED}"
    )
    parser.add_argument(
        "--delta",
        type=float,
        default=0.01,
        help="accepted probability that the race misses one of the best",
    )


def add_mutagenesis(parser: argparse._ActionsContainer) -> None:
    """Options of `kmer-mutagenesis`."""
    _add_motif(parser)
    _add_start(parser)
    _add_controls(parser)
