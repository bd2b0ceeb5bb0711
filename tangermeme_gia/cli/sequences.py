"""Observed sequences from the files that users have."""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from pyfaidx import FastaIndexingError, UnsupportedCompressionFormat
from tangermeme.utils import one_hot_encode

from .._core.fasta import read_fasta_sequences
from .._core.letters import DNA
from .._core.readers import open_table, read_bytes
from ..structure.pairs import complementary_bases
from .values import respell

_FASTA = (".fa", ".fasta", ".fna")
_TABLES = {".tsv": "\t", ".csv": ","}
_FORMATS = (*_FASTA, *_TABLES, ".txt", ".npz", ".bed")
# What may stand for a base in a genome but is none.
_AMBIGUOUS = "NRYSWKMBDHV"

_log = logging.getLogger("tangermeme_gia.cli")


class Observed(NamedTuple):
    """Sequences, their measured scores if there are any, and where they are from."""

    X: torch.Tensor
    scores: torch.Tensor | None
    origin: str


def read_sequences(
    path: Path,
    alphabet: Sequence[str] = DNA,
    *,
    length: int | None = None,
    genome: Path | None = None,
    sequence: str = "sequence",
    score: str | None = None,
) -> Observed:
    """Read observed sequences from a file, by its ending.

    Parameters
    ----------
    path: Path
        FASTA (.fa, .fasta, .fna); a table with a header (.tsv, .csv); lines of "score
        sequence" (.txt); regions (.bed), whose bases come from `genome`, reverse
        complemented on the strand "-"; all of these also gzipped; or one-hot `X` of
        shape (n, len(alphabet), length) with scores `y` if there are any (.npz).

    alphabet: sequence of str, optional
        Letters in channel order. T and U are the same base; case does not matter; N,
        or X where N is a letter, is a zero column. Default is ("A", "C", "G", "T").

    length: int or None, optional
        Columns of the encoding: shorter sequences are centred in zero padding, as in
        RNAcompete, and windows of this length are centred on regions. None needs
        sequences of one length. Default is None.

    genome: Path or None, optional
        FASTA of the genome that a .bed file refers to. Default is None.

    sequence, score: str, optional
        Columns of a table. The score is "score" if the table has such a column.

    Returns
    -------
    observed: Observed
        `X` (int8, shape=(n, len(alphabet), length)), `scores` (shape=(n,)) or None,
        and `origin`, a phrase that names the file and what was left out.

    Raises
    ------
    ValueError, OSError
        If the file cannot be read, is of another kind, or holds other letters or
        sequences of several lengths.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "probes.fa")
    ...     _ = path.write_text(">1\\nAGAGU\\n>2\\nGAU\\n")
    ...     read_sequences(path, "ACGU", length=5).X.sum(dim=1).tolist()
    [[1, 1, 1, 1, 1], [0, 1, 1, 1, 0]]
    """
    kind = Path(path.name.removesuffix(".gz")).suffix
    if kind not in _FORMATS:
        raise ValueError(
            f"`--sequences`={str(path)!r} ends in none of {', '.join(_FORMATS)}."
        )
    if not path.is_file():
        raise FileNotFoundError(f"`--sequences`: there is no file {path}.")
    if (kind == ".bed") != (genome is not None):
        raise ValueError(
            "`--genome` goes with regions, a .bed file of `--sequences`; "
            f"got {path.name} and {genome}."
        )
    if kind == ".npz":
        return _read_arrays(path, alphabet, length)
    if genome is not None:
        return _read_regions(path, genome, alphabet, length)
    letters, scores = _read_letters(path, kind, sequence, score)
    X = encode(letters, alphabet, length, str(path))
    return Observed(X, scores, f"{len(X):,} sequences of {path.name}")


