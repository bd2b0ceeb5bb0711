"""What the command lines of both packages share: help, errors, exit codes, tables."""

from __future__ import annotations

import argparse
import difflib
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from .progress import in_lines_off_terminals
from .storage import write_atomically

if TYPE_CHECKING:
    import pandas as pd

# What a user can put right; anything else is a defect and keeps its traceback.
USER_ERRORS = (
    ValueError,
    TypeError,
    OSError,
    ImportError,
    MemoryError,
    RuntimeError,
)
# As shells count a process that a signal ended: 128 and the signal's number.
_INTERRUPTED, _BROKEN_PIPE = 130, 141
# Of the devices that torch knows, those that users have.
_DEVICES = ("cpu", "cuda", "mps")


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line.

    One with `fill` gets its options when it is used: a list of commands needs none.
    """

    fill: Callable[[argparse.ArgumentParser, Sequence[str]], None] | None = None

    def complete(self, words: Sequence[str] = ()) -> None:
        """Get the options, if they are not there; some depend on what is given."""
        fill, self.fill = self.fill, None
        if fill is not None:
            fill(self, words)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """The options, after the parser has got them and knows all that are given."""
        self.complete(args or ())
        words = takewhile(lambda word: word != "--", args or ())
        if self._subparsers is not None:  # what follows a command is its own
            words = takewhile(lambda word: word.startswith("-"), words)
        self._check_names(words)
        return super().parse_known_args(args, namespace)

    def _check_names(self, words: Iterable[str]) -> None:
        """Every option exists, and none takes the place of an earlier one.

        Before options that are missing are named: one may be there with an error.
        """
        options, given = self._option_string_actions, []
        for word in words:
            name = word.partition("=")[0]
            if not re.match("--?[A-Za-z]", name) or " " in word:
                continue
            meant = {id(options[o]): options[o] for o in options if o.startswith(name)}
            action = options.get(name) or next(iter(meant.values()), None)
            if action is None:
                known = {option.lstrip("-"): option for option in options}
                close = difflib.get_close_matches(name.lstrip("-"), known, 1)
                advice = f"; did you mean {known[close[0]]}?" if close else ""
                self.error(f"there is no option {name}{advice}")
            if action in given and not isinstance(action, argparse._AppendAction):
                values = ", with all its values" if action.nargs == "+" else ""
                self.error(f"{name} is given twice; it can be given once{values}")
            given.append(action)

    def error(self, message: str) -> NoReturn:
        """End with code 2 and a line that says where help is."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults that say something: neither None nor those of switches."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False:
            return action.help
        if isinstance(action.default, list):
            return f"{action.help} (default: {' '.join(map(str, action.default))})"
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


