"""The parser of the command line; what a command needs is imported when it is used."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module

from .. import __version__
from .._core.command_line import Parser, add_command, run
from .arguments import Command
from .commands import COMMANDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Parameters
    ----------
    arguments: sequence of str or None, optional
        The words after `tangermeme-gia`. None takes those of the process.

    Returns
    -------
    code: int
        0; 1 if some of several models have no report; 2 for bad input, with one line
        on stderr that says what is wrong; 130 if
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
    version = f"tangermeme-gia {__version__}"
    parser.add_argument("--version", action="version", version=version)
    _add_commands(parser)
    return parser


def parsers() -> dict[str, Parser]:
    """The parser of each command, by its name."""
    return _add_commands(Parser(prog="tangermeme-gia"))


def _add_commands(parser: Parser) -> dict[str, Parser]:
    subparsers = parser.add_subparsers(required=True, metavar="command")
    made = {}
    for command in COMMANDS:
        name, summary, example, *_ = command
        made[name] = add_command(subparsers, name, None, summary, example)
        made[name].fill = partial(_fill, command)
    return made


def _fill(
    command: Command, parser: argparse.ArgumentParser, words: Sequence[str]
) -> None:
    if command.options:
        import_module(".experiments", __package__).add_options(command, parser)
        return
    module = import_module(f".{command.module}", __package__)
    if command.name == "sweep":  # its options are also those of the command it runs
        module.add_options(parser, words)
    else:
        module.add_options(parser)
