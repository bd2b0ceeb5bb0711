"""Every command in one table, which is listed without importing what the commands need.

A command that runs one experiment is the library's function of the same name, and each
of its options the keyword of the same name.
"""

from __future__ import annotations

import argparse

from .arguments import (
    BOTH_STRANDS,
    CONTROLS,
    INSERT,
    KMERS,
    MOTIF,
    Command,
    numbers,
    option,
    start,
)
from .survey_commands import SURVEYS
from .values import gaps, orders, orientations, pattern, structure

_BIASED = (
    "Their effects are biased upwards on the backgrounds that chose them: measure them "
    "again with junction-effects and another --random-state"
)
_AT = {"type": pattern, "metavar": "MOTIF@START"}
_NEEDED = {**_AT, "required": True}

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
        "sweep",
        "Do that, or any other command, for each row of a table: hundreds of models, "
        "here or on a cluster. Run again, it does what is missing.",
        "models.tsv --out fleet --workers 8",
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
    ),
    Command(
        "effect-null",
        "Is an effect large, beside what random words and shuffles do in its place?",
        "--patterns UAAUUA@17 --n 200 --n-words 200 --plot null.png",
        (
            option(
                "--patterns",
                "what is placed together, with 0-based first bases; without @START in "
                "the centre",
                nargs="+",
                **_NEEDED,
            ),
            option(
                "--n-words",
                "random words, and as many shuffles of the motif, each in its place",
                type=int,
                default=500,
                dest="n_controls",
            ),
            INSERT,
        ),
        runs="global_importance",
        tabulate=lambda tables, *given: tables.standings(*given),
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
        tabulate=lambda tables, *given: tables.with_additivity(*given),
    ),
    Command(
        "motif-spacing",
        "How does what motifs do together depend on the bases between them?",
        "--motifs UAAUUA UAAUUA --spacings 0:20 --n 200 --plot spacing.png",
        (
            option(
                "--motifs",
                "two or more, from left to right: letters, FILE:NAME, or FILE NAME "
                "NAME ...",
                nargs="+",
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
                type=orders,
                metavar="ORDER",
            ),
            option(
                "--orientations",
                "DNA: all, or strands of the motifs, such as ++,+- (write "
                "--orientations=-+,-- if the first is -; default: all +)",
                type=orientations,
                metavar="SIGNS",
            ),
            CONTROLS,
        ),
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
    ),
    Command(
        "gc-flank",
        "Does GC at the 5' or the 3' end change what a motif does?",
        "--motif UAAUUA --n 200 --plot gc.png",
        _FLANKS,
    ),
    Command(
        "effect-ratio",
        "How many times larger is a motif's effect with a GC-rich flank at either end?",
        "--motif UAAUUA --n 200 --plot gc.png",
        _FLANKS,
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
    ),
    Command(
        "pairwise-interaction",
        "Do two patterns together do more, or less, than the sum of each alone?",
        "--a UAAUUA@10 --b UAAUUA@20 --n 200 --plot interaction.png",
        (
            option("--a", "the first pattern, with its 0-based first base", **_NEEDED),
            option("--b", "the second pattern, with its 0-based first base", **_NEEDED),
            CONTROLS,
        ),
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
                **_NEEDED,
            ),
            CONTROLS,
        ),
    ),
    Command(
        "grammar",
        "Which motifs act together, and how must they stand?",
        "--motifs UAAUUA GCAUG --spacings 0:10 --n 64 --plot grammar.png",
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
                "best first: words, or FILE [NAME ...] for motifs of a file (MEME, "
                "JASPAR, HOMER, ...)",
                nargs="+",
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
    ),
    Command(
        "kmer-mutagenesis",
        "Which letters of a k-mer matter: how do all its single-letter variants do?",
        "--motif UAAUUA --n 200 --plot mutagenesis.png",
        (MOTIF, start(), CONTROLS),
    ),
    Command(
        "occlusion",
        "How much does the output depend on a region, whatever else might stand there?",
        "--sequences probes.fa --width 6 --plot regions.png",
    ),
)
