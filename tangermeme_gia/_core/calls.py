"""A call of `func`: in batches that fit into memory, with outputs that are checked."""

from __future__ import annotations

import copy
import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from tangermeme.predict import predict

from .asking import Asked, as_module, as_rows, tensors_of
from .layouts import advise_layout
from .memory import OneTooLargeError, ran_out, release
from .target import Target, Targeted, check_target, head_of
from .watching import Watched

# Difference between two predictions of the same sequences, in parts of the largest
# output, that is more than another order of adding up: for single precision and for
# halves.
_ROUNDING, _ROUNDING_OF_HALVES = 5e-3, 0.1
# Keywords that say how outputs are computed, not which.
_HOW = ("batch_size", "device", "verbose")


class Caller:
    """A model, `func`, and its keywords.

    Parameters
    ----------
    model: torch.nn.Module or function
        The model to ask.

    target: int, str, tuple, function or None
        Which of its outputs.

    func: function
        `func(model, X, args=None, **kwargs)`.

    kwargs: mapping
        Keywords for it; `args` are not among them.

    dtypes: sequence of torch.dtype
        Those of the `args`.

    batch_size: int
        Sequences at a time, at most.
    """

    def __init__(
        self,
        model: Any,
        target: Target | None,
        func: Callable[..., Any],
        kwargs: Mapping[str, Any],
        dtypes: Sequence[torch.dtype],
        batch_size: int,
    ) -> None:
        self._whole, self._func, self._kwargs = as_module(model), func, dict(kwargs)
        self._asked = func is predict
        checked = None if target is None else check_target(target)
        self.model, post = self._whole, None
        if func is predict:
            post = self._kwargs.pop("func", None)
            self.model = Asked(self._whole, checked, post, dtypes)
        elif checked is not None:
            called = func.func if isinstance(func, functools.partial) else func
            keep_axis = called is not predict
            self.model = Targeted(self._whole, checked, keep_axis=keep_axis)
        settings = {k: v for k, v in self._kwargs.items() if k not in _HOW}
        # What answers follow from, beside the sequences, but for rounding.
        self.question: dict[str, Any] = {
            "model": self._whole,
            "target": checked,
            "func": (func, post, settings),
        }
        self._takes_batches = "batch_size" in self._kwargs or _takes_batch_size(func)
        self.batch_size = batch_size
        # Fewer than this at once, since memory ran out.
        self._most, self._said = sys.maxsize, False
        # Whether `func` gives several tensors.
        self.is_list = False

    def __call__(
        self, X: torch.Tensor, args: list[torch.Tensor] | None
    ) -> list[torch.Tensor]:
        """Outputs of sequences, which it may change, on the CPU."""
        parts: list[list[torch.Tensor]] = []
        start = 0
        while start < len(X):
            rows = slice(start, min(start + self._most, len(X)))
            try:
                part = self._once(X[rows], args and [arg[rows] for arg in args])
            except Exception as error:
                if not ran_out(error):
                    raise
                self._halve(rows.stop - start, X.shape[-1], error)
                continue
            parts.append(part)
            start = rows.stop
        if self._most < sys.maxsize:
            self._say(
                f"memory ran out; going on with {self._most} sequences at once. "
                f"`batch_size`={self._most} asks for no more."
            )
        if len(parts) == 1:
            return parts[0]
        return [torch.cat(heads) for heads in zip(*parts, strict=True)]

    def first(
        self, X: torch.Tensor, args: list[torch.Tensor] | None
    ) -> tuple[list[torch.Tensor], int]:
        """Outputs of a few sequences, and bytes that each keeps alive meanwhile."""
        watched = Watched(self._whole, replay=not self._asked)
        with watched.calls():
            heads = self._first(X, args)
        if self._asked and watched.training:
            raise ValueError(
                f"`model` ({self._named()}) is in train mode after its `forward`: "
                f"{', '.join(watched.training)}. Outputs then depend on the "
                "batch or on chance; it must leave `eval()` as it is."
            )
        if watched.answers_otherwise():
            warnings.warn(
                f"`model` ({self._named()}) gives another output when asked again for "
                "what `func` asked first: it keeps state between calls. Effects are "
                "right only if `func` resets it each time.",
                RuntimeWarning,
                stacklevel=2,
            )
        return heads, watched.alive // len(X)

    def advise(
        self, X: torch.Tensor, args: list[torch.Tensor] | None, error: BaseException
    ) -> str:
        """What to write where the model does not take sequences as they come."""
        device = next((t.device for t in self._whole.parameters()), X.device)
        rest = None if args is None else [arg.to(device) for arg in args]
        return advise_layout(self._whole, X.to(device), rest, error)

    def check_again(self, y: list[torch.Tensor], again: list[torch.Tensor]) -> None:
        """Raise if the model gives other outputs for the same sequences.

        Raises
        ------
        ValueError
            If so. Nothing is asked of another `func` than `predict`: it may draw.
        """
        if not self._asked:
            return
        for first, second in zip(y, again, strict=True):
            if first.shape != second.shape:
                raise ValueError(
                    f"`model` ({self._named()}) gives {tuple(first.shape[1:])} outputs "
                    f"for a sequence, and {tuple(second.shape[1:])} when asked again."
                )
            rounding = _ROUNDING_OF_HALVES if self.halves(first) else _ROUNDING
            a, b = first.to(torch.float64), second.to(torch.float64)
            difference, scale = (a - b).abs().max(), a.abs().max()
            if difference > rounding * scale:
                raise ValueError(
                    f"`model` ({self._named()}) gives other outputs when asked again "
                    f"for the same sequences: they differ by up to {difference:.3g}, "
                    f"where the largest is {scale:.3g}. It keeps state between calls, "
                    "draws at random, is in train mode or mixes the sequences of a "
                    "batch; effects need a model that answers the same. Average draws "
                    "in a `func`."
                )

    def halves(self, y: torch.Tensor) -> bool:
        """Whether outputs may be computed in half precision."""
        few = y.is_floating_point() and torch.finfo(y.dtype).bits < 32
        return few or self._kwargs.get("dtype") is not None

    def followed(self) -> Asked | None:
        """The model in eval mode, where it is only called; else None.

        What `torch.compile` made is for plain tensors, so that it is left out.
        """
        if not isinstance(self.model, Asked) or self._kwargs.get("dtype") is not None:
            return None
        self.model.eval()
        asked = copy.copy(self.model)
        asked._modules = dict(self.model._modules)
        asked.model = getattr(self._whole, "_orig_mod", self._whole)
        return asked

    def in_precision_of_weights(self) -> Caller | None:
        """The same without `dtype`; None if that says nothing."""
        if not self._asked or self._kwargs.get("dtype") is None:
            return None
        other = copy.copy(self)
        other._kwargs = self._kwargs | {"dtype": None}
        return other

    def say_fewer(self) -> None:
        """Warn that fewer sequences than asked for are made at once."""
        self._say(
            "memory ran out while sequences were made; going on with fewer at once, "
            "as a smaller `max_memory` asks for."
        )

    def head_shapes(
        self, X: torch.Tensor, args: list[torch.Tensor] | None
    ) -> list[tuple[int, ...]]:
        """Shapes of a sequence's outputs, whole where some of their numbers are chosen.

        What a function reduces is known as it is left.
        """
        held: list[Any] = []
        hook = self._whole.register_forward_hook(lambda _, __, y: held.append(y))
        try:
            heads = self(X, args)
        finally:
            hook.remove()
        model = self.model
        if isinstance(model, Asked) and model.post is None:
            target = model.target
            if target is not None and not callable(target):
                heads = tensors_of(head_of(held[-1], target)[0])
        return [tuple(y.shape[1:]) for y in heads]

    def _say(self, text: str) -> None:
        if not self._said:
            self._said = True
            warnings.warn(text, RuntimeWarning, stacklevel=2)

    def _first(
        self, X: torch.Tensor, args: list[torch.Tensor] | None
    ) -> list[torch.Tensor]:
        """As `predict` has it, side inputs are floats; if that fails, as they came."""
        try:
            return self(X.clone(), args)
        except (RuntimeError, IndexError, TypeError):
            model = self.model
            if not isinstance(model, Asked) or not model.has_whole:
                raise
            model.keep_whole = True
            try:
                return self(X.clone(), args)
            except (RuntimeError, IndexError, TypeError):
                model.keep_whole = False
            raise

    def _once(
        self, X: torch.Tensor, args: list[torch.Tensor] | None
    ) -> list[torch.Tensor]:
        kwargs = dict(self._kwargs)
        if self._takes_batches:
            kwargs["batch_size"] = self._batch_size(len(X))
        if args is not None:
            kwargs["args"] = args
        y = self._func(self.model, X, **kwargs)
        self.is_list = not isinstance(y, torch.Tensor)
        way_out = "return one of its parts"
        y = as_rows(_on_cpu(y), len(X), "`func`", way_out)
        return [y] if isinstance(y, torch.Tensor) else list(y)

    def _batch_size(self, n: int) -> int:
        """At most so many that no sequence is left alone, which `squeeze` may spoil."""
        size = min(self.batch_size, self._most)
        while size > 2 and n > size and n % size == 1:
            size -= 1
        return size

    def _halve(self, n: int, length: int, error: Exception) -> None:
        if self._takes_batches:
            n = min(n, self.batch_size)
        if n == 1:
            raise OneTooLargeError(length) from error
        self._most = n // 2
        release()

    def _named(self) -> str:
        model = getattr(self._whole, "function", self._whole)
        return getattr(model, "__name__", type(model).__name__)


