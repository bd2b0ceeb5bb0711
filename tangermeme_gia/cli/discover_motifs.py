"""`tangermeme-gia discover-motifs`: from a model to tested patterns."""

from __future__ import annotations

import argparse
import dataclasses
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.command_line import check_files
from .arguments import Option, option
from .experiments import add_group
from .options import add_inputs, add_model, add_output, ask, take

if TYPE_CHECKING:  # what explains the options needs neither pandas nor torch
    import pandas as pd

    from ..surveys.discovery_result import MotifDiscovery

_ATTRIBUTIONS = ("deep_lift_shap", "saturation_mutagenesis")
_DISCOVERY: tuple[Option, ...] = (
    option(
        "--attribution",
        "tangermeme's function that finds what contributes",
        choices=_ATTRIBUTIONS,
        default=_ATTRIBUTIONS[0],
    ),
    option(
        "--n-shuffles",
        "references of each sequence, of deep_lift_shap",
        type=int,
        default=20,
    ),
    option(
        "--motifs",
        "test these instead of discovering any, on sequences not seen before: "
        "modisco_results.h5, MEME, JASPAR, ...",
        type=Path,
        metavar="FILE",
    ),
    option(
        "--database",
        "known motifs to name patterns by: MEME, JASPAR, HOMER, TRANSFAC",
        type=Path,
        metavar="FILE",
    ),
    option("--min-seqlets", "fewer make no pattern", type=int, default=10),
    option(
        "--discovery-fraction",
        "share of the sequences that discovery sees; the others test",
        type=float,
        default=0.5,
    ),
    option(
        "--n-instances", "instances of each pattern to remove", type=int, default=200
    ),
    option(
        "--alpha", "share of the claims that may be false", type=float, default=0.05
    ),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `discover-motifs` takes."""
    parser.set_defaults(command=run_discovery)
    add_model(parser)
    add_group(parser, _DISCOVERY)
    output = add_output(parser, raw=False)
    output.add_argument(
        "--meme", type=Path, metavar="FILE", help="patterns to write for other tools"
    )
    add_inputs(parser)


def run_discovery(
    *,
    attribution: str,
    n_shuffles: int,
    motifs: Path | None,
    database: Path | None,
    alpha: float,
    meme: Path | None,
    **options: Any,
) -> None:
    """Write a row for each pattern, with its effects and its verdict."""
    from ..motifs import write_meme
    from ..surveys.discovery import discover_motifs
    from .output import Output

    output = take(options, Output)
    check_files(out=output.out, plot=output.plot, save=output.save, meme=meme)
    for name, path in {"motifs": motifs, "database": database}.items():
        if path is not None and not path.is_file():
            raise FileNotFoundError(f"`--{name}`: there is no file {path}.")
    if options["sequences"] is None:
        raise ValueError("discover-motifs needs observed sequences: `--sequences`.")
    asked = ask(options)
    found = discover_motifs(
        asked.model,
        asked.inputs.X,
        motifs=motifs,
        known=database,
        attribution=_function(attribution, n_shuffles),
        **asked.given,
        **asked.keywords,
    )
    if asked.inputs.loci is not None:
        found = located(found, asked.inputs.loci.regions)
    table = found.to_frame(output.confidence, alpha)
    output.write(
        table,
        found,
        functools.partial(
            found.plot,
            confidence=output.confidence,
            alpha=alpha,
            alphabet=asked.inputs.alphabet,
        ),
        title=f"{asked.inputs.name}: patterns in {options['sequences']}",
    )
    _say_varied(table, found, asked.n_weights)
    if meme is None:
        return
    if not found.motifs:
        raise ValueError(f"`--meme`: there is no pattern to write to {meme}.")
    write_meme(meme, found.motifs, alphabet=asked.inputs.alphabet)


def _say_varied(table: pd.DataFrame, found: MotifDiscovery, n_averaged: int) -> None:
    """What the intervals of placing, and those of removing, are over."""
    from .output import say_varied

    if found.placed is not None:
        low, high = table["placed_low"], table["placed_high"]
        shown = table.assign(low=low, high=high, n=found.placed.n)
        say_varied(shown, drawn=["letters"], n_averaged=n_averaged)


def located(found: MotifDiscovery, regions: pd.DataFrame) -> MotifDiscovery:
    """With the places on the genome of seqlets, instances and what was removed.

    Tables get `chrom`, `chrom_start` and `chrom_end`; their `strand` stays that of the
    pattern in its sequence.
    """
    from .._core.regions import beside_rows
    from ..genome import annotated_regions

    named = ["example_idx", "start", "end"]
    tables, places = {}, {}
    for name in ("seqlets", "instances"):
        table = getattr(found, name)
        places[name] = annotated_regions(regions, table[named].to_numpy(int))
        shown = beside_rows(places[name], range(len(table)))
        tables[name] = table.assign(
            **{x: shown[x].to_numpy() for x in ("chrom", "chrom_start", "chrom_end")}
        )
    removed = found.removed
    if removed is not None:
        gone = found.instances["removed"].to_numpy(bool)
        removed = removed.with_regions(places["instances"][gone])
    return dataclasses.replace(found, removed=removed, **tables)


def _function(name: str, n_shuffles: int) -> Any:
    if n_shuffles < 1:
        raise ValueError(f"`--n-shuffles`={n_shuffles} must be at least 1.")
    from tangermeme.deep_lift_shap import deep_lift_shap
    from tangermeme.saturation_mutagenesis import saturation_mutagenesis

    if name == _ATTRIBUTIONS[0]:
        return functools.partial(deep_lift_shap, n_shuffles=n_shuffles)
    return saturation_mutagenesis
