"""Recipes: how the authors of a method trained it, in one record.

Whatever a recipe leaves open is as in `residualbind.train`: the best epoch by the
validation Pearson correlation is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import torch
from torch import nn

from ..network.schedule import Schedule
from ..network.trainer import Loss

LOSSES: dict[str, Loss] = {
    "mse": nn.functional.mse_loss,
    "huber": nn.functional.huber_loss,
}
# More epochs than anybody trains.
NEVER = 1_000_000
_PENALTIES = ("l1", "l2")


class Choice(NamedTuple):
    """What a setting is drawn from: two bounds, or the values that it may have."""

    kind: str
    values: tuple[Any, ...]


def log_uniform(low: float, high: float) -> Choice:
    """Any number between two, each order of magnitude equally often."""
    return Choice("log", (low, high))


def uniform(low: float, high: float) -> Choice:
    """Any number between two."""
    return Choice("uniform", (low, high))


def one_of(*values: Any) -> Choice:
    """One of a few values."""
    return Choice("one of", values)


@dataclass(frozen=True)
class Recipe:
    """How is a method trained, and what of it is searched for?

    Parameters
    ----------
    loss: str, optional
        "mse" or "huber". Default is "mse".

    optimizer: str, optional
        "adam" or "sgd" (Nesterov), of `residualbind.train`; "l-bfgs" and "ridge" are
        of methods that are fitted to all probes at once. Default is "adam".

    lr, momentum: float, optional
        Learning rate, and momentum of "sgd". Defaults are 0.001 and 0.9.

    l1, l2: mapping of str to float, optional
        What is added to the loss for the absolute values, or the squares, of all
        weights whose name begins so. Default is none.

    batch_size: int, optional
        Default is 100.

    epochs: int, optional
        The most epochs, or iterations of "l-bfgs". Default is 100.

    steps: int or None, optional
        The most mini-batches; fewer epochs if there are many probes. Default is None.

    lr_decay, lr_patience, lr_drops, patience: optional
        As of `Schedule`, but neither falls nor stops by default.

    settings: mapping, optional
        What the module is built with. Default is none.

    space: mapping of str to Choice, optional
        What is searched for: a field of the recipe, of which "l1" and "l2" are one
        strength for all weights that they have, or "settings.NAME", "l1.NAME" and
        "l2.NAME". Default is none.

    folds: int, optional
        Parts of the training probes that are held out in turn in a search.
        Default is 3.

    trial_epochs: int or None, optional
        The most epochs of a trial; None is `epochs`. Default is None.

    trials, full_trials: int, optional
        Trials of a search on a laptop, and of the authors'. Default is 0.

    Examples
    --------
    >>> recipe = Recipe(lr=0.01, settings={"width": 8})
    >>> recipe.chosen({"settings.width": 12, "lr": 0.1})
    Recipe(lr=0.1, settings={'width': 12})
    """

    loss: str = "mse"
    optimizer: str = "adam"
    lr: float = 0.001
    momentum: float = 0.9
    l1: Mapping[str, float] = field(default_factory=dict)
    l2: Mapping[str, float] = field(default_factory=dict)
    batch_size: int = 100
    epochs: int = 100
    steps: int | None = None
    lr_decay: float = 1.0
    lr_patience: int = NEVER
    lr_drops: tuple[int, ...] = ()
    patience: int = NEVER
    settings: Mapping[str, Any] = field(default_factory=dict)
    space: Mapping[str, Choice] = field(default_factory=dict)
    folds: int = 3
    trial_epochs: int | None = None
    trials: int = 0
    full_trials: int = 0

    def __repr__(self) -> str:
        usual = asdict(Recipe())
        mine = {n: v for n, v in vars(self).items() if n != "space" and v != usual[n]}
        return f"Recipe({', '.join(f'{name}={v!r}' for name, v in mine.items())})"

    @classmethod
    def from_dict(cls, state: Mapping[str, Any]) -> Recipe:
        """The recipe that `to_dict` described.

        Raises
        ------
        TypeError
            If something is missing, unknown, or of another type.
        """
        space = {
            name: Choice(kind, tuple(values))
            for name, (kind, values) in state["space"].items()
        }
        drops = tuple(state["lr_drops"])
        return cls(**{**state, "space": space, "lr_drops": drops})

    def to_dict(self) -> dict[str, Any]:
        """The recipe in JSON types."""
        return asdict(self)

    def value(self, name: str) -> Any:
        """The value of what `space` calls so."""
        group, _, key = name.partition(".")
        value = getattr(self, group)
        if key:
            return value[key]
        return max(value.values()) if group in _PENALTIES else value

    def chosen(self, choices: Mapping[str, Any]) -> Recipe:
        """The recipe with these values, by the names that `space` has."""
        recipe = self
        for name, value in choices.items():
            group, _, key = name.partition(".")
            if key:
                value = {**getattr(recipe, group), key: value}
            elif group in _PENALTIES:
                value = dict.fromkeys(getattr(recipe, group), value)
            recipe = replace(recipe, **{group: value})
        return recipe

    def limited(self, epochs: int | None) -> Recipe:
        """The recipe with at most so many epochs, in trials, too."""
        if epochs is None:
            return self
        trial = self.trial_epochs and min(self.trial_epochs, epochs)
        return replace(self, epochs=min(self.epochs, epochs), trial_epochs=trial)

    def n_epochs(self, n: int) -> int:
        """The most epochs for n training probes."""
        if self.steps is None:
            return self.epochs
        return min(self.epochs, max(1, math.ceil(self.steps * self.batch_size / n)))

    def schedule(self) -> Schedule:
        """Optimiser and learning rates for `train`."""
        return Schedule(
            lr_decay=self.lr_decay,
            lr_patience=self.lr_patience,
            patience=self.patience,
            lr_drops=self.lr_drops,
            momentum=self.momentum if self.optimizer == "sgd" else None,
        )

    def loss_of(self, model: nn.Module) -> Loss:
        """The loss for `train`, with the penalties of the model's weights."""
        loss = LOSSES[self.loss]
        return _Penalised(model, loss, self.l1, self.l2) if self.l1 or self.l2 else loss


