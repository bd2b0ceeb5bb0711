"""Backgrounds that reorder observed sequences and leave their padding where it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias, overload

import numpy as np
import torch
from numpy.typing import NDArray
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.utils import PackedSequence

from .._core.kept import Keep, with_kept, without_kept
from .._core.letters import (
    DRAW_STREAM,
    TEMPLATE_STREAM,
    Codes,
    RandomState,
    as_generator,
    as_seed,
    check_count,
    check_sequences,
    codes_from_one_hot,
    one_hot,
)

# The observed sequence that each background sequence is made of.
Templates: TypeAlias = NDArray[np.int64]
# A shuffle of (m, length) codes without padding over so many letters, of which each
# row has a seed.
RunShuffle = Callable[[Codes, int, NDArray[np.int64]], Codes]


def draw_rows(
    n_observed: int, n: int = 1000, random_state: RandomState = None
) -> NDArray[np.int64]:
    """Which observed sequences to use: none twice unless more are asked than are there.

    Of one seed they are the same for every sampler.

    Examples
    --------
    >>> sorted(draw_rows(4, n=4, random_state=0).tolist())
    [0, 1, 2, 3]
    """
    check_count("n_observed", n_observed)
    check_count("n", n)
    rng = as_generator(random_state, TEMPLATE_STREAM)
    if n > n_observed:
        return rng.integers(n_observed, size=n)
    return rng.permutation(n_observed)[:n]


@overload
def shuffled_background(
    X: torch.Tensor | PackedSequence,
    n: int = ...,
    random_state: RandomState = ...,
    *,
    keep: Keep | None = ...,
    return_templates: Literal[False] = ...,
) -> torch.Tensor: ...
@overload
def shuffled_background(
    X: torch.Tensor | PackedSequence,
    n: int = ...,
    random_state: RandomState = ...,
    *,
    keep: Keep | None = ...,
    return_templates: Literal[True],
) -> tuple[torch.Tensor, Templates]: ...
def shuffled_background(
    X: torch.Tensor | PackedSequence,
    n: int = 1000,
    random_state: RandomState = None,
    *,
    keep: Keep | None = None,
    return_templates: bool = False,
) -> torch.Tensor | tuple[torch.Tensor, Templates]:
    """What would sequences of the observed composition look like without any order?

    Each background sequence is an independent permutation of a randomly chosen
    observed one. (`tangermeme.ersatz.shuffle` applies one permutation to all.)
    Padding and N stay where they are.

    Parameters
    ----------
    X: torch.Tensor, shape=(-1, alphabet, length), or PackedSequence
        Observed one-hot sequences.

    n: int, optional
        Sequences to return; more than `len(X)` takes several shuffles of a template.
        Default is 1000.

    random_state: int, numpy Generator or None, optional
        Seed; None draws anew. The first sequences of a seed are the same for every
        `n` up to `len(X)`. Default is None.

    keep: slice, sequence of int, mask or None, optional
        Positions that every sequence keeps of its template, such as the adapters of a
        reporter assay. Default is None.

    return_templates: bool, optional
        Whether to return the template of each background sequence, too, to be given to
        experiments as `clusters`: sequences of one template are not independent.
        Default is False.

    Returns
    -------
    background: torch.Tensor, dtype=int8, shape=(n, alphabet, length)
        On the device of `X`; on the CPU for a PackedSequence.

    templates: numpy.ndarray of int, shape=(n,)
        Only if asked for: the row of `X` that each sequence is a shuffle of.

    Raises
    ------
    TypeError, ValueError
        If `X` is not a batch of one-hot sequences, or `n` is not at least 1.

    Notes
    -----
    Approximate data distribution (2) of the paper.

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> X = random_one_hot((20, 4, 41), random_state=0)
    >>> shuffled_background(X, n=10, random_state=0).shape
    torch.Size([10, 4, 41])
    """
    seed = as_seed(random_state)
    rows, observed = _draw_templates(X, n, seed)
    templates = without_kept(observed, keep)
    is_padding = templates < 0
    order = _permutations(templates.shape, as_generator(seed, DRAW_STREAM))
    # Letters in random order go to the places of letters, padding to its own.
    letters = np.take_along_axis(templates, _stable_sort(order, is_padding), axis=1)
    places = np.argsort(is_padding, axis=1, kind="stable")
    background = np.empty_like(templates)
    np.put_along_axis(background, places, letters, axis=1)
    background = with_kept(background, observed, keep)
    shuffled = one_hot(background, X.shape[1], X.device)
    return (shuffled, rows) if return_templates else shuffled


@overload
def dinucleotide_shuffled_background(
    X: torch.Tensor | PackedSequence,
    n: int = ...,
    random_state: RandomState = ...,
    *,
    uniform: bool = ...,
    keep: Keep | None = ...,
    return_templates: Literal[False] = ...,
) -> torch.Tensor: ...
@overload
def dinucleotide_shuffled_background(
    X: torch.Tensor | PackedSequence,
    n: int = ...,
    random_state: RandomState = ...,
    *,
    uniform: bool = ...,
    keep: Keep | None = ...,
    return_templates: Literal[True],
) -> tuple[torch.Tensor, Templates]: ...
def dinucleotide_shuffled_background(
    X: torch.Tensor | PackedSequence,
    n: int = 1000,
    random_state: RandomState = None,
    *,
    uniform: bool = False,
    keep: Keep | None = None,
    return_templates: bool = False,
) -> torch.Tensor | tuple[torch.Tensor, Templates]:
    """What would sequences look like of which only neighbouring letters are observed?

    Each background sequence is a shuffle of a randomly chosen observed one that has
    the same count of every dinucleotide and the same first and last letter. Padding
    and N stay where they are: every run of letters between them is shuffled alone.

    Parameters
    ----------
    X: torch.Tensor, shape=(-1, alphabet, length), or PackedSequence
        Observed one-hot sequences.

    n: int, optional
        Sequences to return; more than `len(X)` takes several shuffles of a template.
        Default is 1000.

    random_state: int, numpy Generator or None, optional
        Seed; None draws anew. The first sequences of a seed are the same for every
        `n` up to `len(X)`, except with `uniform`. Default is None.

    uniform: bool, optional
        False is `tangermeme.ersatz.dinucleotide_shuffle`, which always leaves each
        letter for the last time as the observed sequence does: it reaches only part
        of the possible shuffles (9 of 72 for ACCCACGATGATA), and the last two letters
        never change. True draws from all of them with equal probability. Default is
        False.

    keep: slice, sequence of int, mask or None, optional
        Positions that every sequence keeps of its template, such as the adapters of a
        reporter assay; what lies between them is shuffled alone. Default is None.

    return_templates: bool, optional
        Whether to return the templates, too, as `shuffled_background` does. Default is
        False.

    Returns
    -------
    background: torch.Tensor, dtype=int8, shape=(n, alphabet, length)
        On the device of `X`; on the CPU for a PackedSequence. A sequence that has no
        other shuffle, such as a homopolymer, comes back as it was.

    templates: numpy.ndarray of int, shape=(n,)
        Only if asked for: the row of `X` that each sequence is a shuffle of.

    Raises
    ------
    TypeError, ValueError
        If `X` is not a batch of one-hot sequences, or `n` is not at least 1.

    Notes
    -----
    Approximate data distribution (3) of the paper. The uniform shuffle is a random
    Euler path (Altschul and Erickson, Mol Biol Evol 2:526, 1985) whose last exits from
    each letter are a random spanning tree, drawn by popping cycles (Propp and Wilson,
    J Algorithms 27:170, 1998).

    Examples
    --------
    >>> from tangermeme.utils import characters, one_hot_encode
    >>> X = one_hot_encode("ACCCACGATGATA")[None]
    >>> background = dinucleotide_shuffled_background(
    ...     X, n=2000, random_state=0, uniform=True
    ... )
    >>> len({characters(x) for x in background})
    72
    """
    seed = as_seed(random_state)
    rows, observed = _draw_templates(X, n, seed)
    templates = without_kept(observed, keep)
    rng = as_generator(seed, DRAW_STREAM)
    shuffle = _uniform_shuffle if uniform else _tangermeme_shuffle
    background = _shuffle_runs(templates, X.shape[1], shuffle, rng)
    background = with_kept(background, observed, keep)
    shuffled = one_hot(background, X.shape[1], X.device)
    return (shuffled, rows) if return_templates else shuffled


def _draw_templates(
    X: torch.Tensor | PackedSequence, n: int, seed: int
) -> tuple[Templates, Codes]:
    check_sequences(X)
    rows = draw_rows(len(X), n, seed)
    return rows, codes_from_one_hot(X, rows)


def _permutations(
    shape: tuple[int, ...], rng: np.random.Generator
) -> NDArray[np.int32]:
    """An independent permutation of the positions of each row."""
    positions = np.broadcast_to(np.arange(shape[1], dtype=np.int32), shape)
    return rng.permuted(positions, axis=1)


def _stable_sort(
    order: NDArray[np.int32], keys: NDArray[np.bool_ | np.int16]
) -> NDArray[np.int32]:
    """Sort each row of `order` by the keys of its positions; ties keep their order."""
    ranks = np.argsort(np.take_along_axis(keys, order, axis=1), axis=1, kind="stable")
    return np.take_along_axis(order, ranks, axis=1)


def _shuffle_runs(
    codes: Codes, n_letters: int, shuffle: RunShuffle, rng: np.random.Generator
) -> Codes:
    """Shuffle every unbroken run of letters, runs of one length together."""
    is_letter = codes >= 0
    separated = np.pad(is_letter, ((0, 0), (1, 1))).ravel()
    edges = np.flatnonzero(separated[1:] != separated[:-1])
    lengths = edges[1::2] - edges[::2]
    starts = np.cumsum(lengths) - lengths
    seeds = rng.integers(2**31 - 1, size=len(lengths))
    letters = codes[is_letter]  # the runs one after another
    for length in np.unique(lengths[lengths > 3]):  # shorter ones have no other order
        chosen = lengths == length
        runs = starts[chosen][:, None] + np.arange(length)
        letters[runs] = shuffle(letters[runs], n_letters, seeds[chosen])
    shuffled: Codes = codes.copy()
    shuffled[is_letter] = letters
    return shuffled


def _tangermeme_shuffle(
    codes: Codes, n_letters: int, seeds: NDArray[np.int64]
) -> Codes:
    # tangermeme shuffles both forms alike; only four letters can be packed, which is
    # the faster one.
    if n_letters == 4:
        packed = PackedSequence.from_codes(codes)
        shuffled = dinucleotide_shuffle(packed, n=1, random_state=seeds)[:, 0]
        return codes_from_one_hot(shuffled)
    X = one_hot(codes, n_letters)
    return codes_from_one_hot(dinucleotide_shuffle(X, n=1, random_state=seeds)[:, 0])


def _uniform_shuffle(codes: Codes, n_letters: int, seeds: NDArray[np.int64]) -> Codes:
    """Uniform Euler paths over the letters of each row, from its first to its last.

    The steps of a row from letter to letter are the edges of a graph. A path that
    uses each once is an order of the edges out of every letter in which the last
    ones lead, together, to the final letter; every shuffle has as many such orders.
    """
    rng = np.random.default_rng(seeds)
    m = len(codes)
    source, target = codes[:, :-1], codes[:, 1:]
    edges = (np.arange(m)[:, None] * n_letters + source) * n_letters + target
    counts = np.bincount(edges.ravel(), minlength=m * n_letters**2)
    counts = counts.reshape(m, n_letters, n_letters)
    exits = _last_exits(counts, codes[:, -1], rng)
    # Of the equal edges along a last exit, any one that does not depend on the
    # permutation below will do: the last in the observed order.
    is_exit = target == np.take_along_axis(exits, source.astype(np.intp), axis=1)
    last = np.full(m * n_letters**2, -1)
    last[edges[is_exit]] = np.flatnonzero(is_exit)
    keys = 2 * source.astype(np.int16)
    keys.ravel()[last[last >= 0]] += 1
    order = _stable_sort(_permutations(source.shape, rng), keys)
    successors = np.take_along_axis(target, order, axis=1)
    return _walk(codes[:, 0], successors, counts.sum(axis=2))


def _last_exits(
    counts: NDArray[np.int64], final: Codes, rng: np.random.Generator
) -> NDArray[np.int16]:
    """Where does the path of each row go when it leaves each letter for good?

    The exits form a tree towards the final letter; it is drawn with a probability
    proportional to the product of the counts along it: every letter draws an exit,
    and the letters on cycles draw again until none is left.

    Returns the next letter, shape=(m, n_letters), or the number of letters for the
    final one and for letters that do not occur.
    """
    m, n_letters = counts.shape[:2]
    to_others = np.where(np.eye(n_letters, dtype=bool), 0, counts).cumsum(axis=2)
    totals = to_others[:, :, -1]
    exits = np.full((m, n_letters + 1), n_letters, dtype=np.int16)
    redraw = totals > 0
    redraw[np.arange(m), final] = False
    rows, letters = np.nonzero(redraw)
    while len(rows):
        ticket = rng.integers(totals[rows, letters])
        exits[rows, letters] = (to_others[rows, letters] <= ticket[:, None]).sum(axis=1)
        active = np.unique(rows)
        on_cycle = _on_cycle(exits[active])
        rows, letters = np.nonzero(on_cycle)
        rows = active[rows]
    return exits[:, :-1]


def _on_cycle(exits: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which letters come back to themselves by following the exits?"""
    n_letters = exits.shape[1] - 1
    start = np.arange(n_letters)
    here = np.broadcast_to(start, (len(exits), n_letters))
    found = np.zeros(here.shape, dtype=np.bool_)
    for _ in range(n_letters):
        here = np.take_along_axis(exits, here, axis=1).astype(np.intp)
        found |= here == start
    return found


def _walk(first: Codes, successors: Codes, n_out: NDArray[np.int64]) -> Codes:
    """Follow the ordered edges out of each letter, all rows in step."""
    m, n_edges = successors.shape
    n_letters = n_out.shape[1]
    next_edge = np.cumsum(n_out, axis=1) - n_out + np.arange(m)[:, None] * n_edges
    next_edge, flat = next_edge.ravel(), successors.ravel()
    row = np.arange(m) * n_letters
    path = np.empty((n_edges + 1, m), dtype=np.int8)
    path[0] = first
    for step in range(n_edges):
        node = row + path[step]
        edge = next_edge[node]
        path[step + 1] = flat[edge]
        next_edge[node] = edge + 1
    background: Codes = path.T
    return background
