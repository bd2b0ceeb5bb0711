"""Drawing RNA probes with planted motif copies and designed hairpins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from tangermeme_gia._core.letters import GAP, GAP_LETTER, RNA, Codes, one_hot

from .hairpins import MIN_LOOP

# Shares of probe lengths and starts in the RNAcompete 2013 pool (Ray et al., Nature
# 499:172), measured on 60,000 of its probes, half of set A and half of set B.
LENGTH_SHARES = {30: 0.147, 35: 0.258, 38: 0.581, 39: 0.012, 41: 0.002}
START_SHARES = {"AGA": 0.68, "AGG": 0.32}
START = 3
# The 5' arms of designed hairpins: not self-complementary, and few, because a network
# learns a few stems from some ten thousand probes, but not pairing in general.
STEMS = ("GACUCCAG", "CGAAGUGAC", "GUGUUAGG", "CAUCGGUUC")

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]


def draw_design(
    rng: np.random.Generator,
    n: int,
    length_shares: Mapping[int, float],
    copy_shares: Floats,
    hairpin_fraction: float,
) -> pd.DataFrame:
    """Decide each probe's length, number of motif copies and hairpin.

    Returns
    -------
    design: pandas.DataFrame, n rows
        `length`, `copies` and `hairpin`, which is "none" or, for a third of the
        hairpins each, "empty", "loop" or "stem": where its one copy is.
    """
    third = hairpin_fraction / 3
    parts = np.array(["none", "empty", "loop", "stem"])
    hairpin = rng.choice(parts, n, p=[1 - hairpin_fraction, third, third, third])
    scattered = rng.choice(len(copy_shares), n, p=copy_shares)
    in_hairpin = np.isin(hairpin, ["loop", "stem"]).astype(np.int64)
    lengths = rng.choice(list(length_shares), n, p=list(length_shares.values()))
    design: pd.DataFrame = pd.DataFrame(
        {
            "length": lengths,
            "copies": np.where(hairpin == "none", scattered, in_hairpin),
            "hairpin": hairpin,
        }
    )
    return design


def draw_probes(
    rng: np.random.Generator,
    design: pd.DataFrame,
    motif: Floats,
    stems: Sequence[str],
    max_loop: int,
) -> Codes:
    """Draw the letters of probes of a given design.

    Parameters
    ----------
    rng: numpy.random.Generator
        The source of randomness.

    design: pandas.DataFrame, n rows
        `length`, `copies` and `hairpin`, as from `draw_design`.

    motif: numpy.ndarray, shape=(4, width)
        Letter probabilities of a planted copy.

    stems: sequence of str
        5' arms of hairpins; one is drawn for each. N is a random base pair.

    max_loop: int
        Most nucleotides in a loop.

    Returns
    -------
    codes: numpy.ndarray, shape=(n, longest)
        0 to 3 for A, C, G, U from the first column on; -1 past a probe's end.
    """
    lengths, copies = design["length"].to_numpy(), design["copies"].to_numpy()
    hairpin = design["hairpin"].to_numpy()
    codes: Codes = rng.integers(0, 4, (len(design), lengths.max())).astype(np.int8)
    starts = np.array([_encode(start) for start in START_SHARES])
    drawn = rng.choice(len(starts), len(design), p=list(START_SHARES.values()))
    codes[:, :START] = starts[drawn]
    for k in range(1, copies.max() + 1):
        rows = np.flatnonzero((hairpin == "none") & (copies == k))
        _plant_copies(rng, codes, rows, lengths[rows], motif, k)
    stem_of_row = rng.integers(0, max(len(stems), 1), len(design))
    for s, stem in enumerate(stems):
        for kind in ("empty", "loop", "stem"):
            rows = np.flatnonzero((hairpin == kind) & (stem_of_row == s))
            _plant_hairpins(
                rng, codes, rows, lengths[rows], motif, stem, max_loop, kind
            )
    codes[np.arange(codes.shape[1]) >= lengths[:, None]] = GAP
    return codes


def one_hot_probes(codes: Codes, lengths: Integers, length: int) -> torch.Tensor:
    """Centre probes in `length` columns, shape=(n, 4, length), dtype=torch.int8."""
    column = np.arange(length) - ((length - lengths) // 2)[:, None]
    is_base = (column >= 0) & (column < lengths[:, None])
    placed = np.take_along_axis(codes, np.where(is_base, column, 0), axis=1)
    return one_hot(np.where(is_base, placed, GAP), len(RNA))


def spell_probes(codes: Codes) -> tuple[str, ...]:
    """The probes as strings of A, C, G and U."""
    # The code -1 of columns past the end picks the last entry, a null byte, and
    # numpy's byte strings end at trailing null bytes.
    letters = np.frombuffer("".join(RNA).encode() + b"\0", dtype=np.uint8)[codes]
    return tuple(letters.view(f"S{codes.shape[1]}").ravel().astype(str).tolist())


def _plant_copies(
    rng: np.random.Generator,
    codes: Codes,
    rows: Integers,
    lengths: Integers,
    motif: Floats,
    k: int,
) -> None:
    """Put k copies at random places that do not overlap, behind the fixed start."""
    width = motif.shape[1]
    room = lengths - START - k * width
    gaps = np.sort(rng.integers(0, room[:, None] + 1, (len(rows), k)), axis=1)
    for j in range(k):
        first = START + gaps[:, j] + j * width
        _write(codes, rows, first, _draw_copies(rng, motif, len(rows)))


def _plant_hairpins(
    rng: np.random.Generator,
    codes: Codes,
    rows: Integers,
    lengths: Integers,
    motif: Floats,
    stem: str,
    max_loop: int,
    kind: str,
) -> None:
    """Put a hairpin at a random place, with a copy in its loop, an arm, or none."""
    n, width, arm = len(rows), motif.shape[1], len(stem)
    shortest = max(MIN_LOOP, width)
    spare = lengths - START - 2 * arm - shortest
    # Loops vary by up to four bases, where the probe and `max_loop` leave room.
    loop = shortest + np.minimum(rng.integers(0, 5, n), spare)
    loop = np.minimum(loop, max_loop)
    first = START + rng.integers(0, spare - (loop - shortest) + 1)
    left = np.tile(_encode(stem), (n, 1))
    left = np.where(left < 0, rng.integers(0, 4, left.shape), left)
    if kind == "stem":
        offset = rng.integers(0, arm - width + 1, n)
        arms = np.stack([left, _reverse_complement(left)])
        copies, side = _draw_copies(rng, motif, n), rng.integers(0, 2, n)
        arms[
            side[:, None], np.arange(n)[:, None], offset[:, None] + np.arange(width)
        ] = copies
        # The arm that holds the motif is kept and the other made to match.
        left = np.where(side[:, None] == 0, arms[0], _reverse_complement(arms[1]))
    _write(codes, rows, first, left)
    _write(codes, rows, first + arm + loop, _reverse_complement(left))
    if kind == "loop":
        offset = rng.integers(0, loop - width + 1)
        _write(codes, rows, first + arm + offset, _draw_copies(rng, motif, n))


def _draw_copies(rng: np.random.Generator, motif: Floats, n: int) -> Codes:
    return np.stack([rng.choice(4, n, p=column) for column in motif.T], axis=1)


def _write(codes: Codes, rows: Integers, first: Integers, letters: Codes) -> None:
    columns = first[:, None] + np.arange(letters.shape[1])
    codes[rows[:, None], columns] = letters


def _reverse_complement(codes: Codes) -> Codes:
    return 3 - codes[:, ::-1]


def _encode(letters: str) -> list[int]:
    """0 to 3 for A, C, G, U and -1 for N."""
    return [(GAP_LETTER, *RNA).index(letter) + GAP for letter in letters]
