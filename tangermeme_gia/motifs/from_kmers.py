"""Motifs from the importance of k-mers: the logo of the best, the motif of the top.

A motif has tangermeme's shape (len(alphabet), length); a logo is a data frame with one
row per position and one column per letter, as logomaker takes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from .._core.junctions import Junctions
from .._core.letters import DNA, Codes, as_float64, complement_channels
from .._core.scans import KmerScan
from .._core.short import in_short
from .._core.spelling import respell
from .matrices import (
    Matrix,
    Values,
    check_frequencies,
    logo_frame,
)

Shifts: TypeAlias = NDArray[np.int64]


@in_short
class KmerAlignment(NamedTuple):
    """A motif made of aligned k-mers.

    `ppm`: torch.Tensor, dtype=float64, shape=(len(alphabet), length), columns sum to 1.

    `table`: pandas.DataFrame, one row per k-mer, best first: `kmer`, `effect`, `weight`
    (its share in the motif; the shares sum to 1), `strand` ("-" if its reverse
    complement is what was aligned) and `start` (the column of `ppm` where its first
    letter, or that of its reverse complement, stands; negative if columns were trimmed
    on the left).
    """

    ppm: torch.Tensor
    table: pd.DataFrame


def sensitivity_logo(
    change: Matrix | pd.DataFrame,
    kmer: str,
    alphabet: Sequence[str] = DNA,
) -> pd.DataFrame:
    """Which positions of a k-mer does the model care about?

    Letters of the k-mer, each as high as the L2 norm over the variants of its position
    (paper, "k-mer mutagenesis" and "in silico mutagenesis").

    Parameters
    ----------
    change: array-like, shape=(length, len(alphabet)), or pandas.DataFrame
        Effect of every single-letter variant *minus* that of the wild type, so that
        wild-type letters have 0. The columns of a frame must be the letters.

    kmer: str
        The wild type.

    alphabet: sequence of str, optional
        Letters in column order. Default is DNA.

    Returns
    -------
    logo: pandas.DataFrame, shape=(length, len(alphabet))
        Heights, 0 except for the wild-type letters; one row per position.

    Raises
    ------
    ValueError
        If shapes or letters do not fit, a number is missing, or a wild-type letter has
        a change: these are then effects, of which the norm means nothing.

    Examples
    --------
    >>> change = [[0, -3, -4, 0], [-1, 0, 0, 0]]
    >>> sensitivity_logo(change, "UC", alphabet="ACGU")
         A    C    G    U
    0  0.0  0.0  0.0  5.0
    1  0.0  1.0  0.0  0.0
    """
    letters = list(alphabet)
    if isinstance(change, pd.DataFrame) and list(change.columns) != letters:
        raise ValueError(
            f"`change` has columns {list(change.columns)}; they must be the letters "
            f"{letters}."
        )
    codes = _letter_codes([kmer], letters)[0]
    values = as_float64(change, "change")
    if values.shape != (len(kmer), len(letters)) or not values.size:
        raise ValueError(
            f"`change` has shape {values.shape}; it must be ({len(kmer)}, "
            f"{len(letters)}), a row for each position of `kmer` {kmer!r}, and at "
            "least one."
        )
    if not np.isfinite(values).all():
        raise ValueError("`change` holds NaN or infinity.")
    positions = np.arange(len(kmer))
    wild_type = values[positions, codes]
    # What subtracting in single precision leaves.
    moved = np.flatnonzero(np.abs(wild_type) > 1e-5 * max(1.0, np.abs(values).max()))
    if len(moved):
        i = moved[0]
        raise ValueError(
            f"`change` is {wild_type[i]:.6g} at position {i} for its wild-type letter "
            f"{kmer[i]!r}, where it must be 0: subtract the wild type's effect first."
        )
    heights = np.zeros_like(values)
    heights[positions, codes] = np.linalg.norm(values, axis=1)
    return logo_frame(heights.T, letters)


def align_kmers(
    kmers: KmerScan | Junctions | Sequence[str],
    effects: ArrayLike | torch.Tensor | None = None,
    top: int = 10,
    *,
    alphabet: Sequence[str] = DNA,
    baseline: float = 0.0,
    max_shift: int | None = None,
    min_coverage: float = 0.0,
    background: ArrayLike | None = None,
    both_strands: bool = False,
) -> KmerAlignment:
    """Which motif do the best k-mers add up to?

    Each of the `top` k-mers is shifted against the best one to where most letters
    agree (maximum cross-correlation; of equal shifts the smallest, then the left one),
    and letters are counted with the k-mer's importance as weight (paper, "motif by
    k-mer alignment"). Where a k-mer does not reach, its weight goes to the background
    frequencies, so that flanks few k-mers support fade out.

    Parameters
    ----------
    kmers: KmerScan, Junctions or sequence of str
        A scan of all k-mers with one output; its best by `junction_effects`, each of
        which weighs its effect on the backgrounds where it completes no better one (a
        k-mer without such backgrounds weighs nothing); or distinct k-mers of one
        length.

    effects: array-like or None, shape=(len(kmers),), optional
        Global importance of each; None is that of the scan or the junctions. For a
        motif that lowers the prediction pass k-mers and the negated effects.
        Default is None.

    top: int, optional
        How many to align, best first; all of them if there are fewer. Equal effects
        keep the order given. Default is 10.

    alphabet: sequence of str, optional
        Letters in channel order. Default is DNA.

    baseline: float, optional
        A k-mer weighs its effect above this; one at or below it weighs nothing, is
        listed in the table, and adds no columns. Default is 0.

    max_shift: int or None, optional
        Largest shift against the best k-mer; None allows any with a letter of overlap.
        Default is None.

    min_coverage: float, optional
        Flanking columns reached by less than this share of the weight are trimmed; the
        columns of the best k-mer always stay. Default is 0, which trims nothing.

    background: array-like or None, shape=(len(alphabet),), optional
        Frequencies that stand for the letters of a k-mer where it does not reach. None
        is uniform. Default is None.

    both_strands: bool, optional
        Whether a k-mer is turned to its reverse complement where that agrees better
        with the best k-mer, as k-mers folded over both strands of DNA need.
        Default is False.

    Returns
    -------
    alignment: KmerAlignment
        `ppm`, with columns that sum to 1, and `table` of the k-mers behind it.

    Raises
    ------
    ValueError
        If k-mers and effects do not fit, repeat or are missing, an option is out of
        range, or no effect is above the baseline.

    Examples
    --------
    >>> ppm, table = align_kmers(["UGCAUG", "GCAUGU"], [3.0, 1.0], alphabet="ACGU")
    >>> table
         kmer  effect  weight strand  start
    0  UGCAUG     3.0    0.75      +      0
    1  GCAUGU     1.0    0.25      +      1
    >>> ppm[:, -1]
    tensor([0.1875, 0.1875, 0.1875, 0.4375], dtype=torch.float64)
    """
    letters = list(alphabet)
    kmers, scores = _kmers_and_effects(kmers, effects, top)
    codes = _check_kmers(kmers, scores, letters)
    k = codes.shape[1]
    furthest = _check_options(top, max_shift, min_coverage, k)
    frequencies = check_frequencies(background, len(letters))
    order = np.argsort(-scores, kind="stable")[:top]
    weights = _weights(scores[order], baseline)
    codes = codes[order]
    complements = complement_channels(letters) if both_strands else None
    aligned = [_align(codes[0], code, furthest, complements) for code in codes]
    codes = np.array([one.code for one in aligned])
    starts = np.array([one.shift for one in aligned])
    left = starts[weights > 0].min()
    starts -= left
    ppm, missing = _weighted_letters(codes, starts, weights, len(letters))
    ppm += np.outer(frequencies, missing)
    enough = np.flatnonzero(missing <= 1 - min_coverage)
    kept = np.concatenate([np.arange(starts[0], starts[0] + k), enough])
    first, last = kept.min(), kept.max() + 1
    table = pd.DataFrame(
        {
            "kmer": [kmers[i] for i in order],
            "effect": scores[order],
            "weight": weights,
            "strand": [one.strand for one in aligned],
            "start": starts - first,
        }
    )
    return KmerAlignment(torch.from_numpy(ppm[:, first:last].copy()), table)


def _kmers_and_effects(
    kmers: KmerScan | Junctions | Sequence[str],
    effects: ArrayLike | torch.Tensor | None,
    top: int,
) -> tuple[Sequence[str], Values]:
    """What is aligned and by which effects; NaN only without a junction-free one."""
    if isinstance(kmers, Junctions):
        alone = kmers._replace(result=kmers.result.output()).to_frame()
        return kmers.kmers, alone["effect_without"].to_numpy()
    if isinstance(kmers, KmerScan):
        best = kmers.top(top)
        kmers, effects = best["kmer"].tolist(), best["effect"].to_numpy()
    if effects is None:
        raise TypeError(
            "`effects` is missing; give one for each of `kmers`, a scan or junctions."
        )
    scores = as_float64(effects, "effects")
    if not np.isfinite(scores).all():
        raise ValueError("`effects` holds NaN or infinity.")
    return kmers, scores


def _check_options(top: int, max_shift: int | None, min_coverage: float, k: int) -> int:
    """The largest shift that is allowed."""
    furthest = k - 1 if max_shift is None else max_shift
    if top < 1 or not 0 <= furthest < k or not 0 <= min_coverage <= 1:
        raise ValueError(
            f"`top`={top} must be at least 1, `max_shift`={max_shift} between 0 and "
            f"{k - 1}, `min_coverage`={min_coverage} between 0 and 1."
        )
    return furthest


def _letter_codes(kmers: Sequence[str], letters: list[str]) -> Codes:
    channels = {letter: i for i, letter in enumerate(letters)}
    spelled = [respell(kmer, letters) for kmer in kmers]
    for kmer, word in zip(kmers, spelled, strict=True):
        for position, letter in enumerate(word):
            if letter not in channels:
                raise ValueError(
                    f"k-mer {kmer!r} has {kmer[position]!r} at position {position}, "
                    f"which is not in `alphabet` {', '.join(letters)}."
                )
    codes = [[channels[letter] for letter in word] for word in spelled]
    return np.array(codes, dtype=np.int8)


def _check_kmers(kmers: Sequence[str], effects: Values, letters: list[str]) -> Codes:
    if not len(kmers) or effects.shape != (len(kmers),):
        raise ValueError(
            f"`kmers` holds {len(kmers)} k-mers and `effects` has shape "
            f"{effects.shape}; there must be one effect for each, and at least one."
        )
    lengths = {len(kmer) for kmer in kmers}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f"`kmers` must have one length; found {sorted(lengths)}.")
    if len({respell(kmer, letters) for kmer in kmers}) < len(kmers):
        raise ValueError("`kmers` must be distinct.")
    return _letter_codes(kmers, letters)


def _weights(effects: Values, baseline: float) -> Values:
    """The share of each k-mer in the motif, best first."""
    above: Values = np.fmax(effects - baseline, 0)  # which is 0 for NaN
    if not above[0] > 0:
        raise ValueError(
            f"no k-mer has an effect above `baseline`={baseline:g} (the best is "
            f"{effects[0]:.6g}), so none can be weighted; negate `effects` for a "
            "motif that lowers the prediction, or lower `baseline`."
        )
    shares: Values = above / above.sum()
    return shares


class _Aligned(NamedTuple):
    """A k-mer on the strand, and at the shift, where it agrees best with another."""

    code: Codes
    strand: str
    shift: int


def _align(
    best: Codes, code: Codes, furthest: int, complements: tuple[int, ...] | None
) -> _Aligned:
    """Of equal strands the given one, of equal shifts the smallest, then the left."""

    def agreement(one: _Aligned) -> int:
        left, right = max(one.shift, 0), min(one.shift, 0)
        here, there = (
            best[left : len(best) + right],
            one.code[-right : len(best) - left],
        )
        return int((here == there).sum())

    strands = [(code, "+")]
    if complements is not None:
        strands.append((np.array(complements, np.int8)[code[::-1]], "-"))
    candidates = [
        _Aligned(turned, strand, shift)
        for turned, strand in strands
        for shift in range(-furthest, furthest + 1)
    ]
    return max(
        candidates,
        key=lambda one: (
            agreement(one),
            one.strand == "+",
            -abs(one.shift),
            -one.shift,
        ),
    )


def _weighted_letters(
    codes: Codes, starts: Shifts, weights: Values, n_letters: int
) -> tuple[Values, Values]:
    """Letters of the k-mers summed by weight, and the weight that misses a column."""
    k = codes.shape[1]
    length = starts[weights > 0].max() + k
    letters, missing = np.zeros((n_letters, length)), np.zeros(length)
    for code, start, weight in zip(codes, starts, weights, strict=True):
        if weight > 0:
            columns = np.arange(start, start + k)
            letters[code, columns] += weight
            # Summed rather than subtracted, so that it is exactly 0 where all reach.
            missing[np.setdiff1d(np.arange(length), columns)] += weight
    return letters, missing
