"""Effects along a genome as tracks: tables, BED and bigWig."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from .._core.letters import as_float64
from .._core.outputs import as_columns
from .._core.regions import as_regions, parts_of
from .._core.results import GIAResult
from .._core.storage import write_atomically
from .windows import letters_of

_COLUMNS = ("chrom", "start", "end", "name", "strand", "value")
_MOST_SCORE = 1000  # of the fifth column of BED, a shade of grey

Sizes = Mapping[str, int] | str | os.PathLike[str]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def annotated_regions(regions: pd.DataFrame, annotations: ArrayLike) -> pd.DataFrame:
    """Where on the genome are annotations of sequences, such as motif hits?

    Parameters
    ----------
    regions: pandas.DataFrame
        `chrom`, `start` (0-based), `end` (exclusive), and `name` and `strand` if known,
        of each sequence, base for base; "-" is for sequences that were reverse
        complemented.

    annotations: array-like of int, shape=(n, 3)
        Number of the sequence, first position and one past the last in it, as for
        `occlusion_annotations` and in tangermeme.

    Returns
    -------
    places: pandas.DataFrame, n rows
        The same columns for each annotation: what ``result.with_regions`` takes for a
        result of `occlusion_annotations`.

    Raises
    ------
    TypeError, ValueError
        If `regions` is no such table, or an annotation is not within one of them.

    Examples
    --------
    >>> regions = pd.DataFrame(
    ...     {"chrom": ["chr1"], "start": [100], "end": [120], "strand": ["-"]}
    ... )
    >>> annotated_regions(regions, [[0, 0, 6]]).values.tolist()
    [['chr1', 114, 120, '.', '-']]
    """
    table, given = as_regions(regions), np.asarray(annotations)
    if given.ndim != 2 or given.shape[1] != 3 or given.dtype.kind not in "iu":
        raise ValueError(
            f"`annotations` has shape {given.shape} and dtype {given.dtype}; it must "
            "be integers of shape (n, 3): sequence, start, end."
        )
    rows, starts, ends = given.astype(np.int64).T
    for wrong in np.flatnonzero((rows < 0) | (rows >= len(table)) | (starts < 0)):
        raise ValueError(
            f"`annotations` holds {given[wrong].tolist()}; there are sequences 0 to "
            f"{len(table) - 1}, whose first position is 0."
        )
    return parts_of(table, rows, starts, ends)


def track(
    values: GIAResult | ArrayLike | torch.Tensor, regions: pd.DataFrame | None = None
) -> pd.DataFrame:
    """What does each part of the genome do, as a browser can show it?

    Parameters
    ----------
    values: GIAResult, or array-like or tensor, shape=(n, length)
        A result of `occlusion` or `occlusion_annotations`, of one output, whose local
        importances are meant, averaged over its draws: each window where it is, or,
        where conditions have no `start` and `end`, each row where it is. Or a value for
        each base of each sequence, such as the attributions of
        `saturation_mutagenesis` or `deep_lift_shap`.

    regions: pandas.DataFrame or None, n rows, optional
        Where the sequences are: `chrom`, `start` (0-based), `end` (exclusive), and
        `name` and `strand` if known. Of the strand "-" the first base of a sequence is
        the last of its region. None is those that the result carries
        (`with_regions`). Default is None.

    Returns
    -------
    track: pandas.DataFrame
        `chrom`, `start`, `end`, `name`, `strand` and `value`, a row for each window, or
        base, of each sequence, in their order: coordinates are those of the forward
        strand. `write_bed` and `write_bigwig` write it.

    Raises
    ------
    TypeError, ValueError
        If there are no regions, they do not fit the sequences, a value is NaN or
        infinite, a result has several outputs, or a window several conditions.

    Examples
    --------
    >>> loci = {"chrom": ["chr8"], "start": [10], "end": [13], "strand": ["-"]}
    >>> values = [[0.5, 0.0, 2.0]]
    >>> track(values, pd.DataFrame(loci))[["chrom", "start", "end", "value"]]
      chrom  start  end  value
    0  chr8     12   13    0.5
    1  chr8     11   12    0.0
    2  chr8     10   11    2.0
    """
    if isinstance(values, GIAResult):
        effects, starts, ends = _windows(values)
        regions = values.regions if regions is None else regions
    else:
        effects = as_float64(values, "values")
        if effects.ndim != 2:
            raise ValueError(
                f"`values` has shape {effects.shape}; it must be (n, length), a value "
                "for each base of each sequence."
            )
        starts = np.arange(effects.shape[1])
        ends = starts + 1
    if regions is None:
        raise ValueError(
            "`regions` is needed: where on the genome the sequences are "
            "(chrom, start, end)."
        )
    n, n_windows = effects.shape
    table = as_regions(regions, n)
    if starts is None or ends is None:
        return _with_values(table, effects[:, 0])
    length = values.length if isinstance(values, GIAResult) else n_windows
    whole = (table["end"] - table["start"]).to_numpy()
    if length is not None and (whole != length).any():
        raise ValueError(
            f"`values` is of sequences of {length} bases, and `regions` has one of "
            f"{whole[whole != length][0]}; they must be those of the sequences as they "
            "were read, base for base."
        )
    rows = np.repeat(np.arange(n), n_windows)
    placed = parts_of(table, rows, np.tile(starts, n), np.tile(ends, n))
    return _with_values(placed, effects.ravel())


def _windows(result: GIAResult) -> tuple[Floats, Ints | None, Ints | None]:
    """Effects on each row, shape=(n, n_windows), and the windows if there are any."""
    if len(result.outputs) > 1:
        raise ValueError(
            f"`values` has {len(result.outputs)} outputs; choose one by "
            "`result.output(label)`."
        )
    if "draw" in result.conditions:
        result = result.average("draw")
    conditions = result.conditions
    effects = as_columns(result.local_importance, 2)[:, :, 0].numpy()
    if not {"start", "end"} <= {*conditions}:
        if len(conditions) > 1:
            raise ValueError(
                f"`values` has {len(conditions)} conditions without `start` and `end`; "
                "choose one by `result.select`."
            )
        return effects, None, None
    if conditions.duplicated(["start", "end"]).any():
        raise ValueError(
            "`values` has several conditions of one window; choose some by "
            "`result.select`."
        )
    starts, ends = (conditions[name].to_numpy(np.int64) for name in ("start", "end"))
    return effects, starts, ends


def _with_values(regions: pd.DataFrame, values: Floats) -> pd.DataFrame:
    if not np.isfinite(values).all():
        raise ValueError(
            f"`values` holds {int((~np.isfinite(values)).sum()):,} that are NaN or "
            "infinite; a track has numbers only."
        )
    track: pd.DataFrame = regions.assign(value=values)
    return track


def write_bed(path: str | os.PathLike[str], track: pd.DataFrame) -> None:
    """How do I keep a track so that a browser or bedtools reads it?

    Parameters
    ----------
    path: str or path-like
        The file to write; an existing one is replaced in one step.

    track: pandas.DataFrame
        As of `track`. Overlapping rows stay as they are.

    Raises
    ------
    TypeError, ValueError, OSError
        If it is no track, or the file cannot be written.

    Notes
    -----
    BED6+1, sorted by chromosome and start: `chrom`, `start` (0-based), `end`
    (exclusive), `name`, a score of 0 to 1000 (the size of the value against the
    largest), `strand`, and the value.

    Examples
    --------
    >>> loci = pd.DataFrame({"chrom": "chr8", "start": [10, 4], "end": [12, 6]})
    >>> with TemporaryDirectory() as folder:
    ...     write_bed(f"{folder}/x.bed", loci.assign(value=[-1.5, 0.5]))
    ...     print(Path(folder, "x.bed").read_text().replace("\\t", " "), end="")
    chr8 4 6 . 333 . 0.5
    chr8 10 12 . 1000 . -1.5
    """
    write_atomically(Path(path), bed_file(track))


def bed_file(track: pd.DataFrame) -> bytes:
    """The content of the file that `write_bed` writes."""
    table = _checked(track).sort_values(["chrom", "start", "end"], kind="stable")
    sizes = table["value"].abs()
    largest = sizes.max() or 1.0
    score = (sizes / largest * _MOST_SCORE).round().astype(int)
    ordered = table.assign(score=score)[[*_COLUMNS[:4], "score", "strand", "value"]]
    lines = [
        "\t".join([*map(str, place), f"{value:.6g}"])
        for *place, value in ordered.itertuples(index=False)
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def write_bigwig(
    path: str | os.PathLike[str], track: pd.DataFrame, genome: Sizes
) -> None:
    """How do I keep a track so that it can be drawn over a whole genome?

    Where windows overlap, a base has the mean of their values; a base of no window has
    none.

    Parameters
    ----------
    path: str or path-like
        The file to write; an existing one is replaced in one step.

    track: pandas.DataFrame
        As of `track`.

    genome: str, path-like or mapping of str to int
        FASTA of the genome, plain or gzipped, or the sizes of its chromosomes.

    Raises
    ------
    TypeError, ValueError, OSError
        If it is no track, the genome cannot be read, lacks a chromosome or ends before
        a row does, or the file cannot be written.

    Notes
    -----
    By figwig, which tangermeme reads bigWig by. Values are in single precision.

    Examples
    --------
    >>> import figwig
    >>> loci = pd.DataFrame({"chrom": "chr8", "start": [1, 2], "end": [3, 4]})
    >>> with TemporaryDirectory() as folder:
    ...     write_bigwig(f"{folder}/x.bw", loci.assign(value=[1.0, 2.0]), {"chr8": 9})
    ...     figwig.read_bigwig(f"{folder}/x.bw", "chr8", [0], 6, missing=np.nan)
    array([[nan, 1. , 1.5, 2. , nan, nan]], dtype=float32)
    """
    sizes = genome if isinstance(genome, Mapping) else letters_of([], Path(genome))[1]
    write_atomically(Path(path), bigwig_file(track, sizes))


def bigwig_file(track: pd.DataFrame, sizes: Mapping[str, int]) -> bytes:
    """The content of the file that `write_bigwig` writes."""
    from figwig import write_bigwig  # compiles on import

    table: pd.DataFrame = _checked(track)
    for name, part in table.groupby("chrom", sort=False):
        if name not in sizes:
            raise ValueError(f"`genome` has no chromosome {name!r}, which `track` has.")
        if part["end"].max() > sizes[str(name)]:
            raise ValueError(
                f"`track` reaches base {part['end'].max():,} of {name}, which has "
                f"{sizes[str(name)]:,} in `genome`: is it of another assembly?"
            )
    flat = [_flat(name, table[table["chrom"] == name]) for name in sizes]
    whole = pd.concat(flat, ignore_index=True)
    with TemporaryDirectory() as folder:
        path = Path(folder, "track.bw")
        write_bigwig(
            path,
            dict(sizes),
            whole["chrom"].to_numpy(str),
            whole["start"].to_numpy(np.int64),
            whole["value"].to_numpy(np.float64),
            ends=whole["end"].to_numpy(np.int64),
            missing=np.nan,
            n_jobs=1,
        )
        return path.read_bytes()


def _flat(name: str, part: pd.DataFrame) -> pd.DataFrame:
    """Stretches of one chromosome that do not overlap, with the mean of what does."""
    first, last = part["start"].to_numpy(), part["end"].to_numpy()
    edges = np.unique(np.concatenate([first, last]))
    begin, stop = np.searchsorted(edges, first), np.searchsorted(edges, last)
    n = stop - begin
    held = np.repeat(begin - np.cumsum(n) + n, n) + np.arange(n.sum())
    size = max(len(edges) - 1, 0)
    counts = np.bincount(held, minlength=size)
    totals = np.bincount(held, np.repeat(part["value"].to_numpy(), n), minlength=size)
    is_held = counts > 0
    stretches: pd.DataFrame = pd.DataFrame(
        {
            "chrom": name,
            "start": edges[:-1][is_held],
            "end": edges[1:][is_held],
            "value": totals[is_held] / counts[is_held],
        }
    )
    return stretches


def _checked(track: Any) -> pd.DataFrame:
    table = as_regions(track, argument="track")
    if "value" not in track or not len(track):
        raise ValueError(
            f"`track` has {len(track)} rows and the columns {list(track.columns)}; at "
            "least one row, and the column value, are needed."
        )
    values = as_float64(track["value"].to_numpy(), "track")
    return _with_values(table, values)
