"""ThermoNet (Su et al. 2019): a stack of convolutions for each of six structures.

Numbers are those of github.com/suyufeng/ThermoNet (`bin_vitro/`, `invitro/configs`,
`scripts/`): 100 structures are drawn of each probe, the five most frequent stand alone,
the others together are the sixth. Where this differs:

- The authors update the six stacks one after the other, each by its own Huber loss;
  here the loss is that of the score, the sum weighted by the structures' shares.
- Their batch norm is called without saying that it is training, so that it neither
  centres nor scales; here it does.
- Energies are those of Turner 1999 as for the other methods here; theirs are the
  defaults of the ViennaRNA that they ship.
- They try all 648 settings on three folds; here so many are drawn as are asked for.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from ..structure.folding import N_FEATURES, N_SAMPLED
from .cdeepbind import same
from .kmers import window_codes
from .recipes import Recipe, one_of

_LAYERS, _LATER_WIDTH = 5, 8
_LETTERS = 4


class ThermoNet(nn.Module):
    """Do the words around each base, and several structures, explain binding?

    The k-mers that begin at a base, of each length up to k, are looked up in a table of
    learned vectors. With nine features of one sampled structure they enter a stack of
    five convolutions, batch norm and ReLU and a linear layer; six structures have a
    stack each, and the score is their sum, weighted by the structures' shares (Su et
    al., 2019, doi:10.1371/journal.pcbi.1007283). No gradient reaches the letters.

    Parameters
    ----------
    length: int, optional
        Length of the input. Default is 41.

    k: int, optional
        The longest k-mer. Default is 3.

    embedding: int, optional
        Size of a k-mer's vector. Default is 20.

    width: int, optional
        Bases of the first convolution; the others have 8. Default is 12.

    filters: int, optional
        Filters of each convolution. Default is 16.

    Examples
    --------
    >>> ThermoNet()(torch.zeros(2, 64, 41)).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        length: int = 41,
        *,
        k: int = 3,
        embedding: int = 20,
        width: int = 12,
        filters: int = 16,
    ) -> None:
        super().__init__()
        # The last vector of each table is of k-mers with an unknown base.
        self.embedding = nn.ModuleList(
            nn.Embedding(4**size + 1, embedding) for size in range(1, k + 1)
        )
        # Grouped convolutions are six stacks side by side. The first one has a part for
        # the words, which are the same for all, and one for the structures.
        n = N_SAMPLED * filters
        self.words = nn.Conv1d(k * embedding, n, width, bias=False)
        self.features = nn.Conv1d(N_SAMPLED * N_FEATURES, n, width, groups=N_SAMPLED)
        self.convs = nn.ModuleList(
            nn.Conv1d(n, n, _LATER_WIDTH, groups=N_SAMPLED) for _ in range(_LAYERS - 1)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(n) for _ in range(_LAYERS))
        self.dense = nn.Conv1d(n, N_SAMPLED, length, groups=N_SAMPLED)
        first = (*self.embedding, self.words, self.features)
        for module in (*first, *self.convs, self.dense):
            nn.init.xavier_uniform_(module.weight)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Scores, shape=(n, 1), of inputs, shape=(n, 64, length)."""
        letters = X[:, :_LETTERS]
        rows = X[:, _LETTERS:].view(len(X), N_SAMPLED, N_FEATURES + 1, -1)
        features, shares = rows[:, :, :-1], rows[:, :, -1].amax(dim=2)
        is_base = letters.sum(dim=1)[:, None, None]
        features = (features - is_base / N_FEATURES).flatten(1, 2)
        hidden = same(self.words, self._words(letters)) + same(self.features, features)
        hidden = torch.relu(self.norms[0](hidden))
        for conv, norm in zip(self.convs, self.norms[1:], strict=True):
            hidden = torch.relu(norm(same(conv, hidden)))
        y: torch.Tensor = (self.dense(hidden).squeeze(2) * shares).sum(dim=1)
        return y[:, None]

    def _words(self, letters: torch.Tensor) -> torch.Tensor:
        """The vectors of the k-mers at each base, shape=(n, k * size, length)."""
        found = []
        for i, table in enumerate(self.embedding):
            codes = F.pad(window_codes(letters, i + 1), [0, i], value=4 ** (i + 1))
            found.append(table(codes).transpose(1, 2))
        return torch.cat(found, dim=1)


def build(channels: int, length: int, **settings: Any) -> nn.Module:
    """The network for inputs of this size."""
    return ThermoNet(length, **settings)


RECIPE = Recipe(
    loss="huber",
    lr=0.001,
    batch_size=100,
    epochs=20,
    lr_decay=0.1,
    lr_drops=(5,),
    l2={"embedding": 1e-5},
    settings={"k": 3, "embedding": 20, "width": 12, "filters": 16},
    space={
        "lr": one_of(1e-3, 1e-4, 1e-5),
        "l2": one_of(1e-3, 1e-4, 1e-5),
        "settings.embedding": one_of(10, 20, 30),
        "settings.width": one_of(7, 12, 16),
        "settings.k": one_of(2, 3, 4, 5),
        "settings.filters": one_of(16, 64),
    },
    trials=2,
    full_trials=648,
)
