"""An experiment for each of several motifs: one table, and a picture of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from .._core.command_line import check_files, write_table
from .._core.outputs import as_columns
from .._core.results import GIAResult
from .output import Output, local_table, write_plot


def write_each(
    output: Output,
    run: Callable[[dict[str, Any]], Any],
    asks: Sequence[tuple[str, dict[str, Any]]],
    model: str,
) -> pd.DataFrame:
    """Run an experiment for each motif, and write what it gives; the whole table.

    All tables stand in one, with a column `motif`. Motifs of one condition each are in
    one picture; else the picture of each has the name of the motif before its ending.
    """
    if output.save is not None:
        raise ValueError(
            "`--save` keeps one result; `--motifs` gives one of each motif. Give one "
            "`--motif`."
        )
    plots = plots_of(output.plot, [label for label, _ in asks])
    tables, local, together = [], [], {}
    for (label, given), plot in zip(asks, plots, strict=True):
        try:
            ran = run(given)
        except (ValueError, TypeError) as error:
            raise ValueError(f"motif {label}: {error}") from error
        tables.append(_of_motif(ran.table, label))
        if output.local is not None:
            local.append(_of_motif(local_table(ran.result), label))
        if isinstance(ran.result, GIAResult) and len(ran.result.conditions) == 1:
            together[label] = ran.result
        elif plot is not None:
            write_plot(ran.draw, plot, ran.title)
    whole: pd.DataFrame = pd.concat(tables, ignore_index=True)
    write_table(whole, output.out)
    if together and output.plot is not None:
        draw = partial(joined(together).plot, label="motif")
        write_plot(draw, output.plot, f"{model}: {len(together)} motifs")
    if local:
        write_table(pd.concat(local, ignore_index=True), output.local, "local")
    return whole


def joined(results: Mapping[str, GIAResult]) -> GIAResult:
    """Results of one condition each, on the same backgrounds, as one."""
    first, *_ = results.values()
    afters = [as_columns(result.y_afters, 2) for result in results.values()]
    conditions = pd.DataFrame({"motif": [*results]})
    return first._replace(
        y_before=as_columns(first.y_before),
        y_afters=torch.cat(afters, dim=1),
        conditions=conditions,
    )


def plots_of(plot: Path | None, labels: Sequence[str]) -> list[Path | None]:
    """The picture of each motif, checked.

    Examples
    --------
    >>> [p.name for p in plots_of(Path("sites.png"), ["MA0035.1 Gata1", "GATA"])]
    ['sites.MA0035.1-Gata1.png', 'sites.GATA.png']
    """
    if plot is None:
        return [None] * len(labels)
    words = [re.sub(r"[^\w.+-]+", "-", label) for label in labels]
    folded = [word.casefold() for word in words]  # some file systems tell no cases
    names = [
        word if folded.count(same) == 1 else f"{word}-{i}"
        for i, (word, same) in enumerate(zip(words, folded, strict=True), start=1)
    ]
    paths = [plot.with_name(f"{plot.stem}.{name}{plot.suffix}") for name in names]
    for path in paths:
        check_files(plot=path)
    return list(paths)


def _of_motif(table: pd.DataFrame, label: str) -> pd.DataFrame:
    rest: pd.DataFrame = table.drop(columns="motif", errors="ignore")
    rest.insert(0, "motif", label)
    return rest
