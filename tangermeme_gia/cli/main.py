"""The parser of the command line; what a command needs is imported when it is used."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial

from .._core.command_line import Parser, add_command, run
from .commands import COMMANDS, Command

# Name, summary, example, and what gives its parser the options.
_Command = tuple[str, str, str, Callable[[argparse.ArgumentParser], None]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Parameters
    ----------
    arguments: sequence of str or None, optional
        The words after `tangermeme-gia`. None takes those of the process.

    Returns
    -------
    code: int
        0; 2 for bad input, with one line on stderr that says what is wrong; 130 if
        interrupted; 141 if whatever read the output has ended. Finished parts of a
        report are kept.

    Examples
    --------
    >>> main(["report", "--model", "A1CF", "--n", "0"])
    2
    """
    words = sys.argv[1:] if arguments is None else arguments
    return run(build_parser(), words, "tangermeme_gia")


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = Parser(
        prog="tangermeme-gia",
        description="Global importance analysis: what has a sequence model learned, "
        "how much does it matter, and how sure is it? Tables go to stdout or to "
        "--out, messages to stderr.",
        epilog="Each command explains its options: tangermeme-gia multi-site --help",
    )
    subparsers = parser.add_subparsers(required=True, metavar="command")
    commands: list[_Command] = [
        (
            "report",
            "Analyse models from k-mer scan to robustness, and write a page for each. "
            "Run again, it goes on where it stopped.",
            "--model A1CF --out report",
            _fill_report,
        ),
        *((*command[:3], partial(_fill_experiment, command)) for command in COMMANDS),
        (
            "occlusion",
            "How much does the output depend on a region, whatever else might stand "
            "there?",
            "--sequences probes.fa --width 6 --plot regions.png",
            _fill_occlusion,
        ),
    ]
    for name, summary, example, fill in commands:
        add_command(subparsers, name, None, summary, example).fill = fill
    return parser


def _fill_report(parser: argparse.ArgumentParser) -> None:
    from .report import add_options

    add_options(parser)


def _fill_experiment(command: Command, parser: argparse.ArgumentParser) -> None:
    from .experiments import add_options

    add_options(command, parser)


def _fill_occlusion(parser: argparse.ArgumentParser) -> None:
    from .occlusion import add_options

    add_options(parser)
