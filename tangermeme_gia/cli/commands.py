"""Every command in one table, which is listed without importing what the commands need.

A command that runs one experiment is the library's function of the same name, and each
of its options the keyword of the same name.
"""

from __future__ import annotations

import argparse
from typing import Any

from .arguments import (
    BOTH_STRANDS,
    CONTROLS,
    INSERT,
    KMERS,
    MOTIF,
    Command,
    Given,
    numbers,
    option,
    start,
)
from .survey_commands import SURVEYS
from .values import (
    gaps,
    kmer_or_file,
    letters,
    order,
    pattern,
    structure,
)


def _varying(conditions: Any, *columns: str) -> list[str]:
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
    if result.conditions["spacing"].dtype == object:
        # Gaps that differ are no axis.
        return _draw_boxes(plot, result, *columns, "spacing")
    return plot.spacing_curve(
        result, by=_varying(result.conditions, *columns, "control")
    )


def _draw_mutagenesis(plot: Any, result: Any, given: Given, alphabet: Any) -> Any:
    return plot.mutagenesis_heatmap(result, alphabet=alphabet)


def _draw_position(plot: Any, result: Any) -> Any:
    return plot.position_curve(result, by=_varying(result.conditions, "control"))


def _draw_ranks(plot: Any, result: Any, given: Given, _: Any) -> Any:
    return plot.kmer_ranks(result, given["top"] or 5)


def _orders(word: str) -> Any:
    return word if word == "all" else [order(part) for part in word.split("/")]


def _orientations(word: str) -> Any:
    return word if word == "all" else word.split(",")


_BIASED = (
    "Their effects are biased upwards on the backgrounds that chose them: measure them "
    "again with junction-effects and another --random-state"
)
_AT = {"type": pattern, "required": True, "metavar": "MOTIF@START"}

_FLANKS = (
    MOTIF,
    option("--left", "5' flank", default="GCGCGC"),
    option("--right", "3' flank", default="GCGCGC"),
    start(),
    option(
        "--left-start",
        "first base of the 5' flank, 0-based",
        type=int,
        default=0,
    ),
    option(
        "--right-start",
        "first base of the 3' flank, 0-based (default: at the end)",
        type=int,
    ),
    CONTROLS,
)


