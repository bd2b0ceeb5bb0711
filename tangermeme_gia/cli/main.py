"""The parser of the command line, and what becomes of errors."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from . import report

# What a user can put right; anything else is a defect and keeps its traceback.
_USER_ERRORS = (ValueError, TypeError, OSError, ImportError)
PROGRAM = "tangermeme-gia"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


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
        interrupted. Finished parts of a report are kept.

    Examples
    --------
    >>> main(["report", "--model", "A1CF", "--n", "0"])
    2
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = vars(build_parser().parse_args(words))
    command: Callable[..., None] = options.pop("command")
    program = options.pop("program")
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("tangermeme_gia").setLevel(logging.INFO)
    try:
        command(words=words, **options)
    except _USER_ERRORS as error:
        message = " ".join(str(error).split())
        print(f"{PROGRAM} {program}: error: {message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{PROGRAM} {program}: interrupted", file=sys.stderr)
        return 130
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = _Parser(
        prog=PROGRAM,
        description="Global importance analysis: what has a sequence model learned, "
        "how much does it matter, and how sure is it?",
    )
    subparsers = parser.add_subparsers(required=True, metavar="command")
    report.add_command(subparsers)
    return parser
