"""Do background sequences look like the sequences a model was trained on?

A model is only to be trusted near its data. Every background changes something on
purpose; these figures say what and how much, so that effects seen under one background
are not taken for effects in the data.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy
import torch
from numpy.typing import ArrayLike, NDArray

from .._core.letters import DNA, as_float64
from .composition import (
    OneHot,
    gc_comparison,
    kmer_divergence,
    motif_occurrences,
)

Predictions = ArrayLike | torch.Tensor
# A row of the table: check, output, value, by chance.
Check = tuple[str, int | None, float, float]

# What counts as a shift, beyond what sampling alone gives. On RNAcompete probes, the
# seven backgrounds of the paper stay below 0.007 bits (3-mers) and 0.02 (GC), while
# reverse complements reach 0.012 bits, and sequences of 60 % GC 0.03 bits and 0.11.
THRESHOLDS: Mapping[str, float] = MappingProxyType(
    {
        "kmer_divergence": 0.01,
        "gc_difference": 0.05,
        "prediction_ks": 0.2,
        "outside_observed": 0.05,
        "motif_occurrence": 0.05,
    }
)


class PredictionShift(NamedTuple):
    """Predictions on background against observed sequences, one value per output.

    `ks` is the Kolmogorov-Smirnov distance with its `p`; `below` and `above` are the
    shares of background predictions outside the range of the observed ones; `shift` is
    the difference of the means in standard deviations of the observed ones.
    """

    ks: NDArray[np.float64]
    p: NDArray[np.float64]
    below: NDArray[np.float64]
    above: NDArray[np.float64]
    shift: NDArray[np.float64]


def prediction_shift(
    y_background: Predictions, y_observed: Predictions
) -> PredictionShift:
    """Does the model see background sequences as it sees observed ones?

    Parameters
    ----------
    y_background, y_observed: array-like or torch.Tensor, shape=(-1,) or (-1, n_outputs)
        Predictions of one model on background and on observed sequences, whose numbers
        may differ.

    Returns
    -------
    shift: PredictionShift
        `ks`, `p`, `below`, `above` and `shift`, each of shape (n_outputs,). Observed
        predictions that do not vary give a `shift` of 0 where the means agree and
        otherwise an infinite one.

    Raises
    ------
    ValueError
        If predictions are not finite, have other axes, or differ in their outputs.

    Examples
    --------
    >>> prediction_shift([1.0, 2.0, 3.0, 9.0], [1.0, 2.0, 3.0, 4.0]).above
    array([0.25])
    """
    y, y_ = _as_prediction_pair(y_background, y_observed)
    # The exact p of large samples takes long and scipy may give it up with a warning.
    small = len(y) * len(y_) <= 10_000
    tests = [
        scipy.stats.ks_2samp(y[:, i], y_[:, i], method="exact" if small else "asymp")
        for i in range(y.shape[1])
    ]
    # From the first observed one on, predictions that do not vary are exactly 0.
    from_first, from_first_ = y - y_[0], y_ - y_[0]
    difference = from_first.mean(axis=0) - from_first_.mean(axis=0)
    sd = from_first_.std(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(difference == 0, 0.0, difference / sd)
    return PredictionShift(
        ks=np.array([test.statistic for test in tests]),
        p=np.array([test.pvalue for test in tests]),
        below=(y < y_.min(axis=0)).mean(axis=0),
        above=(y > y_.max(axis=0)).mean(axis=0),
        shift=shift,
    )


def diagnose_background(
    X: OneHot,
    X_observed: OneHot,
    *,
    y_background: Predictions | None = None,
    y_observed: Predictions | None = None,
    motif: str | None = None,
    k: int = 3,
    alphabet: Sequence[str] = DNA,
    both_strands: bool = False,
    thresholds: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Is this background close enough to observed sequences to trust the model on it?

    Warns if it is not. A background may differ on purpose (a quartile is selected by
    score, a profile has no dinucleotide content); the warning says in what, so that
    effects are confirmed under another one.

    Parameters
    ----------
    X, X_observed: torch.Tensor, shape=(-1, len(alphabet), length), or PackedSequence
        One-hot background and observed sequences.

    y_background, y_observed: array-like, torch.Tensor or None, optional
        Predictions on both, as in `prediction_shift`; both or neither. Default is None.

    motif: str or None, optional
        The motif to be placed, whose accidental occurrences are counted, as in
        `motif_occurrences`. Default is None.

    k: int, optional
        Length of the compared k-mers. Default is 3.

    alphabet: sequence of str, optional
        The letters, in channel order. Default is ("A", "C", "G", "T").

    both_strands: bool, optional
        Whether the motif counts on either strand. Default is False.

    thresholds: mapping or None, optional
        Replaces some of the defaults: 0.01 bits for "kmer_divergence" (meant for
        3-mers), 0.05 for "gc_difference" (a share of the bases), 0.2 for
        "prediction_ks", 0.05 each for "outside_observed" and "motif_occurrence" (a
        share of the backgrounds). Default is None.

    Returns
    -------
    table: pandas.DataFrame
        One row per check (and output): `check`, `output` (missing unless predictions
        are compared), `value`, `by_chance` (the size that sampling alone exceeds in
        about 5 % of cases, if sequences are independent; of several shuffles of a
        template it is more; 0 for "motif_occurrence", which is no comparison with the
        observed sequences), `threshold` and `shifted`, which is whether the value's
        size exceeds the sum of both.

    Warns
    -----
    UserWarning
        If anything is shifted, with each value and threshold.

    Raises
    ------
    ValueError
        If one of the predictions is missing, a threshold has an unknown name, and as in
        the single checks.

    Examples
    --------
    >>> X = torch.eye(4)[torch.arange(400).reshape(20, 20) % 4].transpose(1, 2)
    >>> diagnose_background(X, X, motif="AAC")["shifted"].tolist()
    [False, False, False]
    """
    if (y_background is None) != (y_observed is None):
        missing = "y_background" if y_background is None else "y_observed"
        raise ValueError(f"`{missing}` is missing; predictions are compared in pairs.")
    unknown = sorted(set(thresholds or {}) - set(THRESHOLDS))
    if unknown:
        raise ValueError(
            f"`thresholds` names {unknown}; allowed are {sorted(THRESHOLDS)}."
        )
    rows = list(_sequence_checks(X, X_observed, motif, k, alphabet, both_strands))
    if y_background is not None and y_observed is not None:
        rows += _prediction_checks(y_background, y_observed)
    table: pd.DataFrame = pd.DataFrame(
        rows, columns=["check", "output", "value", "by_chance"]
    )
    table["output"] = table["output"].astype("Int64")
    table["threshold"] = table["check"].map({**THRESHOLDS, **(thresholds or {})})
    allowed = table["threshold"] + table["by_chance"]
    table["shifted"] = table["value"].abs() > allowed
    if table["shifted"].any():
        found = "; ".join(
            f"{row['check']}{_of_output(row['output'])} "
            f"{row['value']:.3g} (threshold {row['threshold']:.3g}, by chance up to "
            f"{row['by_chance']:.3g})"
            for row in table[table["shifted"]].to_dict("records")
        )
        warnings.warn(
            f"the background differs from the observed sequences: {found}. Confirm "
            "effects under another background.",
            UserWarning,
            stacklevel=2,
        )
    return table


