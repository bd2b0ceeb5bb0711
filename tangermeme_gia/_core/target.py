"""Which output of a model is asked for: Captum's and tangermeme's `target`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

from .outputs import Label, Outputs, output_labels

# An index of axis 1, the key of a head, indices of axes 1, 2, ... (after the head, if
# there are several), or a function of the whole output.
Target: TypeAlias = int | str | tuple[int | str, ...] | Callable[[Any], torch.Tensor]


@dataclass(frozen=True)
class Contrast:
    """By how much does a motif do more for one output than for another?

    A `target`: the difference of two outputs of one model, such as two cell types. Its
    effect is the difference of the two effects, paired on each background; tables,
    tests, scans and races take it as any output.

    Parameters
    ----------
    output, minus: int, str, tuple or function
        The two, each as any `target`.

    Raises
    ------
    ValueError
        If, when a model is asked, one is not there or they differ in shape.

    Examples
    --------
    >>> Contrast(2, 0)(torch.tensor([[1.0, 5.0, 3.0]]))
    tensor([2.])
    >>> str(Contrast(("counts", 1), ("counts", 0)))
    'counts,1 - counts,0'
    """

    output: Target
    minus: Target

    def __call__(self, y: Any) -> torch.Tensor:
        """The difference in a model's output."""
        first, second = (select_output(y, t) for t in (self.output, self.minus))
        if not all(isinstance(part, torch.Tensor) for part in (first, second)):
            raise ValueError(
                f"`target` ({self}): {_described(first)} has no difference."
            )
        if first.shape != second.shape:
            raise ValueError(
                f"`target` ({self}): outputs of shapes {tuple(first.shape)} and "
                f"{tuple(second.shape)} have no difference."
            )
        difference: torch.Tensor = first - second
        return difference

    def __str__(self) -> str:
        return f"{word_of(self.output)} - {word_of(self.minus)}"


def check_target(target: Target) -> Target:
    """A target whose whole numbers are plain ints.

    Raises
    ------
    TypeError
        If it is neither an integer, a key, a tuple of these nor a function.

    ValueError
        If it is an empty tuple or holds a negative number.
    """
    if callable(target) or isinstance(target, str):
        return target
    if isinstance(target, tuple):
        if not target:
            raise ValueError("`target`=() is empty; None asks for every output.")
        return tuple(_check_part(part, target) for part in target)
    return _check_part(target, target)


def output_prefix(target: Target | None) -> tuple[int | str, ...]:
    """What stands in front of the indices that a target leaves, in a label."""
    if isinstance(target, Contrast):
        return (str(target),)
    if target is None or callable(target):
        return ()
    return target if isinstance(target, tuple) else (target,)


def select_output(y: Any, target: Target) -> Any:
    """The part of a model's output, first axis the sequences, that a target names.

    Raises
    ------
    ValueError
        If there is no such output; it says which there are.

    Examples
    --------
    >>> select_output(torch.zeros(5, 3, 7), (2, 6)).shape
    torch.Size([5])
    >>> select_output({"counts": torch.zeros(5, 2)}, "counts").shape
    torch.Size([5, 2])
    """
    if callable(target):
        return target(y)
    y, parts = head_of(y, target)
    if parts and not isinstance(y, torch.Tensor):
        raise ValueError(
            f"`target`={target!r} goes on behind {_described(y)}, which has no heads "
            "or axes."
        )
    keys = [part for part in parts if isinstance(part, str)]
    if keys:
        raise ValueError(
            f"`target` names the head {keys[0]!r}, but the model gives "
            f"{_described(y)}, which has none; give the indices of its axes."
        )
    for axis, index in enumerate(parts, start=1):
        size = y.shape[axis] if axis < y.ndim else 0
        if index >= size:  # type: ignore[operator]
            what = f"{size} outputs on axis {axis}" if size else f"no axis {axis}"
            raise ValueError(
                f"`target` has {index} for axis {axis}, but the model gives "
                f"{_described(y)}, which has {what}."
            )
    where: tuple[Any, ...] = (slice(None), *parts)
    return y[where] if parts else y


def head_of(y: Any, target: Target) -> tuple[Any, tuple[int | str, ...]]:
    """The head that a target names, and what it says of the head's axes.

    Examples
    --------
    >>> head_of({"counts": torch.zeros(5, 2)}, ("counts", 1))[1]
    (1,)
    """
    parts = output_prefix(target)
    while parts and isinstance(y, Mapping | list | tuple):
        y, parts = _head(y, parts[0]), parts[1:]
    return y, parts


def target_labels(target: Target | None, y: Outputs) -> list[Label] | None:
    """Labels of what a target has left of a model's outputs; None numbers them.

    Examples
    --------
    >>> target_labels((2, 0), torch.zeros(5, 3))
    [(2, 0, 0), (2, 0, 1), (2, 0, 2)]
    >>> target_labels(2, torch.zeros(5, 1)), target_labels(None, torch.zeros(5, 1))
    ([2], None)
    """
    if not isinstance(target, Contrast) and (target is None or callable(target)):
        return None
    prefix = output_prefix(target)
    left = output_labels(y)
    if isinstance(y, torch.Tensor) and y[:1].numel() == len(y[:1]) and y.ndim < 3:
        labels = [prefix]
    else:
        labels = [
            (*prefix, *(label if isinstance(label, tuple) else (label,)))
            for label in left
        ]
    return [label if len(label) > 1 else label[0] for label in labels]


class Targeted(torch.nn.Module):
    """A model narrowed to the outputs of a target, for any function that takes models.

    Parameters
    ----------
    model: torch.nn.Module
        The whole model.

    target: int, str, tuple or function
        What is asked of its output.

    keep_axis: bool
        Whether one number per sequence gets shape (n, 1), which attribution functions
        need, instead of (n,).
    """

    def __init__(
        self, model: torch.nn.Module, target: Target, *, keep_axis: bool
    ) -> None:
        super().__init__()
        self.model, self.target, self.keep_axis = model, target, keep_axis
        self.training = model.training

    def forward(self, X: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        """What the target names of the model's output."""
        y = select_output(self.model(X, *args, **kwargs), self.target)
        if self.keep_axis and isinstance(y, torch.Tensor) and y.ndim == 1:
            return y[:, None]
        return y


def word_of(target: Target) -> str:
    """A target as commands take it.

    Examples
    --------
    >>> word_of((2, 0)), word_of(Contrast("K562", "HepG2"))
    ('2,0', 'K562 - HepG2')
    """
    return ",".join(map(str, output_prefix(target))) or str(target)


def _check_part(part: Any, target: Any) -> int | str:
    if isinstance(part, str):
        return part
    if isinstance(part, bool) or not hasattr(part, "__index__"):
        raise TypeError(
            f"`target`={target!r} must be an integer, the key of a head, a tuple of "
            "these, or a function of the model's output."
        )
    if part < 0:
        raise ValueError(f"`target`={target!r} must not be negative.")
    return operator.index(part)


def _head(y: Any, key: int | str) -> Any:
    known = list(y) if isinstance(y, Mapping) else list(range(len(y)))
    if key not in known:
        raise ValueError(
            f"`target` asks for the head {key!r}, but the model gives a "
            f"{type(y).__name__} with the heads {known}."
        )
    return y[key]


def _described(y: Any) -> str:
    if isinstance(y, torch.Tensor):
        return f"outputs of shape {tuple(y.shape)}"
    return f"a {type(y).__name__}"
