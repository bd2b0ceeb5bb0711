"""Any method fitted to RNAcompete data, by its name."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from tangermeme_gia._core.letters import RNA, check_count

from ..data.rnacompete import RNAcompete
from ..data.transforms import Transform
from ..network.devices import cuda_devices, default_device
from ..network.examples import checked_examples
from ..network.trainer import TrainingError, TrainingResult
from ..network.training import train
from .fitted import Fitted
from .inputs import as_channels
from .recipes import Method, Outcome, Problem, Recipe
from .registry import get_method
from .search import folds_of, search

_FULL = "full"


class HasSplits(Protocol):
    """Training and validation probes, as `prepare` and `RNAcompete.split` give them."""

    @property
    def train(self) -> RNAcompete: ...

    @property
    def valid(self) -> RNAcompete: ...


def fit_method(
    name: str,
    data: HasSplits,
    *,
    channels: int | None = None,
    trials: int | str | None = None,
    epochs: int | None = None,
    checkpoint_folder: str | Path | None = None,
    cache_folder: str | Path | None = None,
    n_jobs: int | None = None,
    random_state: int = 0,
    device: str | torch.device | None = None,
    verbose: bool = False,
) -> Fitted:
    """How well does another method do on the same probes?

    Trains ResidualBind, or one of the methods that it is compared with, on the training
    probes by the recipe of its authors. Whatever is chosen, settings, epochs, widths or
    penalties, is chosen on the validation probes or, in a search, on training probes
    that are held out. The test probes are not looked at.

    Parameters
    ----------
    name: str
        One of `method_names()`.

    data: Prepared, or any object with `train` and `valid`
        Probes of one experiment, with scores in the scale of training: what `prepare`
        gives. Structure that they have is used by methods that read it.

    channels: int or None, optional
        Input channels: 4 (sequence), 6 (with "PU"), 9 (with "PHIME") or, for ThermoNet,
        64. What the data lack is predicted by ViennaRNA. None is the method's own.
        Default is None.

    trials: int, "full" or None, optional
        Settings to try where the method's authors search for them, on as many folds of
        the training probes as they do; 0 takes the recipe as it is, without Optuna.
        "full" is the number of the authors. None is one that a laptop can do,
        `get_method(name).recipe.trials`. Methods without a search ignore it.
        Default is None.

    epochs: int or None, optional
        The most epochs, or iterations, of each training. None is the recipe's.
        Default is None.

    checkpoint_folder: str, Path or None, optional
        Where training keeps its checkpoints, those of trials in folders of their own; a
        second call resumes there. Methods that are fitted to all probes at once keep
        none and start anew. Default is None.

    cache_folder: str, Path or None, optional
        Where structure is kept, as of `structure_profiles`. Default is None.

    n_jobs: int or None, optional
        Processes that fold. Default is None, one for each core.

    random_state: int, optional
        Seed of weights, mini-batches and draws of settings. Default is 0.

    device: str, torch.device or None, optional
        Where to train, as of `train`. Default is None.

    verbose: bool, optional
        Whether to show progress bars. Default is False.

    Returns
    -------
    fitted: Fitted
        The model, with `predict`, `save`, `n_parameters`, `epochs` and `seconds`.

    Raises
    ------
    TypeError, ValueError
        If an option is not allowed, the data have several experiments, or scores that
        were not measured; also as `train`.
    ImportError
        If ViennaRNA or Optuna is needed and not installed.
    TrainingError
        As `train`.

    Examples
    --------
    >>> from residualbind import prepare, simulate_rnacompete
    >>> data = prepare(simulate_rnacompete(400).data)
    >>> fitted = fit_method("matrixreduce", data, epochs=5)
    >>> fitted.predict(data.test.X).shape, fitted.n_parameters
    (torch.Size([200, 1]), 34)
    """
    method = get_method(name)
    channels = _checked_channels(method, channels)
    n_trials = _count_trials(method, trials)
    if epochs is not None:
        check_count("epochs", epochs)
    check_count("random_state", random_state, 0)
    read = partial(
        as_channels,
        channels=channels,
        cache_folder=cache_folder,
        n_jobs=n_jobs,
        verbose=verbose,
    )
    parts = (_checked(data.train, "train"), _checked(data.valid, "valid"))
    train_part, valid_part = ((read(X), y) for X, y in parts)
    problem = Problem(train_part, valid_part, random_state)
    folder = None if checkpoint_folder is None else Path(checkpoint_folder)
    trainer = _Trainer(method, problem, folder, device, verbose)
    start = time.perf_counter()
    outcome = trainer.fit(method.recipe.limited(epochs), n_trials)
    transform = getattr(data, "transform", None)
    return Fitted(
        name=method.name,
        model=outcome.model.eval(),
        recipe=outcome.recipe,
        channels=channels,
        length=problem.size[1],
        epochs=outcome.epochs,
        seconds=time.perf_counter() - start,
        pearson=outcome.pearson,
        trials=n_trials,
        random_state=random_state,
        experiment=_experiment(data),
        transform=transform if isinstance(transform, Transform) else None,
        profile=problem.train[0][:, : len(RNA)].float().mean(dim=0).cpu(),
    )


class _Trainer:
    """Trains a method by a recipe, for trials and in earnest."""

    def __init__(
        self,
        method: Method,
        problem: Problem,
        folder: Path | None,
        device: str | torch.device | None,
        verbose: bool,
    ) -> None:
        self.method, self.problem, self.folder = method, problem, folder
        self.device, self.verbose = default_device(device), verbose

    def fit(self, recipe: Recipe, n_trials: int) -> Outcome:
        """The model in earnest, after a search with so many trials."""
        if self.method.fit is not None:
            return self.method.fit(recipe, self.problem)
        if n_trials:
            recipe = search(recipe, n_trials, self.score, self.problem.random_state)
        model, result = self.run(recipe, self.problem, "final" if n_trials else "")
        return Outcome(model, recipe, len(result.history), result.best_pearson)

    def run(
        self, recipe: Recipe, problem: Problem, place: str
    ) -> tuple[nn.Module, TrainingResult]:
        """A model from seeded weights; `place` is its folder of checkpoints."""
        with torch.random.fork_rng(cuda_devices(self.device)):
            torch.manual_seed(problem.random_state)
            model = self.method.build(*problem.size, **recipe.settings)
        result = train(
            model,
            problem.train,
            problem.valid,
            epochs=recipe.n_epochs(len(problem.train[0])),
            batch_size=recipe.batch_size,
            lr=recipe.lr,
            schedule=recipe.schedule(),
            loss=recipe.loss_of(model),
            checkpoint_folder=self.folder and self.folder / place,
            random_state=problem.random_state,
            device=self.device,
            verbose=self.verbose,
        )
        return model, result

    def score(self, recipe: Recipe, trial: int) -> float:
        """Minus the lowest loss on held-out parts of the training probes, on average.

        Not the correlation, which does not see predictions that have shrunk to nothing.
        """
        X, y = self.problem.train
        seed = self.problem.random_state
        recipe = replace(recipe, epochs=recipe.trial_epochs or recipe.epochs)
        total = 0.0
        for i, (rows, held_out) in enumerate(folds_of(X, recipe.folds, seed)):
            fold = Problem((X[rows], y[rows]), (X[held_out], y[held_out]), seed)
            try:
                _, result = self.run(recipe, fold, f"trial-{trial}-fold-{i}")
            except TrainingError:  # it predicts a constant, or nothing finite
                return float("nan")
            total += float(result.history["valid_loss"].min())
        return -total / recipe.folds


def _checked_channels(method: Method, channels: int | None) -> int:
    if channels is None:
        return method.channels[0]
    if channels not in method.channels:
        allowed = ", ".join(map(str, method.channels))
        raise ValueError(
            f"`channels`={channels!r}: {method.title} takes {allowed} channels."
        )
    return channels


def _count_trials(method: Method, trials: int | str | None) -> int:
    recipe = method.recipe
    if trials is None:
        return recipe.trials
    if trials == _FULL:
        return recipe.full_trials
    if isinstance(trials, str):
        raise ValueError(f"`trials`={trials!r} must be a number, 'full' or None.")
    check_count("trials", trials, 0)
    return int(trials) if recipe.full_trials else 0


def _checked(part: RNAcompete, name: str) -> tuple[torch.Tensor, torch.Tensor]:
    X, y = checked_examples(part, name)
    if y.shape[1] != 1 or torch.isnan(y).any():
        raise ValueError(
            f"`data` has scores of {y.shape[1]} experiments in `{name}`, "
            f"{int(torch.isnan(y).sum())} of them not measured; a method is fitted to "
            "one, with all scores: take `data.select(experiment)` before `prepare`."
        )
    return X, y


def _experiment(data: HasSplits) -> str:
    names: Sequence[str] = getattr(data.train, "experiments", ())
    return names[0] if names else ""
