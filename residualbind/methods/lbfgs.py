"""Fitting to all probes at once by L-BFGS, as long as the validation improves."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from ..network.metrics import column_pearsons
from .recipes import Problem, Recipe

# Probes whose scores are computed at once.
_CHUNK = 16_384


def fit_by_lbfgs(
    model: nn.Module, recipe: Recipe, problem: Problem
) -> tuple[float, int]:
    """Fit a model to the training probes; the best iteration on validation stays.

    Parameters
    ----------
    model: torch.nn.Module
        Weights to start from; it is left in eval mode.

    recipe: Recipe
        `loss`, penalties `l1` and `l2`, and iterations, `epochs`.

    problem: Problem
        The probes.

    Returns
    -------
    pearson: float
        On the validation probes; minus infinity if it is never defined.

    iterations: int
        How many there were.
    """
    X, y = problem.train
    loss = recipe.loss_of(model)
    best = _Best(model, problem)

    def objective(vector: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        _set(model, vector)
        model.zero_grad()
        total = 0.0
        for rows in torch.split(torch.arange(len(X)), _CHUNK):
            share = len(rows) / len(X)
            value = share * loss(model(X[rows].to(y.dtype)), y[rows])
            value.backward()  # type: ignore[no-untyped-call]
            total += value.item()
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        return total, parameters_to_vector(gradients).double().numpy()

    model.train()
    start = parameters_to_vector(model.parameters()).detach().double().numpy()
    best(start)
    result = minimize(  # type: ignore[call-overload]
        objective,
        start,
        jac=True,
        method="L-BFGS-B",
        callback=best,
        options={"maxiter": recipe.epochs},
    )
    _set(model, best.vector)
    model.eval()
    return best.pearson, int(result.nit)


class _Best:
    """Remembers the weights that do best on the validation probes."""

    def __init__(self, model: nn.Module, problem: Problem) -> None:
        self.model, (self.X, self.y) = model, problem.valid
        self.vector, self.pearson = np.zeros(0), -np.inf

    def __call__(self, vector: NDArray[np.float64]) -> None:
        _set(self.model, vector)
        pearson = validation_pearson(self.model, self.X, self.y)
        if not len(self.vector) or pearson > self.pearson:  # False for NaN
            self.vector = vector.copy()
            self.pearson = pearson if pearson > -np.inf else -np.inf


def validation_pearson(model: nn.Module, X: torch.Tensor, y: torch.Tensor) -> float:
    """The correlation of a model's scores with those of probes."""
    with torch.no_grad():
        y_hat = torch.cat([model(x.to(y.dtype)) for x in torch.split(X, _CHUNK)])
    return float(column_pearsons(y, y_hat)[0])


def _set(model: nn.Module, vector: NDArray[np.float64]) -> None:
    first = next(model.parameters())
    with torch.no_grad():
        vector_to_parameters(
            torch.as_tensor(vector).to(first.dtype), model.parameters()
        )