def encode(
    sequences: Sequence[str], alphabet: Sequence[str], length: int | None, source: str
) -> torch.Tensor:
    """One-hot sequences, centred in `length` columns; int8."""
    lengths = {len(letters) for letters in sequences}
    if not lengths or max(lengths) == 0:
        raise ValueError(f"{source} holds no sequences.")
    if length is None and len(lengths) > 1:
        raise ValueError(
            f"{source} holds sequences of {min(lengths)} to {max(lengths)} letters. "
            "Models read one length: `--length` centres shorter ones in padding."
        )
    columns = length or max(lengths)
    if max(lengths) > columns:
        raise ValueError(
            f"{source} holds sequences of up to {max(lengths)} letters, more than the "
            f"{columns} of the model or of `--length`. Sequences are never cut."
        )
    unknown = _unknown(alphabet)
    padded = []
    allowed = {*alphabet, unknown}
    for row, letters in enumerate(sequences):
        spelled: str = respell(letters, alphabet)
        if not set(spelled) <= allowed:
            wrong = "".join(sorted(set(spelled) - allowed))
            raise ValueError(
                f"{source}, sequence {row + 1} has the letters {wrong!r}; the alphabet "
                f"is {', '.join(alphabet)}, and {unknown} for unknown."
            )
        before = (columns - len(spelled)) // 2
        after = columns - len(spelled) - before
        padded.append(before * unknown + spelled + after * unknown)
    joined = one_hot_encode("".join(padded), list(alphabet), ignore=[unknown])
    X: torch.Tensor = joined.reshape(len(alphabet), len(padded), columns)
    return X.transpose(0, 1).contiguous()


def _unknown(alphabet: Sequence[str]) -> str:
    """The letter of an unknown base, which is padding as well."""
    return next(letter for letter in "NX-" if letter not in alphabet)


def _read_letters(
    path: Path, kind: str, sequence: str, score: str | None
) -> tuple[list[str], torch.Tensor | None]:
    if kind in _FASTA:
        return read_fasta_sequences(path)[1], None
    if kind == ".txt":
        table = open_table(path, sep=r"\s+", columns=["score", "sequence"])
        sequence, score = "sequence", "score"
    else:
        table = open_table(path, sep=_TABLES[kind])
        score = score or ("score" if "score" in table.columns else None)
    table.require(sequence, argument="--sequence")
    scores = [] if score is None else [score]
    table.require(*scores, argument="--score")
    (letters,), y = table.read([sequence], scores, np.float64)
    if "" in letters:
        raise ValueError(f"{table.place(letters.index(''))}: the sequence is empty.")
    return letters, _as_scores(y, str(path)) if scores else None


def _read_arrays(path: Path, alphabet: Sequence[str], length: int | None) -> Observed:
    # What numpy raises of files that are cut off or of another kind.
    damaged = (ValueError, OSError, EOFError, AttributeError, TypeError)
    try:
        with open(path, "rb") as file, np.load(file) as arrays:
            held = {name: arrays[name] for name in arrays.files}
    except (*damaged, zlib.error, BadZipFile) as error:
        raise ValueError(
            f"`--sequences`: {path} is no .npz file of numbers: {error}"
        ) from error
    X = held.get("X")
    if X is None or X.ndim != 3 or X.shape[1] != len(alphabet):
        found = ", ".join(f"{name} {array.shape}" for name, array in held.items())
        raise ValueError(
            f"`--sequences`: {path} holds {found or 'nothing'}; an array `X` of shape "
            f"(n, {len(alphabet)}, length) is needed."
        )
    if length is not None and X.shape[-1] != length:
        raise ValueError(
            f"`--sequences`: {path} holds sequences of {X.shape[-1]} bases; the model "
            f"or `--length` says {length}."
        )
    if X.dtype.kind not in "biuf" or not ((X == 0) | (X == 1)).all():
        raise ValueError(f"`--sequences`: `X` of {path} must be 0 or 1 everywhere.")
    if not len(X):
        raise ValueError(f"{path} holds no sequences.")
    scores = None if "y" not in held else _as_scores(held["y"], str(path))
    if scores is not None and len(scores) != len(X):
        raise ValueError(f"{path}: {len(X)} sequences and {len(scores)} scores.")
    sequences = torch.from_numpy(X.astype(np.int8))
    return Observed(sequences, scores, f"{len(X):,} sequences of {path.name}")


