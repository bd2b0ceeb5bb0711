"""One experiment from the command line: a table, and a plot if asked for."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..removal import average_draws, occlusion, occlusion_annotations
from ..robustness import across_backgrounds
from .backgrounds import N_BACKGROUNDS, NAMES, OBSERVED, draw_all, draw_background
from .designs import DESIGNS, Design, Flat
from .options import (
    DEFAULT_MODEL,
    INPUTS,
    HelpFormatter,
    add_inputs,
    model_help,
    prediction_options,
    read_inputs,
)
from .output import check_files, local_table, write_plot, write_table
from .values import region, respell

# Keywords that hold motifs, which may be given in lower case and with T for U.
_MOTIFS = ("motif", "motifs", "left", "right", "patterns", "a", "b", "kmers")
_REPLACEMENTS = ("shuffle", "dinucleotide")


def add_commands(subparsers: Any) -> None:
    """Add a command for each experiment."""
    for design in DESIGNS:
        example = f"tangermeme-gia {design.name} {design.example}"
        parser = _add_parser(subparsers, design.name, design.summary, example)
        parser.set_defaults(command=partial(run_experiment, design))
        design.add(parser.add_argument_group("experiment"))
        _add_backgrounds(parser)
        _add_output(parser, local=design.name != "kmer-scan")
        add_inputs(parser)
    parser = _add_parser(
        subparsers,
        "occlusion",
        "How much does the output depend on a region, whatever else might stand there?",
        "tangermeme-gia occlusion --sequences probes.fa --width 6 --plot regions.png",
    )
    parser.set_defaults(command=run_occlusion)
    _add_occlusion(parser)
    _add_output(parser)
    add_inputs(parser)


def run_experiment(
    design: Design,
    *,
    background: str,
    backgrounds: list[str] | None,
    n: int | None,
    confidence: float,
    out: Path | None,
    plot: Path | None,
    local: Path | None = None,
    top: int | None = None,
    **options: Any,
) -> None:
    """Write the table of an experiment, and its plot."""
    check_files(out=out, plot=plot, local=local)
    if backgrounds and (top is not None or local is not None):
        raise ValueError("`--backgrounds` goes with neither `--top` nor `--local`.")
    _check_range("confidence", confidence)
    model, seed, device, batch_size, inputs, given = _divide(options)
    prediction = prediction_options(device, batch_size)
    loaded = read_inputs(model, **inputs)
    given = _library_keywords(given, loaded.alphabet)
    keywords = {
        **given,
        "alphabet": loaded.alphabet,
        "random_state": seed,
        "verbose": sys.stderr.isatty(),
        **prediction,
    }
    if backgrounds:
        drawn = draw_all(backgrounds, loaded, n, seed, **prediction)
        comparison = across_backgrounds(
            design.function, loaded.model, drawn, **keywords
        )
        write_table(comparison.to_frame(confidence), out)
        if plot is not None:
            write_plot(lambda plots: plots.background_grid(comparison), plot)
        return
    X = draw_background(background, loaded, n, seed, **prediction)
    result = design.function(loaded.model, X, **keywords)
    table = result.to_frame(confidence)
    if top is not None:
        table = result.top(top, confidence=confidence)
    write_table(table, out)
    if local is not None:
        write_table(local_table(result), local, "local")
    if plot is not None:
        seen = {**given, "top": top}
        write_plot(
            lambda plots: design.draw(plots, result, seen, loaded.alphabet), plot
        )


def run_occlusion(
    *,
    windows: list[list[int]] | None,
    width: int | None,
    step: int | None,
    annotations: list[list[int]] | None,
    background: str,
    n: int,
    confidence: float,
    out: Path | None,
    plot: Path | None,
    local: Path | None,
    **options: Any,
) -> None:
    """Write the effects of regions of observed sequences, averaged over draws."""
    check_files(out=out, plot=plot, local=local)
    _check_range("confidence", confidence)
    model, seed, device, batch_size, inputs, _ = _divide(options)
    if inputs["sequences"] is None:
        raise ValueError("occlusion explains observed sequences: give `--sequences`.")
    _check_regions(windows, width, step, annotations)
    prediction = prediction_options(device, batch_size)
    loaded = read_inputs(model, **inputs)
    assert loaded.X is not None
    replacement: Any = background
    if background not in _REPLACEMENTS:
        many = None if background == OBSERVED else max(n, N_BACKGROUNDS)
        replacement = draw_background(background, loaded, many, seed, **prediction)
    keywords = {
        "background": replacement,
        "n": n,
        "alphabet": loaded.alphabet,
        "random_state": seed,
        "verbose": sys.stderr.isatty(),
        **prediction,
    }
    if annotations is not None:
        drawn = occlusion_annotations(loaded.model, loaded.X, annotations, **keywords)
    else:
        regions = windows or _tile(width or 0, step, loaded.length)
        drawn = occlusion(loaded.model, loaded.X, regions, **keywords)
    result = average_draws(drawn)
    write_table(result.to_frame(confidence), out)
    if local is not None:
        rows = "sequence" if annotations is None else "annotation"
        write_table(local_table(result, rows), local, "local")
    if plot is not None:
        write_plot(lambda plots: _draw_regions(plots, result, width is not None), plot)


def _add_parser(
    subparsers: Any, name: str, summary: str, example: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=summary,
        description=summary,
        epilog=f"example: {example}",
        formatter_class=HelpFormatter,
    )
    parser.set_defaults(program=name)
    parser.add_argument("--model", default=DEFAULT_MODEL, help=model_help())
    return parser


def _add_backgrounds(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("backgrounds")
    one = group.add_mutually_exclusive_group()
    one.add_argument(
        "--background",
        choices=NAMES,
        metavar="NAME",
        default=NAMES[0],
        help=f"sequences the motifs are placed in: {', '.join(NAMES)} (the sequences "
        "as they are)",
    )
    one.add_argument(
        "--backgrounds",
        nargs="+",
        choices=NAMES,
        metavar="NAME",
        help="several of these, to see whether the choice matters",
    )
    group.add_argument(
        "--n",
        type=int,
        help=f"background sequences (default: {N_BACKGROUNDS}, or all of 'observed')",
    )


def _add_occlusion(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("experiment")
    where = group.add_mutually_exclusive_group(required=True)
    for name, metavar, text in (
        (
            "--windows",
            "START:END",
            "regions that every sequence loses in turn: 10:16 is the bases 10 to 15, "
            "counted from 0",
        ),
        (
            "--annotations",
            "SEQ:START:END",
            "regions of single sequences, which are counted from 0, too",
        ),
    ):
        where.add_argument(
            name,
            nargs="+",
            type=lambda w: [region(w)],
            action=Flat,
            metavar=metavar,
            help=text,
        )
    where.add_argument(
        "--width", type=int, help="windows of so many bases along the sequences"
    )
    group.add_argument(
        "--step", type=int, help="bases from one to the next (default: their width)"
    )
    group.add_argument(
        "--background",
        choices=(*_REPLACEMENTS, *(x for x in NAMES if x not in _REPLACEMENTS)),
        metavar="NAME",
        default=_REPLACEMENTS[0],
        help="what replaces a region: its own letters in random order (shuffle, or "
        "dinucleotide with their dinucleotides kept), or that region of sequences of a "
        "background (profile, quartile1 to quartile4, observed)",
    )
    group.add_argument("--n", type=int, default=20, help="draws for each region")


def _add_output(parser: argparse.ArgumentParser, local: bool = True) -> None:
    group = parser.add_argument_group("output")
    group.add_argument(
        "--out", type=Path, metavar="FILE", help="table to write (default: stdout)"
    )
    group.add_argument(
        "--plot", type=Path, metavar="FILE", help="picture to draw: .png, .svg or .pdf"
    )
    if local:
        group.add_argument(
            "--local",
            type=Path,
            metavar="FILE",
            help="table of the effect on each single sequence",
        )
    group.add_argument(
        "--confidence", type=float, default=0.95, help="coverage of the intervals"
    )


def _divide(options: dict[str, Any]) -> tuple[Any, ...]:
    """Model, seed, device, batch size, options of the inputs, and the others."""
    inputs = {name: options.pop(name) for name in INPUTS}
    first = [options.pop(x) for x in ("model", "seed", "device", "batch_size")]
    return (*first, inputs, options)


def _library_keywords(given: dict[str, Any], alphabet: Sequence[str]) -> dict[str, Any]:
    """The options as the library takes them."""
    keywords = {
        name: respell(value, alphabet) if name in _MOTIFS else value
        for name, value in given.items()
    }
    kmers = keywords.get("kmers")
    if kmers is not None and any(isinstance(kmer, Path) for kmer in kmers):
        if len(kmers) > 1:
            raise ValueError("`--kmers` takes words, or one MEME file.")
        if not kmers[0].is_file():
            raise FileNotFoundError(f"`--kmers`: there is no file {kmers[0]}.")
        keywords["kmers"] = kmers[0]
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


def _check_range(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"`--{name}`={value:g} must be between 0 and 1.")


def _check_regions(
    windows: list[list[int]] | None,
    width: int | None,
    step: int | None,
    annotations: list[list[int]] | None,
) -> None:
    for name, regions, size, form in (
        ("windows", windows, 2, "START:END"),
        ("annotations", annotations, 3, "SEQ:START:END"),
    ):
        for numbers in regions or []:
            if len(numbers) != size:
                shown = ":".join(map(str, numbers))
                raise ValueError(f"`--{name}` has {shown}; {form} is needed.")
    for option, number in (("width", width), ("step", step)):
        if number is not None and number < 1:
            raise ValueError(f"`--{option}`={number} must be at least 1.")
    if step is not None and width is None:
        raise ValueError("`--step` goes with `--width`.")


def _tile(width: int, step: int | None, length: int) -> list[list[int]]:
    """Windows along a sequence; the last one ends with it."""
    if width > length:
        raise ValueError(f"`--width`={width}, but the sequences have {length} bases.")
    starts = list(range(0, length - width + 1, step or width))
    if starts[-1] != length - width:
        starts.append(length - width)
    return [[start, start + width] for start in starts]


def _draw_regions(plots: Any, result: Any, tiled: bool) -> Any:
    if tiled:
        ax = plots.position_curve(result)
        ax.set_xlabel("Start of the window (0-based position)")
    else:
        label = [name for name in ("start", "end") if name in result.conditions]
        ax = plots.local_importance_boxes(result, label or "background")
    for text in ax.texts:  # what is averaged over
        text.set_text(text.get_text().replace("background", "sequence"))
    return ax
