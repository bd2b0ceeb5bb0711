"""The parser of the command line, and what becomes of errors."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from . import experiments, occlusion, report

# What a user can put right; anything else is a defect and keeps its traceback.
_USER_ERRORS = (ValueError, TypeError, OSError, ImportError, MemoryError)
PROGRAM = "tangermeme-gia"
# As shells count a process that a signal ended: 128 and the signal's number.
_INTERRUPTED, _BROKEN_PIPE = 130, 141


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
        interrupted; 141 if whatever read the output has ended. Finished parts of a
        report are kept.

    Examples
    --------
    >>> main(["report", "--model", "A1CF", "--n", "0"])
    2
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = build_parser()
    parsed, unknown = parser.parse_known_args(words)
    options = vars(parsed)
    command: Callable[..., None] = options.pop("command")
    program = options.pop("program")
    if unknown:
        text = f"unrecognized arguments: {' '.join(unknown)}"
        parser.exit(
            2, f"{PROGRAM} {program}: error: {text} (see {PROGRAM} {program} --help)\n"
        )
    if "words" in options:
        options["words"] = words
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger("tangermeme_gia").setLevel(logging.INFO)
    try:
        command(**options)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
        return _BROKEN_PIPE
    except _USER_ERRORS as error:
        print(f"{PROGRAM} {program}: error: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{PROGRAM} {program}: interrupted", file=sys.stderr)
        return _INTERRUPTED
    return 0


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = _Parser(
        prog=PROGRAM,
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


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"not enough memory: {text}" if isinstance(error, MemoryError) else text


def _discard_output() -> None:
    """Keep Python from failing again when it flushes stdout at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
