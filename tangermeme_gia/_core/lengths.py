"""Outputs of sequences that motifs have made longer: can they be compared?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from .calls import Caller
from .memory import ran_out


def check_whole(
    caller: Caller, X: torch.Tensor, args: list[torch.Tensor] | None
) -> None:
    """Raise if outputs belong to places, which inserted motifs move.

    As many outputs as there are bases or bins are more of them where sequences are
    twice as long. Nothing is known of a model that does not take these.

    Parameters
    ----------
    caller: Caller
        The model.

    X: torch.Tensor, shape=(n, n_letters, length)
        A few sequences.

    args: list of torch.Tensor or None
        Their side inputs.

    Raises
    ------
    ValueError
        If so.
    """
    try:
        once = caller.head_shapes(X.clone(), args)
        twice = caller.head_shapes(X.repeat(1, 1, 2), args)
    except Exception:  # that length is none of the experiment's
        return
    if once != twice:
        raise ValueError(
            f"`model` gives outputs of shape {_in_words(once)}, and {_in_words(twice)} "
            "for sequences twice as long: they belong to places, and what follows an "
            "inserted motif would be compared with another place. Reduce them by a "
            "`target` function, such as `lambda y: y.sum(dim=-1)`, or let `insert` be "
            "False."
        )


@contextmanager
def other_length(length: int, now: int) -> Iterator[None]:
    """Errors from within say so if sequences are longer than the backgrounds."""
    try:
        yield
    except Exception as error:
        if length == now or ran_out(error):
            raise
        raise ValueError(
            f"`model` fails on sequences of length {now}, with what is inserted, but "
            f"not on those of {length}: {type(error).__name__}: {error}. If it takes "
            "one length only, let `insert` be False."
        ) from error


def check_shapes(before: list[torch.Tensor], after: list[torch.Tensor]) -> None:
    """Raise unless outputs have one shape before and after."""
    for y, z in zip(before, after, strict=True):
        if y.shape[1:] != z.shape[2:]:
            raise ValueError(
                f"`func` gives outputs of shape {tuple(y.shape[1:])} before and "
                f"{tuple(z.shape[2:])} after; they must agree. Outputs for every base "
                "cannot be compared when motifs are inserted."
            )


def _in_words(shapes: list[tuple[int, ...]]) -> str:
    return " and ".join(map(str, shapes))