def merge_kwargs(
    kwargs: Mapping[str, Any], additional_func_kwargs: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The keywords for `func` from both routes, copied.

    Raises
    ------
    TypeError
        If a keyword comes by both.
    """
    additional = dict(additional_func_kwargs or {})
    twice = sorted(kwargs.keys() & additional.keys())
    if twice:
        raise TypeError(
            f"{twice} came both as keywords and in `additional_func_kwargs`; give each "
            "once."
        )
    return {**kwargs, **additional}


def resolve_device(device: str | torch.device | None) -> torch.device:
    """That of a name; None is a GPU where there is one."""
    if device is not None:
        return torch.device(device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def choose_batch_size(batch_size: int | None, device: torch.device, length: int) -> int:
    """Sequences at a time: those asked for, or about the same number of bases.

    Raises
    ------
    ValueError
        If it is neither a positive integer nor None.
    """
    if batch_size is not None:
        if not isinstance(batch_size, int | np.integer) or batch_size < 1:
            raise ValueError(
                f"`batch_size`={batch_size!r} must be a positive integer or None."
            )
        return int(batch_size)
    # Enough to fill a GPU, and little enough for activations to stay in a CPU's cache.
    bases, most = (2**21, 8192) if device.type == "cuda" else (2**13, 1024)
    return max(1, min(most, bases // max(1, length)))


def as_args(args: Any, n: int) -> list[torch.Tensor] | None:
    """Side inputs as tensors, a row for each of n sequences.

    Raises
    ------
    TypeError, ValueError
        If they are no list of tensors or arrays, or one has other rows.
    """
    if args is None:
        return None
    if not isinstance(args, list | tuple):
        raise TypeError(
            f"`args` is of type {type(args).__name__}; it must be a list of tensors or "
            "arrays, one for each side input."
        )
    return [_as_arg(f"args[{i}]", arg, n) for i, arg in enumerate(args)]


def _as_arg(name: str, arg: Any, n: int) -> torch.Tensor:
    if not isinstance(arg, torch.Tensor | np.ndarray):
        raise TypeError(
            f"`{name}` is of type {type(arg).__name__}; it must be a tensor or an "
            "array with a row for each sequence."
        )
    try:
        tensor = torch.as_tensor(arg)
    except TypeError:
        raise TypeError(
            f"`{name}` is an array of dtype {arg.dtype}; it must hold numbers."
        ) from None
    if tensor.ndim == 0 or len(tensor) != n:
        rows = f"{len(tensor)} rows" if tensor.ndim else "no rows"
        raise ValueError(
            f"`{name}` has {rows}, but `X` has {n} sequences; they must agree."
        )
    return tensor


def _on_cpu(y: Any) -> Any:
    if isinstance(y, torch.Tensor):
        return y if y.is_meta else y.detach().cpu()
    is_plain = isinstance(y, list | tuple) and all(
        isinstance(part, torch.Tensor) for part in y
    )
    return tuple(map(_on_cpu, y)) if is_plain else y


def _takes_batch_size(func: Callable[..., Any]) -> bool:
    bound = func.keywords if isinstance(func, functools.partial) else {}
    parameters = inspect.signature(func).parameters
    return "batch_size" in parameters and "batch_size" not in bound
