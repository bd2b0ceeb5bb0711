"""Whether k-mers act by themselves, or complete others with the letters beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.designs import run_patterns
from .._core.engine import NO_RAW
from .._core.junctions import Junctions
from .._core.letters import (
    DNA,
    GAP,
    Codes,
    RandomState,
    check_alphabet,
    check_sequences,
    codes_from_one_hot,
    resolve_alphabet,
)
from .._core.motif import Motif
from .._core.named_motifs import MotifsLike, named_motifs
from .._core.options import document
from .._core.patterns import Pattern, resolve_start

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options

_Rows: TypeAlias = NDArray[np.bool_]


@document
def junction_effects(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    kmers: MotifsLike,
    start: int | None = None,
    *,
    better_only: bool = True,
    both_strands: bool = False,
    alphabet: Sequence[str] | None = None,
    consensus: bool = False,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> Junctions:
    """Does a k-mer act by itself, or only where the background completes a better one?

    In front of GCAUGA every fourth background has a U: a model that reads nothing but
    UGCAUG gives GCAUGA a quarter of its effect. Such shifts rank right behind the
    motif, and random or shuffled controls do not show what they are. So each effect is
    split by whether a window across the border, of at least one letter of the k-mer
    and at least one of the background, has become a better k-mer, letter for letter.

    Parameters
    ----------
    {model}
        The best of a scan are measured on other backgrounds than those that chose them.

    kmers: sequence or mapping of motifs, or path
        The best of a scan, **best first**, or any patterns: strings (N keeps the
        background, and stands for any of its letters) or one-hot of any
        lengths, by name if a mapping, or the path of a motif file. A PPM is refused,
        unless by `consensus`: what completes it is no matter of yes or no.

    start: int or None, optional
        The 0-based first base of each; None is the centre. Default is None.

    better_only: bool, optional
        Whether a k-mer is split by those before it in `kmers` only, or by all others,
        as for patterns that have no order. Default is True.

    both_strands: bool, optional
        Whether to place both strands of each k-mer and take the mean of the two effects
        on each background, as `kmer_scan` does. A background then counts as completing
        if either placement completes either strand of another k-mer.
        Default is False.

    {options}

    {consensus}

    Returns
    -------
    junctions: Junctions
        `to_frame()` has the effect of each k-mer on all backgrounds, on those where it
        completes another, and on those where it does not; `motifs.align_kmers` weighs
        k-mers by the last.

    Raises
    ------
    ValueError, TypeError
        If a k-mer is a PPM, repeats another, runs past X or has letters outside the
        alphabet, the alphabet has no complement to fold with, or X is not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> junctions = junction_effects(model, X, ["TGCATG", "GCATGA"])
    >>> junctions.to_frame()["n_with"].tolist()[0]
    0
    """
    if options.get("save_to") is not None:
        raise ValueError(NO_RAW)
    letters = resolve_alphabet(model, alphabet)
    names, motifs = _exact_motifs(kmers, letters, consensus)
    completed = find_junctions(
        X,
        dict(zip(names, motifs, strict=True)),
        start,
        better_only=better_only,
        both_strands=both_strands,
        alphabet=letters,
    )
    strands = [_strands(motif, both_strands) for motif in motifs]
    table = pd.DataFrame(
        [
            {"kmer": name, "strand": strand, "control": "none"}
            for name, placed in zip(names, strands, strict=True)
            for strand in range(len(placed))
        ]
    )
    result = run_patterns(
        model,
        X,
        [[Pattern(motif, start)] for placed in strands for motif in placed],
        table,
        alphabet=letters,
        random_state=random_state,
        **options,
    )
    return Junctions(result.average("strand"), completed)


def find_junctions(
    X: torch.Tensor | PackedSequence,
    kmers: MotifsLike,
    start: int | None = None,
    *,
    better_only: bool = True,
    both_strands: bool = False,
    alphabet: Sequence[str] = DNA,
) -> NDArray[np.intp]:
    """Where does a k-mer, with the letters of the background beside it, make another?

    What counts is a window across the border that has become the other one by placing:
    a copy that the background has elsewhere, or had in this window, does not.

    Parameters
    ----------
    X: torch.Tensor, shape=(n, len(alphabet), length), or PackedSequence
        One-hot backgrounds. Padding and N match no letter.

    kmers, start, better_only, both_strands
        As for `junction_effects`.

    alphabet: sequence of str, optional
        Letters in channel order. Default is DNA.

    Returns
    -------
    completed: numpy.ndarray of int, shape=(n, n_kmers)
        The number of the k-mer that each one completes on each background, the first
        of several; -1 for none.

    Raises
    ------
    ValueError, TypeError
        As for `junction_effects`.

    Examples
    --------
    >>> from tangermeme.utils import one_hot_encode
    >>> X = torch.stack([one_hot_encode("AATAAAAAAAA"), one_hot_encode("AAAAAAAAAAA")])
    >>> find_junctions(X, ["TGCATG", "GCATGA"], 3)
    array([[-1,  0],
           [-1, -1]])
    """
    letters = check_alphabet(alphabet)
    check_sequences(X, letters)
    _, motifs = _exact_motifs(kmers, letters)
    codes = codes_from_one_hot(X)
    strands = [
        [motif.draw(len(codes)) for motif in _strands(motif, both_strands)]
        for motif in motifs
    ]
    completed = np.full((len(codes), len(motifs)), GAP, dtype=np.intp)
    for i, placed in enumerate(strands):
        rivals = range(i) if better_only else (j for j in range(len(strands)) if j != i)
        completed[:, i] = _first_completed(codes, placed, start, strands, rivals)
    return completed


def _exact_motifs(
    kmers: MotifsLike, letters: tuple[str, ...], consensus: bool = False
) -> tuple[list[str], list[Motif]]:
    """Names and motifs, of which each has its letters."""
    names, motifs = named_motifs(kmers, letters, "kmers", consensus)
    for name, motif in zip(names, motifs, strict=True):
        if motif.is_drawn:
            raise ValueError(
                f"`kmers` holds {name!r}, which is a PPM; a junction is a match letter "
                "for letter. Give its letters, or `consensus`=True."
            )
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"`kmers` must be distinct; {repeated} are there repeatedly.")
    return names, motifs


def _strands(motif: Motif, fold: bool) -> list[Motif]:
    return [motif, motif.reverse_complement()] if fold else [motif]


def _first_completed(
    codes: Codes,
    placed: list[Codes],
    start: int | None,
    strands: list[list[Codes]],
    rivals: Iterable[int],
) -> NDArray[np.intp]:
    """Which of the rivals one k-mer completes on each background, or -1."""
    first = resolve_start(start, placed[0].shape[1], codes.shape[1])
    found = np.full(len(codes), GAP, dtype=np.intp)
    for rival in rivals:
        matches = np.zeros(len(codes), dtype=bool)
        for motif in placed:
            for sought in strands[rival]:
                matches |= _completes(codes, motif, first, sought)
        found[matches & (found == GAP)] = rival
    return found


def _completes(codes: Codes, motif: Codes, first: int, sought: Codes) -> _Rows:
    """On which backgrounds a motif at `first` makes a new one across its border."""
    k, width, length = motif.shape[1], sought.shape[1], codes.shape[1]
    written = np.zeros(codes.shape, dtype=bool)
    written[:, first : first + k] = motif != GAP
    after = codes.copy()
    after[:, first : first + k] = np.where(
        motif == GAP, codes[:, first : first + k], motif
    )
    asked = np.broadcast_to(sought != GAP, (len(codes), width))
    found = np.zeros(len(codes), dtype=bool)
    for left in range(
        max(0, first - width + 1), min(length - width, first + k - 1) + 1
    ):
        window = slice(left, left + width)
        is_there, was_there = (
            np.where(asked, row[:, window] == sought, row[:, window] != GAP).all(axis=1)
            for row in (after, codes)
        )
        new_letters = written[:, window] & asked
        across = new_letters.any(axis=1) & (asked & ~new_letters).any(axis=1)
        found |= is_there & ~was_there & across
    return found
