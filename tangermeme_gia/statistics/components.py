"""Which part of an interval's variance is from models, and which from backgrounds?"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .._core.clusters import Values
from .comparisons import (
    Comparison,
    comparable_frames,
    same_clusters,
    shared_variance,
)

_PARTS = ("models", "backgrounds", "models x backgrounds")


def variance_components(comparison: Comparison) -> pd.DataFrame:
    """Would more models, or more backgrounds, make the interval of a mean narrower?

    Models crossed with backgrounds, both taken as samples (a two-way layout with random
    effects): an effect is the mean, plus what is the model's own, what all models do on
    a background, and what a model does on a background beyond both.

    Parameters
    ----------
    comparison: Comparison
        Of `across_models`, of at least two models on the same backgrounds.

    Returns
    -------
    frame: pandas.DataFrame
        Three rows for each row of `comparison.summary()`: its columns that say what
        was measured, then `component` ("models", "backgrounds", "models x
        backgrounds"), `sd` (of one model, one background, or one of both; of templates
        where backgrounds have some), `variance` (what it adds to that of the mean; the
        sum is `se` squared), `share` of that sum (NaN if it is 0), and `se_twice`, the
        standard error with twice as many models, or backgrounds; of the last row, of
        both. By the method of moments, at least 0. For results without local
        importances, such as scans, what all models share cannot be told from the rest:
        the row of backgrounds has both.

    Raises
    ------
    ValueError
        If these are backgrounds, which are chosen and no sample of others, there is one
        model, or as `Comparison.summary`.

    Examples
    --------
    >>> import torch
    >>> from tangermeme_gia import GIAResult
    >>> y, site = torch.zeros(3, 1), pd.DataFrame({"n_sites": [1]})
    >>> results = {
    ...     name: GIAResult(y, torch.full((3, 1, 1), effect), site)
    ...     for name, effect in {"a": 1.0, "b": 2.0, "c": 3.0}.items()
    ... }
    >>> frame = variance_components(Comparison(results, "model"))
    >>> frame[["component", "sd", "share"]].values[0].tolist()
    ['models', 1.0, 1.0]
    """
    summary = comparison.summary()
    n_models = int(summary["n_models"].iloc[0])
    if n_models < 2:
        raise ValueError(
            "`comparison` is of 1 model; two or more are needed to see how they differ."
        )
    both, shared, units = _crossed(comparison)
    between = summary["between_sd"].to_numpy(float) ** 2
    both = np.minimum(both, between)
    own = between - both
    parts = np.stack([own / n_models, shared, both / n_models], axis=1)
    sds = np.sqrt(np.stack([own, shared * units, both * units], axis=1))
    total = parts.sum(axis=1, keepdims=True)
    share = np.divide(parts, total, out=np.full_like(parts, np.nan), where=total > 0)
    twice = np.sqrt(total - np.stack(_saved(parts), axis=1))
    said = ["effect", "se", "low", "high", "df", "between_sd", "n_models", "n"]
    keys = summary.drop(columns=[*said, "n_clusters"], errors="ignore")
    frame: pd.DataFrame = keys.iloc[np.repeat(np.arange(len(keys)), 3)]
    frame = frame.reset_index(drop=True)
    split: pd.DataFrame = frame.assign(
        component=len(keys) * list(_PARTS),
        sd=sds.ravel(),
        variance=parts.ravel(),
        share=share.ravel(),
        se_twice=twice.ravel(),
    )
    return split


def split_columns(comparison: Comparison) -> pd.DataFrame:
    """Beside each row of `summary`, shares and errors with twice as many of either.

    What is left of the shares is that of both together.
    """
    split = variance_components(comparison)
    columns = {
        f"{what}_{name}": split[what].to_numpy()[i::3]
        for what in ("share", "se_twice")
        for i, name in enumerate(("models", "backgrounds"))
    }
    frame: pd.DataFrame = pd.DataFrame(columns)
    return frame


def _crossed(comparison: Comparison) -> tuple[Values, Values, int]:
    """Variance over backgrounds of a model's effect, its own and that of all models.

    And how many backgrounds, or templates of them, it is over.
    """
    frames = comparable_frames(comparison.results, "model")
    first = next(iter(frames.values()))
    n = int(first["n"].iloc[0])
    codes = same_clusters(comparison.results, n)
    shared, _ = shared_variance(comparison.results, frames, codes)
    errors = np.stack([frame["se"].to_numpy(float) for frame in frames.values()])
    own = np.maximum((errors**2).mean(axis=0) - shared, 0)
    return own, shared, n if codes is None else int(codes.max()) + 1


def _saved(parts: Values) -> list[Values]:
    """What twice as many models, backgrounds, or of both take off the variance."""
    models, backgrounds, both = parts.T
    with_models, with_backgrounds = (models + both) / 2, (backgrounds + both) / 2
    return [
        with_models,
        with_backgrounds,
        (models + backgrounds) / 2 + 3 * both / 4,
    ]
