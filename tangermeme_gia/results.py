"""What every experiment returns: raw outputs, and the effects that follow from them."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy import stats

Outputs = torch.Tensor | list[torch.Tensor]


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
        """Effect on each background, shape=(n, n_conditions, ...): after - before."""
        if isinstance(self.y_before, torch.Tensor):
            return self.y_afters - self.y_before[:, None]  # type: ignore[operator]
        pairs = zip(self.y_before, self.y_afters, strict=True)
        return [after - before[:, None] for before, after in pairs]

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
            If `confidence` is not between 0 and 1.

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
        tables = []
        for head, effects in enumerate(local if isinstance(local, list) else [local]):
            labels = output_labels(effects.shape[2:], (head,) if is_list else ())
            flat = effects.detach().reshape(*effects.shape[:2], len(labels))
            values = flat.to(torch.float64).numpy()
            tables.append(_summarise(values, labels, self.conditions, confidence))
        frame: pd.DataFrame = pd.concat(tables, ignore_index=True)
        order = np.argsort(frame.pop("_condition").to_numpy(), kind="stable")
        ordered: pd.DataFrame = frame.iloc[order].reset_index(drop=True)
        return ordered


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
        se = effects.std(axis=0, ddof=1) / np.sqrt(n)
    half_width = stats.t.ppf((1 + confidence) / 2, max(n - 1, 1)) * se
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
