"""Observed sequences from the files that users have."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import one_hot_encode

from ..motif_codes import DNA, RNA

_FASTA = (".fa", ".fasta", ".fna")
_TABLES = {".tsv": "\t", ".csv": ","}
_FORMATS = (*_FASTA, *_TABLES, ".txt", ".npz", ".bed")


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
        sequence" (.txt); all of these also gzipped; one-hot `X` of shape (n,
        len(alphabet), length) with scores `y` if there are any (.npz); or regions
        (.bed), whose bases come from `genome`.

    alphabet: sequence of str, optional
        Letters in channel order. T and U are the same base; case does not matter; N
        is a zero column. Default is ("A", "C", "G", "T").

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
    ...     read_sequences(path, RNA, length=5).X.sum(dim=1).tolist()
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
    translate = str.maketrans("")
    if set(alphabet) in (set(DNA), set(RNA)):
        translate = str.maketrans(*("UT" if "T" in alphabet else "TU"))
    padded = []
    allowed = {*alphabet, "N"}
    for row, letters in enumerate(sequences):
        spelled = letters.upper().translate(translate)
        if not set(spelled) <= allowed:
            wrong = "".join(sorted(set(spelled) - allowed))
            raise ValueError(
                f"{source}, sequence {row + 1} has the letters {wrong!r}; the alphabet "
                f"is {', '.join(alphabet)}, and N."
            )
        before = (columns - len(spelled)) // 2
        padded.append("N" * before + spelled + "N" * (columns - before - len(spelled)))
    joined = one_hot_encode("".join(padded), list(alphabet), ignore=["N"])
    return joined.reshape(len(alphabet), len(padded), columns).transpose(0, 1)


def _read_letters(
    path: Path, kind: str, sequence: str, score: str | None
) -> tuple[list[str], torch.Tensor | None]:
    if kind in _FASTA:
        from residualbind import read_fasta_sequences

        return read_fasta_sequences(path)[1], None
    if kind == ".txt":
        table = pd.read_csv(path, sep=r"\s+", header=None, names=["score", "sequence"])
        sequence, score = "sequence", "score"
    else:
        table = pd.read_csv(path, sep=_TABLES[kind])
        score = score or ("score" if "score" in table else None)
    for option, column in (("--sequence", sequence), ("--score", score)):
        if column is not None and column not in table:
            raise ValueError(
                f"`{option}`: {path} has no column {column!r}; it has "
                f"{list(table.columns)}."
            )
    if table[sequence].isna().any():
        row = int(table[sequence].isna().to_numpy().argmax())
        raise ValueError(f"{path}: row {row + 1} has no sequence.")
    letters = table[sequence].astype(str).tolist()
    if score is None:
        return letters, None
    return letters, _as_scores(table[score].to_numpy(), str(path))


def _read_arrays(path: Path, alphabet: Sequence[str], length: int | None) -> Observed:
    try:
        with np.load(path) as arrays:
            held = {name: arrays[name] for name in arrays.files}
    except (ValueError, OSError) as error:
        raise ValueError(f"`--sequences`: {path} is no .npz file: {error}") from error
    X = held.get("X")
    if X is None or X.ndim != 3 or X.shape[1] != len(alphabet):
        found = {name: array.shape for name, array in held.items()}
        raise ValueError(
            f"`--sequences`: {path} holds {found}; an array `X` of shape (n, "
            f"{len(alphabet)}, length) is needed."
        )
    if length is not None and X.shape[-1] != length:
        raise ValueError(
            f"`--sequences`: {path} holds sequences of {X.shape[-1]} bases; the model "
            f"or `--length` says {length}."
        )
    scores = None if "y" not in held else _as_scores(held["y"], str(path))
    if scores is not None and len(scores) != len(X):
        raise ValueError(f"{path}: {len(X)} sequences and {len(scores)} scores.")
    sequences = torch.from_numpy(np.ascontiguousarray(X)).to(torch.int8)
    if not np.array_equal(sequences.numpy(), X) or not ((X == 0) | (X == 1)).all():
        raise ValueError(f"`--sequences`: `X` of {path} must be 0 or 1 everywhere.")
    return Observed(sequences, scores, f"{len(X):,} sequences of {path.name}")


def _read_regions(
    path: Path, genome: Path, alphabet: Sequence[str], length: int | None
) -> Observed:
    from tangermeme.io import extract_loci

    if not genome.is_file():
        raise FileNotFoundError(f"`--genome`: there is no file {genome}.")
    table = pd.read_csv(path, sep="\t", header=None, comment="#")
    regions = table[~table[0].astype(str).str.match(r"(track|browser)\b")]
    regions = regions.iloc[:, :3].astype({1: int, 2: int})
    widths = set(regions[2] - regions[1])
    if length is None and len(widths) > 1:
        raise ValueError(
            f"{path} holds regions of {min(widths)} to {max(widths)} bases; `--length` "
            "is needed, the window around the middle of each."
        )
    X, kept = extract_loci(
        regions,
        str(genome),
        in_window=length or widths.pop(),
        alphabet=list(alphabet),
        return_mask=True,
    )
    left_out = int((~torch.as_tensor(kept)).sum())
    origin = f"{len(X):,} regions of {path.name} in {genome.name}"
    if left_out:
        origin += f" ({left_out:,} that reach past a chromosome's end are left out)"
    return Observed(X.to(torch.int8), None, origin)


def _as_scores(values: NDArray[Any], source: str) -> torch.Tensor:
    if values.size != len(values):
        raise ValueError(
            f"{source}: `y` has shape {values.shape}; one score for each sequence is "
            "needed."
        )
    scores = pd.to_numeric(pd.Series(values.reshape(-1)), errors="coerce")
    if scores.isna().any():
        row = int(scores.isna().to_numpy().argmax())
        raise ValueError(f"{source}: the score of sequence {row + 1} is no number.")
    return torch.from_numpy(scores.to_numpy(float))
