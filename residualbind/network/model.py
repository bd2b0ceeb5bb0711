"""ResidualBind: a dilated residual CNN that predicts protein binding from RNA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from tangermeme_gia._core.letters import RNA, check_count

from .passes import AS_WRITTEN, AsWritten, folded_pass, training_pass

# Keras's BatchNormalization constants, which the authors used: eps 1e-3 and a
# momentum of 0.99 for the running statistics (0.01 in torch's convention).
BATCH_NORM_EPS = 1e-3
BATCH_NORM_MOMENTUM = 0.01
_SIZES = (
    "channels",
    "length",
    "n_outputs",
    "filters",
    "kernel_size",
    "pool_size",
    "hidden",
)


@dataclass(frozen=True)
class ResidualBindConfig:
    """What fixes the architecture of a `ResidualBind`.

    The defaults are the architecture of the paper's methods section;
    `ResidualBindConfig.released()` is the one in the authors' released code.

    Parameters
    ----------
    channels: int, optional
        Input channels: 4 for sequence, 6 with paired/unpaired profiles, 9 with
        paired, hairpin, internal, multi and external profiles. Default is 4.

    length: int, optional
        Input length in nucleotides. Default is 41.

    n_outputs: int, optional
        Number of predicted experiments. Default is 1.

    filters: int, optional
        Filters of every convolution. Default is 96.

    kernel_size: int, optional
        Width of the first convolution. Must be odd. Default is 11.

    dilations: tuple of int, optional
        Dilation of each size-3 convolution in the residual module.
        Default is (1, 2, 4).

    pool_size: int, optional
        Window and stride of the mean pooling; a remainder at the 3' end is not
        pooled. Default is 10.

    hidden: int, optional
        Units of the fully connected layer. Default is 256.

    dense_batch_norm: bool, optional
        Whether batch norm precedes the ReLU of the fully connected layer.
        Default is False.

    dropout: float, optional
        Dropout after the first convolution. Default is 0.1.

    dropout_block: float, optional
        Dropout after each hidden layer inside the residual module. Default is 0.

    dropout_pool: float, optional
        Dropout after the residual module's pooled output. Default is 0.2.

    dropout_dense: float, optional
        Dropout after the fully connected layer. Default is 0.5.

    sigmoid: bool, optional
        Whether the output is passed through a sigmoid, for classification.
        Default is False.
    """

    channels: int = 4
    length: int = 41
    n_outputs: int = 1
    filters: int = 96
    kernel_size: int = 11
    dilations: tuple[int, ...] = (1, 2, 4)
    pool_size: int = 10
    hidden: int = 256
    dense_batch_norm: bool = False
    dropout: float = 0.1
    dropout_block: float = 0.0
    dropout_pool: float = 0.2
    dropout_dense: float = 0.5
    sigmoid: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.dilations, Sequence):
            raise ValueError(
                f"`dilations`={self.dilations!r} must be a sequence of integers, one "
                "for each convolution in the residual module."
            )
        object.__setattr__(self, "dilations", tuple(self.dilations))
        if not self.dilations:
            raise ValueError("`dilations` is empty; give at least one dilation.")
        for i, dilation in enumerate(self.dilations):
            check_count(f"dilations[{i}]", dilation)
        for name in _SIZES:
            check_count(name, getattr(self, name))
        if self.kernel_size % 2 == 0:
            raise ValueError(
                f"`kernel_size`={self.kernel_size} is even; an odd width is needed so "
                "that padding keeps the length."
            )
        if self.length < self.pool_size:
            raise ValueError(
                f"`length`={self.length} is shorter than `pool_size`={self.pool_size}; "
                "nothing would be left after pooling."
            )
        for name in ("dropout", "dropout_block", "dropout_pool", "dropout_dense"):
            rate = getattr(self, name)
            if not isinstance(rate, int | float) or not 0 <= rate < 1:
                raise ValueError(f"`{name}`={rate!r} must be at least 0 and below 1.")
        for name in ("dense_batch_norm", "sigmoid"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(
                    f"`{name}`={getattr(self, name)!r} must be True or False."
                )

    @classmethod
    def released(cls, **changes: Any) -> ResidualBindConfig:
        """The architecture of the authors' released code.

        It differs from the paper's text: four convolutions with dilations
        1, 2, 4, 8, dropout 0.1 inside the residual module, and batch norm on the
        fully connected layer.

        Parameters
        ----------
        changes: optional
            Fields to set otherwise, e.g. `n_outputs=2`.

        Returns
        -------
        config: ResidualBindConfig

        Examples
        --------
        >>> ResidualBindConfig.released(n_outputs=2).dilations
        (1, 2, 4, 8)
        """
        released: dict[str, Any] = {
            "dilations": (1, 2, 4, 8),
            "dropout_block": 0.1,
            "dense_batch_norm": True,
        }
        return cls(**(released | changes))


class ResidualBind(nn.Module):
    """How strongly does a protein bind an RNA sequence?

    A convolution, a dilated residual module, mean pooling and a fully connected
    layer, as in Koo et al. (2021), "ResidualBind". In eval mode without gradients
    the batch norms are folded into channels-last convolutions, which is about twice
    as fast on a CPU and equal to 1e-5; in training on a CPU the layers run
    channels-last, too. Otherwise, under `torch.compile`/`torch.export`, or when a
    submodule has a hook or was replaced by one of another type, every layer runs as
    written.

    Parameters
    ----------
    config: ResidualBindConfig or None, optional
        The architecture. None is the paper's for 41-nt RNA. Default is None.

    Examples
    --------
    >>> import torch
    >>> model = ResidualBind(ResidualBindConfig(n_outputs=2)).eval()
    >>> model(torch.zeros(8, 4, 41)).shape
    torch.Size([8, 2])
    """

    def __init__(self, config: ResidualBindConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or ResidualBindConfig()
        filters = config.filters
        self.conv = _same_conv(config.channels, filters, config.kernel_size, 1)
        self.conv_norm = _batch_norm(filters)
        self.conv_relu = nn.ReLU()
        self.conv_dropout = nn.Dropout(config.dropout)
        self.block = DilatedResidualBlock(
            filters, config.dilations, config.dropout_block
        )
        self.pool = nn.AvgPool1d(config.pool_size)
        self.pool_dropout = nn.Dropout(config.dropout_pool)
        pooled = config.length // config.pool_size
        self.dense = nn.Linear(
            pooled * filters, config.hidden, bias=not config.dense_batch_norm
        )
        self.dense_norm = (
            _batch_norm(config.hidden) if config.dense_batch_norm else nn.Identity()
        )
        self.dense_relu = nn.ReLU()
        self.dense_dropout = nn.Dropout(config.dropout_dense)
        self.output = nn.Linear(config.hidden, config.n_outputs)
        self.output_activation = nn.Sigmoid() if config.sigmoid else nn.Identity()
        self.apply(_initialise)
        self._layer_types = {name: type(layer) for name, layer in self.named_modules()}

    @property
    def alphabet(self) -> tuple[str, ...] | None:
        """Letters of the channels, which experiments take; None with structure."""
        return RNA if self.config.channels == len(RNA) else None

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Predict the binding score of each sequence.

        Parameters
        ----------
        X: torch.Tensor, shape=(-1, channels, length)
            One-hot sequences; padding and N are zero columns. Structure profiles,
            where the model was built for them, are the channels after the first 4.

        Returns
        -------
        y: torch.Tensor, shape=(-1, n_outputs)
            Predicted scores, or probabilities where the config asks for a sigmoid.

        Raises
        ------
        ValueError
            If the channels or the length are not what the model was built for.
        """
        self._check_input(X)
        if not torch.compiler.is_compiling() and self._layers_as_built():
            if not self.training and not torch.is_grad_enabled():
                pairs = [(self.conv, self.conv_norm), *self.block.pairs]
                return folded_pass(self._run, pairs, X)
            if self.training and X.device.type == "cpu":
                return training_pass(self._run, X)
        return self._run(X, AS_WRITTEN)

    def _run(self, X: torch.Tensor, way: AsWritten) -> torch.Tensor:
        """The layers in their order, each in the given way."""
        X = way.rectify(self.conv_relu, way.convolve(self.conv, self.conv_norm, X))
        X = self.block(way.drop(self.conv_dropout, X), way=way)
        X = way.drop(self.pool_dropout, way.pool(self.pool, X))
        # Keras flattens (length, channel), so the authors' dense weights expect it.
        X = self.dense_norm(self.dense(X.transpose(1, 2).flatten(start_dim=1)))
        X = way.drop(self.dense_dropout, way.rectify(self.dense_relu, X))
        y: torch.Tensor = self.output_activation(self.output(X))
        return y

    def _check_input(self, X: torch.Tensor) -> None:
        expected = (self.config.channels, self.config.length)
        if X.ndim != 3 or tuple(X.shape[1:]) != expected:
            raise ValueError(
                f"`X` has shape {tuple(X.shape)}; this model was built for "
                f"{expected[0]} channels and length {expected[1]}, so `X` must have "
                f"shape (n, {expected[0]}, {expected[1]})."
            )

    def _layers_as_built(self) -> bool:
        """Whether every layer is of the type it was built with and has no hook.

        A hook is there to see its layer run, and a layer put in another's place to
        replace it; the channels-last passes would skip both.
        """
        return not any(
            module._forward_hooks
            or module._forward_pre_hooks
            or module._backward_hooks
            or module._backward_pre_hooks
            or module.training is not self.training
            or type(module) is not self._layer_types.get(name)
            for name, module in self.named_modules()
            if name
        )


