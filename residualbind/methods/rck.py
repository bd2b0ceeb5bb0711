"""RNAcontext (Kazan et al. 2010) and RCK (Orenstein et al. 2016): motif and context.

Both say how likely a window is bound, as the product of a term for its letters and one
for its structure, and how likely a probe is, in which at least one window is. No public
repository of either was found; what the papers leave open was chosen:

- The term of the structure takes the mean of a window's contexts.
- Widths are tried one after the other and chosen on the validation probes, as is the
  iteration of L-BFGS; the papers choose a width by the fit to the training probes and
  take several random starts.
- RNAcontext starts from the k-mer whose counts correlate best with the scores, RCK from
  the correlations of all.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .kmers import kmer_correlations, letters_of, window_codes
from .lbfgs import fit_by_lbfgs
from .recipes import Outcome, Problem, Recipe, one_of

_LETTERS = 4
# A window is never quite bound, so that the logarithm of the rest is finite.
_MOST = 1 - 1e-6
# Score of a matching letter, and of a window without any, to start from.
_MATCH, _START = 1.0, -4.0


class RNAcontext(nn.Module):
    """Does one motif in one kind of structure explain binding?

    A window's letters are scored by a weight matrix, its structure by a weight for
    each context; both pass a logistic function, and their product is how likely the
    window is bound. The score is linear in how likely any is (Kazan et al., 2010,
    doi:10.1371/journal.pcbi.1000832). Windows with padding or N are none.

    Parameters
    ----------
    channels: int, optional
        Input channels; 4 for letters alone. Default is 9.

    width: int, optional
        Bases of a window. Default is 6.

    Examples
    --------
    >>> RNAcontext()(torch.zeros(2, 9, 41)).shape
    torch.Size([2, 1])
    """

    def __init__(self, channels: int = 9, *, width: int = 6) -> None:
        super().__init__()
        self.width = width
        self.motif = nn.Parameter(torch.zeros(_LETTERS, width))
        self.contexts = nn.Parameter(torch.zeros(channels - _LETTERS))
        self.bias = nn.Parameter(torch.tensor([_START, 0.0]))
        self.scale = nn.Parameter(torch.tensor([1.0, 0.0]))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Scores, shape=(n, 1), of inputs, shape=(n, channels, length)."""
        letters = F.conv1d(X[:, :_LETTERS], self.motif[None]).squeeze(1)
        contexts = self.contexts @ _window_means(X[:, _LETTERS:], self.width)
        whole = window_codes(X, self.width) < 4**self.width
        return self.score(letters, contexts, whole)

    def score(
        self, letters: torch.Tensor, contexts: torch.Tensor, whole: torch.Tensor
    ) -> torch.Tensor:
        """Scores of probes, given their windows' terms, shape=(n, windows) each."""
        bound = torch.sigmoid(letters + self.bias[0])
        if len(self.contexts):
            bound = bound * torch.sigmoid(contexts + self.bias[1])
        unbound = torch.log1p(-bound.clamp(max=_MOST)) * whole
        any_bound = -torch.expm1(unbound.sum(dim=1, keepdim=True))
        return self.scale[0] * any_bound + self.scale[1]


class RCK(RNAcontext):
    """Do words, each in the structures that it prefers, explain binding?

    As `RNAcontext`, but each k-mer has a score and weights of the contexts of its own
    (Orenstein et al., 2016, doi:10.1093/bioinformatics/btw259). No gradient reaches
    the letters.

    Parameters
    ----------
    channels: int, optional
        Input channels; 4 for letters alone. Default is 9.

    width: int, optional
        Bases of a window. Default is 5.

    Examples
    --------
    >>> RCK()(torch.zeros(2, 9, 41)).shape
    torch.Size([2, 1])
    """

    def __init__(self, channels: int = 9, *, width: int = 5) -> None:
        super().__init__(channels, width=width)
        n = 4**width
        self.motif = nn.Parameter(torch.zeros(n))
        self.contexts = nn.Parameter(torch.zeros(channels - _LETTERS, n))

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Scores, shape=(n, 1), of inputs, shape=(n, channels, length)."""
        codes = window_codes(X, self.width)
        whole = codes < len(self.motif)
        codes = codes.where(whole, 0)
        means = _window_means(X[:, _LETTERS:], self.width)
        contexts = sum(
            (w[codes] * means[:, i] for i, w in enumerate(self.contexts)),
            torch.zeros((), dtype=X.dtype, device=X.device),
        )
        return self.score(self.motif[codes], contexts, whole)


def _window_means(contexts: torch.Tensor, width: int) -> torch.Tensor:
    if not contexts.shape[1]:
        return contexts[:, :, width - 1 :]
    return F.avg_pool1d(contexts, width, stride=1)


def build_rnacontext(channels: int, length: int, *, width: int) -> nn.Module:
    """The model for inputs of this size."""
    return RNAcontext(channels, width=width)


def build_rck(channels: int, length: int, *, width: int) -> nn.Module:
    """The model for inputs of this size."""
    return RCK(channels, width=width)


def fit_rnacontext(recipe: Recipe, problem: Problem) -> Outcome:
    """The motif of the width that predicts the validation probes best."""

    def start(width: int) -> RNAcontext:
        model = RNAcontext(problem.size[0], width=width)
        correlations = kmer_correlations(*problem.train, width)
        best = letters_of(int(np.abs(correlations).argmax()), width)
        with torch.no_grad():
            model.motif[best, range(width)] = _MATCH
        return model

    return _best_width(recipe, problem, start)


def fit_rck(recipe: Recipe, problem: Problem) -> Outcome:
    """The words of the width that predicts the validation probes best."""

    def start(width: int) -> RNAcontext:
        model = RCK(problem.size[0], width=width)
        correlations = kmer_correlations(*problem.train, width)
        scores = torch.from_numpy(correlations / np.abs(correlations).max())
        with torch.no_grad():
            model.motif.copy_(width * _MATCH * scores)
        return model

    return _best_width(recipe, problem, start)


def _best_width(recipe: Recipe, problem: Problem, start: Any) -> Outcome:
    outcomes = []
    for width in recipe.space["settings.width"].values:
        chosen = recipe.chosen({"settings.width": width})
        model = start(width)
        pearson, iterations = fit_by_lbfgs(model, chosen, problem)
        outcomes.append(Outcome(model, chosen, iterations, pearson))
    return max(outcomes, key=lambda outcome: outcome.pearson)


RNACONTEXT = Recipe(
    optimizer="l-bfgs",
    l2=dict.fromkeys(("motif", "contexts"), 1e-6),
    epochs=100,
    settings={"width": 6},
    space={"settings.width": one_of(4, 5, 6, 7, 8, 9, 10)},
)
WORDS = Recipe(
    optimizer="l-bfgs",
    l2=dict.fromkeys(("motif", "contexts"), 1e-6),
    epochs=100,
    settings={"width": 5},
    space={"settings.width": one_of(4, 5, 6)},
)
