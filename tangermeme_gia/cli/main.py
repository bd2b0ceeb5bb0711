"""The parser of the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from .._core.command_line import Parser, run
from . import experiments, occlusion, report


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
    report.add_command(subparsers)
    experiments.add_commands(subparsers)
    occlusion.add_command(subparsers)
    return parser
