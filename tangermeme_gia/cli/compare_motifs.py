"""`tangermeme-gia compare-motifs`: which known motifs look like these?"""

from __future__ import annotations

import argparse
from pathlib import Path

from .._core.command_line import check_files, write_table


def add_options(parser: argparse.ArgumentParser) -> None:
    """What `compare-motifs` takes."""
    parser.set_defaults(command=run_comparison)
    for name, text in (
        ("motifs", "motifs to look up, such as of align-kmers --meme"),
        ("known", "motifs to compare them with"),
    ):
        parser.add_argument(
            f"--{name}",
            type=Path,
            required=True,
            metavar="FILE",
            help=f"{text}: MEME, JASPAR, HOMER, TRANSFAC or TF-MoDISco",
        )
    parser.add_argument(
        "--both-strands",
        action=argparse.BooleanOptionalAction,
        help="also with the reverse complements of the known motifs (default: for DNA)",
    )
    parser.add_argument(
        "--n-nearest", type=int, help="so many for each, best first (default: all)"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="table to write (default: stdout)"
    )


def run_comparison(
    *,
    motifs: Path,
    known: Path,
    both_strands: bool | None,
    n_nearest: int | None,
    out: Path | None,
) -> None:
    """Write a row for each motif and known motif, with p and q values by TOMTOM."""
    from .._core.motif_files import read_motifs
    from ..motifs import compare_motifs

    check_files(out=out)
    for name, path in {"motifs": motifs, "known": known}.items():
        if not path.is_file():
            raise FileNotFoundError(f"`--{name}`: there is no file {path}.")
    read = read_motifs(motifs)
    letters = next(iter(read.values())).alphabet
    table = compare_motifs(
        read, known, alphabet=letters, both_strands=both_strands, n_nearest=n_nearest
    )
    write_table(table, out)
