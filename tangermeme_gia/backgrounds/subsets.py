"""Backgrounds that are subsets of given sequences, chosen by score."""

from __future__ import annotations

from typing import Any, Literal, overload

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence
from torch import nn

from .._core.letters import (
    TEMPLATE_STREAM,
    RandomState,
    as_float64,
    as_generator,
    check_count,
    check_sequences,
    codes_from_one_hot,
    one_hot,
)
from .shuffles import Templates


@overload
def quantile_background(
    X: torch.Tensor | PackedSequence,
    scores: ArrayLike | torch.Tensor,
    n: int = ...,
    *,
    quartile: int | None = ...,
    low: float | None = ...,
    high: float | None = ...,
    random_state: RandomState = ...,
    return_templates: Literal[False] = ...,
) -> torch.Tensor: ...
@overload
def quantile_background(
    X: torch.Tensor | PackedSequence,
    scores: ArrayLike | torch.Tensor,
    n: int = ...,
    *,
    quartile: int | None = ...,
    low: float | None = ...,
    high: float | None = ...,
    random_state: RandomState = ...,
    return_templates: Literal[True],
) -> tuple[torch.Tensor, Templates]: ...
def quantile_background(
    X: torch.Tensor | PackedSequence,
    scores: ArrayLike | torch.Tensor,
    n: int = 1000,
    *,
    quartile: int | None = None,
    low: float | None = None,
    high: float | None = None,
    random_state: RandomState = None,
    return_templates: bool = False,
) -> torch.Tensor | tuple[torch.Tensor, Templates]:
    """Which observed sequences stand for weak, middling or strong measurements?

    A random subset, without replacement, of the observed sequences whose rank by
    score lies in a quartile or between two quantiles.

    Parameters
    ----------
    X: torch.Tensor, shape=(-1, alphabet, length), or PackedSequence
        Observed one-hot sequences.

    scores: array-like, shape=(len(X),) or (len(X), 1)
        Experimental score of each sequence. Ties are ranked in row order, so that
        the quartiles have no sequence in common.

    n: int, optional
        Sequences to draw. Default is 1000.

    quartile: int or None, optional
        1 (the lowest 25 %) to 4 (the highest). Default is None.

    low, high: float or None, optional
        Quantiles, between 0 and 1, in place of `quartile`; None is 0 for `low` and 1
        for `high`. Default is None.

    random_state: int, numpy Generator or None, optional
        Seed; None draws anew. The first sequences of a seed are the same for every
        `n`. Default is None.

    return_templates: bool, optional
        Whether to return the rows of `X`, too. Default is False.

    Returns
    -------
    background: torch.Tensor, dtype=int8, shape=(n, alphabet, length)
        On the device of `X`; on the CPU for a PackedSequence.

    templates: numpy.ndarray of int, shape=(n,)
        Only if asked for: the row of `X` that each sequence is, of which none comes
        twice.

    Raises
    ------
    TypeError, ValueError
        If `X` is not a batch of one-hot sequences, a score is missing or not finite,
        the quantiles are not in order, or fewer than `n` sequences lie between them.

    Notes
    -----
    Approximate data distributions (4) to (7) of the paper, whose 1st quartile is the
    lowest 25 % of the scores.

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> X = random_one_hot((100, 4, 41), random_state=0)
    >>> weakest = quantile_background(X, range(100), n=25, quartile=1)
    >>> {tuple(x.flatten().tolist()) for x in weakest} == {
    ...     tuple(x.flatten().tolist()) for x in X[:25]
    ... }
    True
    """
    check_sequences(X)
    values = _check_scores("`scores`", as_float64(scores, "scores"), len(X))
    low, high = _quantile_range(quartile, low, high)
    first, end = (int(np.floor(q * len(X) + 0.5)) for q in (low, high))
    rows = np.argsort(values, kind="stable")[first:end]
    where = f"between the quantiles {low:g} and {high:g} of `scores`"
    chosen = _choose(rows, n, len(X), where, random_state)
    background = one_hot(codes_from_one_hot(X, chosen), X.shape[1], X.device)
    return (background, chosen) if return_templates else background


