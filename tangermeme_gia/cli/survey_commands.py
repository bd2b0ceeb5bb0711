"""Commands for surveys, which ask many questions of one kind at once."""

from __future__ import annotations

from .arguments import MOTIF, MOTIFS, Command, numbers, option, start
from .values import pattern, start_or_random

_AT = {"type": pattern, "metavar": "MOTIF@START"}
_N_WORDS = option(
    "--n-words", "words that are tried for the grades of each", type=int, default=48
)

SURVEYS = (
    Command(
        "expected",
        "Has the model learned the motif that it should know?",
        "--motifs WUAAUUR --n 100 --plot expected.png",
    ),
    Command(
        "motif-scan",
        "Which motifs of a collection does the model read, and what do they do?",
        "--motifs motif.meme --n 200 --plot motifs.png",
        (
            MOTIFS,
            option(
                "--start",
                "first base of each, 0-based, or 'random': another in each background "
                "(default: in the centre)",
                type=start_or_random,
            ),
            option(
                "--strands",
                "as given (+); both strands apart; or their mean",
                choices=("+", "apart", "mean"),
                default="+",
            ),
            option(
                "--n-controls",
                "how often the letters of each background are placed in another order",
                type=int,
                default=1,
            ),
            option(
                "--selection-fraction",
                "share of the backgrounds that chooses the best for --top",
                type=float,
                default=0.5,
            ),
            option(  # of the table only
                "--top",
                "list only the N best that are unlike each other, chosen on some of "
                "the backgrounds and measured on the others",
                type=int,
                dest="listed",
                metavar="N",
            ),
        ),
    ),
    Command(
        "affinity-response",
        "Do better sites of a motif do more, and where does that stop?",
        "--motif WUAAUUR --n 200 --plot affinity.png",
        (
            MOTIF,
            option("--n-levels", "levels of score", type=int, default=10),
            start("sites"),
            option("--n-sites", "different sites of each level", type=int, default=5),
            option(
                "--frequencies",
                "of the letters of the background (default: all alike)",
                nargs="+",
                type=float,
                metavar="SHARE",
            ),
        ),
        tabulate=lambda tables, *given: tables.with_affinity(*given),
    ),
    Command(
        "latent-interaction",
        "Do two patterns interact, or does the output only saturate?",
        "--a UAAUUA@4 --b GCAUGC@20 --c UAAUUA@30 --n 200 --plot latent.png",
        (
            option("--a", "the first pattern, at full strength", required=True, **_AT),
            option("--b", "the second pattern, at full strength", required=True, **_AT),
            option(
                "--c",
                "a third one that acts with neither (default: A again, as far from "
                "both as there is room)",
                **_AT,
            ),
            option(
                "--n-levels",
                "grades of each, nothing and full strength among them",
                nargs=3,
                type=int,
                metavar=("A", "B", "C"),
                default=(5, 5, 4),
            ),
            _N_WORDS,
        ),
        tabulate=lambda tables, *given: tables.with_latent(*given),
    ),
    Command(
        "latent-sites",
        "Do several sites count for less than their sum, or does the output saturate?",
        "--motif UAAUUA --starts 2 10 18 --n 200 --plot curve.png",
        (
            MOTIF,
            numbers(
                "--starts",
                "0-based first base of each site, in the order filled, such as 2 10 18",
                required=True,
            ),
            option(
                "--c",
                "an element that acts with no site (default: the motif again, as far "
                "from all as there is room)",
                **_AT,
            ),
            option("--d", "another one (default: as `--c`)", **_AT),
            option(
                "--n-levels",
                "grades of both, nothing and full strength among them",
                nargs=2,
                type=int,
                metavar=("C", "D"),
                default=(5, 4),
            ),
            _N_WORDS,
        ),
        tabulate=lambda tables, *given: tables.with_latent_sites(*given),
    ),
    Command(
        "discover-motifs",
        "Which motifs does the model read in these sequences, and are they sufficient "
        "and necessary for what it says?",
        "--sequences probes.fa --motifs motif.meme --plot patterns.png",
    ),
)
