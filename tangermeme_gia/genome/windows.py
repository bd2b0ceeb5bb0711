"""Letters under windows of a genome, which is read through once and never held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from .._core.fasta import FastaRecord, fasta_records


class Window(NamedTuple):
    """Bases of a chromosome, the first 0-based and the end exclusive."""

    chromosome: str
    start: int
    end: int


class Loci(NamedTuple):
    """Where the sequences that a command reads are from.

    Parameters
    ----------
    regions: pandas.DataFrame
        `chrom`, `start`, `end`, `name` and `strand` of each sequence.

    genome: Path
        FASTA of the genome.

    sizes: dict of str to int
        Bases of its chromosomes, in the file's order.

    taken: pandas.DataFrame
        `chrom`, `start` and `end` of all regions of the file, of whatever width.

    chroms: list of str or None, optional
        Chromosomes that were chosen. None is those of the regions. Default is None.
    """

    regions: pd.DataFrame
    genome: Path
    sizes: dict[str, int]
    taken: pd.DataFrame
    chroms: list[str] | None = None


def records_of(genome: Path, wanted: Container[str]) -> Iterator[FastaRecord]:
    """The chromosomes of a genome, those that are wanted each of a name of its own.

    Raises
    ------
    ValueError, OSError
        If it cannot be read, or has a wanted name twice.
    """
    names = set()
    for record in fasta_records(genome):
        if record.name in names and record.name in wanted:
            raise ValueError(f"{genome} has {record.name!r} more than once.")
        names.add(record.name)
        yield record


def letters_of(
    windows: Sequence[Window], genome: Path
) -> tuple[dict[int, str], dict[str, int]]:
    """The letters under windows, and the chromosomes with their sizes.

    Letters are by the index of their window, of the forward strand and as they stand; a
    window on no chromosome of the genome, or past an end, has none.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     genome = Path(folder, "genome.fa")
    ...     _ = genome.write_text(">chr1\\nAACC\\nGGTT\\n")
    ...     letters_of([Window("chr1", 2, 6), Window("chr1", 6, 9)], genome)
    ({0: 'CCGG'}, {'chr1': 8})
    """
    wanted: dict[str, list[int]] = defaultdict(list)
    for i, window in enumerate(windows):
        wanted[window.chromosome].append(i)
    found: dict[int, str] = {}
    sizes: dict[str, int] = {}
    for name, letters in records_of(genome, wanted):
        sizes[name] = len(letters)
        for i in wanted.get(name, ()):
            _, start, end = windows[i]
            if start >= 0 and end <= len(letters):
                found[i] = letters[start:end].decode()
    return found, sizes
