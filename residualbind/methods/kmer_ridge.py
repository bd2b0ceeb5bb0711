"""A baseline: ridge regression on how often each short word is in a probe."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import torch
from torch import nn

from ..network.metrics import column_pearsons
from .kmers import Values, kmer_counts, window_codes
from .recipes import Outcome, Problem, Recipe, one_of


class KmerRidge(nn.Module):
    """How well do counts of words, whatever their place, explain binding?

    The score is linear in the counts of all k-mers up to a length; words with padding
    or N count nothing. No gradient reaches the letters.

    Parameters
    ----------
    k: int, optional
        The longest word. Default is 6.

    Examples
    --------
    >>> KmerRidge(k=3)(torch.zeros(2, 4, 41)).shape
    torch.Size([2, 1])
    """

    def __init__(self, k: int = 6) -> None:
        super().__init__()
        sizes = [4**size for size in range(1, k + 1)]
        self.words = nn.ParameterList(torch.zeros(size) for size in sizes)
        self.intercept = nn.Parameter(torch.zeros(1))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Scores, shape=(n, 1), of one-hot sequences, shape=(n, 4, length)."""
        y: torch.Tensor = self.intercept
        for i, weights in enumerate(self.words):
            codes = window_codes(X, i + 1)
            whole = codes < len(weights)
            y = y + (weights[codes.where(whole, 0)] * whole).sum(dim=1, keepdim=True)
        return y


def build(channels: int, length: int, *, k: int, alpha: float) -> nn.Module:
    """The model for inputs of this size; the penalty is of the fit alone."""
    return KmerRidge(k)


def fit(recipe: Recipe, problem: Problem) -> Outcome:
    """The penalty that predicts the validation probes best, and its weights."""
    from sklearn.linear_model import Ridge

    k = recipe.settings["k"]
    (X, y), (X_valid, y_valid) = problem.train, problem.valid
    counts, counts_valid = _counts(X, k), _counts(X_valid, k)
    target = y.double().numpy().ravel()
    outcomes = []
    for alpha in recipe.space["settings.alpha"].values:
        ridge = Ridge(alpha=alpha, solver="sparse_cg").fit(counts, target)
        pearson = float(column_pearsons(y_valid, ridge.predict(counts_valid))[0])
        model = _filled(KmerRidge(k), ridge.coef_, float(ridge.intercept_))
        chosen = recipe.chosen({"settings.alpha": alpha})
        outcomes.append(Outcome(model, chosen, 1, pearson))
    return max(outcomes, key=lambda outcome: outcome.pearson)


def _counts(X: torch.Tensor, k: int) -> sp.csr_matrix:
    counts = [kmer_counts(X, size) for size in range(1, k + 1)]
    stacked: sp.csr_matrix = sp.hstack(counts, format="csr", dtype=np.float64)
    return stacked


def _filled(model: KmerRidge, weights: Values, intercept: float) -> KmerRidge:
    first = 0
    with torch.no_grad():
        model.intercept.fill_(intercept)
        for words in model.words:
            words.copy_(torch.from_numpy(weights[first : first + len(words)]))
            first += len(words)
    return model.eval()


RECIPE = Recipe(
    optimizer="ridge",
    epochs=1,
    settings={"k": 6, "alpha": 100.0},
    space={"settings.alpha": one_of(1.0, 10.0, 100.0, 1000.0, 10_000.0)},
)
