"""The passes of ResidualBind with channels next in memory, which CPUs do faster."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

if TYPE_CHECKING:
    from .model import ResidualBind

# Sequences per chunk of the folded pass on a CPU (benchmarks/inference.py).
_FOLDED_CHUNK = 256


def folded_pass(model: ResidualBind, X: torch.Tensor) -> torch.Tensor:
    """The eval pass, each batch norm folded into the convolution before it.

    Folding at every call costs about 0.2 ms and cannot go stale: weights may be changed
    in ways that leave no trace to check a cache by.
    """
    block = model.block
    layers = [
        _fold(model.conv, model.conv_norm),
        *map(_fold, block.convs, block.norms),
    ]
    # On a CPU, chunks whose activations stay in the cache are faster.
    size = _FOLDED_CHUNK if X.device.type == "cpu" else max(len(X), 1)
    return torch.cat(
        [_run_folded(model, chunk, layers) for chunk in torch.split(X, size)]
    )


def training_pass(model: ResidualBind, X: torch.Tensor) -> torch.Tensor:
    """The pass in training: every layer as written but for the order in memory.

    Activations are rows, one per sequence and position, of one value per channel; what
    acts on each value or channel takes them as they are. Dropout draws other masks than
    the layers as written, of the same rates.
    """
    n = len(X)
    X = X.transpose(1, 2).reshape(-1, X.shape[1])
    X = model.conv_relu(model.conv_norm(_convolve(model.conv, X, n)))
    hidden = X = _drop(model.conv_dropout, X)
    block = model.block
    for i, (conv, norm) in enumerate(zip(block.convs, block.norms, strict=True)):
        hidden = norm(_convolve(conv, hidden, n))
        if i < len(block.relus):
            hidden = _drop(block.dropouts[i], block.relus[i](hidden))
    X = block.sum_relu(X + hidden)
    X = model.pool(X.reshape(n, -1, X.shape[1]).transpose(1, 2))
    X = _drop(model.pool_dropout, X).transpose(1, 2).flatten(start_dim=1)
    X = model.dense_relu(model.dense_norm(model.dense(X)))
    X = _drop(model.dense_dropout, X)
    y: torch.Tensor = model.output_activation(model.output(X))
    return y


class _FoldedConv(NamedTuple):
    """A convolution and its eval-mode batch norm as one 2-D convolution."""

    weight: torch.Tensor
    bias: torch.Tensor
    padding: int
    dilation: int

    def __call__(self, X: torch.Tensor) -> torch.Tensor:
        return F.conv2d(
            X,
            self.weight,
            self.bias,
            padding=(0, self.padding),
            dilation=(1, self.dilation),
        )


def _fold(conv: nn.Module, norm: nn.Module) -> _FoldedConv:
    assert isinstance(conv, nn.Conv1d)
    assert isinstance(norm, nn.BatchNorm1d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
    return _FoldedConv(
        _channels_last(conv.weight * scale[:, None, None]),
        norm.bias - norm.running_mean * scale,
        int(conv.padding[0]),
        conv.dilation[0],
    )


def _run_folded(
    model: ResidualBind, X: torch.Tensor, layers: list[_FoldedConv]
) -> torch.Tensor:
    X = _channels_last(X)
    first, *inner, last = layers
    X = first(X).relu_()
    hidden = X
    for layer in inner:
        hidden = layer(hidden).relu_()
    X = X.add_(last(hidden)).relu_()
    X = F.avg_pool2d(X, (1, model.config.pool_size)).squeeze(2)
    X = X.transpose(1, 2).flatten(start_dim=1)
    X = model.dense_norm(model.dense(X)).relu_()
    y: torch.Tensor = model.output_activation(model.output(X))
    return y


def _convolve(conv: nn.Module, X: torch.Tensor, n: int) -> torch.Tensor:
    """Rows of n sequences, shape=(n * length, channels), convolved along each."""
    assert isinstance(conv, nn.Conv1d)
    image = X.reshape(n, 1, -1, X.shape[1]).permute(0, 3, 1, 2)
    weight = _channels_last(conv.weight)
    padding, dilation = (0, int(conv.padding[0])), (1, conv.dilation[0])
    out = F.conv2d(image, weight, conv.bias, padding=padding, dilation=dilation)
    return out.permute(0, 2, 3, 1).reshape(-1, conv.out_channels)


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
