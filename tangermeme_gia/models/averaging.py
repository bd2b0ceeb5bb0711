"""Folds or replicates of a model as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch


class AveragedModels(torch.nn.Module):
    """What do folds or replicates of a model predict together?

    The mean of their outputs on each sequence, as ChromBPNet's five folds are used.
    Effects of it are the means of their effects; how much these differ between the
    models `across_models` says.

    Parameters
    ----------
    models: sequence of torch.nn.Module
        At least two, which take the same input and give outputs of the same shapes: a
        tensor, or a list, tuple or mapping of tensors.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than two, one is no module, two state different alphabets,
        or, when they are asked, outputs differ in shape.

    Examples
    --------
    >>> folds = [torch.nn.Linear(3, 1) for _ in range(5)]
    >>> y = AveragedModels(folds)(torch.ones(2, 3))
    >>> bool(torch.isclose(y, sum(fold(torch.ones(2, 3)) for fold in folds) / 5).all())
    True
    """

    def __init__(self, models: Sequence[torch.nn.Module]) -> None:
        super().__init__()
        models = list(models)
        if len(models) < 2:
            raise ValueError(f"`models` has {len(models)}; an average needs two.")
        for number, model in enumerate(models):
            if not isinstance(model, torch.nn.Module):
                raise TypeError(
                    f"`models` holds a {type(model).__name__} (number {number}); it "
                    "must hold torch.nn.Module."
                )
        self.models = torch.nn.ModuleList(models)
        self.alphabet = _one_alphabet(models)

    def forward(self, X: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """The mean of what each gives."""
        total = self.models[0](X, *args, **kwargs)
        for number, model in enumerate(self.models[1:], start=1):
            total = _sum(total, model(X, *args, **kwargs), number)
        return _divided(total, len(self.models))


def _one_alphabet(models: Sequence[torch.nn.Module]) -> Any:
    stated = [getattr(model, "alphabet", None) for model in models]
    known = [letters for letters in stated if letters is not None]
    if len({"".join(letters) for letters in known}) > 1:
        raise ValueError(f"`models` state different alphabets: {stated}.")
    return known[0] if known else None


def _sum(total: Any, y: Any, number: int) -> Any:
    """The sum of two outputs, part by part."""
    if isinstance(total, torch.Tensor) and isinstance(y, torch.Tensor):
        if total.shape != y.shape:
            raise ValueError(
                f"`models` give outputs of shape {tuple(total.shape)} and, number "
                f"{number}, {tuple(y.shape)}; an average needs the same."
            )
        return total + y
    if isinstance(total, Mapping) and isinstance(y, Mapping) and set(total) == set(y):
        return {key: _sum(total[key], y[key], number) for key in total}
    both_lists = isinstance(total, list | tuple) and isinstance(y, list | tuple)
    if both_lists and len(total) == len(y):
        return [_sum(a, b, number) for a, b in zip(total, y, strict=True)]
    raise ValueError(
        f"`models` give a {type(total).__name__} and, number {number}, a "
        f"{type(y).__name__} of outputs that cannot be averaged; give tensors, or "
        "lists or mappings of as many."
    )


def _divided(total: Any, n: int) -> Any:
    if isinstance(total, torch.Tensor):
        return total / n
    if isinstance(total, Mapping):
        return {key: _divided(y, n) for key, y in total.items()}
    return [_divided(y, n) for y in total]
