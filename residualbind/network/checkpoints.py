"""Training checkpoints: written atomically, read back only by their own run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import load as deserialise
from safetensors.torch import save as serialise

from tangermeme_gia._core.identity import DIGEST, VERSION, tensors_checksum
from tangermeme_gia._core.storage import only_one, write_atomically

_CHECKPOINT = "checkpoint.safetensors"
_HISTORY = "history.tsv"
_LOCK = "training.lock"
_WEIGHTS = "weights to start from"
_MOST_NAMED = 5

Run = dict[str, str]


class CheckpointError(ValueError):
    """A checkpoint that a run cannot go on from; `reason` says why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"{reason}: choose another `checkpoint_folder`, or `restart=True`."
        )


class Checkpoint(NamedTuple):
    """Everything a run needs to go on after an epoch."""

    history: list[dict[str, float]]
    model_state: dict[str, torch.Tensor]
    best_state: dict[str, torch.Tensor]
    optimizer_state: dict[int, dict[str, torch.Tensor]]


class NotedFolder(NamedTuple):
    """A checkpoint folder, and what made the model and the data, by option.

    Where a checkpoint belongs to another run, the options that differ are named.
    """

    path: Path
    options: Mapping[str, Any]


class RunFolder:
    """The checkpoint of one run, and of no other.

    Parameters
    ----------
    folder: str, Path or NotedFolder
        Made where it is missing.

    settings: dict
        The run's options, by name.

    parts: dict
        What else must be the same, by a name that means something to a user.

    weights: dict of str to torch.Tensor
        Those that the model starts from, or has been trained to by this run.
    """

    def __init__(
        self,
        folder: str | Path | NotedFolder,
        settings: Mapping[str, Any],
        parts: Run,
        weights: Mapping[str, torch.Tensor],
    ) -> None:
        if not isinstance(folder, NotedFolder):
            folder = NotedFolder(Path(folder), {})
        self.folder = folder.path
        self.options = _texts({**settings, **folder.options})
        self.run = {**_texts(settings), **parts}
        self.run[_WEIGHTS] = tensors_checksum(weights)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Make the folder and keep every other training out of it.

        Raises
        ------
        CheckpointError
            If another training is in it.

        OSError
            If it cannot be made or written.
        """
        if self.folder.is_file():
            raise NotADirectoryError(f"`checkpoint_folder`: {self.folder} is a file.")
        self.folder.mkdir(parents=True, exist_ok=True)
        otherwise = CheckpointError(f"another training writes to {self.folder}")
        with only_one(self.folder / _LOCK, otherwise):
            yield

    def save(self, checkpoint: Checkpoint) -> None:
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
        texts = {
            "history": json.dumps(checkpoint.history),
            "run": json.dumps(self.run),
            "options": json.dumps(self.options),
        }
        metadata = {**texts, "checksum": tensors_checksum(tensors, texts)}
        write_atomically(self.folder / _CHECKPOINT, serialise(tensors, metadata))
        table = pd.DataFrame(checkpoint.history).to_csv(sep="\t", index=False)
        write_atomically(self.folder / _HISTORY, table.encode())

    def load(self) -> Checkpoint | None:
        """The folder's checkpoint, or None where there is none yet.

        Raises
        ------
        CheckpointError
            If the file is damaged or of something else, or the checkpoint belongs to
            a run with other settings, data or model.

        OSError
            If the file cannot be read.
        """
        path = self.folder / _CHECKPOINT
        if not path.exists():
            return None
        texts, tensors = _read(path)
        checkpoint = Checkpoint(
            history=texts["history"],
            model_state=_below("model", tensors),
            best_state=_below("best", tensors),
            optimizer_state=_optimizer_state(tensors),
        )
        saved = texts["run"]
        states = checkpoint.model_state, checkpoint.best_state
        if self.run[_WEIGHTS] in map(tensors_checksum, states):
            self.run[_WEIGHTS] = saved[_WEIGHTS]
        if saved != self.run:
            changes = _changes(texts["options"], self.options)
            # What follows from an option need not be named.
            after = VERSION if changes else ""
            changes += _changes(saved, self.run, after)
            raise CheckpointError(
                f"{path} belongs to another run; {_sentence(changes)}"
            )
        return checkpoint


def _read(path: Path) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """The texts of a checkpoint, parsed, and its tensors, both as they were written."""
    data = path.read_bytes()
    try:
        tensors = deserialise(data)
        end = 8 + int.from_bytes(data[:8], "little")
        texts = json.loads(data[8:end])["__metadata__"]
        checksum = texts.pop("checksum")
        parsed = {name: json.loads(text) for name, text in texts.items()}
        sound = checksum == tensors_checksum(tensors, texts)
    except (SafetensorError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise CheckpointError(
            f"{path} is damaged, or no checkpoint of this version of residualbind "
            f"({type(error).__name__}: {error})"
        ) from error
    if not sound:
        raise CheckpointError(f"{path} is damaged (its checksum is another)")
    return parsed, tensors


def _optimizer_state(
    tensors: dict[str, torch.Tensor],
) -> dict[int, dict[str, torch.Tensor]]:
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, tensor in _below("optimizer", tensors).items():
        index, key = name.split("/", 1)
        state.setdefault(int(index), {})[key] = tensor
    return state


def _below(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    start = f"{prefix}/"
    return {k[len(start) :]: v for k, v in tensors.items() if k.startswith(start)}


def _texts(settings: Mapping[str, Any]) -> Run:
    return {name: str(value) for name, value in settings.items()}


def _changes(saved: Run, now: Run, start: str = "") -> list[str]:
    """In words, what is not as it was, of what has a name that begins so."""
    words = []
    for name in [*now, *(name for name in saved if name not in now)]:
        was, is_ = saved.get(name, "absent"), now.get(name, "absent")
        if was == is_ or not name.startswith(start):
            continue
        unreadable = was.startswith(DIGEST) or is_.startswith(DIGEST)
        changed = "changed" if unreadable else f"was {was}, now {is_}"
        words.append(f"`{name}` {changed}")
    return words


def _sentence(changes: list[str]) -> str:
    more = len(changes) - _MOST_NAMED
    text = ", ".join(changes[:_MOST_NAMED])
    return f"{text} and {more} more changes" if more > 0 else text
