"""Reader of FASTA files that go with a table of scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tangermeme_gia._core.fasta import read_fasta_sequences as read_fasta_sequences
from tangermeme_gia._core.readers import TextTable, column_names, open_table
from tangermeme_gia._core.text import PathLike

from .readers import assemble
from .rnacompete import RNAcompete
from .splits import constant_sets, standard_sets


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
    >>> from pathlib import Path
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
    return assemble(
        letters,
        y[order],
        sets,
        experiments,
        lambda row: f"{fasta}, sequence {titles[row]!r}",
        length,
    )


def _match(
    titles: Sequence[str], names: Sequence[str], fasta: PathLike, table: TextTable
) -> list[int]:
    """The row of the table for each sequence; every name must be in both, once."""
    repeated = [name for name, n in Counter(titles).items() if n > 1]
    if repeated:
        raise ValueError(
            f"{fasta}: {len(repeated)} name(s) are there more than once, such as "
            f"{repeated[0]!r}; scores go with names."
        )
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
