"""Options of a command as words, taken apart and put together again."""

from __future__ import annotations

import argparse
import io
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stderr
from typing import NamedTuple

from .._core.command_line import Parser

# The values of options by their names, once for each time that they are given; None of
# one that is expressly not given.
Given = dict[str, list[list[str]]]
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")


class Program(NamedTuple):
    """A command line whose commands a sweep runs.

    Parameters
    ----------
    parser: function of str
        The parser of a command; raises ValueError if there is none.

    work: str
        What a worker calls with the words of a command, as of `Task`.

    own: tuple of str
        Options that the worker gives, such as "out".

    several: tuple of str
        Options of one value that may have several in a cell: a task for each.

    needs: tuple of str
        Options that a row or the command line must give: a default would stand under
        the name of a row that is about something else.

    title: function
        What to call a row without a name, by the words of its options.
    """

    parser: Callable[[str], Parser]
    work: str
    own: tuple[str, ...]
    several: tuple[str, ...]
    needs: tuple[str, ...]
    title: Callable[[Given], str]


def options_of(parser: Parser) -> dict[str, argparse.Action]:
    """The options of a parser by their names without dashes."""
    parser.complete()
    return {
        name.removeprefix("--"): action
        for name, action in parser._option_string_actions.items()
        if name.startswith("--") and name != "--help"
    }


def split(words: Sequence[str], parser: Parser) -> Given:
    """The options that words give; what one is not taken by the parser stays there.

    Raises
    ------
    ValueError
        If the words do not begin with an option.
    """
    options = options_of(parser)
    given: Given = {}
    values: list[str] | None = None
    for word in words:
        if re.match("--[A-Za-z]", word):
            name, equals, value = word.removeprefix("--").partition("=")
            full = [o for o in options if o.startswith(name)]
            if name not in options and len(full) == 1:
                name = full[0]
            values = [value] if equals else []
            given.setdefault(name, []).append(values)
        elif values is None:
            raise ValueError(f"{word!r} belongs to no option.")
        else:
            values.append(word)
    return given


def joined(given: Mapping[str, Sequence[Sequence[str]]]) -> list[str]:
    """The words that give these options.

    Examples
    --------
    >>> joined({"n": [["20"]], "patterns": [["A@3", "C@9"], ["G"]]})
    ['--n', '20', '--patterns', 'A@3', 'C@9', '--patterns', 'G']
    """
    return [
        word
        for name, times in given.items()
        for values in times
        for word in (f"--{name}", *values)
    ]


def given_by(name: str, cell: str, option: argparse.Action) -> Given:
    """What a cell of a table gives to an option.

    A switch is yes or no; an option that takes several values has them with blanks
    between, in quotes where one holds a blank; one that can be given again, with ";"
    between. What takes one value gets the cell as it is.
    """
    if option.nargs == 0:
        if cell.lower() not in (*_YES, *_NO):
            raise ValueError(f"`{name}`={cell!r} must be yes or no.")
        return {name: [[]] if cell.lower() in _YES else []}
    if option.nargs is None:
        return {name: [[cell]]}
    if isinstance(option, argparse._AppendAction):
        return {name: [words_of(part) for part in cell.split(";")]}
    return {name: [words_of(cell)]}


def words_of(cell: str) -> list[str]:
    """Words with blanks between, as a shell takes them."""
    try:
        return shlex.split(cell)
    except ValueError as error:
        raise ValueError(f"{cell!r} cannot be read: {error}.") from error


def check(parser: Parser, words: Sequence[str], own: Sequence[str]) -> None:
    """Raise a ValueError with what a command says of words that it does not take.

    `own` are options that the worker gives.
    """
    options = options_of(parser)
    more = [w for o in own if o in options for w in (f"--{o}", "x")]
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            _, unknown = parser.parse_known_args([*words, *more])
    except SystemExit as error:
        text = said.getvalue().strip().partition(": error: ")[2]
        raise ValueError(text.partition(" (see ")[0] or said.getvalue()) from error
    if unknown:
        raise ValueError(f"unrecognized arguments: {' '.join(unknown)}")
