"""When to slow down, which epoch to keep, and what each mini-batch holds."""

from __future__ import annotations

import math

import numpy as np
import torch


def best_epoch(pearsons: list[float]) -> int:
    """The first epoch, from 1, with the highest value; 0 where none is defined."""
    best, epoch = -math.inf, 0
    for i, value in enumerate(pearsons, start=1):
        if value > best:  # False for NaN, which is no better than anything
            best, epoch = value, i
    return epoch


def count_decays(pearsons: list[float], lr_patience: int) -> int:
    """How often the learning rate has fallen after the given epochs.

    It falls when `lr_patience` epochs in a row, counted anew after each fall, were
    no better than the best before.
    """
    best, waited, n_decays = -math.inf, 0, 0
    for value in pearsons:
        if value > best:
            best, waited = value, 0
            continue
        waited += 1
        if waited == lr_patience:
            waited, n_decays = 0, n_decays + 1
    return n_decays


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