class DilatedResidualBlock(nn.Module):
    """Size-3 convolutions of growing dilation whose sum with the input is rectified.

    The last convolution's batch-normed output is added before its ReLU, so that
    the block refines its input rather than replacing it.

    Parameters
    ----------
    filters: int
        Channels in and out.

    dilations: tuple of int
        Dilation of each convolution.

    dropout: float
        Dropout after each layer but the last.
    """

    def __init__(
        self, filters: int, dilations: tuple[int, ...], dropout: float
    ) -> None:
        super().__init__()
        n_layers = len(dilations)
        self.convs = nn.ModuleList(
            _same_conv(filters, filters, 3, d) for d in dilations
        )
        self.norms = nn.ModuleList(_batch_norm(filters) for _ in dilations)
        # One ReLU module per use: DeepLIFT/SHAP keeps state on each.
        self.relus = nn.ModuleList(nn.ReLU() for _ in range(n_layers - 1))
        self.dropouts = nn.ModuleList(nn.Dropout(dropout) for _ in range(n_layers - 1))
        self.sum_relu = nn.ReLU()

    @property
    def pairs(self) -> list[tuple[nn.Module, nn.Module]]:
        """Each convolution with its batch norm."""
        return list(zip(self.convs, self.norms, strict=True))

    def forward(self, X: torch.Tensor, way: AsWritten = AS_WRITTEN) -> torch.Tensor:
        """Refine X, shape=(-1, filters, length), keeping its shape."""
        hidden = X
        *inner, last = self.pairs
        for pair, relu, dropout in zip(inner, self.relus, self.dropouts, strict=True):
            hidden = way.rectify(relu, way.convolve(*pair, hidden))
            hidden = way.drop(dropout, hidden)
        return way.join(self.sum_relu, X, way.convolve(*last, hidden))


def _same_conv(channels: int, filters: int, width: int, dilation: int) -> nn.Conv1d:
    return nn.Conv1d(
        channels,
        filters,
        width,
        padding=dilation * (width // 2),
        dilation=dilation,
        bias=False,  # batch norm follows and would remove it
    )


def _batch_norm(features: int) -> nn.BatchNorm1d:
    return nn.BatchNorm1d(features, eps=BATCH_NORM_EPS, momentum=BATCH_NORM_MOMENTUM)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv1d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
