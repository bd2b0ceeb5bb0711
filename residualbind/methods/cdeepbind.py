"""cDeepbind (Gandhi et al. 2018): DeepBind with deeper filters and structure contexts.

Numbers are those of github.com/shreshthgandhi/cDeepbind (`deepbind_model/utils.py`,
`configs/`). Letters and contexts are centred, so that padding and unknown bases are 0.
The authors draw five settings at random, try each on three folds for ten epochs, train
five models with the best and average the best of these; here one is trained. The
learning rate is drawn between 1e-6 and 1e-2, the penalty between 1e-6 and 1e-3.
Gradients of the CNN with a norm above 20 are cut there and not here.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from .recipes import Recipe, log_uniform, one_of

# Bases of the filters of each layer but the last, which has half as many as before it.
_FIRST_WIDTH, _FIRST_FILTERS = 16, 16
_BIAS = 0.001


class CDeepbindCNN(nn.Module):
    """Does the strongest or the mean match of a deep detector explain binding?

    Two or three convolutions, of which the last has one filter; the maximum of its
    values over positions, their mean, or both are the score (Gandhi et al., 2018,
    doi:10.1101/345140). The code adds no penalty to the loss of the CNN, though it
    draws one; nor does this.

    Parameters
    ----------
    channels: int, optional
        Input channels. Default is 9.

    layers: int, optional
        Convolutions, 16, 8, 4 ... bases wide, with 16, 32, ... filters. Default is 2.

    pool: str, optional
        "max", "avg" or "max_avg". Default is "max_avg".

    init_scale: float or None, optional
        Standard deviation of the convolutions' first weights; None is torch's
        default. Default is None.

    Examples
    --------
    >>> CDeepbindCNN()(torch.zeros(2, 9, 41)).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        channels: int = 9,
        *,
        layers: int = 2,
        pool: str = "max_avg",
        init_scale: float | None = None,
    ) -> None:
        super().__init__()
        if pool not in ("max", "avg", "max_avg"):
            raise ValueError(f"`pool`={pool!r} must be 'max', 'avg' or 'max_avg'.")
        self.pool = pool
        filters = [_FIRST_FILTERS * (i + 1) for i in range(layers - 1)] + [1]
        sizes = [channels, *filters]
        self.convs = nn.ModuleList(
            nn.Conv1d(sizes[i], sizes[i + 1], max(_FIRST_WIDTH // 2**i, 1))
            for i in range(layers)
        )
        if init_scale is not None:
            for conv in self.convs:
                _start(conv, init_scale)
        self.output = nn.Linear(2, 1) if pool == "max_avg" else nn.Identity()

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Scores, shape=(n, 1), of inputs, shape=(n, channels, length)."""
        X = centred(X)
        for i, conv in enumerate(self.convs):
            X = same(conv, torch.relu(X) if i else X)
        pooled = {"max": X.amax(dim=2), "avg": X.mean(dim=2)}
        parts = [pooled[name] for name in self.pool.split("_")]
        y: torch.Tensor = self.output(torch.cat(parts, dim=1))
        return y


class CDeepbindRNN(nn.Module):
    """Does a recurrent network over a detector's matches explain binding?

    A convolution, another to one value for each position, and an LSTM that reads these
    from the 5' end; a linear layer reads its last state (Gandhi et al., 2018).

    Parameters
    ----------
    channels: int, optional
        Input channels. Default is 9.

    motifs: int, optional
        Filters of the first convolution. Default is 16.

    units: int, optional
        Units of the LSTM. Default is 20.

    Examples
    --------
    >>> CDeepbindRNN()(torch.zeros(2, 9, 41)).shape
    torch.Size([2, 1])
    """

    def __init__(self, channels: int = 9, *, motifs: int = 16, units: int = 20):
        super().__init__()
        self.conv1 = nn.Conv1d(channels, motifs, _FIRST_WIDTH)
        self.conv2 = nn.Conv1d(motifs, 1, _FIRST_WIDTH)
        self.lstm = nn.LSTM(1, units, batch_first=True)
        self.output = nn.Linear(units, 1)
        _start(self.conv1, 0.01)
        _start(self.conv2, 1.0)
        _start(self.output, 1.0)
        biases = dict(self.lstm.named_parameters())
        with torch.no_grad():  # an LSTM that remembers, to begin with
            biases["bias_ih_l0"].zero_()[units : 2 * units] = 1
            biases["bias_hh_l0"].zero_()

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Scores, shape=(n, 1), of inputs, shape=(n, channels, length)."""
        matches = torch.relu(same(self.conv1, centred(X)))
        matches = torch.relu(same(self.conv2, matches))
        states, _ = self.lstm(matches.transpose(1, 2))
        y: torch.Tensor = self.output(states[:, -1])
        return y


def centred(X: torch.Tensor) -> torch.Tensor:
    """Letters less a quarter, and contexts less their number's inverse, at bases."""
    letters, contexts = X[:, :4], X[:, 4:]
    is_base = letters.sum(dim=1, keepdim=True)
    parts = [letters - is_base / 4]
    if contexts.shape[1]:
        known = contexts.sum(dim=1, keepdim=True)
        parts.append(contexts - known / contexts.shape[1])
    return torch.cat(parts, dim=1)


def same(conv: nn.Module, X: torch.Tensor) -> torch.Tensor:
    """A convolution that keeps the length, with one zero more behind than before."""
    assert isinstance(conv, nn.Conv1d)
    overhang = conv.kernel_size[0] - 1
    y: torch.Tensor = conv(F.pad(X, [overhang // 2, overhang - overhang // 2]))
    return y


def _start(layer: nn.Module, spread: float) -> None:
    assert isinstance(layer, nn.Conv1d | nn.Linear)
    nn.init.normal_(layer.weight, std=spread)
    assert layer.bias is not None
    nn.init.constant_(layer.bias, _BIAS)


def build_cnn(channels: int, length: int, **settings: Any) -> nn.Module:
    """The CNN for inputs of this size."""
    return CDeepbindCNN(channels, **settings)


def build_rnn(channels: int, length: int, **settings: Any) -> nn.Module:
    """The RNN for inputs of this size."""
    return CDeepbindRNN(channels, **settings)


CNN = Recipe(
    lr=0.001,
    batch_size=100,
    epochs=20,
    settings={"layers": 2, "pool": "max_avg", "init_scale": 0.001},
    space={
        "lr": log_uniform(1e-6, 1e-2),
        "settings.layers": one_of(2, 3),
        "settings.pool": one_of("max", "avg", "max_avg"),
        "settings.init_scale": log_uniform(1e-7, 1e-3),
    },
    trial_epochs=10,
    trials=5,
    full_trials=5,
)
# The authors' mini-batches grow from 500 over 1,000 to 2,000; here they stay at 500.
RNN = Recipe(
    lr=0.01,
    batch_size=500,
    epochs=9,
    l1=dict.fromkeys(("conv1.weight", "conv2.weight", "output.weight"), 1e-6),
    settings={"motifs": 16, "units": 20},
    space={
        "lr": log_uniform(1e-6, 1e-2),
        "l1": log_uniform(1e-6, 1e-3),
        "settings.motifs": one_of(8, 16, 24),
        "settings.units": one_of(10, 20, 30),
    },
    trials=5,
    full_trials=5,
)
