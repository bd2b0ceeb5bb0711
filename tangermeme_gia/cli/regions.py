"""Regions of a genome: BED and peak files, and the letters under their windows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from .._core.text import read_bytes
from ..genome.windows import Loci, Window, letters_of

_SUMMIT = 9  # column 10 of narrowPeak, an offset from the start
_NO_SUMMIT = "-1"
_STRANDS = ("+", "-", ".", "*", "")  # the last three for either
_WHOLE = re.compile(r"[0-9]{1,15}")


class Region(NamedTuple):
    """A line of a file of regions: 0-based, the end exclusive."""

    chromosome: str
    start: int
    end: int
    name: str
    strand: str
    summit: int | None


class Extracted(NamedTuple):
    """The letters of windows, as on the forward strand, and what became of regions.

    `loci` says where they are, `notes` are about all of them, `lost` about those that
    are left out.
    """

    letters: list[str]
    loci: Loci
    notes: list[str]
    lost: list[str]


def read_windows(
    path: Path,
    genome: Path,
    length: int | None,
    chroms: Sequence[str] | None = None,
) -> Extracted:
    """The letters under the regions of a file, or those of some chromosomes.

    Windows of `length` bases are centred on the summits where the file has some
    (narrowPeak), else on the middle: `mid - length // 2` is the first base, as in
    tangermeme's `extract_loci`. None takes the regions as they are.

    Raises
    ------
    ValueError, OSError
        If a file cannot be read, a line is no region, the regions have several widths
        and no `length`, the genome lacks one of `chroms`, or no region is left.
    """
    everything = _read_regions(path)
    regions = [r for r in everything if chroms is None or r.chromosome in chroms]
    widths = {region.end - region.start for region in regions}
    if length is None and len(widths) > 1:
        raise ValueError(
            f"{path} holds regions of {min(widths)} to {max(widths)} bases; `--length` "
            "is needed, the window around the middle of each, or around its summit."
        )
    windows = [_window(region, length) for region in regions]
    try:
        found, sizes = letters_of(windows, genome)
    except ValueError as error:
        raise ValueError(f"`--genome`: {error}") from error
    notes = _summit_notes(regions, length, _is_narrow(path))
    notes += _chroms_notes(chroms, len(everything) - len(regions), sizes, genome)
    lost = _lost(windows, found, sizes, genome)
    if not found:
        raise ValueError(
            f"no region of {path} can be read from `--genome` {genome}: "
            f"{'; '.join(notes + lost)}."
        )
    kept = sorted(found)
    places = [(*windows[i], regions[i].name, regions[i].strand) for i in kept]
    loci = Loci(
        pd.DataFrame(places, columns=["chrom", "start", "end", "name", "strand"]),
        genome,
        sizes,
        pd.DataFrame([r[:3] for r in regions], columns=["chrom", "start", "end"]),
        None if chroms is None else [*chroms],
    )
    return Extracted([found[i] for i in kept], loci, notes, lost)


def _window(region: Region, length: int | None) -> Window:
    start, end, summit = region.start, region.end, region.summit
    if length is None:
        return Window(region.chromosome, start, end)
    middle = start + ((end - start) // 2 if summit is None else summit)
    first = middle - length // 2
    return Window(region.chromosome, first, first + length)


def _chroms_notes(
    chroms: Sequence[str] | None, n_others: int, sizes: Iterable[str], genome: Path
) -> list[str]:
    """What `--chroms` has chosen."""
    if chroms is None:
        return []
    for name in chroms:
        if name not in sizes:
            raise ValueError(
                f"`--chroms`: {genome.name} lacks {name!r}; it has {_some(sizes)}."
            )
    return [f"on {', '.join(chroms)}; {n_others:,} on others are not used"]


def _lost(
    windows: Sequence[Window],
    found: Iterable[int],
    sizes: Iterable[str],
    genome: Path,
) -> list[str]:
    """Which windows are left out, and why."""
    elsewhere = [w for w in windows if w.chromosome not in sizes]
    n_past = len(windows) - len([*found]) - len(elsewhere)
    lost = []
    if n_past:
        lost.append(f"{n_past:,} that reach past a chromosome's end are left out")
    if elsewhere:
        lost.append(
            f"{len(elsewhere):,} on contigs that {genome.name} lacks are left out: "
            f"{_some(w.chromosome for w in elsewhere)}, where it has {_some(sizes)}"
        )
    return lost


def _summit_notes(
    regions: list[Region], length: int | None, is_narrow: bool
) -> list[str]:
    n = sum(region.summit is not None for region in regions)
    if not n:
        return ["around the middle, as no summit is given"] if is_narrow else []
    if length is None:
        return ["whole regions; `--length` takes windows around their summits"]
    others = len(regions) - n
    more = f", {others:,} without one around their middle" if others else ""
    return [f"around summits{more}"]


def _some(names: Iterable[str]) -> str:
    """The first few of some names."""
    distinct = list(dict.fromkeys(names))
    more = f" and {len(distinct) - 3:,} more" if len(distinct) > 3 else ""
    return ", ".join(map(repr, distinct[:3])) + more


def _read_regions(path: Path) -> list[Region]:
    regions = [
        _region(line, f"{path}, line {number}", _is_narrow(path))
        for number, line in enumerate(read_bytes(path).decode().split("\n"), start=1)
        if line.strip() and not re.match(r"#|(track|browser)\b", line)
    ]
    if not regions:
        raise ValueError(f"{path} holds no regions.")
    return regions


def _is_narrow(path: Path) -> bool:
    return ".narrowpeak" in path.name.lower()


def _region(line: str, place: str, is_narrow: bool) -> Region:
    fields = [field.strip() for field in line.split("\t")]
    bounds = [int(field) for field in fields[1:3] if _WHOLE.fullmatch(field)]
    if len(bounds) < 2 or bounds[0] >= bounds[1]:
        raise ValueError(
            f"{place}: {line!r} is no region: chromosome, start and end, between tabs, "
            "whole numbers of which the first is lower."
        )
    start, end = bounds
    if is_narrow and len(fields) <= _SUMMIT:
        raise ValueError(
            f"{place} has {len(fields)} columns; narrowPeak has 10, of which the last "
            "is the summit."
        )
    summit = None
    if (is_narrow or _is_peak(fields)) and fields[_SUMMIT] != _NO_SUMMIT:
        text = fields[_SUMMIT]
        if not (_WHOLE.fullmatch(text) and int(text) < end - start):
            raise ValueError(
                f"{place}: column 10 is {text!r}; the summit of a region of "
                f"{end - start} bases is 0 to {end - start - 1}, or -1 for none."
            )
        summit = int(text)
    strand = "".join(fields[5:6])
    if strand not in _STRANDS:
        raise ValueError(
            f"{place}: column 6 is {strand!r}; the strand is +, - or, for none, '.'."
        )
    name = "".join(fields[3:4]) or "."
    strand = strand if strand in ("+", "-") else "."
    return Region(fields[0], start, end, name, strand, summit)


def _is_peak(fields: list[str]) -> bool:
    """Whether a line of a .bed file is narrowPeak: ten columns, numbers at the end."""
    number = r"-?\d+(\.\d+)?(e[+-]?\d+)?"
    return len(fields) == _SUMMIT + 1 and all(
        re.fullmatch(number, field, re.ASCII | re.IGNORECASE) for field in fields[6:]
    )
