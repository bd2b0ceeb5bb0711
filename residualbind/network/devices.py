"""Where a model is trained, and in what precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


def default_device(device: str | torch.device | None) -> torch.device:
    """The asked device, if it can be used, or CUDA where available, else the CPU."""
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        asked = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"`device`={device!r} must be one such as cpu, cuda, cuda:1 or mps."
        ) from error
    try:
        torch.empty(1, device=asked).cpu()
    except Exception as error:  # torch has no one type for this
        reason = " ".join(str(error).splitlines()[:1])
        raise ValueError(f"`device`={device!r} cannot be used: {reason}") from error
    return asked


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
    learned = (p for p in model.parameters() if p.requires_grad)
    parameter = next(learned, None)
    if parameter is None:
        raise ValueError("`model` has no parameters to train.")
    before = parameter.device
    model.to(device)
    try:
        yield
    finally:
        model.to(before)
