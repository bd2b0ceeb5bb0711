"""Motif databases: MEME files out, comparison to known motifs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import scipy
from memelite.tomtom import tomtom
from numpy.typing import ArrayLike

from .._core.letters import DNA, RNA
from .._core.motif import Motif
from .._core.motif_files import read_motifs
from .._core.storage import write_atomically
from .._core.threads import kept_threads
from .matrices import Matrix, Values, check_frequencies, check_ppm


def write_meme(
    path: str | os.PathLike[str],
    motifs: Mapping[str, Matrix | Motif],
    *,
    alphabet: Sequence[str] = DNA,
    background: ArrayLike | None = None,
    n_sites: int = 20,
) -> None:
    """Save motifs in the MEME text format that motif tools read.

    `read_motifs` gives back exactly the same numbers under the same names. The file is
    written in one step: a reader sees the old one or the new one.

    Parameters
    ----------
    path: str or path-like
        The file to write.

    motifs: mapping of str to Motif or array-like, shape=(4, length)
        Probabilities under the motif's name: an identifier, and optionally one more
        word.

    alphabet: sequence of str, optional
        The letters of DNA or of RNA. Default is DNA.

    background: array-like or None, shape=(4,), optional
        Frequencies of the letters outside motifs. None is uniform. Default is None.

    n_sites: int, optional
        The number of sites to state for each motif, from which tools derive
        pseudocounts. Default is 20, which is MEME's.

    Raises
    ------
    ValueError
        If there is no motif, the alphabet is neither DNA nor RNA, a name could not be
        read back or repeats an identifier, or a motif does not hold probabilities.

    OSError
        If the file cannot be written; an old one is then as it was.

    Examples
    --------
    >>> import tempfile
    >>> ppm = [[0.0, 0.7], [0.0, 0.1], [0.0, 0.1], [1.0, 0.1]]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_meme(f"{folder}/motifs.meme", {"QKI": ppm}, alphabet="ACGU")
    ...     read_motifs(f"{folder}/motifs.meme")["QKI"].ppm
    array([[0. , 0.7],
           [0. , 0.1],
           [0. , 0.1],
           [1. , 0.1]])
    """
    letters = check_nucleotides(alphabet)
    if not isinstance(n_sites, (int, np.integer)) or n_sites < 1:
        raise ValueError(f"`n_sites`={n_sites!r} must be an integer of at least 1.")
    _check_names(motifs)
    frequencies = check_frequencies(background, len(letters))
    lines = ["MEME version 4", "", f"ALPHABET= {''.join(letters)}", ""]
    if letters == DNA:
        lines += ["strands: + -", ""]
    pairs = zip(letters, frequencies, strict=True)
    lines += [
        "Background letter frequencies",
        " ".join(f"{letter} {_exact(frequency)}" for letter, frequency in pairs),
        "",
    ]
    for name, ppm in _checked(motifs, "motifs").items():
        lines += [
            f"MOTIF {name}",
            f"letter-probability matrix: alength= {len(letters)} w= {ppm.shape[1]} "
            f"nsites= {n_sites} E= 0",
            *(" ".join(map(_exact, column)) for column in ppm.T),
            "",
        ]
    write_atomically(Path(path), "\n".join(lines).encode())


def compare_motifs(
    motifs: Mapping[str, Matrix | Motif],
    known: Mapping[str, Matrix | Motif] | str | os.PathLike[str],
    *,
    alphabet: Sequence[str] = DNA,
    both_strands: bool | None = None,
    n_nearest: int | None = None,
    n_jobs: int = -1,
) -> pd.DataFrame:
    """Which known motifs look like these?

    Every motif is compared with every known one by TOMTOM, as memelite implements it.
    Its p-values take the columns of the known motifs as the background, so that they
    mean little for a small set of them: below 25, memelite warns.

    Parameters
    ----------
    motifs: mapping of str to Motif or array-like, shape=(4, length)
        Probabilities of the motifs to look up, under their names.

    known: mapping of str to Motif or array-like, or path
        Known motifs in the same form, or the file they are in, of any format that
        `read_motifs` reads; `known` of the table is then the `name` of each.

    alphabet: sequence of str, optional
        The letters of DNA or of RNA, which only decide about the strands. DNA motifs
        may be compared with RNA motifs: T and U share their channel. Default is DNA.

    both_strands: bool or None, optional
        Whether to compare with the other strand of the known motifs, too. None does so
        for DNA and not for RNA, which has one strand. Default is None.

    n_nearest: int or None, optional
        How many known motifs to keep for each, best first; None keeps all. Default is
        None.

    n_jobs: int, optional
        Threads; -1 is all. Default is -1.

    Returns
    -------
    table: pandas.DataFrame
        One row per motif and known motif, best first within a motif: `query`, `known`,
        `p_value`, `q_value` (Benjamini-Hochberg over all known motifs), `score`,
        `offset` (the position in the known motif, read on `strand`, under the first
        letter of the query; negative if the query begins before it), `overlap` (in
        columns), `strand` ("+", or "-" also where both strands fit equally well).

    Raises
    ------
    ValueError
        If there is nothing to compare, a matrix does not hold probabilities, the
        alphabet is neither DNA nor RNA, or an option is out of range.

    Examples
    --------
    >>> import itertools, torch
    >>> known = {
    ...     "".join(kmer): torch.eye(4)[:, ["ACGT".index(letter) for letter in kmer]]
    ...     for kmer in itertools.product("ACGT", repeat=3)
    ... }
    >>> table = compare_motifs({"mine": known["GAT"]}, known, n_nearest=2)
    >>> table[["query", "known", "offset", "overlap", "strand"]]
      query known  offset  overlap strand
    0  mine   ATC       0        3      -
    1  mine   GAT       0        3      +
    """
    letters = check_nucleotides(alphabet)
    if both_strands is None:
        both_strands = letters == DNA
    queries = _checked(motifs, "motifs")
    if not isinstance(known, Mapping):
        read = read_motifs(known, alphabet=letters)
        known = {motif.name: motif for motif in read.values()}
    targets = _checked(known, "known")
    if n_nearest is not None and n_nearest < 1:
        raise ValueError(f"`n_nearest`={n_nearest} must be at least 1 or None.")
    p_values, q_values, *rest = similarities(
        list(queries.values()), list(targets.values()), both_strands, n_jobs
    )
    order = np.argsort(p_values, axis=1, kind="stable")[:, :n_nearest]
    rows = np.arange(len(queries))[:, None]
    score, offset, overlap, strand = (
        matrix[rows, order].ravel().astype(int) for matrix in rest
    )
    table: pd.DataFrame = pd.DataFrame(
        {
            "query": np.repeat(np.array(list(queries), dtype=object), order.shape[1]),
            "known": np.array(list(targets), dtype=object)[order].ravel(),
            "p_value": p_values[rows, order].ravel(),
            "q_value": q_values[rows, order].ravel(),
            "score": score,
            "offset": offset,
            "overlap": overlap,
            "strand": np.array(["+", "-"], dtype=object)[strand],
        }
    )
    return table


def similarities(
    queries: list[Values],
    targets: list[Values],
    both_strands: bool,
    n_jobs: int = -1,
) -> tuple[Values, ...]:
    """p values, q values, scores, offsets, overlaps and strands by TOMTOM.

    Each of shape (n_queries, n_targets); q values are over all targets of a query.
    """
    with kept_threads():
        p_values, *rest = tomtom(
            queries, targets, reverse_complement=both_strands, n_jobs=n_jobs
        )
    q_values = scipy.stats.false_discovery_control(np.clip(p_values, 0, 1), axis=1)
    return p_values, q_values, *rest


def check_nucleotides(alphabet: Sequence[str]) -> tuple[str, ...]:
    """The letters of DNA or RNA, checked to be these.

    Raises
    ------
    ValueError
        If they are others.

    Examples
    --------
    >>> check_nucleotides("ACGU")
    ('A', 'C', 'G', 'U')
    """
    letters = tuple(alphabet)
    if letters not in (DNA, RNA):
        raise ValueError(
            f"`alphabet` is {', '.join(letters)}; motif files and databases are of A, "
            "C, G, T or of A, C, G, U."
        )
    return letters


def _checked(motifs: Mapping[str, Matrix | Motif], argument: str) -> dict[str, Values]:
    if not motifs:
        raise ValueError(f"`{argument}` holds no motif.")
    matrices = {
        name: motif.ppm if isinstance(motif, Motif) else motif
        for name, motif in motifs.items()
    }
    return {
        name: check_ppm(ppm, f"{argument}[{name!r}]", n_letters=4).numpy()
        for name, ppm in matrices.items()
    }


def _check_names(motifs: Mapping[str, Any]) -> None:
    seen: dict[str, str] = {}
    for name in motifs:
        # Readers join the words of a name by one space.
        if not isinstance(name, str) or not name or " ".join(name.split()) != name:
            raise ValueError(
                f"`motifs` holds the name {name!r}; it must be a word, or two words "
                "with a space between."
            )
        identifier, *others = name.split()
        if len(others) > 1 or identifier in seen:
            problem = (
                "has more than two words"
                if len(others) > 1
                else f"has the identifier of {seen[identifier]!r}"
            )
            raise ValueError(f"`motifs` holds the name {name!r}, which {problem}.")
        seen[identifier] = name


def _exact(value: float) -> str:
    """The fewest digits that are read back as the same number, without exponent."""
    return np.format_float_positional(value, trim="0")
