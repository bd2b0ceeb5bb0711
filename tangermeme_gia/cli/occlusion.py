"""`tangermeme-gia occlusion`: what observed sequences lose with a region."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..backgrounds.by_name import GENOMIC
from .arguments import Flat
from .backgrounds import N_BACKGROUNDS, NAMES, OBSERVED, STRUCTURED, Backgrounds
from .options import Asked, add_inputs, add_model, add_output, ask, take
from .values import region

if TYPE_CHECKING:  # what explains the options needs neither pandas nor torch
    import pandas as pd

    from ..genome.windows import Loci

_SHUFFLES = ("shuffle", "dinucleotide")


@dataclass(frozen=True)
class _Regions:
    """What the options say of the regions: which, or how wide and how far apart."""

    windows: list[list[int]] | None
    width: int | None
    step: int | None
    annotations: list[list[int]] | None

    def __post_init__(self) -> None:
        for name, regions, size, form in (
            ("windows", self.windows, 2, "START:END"),
            ("annotations", self.annotations, 3, "SEQ:START:END"),
        ):
            for numbers in regions or []:
                if len(numbers) != size:
                    shown = ":".join(map(str, numbers))
                    raise ValueError(f"`--{name}` has {shown}; {form} is needed.")
        for option, number in (("width", self.width), ("step", self.step)):
            if number is not None and number < 1:
                raise ValueError(f"`--{option}`={number} must be at least 1.")
        if self.step is not None and self.width is None:
            raise ValueError("`--step` goes with `--width`.")

    def along(self, length: int) -> list[list[int]]:
        """Windows of sequences of this length; the last of a tiling ends with it."""
        if self.width is None:
            return self.windows or []
        if self.width > length:
            raise ValueError(
                f"`--width`={self.width}, but the sequences have {length} bases."
            )
        last = length - self.width
        starts = [*range(0, last, self.step or self.width), last]
        return [[start, start + self.width] for start in starts]


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `occlusion` takes."""
    parser.set_defaults(command=run_occlusion)
    add_model(parser)
    _add_regions(parser)
    _add_tracks(add_output(parser))
    add_inputs(parser)


def run_occlusion(*, background: str, n: int, **options: Any) -> None:
    """Write the effects of regions of observed sequences, averaged over draws."""
    from .._core.effects_folder import EffectsFolder
    from ..experiments.occlusion import occlusion, occlusion_annotations
    from .output import Output, say_varied

    output, regions = take(options, Output), take(options, _Regions)
    if options["sequences"] is None:
        raise ValueError("occlusion explains observed sequences: give `--sequences`.")
    if options["genome"] is None and (output.bed or output.bigwig):
        raise ValueError(
            "`--bed` and `--bigwig` need places on a genome: give regions as "
            "`--sequences`, and their `--genome`."
        )
    # What is known by its place needs no number.
    told = output.local is not None and options["genome"] is None
    asked = ask(options | {"numbered": told or regions.annotations is not None})
    model, X = asked.model, asked.inputs.X
    assert X is not None
    replacement = _replacement(background, asked, n)
    keywords = {**asked.keywords, "background": replacement, "n": n}
    if output.save_to is not None:
        keywords["save_to"] = output.save_to
    if regions.annotations is not None:
        drawn = occlusion_annotations(model, X, regions.annotations, **keywords)
    else:
        drawn = occlusion(model, X, regions.along(X.shape[-1]), **keywords)
    result = drawn.average("draw")
    if asked.inputs.loci is not None:
        places = _places(asked.inputs.loci, regions.annotations)
        result = result.with_regions(places)
        if output.save_to is not None:
            EffectsFolder(output.save_to).keep_regions(places)
        output.write_tracks(result, asked.inputs.loci.sizes)
    rows = "sequence" if regions.annotations is None else "annotation"
    table = result.to_frame(output.confidence)
    output.write(
        table,
        result,
        result.plot,
        rows=rows,
        title=f"{asked.inputs.name}: {len(X):,} sequences of {options['sequences']}",
    )
    # Each row of `X` has its own letters in the place of the region.
    say_varied(table, rows, drawn=["letters"], n_averaged=asked.n_weights)


def _places(loci: Loci, annotations: list[list[int]] | None) -> pd.DataFrame:
    """Where the rows of the result are: sequences, or annotations of them."""
    from ..genome import annotated_regions

    if annotations is None:
        return loci.regions
    return annotated_regions(loci.regions, annotations)


def _replacement(name: str, asked: Asked, n: int) -> Any:
    """What the library takes as background: the name of a shuffle, or sequences."""
    if name in _SHUFFLES:
        return name
    many = None if name == OBSERVED else max(n, N_BACKGROUNDS)
    if name == GENOMIC and asked.inputs.X is not None:  # of a small genome, no more
        many = max(n, min(len(asked.inputs.X), N_BACKGROUNDS))
    drawn = Backgrounds(name, many).draw(asked.inputs, asked.seed, **asked.prediction)
    return drawn[name].X


def _add_tracks(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--bed",
        type=Path,
        metavar="FILE",
        help="effect of each region on each sequence, where it is on the genome: BED6, "
        "and the effect in column 7",
    )
    group.add_argument(
        "--bigwig",
        type=Path,
        metavar="FILE",
        help="the same as a track; where regions overlap, the mean of their effects",
    )


def _add_regions(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("experiment")
    where = group.add_mutually_exclusive_group(required=True)
    several: Any = {"nargs": "+", "type": lambda w: [region(w)], "action": Flat}
    where.add_argument(
        "--windows",
        metavar="START:END",
        help="regions that every sequence loses in turn: 10:16 is the bases 10 to 15, "
        "counted from 0",
        **several,
    )
    where.add_argument(
        "--annotations",
        metavar="SEQ:START:END",
        help="regions of single sequences, which are counted from 0, too",
        **several,
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
        "background (profile, quartile1 to quartile4, observed, genomic)",
    )
    group.add_argument("--n", type=int, default=20, help="draws for each region")
