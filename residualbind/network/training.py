"""Training with the paper's recipe, checkpoints and exact resumption."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
import torch
from tangermeme.predict import predict
from torch import nn
from tqdm import tqdm

from tangermeme_gia._core.letters import check_count

from .checkpoints import Checkpoint, describe_run, load_checkpoint, save_checkpoint
from .devices import autocast, cuda_devices, default_device, placed
from .metrics import pearson
from .schedule import Schedule, best_epoch, draw_batches, epoch_seed

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

# Validation has no gradients to keep, so it can use larger batches than training.
_PREDICT_BATCH_SIZE = 512


class HasExamples(Protocol):
    """Anything with sequences `X` and scores `y`, such as `RNAcompete`."""

    @property
    def X(self) -> torch.Tensor: ...

    @property
    def y(self) -> torch.Tensor: ...


Examples = HasExamples | tuple[torch.Tensor, torch.Tensor]


class TrainingResult(NamedTuple):
    """What a training run did, epoch by epoch, and which epoch was kept."""

    history: pd.DataFrame
    best_epoch: int
    best_pearson: float


class TrainingError(RuntimeError):
    """Training could not go on; the last good checkpoint, if any, is kept."""


def train(
    model: nn.Module,
    train: Examples,
    valid: Examples,
    *,
    epochs: int = 100,
    batch_size: int = 100,
    lr: float = 0.001,
    schedule: Schedule | None = None,
    loss: Loss = nn.functional.mse_loss,
    checkpoint_folder: str | Path | None = None,
    random_state: int = 0,
    device: str | torch.device | None = None,
    dtype: torch.dtype | None = None,
    verbose: bool = False,
) -> TrainingResult:
    """Fit a model to binding scores and keep the epoch that generalises best.

    The defaults are the paper's recipe: mean squared error, Adam, mini-batches of
    100, learning rate 0.001 times 0.3 after 7 epochs without a better validation
    Pearson correlation, stop after 20. On return the model holds the state of the
    first epoch with the highest validation Pearson, in eval mode, on the device it
    was on before.

    Parameters
    ----------
    model: torch.nn.Module
        Any model that maps X to an output of the shape of `y`.

    train: tuple of torch.Tensor, or an object with `X` and `y`
        Sequences, shape=(n, channels, length), of any dtype, and scores,
        shape=(n,) or (n, n_outputs). A NaN score, not measured, enters no loss.

    valid: tuple of torch.Tensor, or an object with `X` and `y`
        The same for the examples that choose the learning rate and the epoch.

    epochs: int, optional
        The most epochs to train. Default is 100.

    batch_size: int, optional
        The most examples in a mini-batch; the batches of an epoch differ in size by
        at most one. Default is 100.

    lr: float, optional
        Learning rate of Adam. Default is 0.001.

    schedule: Schedule or None, optional
        When the learning rate falls and when training stops, such as
        `Schedule(patience=10)`. None is the paper's. Default is None.

    loss: function, optional
        `loss(prediction, target)` of one mini-batch, a scalar; use
        `torch.nn.functional.binary_cross_entropy` for a model with a sigmoid.
        Default is the mean squared error.

    checkpoint_folder: str, pathlib.Path or None, optional
        Where to write, after every epoch, `checkpoint.safetensors` (atomically)
        and `history.tsv`. If it holds a checkpoint of the same run, training
        resumes there and ends as an uninterrupted run would; `epochs`, `device` and
        the schedule's `patience` may differ. None writes nothing. Default is None.

    random_state: int, optional
        Seed of the mini-batches and of dropout; CPU runs repeat bit for bit on the
        same number of threads. Global random state is left alone. Default is 0.

    device: str, torch.device or None, optional
        Where to train; None is CUDA where available, else the CPU. The data are
        moved there once. Default is None.

    dtype: torch.dtype or None, optional
        Mixed precision: the dtype to autocast to. None is bfloat16 on CUDA and no
        autocast on a CPU. Default is None.

    verbose: bool, optional
        Whether to show a progress bar. Default is False.

    Returns
    -------
    result: TrainingResult
        `history`, a DataFrame with one row per epoch (epoch, train_loss,
        valid_loss, valid_pearson, lr, seconds), `best_epoch` and `best_pearson`.

    Raises
    ------
    TypeError, ValueError
        If the examples are too few, constant, infinite or of the wrong shape, if an
        option is out of range, or if the checkpoint belongs to a different run.

    TrainingError
        If the loss stops being finite, no epoch has a defined validation Pearson,
        or a checkpoint cannot be written.

    Examples
    --------
    >>> X, y = torch.randn(64, 4, 10), torch.randn(64, 1)
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(40, 1))
    >>> result = train(model, (X[:48], y[:48]), (X[48:], y[48:]), epochs=2)
    >>> len(result.history)
    2
    """
    check_count("epochs", epochs)
    check_count("batch_size", batch_size, 2)  # batch norm cannot train on one
    if not lr > 0:
        raise ValueError(f"`lr`={lr} must be above 0.")
    train_X, train_y = _examples(train, "train")
    valid_X, valid_y = _examples(valid, "valid")
    device = default_device(device)
    settings = _Settings(batch_size, lr, schedule or Schedule(), loss, dtype)
    run = describe_run(
        model, (train_X, train_y, valid_X, valid_y), settings.describe(), random_state
    )
    trainer = _Trainer(model, settings, random_state, device)
    folder = None if checkpoint_folder is None else Path(checkpoint_folder)
    with placed(model, device), torch.random.fork_rng(cuda_devices(device)):
        if folder is not None:
            trainer.resume(load_checkpoint(folder, run))
        trainer.check_output(train_X, train_y)
        data = train_X.to(device), train_y.to(device)
        bar = tqdm(total=epochs, initial=trainer.epoch, disable=not verbose)
        with bar:
            while trainer.epoch < epochs and trainer.goes_on:
                trainer.run_epoch(data, (valid_X, valid_y))
                if folder is not None:
                    _save(folder, trainer.checkpoint(), run)
                bar.set_postfix(trainer.summary())
                bar.update()
        return trainer.finish()


class _Settings(NamedTuple):
    batch_size: int
    lr: float
    schedule: Schedule
    loss: Loss
    dtype: torch.dtype | None

    def describe(self) -> dict[str, Any]:
        """Those that change the course of training, in JSON types."""
        return {
            "batch_size": self.batch_size,
            "lr": self.lr,
            "lr_decay": self.schedule.lr_decay,
            "lr_patience": self.schedule.lr_patience,
            "loss": getattr(self.loss, "__qualname__", type(self.loss).__qualname__),
            "dtype": str(self.dtype),
        }


class _Trainer:
    """The state of a run; everything but tensors is derived from its history."""

    def __init__(
        self,
        model: nn.Module,
        settings: _Settings,
        random_state: int,
        device: torch.device,
    ) -> None:
        self.model = model
        self.settings = settings
        self.random_state = random_state
        self.device = device
        self.history: list[dict[str, float]] = []
        self.best_state: dict[str, torch.Tensor] = {}
        self.optimizer: torch.optim.Adam | None = None

    @property
    def epoch(self) -> int:
        return len(self.history)

    @property
    def pearsons(self) -> list[float]:
        return [row["valid_pearson"] for row in self.history]

    @property
    def goes_on(self) -> bool:
        return self.settings.schedule.goes_on(self.pearsons)

    def resume(self, checkpoint: Checkpoint | None) -> None:
        if checkpoint is None:
            return
        self.history = checkpoint.history
        self.best_state = checkpoint.best_state
        self.model.load_state_dict(checkpoint.model_state)
        self.optimizer = self._new_optimizer()
        self.optimizer.load_state_dict(
            {
                "state": checkpoint.optimizer_state,
                "param_groups": self.optimizer.state_dict()["param_groups"],
            }
        )

    def checkpoint(self) -> Checkpoint:
        assert self.optimizer is not None
        return Checkpoint(
            history=self.history,
            model_state=self.model.state_dict(),
            best_state=self.best_state,
            optimizer_state=self.optimizer.state_dict()["state"],
        )

    def check_output(self, X: torch.Tensor, y: torch.Tensor) -> None:
        output = self.predict(X[:2])
        if not isinstance(output, torch.Tensor) or output.shape[1:] != y.shape[1:]:
            shape = getattr(output, "shape", None)
            found = f"{type(output).__name__} of shape {tuple(shape or ())}"
            raise ValueError(
                f"`model` maps 2 sequences to a {found}, but their `y` has shape "
                f"{tuple(y[:2].shape)}; they must agree."
            )

    def run_epoch(
        self,
        data: tuple[torch.Tensor, torch.Tensor],
        valid: tuple[torch.Tensor, torch.Tensor],
    ) -> None:
        start = time.perf_counter()
        # Seeding every epoch by its number makes a resumed run draw what the
        # uninterrupted one drew, with no random state to store.
        torch.manual_seed(epoch_seed(self.random_state, self.epoch))
        if self.optimizer is None:
            self.optimizer = self._new_optimizer()
        lr = self.settings.lr * self.settings.schedule.decay(self.pearsons)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        train_loss = self._fit(*data)
        X, y = valid
        y_hat = self.predict(X).to(y.dtype)
        row = {
            "epoch": self.epoch + 1,
            "train_loss": train_loss,
            "valid_loss": self._loss(y_hat, y).item(),
            "valid_pearson": float(np.mean(pearson(y, y_hat))),
            "lr": lr,
            "seconds": time.perf_counter() - start,
        }
        self.history.append(row)
        if best_epoch(self.pearsons) == self.epoch:
            self.best_state = {
                name: tensor.detach().cpu().clone()
                for name, tensor in self.model.state_dict().items()
            }

    def predict(self, X: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = predict(
            self.model, X, batch_size=_PREDICT_BATCH_SIZE, device=self.device
        )
        return y

    def finish(self) -> TrainingResult:
        epoch = best_epoch(self.pearsons)
        if epoch == 0:
            raise TrainingError(
                f"validation Pearson was undefined in all {self.epoch} epochs: the "
                "model predicts a constant. Try a lower `lr`."
            )
        self.model.load_state_dict(self.best_state)
        self.model.eval()
        history = pd.DataFrame(self.history).astype({"epoch": int})
        return TrainingResult(history, epoch, self.pearsons[epoch - 1])

    def summary(self) -> dict[str, str]:
        row = self.history[-1]
        return {
            "loss": f"{row['train_loss']:.4f}",
            "pearson": f"{row['valid_pearson']:.4f}",
            "best": f"{max([-math.inf, *self.pearsons]):.4f}",
            "lr": f"{row['lr']:.1e}",
        }

    def _new_optimizer(self) -> torch.optim.Adam:
        fused = self.device.type in ("cpu", "cuda")
        return torch.optim.Adam(
            self.model.parameters(), lr=self.settings.lr, fused=fused
        )

    def _fit(self, X: torch.Tensor, y: torch.Tensor) -> float:
        assert self.optimizer is not None
        self.model.train()
        total = torch.zeros((), device=self.device, dtype=torch.float64)
        for rows in draw_batches(len(X), self.settings.batch_size, self.device):
            with autocast(self.device, self.settings.dtype):
                y_hat = self.model(X[rows].to(y.dtype))
            value = self._loss(y_hat.to(y.dtype), y[rows])
            self.optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            total += value.detach() * len(rows)
        mean = total.item() / len(X)
        if not math.isfinite(mean):
            raise TrainingError(
                f"the training loss became {mean} in epoch {self.epoch + 1}; the last "
                "good checkpoint is kept. Try a lower `lr`."
            )
        return mean

    def _loss(self, y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        measured = ~torch.isnan(y)
        return self.settings.loss(y_hat[measured], y[measured])


def _examples(examples: Examples, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    X, y = examples if isinstance(examples, tuple) else (examples.X, examples.y)
    y = y.float() if y.dtype != torch.float64 else y
    y = y[:, None] if y.ndim == 1 else y
    if X.shape[0] != y.shape[0]:
        raise ValueError(
            f"`{name}` has {X.shape[0]} sequences but {y.shape[0]} rows of scores."
        )
    if torch.isinf(y).any():
        raise ValueError(f"`{name}` has infinite scores; only finite ones and NaN fit.")
    measured = ~torch.isnan(y)
    fewest = int(measured.sum(dim=0).min()) if y.numel() else 0
    if fewest < 3:
        raise ValueError(
            f"`{name}` has {fewest} measured scores in some output; at least 3 are "
            "needed."
        )
    low = torch.where(measured, y, math.inf).amin(dim=0)
    high = torch.where(measured, y, -math.inf).amax(dim=0)
    if bool((low == high).any()):
        raise ValueError(
            f"the scores of `{name}` are constant in output "
            f"{int((low == high).nonzero()[0])}; there is nothing to learn."
        )
    return X, y


def _save(folder: Path, checkpoint: Checkpoint, run: dict[str, Any]) -> None:
    try:
        save_checkpoint(folder, checkpoint, run)
    except OSError as error:
        raise TrainingError(
            f"the checkpoint of epoch {len(checkpoint.history)} could not be written "
            f"to {folder}: {error}. The one before is kept."
        ) from error
