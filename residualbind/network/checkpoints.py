"""Training checkpoints: written atomically, read back only by their own run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from safetensors import safe_open
from safetensors.torch import save as serialise
from torch import nn

from tangermeme_gia._core.storage import write_atomically

_CHECKPOINT = "checkpoint.safetensors"
_HISTORY = "history.tsv"


class Checkpoint(NamedTuple):
    """Everything a run needs to go on after an epoch."""

    history: list[dict[str, float]]
    model_state: dict[str, torch.Tensor]
    best_state: dict[str, torch.Tensor]
    optimizer_state: dict[int, dict[str, torch.Tensor]]


def describe_run(
    model: nn.Module,
    tensors: Sequence[torch.Tensor],
    settings: dict[str, Any],
    random_state: int,
) -> dict[str, Any]:
    """What must be equal for a checkpoint to belong to a run.

    Parameters
    ----------
    model: torch.nn.Module
        Its parameter names and shapes count, not their values.

    tensors: sequence of torch.Tensor
        The data; a checksum of each counts.

    settings: dict
        Options that change the course of training, in JSON types.

    random_state: int
        The seed.

    Returns
    -------
    run: dict
        JSON types only.
    """
    shapes = {name: list(t.shape) for name, t in model.state_dict().items()}
    return {
        **settings,
        "random_state": random_state,
        "model": _digest(json.dumps(shapes, sort_keys=True).encode()),
        "data": [tensor_checksum(tensor) for tensor in tensors],
    }


def tensor_checksum(tensor: torch.Tensor) -> str:
    """SHA-256 of a tensor's dtype, shape and bytes."""
    array = tensor.detach().cpu().contiguous().numpy()
    header = f"{array.dtype.str}{array.shape}".encode()
    return _digest(header + array.tobytes())


def save_checkpoint(folder: Path, checkpoint: Checkpoint, run: dict[str, Any]) -> None:
    """Replace the folder's checkpoint and history table, each in one step.

    Raises
    ------
    OSError
        If the disk is full or the folder cannot be written; the files that were
        there are untouched.
    """
    tensors = {f"model/{k}": v for k, v in checkpoint.model_state.items()}
    tensors |= {f"best/{k}": v for k, v in checkpoint.best_state.items()}
    for index, state in checkpoint.optimizer_state.items():
        tensors |= {f"optimizer/{index}/{k}": v for k, v in state.items()}
    tensors = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    metadata = {"history": json.dumps(checkpoint.history), "run": json.dumps(run)}
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / _CHECKPOINT, serialise(tensors, metadata))
    table = pd.DataFrame(checkpoint.history).to_csv(sep="\t", index=False)
    write_atomically(folder / _HISTORY, table.encode())


def load_checkpoint(folder: Path, run: dict[str, Any]) -> Checkpoint | None:
    """The folder's checkpoint, or None where there is none yet.

    Raises
    ------
    ValueError
        If the checkpoint belongs to a run with other settings, data or model.
    """
    path = folder / _CHECKPOINT
    if not path.exists():
        return None
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    _require_same_run(json.loads(metadata["run"]), run, path)
    optimizer_state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in _below("optimizer", tensors).items():
        index, key = name.split("/", 1)
        optimizer_state.setdefault(int(index), {})[key] = tensor
    return Checkpoint(
        history=json.loads(metadata["history"]),
        model_state=_below("model", tensors),
        best_state=_below("best", tensors),
        optimizer_state=optimizer_state,
    )


def _below(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    start = f"{prefix}/"
    return {k[len(start) :]: v for k, v in tensors.items() if k.startswith(start)}


def _require_same_run(saved: dict[str, Any], run: dict[str, Any], path: Path) -> None:
    changed = [
        f"`{name}` was {saved.get(name)!r}, is {run.get(name)!r}"
        for name in sorted(saved.keys() | run.keys())
        if saved.get(name) != run.get(name)
    ]
    if changed:
        raise ValueError(
            f"{path} belongs to another run: {'; '.join(changed)}. Use another "
            "`checkpoint_folder` or the same options and data."
        )


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
