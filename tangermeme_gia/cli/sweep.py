"""`tangermeme-gia sweep`: any command for every row of a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.command_line import Parser
from ..sweep.command import Sweeper
from ..sweep.words import Given, Program, options_of

if TYPE_CHECKING:
    from ..sweep.tasks import Done

# What a command writes: a worker gives some to each task, a row none.
_OWN = (
    *("out", "save", "save-to", "plot", "local", "bed", "bigwig"),
    *("meme", "pairs", "profiles", "ranks", "saturation", "triples"),
)
_REPORT = "report"
_SEVERAL = ("model", "background", "motif")


def add_options(parser: Parser, words: Sequence[str]) -> None:
    """What `sweep` takes."""
    Sweeper(_program, _REPORT).add_options(parser, words)


def _program() -> Program:
    return Program(_parser, f"{__name__}:run_words", _OWN, _SEVERAL, ("model",), _title)


def _parser(command: str) -> Parser:
    """The parser of a command, by its name."""
    from .main import parsers

    known = {name: each for name, each in parsers().items() if name != "sweep"}
    if command not in known:
        raise ValueError(f"`command`={command!r} must be one of {', '.join(known)}.")
    return known[command]


def _title(given: Given) -> str:
    """What to call a row without a name: its model."""
    from .report import titles_of

    words = given.get("model", [["model"]])[-1]
    return titles_of(words)[0]


def run_words(folder: Path, words: Sequence[str]) -> Done:
    """Do what the words of a command say, in a folder.

    Parameters
    ----------
    folder: Path
        Of the task.

    words: sequence of str
        The command and its options.
    """
    return (_report if words[0] == _REPORT else _experiment)(folder, words)


def _options(words: Sequence[str]) -> dict[str, Any]:
    """What the parser of a command makes of its words."""
    options = vars(_parser(words[0]).parse_args(words[1:]))
    if "words" in options:
        options["words"] = list(words)
    options.pop("program")
    return options


def _report(folder: Path, words: Sequence[str]) -> Done:
    """The report of a model; its headline."""
    from ..report.store import REPORT, finished_report
    from ..sweep.tasks import Done

    before = finished_report(folder).get("key")
    at = (folder / REPORT).stat().st_mtime_ns if before else None
    options = _options([*words, "--out", str(folder)])
    options.pop("command")(**options)
    held = finished_report(folder)
    reused = at == (folder / REPORT).stat().st_mtime_ns
    return Done(held.get("headline", {}), reused)


def _experiment(folder: Path, words: Sequence[str]) -> Done:
    """The table and the effects of an experiment; its largest effect."""
    from .kept import Kept, headline

    table = folder / "tables" / f"{words[0]}{_ending()}"
    table.parent.mkdir(parents=True, exist_ok=True)
    files = {"out": table}
    options = options_of(_parser(words[0]))
    if words[0] == "align-kmers":
        files["meme"] = folder / "motif.meme"
    for name in ("pairs", "profiles"):
        if name in options:
            files[name] = table.with_stem(f"{words[0]}-{name}")
    # Each of several motifs has a result of its own, which is in the table alone.
    each = [f"--{name}" for name, one in options.items() if one.dest == "each"]
    several = {"--backgrounds", "--minus", "--folds"} & {*words}
    if not {*each} & {*words}:
        if "save-to" in options and not several:
            files["save-to"] = folder / "effects"
        elif "save" in options:
            files["save"] = folder / "effects.gia"
    more = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    given = _options([*words, *more])
    run = given.pop("command")
    kept = Kept(folder, words, given, tuple(files.values()))
    reused = kept.holds()
    if not reused:
        run(**given)
        kept.note()
    return headline(table, reused)


def _ending() -> str:
    """Parquet where it can be written, with all digits."""
    from importlib.util import find_spec

    return ".parquet" if find_spec("pyarrow") else ".tsv"
