"""How well do predictions agree with measurements?"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from tangermeme.predict import predict
from torch import nn

from tangermeme_gia._core.letters import RandomState, as_generator

Values = NDArray[np.float64]
# A metric of given examples, as a function of how often each of them counts: 1 each
# for the value itself, the counts of a resample for the bootstrap.
Metric = Callable[[Values], float]


def pearson(y: ArrayLike | torch.Tensor, y_hat: ArrayLike | torch.Tensor) -> Values:
    """How linearly do predictions follow the measurements of each output?

    Parameters
    ----------
    y: array-like, shape=(n,) or (n, n_outputs)
        Measured scores; NaN, not measured, is left out.

    y_hat: array-like, same shape
        Predicted scores.

    Returns
    -------
    r: numpy.ndarray, shape=(n_outputs,)
        Pearson's correlation of each output; NaN, with a warning, where one side is
        constant or fewer than two examples are measured.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> pearson([0.0, 1.0, 2.0], [0.0, 1.0, 4.0]).round(3)
    array([0.961])
    """
    r = column_pearsons(y, y_hat)
    undefined = np.flatnonzero(np.isnan(r)).tolist()
    if undefined:
        warnings.warn(
            f"the correlation of output {', '.join(map(str, undefined))} is NaN: its "
            "measurements or its predictions are constant or NaN, or fewer than 2.",
            stacklevel=2,
        )
    return r


def column_pearsons(
    y: ArrayLike | torch.Tensor, y_hat: ArrayLike | torch.Tensor
) -> Values:
    """What `pearson` gives, without a warning."""
    columns, columns_hat = _as_columns(y, y_hat)
    r = []
    for values, values_hat in zip(columns.T, columns_hat.T, strict=True):
        measured = ~np.isnan(values)
        y_, y_hat_ = values[measured], values_hat[measured]
        r.append(_weighted_pearson(y_, y_hat_, np.ones(len(y_))))
    return np.array(r)


def evaluate(
    model: nn.Module,
    X: torch.Tensor,
    y: ArrayLike | torch.Tensor,
    *,
    outputs: Sequence[str] | None = None,
    classification: bool = False,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    random_state: RandomState = 0,
    batch_size: int = 512,
    device: str | torch.device | None = None,
) -> pd.DataFrame:
    """How good is a model on held-out examples, and how sure is that figure?

    Parameters
    ----------
    model: torch.nn.Module
        A model that maps X to an output of the shape of `y`.

    X: torch.Tensor, shape=(n, channels, length)
        Sequences.

    y: array-like, shape=(n,) or (n, n_outputs)
        Measurements in the scale the model predicts; NaN, not measured, is left
        out. With `classification`, 0 or 1.

    outputs: sequence of str or None, optional
        Names of the outputs. None numbers them from 0. Default is None.

    classification: bool, optional
        Whether to report AUROC and AUPR (average precision) instead of Pearson,
        Spearman and mean squared error. Default is False.

    n_resamples: int, optional
        Resamples of the examples for the percentile intervals; 0 gives none (NaN).
        Default is 1000.

    confidence: float, optional
        Coverage of the intervals. Default is 0.95.

    random_state: int, numpy Generator or None, optional
        Seed of the resampling. Default is 0.

    batch_size: int, optional
        Examples per prediction batch. Default is 512.

    device: str, torch.device or None, optional
        Where to predict; None is CUDA where available. Default is None.

    Returns
    -------
    table: pandas.DataFrame
        One row per output and metric: output, metric, value, low, high, n, note. A
        metric that is not defined is NaN, and `note` says why; so it does where the
        interval is one of fewer resamples, those in which the metric is defined.

    Raises
    ------
    ValueError
        If shapes disagree, an output has fewer than 3 measured examples, labels
        are not 0 and 1 of both kinds, or an option is out of range.

    Examples
    --------
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(40, 1))
    >>> X = torch.randn(50, 4, 10)
    >>> evaluate(model, X, torch.randn(50))["metric"].tolist()
    ['pearson', 'spearman', 'mse']
    """
    return score_predictions(
        y,
        predict(model, X, batch_size=batch_size, device=device),
        outputs=outputs,
        classification=classification,
        n_resamples=n_resamples,
        confidence=confidence,
        random_state=random_state,
    )


def score_predictions(
    y: ArrayLike | torch.Tensor,
    y_hat: ArrayLike | torch.Tensor,
    *,
    outputs: Sequence[str] | None = None,
    classification: bool = False,
    n_resamples: int = 1000,
    confidence: float = 0.95,
    random_state: RandomState = 0,
) -> pd.DataFrame:
    """How good are predictions that are already at hand?

    The parameters, the table and the errors are those of `evaluate`, with the
    predictions `y_hat`, of the shape of `y`, in place of a model and X.

    Examples
    --------
    >>> table = score_predictions([0, 1, 2, 3], [0, 1, 2, 4], n_resamples=0)
    >>> table.loc[table["metric"] == "mse", "value"].item()
    0.25
    """
    columns, columns_hat = _as_columns(y, y_hat)
    names = _output_names(outputs, columns.shape[1])
    if not 0 < confidence < 1:
        raise ValueError(f"`confidence`={confidence} must be between 0 and 1.")
    if n_resamples < 0:
        raise ValueError(f"`n_resamples`={n_resamples} must not be negative.")
    tables = []
    for name, values, values_hat in zip(names, columns.T, columns_hat.T, strict=True):
        measured = ~np.isnan(values)
        y_, y_hat_ = values[measured], values_hat[measured]
        _check_output(name, y_, y_hat_, classification)
        metrics = (_classification if classification else _regression)(y_, y_hat_)
        scores = _bootstrap(metrics, len(y_), n_resamples, confidence, random_state)
        scores.insert(0, "output", name)
        notes = scores.pop("note")
        undefined = scores["value"].isna()
        tables.append(
            scores.assign(
                n=len(y_), note=notes.mask(undefined, _constant_side(y_, y_hat_))
            )
        )
    table: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return table


def _bootstrap(
    metrics: dict[str, Metric],
    n: int,
    n_resamples: int,
    confidence: float,
    random_state: RandomState,
) -> pd.DataFrame:
    rng = as_generator(random_state)
    draws = np.full((max(n_resamples, 1), len(metrics)), np.nan)
    for i in range(n_resamples):
        counts = np.bincount(rng.integers(n, size=n), minlength=n).astype(float)
        draws[i] = [metric(counts) for metric in metrics.values()]
    levels = [(1 - confidence) / 2, (1 + confidence) / 2]
    once = np.ones(n)
    rows = []
    for (name, metric), column in zip(metrics.items(), draws.T, strict=True):
        defined = column[~np.isnan(column)]
        low, high = np.quantile(defined, levels) if len(defined) else (np.nan, np.nan)
        few = f"interval of the {len(defined)} of {n_resamples} resamples with a value"
        note = few if len(defined) < n_resamples else ""
        rows.append((name, metric(once), low, high, note))
    columns = ["metric", "value", "low", "high", "note"]
    table: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    return table


def _regression(y: Values, y_hat: Values) -> dict[str, Metric]:
    codes, codes_hat = _codes(y), _codes(y_hat)
    return {
        "pearson": lambda counts: _weighted_pearson(y, y_hat, counts),
        "spearman": lambda counts: _weighted_pearson(
            _ranks(codes, counts), _ranks(codes_hat, counts), counts
        ),
        "mse": lambda counts: float(np.average((y - y_hat) ** 2, weights=counts)),
    }


def _classification(y: Values, y_hat: Values) -> dict[str, Metric]:
    # Imported here: scikit-learn is slow to import and most users fit scores.
    from sklearn.metrics import average_precision_score, roc_auc_score

    return {
        "auroc": lambda counts: _if_both_kinds(roc_auc_score, y, y_hat, counts),
        "aupr": lambda counts: _if_both_kinds(
            average_precision_score, y, y_hat, counts
        ),
    }


def _if_both_kinds(
    score: Callable[..., float], y: Values, y_hat: Values, counts: Values
) -> float:
    drawn = counts > 0
    if len(np.unique(y[drawn])) < 2:  # a resample of one kind only has no AUROC
        return np.nan
    return float(score(y[drawn], y_hat[drawn], sample_weight=counts[drawn]))


def _weighted_pearson(y: Values, y_hat: Values, counts: Values) -> float:
    drawn = counts > 0
    # Exactly: the mean of equal numbers is rounded, and would leave a correlation.
    if _is_constant(y[drawn]) or _is_constant(y_hat[drawn]):
        return np.nan
    dy = y - np.average(y, weights=counts)
    dy_hat = y_hat - np.average(y_hat, weights=counts)
    scale = np.sqrt(np.dot(counts, dy**2) * np.dot(counts, dy_hat**2))
    return float(np.dot(counts, dy * dy_hat) / scale) if scale > 0 else np.nan


def _is_constant(values: Values) -> bool:
    return len(values) < 2 or bool(values.min() == values.max())


def _constant_side(y: Values, y_hat: Values) -> str:
    """Why there is no correlation."""
    sides = {"measurements": y, "predictions": y_hat}
    return " and ".join(
        f"all {name} are {values[0]:.6g}"
        for name, values in sides.items()
        if _is_constant(values)
    )


def _codes(values: Values) -> NDArray[np.intp]:
    """Integers that sort and tie as the values do."""
    return np.unique(values, return_inverse=True)[1]


def _ranks(codes: NDArray[np.intp], counts: Values) -> Values:
    """Mid-ranks of examples of which each stands `counts` times in the sample.

    Counting by code ranks a resample without sorting it again.
    """
    size = np.bincount(codes, weights=counts)
    ranks: Values = (np.cumsum(size) - (size - 1) / 2)[codes]
    return ranks


def _check_output(name: str, y: Values, y_hat: Values, classification: bool) -> None:
    if len(y) < 3:
        raise ValueError(
            f"output {name!r} of `y` has {len(y)} measured examples; at least 3 are "
            "needed."
        )
    if not np.isfinite(y).all() or not np.isfinite(y_hat).all():
        raise ValueError(f"output {name!r} has infinite scores or NaN predictions.")
    if classification and set(np.unique(y)) != {0.0, 1.0}:
        raise ValueError(
            f"output {name!r} of `y` holds {np.unique(y)[:5].tolist()}; with "
            "`classification` it must hold both 0 and 1 and nothing else."
        )


def _output_names(outputs: Sequence[str] | None, n_outputs: int) -> list[str]:
    if outputs is None:
        return [str(i) for i in range(n_outputs)]
    if len(outputs) != n_outputs:
        raise ValueError(
            f"`outputs` names {len(outputs)} outputs, but `y` has {n_outputs}."
        )
    return list(outputs)


def _as_columns(
    y: ArrayLike | torch.Tensor, y_hat: ArrayLike | torch.Tensor
) -> tuple[Values, Values]:
    columns = []
    for values in (y, y_hat):
        if isinstance(values, torch.Tensor):
            values = values.detach().cpu().numpy()
        array = np.asarray(values, dtype=np.float64)
        columns.append(array[:, None] if array.ndim == 1 else array)
    if columns[0].shape != columns[1].shape or columns[0].ndim != 2:
        raise ValueError(
            f"`y` has shape {tuple(np.shape(y))} and the predictions "
            f"{tuple(np.shape(y_hat))}; both must be (n,) or (n, n_outputs) and agree."
        )
    return columns[0], columns[1]
