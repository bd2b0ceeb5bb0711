"""Which settings of a recipe predict held-out training probes best? By Optuna."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch

from ..data.copies import first_copies
from .recipes import Choice, Recipe


def search(
    recipe: Recipe,
    n_trials: int,
    score: Callable[[Recipe, int], float],
    random_state: int,
) -> Recipe:
    """The best of some recipes of a space; the first is the recipe as it is.

    Where all settings have a few values each, no trial repeats another; otherwise they
    are drawn at random.

    Parameters
    ----------
    recipe: Recipe
        Whose `space` is searched.

    n_trials: int
        How many recipes are tried, at least 1.

    score: function
        `score(recipe, trial)`, the higher the better; NaN is the worst.

    random_state: int
        Seed of the draws. A second search with it tries the same.

    Returns
    -------
    recipe: Recipe

    Raises
    ------
    ImportError
        If Optuna is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise ImportError(
            "a search for settings needs Optuna, which is not installed: "
            'pip install "tangermeme-gia[search]"; `trials=0` searches none'
        ) from error
    sampler = optuna.samplers.RandomSampler(seed=random_state)
    spoken = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # a new study is no news
    study = optuna.create_study(direction="maximize", sampler=sampler)
    optuna.logging.set_verbosity(spoken)
    for values in itertools.islice(_listed(recipe, random_state), n_trials):
        study.enqueue_trial(values)
        n_listed = len(study.trials)
    if _is_finite(recipe):
        n_trials = min(n_trials, n_listed)
    best, highest = recipe, -math.inf
    failed = optuna.trial.TrialState.FAIL
    for i in range(n_trials):
        trial = study.ask()
        values = {name: _draw(trial, name, c) for name, c in recipe.space.items()}
        candidate = recipe.chosen(values)
        value = score(candidate, i)
        worst = not value > -math.inf
        study.tell(
            trial, state=failed if worst else None, values=None if worst else value
        )
        if value > highest:
            best, highest = candidate, value
    return best


def folds_of(
    X: torch.Tensor, n_folds: int, random_state: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Rows to train on and rows held out, part by part; copies stay together.

    Examples
    --------
    >>> folds = list(folds_of(torch.eye(4)[[0, 1, 2, 3]].T[None].repeat(6, 1, 1), 3, 0))
    >>> sum(len(held_out) for _, held_out in folds)
    6
    """
    groups, which = np.unique(first_copies(X), return_inverse=True)
    order = np.random.default_rng(random_state).permutation(len(groups))
    fold = (order * n_folds // len(groups))[which]
    for i in range(n_folds):
        yield (
            torch.from_numpy(np.flatnonzero(fold != i)),
            torch.from_numpy(np.flatnonzero(fold == i)),
        )


def _is_finite(recipe: Recipe) -> bool:
    return all(choice.kind == "one of" for choice in recipe.space.values())


def _listed(recipe: Recipe, random_state: int) -> Iterator[dict[str, Any]]:
    """The recipe as it is, then, where there is an end of them, all others."""
    own = {name: recipe.value(name) for name in recipe.space}
    yield own
    if _is_finite(recipe):
        values = [choice.values for choice in recipe.space.values()]
        every = list(itertools.product(*values))
        for i in np.random.default_rng(random_state).permutation(len(every)):
            point = dict(zip(recipe.space, every[i], strict=True))
            if point != own:
                yield point


def _draw(trial: Any, name: str, choice: Choice) -> Any:
    if choice.kind == "one of":
        return trial.suggest_categorical(name, choice.values)
    low, high = choice.values
    return trial.suggest_float(name, low, high, log=choice.kind == "log")