class _Penalised:
    """A loss that grows with weights in training, and not on validation probes."""

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        l1: Mapping[str, float],
        l2: Mapping[str, float],
    ) -> None:
        self.model, self.loss, self.l1, self.l2 = model, loss, l1, l2

    def __call__(self, y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        value = self.loss(y_hat, y)
        if not y_hat.requires_grad:
            return value
        for name, weight in self.model.named_parameters():
            for start, strength in self.l1.items():
                if name.startswith(start):
                    value = value + strength * weight.abs().sum()
            for start, strength in self.l2.items():
                if name.startswith(start):
                    value = value + strength * weight.square().sum()
        return value


class Problem(NamedTuple):
    """What a method is fitted to: scores have the shape (n, 1)."""

    train: tuple[torch.Tensor, torch.Tensor]
    valid: tuple[torch.Tensor, torch.Tensor]
    random_state: int

    @property
    def size(self) -> tuple[int, int]:
        """Channels and length of the input."""
        _, channels, length = self.train[0].shape
        return channels, length


class Outcome(NamedTuple):
    """A fitted model, in eval mode, with the recipe that made it."""

    model: nn.Module
    recipe: Recipe
    epochs: int
    pearson: float


@dataclass(frozen=True)
class Method:
    """A method by name: what it is, what it reads, how it is built and trained.

    Parameters
    ----------
    name, title, source: str
        Short and full name, and where it was published.

    build: function
        `build(channels, length, **settings)`, the module.

    recipe: Recipe
        How it is trained.

    channels: tuple of int
        Input channels that it takes, the usual number first: 4 (sequence), 6 (with
        "PU"), 9 (with "PHIME") or 64 (with "sampled" structures).

    fit: function or None, optional
        `fit(recipe, problem)` of a method that is not trained by `residualbind.train`.
        Default is None.
    """

    name: str
    title: str
    source: str
    build: Callable[..., nn.Module]
    recipe: Recipe
    channels: tuple[int, ...]
    fit: Callable[[Recipe, Problem], Outcome] | None = None
