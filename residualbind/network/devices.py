"""Where a model is trained, and in what precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


def default_device(device: str | torch.device | None) -> torch.device:
    """The asked device, or CUDA where available, else the CPU."""
    if device is not None:
        return torch.device(device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def cuda_devices(device: torch.device) -> list[torch.device]:
    """The CUDA devices whose random state a run on `device` uses."""
    return [device] if device.type == "cuda" else []


def autocast(device: torch.device, dtype: torch.dtype | None) -> torch.autocast:
    """Mixed precision: bfloat16 on CUDA and none on a CPU unless asked for."""
    if dtype is None:
        dtype = torch.bfloat16
        return torch.autocast(device.type, dtype, enabled=device.type == "cuda")
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


@contextmanager
def placed(model: nn.Module, device: torch.device) -> Iterator[None]:
    """The model on `device` for a while; back where it was, whatever happens."""
    parameter = next(model.parameters(), None)
    if parameter is None:
        raise ValueError("`model` has no parameters to train.")
    before = parameter.device
    model.to(device)
    try:
        yield
    finally:
        model.to(before)
