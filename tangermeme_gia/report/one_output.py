"""One number for each sequence, of any model."""

from __future__ import annotations

from typing import Any

import torch

from ..models.failures import describe_error


class OutputError(ValueError):
    """A model does not give one number for each sequence, or fails."""


class OneOutput(torch.nn.Module):
    """What does a model predict, as one number for each sequence?

    Whatever the model raises becomes an `OutputError`, so that its failure is told
    apart from one of this package.

    Parameters
    ----------
    model: torch.nn.Module
        A model that gives a tensor of shape (n,) or (n, n_outputs).

    target: int or None, optional
        Which of several outputs; None is the only one. Default is None.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 3))
    >>> OneOutput(model, target=2)(torch.zeros(5, 4, 20)).shape
    torch.Size([5, 1])
    """

    def __init__(self, model: torch.nn.Module, target: int | None = None) -> None:
        super().__init__()
        self.model = model
        self.target = target

    def extra_repr(self) -> str:
        # Part of what the saved results of a model follow from.
        return f"target={self.target}"

    def forward(self, X: torch.Tensor, *args: Any) -> torch.Tensor:
        """Predictions, shape=(n, 1)."""
        try:
            y = self.model(X, *args)
        except Exception as error:  # models may raise anything
            raise OutputError(
                f"the model fails on sequences of shape {tuple(X.shape)}: "
                f"{describe_error(error)}"
            ) from error
        is_tensor = isinstance(y, torch.Tensor) and y.ndim in (1, 2)
        if not is_tensor or len(y) != len(X):
            raise OutputError(
                f"the model gives {_describe(y)} for {len(X)} sequences; one number "
                "for each and output, shape (n, n_outputs), is needed. Wrap it in a "
                "module that reduces its output, as for tangermeme's deep_lift_shap."
            )
        outputs = y.reshape(len(X), -1)
        n_outputs = outputs.shape[1]
        if self.target is None and n_outputs != 1:
            raise OutputError(
                f"the model has {n_outputs} outputs; choose one of 0 to "
                f"{n_outputs - 1} with `--target`."
            )
        target = self.target or 0
        if not 0 <= target < n_outputs:
            raise OutputError(
                f"`--target`={target}, but the model has the outputs 0 to "
                f"{n_outputs - 1}."
            )
        chosen: torch.Tensor = outputs[:, target : target + 1]
        if not torch.isfinite(chosen).all():
            raise OutputError("the model gives NaN or an infinite number.")
        return chosen


def _describe(y: Any) -> str:
    if isinstance(y, torch.Tensor):
        return f"a tensor of shape {tuple(y.shape)}"
    if isinstance(y, (list, tuple)):
        return f"a {type(y).__name__} of {len(y)}"
    return f"a {type(y).__name__}"