def _of_output(output: Any) -> str:
    return "" if pd.isna(output) else f" of output {output}"


def _sequence_checks(
    X: OneHot,
    X_observed: OneHot,
    motif: str | None,
    k: int,
    alphabet: Sequence[str],
    both_strands: bool,
) -> Iterator[Check]:
    kmers = kmer_divergence(X, X_observed, k)
    yield "kmer_divergence", None, kmers.divergence, kmers.by_chance
    gc = gc_comparison(X, X_observed, alphabet)
    yield "gc_difference", None, gc.difference, 1.96 * gc.se
    if motif is not None:
        counts = motif_occurrences(X, motif, alphabet, both_strands=both_strands)
        yield "motif_occurrence", None, float((counts > 0).mean()), 0.0


def _prediction_checks(
    y_background: Predictions, y_observed: Predictions
) -> Iterator[Check]:
    y, y_ = _as_prediction_pair(y_background, y_observed)
    shift, n, n_observed = prediction_shift(y, y_), len(y), len(y_)
    # Critical distance at 5 %; and the share beyond the extremes of n_observed values,
    # of which, if the distribution is the same, Beta(2, n_observed - 1) lies out there.
    distance = scipy.stats.kstwobign.ppf(0.95) * np.sqrt(1 / n + 1 / n_observed)
    outside = 1.0
    if n_observed > 1:
        outside = scipy.stats.betabinom.ppf(0.95, n, 2, n_observed - 1) / n
    for output, ks in enumerate(shift.ks):
        yield "prediction_ks", output, float(ks), float(distance)
    for output, beyond in enumerate(shift.below + shift.above):
        yield "outside_observed", output, float(beyond), float(outside)


def _as_prediction_pair(
    y_background: Predictions, y_observed: Predictions
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    y = _as_predictions(y_background, "y_background")
    y_ = _as_predictions(y_observed, "y_observed")
    if y.shape[1] != y_.shape[1]:
        raise ValueError(
            f"`y_background` has {y.shape[1]} outputs and `y_observed` {y_.shape[1]}; "
            "they must be of one model."
        )
    return y, y_


def _as_predictions(y: Predictions, name: str) -> NDArray[np.float64]:
    values = as_float64(y, name)
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(
            f"`{name}` has shape {values.shape}; (n,) or (n, n_outputs), none of them "
            "0, is needed."
        )
    if not np.isfinite(values).all():
        raise ValueError(
            f"`{name}` holds {(~np.isfinite(values)).sum()} NaN or infinite values of "
            f"{values.size} predictions."
        )
    return values
