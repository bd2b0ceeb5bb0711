"""`tangermeme-gia occlusion`: what observed sequences lose with a region."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .._core.command_line import check_files, write_table
from ..experiments.occlusion import occlusion, occlusion_annotations
from .backgrounds import N_BACKGROUNDS, NAMES, OBSERVED, STRUCTURED, draw_background
from .designs import Flat
from .options import (
    Asked,
    add_inputs,
    add_output,
    add_parser,
    ask,
    check_confidence,
)
from .output import check_picture, local_table, write_plot
from .values import region

_SHUFFLES = ("shuffle", "dinucleotide")


def add_command(subparsers: Any) -> None:
    """Add `occlusion` to the commands."""
    parser = add_parser(
        subparsers,
        "occlusion",
        "How much does the output depend on a region, whatever else might stand there?",
        "--sequences probes.fa --width 6 --plot regions.png",
    )
    parser.set_defaults(command=run_occlusion)
    _add_regions(parser)
    add_output(parser)
    add_inputs(parser)


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
    check_picture(plot)
    check_files(out=out, plot=plot, local=local)
    check_confidence(confidence)
    _check_regions(windows, width, step, annotations)
    if options["sequences"] is None:
        raise ValueError("occlusion explains observed sequences: give `--sequences`.")
    asked = ask(options)
    model, X = asked.inputs.model, asked.inputs.X
    assert X is not None
    keywords = {
        **asked.keywords,
        "background": _replacement(background, asked, n),
        "n": n,
    }
    if annotations is not None:
        drawn = occlusion_annotations(model, X, annotations, **keywords)
    else:
        regions = windows or _tile(width or 0, step, X.shape[-1])
        drawn = occlusion(model, X, regions, **keywords)
    result = drawn.average("draw")
    write_table(result.to_frame(confidence), out)
    if local is not None:
        rows = "sequence" if annotations is None else "annotation"
        write_table(local_table(result, rows), local, "local")
    if plot is not None:
        write_plot(lambda plots: _draw_regions(plots, result, width is not None), plot)


def _replacement(name: str, asked: Asked, n: int) -> Any:
    """What the library takes as background: the name of a shuffle, or sequences."""
    if name in _SHUFFLES:
        return name
    many = None if name == OBSERVED else max(n, N_BACKGROUNDS)
    return draw_background(name, asked.inputs, many, asked.seed, **asked.prediction)


def _add_regions(parser: argparse.ArgumentParser) -> None:
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
        choices=(*_SHUFFLES, *(x for x in NAMES if x not in (*_SHUFFLES, STRUCTURED))),
        metavar="NAME",
        default=_SHUFFLES[0],
        help="what replaces a region: its own letters in random order (shuffle, or "
        "dinucleotide with their dinucleotides kept), or that region of sequences of a "
        "background (profile, quartile1 to quartile4, observed)",
    )
    group.add_argument("--n", type=int, default=20, help="draws for each region")


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
