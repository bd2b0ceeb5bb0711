"""Every command in one table, which is listed without importing what the commands need.

A command that runs one experiment is the library's function of the same name, and each
of its options the keyword of the same name.
"""

from __future__ import annotations

import argparse
import pkgutil
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from . import arguments

Given = Mapping[str, Any]


class Command(NamedTuple):
    """A command, and how it runs one experiment if it does.

    `add` gives its options the names of the function's keywords; `draw(plot, result,
    given, alphabet)` draws the plot that fits it.
    """

    name: str
    summary: str
    example: str
    add: Callable[[argparse._ActionsContainer], None]
    draw: Callable[..., Any]

    @property
    def function(self) -> Callable[..., Any]:
        """What it runs."""
        name = self.name.replace("-", "_")
        function: Callable[..., Any] = pkgutil.resolve_name(f"tangermeme_gia:{name}")
        return function


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
    from ..kmers.mutagenesis import mutagenesis_change

    change = mutagenesis_change(result, alphabet=alphabet)
    return plot.mutagenesis_heatmap(change, given["motif"], alphabet)


def _draw_position(plot: Any, result: Any) -> Any:
    return plot.position_curve(result, by=_varying(result.conditions, "control"))


def _draw_ranks(plot: Any, result: Any, given: Given, _: Any) -> Any:
    return plot.kmer_ranks(result, given["top"] or 5)


COMMANDS = (
    Command(
        "global-importance",
        "How much do these patterns change the output, on average over backgrounds?",
        "--patterns UAAUUA@17 --patterns UAAUUA@10 UAAUUA@17 --n 200",
        arguments.add_global_importance,
        lambda plot, result, *_: _draw_boxes(plot, result, "patterns"),
    ),
    Command(
        "multi-site",
        "Do several copies of a motif add up, or does each one count for less?",
        "--motif UAAUUA --starts 3 10 17 --n 200 --plot sites.png",
        arguments.add_multi_site,
        lambda plot, result, *_: plot.additivity_line(result),
    ),
    Command(
        "motif-spacing",
        "How does what motifs do together depend on the bases between them?",
        "--motifs UAAUUA UAAUUA --spacings 0:20 --n 200 --plot spacing.png",
        arguments.add_spacing,
        lambda plot, result, *_: _draw_spacing(plot, result),
    ),
    Command(
        "positional-bias",
        "Does it matter where in the sequence a motif stands?",
        "--motif UAAUUA --n 200 --plot position.png",
        arguments.add_position,
        lambda plot, result, *_: _draw_position(plot, result),
    ),
    Command(
        "random-position",
        "What does a motif do wherever it stands, averaged over positions?",
        "--motif UAAUUA --n 200 --n-controls 2",
        arguments.add_random_position,
        lambda plot, result, *_: _draw_boxes(plot, result, "motif"),
    ),
    Command(
        "gc-flank",
        "Does GC at the 5' or the 3' end change what a motif does?",
        "--motif UAAUUA --n 200 --plot gc.png",
        arguments.add_flank,
        lambda plot, result, *_: _draw_boxes(plot, result, "arm"),
    ),
    Command(
        "hairpin-importance",
        "Does a motif act in the loop, in the stem, or without any structure?",
        "--motif UAAUUA --structure released --n 200 --plot hairpin.png",
        arguments.add_hairpin,
        lambda plot, result, *_: _draw_hairpin(plot, result),
    ),
    Command(
        "pairwise-interaction",
        "Do two patterns together do more, or less, than the sum of each alone?",
        "--a UAAUUA@10 --b UAAUUA@20 --n 200 --plot interaction.png",
        arguments.add_pair,
        lambda plot, result, *_: plot.interaction_bars(result),
    ),
    Command(
        "factorial",
        "Which patterns depend on each other: what does every subset of them do?",
        "--patterns UAAUUA@3 UAAUUA@17 GCGCGC@30 --n 200 --plot factorial.png",
        arguments.add_factorial,
        lambda plot, result, *_: plot.factorial_bars(result),
    ),
    Command(
        "kmer-scan",
        "How much does every k-mer change the output, on average over backgrounds?",
        "--k 4 --n 50 --top 10 --plot ranks.png",
        arguments.add_scan,
        _draw_ranks,
    ),
    Command(
        "best-kmers",
        "Which few k-mers change the output most, without measuring all of them?",
        "--k 4 --n 200 --top 5 --plot best.png",
        arguments.add_race,
        _draw_ranks,
    ),
    Command(
        "kmer-mutagenesis",
        "Which letters of a k-mer matter: how do all its single-letter variants do?",
        "--motif UAAUUA --n 200 --plot mutagenesis.png",
        arguments.add_mutagenesis,
        _draw_mutagenesis,
    ),
)