def run(parser: argparse.ArgumentParser, words: Sequence[str], package: str) -> int:
    """Run the command that words name; returns the exit code.

    Parameters
    ----------
    parser: argparse.ArgumentParser
        With commands by `add_command`. One with an option `words` gets them.

    words: sequence of str
        Those after the program's name.

    package: str
        Whose log goes to stderr.

    Returns
    -------
    code: int
        That of the command; 2 for what a user can put right, with one line on stderr;
        130 if interrupted; 141 if whatever read the output has ended.
    """
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    logging.getLogger(package).setLevel(logging.INFO)
    program = parser.prog
    try:
        # What a command imports for its options may fail, too.
        parsed, unknown = parser.parse_known_args(words)
        options = vars(parsed)
        command, program = options.pop("command"), options.pop("program")
        if unknown:
            text = f"unrecognized arguments: {' '.join(unknown)}"
            parser.exit(2, f"{program}: error: {text} (see {program} --help)\n")
        if "words" in options:
            options["words"] = list(words)
        with in_lines_off_terminals():
            code = command(**options)
        sys.stdout.flush()
    except BrokenPipeError:
        # Keep Python from failing again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except USER_ERRORS as error:
        print(f"{program}: error: {one_line(error)}", file=sys.stderr)
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
    OSError, ValueError
        If one cannot, or two options name the same.

    Examples
    --------
    >>> check_files(out=None, truth=Path())
    Traceback (most recent call last):
    IsADirectoryError: `--truth`: . is a folder.
    """
    taken: dict[Path, str] = {}
    for name, path in options.items():
        if path is None:
            continue
        folder = path.resolve().parent
        other = taken.setdefault(path.resolve(), name)
        if other != name and (path.is_file() or not path.exists()):
            raise ValueError(f"`--{other}` and `--{name}` are the same file, {path}.")
        if not folder.is_dir():
            raise FileNotFoundError(f"`--{name}`: there is no folder {folder}.")
        if path.is_dir():
            raise IsADirectoryError(f"`--{name}`: {path} is a folder.")
        if not os.access(path if path.exists() else folder, os.W_OK):
            raise PermissionError(f"`--{name}`: {path} may not be written.")


def check_folders(**options: Path | None) -> None:
    """Can files be written into these folders, or those that are still to be made?

    Parameters
    ----------
    options: Path or None
        Folders by the name of their option.

    Raises
    ------
    OSError
        If they cannot.

    Examples
    --------
    >>> check_folders(structure_cache=None, folder=Path())
    """
    for option, path in options.items():
        if path is None:
            continue
        name = option.replace("_", "-")
        there = next(p for p in [path, *path.resolve().parents] if p.exists())
        if not there.is_dir():
            raise NotADirectoryError(f"`--{name}`: {there} is a file; give a folder.")
        if not os.access(there, os.W_OK):
            raise PermissionError(f"`--{name}`: nothing may be written in {there}.")


def check_device(device: str | None) -> None:
    """Can torch use this device?

    Raises
    ------
    ValueError
        If it cannot.

    Examples
    --------
    >>> check_device("graphics")
    Traceback (most recent call last):
    ValueError: `--device`='graphics' cannot be used: none of cpu, cuda, mps.
    """
    if device is None:
        return
    import torch

    kind = device.partition(":")[0]
    try:
        torch.device(device)
    except RuntimeError as error:
        advice = "; did you mean cuda?" if kind.lower() in ("gpu", "cuda") else ""
        raise ValueError(
            f"`--device`={device!r} cannot be used: none of {', '.join(_DEVICES)}"
            f"{advice or '.'}"
        ) from error
    try:
        torch.empty(0, device=device)
    except Exception as error:  # torch has no one type for this
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"`--device`={device!r} cannot be used: {reason}") from error


def write_table(table: pd.DataFrame, out: Path | None, option: str = "out") -> None:
    """Write a TSV, to stdout where there is no file; Parquet by the file's ending."""
    if out is not None and out.suffix == ".parquet":
        write_file(out, _parquet(table), option)
        return
    readable = table.apply(lambda column: column.map(_readable))
    text = readable.to_csv(sep="\t", index=False, float_format="%.6g")
    if out is None:
        sys.stdout.write(text)
    else:
        write_file(out, text.encode(), option)


def _parquet(table: pd.DataFrame) -> bytes:
    """With all digits, which a text of a table has not."""
    try:
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "Parquet needs the extra `cluster`: pip install 'tangermeme-gia[cluster]', "
            "or give another ending"
        ) from error
    readable = table.copy()
    for name in table:
        if table[name].dtype == object:
            column = table[name].map(_readable)
            mixed = column.dropna().map(type).nunique() > 1
            readable[name] = column.map(str, na_action="ignore") if mixed else column
    content: bytes = readable.to_parquet(index=False)
    return content


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


def one_line(error: BaseException) -> str:
    """What an error says, in one line; its kind where it says nothing."""
    text = " ".join(str(error).split()) or type(error).__name__
    if "no locator available" in text:  # numba's words
        return (
            "numba can keep its compiled code neither beside the package nor in your "
            "home: set NUMBA_CACHE_DIR to a folder that can be written"
        )
    return f"not enough memory: {text}" if isinstance(error, MemoryError) else text
