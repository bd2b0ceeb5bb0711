"""Perfect hairpins of RNA sequences, found by their letters alone."""

from __future__ import annotations

import torch

# A hairpin loop of fewer than three nucleotides cannot bend.
MIN_LOOP = 3
# Not the code of any letter, and in no sum of two codes that means "paired".
_NO_BASE = 9


def find_hairpins(
    X: torch.Tensor, is_base: torch.Tensor, stem_pairs: int, max_loop: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Which bases lie in the loop and which in the stem of a hairpin?

    A stem is a run of at least `stem_pairs` stacked Watson-Crick pairs around
    three to `max_loop` nucleotides. Alternatives that exclude each other in one
    molecule all count: there is no energy model behind it, so that the rule can be
    stated, computed and planted exactly.

    Parameters
    ----------
    X: torch.Tensor, shape=(-1, 4, length)
        One-hot sequences in the order A, C, G, U.

    is_base: torch.Tensor, shape=(-1, length), dtype=torch.bool
        False at padding and N, which pair with nothing.

    stem_pairs: int
        Fewest stacked pairs that make a stem.

    max_loop: int
        Most nucleotides in a loop.

    Returns
    -------
    loop, stem: torch.Tensor, shape=(-1, length), dtype=torch.bool
        A base that pairs is in the stem, also where another stem encloses it.

    Examples
    --------
    >>> X = torch.eye(4)[[2, 2, 2, 0, 0, 0, 0, 1, 1, 1]].T[None]  # GGGAAAACCC
    >>> loop, stem = find_hairpins(X, X.sum(dim=1) > 0, stem_pairs=3, max_loop=5)
    >>> "".join("L" if l else "S" for l in loop[0])
    'SSSLLLLSSS'
    """
    # A, C, G, U are 0 to 3, so that the codes of a Watson-Crick pair sum to 3.
    codes = X.argmax(dim=1).to(torch.uint8).masked_fill(~is_base, _NO_BASE)
    n, length = codes.shape
    # Each run of marks is +1 at its first column and -1 past its last.
    loop = torch.zeros((n, length + 1), dtype=torch.int16, device=codes.device)
    stem = torch.zeros_like(loop)
    runs: dict[int, torch.Tensor] = {}
    for enclosed in range(MIN_LOOP, length - 2 * stem_pairs + 1):
        span = 2 * stem_pairs + enclosed
        if enclosed <= max_loop:
            # Pair k of the run, counted from outside, is (i + k, i + span - 1 - k).
            run = _paired(codes, span, 0)
            for k in range(1, stem_pairs):
                run = run & _paired(codes, span, k)
        elif enclosed - 2 in runs:
            # A longer loop only as the outward continuation of a stem around a
            # shorter one: the same run, moved out by one pair.
            run = runs[enclosed - 2][:, 1:-1] & _paired(codes, span, 0)
        else:
            continue
        runs[enclosed] = run
        _mark(stem, run, 0, stem_pairs)
        _mark(stem, run, stem_pairs + enclosed, span)
        if enclosed <= max_loop:
            _mark(loop, run, stem_pairs, stem_pairs + enclosed)
    in_stem = stem.cumsum(dim=1)[:, :-1] > 0
    return (loop.cumsum(dim=1)[:, :-1] > 0) & ~in_stem, in_stem


def _paired(codes: torch.Tensor, span: int, k: int) -> torch.Tensor:
    """Whether i + k pairs with i + span - 1 - k, for every i that leaves room."""
    starts = codes.shape[1] - span + 1
    left, right = codes[:, k:], codes[:, span - 1 - k :]
    return left[:, :starts] + right[:, :starts] == 3


def _mark(marks: torch.Tensor, run: torch.Tensor, first: int, end: int) -> None:
    starts = run.shape[1]
    marks[:, first : first + starts] += run
    marks[:, end : end + starts] -= run.to(marks.dtype)
