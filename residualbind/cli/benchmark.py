"""`residualbind benchmark`: every method on every experiment of a table."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tangermeme_gia._core.command_line import Parser
from tangermeme_gia.sweep.command import Sweeper

from .arguments import METHODS
from .sweep import program

_ALL = "all"


class _Benchmark(Sweeper):
    """A sweep of fits that ends with a comparison."""

    def add_own(self, parser: Parser) -> None:
        super().add_own(parser)
        parser.add_argument(
            "--methods",
            nargs="+",
            default=[_ALL],
            choices=(_ALL, *METHODS),
            metavar="METHOD",
            help=f"all, or some of {', '.join(METHODS)}",
        )
        parser.add_argument(
            "--seeds",
            nargs="+",
            default=[0],
            type=int,
            help="each method is fitted with each",
        )
        parser.add_argument(
            "--published",
            type=Path,
            metavar="TABLE",
            help="scores of others, to stand beside: a column experiment, and one for "
            "each method",
        )

    def cells(self, given: Mapping[str, Any]) -> dict[str, str]:
        methods, seeds = given["methods"], given["seeds"]
        if _ALL in methods and len(methods) > 1:
            raise ValueError("`--methods all` goes with no other.")
        for name, values in (("methods", methods), ("seeds", seeds)):
            if len({*values}) < len(values):
                raise ValueError(f"`--{name}` has one of {values} twice.")
        if given["published"] is not None:
            from ..benchmark.scores import read_published

            read_published(given["published"])  # what is wrong is said before the work
        chosen = METHODS if _ALL in methods else methods
        return {"method": " ".join(chosen), "random_state": " ".join(map(str, seeds))}

    def finish(self, out: Path, given: Mapping[str, Any]) -> None:
        from ..benchmark.results import FOLDER, write_results

        section = write_results(out, given["published"])
        print(section.tables["methods"].to_string(index=False), file=sys.stderr)
        print(f"{section.method} Tables and figures: {out / FOLDER}", file=sys.stderr)


def add_options(parser: Parser, words: Sequence[str]) -> None:
    """What `benchmark` takes."""
    _Benchmark(program, "fit").add_options(parser, words)
    for action in [*parser._actions]:
        if action.dest in ("runs", "method", "random_state"):
            parser._remove_action(action)
            for name in action.option_strings:
                del parser._option_string_actions[name]
