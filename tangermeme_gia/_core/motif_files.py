"""Motif files: one strict reader for the formats that people have."""

from __future__ import annotations

import itertools
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .letters import DNA, RNA, SUM_TOLERANCE, check_alphabet
from .modisco import parse_modisco
from .motif import Motif as Motif
from .motif_formats import Parsed, find_format
from .spelling import is_nucleic, respell
from .text import raw_blocks, read_bytes

_HDF5 = b"\x89HDF\r\n\x1a\n"
# Of four probabilities with two decimals each, the sum misses 1 by up to 0.02.
_ROUNDED = 0.02


def read_motifs(
    path: str | os.PathLike[str], *, alphabet: Sequence[str] | None = None
) -> dict[str, Motif]:
    """Which motifs are in this file?

    Reads MEME (minimal and full, also DREME's and STREME's), JASPAR, HOMER, TRANSFAC
    and the results of TF-MoDISco (HDF5, patterns as probabilities, trimmed as by
    `read_cwms`), plain or gzipped. The content tells the format, not the name. Counts
    become probabilities. Whatever is not as its format says is an error that names the
    file, the line and the motif; no motif is left out.

    Parameters
    ----------
    path: str or path-like
        The file. HDF5 needs h5py: `pip install "tangermeme-gia[hdf5]"`.

    alphabet: sequence of str or None, optional
        Letters in channel order that the motifs shall have; T and U are the same base.
        None is the alphabet of the file, which is DNA unless it says otherwise. Default
        is None.

    Returns
    -------
    motifs: dict of str to Motif
        By identifier, in the order of the file: the first word of the title (MEME,
        JASPAR), the name (HOMER), the accession (TRANSFAC) or, of TF-MoDISco, such as
        "pos_patterns.pattern_0". `name` of a motif has the rest of its title, too.

    Raises
    ------
    ValueError
        If the file is of no such format, damaged, or holds what is no motif.

    OSError
        If the file cannot be read.

    Warns
    -----
    UserWarning
        If identifiers repeat, and the later get a suffix such as "_2"; if columns miss
        1 by up to 0.02, and were normalised.

    Examples
    --------
    >>> import tempfile
    >>> text = ">MA0035.1 Gata1\\n0 3 0 3\\n0 0 0 0\\n3 0 0 0\\n0 0 3 0\\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "gata.jaspar").write_text(text)
    ...     read_motifs(f"{folder}/gata.jaspar")
    {'MA0035.1': Motif('GATA')}
    """
    path = Path(path)
    parsed = list(_parse(path))
    if not parsed:
        raise ValueError(f"{path} holds no motif.")
    ppms = [_probabilities(one, path) for one in parsed]
    _warn_of_rounded(parsed, ppms, path)
    motifs = {}
    for key, one, ppm in zip(_unique(parsed, path), parsed, ppms, strict=True):
        letters, order = _channels(one, path, alphabet)
        values = Motif.parse(_normalised(ppm)[order], letters).values
        motifs[key] = Motif(letters, values, f"{key} {one.other}".strip())
    return motifs


def _parse(path: Path) -> Iterator[Parsed]:
    if b"".join(itertools.islice(raw_blocks(path), 1)).startswith(_HDF5):
        yield from parse_modisco(path)
        return
    text = read_bytes(path).decode()
    lines = [(i, line) for i, line in enumerate(text.split("\n"), start=1)]
    read = find_format(lines)
    if read is None:
        raise ValueError(
            f"{path} is no motif file: neither MEME, JASPAR, HOMER, TRANSFAC nor a "
            "result of TF-MoDISco (HDF5)."
        )
    try:
        yield from read(lines)
    except ValueError as error:
        raise ValueError(f"{path}, {error}") from None


def _probabilities(one: Parsed, path: Path) -> NDArray[np.float64]:
    """Columns of 0 or more that sum to about 1, checked."""
    matrix = one.matrix
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        totals = matrix.sum(axis=0)
        negative = matrix.min(axis=0) < 0
        wrong = negative | ~np.isfinite(totals) | (totals <= 0)
        if not one.is_counts:
            wrong |= np.abs(totals - 1) > _ROUNDED + 1e-9
        if not wrong.any():
            return matrix / totals if one.is_counts else matrix
    i = int(wrong.argmax())
    if negative[i]:
        what = (
            f"holds {matrix[:, i].min():g}; contributions (a CWM) and log odds are no "
            "motif to place"
        )
    else:
        wanted = "more than 0" if one.is_counts else "1"
        what = f"sums to {totals[i]:.6g}, where {wanted} is needed"
    raise ValueError(
        f"{path}, {one.places[i]}, motif {one.key!r}: position {i} {what}."
    )


def _normalised(ppm: NDArray[np.float64]) -> NDArray[np.float64]:
    """Columns as they stand, divided by their sum where they miss 1 by too much."""
    totals = ppm.sum(axis=0)
    return np.where(np.abs(totals - 1) > SUM_TOLERANCE, ppm / totals, ppm)


def _warn_of_rounded(
    parsed: list[Parsed], ppms: list[NDArray[np.float64]], path: Path
) -> None:
    found = [
        (one, int(i), float(total))
        for one, ppm in zip(parsed, ppms, strict=True)
        for i, total in enumerate(ppm.sum(axis=0))
        if abs(total - 1) > SUM_TOLERANCE
    ]
    if found:
        one, i, total = found[0]
        warnings.warn(
            f"{path}: {len(found):,} column(s) miss 1 by more than {SUM_TOLERANCE} and "
            f"were normalised; the first is position {i} of motif {one.key!r}, "
            f"{one.places[i]}, which sums to {total:.6g}.",
            UserWarning,
            stacklevel=3,
        )


def _unique(parsed: list[Parsed], path: Path) -> list[str]:
    """The identifiers, of which the second gets _2, and so on."""
    taken = {one.key for one in parsed}
    numbers: dict[str, Iterator[int]] = {}
    keys = []
    for one in parsed:
        key = one.key
        if key in numbers:
            names = (f"{key}_{n}" for n in numbers[key])
            key = next(name for name in names if name not in taken)
            taken.add(key)
        else:
            numbers[key] = itertools.count(2)
        keys.append(key)
    new = [key for key, one in zip(keys, parsed, strict=True) if key != one.key]
    if new:
        warnings.warn(
            f"{path}: {len(new):,} identifier(s) were there before; the later motifs "
            f"are named {', '.join(new[:3])}{' ...' if new[3:] else ''}.",
            UserWarning,
            stacklevel=3,
        )
    return keys


def _channels(
    one: Parsed, path: Path, alphabet: Sequence[str] | None
) -> tuple[tuple[str, ...], list[int]]:
    """The letters in channel order, and the row of the matrix for each."""
    if alphabet is None:  # a file may have another order
        alphabet = next((a for a in (DNA, RNA) if set(a) == set(one.letters)), None)
    letters = check_alphabet(alphabet or one.letters)
    rows = one.letters
    if is_nucleic(letters):
        rows = respell(rows, letters)
    if set(rows) != set(letters):
        raise ValueError(
            f"{path}: its motifs are of {', '.join(one.letters)}; `alphabet` is "
            f"{', '.join(letters)}."
        )
    return letters, [rows.index(letter) for letter in letters]
