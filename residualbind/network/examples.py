"""Sequences and their scores, checked for training."""

from __future__ import annotations

import math
from typing import Protocol

import torch


class HasExamples(Protocol):
    """Anything with sequences `X` and scores `y`, such as `RNAcompete`."""

    @property
    def X(self) -> torch.Tensor: ...

    @property
    def y(self) -> torch.Tensor: ...


Examples = HasExamples | tuple[torch.Tensor, torch.Tensor]


def checked_examples(
    examples: Examples, name: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """X and y, shape=(n, n_outputs).

    Raises
    ------
    TypeError
        If they are no tensors of real numbers.

    ValueError
        If there are too few scores to learn from or to correlate, or values that are
        no numbers; it calls the examples by `name`.
    """
    X, y = examples if isinstance(examples, tuple) else (examples.X, examples.y)
    for what, values in (("X", X), ("y", y)):
        if not isinstance(values, torch.Tensor) or values.is_complex():
            kind = getattr(values, "dtype", type(values).__name__)
            raise TypeError(
                f"`{name}` has `{what}` of type {kind}; a torch.Tensor of real numbers "
                "is needed."
            )
    y = y.float() if y.dtype != torch.float64 else y
    y = y[:, None] if y.ndim == 1 else y
    if X.shape[0] != y.shape[0]:
        raise ValueError(
            f"`{name}` has {X.shape[0]} sequences but {y.shape[0]} rows of scores."
        )
    _check_scores(y, name)
    finite = torch.isfinite(X).flatten(start_dim=1).all(dim=1)
    if not finite.all():
        raise ValueError(
            f"`{name}` has NaN or infinite values in {int((~finite).sum())} sequences "
            "of `X`."
        )
    return X, y


def _check_scores(y: torch.Tensor, name: str) -> None:
    if torch.isinf(y).any():
        raise ValueError(f"`{name}` has infinite scores; only finite ones and NaN fit.")
    measured = ~torch.isnan(y)
    fewest = int(measured.sum(dim=0).min()) if y.numel() else 0
    if fewest < 3:
        raise ValueError(
            f"`{name}` has {fewest} measured scores in some output; at least 3 are "
            "needed."
        )
    low = torch.where(measured, y, math.inf).amin(dim=0)
    high = torch.where(measured, y, -math.inf).amax(dim=0)
    if bool((low == high).any()):
        raise ValueError(
            f"the scores of `{name}` are constant in output "
            f"{int((low == high).nonzero()[0])}; there is nothing to learn."
        )
