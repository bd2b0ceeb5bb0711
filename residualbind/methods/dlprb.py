"""DLPRB (Ben-Bassat et al. 2018): wide filters, or a recurrent network, over contexts.

Numbers are those of github.com/ilanbb/dlprb (`cnn/main.py`, `rnn/main.py`). There the
CNN's number of epochs comes from three folds, checked every 50 mini-batches with a
patience of five checks, and the last model is trained on all of set A; the RNN is
trained for 18 epochs. Here both keep the best epoch on the validation probes, and the
CNN stops after five epochs without a better one, which is later than there. Their
hidden layer has one bias for all its units, here each unit has one.
"""

from __future__ import annotations

import torch
from torch import nn

from .recipes import Recipe

# Standard deviation of the weights to start from.
_SPREAD = 0.1


class DLPRBCNN(nn.Module):
    """Do windows of two widths, each at its best place, explain binding?

    Filters of 5 and 11 bases slide over letters and structure contexts together; the
    highest value of each is read by a hidden layer and a linear output (Ben-Bassat et
    al., 2018, doi:10.1093/bioinformatics/bty600). The authors write letters and
    contexts as two planes of five rows, over all of which a filter reaches; without
    the row of zeros below the letters that is a convolution over nine channels.

    Parameters
    ----------
    channels: int, optional
        Input channels. Default is 9.

    widths: sequence of int, optional
        Bases of the filters. Default is (5, 11).

    filters: int, optional
        Filters of each width. Default is 128.

    hidden: int, optional
        Units of the hidden layer. Default is 128.

    Examples
    --------
    >>> DLPRBCNN()(torch.zeros(2, 9, 41)).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        channels: int = 9,
        *,
        widths: tuple[int, ...] = (5, 11),
        filters: int = 128,
        hidden: int = 128,
    ) -> None:
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv1d(channels, filters, w) for w in widths)
        self.dense = nn.Linear(filters * len(widths), hidden)
        self.relu = nn.ReLU()
        self.output = nn.Linear(hidden, 1)
        self.apply(_initialise)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Scores, shape=(n, 1), of inputs, shape=(n, channels, length)."""
        best = [torch.relu(conv(X)).amax(dim=2) for conv in self.convs]
        y: torch.Tensor = self.output(self.relu(self.dense(torch.cat(best, dim=1))))
        return y


class DLPRBRNN(nn.Module):
    """Does a network that reads from both ends explain binding?

    A bidirectional GRU; its two last states are read by a hidden layer and a linear
    output (Ben-Bassat et al., 2018). The authors stop at each probe's end; here padding
    is read, too, as columns of zeros.

    Parameters
    ----------
    channels: int, optional
        Input channels. Default is 9.

    units: int, optional
        Units of the GRU in each direction. Default is 64.

    hidden: int, optional
        Units of the hidden layer. Default is 128.

    Examples
    --------
    >>> DLPRBRNN()(torch.zeros(2, 9, 41)).shape
    torch.Size([2, 1])
    """

    def __init__(self, channels: int = 9, *, units: int = 64, hidden: int = 128):
        super().__init__()
        self.gru = nn.GRU(channels, units, batch_first=True, bidirectional=True)
        self.dense = nn.Linear(2 * units, hidden)
        self.relu = nn.ReLU()
        self.output = nn.Linear(hidden, 1)
        self.apply(_initialise)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Scores, shape=(n, 1), of inputs, shape=(n, channels, length)."""
        _, last = self.gru(X.transpose(1, 2))
        joined = torch.cat([last[0], last[1]], dim=1)
        y: torch.Tensor = self.output(self.relu(self.dense(joined)))
        return y


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv1d | nn.Linear):
        nn.init.trunc_normal_(module.weight, std=_SPREAD, a=-2 * _SPREAD, b=2 * _SPREAD)
        assert module.bias is not None
        nn.init.zeros_(module.bias)


def build_cnn(channels: int, length: int, **settings: int) -> nn.Module:
    """The CNN for inputs of this size."""
    return DLPRBCNN(channels, **settings)  # type: ignore[arg-type]


def build_rnn(channels: int, length: int, **settings: int) -> nn.Module:
    """The RNN for inputs of this size."""
    return DLPRBRNN(channels, **settings)


CNN = Recipe(lr=0.0002, batch_size=128, epochs=100, patience=5)
# The authors add 0.001 / 128 times half the squares of the weights to half the sum of
# 128 squared errors; beside their mean that is 0.001 / 128 ** 2 times the squares.
RNN = Recipe(
    lr=0.0002,
    batch_size=128,
    epochs=18,
    l2=dict.fromkeys(("dense", "output"), 0.001 / 128**2),
)
