"""Backgrounds with a designed structure: a hairpin, or any tree of stems and loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.letters import (
    DNA,
    Codes,
    RandomState,
    as_generator,
    as_seed,
    check_count,
    check_sequences,
    codes_from_one_hot,
    one_hot,
)
from ..structure.folding import folds_as_designed
from ..structure.pairing import check_no_padding
from ..structure.pairs import (
    Hairpin,
    Pairs,
    complementary_bases,
    pair_indices,
)
from .profiles import profile_background
from .shuffles import Templates, draw_rows

# Streams of a seed: of what becomes of the pairs, and, from the second number on, of
# the draws that replace sequences which do not fold.
_PAIR_STREAM, _REDRAW_STREAM = 3, 4
# Bases of the smallest loop that folds.
_SMALLEST_LOOP = 3


@overload
def structured_background(
    X: torch.Tensor | PackedSequence | NDArray[Any],
    structure: str | Hairpin,
    n: int = ...,
    *,
    alphabet: Sequence[str] = ...,
    wobble_rate: float = ...,
    fold_check: bool = ...,
    max_draws: int = ...,
    n_jobs: int | None = ...,
    random_state: RandomState = ...,
    return_templates: Literal[False] = ...,
) -> torch.Tensor: ...
@overload
def structured_background(
    X: torch.Tensor | PackedSequence | NDArray[Any],
    structure: str | Hairpin,
    n: int = ...,
    *,
    alphabet: Sequence[str] = ...,
    wobble_rate: float = ...,
    fold_check: bool = ...,
    max_draws: int = ...,
    n_jobs: int | None = ...,
    random_state: RandomState = ...,
    return_templates: Literal[True],
) -> tuple[torch.Tensor, Templates | None]: ...
def structured_background(
    X: torch.Tensor | PackedSequence | NDArray[Any],
    structure: str | Hairpin,
    n: int = 1000,
    *,
    alphabet: Sequence[str] = DNA,
    wobble_rate: float = 0.0,
    fold_check: bool = False,
    max_draws: int = 20,
    n_jobs: int | None = None,
    random_state: RandomState = None,
    return_templates: bool = False,
) -> torch.Tensor | tuple[torch.Tensor, Templates | None]:
    """What would sequences look like that share only a designed structure?

    Templates are drawn from `X`, and in every pair that does not form one base becomes
    the complement of the other. Which of the two is kept is chosen so that each
    sequence keeps its composition: where one is A or T (U) and the other C or G, half
    of these pairs become A-T and half C-G; otherwise it does not matter, and a coin
    decides. No other choice comes closer to the counts of the template's letters.

    Letters that can pair need not: `folding_check` says how many sequences fold as
    designed, and `fold_check=True` returns such alone.

    Parameters
    ----------
    X: torch.Tensor, shape=(-1, len(alphabet), length), PackedSequence, or profile
        Sequences that serve as templates, or a profile, shape (len(alphabet), length),
        to draw them from (see `profile_background`), such as
        `torch.full((4, 41), 0.25)`.

    structure: str or Hairpin
        A dot-bracket string as long as the sequences, with any number of stems, bulges
        and branches; the geometry of a hairpin; or "paper" or "released" (see
        `pair_indices`).

    n: int, optional
        Sequences to return. Default is 1000.

    alphabet: list or tuple of str, optional
        A, C, G and one of T and U, in channel order. Default is ("A", "C", "G", "T").

    wobble_rate: float, optional
        Probability that a pair is G-U (or G-T) instead of Watson-Crick, for each pair
        by itself. Only where it meets neither G nor U are both bases changed. Default
        is 0.

    fold_check: bool, optional
        Whether every sequence has all designed pairs in its minimum-free-energy
        structure, by ViennaRNA. Those that have not are drawn again from other
        templates; the others are as without the check. This prefers stable designs:
        their stems have slightly more C and G, and the rest less. Default is False.

    max_draws: int, optional
        How often a sequence is drawn at most. Default is 20.

    n_jobs: int or None, optional
        Processes that fold, as in `fold`. Default is None.

    random_state: int, numpy Generator or None, optional
        Seed; None draws anew. The first sequences of a seed are the same for every `n`
        up to `len(X)`. Default is None.

    return_templates: bool, optional
        Whether to return the templates, too, as `shuffled_background` does. Default is
        False.

    Returns
    -------
    background: torch.Tensor, dtype=int8, shape=(n, len(alphabet), length)
        On the device of `X`; on the CPU for a PackedSequence or an array.

    templates: numpy.ndarray of int, shape=(n,), or None
        Only if asked for: the row of `X` that each sequence is made of; None of a
        profile, which gives each sequence a template of its own.

    Raises
    ------
    ImportError
        If folding is to be checked and ViennaRNA is missing.

    TypeError, ValueError
        If `X` does not fit the alphabet, or has padding in a stem; if the structure
        does not fit `X`, has no pair, a pseudoknot, or a loop of fewer than 3 bases; if
        a number is out of range; or if fewer than `n` sequences fold.

    Notes
    -----
    Paper, "RNA structure". To fold given sequences in place use `impose_pairs`.

    Examples
    --------
    >>> from tangermeme.utils import characters
    >>> profile = torch.full((4, 13), 0.25)
    >>> background = structured_background(
    ...     profile, ".((((...)))).", n=1, random_state=0
    ... )
    >>> characters(background[0])
    'GAGCTTGGAGCTA'
    """
    check_count("n", n)
    check_count("max_draws", max_draws)
    _check_rate(wobble_rate)
    pairs = _designed_pairs(X, structure, tuple(alphabet))
    seeds = _seeds(as_seed(random_state), max_draws if fold_check else 1)
    device = X.device if isinstance(X, torch.Tensor) else "cpu"
    background = np.zeros((n, _shape(X)[-1]), dtype=np.int8)
    templates = np.zeros(n, dtype=np.int64)
    missing = np.arange(n)
    for seed in seeds:
        # All are drawn again, so that a sequence does not depend on which others fold.
        rows, codes = _draw(X, pairs, n, tuple(alphabet), wobble_rate, seed)
        background[missing], templates[missing] = codes[missing], rows[missing]
        if fold_check:
            drawn = one_hot(codes[missing], len(alphabet))
            missing = missing[~folds_as_designed(drawn, pairs, alphabet, n_jobs)]
        if not fold_check or not len(missing):
            X_folded = one_hot(background, len(alphabet), device)
            known = None if _is_profile(X) else templates
            return (X_folded, known) if return_templates else X_folded
    raise ValueError(
        f"only {n - len(missing)} of `n`={n} sequences fold into `structure` after "
        f"`max_draws`={max_draws} draws of each; longer stems, templates with more C "
        "and G, or more draws help."
    )


def _designed_pairs(
    X: torch.Tensor | PackedSequence | NDArray[Any],
    structure: str | Hairpin,
    alphabet: tuple[str, ...],
) -> Pairs:
    """The pairs of a structure that fits the sequences and can fold."""
    complementary_bases(alphabet)
    shape = _shape(X)
    if not _is_profile(X):
        check_sequences(X, alphabet)
    elif shape[0] != len(alphabet):
        raise ValueError(
            f"`X` has {shape[0]} channels, but `alphabet`={alphabet} has "
            f"{len(alphabet)} letters."
        )
    pairs = pair_indices(structure, shape[-1])
    if not len(pairs):
        raise ValueError(
            f"`structure`={structure!r} has no base pair; backgrounds without "
            "structure are the other samplers."
        )
    loops = pairs[:, 1] - pairs[:, 0] - 1
    if loops.min() < _SMALLEST_LOOP:
        i, j = pairs[loops.argmin()]
        raise ValueError(
            f"`structure` pairs position {i} with {j} around {loops.min()} bases; a "
            f"loop of fewer than {_SMALLEST_LOOP} does not fold."
        )
    return pairs


def _shape(X: Any) -> tuple[int, ...]:
    return tuple(X.shape) if hasattr(X, "shape") else np.shape(X)


def _is_profile(X: Any) -> bool:
    return not isinstance(X, PackedSequence) and np.ndim(X) == 2


def _check_rate(rate: float) -> None:
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.number):
        raise TypeError(f"`wobble_rate`={rate!r} must be a number.")
    if not 0 <= rate <= 1:
        raise ValueError(f"`wobble_rate`={rate} must be between 0 and 1.")


def _seeds(seed: int, n_draws: int) -> Iterator[int]:
    """The seed of each draw, of which the first is the one given."""
    yield seed
    for i in range(1, n_draws):
        yield as_seed(as_generator(seed, _REDRAW_STREAM + i))


def _draw(
    X: torch.Tensor | PackedSequence | NDArray[Any],
    pairs: Pairs,
    n: int,
    alphabet: tuple[str, ...],
    wobble_rate: float,
    seed: int,
) -> tuple[Templates, Codes]:
    """Rows of templates, and these with all pairs formed, shape=(n, length)."""
    if _is_profile(X):
        rows = np.arange(n)
        codes = codes_from_one_hot(profile_background(X, n, seed))
    else:
        rows = draw_rows(len(X), n, seed)
        codes = codes_from_one_hot(X, rows)
    check_no_padding(codes[:, pairs] < 0, pairs, None if _is_profile(X) else rows)
    left, right = codes[:, pairs[:, 0]], codes[:, pairs[:, 1]]
    _form_pairs(left, right, alphabet, wobble_rate, as_generator(seed, _PAIR_STREAM))
    codes[:, pairs[:, 0]], codes[:, pairs[:, 1]] = left, right
    return rows, codes


def _form_pairs(
    left: Codes,
    right: Codes,
    alphabet: tuple[str, ...],
    wobble_rate: float,
    rng: np.random.Generator,
) -> None:
    """Make every pair of letters complementary, in place; shape=(n, n_pairs)."""
    n, n_pairs = left.shape
    # One array, of which a sequence has a row: the first ones are the same for any n.
    uniform = rng.random((n, 3 * n_pairs + 1))
    is_wobble, coin, rank = np.split(uniform[:, 1:], 3, axis=1)
    wobbles, heads = is_wobble < wobble_rate, coin < 0.5
    is_strong = np.isin(np.arange(len(alphabet)), _codes("CG", alphabet))
    strong_before = is_strong[left].sum(axis=1) + is_strong[right].sum(axis=1)
    _form_wobbles(left, right, wobbles, heads, alphabet)
    gained = is_strong[left].sum(axis=1) + is_strong[right].sum(axis=1) - strong_before
    complement = _complements(alphabet)
    open_ = ~wobbles & (right != complement[left])
    mixed = open_ & (is_strong[left] != is_strong[right])
    # Pairs that turn weak lose what pairs that turn strong gain, as nearly as their
    # number and what the wobbles have gained allow.
    n_mixed = mixed.sum(axis=1)
    n_weak = (n_mixed + gained + (uniform[:, 0] < 0.5)) // 2
    n_weak = n_weak.clip(0, n_mixed)
    order = np.where(mixed, rank, 2).argsort(axis=1).argsort(axis=1)
    turns_weak = order < n_weak[:, None]
    keeps_left = np.where(mixed, turns_weak != is_strong[left], heads)
    kept_left, kept_right = open_ & keeps_left, open_ & ~keeps_left
    right[kept_left] = complement[left[kept_left]]
    left[kept_right] = complement[right[kept_right]]


def _form_wobbles(
    left: Codes,
    right: Codes,
    wobbles: NDArray[np.bool_],
    heads: NDArray[np.bool_],
    alphabet: tuple[str, ...],
) -> None:
    """Make the chosen pairs G-U or U-G, keeping a letter where that is one of them."""
    g, u = _codes("GU" if "U" in alphabet else "GT", alphabet)
    left_fits, right_fits = ((side == g) | (side == u) for side in (left, right))
    open_ = wobbles & ~(left_fits & right_fits & (left != right))
    left[open_ & ~left_fits & ~right_fits & heads] = g
    left[open_ & ~left_fits & ~right_fits & ~heads] = u
    keeps_left = ~right_fits | (left_fits & heads)
    kept_left, kept_right = open_ & keeps_left, open_ & ~keeps_left
    right[kept_left] = g + u - left[kept_left]
    left[kept_right] = g + u - right[kept_right]


def _codes(letters: str, alphabet: tuple[str, ...]) -> list[int]:
    return [alphabet.index(letter) for letter in letters]


def _complements(alphabet: tuple[str, ...]) -> Codes:
    partners = complementary_bases(alphabet)
    return np.array(
        [alphabet.index(partners[letter][0]) for letter in alphabet], dtype=np.int8
    )
