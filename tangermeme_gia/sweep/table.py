"""The table of a sweep: a row says what one or several tasks are about."""

from __future__ import annotations

import difflib
import itertools
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from .._core.command_line import Parser
from .._core.readers import open_table
from .tasks import Task
from .words import Program, check, given_by, joined, options_of, split, words_of

# Columns of every table; the others are options of the command.
NAME, GROUP, COMMAND = _OWN = ("name", "group", "command")
# What a row of several tasks is called in their labels.
ROW = "row"
_log = logging.getLogger("tangermeme_gia.sweep")


def read_tasks(
    path: Path,
    program: Program,
    command: str,
    defaults: Sequence[str],
    cells: Mapping[str, str] = MappingProxyType({}),
) -> list[Task]:
    """The tasks of a table.

    Parameters
    ----------
    path: Path
        Tab or comma separated, with a header. Columns are `name`, `group`, `command`
        and options of the command, without dashes in front; any other is a label of
        the tasks. An empty cell leaves the option to the command line.

    program: Program
        Whose commands these are.

    command: str
        Which, where a row does not say.

    defaults: sequence of str
        Options for all rows, as words of a command line.

    cells: mapping of str to str, optional
        Cells that stand in all rows that have none of their own. Default is none.

    Raises
    ------
    ValueError
        If the table has no rows, a name twice, a column that looks like a misspelt
        option, or a row that the command does not take.
    """
    table = open_table(path)
    columns, _ = table.read(table.columns, [])
    reader = _Rows(program, command, defaults)
    labels = reader.labels(path, table.columns)
    tasks: list[Task] = []
    for number, values in enumerate(zip(*columns, strict=True)):
        row = {k: v for k, v in zip(table.columns, values, strict=True) if v}
        own = {name: row.pop(name) for name in labels if name in row}
        try:
            tasks += reader.tasks({**cells, **row}, own)
        except ValueError as error:
            raise ValueError(f"{table.place(number)}: {error}") from error
    return tasks


class _Rows:
    """Makes tasks of rows."""

    def __init__(self, program: Program, command: str, defaults: Sequence[str]) -> None:
        self._program, self._command, self._defaults = program, command, defaults
        self._parsers: dict[str, Parser] = {}

    def labels(self, path: Path, columns: Sequence[str]) -> list[str]:
        """The columns that are no options; raises where one looks like one."""
        known = [*_OWN, *options_of(self._parser(self._command))]
        labels = []
        for column in columns:
            if _option(column) in self._program.own:
                raise ValueError(f"{path}: the sweep sets `{column}` itself.")
            if _option(column) in known:
                continue
            close = difflib.get_close_matches(_option(column), known, 1, cutoff=0.8)
            if close:
                raise ValueError(
                    f"{path}: no option of {self._command} is called {column!r}; did "
                    f"you mean {close[0]!r}?"
                )
            labels.append(column)
        if labels:
            _log.info("columns that only label the tasks: %s", ", ".join(labels))
        return labels

    def tasks(self, row: Mapping[str, str], labels: Mapping[str, str]) -> list[Task]:
        """Those of a row: one, or one for each value of what has several."""
        several = {
            _option(column): words_of(cell)
            for column, cell in row.items()
            if _option(column) in (COMMAND, *self._program.several)
        }
        tasks = []
        for values in itertools.product(*several.values()):
            chosen = dict(zip(several, values, strict=True))
            varied = [v for k, v in chosen.items() if len(several[k]) > 1]
            tasks.append(self._task(row, labels, chosen, varied))
        return tasks

    def _task(
        self,
        row: Mapping[str, str],
        labels: Mapping[str, str],
        chosen: dict[str, str],
        varied: list[str],
    ) -> Task:
        command = chosen.pop(COMMAND, self._command)
        parser = self._parser(command)
        options = options_of(parser)
        given = split(self._defaults, parser)
        for column, cell in row.items():
            name = _option(column)
            if name in chosen:
                given[name] = [[chosen[name]]]
            elif name not in _OWN:
                if name not in options:
                    raise ValueError(f"{command} has no option `--{name}`.")
                given |= given_by(name, cell, options[name])
        for name in self._program.needs:
            if name in options and name not in given:
                raise ValueError(f"neither the row nor `--{name}` says which {name}.")
        base = row.get(NAME) or self._program.title(given)
        if NAME in options:
            given[NAME] = [[base]]
        words = [command, *joined(given)]
        check(parser, words[1:], self._program.own)
        group = row.get(GROUP, base if varied else "")
        labels = {ROW: base, **labels} if varied else labels
        name = " / ".join([base, *varied])
        return Task(name, self._program.work, {"words": words}, group, dict(labels))

    def _parser(self, command: str) -> Parser:
        if command not in self._parsers:
            self._parsers[command] = self._program.parser(command)
        return self._parsers[command]


def _option(column: str) -> str:
    """The option that a column names."""
    return column.strip().replace("_", "-")
