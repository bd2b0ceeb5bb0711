"""`tangermeme-gia align-kmers`: the motif that the best k-mers add up to."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._core.command_line import check_files
from .arguments import KMERS, Option, option
from .backgrounds import Backgrounds, add_backgrounds
from .experiments import add_group
from .options import add_inputs, add_model, add_output, ask, take

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ALIGNMENT: tuple[Option, ...] = (
    *KMERS,
    option("--top", "how many to align", type=int, default=10, metavar="N"),
    option(
        "--baseline",
        "effect from which a k-mer has weight; its weight is what lies above",
        type=float,
        default=0.0,
    ),
    option("--max-shift", "largest shift against the best (default: any)", type=int),
    option(
        "--min-coverage",
        "share of the weight that a column beside the best k-mer must have",
        type=float,
        default=0.0,
    ),
)
# Keywords of the scan; the others are those of the alignment.
_SCAN = ("k", "kmers", "start", "both_strands")


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `align-kmers` takes."""
    parser.set_defaults(command=run_alignment)
    add_model(parser)
    add_group(parser, _ALIGNMENT)
    add_backgrounds(parser, several=False)
    output = add_output(parser, raw=False, intervals=False)
    output.add_argument(
        "--meme",
        type=Path,
        metavar="FILE",
        help="motif to write for other tools, and for compare-motifs",
    )
    add_inputs(parser)


def run_alignment(*, meme: Path | None, **options: Any) -> None:
    """Write the motif, a row for each position."""
    import pandas as pd

    from ..kmers.scan import kmer_scan
    from ..motifs import align_kmers, write_meme
    from .output import Output

    output, chosen = take(options, Output), take(options, Backgrounds)
    check_files(out=output.out, plot=output.plot, save=output.save, meme=meme)
    asked = ask(options)
    letters, given = asked.inputs.alphabet, asked.given
    scanned = {name: given.pop(name) for name in _SCAN}
    (one,) = chosen.draw(asked.inputs, asked.seed, **asked.prediction).values()
    known = {"clusters": one.clusters, "keep": chosen.keep, **asked.keywords}
    scan = kmer_scan(asked.model, one.X, **scanned, **known)
    motif = align_kmers(
        scan, alphabet=letters, both_strands=scanned["both_strands"], **given
    )
    table = pd.DataFrame(motif.ppm.T.numpy(), columns=list(letters))
    table.insert(0, "position", range(len(table)))
    name = motif.table["kmer"].iloc[0]
    if meme is not None:
        write_meme(meme, {name: motif.ppm}, alphabet=letters)

    def draw() -> Axes:
        from ..plot import motif_logo

        return motif_logo(motif.ppm, letters)

    output.write(
        table,
        scan,
        draw,
        title=f"{asked.inputs.name}: {len(motif.table)} best k-mers aligned to {name}",
    )
