"""Backgrounds of the genome itself, with the GC content of given regions."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import one_hot_encode

from .._core.letters import DNA, RandomState, as_generator, check_count
from .._core.regions import as_regions
from .._core.spelling import is_nucleic, respell
from ..genome.windows import Loci, Window, letters_of, records_of

# GC content of as good as each other, as in tangermeme's `extract_matching_loci`.
_BIN = 0.02
_BLOCK = 1 << 24  # bases whose kinds are held at once

_log = logging.getLogger("tangermeme_gia.backgrounds")

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]


def _table(letters: bytes) -> NDArray[np.bool_]:
    table = np.zeros(256, dtype=bool)
    table[[*letters]] = True
    return table


_IS_GC, _IS_KNOWN = _table(b"GCgc"), _table(b"ACGTUacgtu")


@dataclass(frozen=True)
class Pool:
    """Windows of a genome that may stand for regions, with the GC content of both."""

    windows: pd.DataFrame
    gc: Floats
    wanted: Floats
    genome: Path

    def __len__(self) -> int:
        return len(self.gc)

    def draw(
        self, n: int, random_state: RandomState, alphabet: Sequence[str] = DNA
    ) -> tuple[torch.Tensor, pd.DataFrame]:
        """Sequences as `genomic_background` describes them, and where they are."""
        check_count("n", n)
        if n > len(self):
            raise ValueError(
                f"`n`={n}, but {self.genome} has {len(self):,} windows of this "
                "length that hold no N and overlap no region, on the chromosomes that "
                "are used."
            )
        rng = as_generator(random_state)
        wanted = np.tile(_bins(self.wanted), n // len(self.wanted) + 1)
        rounds = n - n % len(self.wanted)
        more = rng.permutation(len(self.wanted))[: n - rounds]
        wanted = np.concatenate([wanted[:rounds], wanted[more]])
        rows = _match(wanted, _bins(self.gc), rng)
        _log.info(
            "genomic: %s of the %s windows of %s that hold no N and overlap no region; "
            "GC content %.3f, of the regions %.3f",
            f"{n:,}",
            f"{len(self):,}",
            self.genome.name,
            self.gc[rows].mean(),
            self.wanted.mean(),
        )
        regions = self.windows.iloc[rows].reset_index(drop=True)
        windows = [Window(*row) for row in regions[["chrom", "start", "end"]].values]
        found, _ = letters_of(windows, self.genome)
        joined = respell("".join(found[i] for i in range(n)), alphabet)
        X: torch.Tensor = one_hot_encode(joined, list(alphabet))
        return X.reshape(len(alphabet), n, -1).transpose(0, 1).contiguous(), regions


def find_pool(
    loci: pd.DataFrame,
    genome: str | os.PathLike[str],
    *,
    exclude: pd.DataFrame | None = None,
    chroms: Sequence[str] | None = None,
) -> Pool:
    """The windows from which `genomic_background` draws; it describes all arguments."""
    regions, genome = as_regions(loci, argument="loci"), Path(genome)
    widths = regions["end"] - regions["start"]
    if not len(regions) or widths.nunique() > 1:
        raise ValueError(
            f"`loci` has {len(regions)} regions of {widths.min()} to {widths.max()} "
            "bases; some of one width are needed, that of the model's sequences."
        )
    if isinstance(chroms, str) or (chroms is not None and not len(chroms)):
        raise ValueError(
            f"`chroms`={chroms!r} must be a list of names of chromosomes, or None."
        )
    taken = regions
    if exclude is not None:
        taken = pd.concat([regions, as_regions(exclude, argument="exclude")])
    used = [str(name) for name in (regions["chrom"] if chroms is None else chroms)]
    parts, wanted = _read(genome, regions, taken, {*used})
    missing = sorted({*used} - {*parts})
    if missing:
        raise ValueError(f"`genome`: {genome} has no chromosome {missing[0]!r}.")
    if np.isnan(wanted).any():
        chrom, start, end = regions.iloc[int(np.isnan(wanted).argmax()), :3]
        raise ValueError(
            f"`genome`: {genome} has no known base at {chrom}:{start}-{end} of `loci`."
        )
    length = int(widths.iloc[0])
    windows = pd.concat([parts[name][0] for name in sorted(parts)], ignore_index=True)
    windows["end"] = windows["start"] + length
    windows = windows.assign(name=".", strand="+")
    gc = np.concatenate([parts[name][1] for name in sorted(parts)])
    return Pool(windows, gc, wanted, genome)


def pool_of(loci: Loci | None) -> Pool:
    """The windows that may stand for the sequences of a command.

    Raises
    ------
    ValueError
        If their places are not known, or as `find_pool`.
    """
    if loci is None:
        raise ValueError(
            "the background 'genomic' needs regions as `--sequences`, and `--genome`."
        )
    return find_pool(loci.regions, loci.genome, exclude=loci.taken, chroms=loci.chroms)


def _read(
    genome: Path, loci: pd.DataFrame, taken: pd.DataFrame, used: set[str]
) -> tuple[dict[str, tuple[pd.DataFrame, Floats]], Floats]:
    """Free windows of each chromosome with their GC content, and that of the loci."""
    length = int(loci["end"].iloc[0] - loci["start"].iloc[0])
    edges = loci[["start", "end"]].to_numpy()
    wanted = np.full(len(loci), np.nan)
    parts = {}
    for name, letters in records_of(genome, {*used, *loci["chrom"]}):
        here = np.flatnonzero(loci["chrom"] == name)
        for i, (start, end) in zip(here, edges[here], strict=True):
            if end <= len(letters):
                wanted[i] = _gc(letters[start:end], length)[0].item()
        if name not in used:
            continue
        gc, is_known = _gc(letters, length)
        is_free = is_known
        for start, end in taken.loc[taken["chrom"] == name, ["start", "end"]].values:
            is_free[start // length : (end - 1) // length + 1] = False
        starts = np.flatnonzero(is_free) * length
        table = pd.DataFrame({"chrom": name, "start": starts}).astype({"chrom": object})
        parts[name] = table, gc[is_free]
    return parts, wanted


def _gc(letters: bytes, length: int) -> tuple[Floats, NDArray[np.bool_]]:
    """Of windows side by side: share of G and C among known bases; are all known?"""
    n = len(letters) // length
    bases = np.frombuffer(letters, np.uint8, n * length).reshape(n, length)
    n_gc, n_known = np.zeros(n), np.zeros(n)
    step = max(1, _BLOCK // length)
    for first in range(0, n, step):
        rows = slice(first, first + step)
        n_gc[rows] = _IS_GC[bases[rows]].sum(axis=1)
        n_known[rows] = _IS_KNOWN[bases[rows]].sum(axis=1)
    with np.errstate(invalid="ignore"):  # of none that is known, NaN
        return n_gc / n_known, n_known == length


def _bins(gc: Floats) -> Ints:
    return ((gc + _BIN / 2) // _BIN).astype(np.intp)


def _match(wanted: Ints, there: Ints, rng: np.random.Generator) -> Ints:
    """Rows of windows, in random order, whose bins are those wanted, or the nearest.

    Counts by bin are those of tangermeme's `extract_matching_loci`.
    """
    n_bins = int(max(wanted.max(), there.max())) + 1
    asked = np.bincount(wanted, minlength=n_bins)
    left = np.bincount(there, minlength=n_bins)
    chosen = np.minimum(asked, left)
    missing, left = asked - chosen, left - chosen
    n_moved = int(missing.sum())
    for i in np.flatnonzero(missing)[::-1]:
        for j in sorted(range(n_bins), key=lambda j: (abs(j - i), -j)):
            moved = min(left[j], missing[i])
            chosen[j] += moved
            left[j] -= moved
            missing[i] -= moved
    if n_moved:
        found = np.repeat(np.arange(n_bins), chosen)
        furthest = _BIN * int(np.abs(found - np.sort(wanted)).max())
        warnings.warn(
            f"{n_moved:,} of {len(wanted):,} windows of the genome differ from the "
            f"regions in GC content, by up to {furthest:.2f}: no others are left. More "
            "chromosomes, or fewer windows, match better.",
            UserWarning,
            stacklevel=4,
        )
    rows = [
        rng.permutation(np.flatnonzero(there == i))[: chosen[i]] for i in range(n_bins)
    ]
    return rng.permutation(np.concatenate(rows))


@overload
def genomic_background(
    loci: pd.DataFrame,
    genome: str | os.PathLike[str],
    n: int = ...,
    *,
    exclude: pd.DataFrame | None = ...,
    chroms: Sequence[str] | None = ...,
    alphabet: Sequence[str] = ...,
    random_state: RandomState = ...,
    return_regions: Literal[False] = ...,
) -> torch.Tensor: ...
@overload
def genomic_background(
    loci: pd.DataFrame,
    genome: str | os.PathLike[str],
    n: int = ...,
    *,
    exclude: pd.DataFrame | None = ...,
    chroms: Sequence[str] | None = ...,
    alphabet: Sequence[str] = ...,
    random_state: RandomState = ...,
    return_regions: Literal[True],
) -> tuple[torch.Tensor, pd.DataFrame]: ...
def genomic_background(
    loci: pd.DataFrame,
    genome: str | os.PathLike[str],
    n: int = 1000,
    *,
    exclude: pd.DataFrame | None = None,
    chroms: Sequence[str] | None = None,
    alphabet: Sequence[str] = DNA,
    random_state: RandomState = None,
    return_regions: bool = False,
) -> Any:
    """What is the rest of the genome like, where it has the GC content of my regions?

    Windows without a peak and with the GC content of peaks, which matching takes from
    what an effect in real sequences could be due to. They are the tiles of
    tangermeme's `extract_matching_loci`, in its bins of 2 % of GC content, by its rule:
    where a bin has too few, those with the nearest GC content. Unlike there, any number
    can be drawn, and fewer never come back; none holds an N; the order of chromosomes
    does not matter; and the genome, plain or gzipped, is read through twice, with no
    index beside it.

    Parameters
    ----------
    loci: pandas.DataFrame
        `chrom`, `start` (0-based) and `end` (exclusive) of the regions to be matched,
        all of the width of the sequences wanted. Their GC content is that of their
        known bases.

    genome: str or path-like
        FASTA, plain, gzipped or bgzipped.

    n: int, optional
        Sequences to draw. Each region counts alike, up to one. Default is 1000.

    exclude: pandas.DataFrame or None, optional
        More regions that no window may overlap, such as peaks that are wider than
        `loci`, or a blacklist. Default is None.

    chroms: sequence of str or None, optional
        Chromosomes to draw from; regions on others are matched all the same. None is
        those of `loci`. Default is None.

    alphabet: sequence of str, optional
        Letters in channel order. Default is ("A", "C", "G", "T").

    random_state: int, numpy Generator or None, optional
        Seed; None draws anew. Default is None.

    return_regions: bool, optional
        Whether to return where the windows are, too. Default is False.

    Returns
    -------
    background: torch.Tensor, dtype=int8, shape=(n, len(alphabet), length)
        Different windows in random order, from the forward strand. They count as
        independent, as observed sequences do.

    regions: pandas.DataFrame, n rows
        Only if asked for: their `chrom`, `start`, `end`, `name` and `strand`.

    Raises
    ------
    TypeError, ValueError
        If `loci` is no table of regions of one width, the genome cannot be read or
        lacks a chromosome or one of the regions, the letters are not those of DNA or
        RNA, or there are fewer than `n` windows. A warning says how many windows have
        another GC content than the regions, and by how much.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> loci = pd.DataFrame({"chrom": ["chr1"], "start": [4], "end": [8]})
    >>> with TemporaryDirectory() as folder:
    ...     genome = Path(folder, "genome.fa")
    ...     _ = genome.write_text(">chr1\\nAATTGACTAANTCAGT\\n")
    ...     X, regions = genomic_background(loci, genome, n=1, return_regions=True)
    >>> regions.values.tolist()
    [['chr1', 12, 16, '.', '+']]
    """
    if not is_nucleic(alphabet):
        raise ValueError(
            f"`alphabet`={''.join(alphabet)!r} must be the letters of DNA or RNA: "
            "these sequences are of a genome."
        )
    pool = find_pool(loci, genome, exclude=exclude, chroms=chroms)
    X, regions = pool.draw(n, random_state, alphabet)
    return (X, regions) if return_regions else X
