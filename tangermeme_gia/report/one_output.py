"""One number for each sequence, of any model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from .._core.asking import no_real_numbers
from .._core.layouts import advise_layout
from .._core.target import Target, select_output
from ..models.failures import describe_error

# Numbers that are copied to one piece of memory.
_SIDE_BY_SIDE = 2**16


class OutputError(ValueError):
    """A model does not give one number for each sequence, or fails."""


class OneOutput(torch.nn.Module):
    """What does a model predict, as one number for each sequence?

    Whatever the model raises becomes an `OutputError`, so that its failure is told
    apart from one of this package.

    Parameters
    ----------
    model: torch.nn.Module
        A model that gives tensors whose first axis are the sequences.

    target: int, str, tuple, function or None, optional
        Which of several outputs, as for every experiment; None is the only one.
        Default is None.

    narrow: bool, optional
        Whether to give that number alone, or all that the model gives, for functions
        that take a target themselves. Default is True.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 3))
    >>> OneOutput(model, target=2)(torch.zeros(5, 4, 20)).shape
    torch.Size([5, 1])
    """

    def __init__(
        self, model: torch.nn.Module, target: Target | None = None, narrow: bool = True
    ) -> None:
        super().__init__()
        self.model, self.target, self.narrow = model, target, narrow
        self._room: torch.Tensor | None = None

    @property
    def alphabet(self) -> Any:
        """The letters that the model states, or None."""
        return getattr(self.model, "alphabet", None)

    @property
    def __name__(self) -> str:
        """What messages call it."""
        return type(self.model).__name__

    def extra_repr(self) -> str:
        # Part of what the saved results of a model follow from.
        # Functions are among the settings.
        return "" if callable(self.target) else f"target={self.target}"

    def whole(self) -> OneOutput:
        """The same model and checks, with all that the model gives."""
        return OneOutput(self.model, self.target, narrow=False)

    def forward(self, X: torch.Tensor, *args: Any) -> Any:
        """Predictions, shape=(n, 1) if they are narrowed."""
        try:
            y = self.model(X, *args)
        except (Exception, SystemExit) as error:  # models may raise anything
            text = (
                f"the model fails on sequences of shape {tuple(X.shape)}: "
                f"{describe_error(error)}"
            )
            advice = advise_layout(self.model, X, args, error)
            raise OutputError(". ".join(filter(None, (text, advice)))) from error
        if isinstance(y, torch.Tensor) and y.ndim == 1:
            y = y[:, None]
        one = _choose(y, self.target)
        if not isinstance(one, torch.Tensor) or not len(X) == one.numel() == len(one):
            raise OutputError(
                f"the model gives {_describe(y)} for {len(X)} sequences; one number "
                "for each is needed. Choose it with `--target`, or wrap the model in a "
                "module that reduces its output, as for tangermeme's deep_lift_shap."
            )
        obstacle = no_real_numbers(one)
        if obstacle:
            raise OutputError(f"the model gives {obstacle}.")
        n_wrong = int((~torch.isfinite(one)).sum())
        if n_wrong:
            raise OutputError(
                f"the model gives NaN or an infinite number for {n_wrong} of "
                f"{len(X)} sequences."
            )
        return self._copy(one.reshape(len(X), 1)) if self.narrow else y

    def _copy(self, one: torch.Tensor) -> torch.Tensor:
        """A copy, since models may write over what they gave at their next call.

        Copies of many batches lie side by side: each by itself would lie where the
        whole output was, whose memory the next output could then not take.
        """
        if torch.is_grad_enabled() or one.device.type != "cpu":
            return one.clone()
        n, room = len(one), self._room
        if room is None or room.dtype != one.dtype or len(room) < n:
            room = one.new_empty(max(n, _SIDE_BY_SIDE), 1)
        self._room = room[n:]
        return room[:n].copy_(one)


def _choose(y: Any, target: Target | None) -> Any:
    if target is not None and isinstance(y, torch.Tensor | Mapping | list | tuple):
        try:
            return select_output(y, target)
        except ValueError as error:
            raise OutputError(str(error).replace("`target`", "`--target`")) from error
    if isinstance(y, torch.Tensor) and y.ndim == 2 and y.shape[1] > 1:
        raise OutputError(
            f"the model has {y.shape[1]} outputs; choose one of 0 to {y.shape[1] - 1} "
            "with `--target`."
        )
    return y


def _describe(y: Any) -> str:
    if isinstance(y, torch.Tensor):
        return f"outputs of shape {tuple(y.shape)}"
    if isinstance(y, Mapping | list | tuple):
        return f"a {type(y).__name__} of {len(y)}"
    return f"a {type(y).__name__}"
