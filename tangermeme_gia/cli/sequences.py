"""Observed sequences from the files that users have."""

from __future__ import annotations

import logging
import re
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tangermeme.utils import one_hot_encode

from .._core.fasta import read_fasta_sequences
from .._core.letters import DNA
from .._core.readers import open_table
from .._core.spelling import AMBIGUOUS, is_nucleic, respell
from ..genome.windows import Loci
from ..structure.pairs import complementary_bases
from .arrays import as_scores, read_arrays
from .regions import Extracted, read_windows

_FASTA = (".fa", ".fasta", ".fna")
_TABLES = {".tsv": "\t", ".csv": ","}
_REGIONS = (".bed", ".narrowpeak", ".broadpeak")
_FORMATS = (*_FASTA, *_TABLES, ".txt", ".npz", ".bed", ".narrowPeak", ".broadPeak")

_log = logging.getLogger("tangermeme_gia.cli")


class Observed(NamedTuple):
    """Sequences, their measured scores if there are any, and where they are from."""

    X: torch.Tensor
    scores: torch.Tensor | None
    origin: str
    loci: Loci | None = None


def read_sequences(
    path: Path,
    alphabet: Sequence[str] = DNA,
    *,
    length: int | None = None,
    genome: Path | None = None,
    chroms: Sequence[str] | None = None,
    sequence: str = "sequence",
    score: str | None = None,
    keep_copies: bool = False,
    numbered: bool = False,
) -> Observed:
    """Read observed sequences from a file, by its ending.

    Parameters
    ----------
    path: Path
        FASTA (.fa, .fasta, .fna); a table with a header (.tsv, .csv); lines of "score
        sequence" (.txt); regions (.bed, .narrowPeak, .broadPeak), whose bases come
        from `genome`, reverse complemented on the strand "-"; all of these also
        gzipped; or one-hot `X` of shape (n, len(alphabet), length) with scores `y` if
        there are any (.npz).

    alphabet: sequence of str, optional
        Letters in channel order. T and U are the same base; case does not matter; N,
        or X where N is a letter, is a zero column, and so are the letters that stand
        for several bases, which a warning counts. Default is ("A", "C", "G", "T").

    length: int or None, optional
        Columns of the encoding: shorter sequences are centred in zero padding, as in
        RNAcompete, and windows of this length are centred on the summits or the
        middles of regions. None needs sequences of one length. Default is None.

    genome: Path or None, optional
        FASTA of the genome that regions refer to. Default is None.

    chroms: sequence of str or None, optional
        Chromosomes whose regions are read, such as those held out of training. None
        is all. Default is None.

    sequence, score: str, optional
        Columns of a table. The score is "score" if the table has such a column.

    keep_copies: bool, optional
        Whether a sequence that is there twice counts twice, as if the two were
        independent. False keeps one, with the mean of their scores. Default is False.

    numbered: bool, optional
        Whether sequences are known by their number in the file, so that it is an
        error if one must be left out. Default is False.

    Returns
    -------
    observed: Observed
        `X` (int8, shape=(n, len(alphabet), length)), `scores` (shape=(n,)) or None,
        `origin`, a phrase that names the file and what was left out, and `loci`, where
        the sequences of regions are, or None.

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
    kind = Path(re.sub(r"\.b?gz$", "", path.name.lower())).suffix
    if kind not in map(str.lower, _FORMATS):
        raise ValueError(
            f"`--sequences`={str(path)!r} ends in none of {', '.join(_FORMATS)}."
        )
    if not path.exists():
        raise FileNotFoundError(f"`--sequences`: there is no file {path}.")
    _check_genome(kind in _REGIONS, path, genome, chroms)
    scores: torch.Tensor | None = None
    loci: Loci | None = None
    notes: list[str] = []
    lost: list[str] = []
    if kind == ".npz":
        X, scores = read_arrays(path, alphabet, length)
    elif genome is not None:
        X, (_, loci, notes, lost) = _read_regions(
            path, genome, alphabet, length, chroms
        )
    else:
        letters, scores = _read_letters(path, kind, sequence, score)
        X = encode(letters, alphabet, length, str(path))
    X, scores, loci = _kept(X, scores, loci, _known(X, lost, str(path)))
    if not keep_copies:
        rows, scores = _distinct(X, scores, lost)
        X, _, loci = _kept(X, None, loci, rows)
    if numbered and lost:
        raise ValueError(
            f"{path}: {'; '.join(lost)}, so that the numbers of the others would "
            "change; take them out of the file first."
        )
    origin = f"{len(X):,} sequences of {path.name}"
    if genome is not None:
        origin = f"{len(X):,} regions of {path.name} in {genome.name}"
    notes = notes + lost
    if notes:
        origin += f" ({'; '.join(notes)})"
        _log.info(origin)
    return Observed(X, scores, origin, loci)


def _check_genome(
    are_regions: bool, path: Path, genome: Path | None, chroms: Sequence[str] | None
) -> None:
    if are_regions != (genome is not None):
        raise ValueError(
            "`--genome` goes with regions, a .bed or .narrowPeak file of "
            f"`--sequences`; got {path.name} and {genome}."
        )
    if genome is None and chroms is not None:
        raise ValueError(f"`--chroms` chooses regions of a `--genome`, not {path}.")
    if genome is not None and not genome.exists():
        raise FileNotFoundError(f"`--genome`: there is no file {genome}.")


def _kept(
    X: torch.Tensor,
    scores: torch.Tensor | None,
    loci: Loci | None,
    rows: NDArray[np.intp],
) -> tuple[torch.Tensor, torch.Tensor | None, Loci | None]:
    """Some of the sequences, with what is known of them."""
    if loci is not None:
        regions = loci.regions.iloc[rows].reset_index(drop=True)
        loci = loci._replace(regions=regions)
    chosen = torch.from_numpy(rows)
    return X[chosen], None if scores is None else scores[chosen], loci


def _known(X: torch.Tensor, lost: list[str], source: str) -> NDArray[np.intp]:
    """The sequences that have any known base."""
    known = np.flatnonzero(X.flatten(1).any(dim=1).numpy())
    n_lost = len(X) - len(known)
    if n_lost == len(X):
        raise ValueError(f"{source}: none of the {n_lost} sequences has a known base.")
    if n_lost:
        lost.append(f"{n_lost:,} without any known base are left out")
    return known


def _distinct(
    X: torch.Tensor, scores: torch.Tensor | None, lost: list[str]
) -> tuple[NDArray[np.intp], torch.Tensor | None]:
    """The first of the sequences that are the same, with the mean of their scores."""
    packed = np.packbits(X.numpy().reshape(len(X), -1), axis=1)
    rows: dict[bytes, int] = {}
    which = [rows.setdefault(row.tobytes(), len(rows)) for row in packed]
    n_copies = len(X) - len(rows)
    if not n_copies:
        return np.arange(len(X)), scores
    of = ", scores averaged" if scores is not None else ""
    lost.append(f"{n_copies:,} copies of others are left out{of}; see --keep-copies")
    _, first = np.unique(which, return_index=True)
    if scores is not None:
        totals = np.bincount(which, weights=scores.numpy())
        scores = torch.from_numpy(totals / np.bincount(which))
    return first, scores


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
    for letters in _spell(sequences, alphabet, unknown, source):
        before = (columns - len(letters)) // 2
        after = columns - len(letters) - before
        padded.append(before * unknown + letters + after * unknown)
    joined = one_hot_encode("".join(padded), list(alphabet), ignore=[unknown])
    X: torch.Tensor = joined.reshape(len(alphabet), len(padded), columns)
    return X.transpose(0, 1).contiguous()


def _spell(
    sequences: Sequence[str], alphabet: Sequence[str], unknown: str, source: str
) -> Iterator[str]:
    """Sequences in letters of the alphabet, and one letter for what is unknown."""
    ambiguous = "".join(AMBIGUOUS) if is_nucleic(alphabet) else ""
    as_unknown = str.maketrans(ambiguous, unknown * len(ambiguous))
    allowed = {*alphabet, unknown}
    met: Counter[str] = Counter()
    for row, letters in enumerate(sequences):
        spelled = respell(letters, alphabet)
        if not allowed.issuperset(spelled):
            met.update({c: spelled.count(c) for c in ambiguous if c in spelled})
            spelled = spelled.translate(as_unknown)
        if not allowed.issuperset(spelled):
            wrong = "".join(sorted(set(spelled) - allowed))
            raise ValueError(
                f"{source}, sequence {row + 1} has the letters {wrong!r}; the alphabet "
                f"is {', '.join(alphabet)}, and {unknown} for unknown."
            )
        yield spelled
    if met:
        warnings.warn(
            f"{met.total():,} letters of {source} stand for several bases "
            f"({', '.join(sorted(met))}) and were read as {unknown}, unknown.",
            UserWarning,
            stacklevel=3,
        )


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
    return letters, as_scores(y, str(path)) if scores else None


def _read_regions(
    path: Path,
    genome: Path,
    alphabet: Sequence[str],
    length: int | None,
    chroms: Sequence[str] | None,
) -> tuple[torch.Tensor, Extracted]:
    partners = complementary_bases(alphabet)
    regions = read_windows(path, genome, length, chroms)
    X = encode(regions.letters, alphabet, length, f"{path} in {genome.name}")
    turned = torch.tensor([s == "-" for s in regions.loci.regions["strand"]])
    other = [list(alphabet).index(partners[letter][0]) for letter in alphabet]
    X[turned] = X[turned].flip(-1)[:, other]
    return X, regions
