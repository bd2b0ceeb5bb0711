"""A model while a function asks it: what it keeps alive, and whether it keeps state."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import torch

from .asking import bytes_alive, left_training, tensors_of


class Watched:
    """What the calls of a model are like, within `with`.

    Parameters
    ----------
    model: torch.nn.Module
        The model.

    replay: bool
        Whether to keep what the first call was asked, for `answers_otherwise`.
    """

    def __init__(self, model: torch.nn.Module, *, replay: bool) -> None:
        self.model, self.replay = model, replay
        # Bytes kept alive by what the calls return, and modules in train mode after.
        self.alive, self.training = 0, dict[str, None]()
        self._first: tuple[Any, Any] | None = None
        self._modes: dict[torch.nn.Module, bool] = {}
        self._answer: list[torch.Tensor] | None = None
        self._random: _State | None = None

    @contextmanager
    def calls(self) -> Iterator[None]:
        """Look at every call of the model from within."""
        hooks = [self.model.register_forward_hook(self._after)]
        if self.replay:
            before = self.model.register_forward_pre_hook(
                self._before, with_kwargs=True
            )
            hooks.append(before)
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def answers_otherwise(self) -> bool:
        """Whether the model gives another answer to its first question, asked again.

        With the same draws and in the same modes; False if that fails, as it may
        outside of the function that asked.
        """
        if self._first is None or self._answer is None or self._random is None:
            return False
        now, modes = _State(), _modes(self.model)
        args, kwargs = self._first
        again: list[torch.Tensor] = []
        try:
            _set_modes(self._modes)
            self._random.restore()
            with torch.no_grad(), suppress(Exception):
                again = tensors_of(self.model(*args, **kwargs))
        finally:
            _set_modes(modes)
            now.restore()
        return len(again) == len(self._answer) and any(
            one.shape != two.shape or not _close(one, two)
            for one, two in zip(self._answer, again, strict=True)
        )

    def _before(self, model: torch.nn.Module, args: Any, kwargs: Any) -> None:
        if self._first is None:
            self._first = _copied(args), _copied(kwargs)
            self._modes, self._random = _modes(model), _State()

    def _after(self, model: torch.nn.Module, _: Any, y: Any) -> None:
        self.alive += bytes_alive(y)
        self.training |= dict.fromkeys(left_training(model))
        if self.replay and self._answer is None:
            self._answer = _copied(tensors_of(y))


class _State:
    """Of the global generators of random numbers that models draw from."""

    def __init__(self) -> None:
        self._python = random.getstate()
        self._numpy = np.random.get_state()  # noqa: NPY002 - what models may draw from
        self._torch = torch.get_rng_state()
        self._cuda = torch.cuda.get_rng_state_all()

    def restore(self) -> None:
        random.setstate(self._python)
        np.random.set_state(self._numpy)  # noqa: NPY002
        torch.set_rng_state(self._torch)
        torch.cuda.set_rng_state_all(self._cuda)


def _copied(value: Any) -> Any:
    """Arguments as they are now, whatever is written into them later."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(item) for item in value]
    return value


def _modes(model: torch.nn.Module) -> dict[torch.nn.Module, bool]:
    return {module: module.training for module in model.modules()}


def _set_modes(modes: Mapping[torch.nn.Module, bool]) -> None:
    for module, training in modes.items():
        module.training = training


def _close(one: torch.Tensor, two: torch.Tensor) -> bool:
    """The very same computation, but for the order of adding up."""
    a, b = one.detach().to(torch.float64), two.detach().to(torch.float64)
    return bool(torch.allclose(a, b, rtol=1e-3, atol=1e-3 * float(a.abs().max())))
