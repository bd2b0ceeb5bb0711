"""What the command lines of both packages share: help, errors, exit codes, tables."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from .storage import write_atomically

if TYPE_CHECKING:
    import pandas as pd

# What a user can put right; anything else is a defect and keeps its traceback.
USER_ERRORS = (ValueError, TypeError, OSError, ImportError, MemoryError)
# As shells count a process that a signal ended: 128 and the signal's number.
_INTERRUPTED, _BROKEN_PIPE = 130, 141


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line.

    One with `fill` gets its options when it is used: a list of commands needs none.
    """

    fill: Callable[[argparse.ArgumentParser], None] | None = None

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The options, after the parser has got them."""
        fill, self.fill = self.fill, None
        if fill is not None:
            fill(self)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """End with code 2 and a line that says where help is."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults that say something: neither None nor those of switches."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False:
            return action.help
        if isinstance(action.default, list):
            return f"{action.help} (default: {' '.join(action.default)})"
        return super()._get_help_string(action)


def add_command(
    subparsers: Any,
    name: str,
    command: Callable[..., int | None] | None,
    summary: str,
    example: str,
) -> Parser:
    """Add a command to what `add_subparsers` made.

    Parameters
    ----------
    subparsers: argparse action
        Of a `Parser`.

    name, summary, example: str
        The command's word, what it does, and the words after it in an example.

    command: function or None
        Takes the parsed options as keywords; gives the exit code, None for 0.
        With None, set it by `set_defaults`.

    Returns
    -------
    parser: Parser
        To add the options to.
    """
    parser: Parser = subparsers.add_parser(
        name, help=summary, description=summary, formatter_class=HelpFormatter
    )
    parser.epilog = f"example: {parser.prog} {example}"
    parser.set_defaults(command=command, program=parser.prog)
    return parser


def run(
    parser: argparse.ArgumentParser,
    words: Sequence[str],
    package: str,
    errors: tuple[type[Exception], ...] = (),
) -> int:
    """Run the command that words name; returns the exit code.

    Parameters
    ----------
    parser: argparse.ArgumentParser
        With commands by `add_command`. One with an option `words` gets them.

    words: sequence of str
        Those after the program's name.

    package: str
        Whose log goes to stderr.

    errors: tuple of exception types, optional
        What a user can put right, beside bad values and files, missing packages and
        too little memory. Default is ().

    Returns
    -------
    code: int
        That of the command; 2 for what a user can put right, with one line on stderr;
        130 if interrupted; 141 if whatever read the output has ended.
    """
    parsed, unknown = parser.parse_known_args(words)
    options = vars(parsed)
    command, program = options.pop("command"), options.pop("program")
    if unknown:
        text = f"unrecognized arguments: {' '.join(unknown)}"
        parser.exit(2, f"{program}: error: {text} (see {program} --help)\n")
    if "words" in options:
        options["words"] = list(words)
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger(package).setLevel(logging.INFO)
    try:
        code = command(**options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Keep Python from failing again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except USER_ERRORS + errors as error:
        print(f"{program}: error: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"{program}: interrupted", file=sys.stderr)
        return _INTERRUPTED
    return code or 0


def check_files(**options: Path | None) -> None:
    """Can these files be written?

    Parameters
    ----------
    options: Path or None
        Files by the name of their option.

    Raises
    ------
    OSError
        If one cannot.

    Examples
    --------
    >>> check_files(out=None, truth=Path())
    Traceback (most recent call last):
    IsADirectoryError: `--truth`: . is a folder.
    """
    for name, path in options.items():
        if path is None:
            continue
        folder = path.resolve().parent
        if not folder.is_dir():
            raise FileNotFoundError(f"`--{name}`: there is no folder {folder}.")
        if path.is_dir():
            raise IsADirectoryError(f"`--{name}`: {path} is a folder.")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise PermissionError(f"`--{name}`: {path} may not be written.")


def write_table(table: pd.DataFrame, out: Path | None, option: str = "out") -> None:
    """Write a TSV to a file, or to stdout where there is none."""
    readable = table.apply(lambda column: column.map(_readable))
    text = readable.to_csv(sep="\t", index=False, float_format="%.6g")
    if out is None:
        sys.stdout.write(text)
    else:
        write_file(out, text.encode(), option)


def write_file(path: Path, content: bytes, option: str) -> None:
    """Replace a file in one step; an error names the option that asked for it."""
    try:
        if path.exists() and not path.is_file():  # a pipe or a device, such as null
            path.write_bytes(content)
        else:
            write_atomically(path.resolve(), content)
    except OSError as error:
        raise OSError(
            f"`--{option}`: {path} cannot be written: {error.strerror or error}"
        ) from error


def _readable(value: Any) -> Any:
    """Tuples as they are given on the command line."""
    return ",".join(map(str, value)) if isinstance(value, (tuple, list)) else value


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return f"not enough memory: {text}" if isinstance(error, MemoryError) else text
