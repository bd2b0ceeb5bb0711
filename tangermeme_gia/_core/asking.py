"""A model as it is asked: one tensor, or several, with a row for each sequence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import torch

from .changed import Changed
from .tape import UnknownChangeError
from .target import Target, select_output

# Modules whose outputs depend on whether they are training.
_MOODY = (
    torch.nn.modules.batchnorm._BatchNorm,
    torch.nn.modules.dropout._DropoutNd,
    torch.nn.RReLU,
)
# Of outputs; the numbers of others cannot be compared.
_REAL = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.int32,
    torch.int16,
    torch.int8,
    torch.uint8,
    torch.bool,
)


class Called(torch.nn.Module):
    """A function as a module; the module of a bound method is part of it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function
        owner = getattr(function, "__self__", None)
        self.owner = owner if isinstance(owner, torch.nn.Module) else None

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the function gives."""
        return self.function(*args, **kwargs)


def as_module(model: Any) -> torch.nn.Module:
    """A model as a module, also where it is a plain function.

    Raises
    ------
    TypeError
        If it is a class or cannot be called.

    ValueError
        If its weights have no values.
    """
    if isinstance(model, torch.jit.ScriptModule):  # which takes no hooks
        return Called(model)
    if isinstance(model, torch.nn.Module):
        tensors = (*model.parameters(), *model.buffers())
        if any(tensor.is_meta for tensor in tensors):
            raise ValueError(
                f"`model` ({type(model).__name__}) has weights without values, on the "
                "device meta; load them first, by `load_state_dict(..., assign=True)`."
            )
        return model
    if isinstance(model, type):
        raise TypeError(
            f"`model` is the class {model.__name__}; make a model of it first: "
            f"`{model.__name__}(...)`."
        )
    if not callable(model):
        raise TypeError(
            f"`model` is of type {type(model).__name__}; it must be a "
            "torch.nn.Module or a function of one-hot sequences."
        )
    return Called(model)


class Asked(torch.nn.Module):
    """A model whose outputs are checked batch by batch, and hold no more than they say.

    Parameters
    ----------
    model: torch.nn.Module
        The whole model.

    target: int, str, tuple, function or None
        What is asked of its output.

    post: function or None
        What is done to that.

    dtypes: sequence of torch.dtype
        Those in which side inputs came, which `predict` makes floats.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        target: Target | None,
        post: Callable[[Any], Any] | None,
        dtypes: Sequence[torch.dtype],
    ) -> None:
        super().__init__()
        self.model, self.target, self.post = model, target, post
        self.dtypes, self.keep_whole = dtypes, False
        self.training = model.training

    @property
    def has_whole(self) -> bool:
        """Whether a side input is of whole numbers."""
        return any(not dtype.is_floating_point for dtype in self.dtypes)

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        """A tensor, or a tuple of them, with as many rows as X."""
        if self.keep_whole:
            pairs = zip(args, self.dtypes, strict=True)
            args = tuple(
                arg if dtype.is_floating_point else arg.to(dtype)
                for arg, dtype in pairs
            )
        try:
            y = self.model(X, *args)
        except SystemExit as error:
            raise RuntimeError(
                f"`model` ends the program in its `forward` (SystemExit: {error})."
            ) from error
        if isinstance(X, Changed):
            y = in_full(y)
        if self.target is not None:
            y = select_output(y, self.target)
        if self.post is not None:
            y = self.post(y)
        return as_rows(y, len(X), "`model`", "choose what is asked with `target`")


def in_full(y: Any) -> Any:
    """What a model returned, with ordinary tensors for those that are `Changed`."""
    if isinstance(y, Changed):
        return y.all_values()
    if isinstance(y, Mapping):
        return {key: in_full(value) for key, value in y.items()}
    if isinstance(y, tuple) and hasattr(y, "_fields"):
        return type(y)(*map(in_full, y))
    if isinstance(y, list | tuple):
        return type(y)(map(in_full, y))
    if isinstance(y, torch.Tensor) or not tensors_of(y):
        return y
    raise UnknownChangeError(f"it returns a {type(y).__name__}")


def as_rows(y: Any, n: int, who: str, way_out: str) -> Any:
    """Outputs as a tensor or a tuple of them, n rows each, that are copies.

    A view would keep alive all that the model has computed, and a buffer of the model
    be written over at its next call. Of one sequence, an output without its axis (by
    `squeeze`) gets it back.

    Raises
    ------
    TypeError
        If they are anything else, or no dense real numbers; it shows their structure
        and what to write.

    ValueError
        If they do not have n rows, or no numbers.
    """
    if isinstance(y, torch.Tensor):
        return _own(_with_rows(y, n, who))
    is_list = isinstance(y, list | tuple) and len(y) > 0
    if is_list and all(isinstance(part, torch.Tensor) for part in y):
        return tuple(_own(_with_rows(part, n, who)) for part in y)
    raise TypeError(
        f"{who} returned {structure(y)}; needed is a tensor or a list of tensors. "
        f"{way_out[0].upper()}{way_out[1:]}{_suggestion(y)}."
    )


