"""What commands and their options are made of, and options that several have."""

from __future__ import annotations

import argparse
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .values import integers, kmer_or_file, letters

# The name of an option, and the keywords of `add_argument`.
Option = tuple[str, dict[str, Any]]
Given = Mapping[str, Any]


class Command(NamedTuple):
    """A command: of a module of its own, or one that runs one experiment.

    Then its `options` have the names of the function's keywords, and
    `draw(plot, result, given, alphabet)` draws the plot that fits it. The function has
    the name of the command unless `runs` is another; the table is that of `to_frame`
    unless `tabulate(tables, result, confidence)` makes one.
    """

    name: str
    summary: str
    example: str
    options: tuple[Option, ...] = ()
    draw: Any = None
    runs: str = ""
    tabulate: Any = None

    @property
    def module(self) -> str:
        """That of a command of its own."""
        return self.name.replace("-", "_")

    @property
    def function(self) -> Callable[..., Any]:
        """What it runs."""
        name = (self.runs or self.name).replace("-", "_")
        function: Callable[..., Any] = pkgutil.resolve_name(f"tangermeme_gia:{name}")
        return function


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


def option(name: str, text: str, **settings: Any) -> Option:
    """An option that says in `text` what it is.

    Examples
    --------
    >>> option("--k", "length of the k-mers", type=int, default=6)[0]
    '--k'
    """
    return name, {"help": text, **settings}


def numbers(
    name: str, text: str, kind: Callable[[str], Any] = integers, **settings: Any
) -> Option:
    """An option that takes lists and ranges."""
    metavar = name.strip("-").upper().removesuffix("S")
    return option(
        name, text, nargs="+", type=kind, action=Flat, metavar=metavar, **settings
    )


def start(what: str = "motif") -> Option:
    """Where it is placed."""
    text = f"first base of the {what}, 0-based (default: in the centre)"
    return option("--start", text, type=int)


MOTIF = option(
    "--motif", "its letters; N keeps the background", type=letters, required=True
)
MOTIFS = option(
    "--motifs",
    "a file of motifs (MEME, JASPAR, HOMER, TRANSFAC, TF-MoDISco), and the names of "
    "some of them where not all are meant; or letters",
    nargs="+",
    type=kmer_or_file,
    metavar="FILE",
    required=True,
)
CONSENSUS = option(
    "--consensus",
    "place the most likely letters of a motif instead of draws",
    action="store_true",
)
INSERT = option(
    "--insert",
    "insert between bases, which makes sequences longer, instead of replacing",
    action="store_true",
)
CONTROLS = option(
    "--n-controls",
    "random motifs, and as many permutations of the motif's letters, that take its "
    "place in rows of their own",
    type=int,
    default=0,
)
BOTH_STRANDS = option(
    "--both-strands", "take both strands of a k-mer as one", action="store_true"
)
KMERS = (
    option("--k", "length of the k-mers", type=int, default=6),
    option(
        "--kmers",
        "instead of all: words, or one file of motifs (MEME, JASPAR, HOMER, ...)",
        nargs="+",
        type=kmer_or_file,
    ),
    start("k-mers"),
    BOTH_STRANDS,
)
