"""DeepBind (Alipanahi et al. 2015): detectors, their best match, a small network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from tangermeme_gia._core.letters import DNA, RNA, check_alphabet

from .recipes import Recipe, log_uniform, one_of, uniform

# Windows of one sequence that are scored at once, so that long ones fit.
_WINDOWS = 64


class DeepBind(nn.Module):
    """How well does the best match of some detectors explain binding?

    Detectors slide over the sequence, which is padded so that they may overhang; what
    exceeds a threshold is pooled to its maximum (and mean), and a linear layer, or two
    with ReLU between, makes the score (Alipanahi et al., 2015,
    doi:10.1038/nbt.3300). Unknown bases, N, padding and zero columns alike, count as a
    quarter of each letter.

    Parameters
    ----------
    n_detectors: int, optional
        Number of detectors. Default is 16.

    width: int, optional
        Bases of each. Default is 16.

    average: bool, optional
        Whether to pool by the mean, too. Default is False.

    n_hidden: int, optional
        Units between two linear layers; 0 for one layer. Default is 0.

    both_strands: bool, optional
        Whether the score is the higher one of the sequence and its reverse complement.
        Default is False.

    by_window: bool, optional
        Whether each window of `width` bases is scored as a sequence of its own and the
        highest counts, as the published models are applied; the mean then is that of
        the best window. Default is False.

    dropout: float, optional
        Share of the pooled values that is left out in training. Default is 0.

    alphabet: sequence of str or None, optional
        Letters in channel order. None is DNA if both strands are read, else RNA.
        Default is None.

    Examples
    --------
    >>> model = DeepBind(n_detectors=4, width=6, n_hidden=8)
    >>> model(torch.zeros(2, 4, 41)).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        n_detectors: int = 16,
        width: int = 16,
        *,
        average: bool = False,
        n_hidden: int = 0,
        both_strands: bool = False,
        by_window: bool = False,
        dropout: float = 0.0,
        alphabet: Sequence[str] | None = None,
    ) -> None:
        super().__init__()
        for name, size in {"n_detectors": n_detectors, "width": width}.items():
            if size < 1:
                raise ValueError(f"`{name}` must be at least 1, got {size}.")
        if n_hidden < 0:
            raise ValueError(f"`n_hidden` must be at least 0, got {n_hidden}.")
        if alphabet is None:
            alphabet = DNA if both_strands else RNA
        self.alphabet = check_alphabet(alphabet)
        if len(self.alphabet) != 4:
            raise ValueError(f"`alphabet` must have 4 letters, got {self.alphabet}.")
        self.average = average
        self.both_strands = both_strands
        self.by_window = by_window
        self.detectors = nn.Conv1d(4, n_detectors, width)
        self.dropout = nn.Dropout(dropout)
        n_features = n_detectors * (1 + average)
        self.layers = nn.Sequential(nn.Linear(n_features, n_hidden or 1))
        if n_hidden:
            self.layers.extend([nn.ReLU(), nn.Linear(n_hidden, 1)])

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Scores, shape=(n, 1), of one-hot sequences, shape=(n, 4, length)."""
        weight = self.detectors.weight
        X = X.to(weight.dtype)
        X = X + (1 - X.sum(dim=1, keepdim=True)) / 4
        y = self._score_strand(X)
        if self.both_strands:  # A, C, G, T reversed is T, G, C, A
            y = torch.maximum(y, self._score_strand(X.flip(1, 2)))
        return y

    def _score_strand(self, X: torch.Tensor) -> torch.Tensor:
        width = self.detectors.kernel_size[0]
        if not self.by_window or X.shape[-1] <= width:
            return self._score(X)
        windows = X.unfold(2, width, 1).permute(0, 2, 1, 3)
        best = [
            self._score(block.flatten(0, 1)).view(len(X), -1, 1).amax(dim=1)
            for block in torch.split(windows, _WINDOWS, dim=1)
        ]
        return torch.stack(best).amax(dim=0)

    def _score(self, X: torch.Tensor) -> torch.Tensor:
        overhang = self.detectors.kernel_size[0] - 1
        rectified = F.relu(self.detectors(F.pad(X, [overhang, overhang], value=0.25)))
        features = rectified.amax(dim=2)
        if self.average:  # maximum and mean of each detector in turn
            features = torch.stack([features, rectified.mean(dim=2)], dim=2).flatten(1)
        y: torch.Tensor = self.layers(self.dropout(features))
        return y


def build(
    channels: int,
    length: int,
    *,
    init_detectors: float,
    init_layers: float,
    **settings: Any,
) -> nn.Module:
    """A network to be trained; detectors and layers begin with these spreads."""
    model = DeepBind(average=True, **settings)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.zero_()
            if name.endswith("weight"):
                is_detectors = name.startswith("detectors")
                parameter.normal_(std=init_detectors if is_detectors else init_layers)
    return model


# Numbers of github.com/jisraeli/DeepBind: `code/cfg/regression/allpool` (maximum and
# mean), which `deepbind_train_rnac.py` takes for RNAcompete; `cfg/trainers`,
# `deepbind_util.py` and `libs/`: 30 draws for both networks together, on three folds;
# of the one with the lowest loss six models are trained and one is kept by its fit to
# the training probes. Here each network has 15 draws, one model is trained, and its
# best epoch is kept. Penalties hold from the first step, there from the 100th; the
# momentum is drawn evenly, there by a power law, and both layers begin with one spread.
# What is tried first was chosen here.
_SPACE = {
    "lr": log_uniform(0.0005, 0.05),
    "momentum": uniform(0.95, 0.99),
    "settings.dropout": one_of(0.0, 0.25, 0.5),
    "settings.init_detectors": log_uniform(1e-7, 1e-3),
    "settings.init_layers": log_uniform(1e-5, 1e-2),
    "l1.detectors.weight": log_uniform(1e-15, 1e-3),
    "l1.layers.0.weight": log_uniform(1e-10, 1e-3),
}
_LAST = "layers.2.weight"
_SETTINGS = {"dropout": 0.0, "init_detectors": 1e-3, "init_layers": 1e-2}
ONE_LAYER = Recipe(
    optimizer="sgd",
    lr=0.01,
    momentum=0.97,
    l1=dict.fromkeys(("detectors.weight", "layers.0.weight"), 1e-10),
    batch_size=64,
    epochs=500,
    steps=20_000,
    settings={"n_hidden": 0, **_SETTINGS},
    space=_SPACE,
    trials=10,
    full_trials=15,
)
TWO_LAYERS = replace(
    ONE_LAYER,
    l1={**ONE_LAYER.l1, _LAST: 1e-10},
    settings={"n_hidden": 32, **_SETTINGS},
    space={**_SPACE, f"l1.{_LAST}": log_uniform(1e-10, 1e-3)},
)
