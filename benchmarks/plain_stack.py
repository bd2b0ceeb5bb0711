"""ResidualBind's layers one after the other, as a user would write them."""

from __future__ import annotations

import torch
from torch import nn

from residualbind import ResidualBind


class PlainStack(nn.Module):
    """The Conv1d, BatchNorm1d and ReLU modules of a ResidualBind, one by one."""

    def __init__(self, model: ResidualBind) -> None:
        super().__init__()
        self.model = model

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        model = self.model
        X = model.conv_dropout(model.conv_relu(model.conv_norm(model.conv(X))))
        X = model.pool_dropout(model.pool(model.block(X)))
        X = X.transpose(1, 2).flatten(start_dim=1)
        X = model.dense_dropout(model.dense_relu(model.dense_norm(model.dense(X))))
        return model.output_activation(model.output(X))
