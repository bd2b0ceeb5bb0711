"""MATRIXReduce (Foat et al. 2006): one matrix of affinities, summed over a probe.

The original searches its seed among words with gaps and fits by Levenberg-Marquardt.
Here the seed is the 6-mer whose counts correlate best with the scores, with a column
of equal letters on either side, the fit is by L-BFGS, and the validation chooses the
iteration.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .kmers import kmer_correlations, letters_of, window_codes
from .lbfgs import fit_by_lbfgs
from .recipes import Outcome, Problem, Recipe

_LETTERS = 4
# Bases of the seed, and columns of equal letters on either side.
_SEED, _FLANK = 6, 1
# Logarithm of the affinity that a mismatch with the seed costs, to start from.
_MISMATCH = -2.0


class MATRIXReduce(nn.Module):
    """Does the affinity of one motif, summed over all places, explain binding?

    A place has the product of its letters' relative affinities, 1 for the best letter
    of each column; the score is linear in the sum over the places of a probe (Foat et
    al., 2006, doi:10.1093/bioinformatics/btl223). Places with padding or N count
    nothing.

    Parameters
    ----------
    width: int, optional
        Bases of the motif. Default is 8.

    Examples
    --------
    >>> MATRIXReduce(width=6)(torch.zeros(2, 4, 41)).shape
    torch.Size([2, 1])
    """

    def __init__(self, width: int = _SEED + 2 * _FLANK) -> None:
        super().__init__()
        # Logarithms of the affinities.
        self.energies = nn.Parameter(torch.zeros(_LETTERS, width))
        self.scale = nn.Parameter(torch.tensor([1.0, 0.0]))

    @property
    def affinities(self) -> torch.Tensor:
        """Relative affinity of each letter, shape=(4, width); 1 is the best one."""
        relative: torch.Tensor = self.energies - self.energies.amax(dim=0)
        affinities: torch.Tensor = relative.exp().detach()
        return affinities

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Scores, shape=(n, 1), of one-hot sequences, shape=(n, 4, length)."""
        width = self.energies.shape[1]
        energies = F.conv1d(X, self.energies[None]).squeeze(1)
        whole = window_codes(X, width) < 4**width
        total = (energies.exp() * whole).sum(dim=1, keepdim=True)
        y: torch.Tensor = self.scale[0] * total + self.scale[1]
        return y


def build(channels: int, length: int) -> nn.Module:
    """The model for inputs of this size."""
    return MATRIXReduce()


def fit(recipe: Recipe, problem: Problem) -> Outcome:
    """The matrix that a least-squares fit reaches from the best word."""
    X, y = problem.train
    model = MATRIXReduce()
    correlations = kmer_correlations(X, y, _SEED)
    seed = letters_of(int(np.abs(correlations).argmax()), _SEED)
    columns = range(_FLANK, _FLANK + _SEED)
    with torch.no_grad():
        model.energies[:, columns] = _MISMATCH
        model.energies[seed, columns] = 0
        model.scale.copy_(torch.tensor(_least_squares(model, problem)))
    pearson, iterations = fit_by_lbfgs(model, recipe, problem)
    return Outcome(model, recipe, iterations, pearson)


def _least_squares(model: nn.Module, problem: Problem) -> list[float]:
    """Slope and intercept of the scores over what the model sums up."""
    X, y = problem.train
    total = model(X.to(y.dtype)).double().ravel().numpy()
    slope, intercept = np.polyfit(total, y.double().ravel().numpy(), 1)
    return [float(slope), float(intercept)]


RECIPE = Recipe(optimizer="l-bfgs", epochs=100)