@overload
def filtered_background(
    model: nn.Module,
    X: torch.Tensor | PackedSequence,
    low: float | None = ...,
    high: float | None = ...,
    n: int = ...,
    *,
    target: int | None = ...,
    random_state: RandomState = ...,
    return_templates: Literal[False] = ...,
    **kwargs: Any,
) -> torch.Tensor: ...
@overload
def filtered_background(
    model: nn.Module,
    X: torch.Tensor | PackedSequence,
    low: float | None = ...,
    high: float | None = ...,
    n: int = ...,
    *,
    target: int | None = ...,
    random_state: RandomState = ...,
    return_templates: Literal[True],
    **kwargs: Any,
) -> tuple[torch.Tensor, Templates]: ...
def filtered_background(
    model: nn.Module,
    X: torch.Tensor | PackedSequence,
    low: float | None = None,
    high: float | None = None,
    n: int = 1000,
    *,
    target: int | None = None,
    random_state: RandomState = None,
    return_templates: bool = False,
    **kwargs: Any,
) -> torch.Tensor | tuple[torch.Tensor, Templates]:
    """Which sequences does a model itself score in a given range?

    A random subset, without replacement, of sequences whose prediction lies between
    two values, such as those without a response to begin with.

    Parameters
    ----------
    model: torch.nn.Module
        A model with one output, or with several of which `target` names one.

    X: torch.Tensor, shape=(-1, alphabet, length), or PackedSequence
        One-hot sequences to choose from: observed ones or another background.

    low, high: float or None, optional
        Lowest and highest prediction, both included; None is no limit. Default is
        None.

    n: int, optional
        Sequences to draw. Default is 1000.

    target: int or None, optional
        Index of the output to filter by; needed if there are several. Default is None.

    random_state: int, numpy Generator or None, optional
        Seed; None draws anew. The first sequences of a seed are the same for every
        `n`. Default is None.

    return_templates: bool, optional
        Whether to return the rows of `X`, too; of sequences that are shuffles
        themselves, their templates at these rows are the clusters. Default is False.

    kwargs: optional
        For `tangermeme.predict.predict`: `args`, `batch_size`, `device`, `dtype`,
        `verbose`, or a `func` that reduces the output.

    Returns
    -------
    background: torch.Tensor, dtype=int8, shape=(n, alphabet, length)
        On the device of `X`; on the CPU for a PackedSequence.

    templates: numpy.ndarray of int, shape=(n,)
        Only if asked for: the row of `X` that each sequence is.

    Raises
    ------
    TypeError, ValueError
        If `X` is not a batch of one-hot sequences, the output is not one number per
        sequence, a prediction is not finite, or fewer than `n` sequences pass.

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> X = random_one_hot((50, 4, 10), random_state=0)
    >>> class CountA(nn.Module):
    ...     def forward(self, X):
    ...         return X[:, 0].sum(dim=1, keepdim=True)
    >>> filtered_background(CountA(), X, high=2, n=5)[:, 0].sum(dim=1).max() <= 2
    tensor(True)
    """
    check_sequences(X)
    check_count("n", n)
    if low is not None and high is not None and not low <= high:
        raise ValueError(f"`low`={low} must not be above `high`={high}.")
    y = as_float64(_one_output(predict(model, X, **kwargs), target), "y")
    values = _check_scores("the prediction of `model`", y, len(X))
    low = -np.inf if low is None else low
    high = np.inf if high is None else high
    rows = np.flatnonzero((values >= low) & (values <= high))
    where = f"with a prediction between {low:g} and {high:g}"
    chosen = _choose(rows, n, len(X), where, random_state)
    background = one_hot(codes_from_one_hot(X, chosen), X.shape[1], X.device)
    return (background, chosen) if return_templates else background


def _quantile_range(
    quartile: int | None, low: float | None, high: float | None
) -> tuple[float, float]:
    if quartile is not None:
        if low is not None or high is not None:
            raise ValueError("give either `quartile` or `low` and `high`, not both.")
        if isinstance(quartile, bool) or quartile not in (1, 2, 3, 4):
            raise ValueError(
                f"`quartile`={quartile!r} must be 1 (lowest), 2, 3 or 4 (highest)."
            )
        return (quartile - 1) / 4, quartile / 4
    if low is None and high is None:
        raise ValueError("give `quartile`, or at least one of `low` and `high`.")
    low, high = 0.0 if low is None else low, 1.0 if high is None else high
    if not 0 <= low < high <= 1:
        raise ValueError(
            f"`low`={low} and `high`={high} are quantiles; 0 <= low < high <= 1 is "
            "needed."
        )
    return low, high


def _check_scores(
    name: str, values: NDArray[np.float64], n_sequences: int
) -> NDArray[np.float64]:
    if values.shape not in ((n_sequences,), (n_sequences, 1)):
        raise ValueError(
            f"{name} has shape {values.shape}; one number for each of the "
            f"{n_sequences} sequences in `X` is needed."
        )
    values = values.reshape(n_sequences)
    if not np.isfinite(values).all():
        raise ValueError(
            f"{name} is not finite in {int((~np.isfinite(values)).sum())} rows, the "
            f"first of them row {int(np.argmin(np.isfinite(values)))}; leave these "
            "sequences out."
        )
    return values


def _one_output(y: torch.Tensor | list[torch.Tensor], target: int | None) -> Any:
    if not isinstance(y, torch.Tensor):
        raise ValueError(
            f"the model returns {len(y)} tensors; choose one by a `func` such as "
            "`lambda y: y[0]`."
        )
    if target is None:
        if y.ndim > 2 or (y.ndim == 2 and y.shape[1] != 1):
            raise ValueError(
                f"the model returns shape {tuple(y.shape)}; name the output to filter "
                "by with `target`, or reduce it with `func`."
            )
        return y
    is_index = isinstance(target, int | np.integer) and not isinstance(target, bool)
    if y.ndim != 2 or not is_index or not 0 <= target < y.shape[1]:
        raise ValueError(
            f"`target`={target!r} is not an output of a model that returns shape "
            f"{tuple(y.shape)}."
        )
    return y[:, target]


def _choose(
    rows: NDArray[np.intp],
    n: int,
    n_sequences: int,
    where: str,
    random_state: RandomState,
) -> NDArray[np.intp]:
    check_count("n", n)
    if n > len(rows):
        raise ValueError(
            f"`n`={n}, but only {len(rows)} of the {n_sequences} sequences in `X` lie "
            f"{where}."
        )
    return as_generator(random_state, TEMPLATE_STREAM).permutation(rows)[:n]
