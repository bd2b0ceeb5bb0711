"""Score transforms that are fitted, applied, inverted and saved with a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Transform:
    """A map of scores that was learnt on one set of probes and is applied to others.

    `Transform.fit` learns one. Scores have shape (n,), which is one output, or
    (n, n_outputs); each output is fitted on its own, NaN stays NaN, and what is given
    is never changed.

    Parameters
    ----------
    steps: tuple of dict, optional
        What is done in order, and undone in reverse, in JSON types: "kind" is "log",
        "clip" or "zscore", and the others are its settings and what was fitted. Without
        any, scores stay as they are. Default is ().

    Raises
    ------
    ValueError
        If a kind is unknown, or a step is incomplete or not of its form.

    Examples
    --------
    >>> Transform.fit([1.0, 3.0], "zscore").apply([1.0, 2.0])
    array([-1.,  0.])
    """

    steps: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        for step in self.steps:
            _check_step(step)

    @classmethod
    def fit(cls, y: ArrayLike | torch.Tensor, recipe: str = "log") -> Transform:
        """Learn a transform from scores.

        Parameters
        ----------
        y: array-like, shape=(n,) or (n, n_outputs)
            Scores, usually of the training split. NaN is left out.

        recipe: str, optional
            "log" is the paper's log(S - Smin + 1), which tames the heavy right tail of
            binding scores; a score below the lowest fitted one, Smin, continues the
            curve along its tangent (S - Smin), so that every score has a value and
            `invert` is exact. "clip" is the paper's cap at the 99.9th percentile.
            "clip-std" caps at 4 standard deviations above the mean; the authors' code
            does not add the mean, which makes no sense of scores that are not centred
            (for RNAcompete scores the two differ by about 0.2 standard deviations).
            After each of these comes a z-score; "zscore" is that alone, and "none"
            leaves scores as they are. Default is "log".

        Returns
        -------
        transform: Transform

        Raises
        ------
        ValueError
            If the recipe is unknown, `y` has another shape, or an output has no score,
            an infinite one or, for a z-score, only one value.

        Examples
        --------
        >>> y = [0.0, 1.0, 5.0]
        >>> log = Transform.fit(y, "log")
        >>> log.invert(log.apply(y)).round(6)
        array([0., 1., 5.])
        """
        if recipe not in RECIPES:
            raise ValueError(
                f"`recipe`={recipe!r} is not a transform; known: {list(RECIPES)}."
            )
        scores = _as_scores(y)
        if scores.size == 0 or np.isnan(scores).all(axis=0).any():
            raise ValueError("`y` has no score to fit a transform on in some output.")
        if np.isinf(scores).any():
            raise ValueError("`y` has infinite scores; only finite ones and NaN fit.")
        steps = []
        for step in RECIPES[recipe]:
            kind = _KINDS[step["kind"]]
            fitted = kind.fit(scores, *(step[name] for name in kind.settings))
            scores = kind.apply(scores, *fitted)
            values = (np.asarray(value).tolist() for value in fitted)
            steps.append({**step, **dict(zip(kind.fitted, values, strict=True))})
        return cls(tuple(steps))

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Transform:
        """The transform that `to_dict` described; a single step may stand alone.

        Raises
        ------
        ValueError
            If a kind is unknown, or the description is incomplete or not of its form.
        """
        if state.get("kind") != "chain":
            return cls((state,))
        if "steps" not in state:
            raise ValueError("the description of a 'chain' transform lacks ['steps'].")
        return cls(tuple(state["steps"]))

    def to_dict(self) -> dict[str, Any]:
        """Describe the transform in JSON types, for saving with a model."""
        return {"kind": "chain", "steps": [dict(step) for step in self.steps]}

    def apply(self, y: ArrayLike | torch.Tensor) -> Scores:
        """Transform scores.

        Parameters
        ----------
        y: array-like, shape=(n,) or (n, n_outputs)
            Scores of any split.

        Returns
        -------
        y: numpy.ndarray, of the same shape, dtype=float64

        Raises
        ------
        ValueError
            If the transform was fitted on another number of outputs.
        """
        scores = self._check_outputs(y)
        for step in self.steps:
            scores = _KINDS[step["kind"]].apply(scores, *_fitted(step))
        return scores

    def invert(self, y: ArrayLike | torch.Tensor) -> Scores:
        """Return transformed scores or predictions to the original scale.

        What clipping cut off cannot be restored: the clipped value is returned.

        Parameters
        ----------
        y: array-like, shape=(n,) or (n, n_outputs)
            Scores on the transformed scale.

        Returns
        -------
        y: numpy.ndarray, of the same shape, dtype=float64

        Raises
        ------
        ValueError
            If the transform was fitted on another number of outputs.
        """
        scores = self._check_outputs(y)
        for step in reversed(self.steps):
            scores = _KINDS[step["kind"]].invert(scores, *_fitted(step))
        return scores

    def _check_outputs(self, y: ArrayLike | torch.Tensor) -> Scores:
        scores = _as_scores(y)
        n_outputs = scores.shape[1] if scores.ndim == 2 else 1
        for n_fitted in (value.size for step in self.steps for value in _fitted(step)):
            if n_outputs != n_fitted:
                raise ValueError(
                    f"`y` has shape {scores.shape}, but the transform was fitted on "
                    f"{n_fitted} output(s): expected shape (n, {n_fitted})."
                )
        return scores


class _Kind(NamedTuple):
    """What a step does; `fit` gives the values that the other two take."""

    settings: tuple[str, ...]
    fitted: tuple[str, ...]
    fit: Callable[..., tuple[Scores, ...]]
    apply: Callable[..., Scores]
    invert: Callable[..., Scores]


def _fit_clip(
    y: Scores, percentile: float | None, n_std: float | None
) -> tuple[Scores, ...]:
    if percentile is not None:
        return (np.asarray(np.nanpercentile(y, percentile, axis=0)),)
    assert n_std is not None
    return (np.nanmean(y, axis=0) + n_std * np.nanstd(y, axis=0),)


def _fit_zscore(y: Scores) -> tuple[Scores, ...]:
    mean, std = np.nanmean(y, axis=0), np.nanstd(y, axis=0)
    # Rounding can give a constant a tiny standard deviation instead of 0.
    constant = np.nanmin(y, axis=0) == np.nanmax(y, axis=0)
    if np.any(constant | (std == 0)):
        raise ValueError("`y` is constant in some output; a z-score is undefined.")
    return mean, std


def _log(y: Scores, minimum: Scores) -> Scores:
    excess = y - minimum
    return np.where(excess >= 0, np.log1p(np.maximum(excess, 0)), excess)


def _exp(y: Scores, minimum: Scores) -> Scores:
    return np.where(y >= 0, np.expm1(np.maximum(y, 0)), y) + minimum


_KINDS = {
    "clip": _Kind(
        ("percentile", "n_std"), ("maximum",), _fit_clip, np.minimum, lambda y, _: y
    ),
    "log": _Kind((), ("minimum",), lambda y: (np.nanmin(y, axis=0),), _log, _exp),
    "zscore": _Kind(
        (),
        ("mean", "std"),
        _fit_zscore,
        lambda y, mean, std: (y - mean) / std,
        lambda y, mean, std: y * std + mean,
    ),
}
_ZSCORE = {"kind": "zscore"}
RECIPES: dict[str, tuple[dict[str, Any], ...]] = {
    "log": ({"kind": "log"}, _ZSCORE),
    "clip": ({"kind": "clip", "percentile": 99.9, "n_std": None}, _ZSCORE),
    "clip-std": ({"kind": "clip", "percentile": None, "n_std": 4.0}, _ZSCORE),
    "zscore": (_ZSCORE,),
    "none": (),
}


def _check_step(step: Mapping[str, Any]) -> None:
    name = step.get("kind")
    if not isinstance(name, str) or name not in _KINDS:
        raise ValueError(f"unknown transform kind {name!r}; known: {list(_KINDS)}.")
    kind = _KINDS[name]
    missing = [setting for setting in kind.settings if setting not in step]
    missing += [value for value in kind.fitted if step.get(value) is None]
    if missing:
        raise ValueError(f"the description of a {name!r} transform lacks {missing}.")
    _fitted(step)


def _fitted(step: Mapping[str, Any]) -> list[Scores]:
    return [np.asarray(step[name], float) for name in _KINDS[step["kind"]].fitted]


def _as_scores(y: ArrayLike | torch.Tensor) -> Scores:
    """A copy of scores as float64."""
    if isinstance(y, torch.Tensor):
        y = y.detach().cpu().to(torch.float64).numpy()
    scores = np.array(y, dtype=np.float64)
    if scores.ndim not in (1, 2):
        raise ValueError(
            f"`y` has shape {scores.shape}; it must be (n,) or (n, n_outputs)."
        )
    return scores
