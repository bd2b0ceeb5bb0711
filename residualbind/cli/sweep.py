"""`residualbind sweep`: a training for every row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tangermeme_gia._core.command_line import Parser
from tangermeme_gia.sweep.command import Sweeper
from tangermeme_gia.sweep.words import Given, Program

from .main import parser_of

OWN = ("out", "checkpoint-folder")
SEVERAL = ("method", "random-state")


def add_options(parser: Parser, words: Sequence[str]) -> None:
    """What `sweep` takes."""
    Sweeper(program, "train").add_options(parser, words)


def program() -> Program:
    work = "residualbind.cli.trainings:run_words"
    return Program(parser_of, work, OWN, SEVERAL, ("data",), _title)


def _title(given: Given) -> str:
    """What to call a row without a name: its score column, or else its first file."""
    for option in ("experiment", "score"):
        for values in given.get(option, []):
            return values[0]
    first = given.get("data", [["training"]])[-1][0]
    return Path(first).name.partition(".")[0]
