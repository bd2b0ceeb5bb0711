"""Training with the paper's recipe, checkpoints and exact resumption."""

from __future__ import annotations

import math
from contextlib import ExitStack
from numbers import Real
from pathlib import Path

import torch
from torch import nn

from tangermeme_gia._core.identity import describe, tensors_checksum
from tangermeme_gia._core.letters import check_count
from tangermeme_gia._core.progress import progress

from .checkpoints import Checkpoint, NotedFolder, RunFolder
from .devices import cuda_devices, default_device, placed
from .examples import Examples, checked_examples
from .schedule import Schedule
from .trainer import Loss, Settings, Trainer, TrainingError, TrainingResult

_Pair = tuple[torch.Tensor, torch.Tensor]
# What autocast takes; float32 is none at all.
_DTYPES = (torch.float32, torch.bfloat16, torch.float16)


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
    checkpoint_folder: str | Path | NotedFolder | None = None,
    restart: bool = False,
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
        shape=(n,) or (n, n_outputs). A NaN score, not measured, enters no loss; a
        mini-batch without any score is passed over.

    valid: tuple of torch.Tensor, or an object with `X` and `y`
        The same for the examples that choose the learning rate and the epoch.

    epochs: int, optional
        The most epochs to train. Default is 100.

    batch_size: int, optional
        The most examples in a mini-batch; the batches of an epoch differ in size by
        at most one. Default is 100.

    lr: float, optional
        Learning rate to begin with. Default is 0.001.

    schedule: Schedule or None, optional
        When the learning rate falls and when training stops, such as
        `Schedule(patience=10)`, and whether Adam is replaced by stochastic gradient
        descent. None is the paper's. Default is None.

    loss: function, optional
        `loss(prediction, target)` of one mini-batch, a scalar; use
        `torch.nn.functional.binary_cross_entropy` for a model with a sigmoid.
        Default is the mean squared error.

    checkpoint_folder: str, pathlib.Path or None, optional
        Where to write, after every epoch, `checkpoint.safetensors` (atomically)
        and `history.tsv`. If it holds a checkpoint of the same run, training
        resumes there and ends as an uninterrupted run would. The same run has the
        same data, options, code and settings of the model and the loss, versions of
        packages, and weights to start from (or those that it had reached: a model
        goes on from its own); `device` may differ, and `epochs` and the schedule's
        `patience` where that changes nothing that is done. Only one training at a
        time writes to a folder. None writes nothing. Default is None.

    restart: bool, optional
        Whether to start anew, whatever checkpoint is there; it is replaced after the
        first epoch. Default is False.

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
        If the examples are too few, constant, infinite or of the wrong shape or type,
        if an option is out of range, the device cannot be used, the loss gives no
        number, the checkpoint is damaged, in use or of a different run, or the model
        or the loss holds something of which it cannot be said whether it is the same
        in a later run (with `checkpoint_folder`).

    TrainingError
        If the loss stops being finite, no epoch has a defined validation Pearson,
        or a checkpoint cannot be written. Whatever ends the training, the model then
        has the state of the last complete epoch.

    Examples
    --------
    >>> X, y = torch.randn(64, 4, 10), torch.randn(64, 1)
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(40, 1))
    >>> result = train(model, (X[:48], y[:48]), (X[48:], y[48:]), epochs=2)
    >>> len(result.history)
    2
    """
    check_count("epochs", epochs)
    _check_settings(batch_size, lr, schedule, loss, dtype)
    data, held_out = (
        _as_model(model, checked_examples(given, name))
        for given, name in ((train, "train"), (valid, "valid"))
    )
    device = default_device(device)
    settings = Settings(batch_size, lr, schedule or Schedule(), loss, dtype)
    trainer = Trainer(model, settings, random_state, device)
    folder = None
    with ExitStack() as stack:
        stack.enter_context(placed(model, device))
        stack.enter_context(torch.random.fork_rng(cuda_devices(device)))
        trainer.check_output(*data)
        stack.enter_context(trainer.whole_epochs())
        if checkpoint_folder is not None:
            folder = _run_folder(checkpoint_folder, trainer, data, held_out)
            stack.enter_context(folder.locked())
            trainer.resume(None if restart else folder.load(), epochs)
        on_device = data[0].to(device), data[1].to(device)
        with progress(epochs, "epochs", verbose, trainer.epoch) as update:
            while trainer.epoch < epochs and trainer.goes_on:
                trainer.run_epoch(on_device, held_out)
                if folder is not None:
                    _save(folder, trainer.checkpoint())
                update(1, trainer.summary())
        return trainer.finish()


def _check_settings(
    batch_size: object, lr: object, schedule: object, loss: object, dtype: object
) -> None:
    check_count("batch_size", batch_size, 2)  # batch norm cannot train on one
    if isinstance(lr, bool) or not isinstance(lr, Real) or not 0 < float(lr) < math.inf:
        raise ValueError(f"`lr`={lr!r} must be a finite number above 0.")
    if not isinstance(schedule, Schedule | None):
        raise TypeError(f"`schedule`={schedule!r} must be a Schedule or None.")
    if not callable(loss):
        raise TypeError(f"`loss`={loss!r} must be a function.")
    if dtype not in (None, *_DTYPES):
        allowed = ", ".join(map(str, _DTYPES))
        raise ValueError(f"`dtype`={dtype!r} must be one of {allowed}, or None.")


def _as_model(model: nn.Module, pair: _Pair) -> _Pair:
    """Scores in double precision only for a model that has it."""
    X, y = pair
    double = any(p.dtype == torch.float64 for p in model.parameters())
    return X, y.to(torch.float64 if double else torch.float32)


def _run_folder(
    folder: str | Path | NotedFolder, trainer: Trainer, data: _Pair, held_out: _Pair
) -> RunFolder:
    """The folder of this very run: its options, data, model and loss."""
    options = trainer.settings.describe() | {"random_state": trainer.random_state}
    learned = trainer.model.state_dict(keep_vars=True).values()
    parts = describe(learned, loss=trainer.settings.loss, model=trainer.model)
    for name, pair in (("train", data), ("valid", held_out)):
        for part, tensor in zip(("X", "y"), pair, strict=True):
            parts[f"{name}.{part}"] = tensors_checksum({part: tensor})
    return RunFolder(folder, options, parts, trainer.model.state_dict())


def _save(folder: RunFolder, checkpoint: Checkpoint) -> None:
    try:
        folder.save(checkpoint)
    except OSError as error:
        raise TrainingError(
            f"the checkpoint of epoch {len(checkpoint.history)} could not be written "
            f"to {folder.folder}: {error}. The one before is kept."
        ) from error
