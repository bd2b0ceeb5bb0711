"""How ResidualBind's layers run: as written, folded, or in training on a CPU.

Of the last two, activations have their channels next in memory, which CPUs do faster.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
import torch.nn.functional as F
from torch import nn

# Sequences per chunk of the folded pass on a CPU (benchmarks/inference.py).
_FOLDED_CHUNK = 256

Layer = Callable[[torch.Tensor], torch.Tensor]


class AsWritten:
    """Every layer as the module that it is."""

    def convolve(
        self, conv: nn.Module, norm: nn.Module, X: torch.Tensor
    ) -> torch.Tensor:
        """A convolution and the batch norm behind it."""
        y: torch.Tensor = norm(conv(X))
        return y

    def rectify(self, relu: Layer, X: torch.Tensor) -> torch.Tensor:
        """An activation."""
        return relu(X)

    def drop(self, dropout: nn.Module, X: torch.Tensor) -> torch.Tensor:
        """A dropout."""
        y: torch.Tensor = dropout(X)
        return y

    def join(self, relu: Layer, X: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """The activated sum of a residual module's input and what it makes of it."""
        return relu(X + hidden)

    def pool(self, pool: Layer, X: torch.Tensor) -> torch.Tensor:
        """The pooling; from here on X has the shape (n, channels, positions)."""
        return pool(X)


AS_WRITTEN = AsWritten()
# All layers of a model on X, in one of these ways.
Run = Callable[[torch.Tensor, AsWritten], torch.Tensor]
# Its convolutions, each with its batch norm.
Pairs = Iterable[tuple[nn.Module, nn.Module]]


def folded_pass(run: Run, pairs: Pairs, X: torch.Tensor) -> torch.Tensor:
    """The eval pass, each batch norm folded into the convolution before it.

    Folding at every call costs about 0.2 ms and cannot go stale: weights may be changed
    in ways that leave no trace to check a cache by. All are folded before any runs: in
    between, they would push the activations out of the cache.
    """
    way = _Folded({conv: _fold(conv, norm) for conv, norm in pairs})
    # On a CPU, chunks whose activations stay in the cache are faster.
    size = _FOLDED_CHUNK if X.device.type == "cpu" else max(len(X), 1)
    return torch.cat([run(_channels_last(x), way) for x in torch.split(X, size)])


def training_pass(run: Run, X: torch.Tensor) -> torch.Tensor:
    """The pass in training: every layer as written but for the order in memory.

    Activations are rows, one per sequence and position, of one value per channel; what
    acts on each value or channel takes them as they are. Dropout draws other masks than
    the layers as written, of the same rates.
    """
    return run(X.transpose(1, 2).reshape(-1, X.shape[1]), _Rows(len(X)))


class _Folded(AsWritten):
    """Eval mode without gradients, so that what was computed may be overwritten."""

    def __init__(
        self, folded: dict[nn.Module, tuple[torch.Tensor, torch.Tensor]]
    ) -> None:
        self.folded = folded

    def convolve(
        self, conv: nn.Module, norm: nn.Module, X: torch.Tensor
    ) -> torch.Tensor:
        return _convolve(conv, X, *self.folded[conv])

    def rectify(self, relu: Layer, X: torch.Tensor) -> torch.Tensor:
        return X.relu_()

    def drop(self, dropout: nn.Module, X: torch.Tensor) -> torch.Tensor:
        return X

    def join(self, relu: Layer, X: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        return X.add_(hidden).relu_()

    def pool(self, pool: Layer, X: torch.Tensor) -> torch.Tensor:
        return pool(X.squeeze(2))


class _Rows(AsWritten):
    """Rows of n sequences, shape=(n * length, channels)."""

    def __init__(self, n: int) -> None:
        self.n = n

    def convolve(
        self, conv: nn.Module, norm: nn.Module, X: torch.Tensor
    ) -> torch.Tensor:
        assert isinstance(conv, nn.Conv1d)
        image = X.reshape(self.n, 1, -1, X.shape[1]).permute(0, 3, 1, 2)
        out = _convolve(conv, image, _channels_last(conv.weight), conv.bias)
        y: torch.Tensor = norm(out.permute(0, 2, 3, 1).reshape(-1, out.shape[1]))
        return y

    def drop(self, dropout: nn.Module, X: torch.Tensor) -> torch.Tensor:
        return _drop(dropout, X)

    def pool(self, pool: Layer, X: torch.Tensor) -> torch.Tensor:
        return pool(X.reshape(self.n, -1, X.shape[1]).transpose(1, 2))


def _convolve(
    conv: nn.Module,
    image: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor | None,
) -> torch.Tensor:
    assert isinstance(conv, nn.Conv1d)
    padding, dilation = (0, int(conv.padding[0])), (1, conv.dilation[0])
    return F.conv2d(image, weight, bias, padding=padding, dilation=dilation)


def _fold(conv: nn.Module, norm: nn.Module) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias of a convolution and its eval-mode batch norm together.

    Not `torch.nn.utils.fusion.fuse_conv_bn_weights`: it makes new parameters, through
    which forward-mode derivatives by the weights would silently be 0.
    """
    assert isinstance(conv, nn.Conv1d)
    assert isinstance(norm, nn.BatchNorm1d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    weight = _channels_last(conv.weight * scale[:, None, None])
    return weight, norm.bias - norm.running_mean * scale


def _drop(dropout: nn.Module, X: torch.Tensor) -> torch.Tensor:
    """Dropout whose mask takes 16 random bits a value.

    A CPU draws them one after the other, and `torch.nn.Dropout` draws 32 or 64. The
    rate is that of the layer to 1 in 65,536.
    """
    assert isinstance(dropout, nn.Dropout)
    if dropout.p == 0:
        return X
    draws = torch.empty((X.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
    bits = draws.view(torch.int16)[: X.numel()].view(X.shape)
    kept = bits >= round(dropout.p * 2**16) - 2**15
    return X * kept.to(X.dtype).div_(1 - dropout.p)


def _channels_last(X: torch.Tensor) -> torch.Tensor:
    """(n, channels, length) as (n, channels, 1, length), channels next in memory."""
    # Not `contiguous(memory_format=torch.channels_last)`, which vmap cannot batch.
    return X.transpose(1, 2).contiguous().transpose(1, 2).unsqueeze(2)