def structure(y: Any) -> str:
    """What something returned is made of, in words.

    Examples
    --------
    >>> structure((torch.zeros(5, 1), None))
    'a tuple (tensor of shape (5, 1), None)'
    >>> structure({"human": torch.zeros(5, 3)})
    "a dict {'human': tensor of shape (5, 3)}"
    """
    shown = _structure(y)
    return shown if shown == "None" else f"a {shown}"


def tensors_of(y: Any) -> list[torch.Tensor]:
    """Every tensor in what a model returns."""
    if isinstance(y, torch.Tensor):
        return [y]
    return [tensor for _, part in _parts(y) for tensor in tensors_of(part)]


def bytes_alive(y: Any) -> int:
    """Bytes that are kept alive by what a model returns, views counted whole."""
    storages = {
        tensor.untyped_storage().data_ptr(): max(
            tensor.untyped_storage().nbytes(), tensor.nbytes
        )
        for tensor in tensors_of(y)
        if not tensor.is_nested and tensor.layout == torch.strided
    }
    return sum(storages.values())


def left_training(model: torch.nn.Module) -> list[str]:
    """Names of modules in train mode that give other outputs in it."""
    return [
        f"{name or 'itself'} ({type(module).__name__})"
        for name, module in model.named_modules()
        if module.training and isinstance(module, _MOODY)
    ]


def _with_rows(y: torch.Tensor, n: int, who: str) -> torch.Tensor:
    obstacle = no_real_numbers(y)
    if obstacle:
        raise TypeError(
            f"{who} returned {obstacle}; needed are real numbers in an ordinary tensor."
        )
    if not y.numel():
        raise ValueError(
            f"{who} returned a tensor of shape {tuple(y.shape)}, which holds no number."
        )
    if y.ndim and len(y) == n:
        return y
    if n == 1:
        return y[None]
    raise ValueError(
        f"{who} returned a tensor of shape {tuple(y.shape)} for {n} sequences; its "
        "first axis must be the sequences. If it has them elsewhere, turn the axes in "
        "a wrapper; a mean over a batch is no output of a sequence."
    )


def no_real_numbers(y: torch.Tensor) -> str | None:
    """What a tensor is of which no effects can be computed, and what to write."""
    if y.is_nested or y.layout != torch.strided:
        kind = "nested" if y.is_nested else "sparse"
        way = "to_padded_tensor(0)" if y.is_nested else "to_dense()"
        return f"a {kind} tensor: give `{way}` of it"
    if y.is_complex():
        return (
            f"complex numbers ({y.dtype}): choose their `.real`, `.imag` or `.abs()` "
            "by a `target` function"
        )
    if y.is_meta:
        return "a tensor without values, on the device meta"
    if y.dtype not in _REAL:
        return f"numbers of {y.dtype}: give `.float()` of them, or `.dequantize()`"
    return None


def _own(y: torch.Tensor) -> torch.Tensor:
    return y.detach().as_subclass(torch.Tensor).clone()


def _structure(y: Any) -> str:
    if isinstance(y, torch.Tensor):
        return f"tensor of shape {tuple(y.shape)}"
    if y is None:
        return "None"
    parts, name = _parts(y), type(y).__name__
    if isinstance(y, Mapping):
        return f"{name} {{{', '.join(f'{k!r}: {_structure(v)}' for k, v in parts)}}}"
    if isinstance(y, list | tuple):
        return f"{name} ({', '.join(_structure(part) for _, part in parts)})"
    if parts:
        return f"{name}({', '.join(f'{k}={_structure(v)}' for k, v in parts)})"
    return name


def _parts(y: Any) -> list[tuple[Any, Any]]:
    """What stands in a container, by key, number or attribute."""
    if isinstance(y, Mapping):
        return list(y.items())
    if isinstance(y, list | tuple):
        return list(enumerate(y))
    if is_dataclass(y) and not isinstance(y, type):
        return [(field.name, getattr(y, field.name)) for field in fields(y)]
    held = getattr(y, "__dict__", {})
    return [item for item in held.items() if isinstance(item[1], torch.Tensor)]


def _suggestion(y: Any) -> str:
    """What to write to get the first tensor."""
    path: list[Any] = []
    code, has_keys = "y", True
    while not isinstance(y, torch.Tensor):
        inside = [(key, part) for key, part in _parts(y) if tensors_of(part)]
        if not inside:
            return ", or wrap the model in one that returns tensors"
        key, part = inside[0]
        is_container = isinstance(y, Mapping | list | tuple)
        code += f"[{key!r}]" if is_container else f".{key}"
        has_keys &= is_container
        path.append(key)
        y = part
    chosen = repr(path[0] if len(path) == 1 else tuple(path))
    return f", such as `target={chosen if has_keys else f'lambda y: {code}'}`"
