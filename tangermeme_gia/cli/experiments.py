"""One experiment from the command line: a table, and a plot if asked for."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from .arguments import CONSENSUS, EACH, Command, Option
from .backgrounds import Backgrounds, add_backgrounds
from .folds import (
    AVERAGE,
    add_folds,
    check_folds,
    crossed_table,
    named_folds,
)
from .motifs import check_which, runs
from .options import Asked, add_inputs, add_model, add_output, ask, take
from .values import pattern

if TYPE_CHECKING:  # what explains the options needs neither pandas nor torch
    from pathlib import Path

    import pandas as pd
    from matplotlib.axes import Axes

    from ..backgrounds.by_name import Drawn
    from ..statistics.comparisons import Comparison
    from .output import Output

# Letters of a title.
_LONGEST = 60
# Commands whose rows are chosen by each model, or are no effects.
_NOT_CROSSED = (
    "best-kmers",
    "junction-effects",
    "motif-scan",
    "effect-null",
    "effect-ratio",
    "latent-interaction",
    "latent-sites",
)
# Those whose words the model chooses.
_GRADED = ("latent-interaction", "latent-sites")
# Those whose conditions each background chooses.
_OF_ONE_BACKGROUND = (
    "best-kmers",
    "effect-null",
    "junction-effects",
    "latent-interaction",
    "latent-sites",
)


def add_options(command: Command, parser: argparse.ArgumentParser) -> None:
    """What a command for an experiment takes."""
    parser.set_defaults(command=partial(run_experiment, command))
    add_model(parser)
    add_group(parser, _with_motifs(command.options))
    # The best of one background are not those of another, nor its junctions, grades or
    # percentiles.
    add_backgrounds(parser, several=command.name not in _OF_ONE_BACKGROUND)
    add_output(
        parser,
        raw=command.name
        not in ("kmer-scan", "best-kmers", "junction-effects", "motif-scan"),
    )
    add_inputs(parser)
    parser.add_argument("--name", help="what to call the model (default: its own name)")
    if command.name not in _NOT_CROSSED:
        add_folds(parser)


def _with_motifs(options: Sequence[Option]) -> list[Option]:
    """The options of a command, and those of all that place motifs."""
    takes_one = any(
        name == "--motif" or settings.get("type") is pattern
        for name, settings in options
    )
    # Graded sites are letters.
    graded = any(name == "--n-levels" for name, _ in options)
    more = [*([EACH] if takes_one else []), *([] if graded else [CONSENSUS])]
    return [*options, *more]


class _Ran(NamedTuple):
    """What an experiment has given, to be written."""

    table: pd.DataFrame
    draw: Callable[[], Axes]
    result: Any
    title: str


def run_experiment(command: Command, **options: Any) -> None:
    """Write the table of an experiment, and its plot."""
    from .each import write_each
    from .output import Output, say_varied

    output, chosen = take(options, Output), take(options, Backgrounds)
    listed = options.pop("listed", options.get("top"))
    _check_together(options, output, chosen, listed)
    check_which(options)
    asked = ask(options)
    asks = list(runs(asked.given, asked.inputs.alphabet))
    drawn = chosen.draw(asked.inputs, asked.seed, **asked.prediction)
    run = partial(
        _run,
        command,
        asked,
        drawn,
        listed=listed,
        confidence=output.confidence,
        keep=chosen.keep,
        save_to=output.save_to,
    )
    if options.get("each") is not None:
        table = write_each(output, run, asks, asked.inputs.name)
    else:
        ((_, given),) = asks
        ran = run(given)
        table = ran.table
        output.write(table, ran.result, ran.draw, title=ran.title)
    say_varied(
        table,
        drawn=_drawn(command, asks),
        n_averaged=1 if asked.folds else asked.n_weights,
    )


def _drawn(
    command: Command, asks: Sequence[tuple[str, Mapping[str, Any]]]
) -> list[str]:
    """What each background has its own draw of."""
    letters = any(
        _has_matrix([*given.values()]) and not given.get("consensus")
        for _, given in asks
    )
    places = command.name == "random-position"
    return [*(["letters"] if letters else []), *(["places"] if places else [])]


def _has_matrix(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(_has_matrix(part) for part in value)
    return bool(getattr(value, "is_drawn", False))


def _check_together(
    options: Mapping[str, Any],
    output: Output,
    chosen: Backgrounds,
    listed: int | None,
) -> None:
    """Raise where options exclude each other."""
    if chosen.backgrounds and (listed is not None or output.local is not None):
        raise ValueError("`--backgrounds` goes with neither `--top` nor `--local`.")
    folds = options.get("folds", AVERAGE)
    output.check_one_result(
        {
            "backgrounds": bool(chosen.backgrounds),
            "motifs": options.get("each") is not None,
            "folds cross": folds != AVERAGE,
            "minus": options["minus"] is not None,
        }
    )
    check_folds(
        folds,
        len(options["weights"] or ()),
        top=listed,
        local=output.local,
        backgrounds=chosen.backgrounds,
    )


def _run(
    command: Command,
    asked: Asked,
    drawn: Mapping[str, Drawn],
    given: dict[str, Any],
    *,
    listed: int | None,
    confidence: float,
    keep: list[int] | None,
    save_to: Path | None,
) -> _Ran:
    """Run an experiment, on one background or several, with one model or its folds."""
    from .._core.target import Contrast
    from .contrasts import asked_of_chosen, beside_its_outputs, rows_of_chosen

    keywords = {**_library_keywords(given), **asked.keywords, "keep": keep}
    if save_to is not None:
        keywords["save_to"] = save_to
    target = keywords.pop("target")
    run = partial(_result, asked, drawn, command.function, **keywords)
    result = run(target=target)
    if listed is not None:
        lowest = given.get("lowest", False)
        table = result.top(listed, lowest=lowest, confidence=confidence)
        if isinstance(target, Contrast):
            function, few = asked_of_chosen(command.function, keywords, table)
            run = partial(_result, asked, drawn, function, **few)
            rows = partial(rows_of_chosen, table, result, confidence)
            table = beside_its_outputs(target, result, run, rows)
    else:
        has_minus = isinstance(target, Contrast)
        tabulate = partial(_table, command, confidence=confidence, tested=has_minus)
        if isinstance(target, Contrast):
            # Words that one output chose would not be those of another.
            like = {"like": result} if command.name in _GRADED else {}
            same = partial(run, **like)
            table = beside_its_outputs(target, result, same, tabulate)
        else:
            table = tabulate(result)
    named = {} if listed is None else {"top": listed}
    draw = partial(result.plot, **named)
    return _Ran(named_folds(table, asked), draw, result, _title(asked, given))


def _result(
    asked: Asked,
    drawn: Mapping[str, Drawn],
    function: Callable[..., Any],
    **keywords: Any,
) -> Any:
    """What an experiment gives; a `Comparison` of several backgrounds or folds."""
    from .._core.effects_folder import EffectsFolder
    from ..experiments.robustness import across_backgrounds, across_models

    first, *others = drawn.values()
    if others:
        compared = across_backgrounds(
            function,
            asked.model,
            {name: each.X for name, each in drawn.items()},
            clusters={name: each.clusters for name, each in drawn.items()},
            **keywords,
        )
        found = compared.results.items()
        return compared._replace(results={k: _at(one, drawn[k]) for k, one in found})
    keywords["clusters"] = first.clusters
    if asked.folds:
        compared = across_models(function, asked.folds, first.X, **keywords)
        found = compared.results.items()
        return compared._replace(results={k: _at(one, first) for k, one in found})
    result = _at(function(asked.model, first.X, **keywords), first)
    if keywords.get("save_to") is not None:
        EffectsFolder(keywords["save_to"]).keep_regions(first.regions)
    return result


def _at(result: Any, drawn: Drawn) -> Any:
    """A result with the places of its backgrounds on a genome, if it can have them."""
    located = getattr(result, "with_regions", None)
    return result if located is None else located(drawn.regions)


def _title(asked: Asked, given: Mapping[str, Any]) -> str:
    return f"{asked.inputs.name}: {subject(given)}"


def subject(given: Mapping[str, Any]) -> str:
    """What an experiment is about, as the title of a picture says it.

    Examples
    --------
    >>> from tangermeme_gia.motifs import Motif
    >>> subject({"a": (Motif.parse("gata"), 10), "b": (Motif.parse("GCGC"), None)})
    'GATA@10, GCGC'
    """
    for names in (("motif",), ("motifs",), ("patterns",), ("a", "b")):
        words = [w for name in names for w in _words(given.get(name, []))]
        if words:
            shown = ", ".join(words)
            return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]} ..."
    kmers = given.get("kmers")
    return f"all {given['k']}-mers" if kmers is None else "given k-mers"


def _words(value: Any) -> list[str]:
    """The motifs in options, with their starts."""
    if isinstance(value, tuple):
        motif, start = value
        return [motif.label if start is None else f"{motif.label}@{start}"]
    if isinstance(value, list):
        return [word for part in value for word in _words(part)]
    return [value.label]


def _table(
    command: Command, result: Any, confidence: float, tested: bool
) -> pd.DataFrame:
    """The table of a result, or those of several backgrounds or folds.

    With `p` of each effect if it is to be `tested`.
    """
    from ..statistics.comparisons import Comparison
    from . import tables
    from .contrasts import with_test

    if isinstance(result, Comparison):
        one = partial(_table, command, confidence=confidence)
        if result.across == "model":
            return crossed_table(result, partial(one, tested=True), confidence)
        return _compare(result, partial(one, tested=tested), confidence)
    table: pd.DataFrame
    if command.tabulate is None:
        table = result.to_frame(confidence=confidence)
    else:
        table = command.tabulate(tables, result, confidence)
    return with_test(table, result) if tested else table


def _compare(
    compared: Comparison, tabulate: Callable[[Any], pd.DataFrame], confidence: float
) -> pd.DataFrame:
    """The tables of all backgrounds below each other."""
    import pandas as pd

    table = compared.to_frame(confidence)
    own = [tabulate(one) for one in compared.results.values()]
    more = pd.concat(own, ignore_index=True)
    whole: pd.DataFrame = table.join(
        more[more.columns.difference(table.columns, sort=False)]
    )
    return whole


def add_group(parser: argparse.ArgumentParser, options: Sequence[Option]) -> None:
    """The options of the experiment itself."""
    group = parser.add_argument_group("experiment")
    for name, settings in options:
        group.add_argument(name, **settings)


def _library_keywords(given: Mapping[str, Any]) -> dict[str, Any]:
    """The options as the library takes them."""
    keywords = dict(given)
    orders = keywords.get("orders")
    if isinstance(orders, list):
        numbers = list(range(len(keywords["motifs"])))
        for order in orders:
            if sorted(order) != numbers:
                shown = ",".join(str(i + 1) for i in order)
                raise ValueError(
                    f"`--orders` has {shown}; each of the motifs 1 to {len(numbers)} "
                    "must be there once."
                )
    return keywords