COMMANDS = (
    Command(
        "report",
        "Analyse models from k-mer scan to robustness, and write a page for each. "
        "Run again, it goes on where it stopped.",
        "--model A1CF --out report",
    ),
    Command(
        "global-importance",
        "How much do these patterns change the output, on average over backgrounds?",
        "--patterns UAAUUA@17 --patterns UAAUUA@10 UAAUUA@17 --n 200",
        (
            option(
                "--patterns",
                "what is placed together, with 0-based first bases; without @START in "
                "the centre. Given again, it is a further condition",
                nargs="+",
                action="append",
                **_AT,
            ),
            INSERT,
            CONTROLS,
        ),
        lambda plot, result, *_: _draw_boxes(plot, result, "patterns"),
    ),
    Command(
        "multi-site",
        "Do several copies of a motif add up, or does each one count for less?",
        "--motif UAAUUA --starts 3 10 17 --n 200 --plot sites.png",
        (
            MOTIF,
            numbers(
                "--starts",
                "0-based first base of each site, in the order filled, such as 3 10 17",
                required=True,
            ),
            CONTROLS,
        ),
        lambda plot, result, *_: plot.additivity_line(result),
        tabulate=lambda tables, *given: tables.with_additivity(*given),
    ),
    Command(
        "motif-spacing",
        "How does what motifs do together depend on the bases between them?",
        "--motifs UAAUUA UAAUUA --spacings 0:20 --n 200 --plot spacing.png",
        (
            option(
                "--motifs",
                "two or more, from left to right",
                nargs="+",
                type=letters,
                required=True,
            ),
            numbers(
                "--spacings",
                "bases between the motifs: 0:20 is 0 to 19; 3/5 gives each gap of "
                "three motifs its own",
                gaps,
                required=True,
            ),
            start("leftmost motif"),
            option(
                "--orders",
                "all, or the numbers of the motifs from left to right, such as 1,2/2,1 "
                "(default: as given)",
                type=_orders,
                metavar="ORDER",
            ),
            option(
                "--orientations",
                "DNA: all, or strands of the motifs, such as ++,+- (write "
                "--orientations=-+,-- if the first is -; default: all +)",
                type=_orientations,
                metavar="SIGNS",
            ),
            CONTROLS,
        ),
        lambda plot, result, *_: _draw_spacing(plot, result),
    ),
    Command(
        "positional-bias",
        "Does it matter where in the sequence a motif stands?",
        "--motif UAAUUA --n 200 --plot position.png",
        (
            MOTIF,
            numbers(
                "--starts",
                "0-based first bases, such as 0:36:5 (default: every one)",
            ),
            INSERT,
            CONTROLS,
        ),
        lambda plot, result, *_: _draw_position(plot, result),
    ),
    Command(
        "random-position",
        "What does a motif do wherever it stands, averaged over positions?",
        "--motif UAAUUA --n 200 --n-controls 2",
        (
            MOTIF,
            option(
                "--avoid-padding",
                "only where the background has bases",
                action=argparse.BooleanOptionalAction,
                default=True,
            ),
            CONTROLS,
        ),
        lambda plot, result, *_: _draw_boxes(plot, result, "motif"),
    ),
    Command(
        "gc-flank",
        "Does GC at the 5' or the 3' end change what a motif does?",
        "--motif UAAUUA --n 200 --plot gc.png",
        _FLANKS,
        lambda plot, result, *_: _draw_boxes(plot, result, "arm"),
    ),
    Command(
        "effect-ratio",
        "How many times larger is a motif's effect with a GC-rich flank at either end?",
        "--motif UAAUUA --n 200 --plot gc.png",
        _FLANKS,
        lambda plot, result, *_: _draw_boxes(plot, result, "arm"),
        runs="gc_flank",
        tabulate=lambda tables, *given: tables.ratios(*given),
    ),
    Command(
        "hairpin-importance",
        "Does a motif act in the loop, in the stem, or without any structure?",
        "--motif UAAUUA --structure released --n 200 --plot hairpin.png",
        (
            MOTIF,
            option(
                "--structure",
                "paper (start 5, stem 11, loop 6) or released (7,9,7: the authors' "
                "code), start (0-based),stem,loop of a hairpin, or dot-bracket as long "
                "as the sequences",
                type=structure,
                default="paper",
            ),
            numbers(
                "--starts",
                "0-based first bases of the motif (default: middle of the loop and "
                "each arm)",
            ),
            option(
                "--wobble", "let G-U pairs of the background stay", action="store_true"
            ),
            CONTROLS,
        ),
        lambda plot, result, *_: _draw_hairpin(plot, result),
    ),
    Command(
        "pairwise-interaction",
        "Do two patterns together do more, or less, than the sum of each alone?",
        "--a UAAUUA@10 --b UAAUUA@20 --n 200 --plot interaction.png",
        (
            option("--a", "the first pattern, with its 0-based first base", **_AT),
            option("--b", "the second pattern, with its 0-based first base", **_AT),
            CONTROLS,
        ),
        lambda plot, result, *_: plot.interaction_bars(result),
    ),
    Command(
        "factorial",
        "Which patterns depend on each other: what does every subset of them do?",
        "--patterns UAAUUA@3 UAAUUA@17 GCGCGC@30 --n 200 --plot factorial.png",
        (
            option(
                "--patterns",
                "patterns A, B, C, ..., with 0-based first bases",
                nargs="+",
                **_AT,
            ),
            CONTROLS,
        ),
        lambda plot, result, *_: plot.factorial_bars(result),
    ),
    Command(
        "kmer-scan",
        "How much does every k-mer change the output, on average over backgrounds?",
        "--k 4 --n 50 --top 10 --plot ranks.png",
        (
            *KMERS,
            option(  # of the table only
                "--top",
                f"list only the N best. {_BIASED}",
                type=int,
                dest="listed",
                metavar="N",
            ),
        ),
        _draw_ranks,
    ),
    Command(
        "best-kmers",
        "Which few k-mers change the output most, without measuring all of them?",
        "--k 4 --n 200 --top 5 --plot best.png",
        (
            *KMERS,
            option("--top", f"how many. {_BIASED}", type=int, default=10, metavar="N"),
            option(
                "--lowest",
                "those that lower the output most, instead of raising it",
                action="store_true",
            ),
            option(
                "--delta",
                "accepted probability that the race misses one of the best",
                type=float,
                default=0.01,
            ),
        ),
        _draw_ranks,
    ),
    *SURVEYS,
    Command(
        "align-kmers",
        "Which motif do the best of all k-mers add up to?",
        "--k 4 --n 50 --meme motif.meme --plot motif.png",
    ),
    Command(
        "compare-motifs",
        "Which known motifs look like these?",
        "--motifs motif.meme --known known.meme --n-nearest 3",
    ),
    Command(
        "junction-effects",
        "Does a k-mer act by itself, or only where the background completes a better "
        "one?",
        "--kmers UAAUUA AAUUAA --n 200 --random-state 1",
        (
            option(
                "--kmers",
                "best first: words, or one file of motifs (MEME, JASPAR, HOMER, ...)",
                nargs="+",
                type=kmer_or_file,
                required=True,
            ),
            start("k-mers"),
            option(
                "--better-only",
                "split a k-mer only by those before it, not by all others",
                action=argparse.BooleanOptionalAction,
                default=True,
            ),
            BOTH_STRANDS,
        ),
        lambda plot, result, *_: _draw_boxes(plot, result.result, "kmer"),
    ),
    Command(
        "kmer-mutagenesis",
        "Which letters of a k-mer matter: how do all its single-letter variants do?",
        "--motif UAAUUA --n 200 --plot mutagenesis.png",
        (MOTIF, start(), CONTROLS),
        _draw_mutagenesis,
    ),
    Command(
        "occlusion",
        "How much does the output depend on a region, whatever else might stand there?",
        "--sequences probes.fa --width 6 --plot regions.png",
    ),
)
