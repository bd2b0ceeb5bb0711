"""The command `sweep`, which the command lines of both packages have."""

from __future__ import annotations

import logging
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.command_line import Parser, check_folders, write_table
from .words import Program, joined, options_of, split

if TYPE_CHECKING:  # what explains the options needs no pandas
    import pandas as pd

_LIST_MOST = 20
# Of the sweep itself; the others are defaults for all rows.
_OWN = ("out", "workers", "memory-limit", "scheduler", "status", "command")


@dataclass(frozen=True)
class Sweeper:
    """A `sweep` of the commands of one command line.

    Parameters
    ----------
    program: function
        Gives what a table's rows are made into tasks by.

    default: str
        The command of a row that names none.
    """

    program: Callable[[], Program]
    default: str

    def add_options(self, parser: Parser, words: Sequence[str]) -> None:
        """The options of the sweep, and below them those of the command it runs."""
        runs = _value_of("--command", words) or self.default
        parser.conflict_handler = "resolve"
        given = self.program()
        options = options_of(given.parser(runs))
        group = parser.add_argument_group(f"{runs}, for rows that do not say")
        for name, action in options.items():
            if name not in (*given.own, *_OWN):
                action.required = False
                group._add_action(action)
        self.add_own(parser)
        parser.set_defaults(command=self.run, words=[], runs=runs)

    def add_own(self, parser: Parser) -> None:
        """The options of the sweep itself."""
        parser.add_argument(
            "table",
            nargs="?",
            type=Path,
            metavar="TABLE",
            help="TSV or CSV: a row for each task, with columns name, group and any "
            "option of the command, without dashes; several values in a cell of "
            f"{', '.join(self.program().several)} are a task each",
        )
        parser.add_argument("--out", type=Path, help="folder of the sweep")
        parser.add_argument(
            "--command",
            dest="runs",
            metavar="COMMAND",
            help=f"what is done with each row (default: {self.default})",
        )
        parser.add_argument(
            "--workers",
            type=int,
            metavar="N",
            help="processes of this machine, one for each GPU where there are several "
            "(default: this process)",
        )
        parser.add_argument(
            "--memory-limit",
            metavar="SIZE",
            help="what each of these may use before it is ended, such as 8GB (default: "
            "its share of the machine)",
        )
        parser.add_argument(
            "--scheduler",
            metavar="ADDRESS",
            help="of a cluster of Dask that runs, in place of --workers",
        )
        parser.add_argument(
            "--status", type=Path, metavar="DIR", help="print the ledger of a sweep"
        )

    def run(
        self,
        *,
        table: Path | None,
        out: Path | None,
        workers: int | None,
        memory_limit: str | None,
        scheduler: str | None,
        status: Path | None,
        runs: str,
        words: Sequence[str],
        **given: Any,
    ) -> int:
        """Do what the table asks for; the exit code."""
        from .ledger import read_ledger
        from .pools import PoolLost
        from .run import run_sweep
        from .table import read_tasks

        # Also where the sweep is one of another package.
        logging.getLogger("tangermeme_gia.sweep").setLevel(logging.INFO)
        if status is not None:
            ledger = read_ledger(status)
            write_table(ledger, None)
            _say_counts(ledger)
            return 0
        if table is None or out is None:
            raise ValueError("`sweep` needs a TABLE and `--out`, or `--status` DIR.")
        check_folders(out=out)
        program = self.program()
        defaults = self._defaults(words, table, runs)
        tasks = read_tasks(table, program, runs, defaults, self.cells(given))
        try:
            ledger = run_sweep(
                tasks,
                out,
                workers=workers,
                client=scheduler,
                memory_limit=memory_limit,
                title=table.stem,
                verbose=True,
            )
        except PoolLost as error:
            _say_counts(read_ledger(out))
            print(
                f"{error}; what is finished is kept: run the same command again",
                file=sys.stderr,
            )
            return 1
        self.finish(out, given)
        print(out / "index.html")
        return _say_failures(ledger)

    def cells(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Cells of all rows that follow from options of the sweep's own."""
        return {}

    def finish(self, out: Path, given: Mapping[str, Any]) -> None:
        """Write what else is to be said of a whole sweep."""

    def _defaults(self, words: Sequence[str], table: Path, runs: str) -> list[str]:
        """What the command line says for all rows."""
        parser = self.program().parser(runs)
        options = options_of(parser)
        begins = [word for word in words[1:] if word != str(table)]
        given = split(begins, parser)
        return joined({k: v for k, v in given.items() if k in options and k != "out"})


def _value_of(option: str, words: Sequence[str]) -> str | None:
    for i, word in enumerate(words):
        if word == option and i + 1 < len(words):
            return words[i + 1]
        if word.startswith(f"{option}="):
            return word.partition("=")[2]
    return None


def _say_counts(ledger: pd.DataFrame) -> None:
    counts = Counter(ledger["state"])
    said = ", ".join(f"{n} {state}" for state, n in counts.items())
    print(f"{len(ledger)} tasks: {said}", file=sys.stderr)


def _say_failures(ledger: pd.DataFrame) -> int:
    """List what failed and why; the exit code."""
    _say_counts(ledger)
    failed = ledger[ledger["state"] == "failed"]
    for _, row in failed.head(_LIST_MOST).iterrows():
        print(f"{row['task']} failed: {row['error']}", file=sys.stderr)
    if len(failed) > _LIST_MOST:
        print(
            f"and {len(failed) - _LIST_MOST} more: see the page, or --status",
            file=sys.stderr,
        )
    return 1 if len(failed) else 0
