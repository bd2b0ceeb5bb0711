"""Patterns from seqlets: similar ones found by TOMTOM, aligned, and counted."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from memelite.tomtom import tomtom
from numpy.typing import NDArray
from sklearn.cluster import AgglomerativeClustering

from .._core.letters import GAP, Codes, as_generator, complement_channels
from .._core.modisco import contributing

Values = NDArray[np.float64]

# Seqlets whose mean p value by TOMTOM (of its logarithm) is below this are alike.
_ALIKE = 1e-3
# p values below this count as equal to it.
_LEAST_P = 1e-12
# Patterns are one where the cosine of their contributions, aligned, reaches this.
_SAME = 0.8
# Bases on either side of a seqlet that a pattern is built with before it is trimmed.
_FLANK = 10
# More seqlets are not compared with each other: their pairs would fill memory.
MOST_SEQLETS = 4000
_SEQLET_STREAM = 11


class SeqletPattern(NamedTuple):
    """A pattern between the positions that contribute; matrices are (4, length).

    `sites` has the columns `example_idx`, `start`, `end` and `strand` of its
    occurrences, and `sign` is 1 where the pattern raises the output, else -1.
    """

    ppm: Values
    cwm: Values
    sign: int
    sites: pd.DataFrame


class _Sequences(NamedTuple):
    """Letters and their contributions, and which letter complements which."""

    codes: Codes
    contributions: Values
    complement: NDArray[np.int64] | None

    def stacked(self, group: _Group) -> tuple[Values, Values]:
        """Counts of letters and summed contributions at each position, aligned."""
        rows, at, strand = group.rows, group.at, group.strand
        places = at[:, None] + strand[:, None] * np.arange(group.width)
        inside = (places >= 0) & (places < self.codes.shape[1])
        places = places.clip(0, self.codes.shape[1] - 1)
        letters = self.codes[rows[:, None], places].astype(np.int64)
        inside &= letters != GAP
        if self.complement is not None:
            letters = np.where(strand[:, None] < 0, self.complement[letters], letters)
        values = self.contributions[rows[:, None], places]
        # Beside a seqlet may stand another that does the opposite, and more.
        values = np.where(values * group.sign > 0, values, 0)
        counts, sums = np.zeros((2, 4, group.width))
        columns = np.broadcast_to(np.arange(group.width), letters.shape)
        np.add.at(counts, (letters[inside], columns[inside]), 1)
        np.add.at(sums, (letters[inside], columns[inside]), values[inside])
        return counts, sums


class _Group(NamedTuple):
    """Aligned occurrences: in which sequence, where the first base is, which strand."""

    sign: int
    width: int
    rows: NDArray[np.int64]
    at: NDArray[np.int64]
    strand: NDArray[np.int64]


def seqlet_patterns(
    codes: Codes,
    contributions: NDArray[np.floating[Any]],
    seqlets: pd.DataFrame,
    *,
    alphabet: tuple[str, ...],
    both_strands: bool,
    min_seqlets: int,
    seed: int,
) -> list[SeqletPattern]:
    """Which patterns do seqlets repeat?

    Seqlets, whose letters count as much as they contribute, are compared by TOMTOM
    (memelite) and clustered by average linkage (scikit-learn); those of a cluster are
    aligned to the one most like the others, on the strand that fits. Clusters whose
    contributions are alike become one, so that no pattern is there twice. A pattern
    has contributions of its sign only, is trimmed as `read_cwms` trims, and reads as
    most of its seqlets stand.

    Parameters
    ----------
    codes: numpy.ndarray, dtype=int8, shape=(n, length)
        Letters of the sequences.

    contributions: numpy.ndarray, shape=(n, length)
        Contribution of each.

    seqlets: pandas.DataFrame
        As of `call_seqlets`. Of more than 4,000 as many are drawn at random.

    alphabet: tuple of str
        Letters of DNA or RNA in channel order.

    both_strands: bool
        Whether seqlets are compared with the other strand, too.

    min_seqlets: int
        Fewer make no pattern.

    seed: int
        Seed of the draw.

    Returns
    -------
    patterns: list of SeqletPattern
        That with the most seqlets first.
    """
    if len(seqlets) > MOST_SEQLETS:
        rng = as_generator(seed, _SEQLET_STREAM)
        drawn = np.sort(rng.permutation(len(seqlets))[:MOST_SEQLETS])
        seqlets = seqlets.iloc[drawn].reset_index(drop=True)
    if len(seqlets) < max(min_seqlets, 2):
        return []
    complement = np.array(complement_channels(alphabet)) if both_strands else None
    values = np.asarray(contributions, dtype=np.float64)
    sequences = _Sequences(codes, values, complement)
    groups = _clusters(sequences, seqlets)
    found = [
        _as_pattern(sequences, group)
        for group in _merged(sequences, groups)
        if len(group.rows) >= min_seqlets
    ]
    return sorted(found, key=lambda pattern: -len(pattern.sites))


def _clusters(sequences: _Sequences, seqlets: pd.DataFrame) -> list[_Group]:
    """Similar seqlets, aligned to the one that is most like the others."""
    places = seqlets[["example_idx", "start", "end"]].to_numpy()
    signs = np.sign(seqlets["attribution"].to_numpy()).astype(int)
    matrices = [_weighted(sequences, *place) for place in places.tolist()]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "tomtom was given", UserWarning)
        p, _, offsets, _, strands = tomtom(
            matrices,
            matrices,
            reverse_complement=sequences.complement is not None,
            n_jobs=1,
        )
    p = np.maximum(p, p.T)
    p[signs[:, None] != signs] = 1
    distance = np.log10(p.clip(_LEAST_P, 1) / _LEAST_P)
    np.fill_diagonal(distance, 0)
    labels = AgglomerativeClustering(
        n_clusters=None,
        metric="precomputed",
        linkage="average",
        distance_threshold=np.log10(_ALIKE / _LEAST_P),
    ).fit_predict(distance)
    groups = []
    for label in range(labels.max() + 1):
        members = np.flatnonzero(labels == label)
        centre = members[distance[np.ix_(members, members)].sum(axis=1).argmin()]
        backwards = strands[centre, members] > 0
        offset = offsets[centre, members].astype(np.int64)
        rows, start, end = places[members].T
        strand = np.where(backwards, -1, 1)
        at = np.where(backwards, end - 1 - offset, start + offset) - strand * _FLANK
        width = int(places[centre, 2] - places[centre, 1]) + 2 * _FLANK
        groups.append(_Group(int(signs[centre]), width, rows, at, strand))
    return groups


def _weighted(sequences: _Sequences, row: int, start: int, end: int) -> Values:
    """Letters of a seqlet as high as they contribute, the largest 1."""
    codes = sequences.codes[row, start:end]
    heights = np.abs(sequences.contributions[row, start:end])
    matrix: Values = np.zeros((4, end - start))
    known = np.flatnonzero(codes != GAP)
    matrix[codes[known], known] = heights[known] / (heights.max() or 1)
    return matrix


def _merged(sequences: _Sequences, groups: list[_Group]) -> list[_Group]:
    """Groups without those that repeat a larger one, which takes them in."""
    left = sorted(groups, key=lambda group: -len(group.rows))
    while True:
        kept: list[_Group] = []
        stacks: list[Values] = []
        for group in left:
            stack = sequences.stacked(group)[1] / len(group.rows)
            for i, other in enumerate(kept):
                if other.sign == group.sign:
                    cosine, shift, flipped = _alignment(
                        stacks[i], stack, sequences.complement
                    )
                    if cosine >= _SAME:
                        kept[i] = _joined(other, group, shift, flipped)
                        break
            else:
                kept.append(group)
                stacks.append(stack)
        if len(kept) == len(left):
            return kept
        left = sorted(kept, key=lambda group: -len(group.rows))


def _alignment(
    a: Values, b: Values, complement: NDArray[np.int64] | None
) -> tuple[float, int, bool]:
    """Cosine of two matrices where they fit best, and how b lies on a there."""
    scale = np.sqrt((a**2).sum() * (b**2).sum()) or 1.0
    best = (-1.0, 0, False)
    turned = [(False, b)]
    if complement is not None:
        turned.append((True, b[complement][:, ::-1]))
    for flipped, matrix in turned:
        rows = zip(a, matrix, strict=True)
        products = sum(np.correlate(x, y, "full") for x, y in rows)
        for i, cosine in enumerate(np.asarray(products / scale).tolist()):
            # Column j of b lies on column j + shift of a.
            shift = i - matrix.shape[1] + 1
            if cosine > best[0] + 1e-9:
                best = (cosine, shift, flipped)
    return best


def _joined(a: _Group, b: _Group, shift: int, flipped: bool) -> _Group:
    """Occurrences of both on the columns of a, each counted once."""
    last = b.at + b.strand * (b.width - 1)
    strand = -b.strand if flipped else b.strand
    at = (last if flipped else b.at) - strand * shift
    rows = np.concatenate([a.rows, b.rows])
    at, strand = np.concatenate([a.at, at]), np.concatenate([a.strand, strand])
    # Of a palindrome both strands are one occurrence: by its middle.
    middle = 2 * at + strand * (a.width - 1)
    _, first = np.unique(np.stack([rows, middle]), axis=1, return_index=True)
    first = np.sort(first)
    return a._replace(rows=rows[first], at=at[first], strand=strand[first])


def _as_pattern(sequences: _Sequences, group: _Group) -> SeqletPattern:
    """Frequencies and mean contributions between the positions that contribute."""
    if (group.strand < 0).sum() > (group.strand > 0).sum():
        last = group.at + group.strand * (group.width - 1)
        group = group._replace(at=last, strand=-group.strand)
    counts, sums = sequences.stacked(group)
    cwm = sums / len(group.rows)
    kept = contributing(cwm)
    first = group.at + group.strand * kept.start
    last = group.at + group.strand * (kept.stop - 1)
    sites = pd.DataFrame(
        {
            "example_idx": group.rows,
            "start": np.minimum(first, last),
            "end": np.maximum(first, last) + 1,
            "strand": np.where(group.strand > 0, "+", "-"),
        }
    )
    sites = sites.sort_values(["example_idx", "start"]).reset_index(drop=True)
    ppm = counts[:, kept] / counts[:, kept].sum(axis=0)
    return SeqletPattern(ppm, cwm[:, kept], group.sign, sites)
