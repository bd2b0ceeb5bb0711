"""Rows that depend on each other: backgrounds made of the same template.

Errors are the cluster-robust ones of a mean with the small-sample correction CR2 (Bell
and McCaffrey, Survey Methodology 28:169, 2002) and Satterthwaite's degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

# A label of the template of each row.
Labels: TypeAlias = Sequence[Any] | NDArray[Any] | torch.Tensor | pd.Series
# Templates as whole numbers from 0, in the order in which they come.
Codes = NDArray[np.intp]
Values = NDArray[np.float64]


def as_labels(clusters: Labels, n: int) -> NDArray[Any]:
    """The labels of n rows, checked, that cannot be changed.

    Raises
    ------
    ValueError
        If there is not one for each row.

    Examples
    --------
    >>> as_labels(torch.tensor([4, 4, 7]), 3)
    array([4, 4, 7])
    """
    if isinstance(clusters, torch.Tensor):
        clusters = clusters.detach().cpu().numpy()
    labels = np.array(clusters)
    if labels.dtype.kind == "U":  # may have made words of numbers and missing labels
        labels = np.array(clusters, dtype=object)
    if labels.shape != (n,):
        raise ValueError(
            f"`clusters` has shape {labels.shape}; one label for each of the {n} "
            "backgrounds is needed."
        )
    n_missing = (as_codes(labels) < 0).sum()
    if n_missing:
        raise ValueError(f"`clusters` misses the label of {n_missing} of {n}.")
    labels.flags.writeable = False
    return labels


def as_codes(labels: NDArray[Any]) -> Codes:
    """Labels as whole numbers.

    Examples
    --------
    >>> as_codes(np.array(["b", "a", "b"]))
    array([0, 1, 0])
    """
    return pd.factorize(labels)[0]


def sum_by(values: Values, codes: Codes) -> Values:
    """The sum of each cluster that is there, in the order of the codes.

    Examples
    --------
    >>> sum_by(np.array([1.0, 2.0, 4.0]), np.array([0, 2, 0]))
    array([5., 2.])
    """
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return np.add.reduceat(values[order], starts, axis=0)


def mean_and_error(sums: Values, size: NDArray[np.intp]) -> tuple[Values, Values]:
    """Mean of all rows, and its error, from the sums of clusters of these sizes.

    Of one cluster the error is NaN: nothing is known of others.

    Examples
    --------
    >>> mean_and_error(np.array([2.0, 6.0]), np.array([2, 2]))
    (np.float64(2.0), np.float64(1.0))
    """
    n = size.sum()
    mean = sums.sum(axis=0) / n
    if len(size) < 2:
        return mean, mean * np.nan
    residual = sums - np.multiply.outer(size, mean)
    variance = np.tensordot(1 / (1 - size / n), residual**2, axes=1)
    return mean, np.asarray(np.sqrt(variance) / n)[()]


def degrees_of_freedom(size: NDArray[np.intp]) -> float:
    """Those of the error: one less than the clusters, if these are of equal size.

    Satterthwaite's under independence: trace squared over squared trace of the matrix
    whose quadratic form the variance is. NaN for one cluster.

    Examples
    --------
    >>> round(degrees_of_freedom(np.array([4, 4, 4])), 6)
    2.0
    """
    if len(size) < 2:
        return float("nan")
    n = size.sum()
    leverage = size / n
    cross = size * leverage / (1 - leverage)
    square = (size**2).sum() + cross.sum() ** 2 - (cross**2).sum()
    return float(n**2 / square)
