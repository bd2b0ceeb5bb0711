"""Which models have learned the same: how their effects of k-mers correlate."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from ..._core.scans import KmerScan
from ...plot.logos import draw_grid
from ...plot.style import PLAIN, SMALL, finish, ink, new_axes, shortened
from ..store import read_results
from ..wording import count
from .entries import Entry

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Matrix: TypeAlias = NDArray[np.float64]

_FEWEST = 2
_SCAN = Path("results", "scan.safetensors")
# Inches of a row with a name, and of the tallest figure; letters of a name.
_ROW, _HIGHEST, _LONGEST = 0.13, 6.5, 26
# Above the grid, as a share of it.
_TREE = 0.16
# Leaves are put next to those they are most like up to so many: n³ steps.
_FEW = 300


class Scan(NamedTuple):
    """Effects of all k-mers, which are spelled with T for U."""

    kmers: tuple[str, ...]
    effect: NDArray[np.float32]

    @property
    def kind(self) -> tuple[int, frozenset[str]]:
        """Length and letters, which k-mers that are compared share."""
        return len(self.kmers[0]), frozenset("".join(self.kmers))


class Similarity(NamedTuple):
    """How the effects of k-mers correlate between models, in the order of a tree.

    `left_out` are labels of models that are not in it, by reason.
    """

    labels: list[str]
    r: Matrix
    tree: Matrix
    n_kmers: int
    k: int
    left_out: dict[str, list[str]]

    @property
    def reading(self) -> str:
        """What the figure shows and says, in sentences."""
        n = len(self.labels)
        pairs = np.where(np.eye(n), -2, self.r)
        i, j = divmod(int(pairs.argmax()), n)
        common = count(self.n_kmers, f"{self.k}-mer")
        return (
            f"Clustering of {n} models by what they learned: correlation (Pearson) of "
            f"the effects of the {common} that their scans have in common, in the "
            "order of average linkage of 1 − r. Each model is a row, members of a "
            f"group, too. The most alike are {self.labels[i]} and {self.labels[j]}, "
            f"r = {self.r[i, j]:.2f}."
        )

    def draw(self) -> Axes:
        """A heat map of all pairs below their tree."""
        return _draw(self)


def similarity(entries: Sequence[Entry]) -> Similarity | None:
    """How alike are models of whose scans two or more are stored? None of fewer."""
    left_out: dict[str, list[str]] = {}
    found: list[tuple[str, Scan]] = []
    for entry in entries:
        scan = _read_or_say_why(entry)
        if isinstance(scan, Scan):
            found.append((entry.label, scan))
        else:
            left_out.setdefault(scan, []).append(entry.label)
    kinds = [scan.kind for _, scan in found]
    if len(kinds) < _FEWEST:
        return None
    most = max(kinds, key=kinds.count)
    alike = [scan for scan in found if scan[1].kind == most]
    other = [label for label, scan in found if scan.kind != most]
    if other:
        left_out["k-mers of another length or alphabet"] = other
    return _compare(alike, left_out)


def _read_or_say_why(entry: Entry) -> Scan | str:
    """The stored scan, or why there is none."""
    try:
        scan = None if entry.folder is None else _read(entry.folder / _SCAN)
    except (OSError, ValueError):
        return "the file of the scan cannot be read"
    return scan or "no scan of k-mers"


def _compare(
    scans: list[tuple[str, Scan]], left_out: dict[str, list[str]]
) -> Similarity | None:
    """Correlations over what all have in common, and the tree of their distances."""
    spellings = {scan.kmers for _, scan in scans}
    common = sorted(set.intersection(*map(set, spellings)))
    at = {}
    for kmers in spellings:
        places = {kmer: i for i, kmer in enumerate(kmers)}
        at[kmers] = [places[kmer] for kmer in common]
    effects = {
        i: scan.effect[at[scan.kmers]].astype(np.float64)
        for i, (_, scan) in enumerate(scans)
    }
    for i, values in list(effects.items()):
        if not np.ptp(values) > 0:  # so it is of NaN
            del effects[i]
            left_out.setdefault("effects that do not differ", []).append(scans[i][0])
    if len(effects) < _FEWEST:
        return None
    labels = [scans[i][0] for i in effects]
    r = np.corrcoef(np.stack([*effects.values()])).clip(-1, 1)
    distance = squareform(1 - r, checks=False)
    tree = linkage(distance, "average", optimal_ordering=len(labels) <= _FEW)
    order = leaves_list(tree)
    return Similarity(
        [labels[i] for i in order],
        r[np.ix_(order, order)],
        tree,
        len(common),
        len(common[0]),
        left_out,
    )


def _read(path: Path) -> Scan | None:
    """The scan in a file; None without one."""
    try:
        held = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _read_version(path, (held.st_mtime_ns, held.st_size, held.st_ino))


@lru_cache(maxsize=4096)
def _read_version(path: Path, version: tuple[int, ...]) -> Scan | None:
    """The same of a version of a file: pages are drawn again and again."""
    scan = read_results(path).results.get("scan")
    if not isinstance(scan, KmerScan):
        return None
    effect = torch.as_tensor(scan.effect).reshape(len(scan.kmers), -1)[:, 0]
    kmers = tuple(kmer.upper().replace("U", "T") for kmer in scan.kmers)
    return Scan(_one_copy(kmers), effect.numpy().astype(np.float32))


@lru_cache(maxsize=64)
def _one_copy(kmers: tuple[str, ...]) -> tuple[str, ...]:
    """The first of equal ones: models share their k-mers."""
    return kmers


def _draw(found: Similarity) -> Axes:
    n = len(found.labels)
    height = min(_HIGHEST, max(1.6, _ROW * n))
    ax = new_axes(None, height=height + 0.8, width=height + 2.4)
    draw_grid(ax, found.r, "Correlation of effects (Pearson)")
    step = -(-n // int(height / _ROW))
    names = [shortened(label, _LONGEST) for label in found.labels[::step]]
    ax.set_yticks(range(0, n, step), names, fontsize=SMALL, **PLAIN)
    ax.set_xticks([])
    top = ax.inset_axes((0, 1.01, 1, _TREE))
    _draw_tree(top, found.tree)
    finish(ax, "", "")
    ax.spines[:].set_visible(False)
    return ax


def _draw_tree(ax: Axes, tree: Matrix) -> None:
    """The tree with its leaves above the columns of the grid."""
    n = len(tree) + 1
    # Across and up; scipy's own drawing calls itself as deep as the tree is.
    at = {
        leaf: (float(place), 0.0)
        for place, leaf in enumerate(leaves_list(tree).tolist())
    }
    corners: list[tuple[float, float]] = []
    for i, (one, other, height, _) in enumerate(tree.tolist()):
        (left, low), (right, high) = at[int(one)], at[int(other)]
        corners += [(left, low), (left, height), (right, height), (right, high)]
        corners.append((np.nan, np.nan))
        at[n + i] = ((left + right) / 2, height)
    x, y = zip(*corners, strict=True)
    ax.plot(x, y, color=ink(ax, beside=True), linewidth=0.7)
    ax.set_xlim(-0.5, n - 0.5)
    ax.set_axis_off()
