"""What every experiment returns: raw outputs, and the effects that follow from them."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy
import torch
from numpy.typing import NDArray

Outputs = torch.Tensor | list[torch.Tensor]

# The columns of `to_frame` that do not come from the conditions.
_ADDED = ("output", "effect", "se", "low", "high", "n")


class GIAResult(NamedTuple):
    """How did each placement change the model's output on each background?

    A named tuple of the raw outputs: ``y_before, y_afters, conditions = result`` and
    ``result.global_importance`` both work. Nothing is reduced; statistics and plots
    read these tensors.

    Parameters
    ----------
    y_before: torch.Tensor, shape=(n, ...), or list of torch.Tensor
        Output for the backgrounds as they are; a list for models with several
        outputs.

    y_afters: torch.Tensor, shape=(n, n_conditions, ...), or list of torch.Tensor
        Output for each background under each condition.

    conditions: pandas.DataFrame, n_conditions rows
        What was placed where in each condition.

    Examples
    --------
    >>> result = GIAResult(
    ...     torch.tensor([[1.0], [2.0]]),
    ...     torch.tensor([[[2.0]], [[5.0]]]),
    ...     pd.DataFrame({"condition": ["UGCAUG at 17"]}),
    ... )
    >>> result.global_importance
    tensor([[2.]])
    >>> result.to_frame().columns.tolist()
    ['condition', 'output', 'effect', 'se', 'low', 'high', 'n']
    """

    y_before: Outputs
    y_afters: Outputs
    conditions: pd.DataFrame

    @property
    def local_importance(self) -> Outputs:
        """Effect on each background, shape=(n, n_conditions, ...): after - before.

        Half-precision outputs are subtracted in single precision, whole numbers and
        booleans in double.
        """
        if isinstance(self.y_before, torch.Tensor):
            return _change(self.y_before, self.y_afters)  # type: ignore[arg-type]
        pairs = zip(self.y_before, self.y_afters, strict=True)
        return [_change(before, after) for before, after in pairs]

    @property
    def global_importance(self) -> Outputs:
        """Mean effect over backgrounds, shape=(n_conditions, ...) (paper, Eq. 2)."""
        local = self.local_importance
        if isinstance(local, torch.Tensor):
            return local.mean(dim=0)
        return [effects.mean(dim=0) for effects in local]

    def to_frame(self, confidence: float = 0.95) -> pd.DataFrame:
        """How large is each effect, and how sure is it? One row each.

        Parameters
        ----------
        confidence: float, optional
            Coverage of the t intervals of the mean over backgrounds.
            Default is 0.95.

        Returns
        -------
        frame: pandas.DataFrame
            The columns of `conditions`, then `output` (0, 1, ...; a tuple of indices
            where outputs have more than one axis; the first index is the tensor's for
            models that return a list), `effect`, `se` (standard error), `low`, `high`
            and `n` backgrounds. With one background, se and interval are NaN.

        Raises
        ------
        ValueError
            If `confidence` is not between 0 and 1, or `conditions` does not have one
            row per condition or has a column that the frame adds.

        Examples
        --------
        >>> y = torch.randn(100, 1)
        >>> frame = GIAResult(y, y[:, None] + 1, pd.DataFrame({"site": [1]})).to_frame()
        >>> frame["effect"].round(4).item()
        1.0
        """
        if not 0 < confidence < 1:
            raise ValueError(f"`confidence`={confidence} must be between 0 and 1.")
        local = self.local_importance
        is_list = isinstance(local, list)
        heads = local if isinstance(local, list) else [local]
        _check_conditions(self.conditions, heads[0].shape[1])
        tables = []
        for head, effects in enumerate(heads):
            labels = output_labels(effects.shape[2:], (head,) if is_list else ())
            flat = effects.detach().reshape(*effects.shape[:2], len(labels))
            values = flat.to(torch.float64).numpy()
            tables.append(_summarise(values, labels, self.conditions, confidence))
        frame: pd.DataFrame = pd.concat(tables, ignore_index=True)
        order = np.argsort(frame.pop("_condition").to_numpy(), kind="stable")
        ordered: pd.DataFrame = frame.iloc[order].reset_index(drop=True)
        return ordered


def _change(before: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    # Unsigned whole numbers would wrap around, and booleans cannot be subtracted.
    least = torch.float32 if after.is_floating_point() else torch.float64
    dtype = torch.promote_types(after.dtype, least)
    return after.to(dtype) - before[:, None].to(dtype)


def _check_conditions(conditions: pd.DataFrame, n_conditions: int) -> None:
    if len(conditions) != n_conditions:
        raise ValueError(
            f"`conditions` has {len(conditions)} rows, but `y_afters` {n_conditions} "
            "conditions on axis 1; they must agree."
        )
    taken = conditions.columns.intersection(_ADDED).tolist()
    if taken:
        raise ValueError(
            f"`conditions` has the columns {taken}, which the frame adds; rename them."
        )


def output_labels(shape: torch.Size, head: tuple[int, ...]) -> list[Any]:
    """What to call each output of a head: indices, with those of the head in front."""
    axes = [range(size) for size in shape]
    labels = [head + index for index in itertools.product(*axes)]
    return [label[0] if len(label) == 1 else label or 0 for label in labels]


def _summarise(
    effects: NDArray[np.float64],
    labels: list[Any],
    conditions: pd.DataFrame,
    confidence: float,
) -> pd.DataFrame:
    """A row per condition and output of effects, shape=(n, n_conditions, n_outputs)."""
    n, n_conditions, n_outputs = effects.shape
    mean = effects.mean(axis=0)
    se = np.full_like(mean, np.nan)
    if n > 1:
        # Less the first, backgrounds that agree have an error of exactly 0.
        se = (effects - effects[0]).std(axis=0, ddof=1) / np.sqrt(n)
    half_width = scipy.stats.t.ppf((1 + confidence) / 2, max(n - 1, 1)) * se
    rows = np.repeat(np.arange(n_conditions), n_outputs)
    frame: pd.DataFrame = conditions.iloc[rows].reset_index(drop=True)
    frame["output"] = pd.Series(labels * n_conditions, dtype=object).infer_objects()
    frame["effect"] = mean.ravel()
    frame["se"] = se.ravel()
    frame["low"] = (mean - half_width).ravel()
    frame["high"] = (mean + half_width).ravel()
    frame["n"] = n
    frame["_condition"] = rows
    return frame
