"""When to slow down, which epoch to keep, and what each mini-batch holds."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from tangermeme_gia._core.letters import check_count


@dataclass(frozen=True)
class Schedule:
    """How are weights updated, when does training slow down, and when does it end?

    The defaults are the paper's.

    Parameters
    ----------
    lr_decay: float, optional
        Factor of the learning rate when validation stalls. Default is 0.3.

    lr_patience: int, optional
        Epochs without improvement before the learning rate falls. Default is 7.

    patience: int, optional
        Epochs without improvement before training stops. Default is 20.

    lr_drops: tuple of int, optional
        Epochs after which the learning rate falls whatever the validation says, by the
        same factor. Default is ().

    momentum: float or None, optional
        Nesterov momentum of stochastic gradient descent; None is Adam.
        Default is None.

    Raises
    ------
    TypeError, ValueError
        If one is of the wrong type or out of range.

    Examples
    --------
    >>> Schedule(lr_patience=2).decay([0.5, 0.6, 0.6, 0.4])
    0.3
    """

    lr_decay: float = 0.3
    lr_patience: int = 7
    patience: int = 20
    lr_drops: tuple[int, ...] = ()
    momentum: float | None = None

    def __post_init__(self) -> None:
        check_count("lr_patience", self.lr_patience)
        check_count("patience", self.patience)
        if not 0 < self.lr_decay <= 1:
            raise ValueError(
                f"`lr_decay`={self.lr_decay} must be above 0 and at most 1."
            )
        for i, epoch in enumerate(self.lr_drops):
            check_count(f"lr_drops[{i}]", epoch)
        if self.momentum is not None and not 0 < self.momentum < 1:
            raise ValueError(
                f"`momentum`={self.momentum} must be above 0 and below 1, or None."
            )

    def decay(self, pearsons: list[float]) -> float:
        """What the learning rate has been multiplied by after the given epochs.

        It falls when `lr_patience` epochs in a row, counted anew after each fall, were
        no better than the best before, and after the epochs of `lr_drops`.
        """
        best, waited = -math.inf, 0
        n_decays = sum(len(pearsons) >= epoch for epoch in self.lr_drops)
        for value in pearsons:
            if value > best:
                best, waited = value, 0
                continue
            waited += 1
            if waited == self.lr_patience:
                waited, n_decays = 0, n_decays + 1
        return float(self.lr_decay**n_decays)

    def goes_on(self, pearsons: list[float]) -> bool:
        """Whether the best epoch is less than `patience` epochs ago."""
        return len(pearsons) - best_epoch(pearsons) < self.patience


def best_epoch(pearsons: list[float]) -> int:
    """The first epoch, from 1, with the highest value; 0 where none is defined."""
    best, epoch = -math.inf, 0
    for i, value in enumerate(pearsons, start=1):
        if value > best:  # False for NaN, which is no better than anything
            best, epoch = value, i
    return epoch


def draw_batches(
    n: int, batch_size: int, device: torch.device
) -> tuple[torch.Tensor, ...]:
    """Row numbers of an epoch's mini-batches in random order, on the device.

    Every row is drawn once. Sizes differ by at most one, and none is a single
    example, with which batch norm could not train.
    """
    n_batches = max(1, min(math.ceil(n / batch_size), n // 2))
    return torch.randperm(n, device=device).tensor_split(n_batches)


def epoch_seed(random_state: int, epoch: int) -> int:
    """The seed of one epoch of a run, independent of the epochs before."""
    return int(np.random.SeedSequence([random_state, epoch]).generate_state(1)[0])
