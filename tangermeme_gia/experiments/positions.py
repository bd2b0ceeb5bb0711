"""Position: the effect of a motif against its start, and without regard to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.designs import run_patterns
from .._core.letters import (
    GAP,
    POSITION_STREAM,
    Codes,
    RandomState,
    as_generator,
    as_seed,
    check_sequences,
    codes_from_one_hot,
    resolve_alphabet,
)
from .._core.motif import Motif, MotifLike
from .._core.options import document
from .._core.patterns import Pattern, resolve_start, resolve_starts
from .._core.results import GIAResult

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options, PatternOptions


@document
def positional_bias(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    motif: MotifLike,
    starts: Sequence[int] | None = None,
    *,
    insert: bool = False,
    alphabet: Sequence[str] | None = None,
    **options: Unpack[PatternOptions],
) -> GIAResult:
    """Does it matter where in the sequence a motif stands?

    Parameters
    ----------
    {model}

    motif: str, torch.Tensor or numpy.ndarray
        The motif: letters (N keeps the background), one-hot, or a PPM of which each
        background gets one draw, the same at every start.

    starts: sequence of int or None, optional
        The 0-based first base in each condition; None is every start at which the
        motif fits. Starts are columns of X: at the ends of shorter, padded sequences
        the motif is written over the padding. Default is None.

    {insert}

    {options}

    {controls}

    Returns
    -------
    result: GIAResult
        One condition for each start. `conditions` has the columns `motif`, `start`,
        `end` (exclusive) and `control`.

    Raises
    ------
    ValueError, TypeError
        If `starts` is empty, the motif runs past X (the condition is named) or has
        letters outside the alphabet, or X is not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> positional_bias(model, X, "GATA").global_importance.shape
    torch.Size([17, 1])
    """
    letters = resolve_alphabet(model, alphabet)
    check_sequences(X, letters)
    parsed = Motif.parse(motif, letters)
    k, length = len(parsed), X.shape[-1]
    if starts is None:
        # Reports a motif that is longer than the sequences.
        resolve_start(None, k, length, insert=insert)
        starts = range(length + 1 if insert else length - k + 1)
    starts = resolve_starts(starts, k, length, insert=insert)
    conditions = [[Pattern(parsed, start)] for start in starts]
    table = pd.DataFrame({"motif": parsed.label, "start": starts})
    return run_patterns(
        model,
        X,
        conditions,
        table.assign(end=[start + k for start in starts]),
        insert=insert,
        alphabet=letters,
        **options,
    )


@document
def random_position(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    motif: MotifLike,
    *,
    avoid_padding: bool = True,
    alphabet: Sequence[str] | None = None,
    n_controls: int = 0,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> GIAResult:
    """What does a motif do wherever it stands: its effect averaged over positions?

    Named in the paper but not run there: each background gets the motif at a start of
    its own, drawn uniformly, so that the global importance marginalises the position
    out together with the background.

    Parameters
    ----------
    {model}

    motif: str, torch.Tensor or numpy.ndarray
        The motif: letters (N keeps the background), one-hot, or a PPM of which each
        background gets one draw.

    avoid_padding: bool, optional
        Whether to draw only starts at which the motif lies between the first and the
        last base of the background. If False, every start at which the motif fits
        into the columns of X is as likely, and the motif may be written over padding.
        Default is True.

    {options}

    {controls}

    Returns
    -------
    result: GIAResult
        One condition, and its controls at the same starts. `conditions` has the
        columns `motif`, `starts` (a tuple: the start in each background) and
        `control`. One `random_state` draws background i the same start whatever the
        number of backgrounds.

    Raises
    ------
    ValueError, TypeError
        If the motif is longer than X or, with `avoid_padding`, than one of the
        backgrounds, or has letters outside the alphabet, or X is not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> result = random_position(model, X, "GATA", random_state=0)
    >>> result.conditions["starts"][0][:3]
    (14, 1, 10)
    """
    letters, seed = resolve_alphabet(model, alphabet), as_seed(random_state)
    check_sequences(X, letters)
    parsed = Motif.parse(motif, letters)
    starts = draw_starts(X, len(parsed), avoid_padding, seed)
    framed = _frame(parsed.draw(len(X), seed), starts, X.shape[-1])
    table = pd.DataFrame({"motif": [parsed.label], "starts": [tuple(starts.tolist())]})
    return run_patterns(
        model,
        X,
        [[Pattern(Motif(letters, framed), 0)]],
        table,
        alphabet=letters,
        n_controls=n_controls,
        random_state=seed,
        **options,
    )


def draw_starts(
    X: torch.Tensor | PackedSequence, k: int, avoid_padding: bool, seed: int
) -> NDArray[np.int64]:
    """A start for each background, uniform over those allowed in it."""
    n, _, length = X.shape
    resolve_start(None, k, length)
    first, last = np.zeros(n, int), np.full(n, length)
    if avoid_padding:
        is_base = codes_from_one_hot(X) >= 0
        first = is_base.argmax(axis=1)
        last = np.where(is_base.any(axis=1), length - is_base[:, ::-1].argmax(1), first)
    n_starts = last - first - k + 1
    if (n_starts < 1).any():
        row = int(np.argmin(n_starts))
        raise ValueError(
            f"a {k}-mer is longer than background {row} of `X`, which has "
            f"{last[row] - first[row]} positions between its paddings; leave such "
            "backgrounds out or pass `avoid_padding=False`."
        )
    uniform = as_generator(seed, POSITION_STREAM).random(n)
    starts: NDArray[np.int64] = first + (uniform * n_starts).astype(np.int64)
    return starts


def _frame(codes: Codes, starts: NDArray[np.int64], length: int) -> Codes:
    """Codes of a motif, shape=(1 or n, k), each at its start among gaps."""
    frame = np.full((len(starts), length), GAP, dtype=np.int8)
    columns = starts[:, None] + np.arange(codes.shape[1])
    frame[np.arange(len(starts))[:, None], columns] = codes
    return frame
