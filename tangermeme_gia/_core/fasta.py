"""Reader of FASTA files."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyfaidx

from .readers import PathLike, read_bytes


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
