"""One training run, epoch by epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from tangermeme.predict import predict
from torch import nn

from tangermeme_gia._core.short import in_short

from .checkpoints import Checkpoint, CheckpointError
from .devices import autocast
from .metrics import column_pearsons
from .schedule import Schedule, best_epoch, draw_batches, epoch_seed

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

# Validation has no gradients to keep, so it can use larger batches than training.
_PREDICT_BATCH_SIZE = 512


@in_short
class TrainingResult(NamedTuple):
    """What a training run did, epoch by epoch, and which epoch was kept."""

    history: pd.DataFrame
    best_epoch: int
    best_pearson: float


class TrainingError(RuntimeError):
    """Training could not go on; the last good checkpoint, if any, is kept."""


class Settings(NamedTuple):
    batch_size: int
    lr: float
    schedule: Schedule
    loss: Loss
    dtype: torch.dtype | None

    def describe(self) -> dict[str, Any]:
        """Those that change the course of training, in JSON types."""
        schedule = self.schedule
        unusual = {"lr_drops": schedule.lr_drops, "momentum": schedule.momentum}
        return {
            "batch_size": self.batch_size,
            "lr": self.lr,
            "lr_decay": schedule.lr_decay,
            "lr_patience": schedule.lr_patience,
            "dtype": str(self.dtype),
            **{name: value for name, value in unusual.items() if value},
        }


class Trainer:
    """The state of a run; everything but tensors is derived from its history."""

    def __init__(
        self,
        model: nn.Module,
        settings: Settings,
        random_state: int,
        device: torch.device,
    ) -> None:
        self.model = model
        self.settings = settings
        self.random_state = random_state
        self.device = device
        self.history: list[dict[str, float]] = []
        self.state: dict[str, torch.Tensor] = {}
        self.best_state: dict[str, torch.Tensor] = {}
        self.optimizer: torch.optim.Optimizer | None = None

    @property
    def epoch(self) -> int:
        return len(self.history)

    @property
    def pearsons(self) -> list[float]:
        return [row["valid_pearson"] for row in self.history]

    @property
    def goes_on(self) -> bool:
        return self.settings.schedule.goes_on(self.pearsons)

    @contextmanager
    def whole_epochs(self) -> Iterator[None]:
        """Leave no model that was trained for a part of an epoch."""
        self.state = _copy_state(self.model)
        try:
            yield
        except BaseException:
            self.model.load_state_dict(self.state)
            raise

    def resume(self, checkpoint: Checkpoint | None, epochs: int) -> None:
        if checkpoint is None:
            return
        self.history = checkpoint.history
        self._check_length(epochs)
        self.state, self.best_state = checkpoint.model_state, checkpoint.best_state
        self.model.load_state_dict(self.state)
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
            model_state=self.state,
            best_state=self.best_state,
            optimizer_state=self.optimizer.state_dict()["state"],
        )

    def _check_length(self, epochs: int) -> None:
        """Refuse to hand out a longer run than the one that is asked for."""
        done = self.epoch
        if done > epochs:
            raise CheckpointError(f"{done} epochs are done, but `epochs` is {epochs}")
        schedule = self.settings.schedule
        for epoch in range(1, done):
            if not schedule.goes_on(self.pearsons[:epoch]):
                raise CheckpointError(
                    f"{done} epochs are done, but a `patience` of {schedule.patience} "
                    f"ends this run after {epoch}"
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
            "valid_pearson": float(np.mean(column_pearsons(y, y_hat))),
            "lr": lr,
            "seconds": time.perf_counter() - start,
        }
        self.history.append(row)
        self.state = _copy_state(self.model)
        if best_epoch(self.pearsons) == self.epoch:
            self.best_state = _copy_state(self.model)

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
                "model predicts a constant, or NaN, for some output. Try a lower `lr`."
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

    def _new_optimizer(self) -> torch.optim.Optimizer:
        learned, lr = self.model.parameters(), self.settings.lr
        fused = self.device.type in ("cpu", "cuda")
        momentum = self.settings.schedule.momentum
        if momentum is None:
            return torch.optim.Adam(learned, lr=lr, fused=fused)
        return torch.optim.SGD(
            learned, lr=lr, momentum=momentum, nesterov=True, fused=fused
        )

    def _fit(self, X: torch.Tensor, y: torch.Tensor) -> float:
        assert self.optimizer is not None
        self.model.train()
        total = torch.zeros((), device=self.device, dtype=torch.float64)
        measured = ~torch.isnan(y)
        complete = bool(measured.all())
        for rows in draw_batches(len(X), self.settings.batch_size, self.device):
            if not complete and not measured[rows].any():
                continue  # its loss would be a mean over nothing
            with autocast(self.device, self.settings.dtype):
                y_hat = self.model(X[rows].to(y.dtype))
            value = self._loss(y_hat.to(y.dtype), y[rows])
            _check_loss(value)
            self.optimizer.zero_grad()
            value.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            total += value.detach() * measured[rows].sum()
        mean = total.item() / int(measured.sum())
        if not math.isfinite(mean):
            raise TrainingError(
                f"the training loss became {mean} in epoch {self.epoch + 1}; the last "
                "good checkpoint is kept. Try a lower `lr`."
            )
        return mean

    def _loss(self, y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        measured = ~torch.isnan(y)
        return self.settings.loss(y_hat[measured], y[measured])


def _check_loss(value: Any) -> None:
    if isinstance(value, torch.Tensor) and value.numel() == 1 and value.requires_grad:
        return
    shape = getattr(value, "shape", None)
    kind = type(value).__name__ + ("" if shape is None else f" of shape {tuple(shape)}")
    raise TypeError(
        f"`loss` gives a {kind}; it must give one number for a mini-batch, a tensor "
        "that follows from the prediction."
    )


def _copy_state(model: nn.Module) -> dict[str, torch.Tensor]:
    return {
        name: tensor.detach().cpu().clone()
        for name, tensor in model.state_dict().items()
    }