def _read_regions(
    path: Path, genome: Path, alphabet: Sequence[str], length: int | None
) -> Observed:
    if not genome.is_file():
        raise FileNotFoundError(f"`--genome`: there is no file {genome}.")
    partners = complementary_bases(alphabet)
    regions, reverse = _read_bed(path)
    widths = set(regions["end"] - regions["start"])
    if length is None and len(widths) > 1:
        raise ValueError(
            f"{path} holds regions of {min(widths)} to {max(widths)} bases; `--length` "
            "is needed, the window around the middle of each."
        )
    X, kept = _extract(path, genome, regions, alphabet, length or widths.pop())
    turned = torch.tensor(reverse)[kept]
    other = [list(alphabet).index(partners[letter][0]) for letter in alphabet]
    X[turned] = X[turned].flip(-1)[:, other]
    origin = f"{len(X):,} regions of {path.name} in {genome.name}"
    left_out = int((~kept).sum())
    if left_out:
        origin += f" ({left_out:,} that reach past a chromosome's end are left out)"
        _log.info(origin)
    return Observed(X.to(torch.int8), None, origin)


def _extract(
    path: Path,
    genome: Path,
    regions: pd.DataFrame,
    alphabet: Sequence[str],
    length: int,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One-hot windows around regions, and which regions have one."""
    from tangermeme.io import extract_loci

    try:
        X, kept = extract_loci(
            regions,
            str(genome),
            in_window=length,
            alphabet=["T" if letter == "U" else letter for letter in alphabet],
            ignore=list(_AMBIGUOUS),
            return_mask=True,
        )
    except (FastaIndexingError, UnsupportedCompressionFormat, ImportError) as error:
        raise ValueError(
            f"`--genome`: {genome} is no FASTA file, without gzip: {error}"
        ) from error
    except ValueError as error:
        raise ValueError(f"{path} and {genome}: {error}") from error
    return X, torch.as_tensor(kept)


def _read_bed(path: Path) -> tuple[pd.DataFrame, list[bool]]:
    """Chromosome, start and end, and whether a region is on the strand "-"."""
    rows: list[tuple[str, int, int]] = []
    reverse = []
    for number, line in enumerate(read_bytes(path).decode().split("\n"), start=1):
        if not line.strip() or re.match(r"#|(track|browser)\b", line):
            continue
        chromosome, *fields = line.split("\t")
        bounds = [int(field) for field in fields[:2] if field.isdecimal()]
        if len(bounds) < 2 or bounds[0] >= bounds[1]:
            raise ValueError(
                f"{path}, line {number}: {line!r} is no region: chromosome, start and "
                "end, between tabs, whole numbers of which the first is lower."
            )
        rows.append((chromosome, bounds[0], bounds[1]))
        reverse.append(len(fields) > 4 and fields[4].strip() == "-")
    if not rows:
        raise ValueError(f"{path} holds no regions.")
    return pd.DataFrame(rows, columns=["chrom", "start", "end"]), reverse


def _as_scores(values: NDArray[Any], source: str) -> torch.Tensor:
    if values.size != len(values):
        raise ValueError(
            f"{source}: the scores have shape {values.shape}; one for each sequence is "
            "needed."
        )
    scores = pd.to_numeric(pd.Series(values.reshape(-1)), errors="coerce")
    numbers = scores.to_numpy(float)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        more = f", nor of {len(wrong) - 1} others" if len(wrong) > 1 else ""
        raise ValueError(
            f"{source}: the score of sequence {wrong[0] + 1} is no number{more}; leave "
            "such sequences out."
        )
    return torch.from_numpy(numbers.copy())
