"""Readers of FASTA files, with or without a table of scores."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyfaidx
import torch

from .encoding import encode_sequences
from .rnacompete import RNAcompete
from .splits import constant_sets, standard_sets
from .tables import PathLike, TextTable, column_names, open_table, read_bytes


def read_fasta(
    fasta: PathLike,
    scores: PathLike,
    *,
    name: str = "name",
    score: str | Sequence[str] = "score",
    set_column: str | None = None,
    set_label: str = "A",
    sep: str | None = None,
    length: int | None = 41,
) -> RNAcompete:
    """Read sequences from FASTA and their scores from a table.

    Parameters
    ----------
    fasta: str or Path
        The sequences. The name of each is the first word of its title.

    scores: str or Path
        A table with a header and a row for each sequence, in any order.

    name: str, optional
        Name of the column of sequence names in `scores`. Default is "name".

    score, set_column, set_label, sep, length: optional
        As in `read_table`.

    Returns
    -------
    data: RNAcompete
        In the order of the FASTA file.

    Raises
    ------
    ValueError
        If a file is empty or damaged, a name is in one file only or is there twice,
        or a column, set label, sequence or score is not as it should be.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     fasta, scores = Path(folder, "probes.fa"), Path(folder, "scores.tsv")
    ...     _ = fasta.write_text(">p1\\nAGAGGAC\\n>p2\\nAGAUC\\n")
    ...     _ = scores.write_text("name\\tscore\\np2\\t2\\np1\\t1\\n")
    ...     read_fasta(fasta, scores).y.tolist()
    [[1.0], [2.0]]
    """
    titles, letters = read_fasta_sequences(fasta)
    table = open_table(scores, sep=sep)
    experiments = column_names(score, "score")
    texts = [name] if set_column is None else [name, set_column]
    (names, *labels), y = table.read(texts, experiments)
    order = _match(titles, names, fasta, table)
    if labels:
        sets = standard_sets(labels[0], table.place)[order]
    else:
        sets = constant_sets(set_label, len(titles))
    return RNAcompete(
        X=encode_sequences(
            letters, length, lambda row: f"{fasta}, sequence {titles[row]!r}"
        ),
        y=torch.from_numpy(y[order]),
        sets=sets,
        experiments=experiments,
    )


def read_fasta_sequences(path: PathLike) -> tuple[list[str], list[str]]:
    """Read the names and sequences of a FASTA file, plain or gzipped.

    Parameters
    ----------
    path: str or Path
        The file. No index is written beside it.

    Returns
    -------
    names: list of str
        The first word of each title.

    sequences: list of str
        The letters as they stand, of any case.

    Raises
    ------
    ValueError
        If the file is empty, damaged or not FASTA, or a name is there twice.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "probes.fa")
    ...     _ = path.write_text(">p1 first\\nAGAGG\\nACU\\n>p2\\nagauc\\n")
    ...     read_fasta_sequences(path)
    (['p1', 'p2'], ['AGAGGACU', 'agauc'])
    """
    data = read_bytes(path)
    if not data.lstrip().startswith(b">"):
        raise ValueError(f"{path}, line 1: a FASTA file starts with '>'.")
    # pyfaidx writes an index beside the file it reads and takes no gzip.
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder, "sequences.fa")
        plain.write_bytes(data + b"\n")
        try:
            with pyfaidx.Fasta(plain, as_raw=True) as records:
                names = list(records.keys())
                sequences = [str(records[name][:]) for name in names]
        except (pyfaidx.FastaIndexingError, ValueError) as error:
            reason = str(error).replace(str(plain), str(path))
            raise ValueError(f"{path} is not a valid FASTA file: {reason}") from None
    return names, sequences


def _match(
    titles: Sequence[str], names: Sequence[str], fasta: PathLike, table: TextTable
) -> list[int]:
    """The row of the table for each sequence; every name must be in both, once."""
    rows: dict[str, int] = {}
    for row, name in enumerate(names):
        if name in rows:
            raise ValueError(
                f"{table.place(row)}: the name {name!r} was there before, in "
                f"{table.place(rows[name])}."
            )
        rows[name] = row
    for these, those, here, there in (
        (titles, rows, fasta, table.path),
        (rows, set(titles), table.path, fasta),
    ):
        lost = [name for name in these if name not in those]
        if lost:
            raise ValueError(
                f"{len(lost)} sequence(s) of {here} are not in {there}; the first is "
                f"{lost[0]!r}."
            )
    return [rows[title] for title in titles]
