"""What a model is: checksums of its weights, and of the code that they run through."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import inspect
import platform
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
import torch

from ..models.failures import is_users

_HOOKS = ("_forward_hooks", "_forward_pre_hooks")


def model_checksum(model: torch.nn.Module) -> str:
    """SHA-256 of a model's weights, structure, settings and code.

    The code is that of its classes, with the functions, constants and modules of the
    user's own files that it names. What is computed elsewhere, as in a session of
    another library, is not seen.
    """
    return _module_checksum(model, set())


def tensor_checksum(tensor: torch.Tensor | None) -> str:
    """SHA-256 of a tensor's values, shape and dtype; of nothing for None."""
    if tensor is None:
        return "none"
    values = tensor.detach().cpu()
    if values.layout != torch.strided:
        values = values.to_dense()
    values = values.contiguous()
    digest = hashlib.sha256(f"{values.dtype}{tuple(values.shape)}".encode())
    digest.update(values.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _module_checksum(model: torch.nn.Module, seen: set[int]) -> str:
    """The same, without what has been seen already."""
    # Functions among its settings stand there with their address.
    digest = hashlib.sha256(re.sub(r" at 0x[0-9a-f]+", "", repr(model)).encode())
    seen |= {id(module) for module in model.modules()}
    for module in model.modules():
        digest.update(_class_text(type(module), seen).encode())
        with suppress(Exception):  # scripted and traced modules have it
            digest.update(str(module.code).encode())
        digest.update(repr(_settings(module, seen)).encode())
    # A state dict leaves out buffers that are not persistent.
    held = {**dict(model.named_buffers()), **model.state_dict()}
    for name, tensor in held.items():
        if isinstance(tensor, torch.Tensor):
            digest.update(name.encode())
            digest.update(tensor_checksum(tensor).encode())
    return digest.hexdigest()


def environment() -> str:
    """Versions of what computes."""
    packages = ("tangermeme-gia", "tangermeme", "torch", "numpy")
    versions = [f"{name} {importlib.metadata.version(name)}" for name in packages]
    return f"Python {platform.python_version()}, {', '.join(versions)}"


def _settings(module: torch.nn.Module, seen: set[int]) -> list[tuple[str, str]]:
    """Attributes of a module, which its weights and its text may not show.

    Private ones may be its state, but not those that are functions or hooks.
    """
    held = {
        name: value
        for name, value in sorted(vars(module).items())
        if (name != "training" and not name.startswith("_")) or callable(value)
    }
    # Hooks are numbered through the whole process.
    held |= {name: list(getattr(module, name).values()) for name in _HOOKS}
    texts = [(name, _text(value, seen)) for name, value in held.items()]
    return [(name, text) for name, text in texts if text]


def _class_text(kind: type, seen: set[int]) -> str:
    """The source of a class, and what the functions of the user's own ones name."""
    try:
        text = inspect.getsource(kind)
    except (OSError, TypeError):  # classes made in an interactive session
        text = kind.__qualname__
    functions = [
        value
        for base in kind.__mro__
        for value in vars(base).values()
        if isinstance(value, FunctionType) and _is_own(value.__code__.co_filename)
    ]
    return text + "".join(_text(function, seen) for function in functions)


def _text(value: Any, seen: set[int]) -> str:
    """What a value is, as text that is the same in another process; else empty."""
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        return repr(value)
    if isinstance(value, torch.Tensor):
        return tensor_checksum(value)
    if isinstance(value, np.ndarray):
        held = "" if value.dtype.hasobject else value.tobytes().hex()
        return f"{value.dtype}{value.shape}{held}"
    if id(value) in seen:
        return ""
    if isinstance(value, torch.nn.Module):
        return _module_checksum(value, seen)  # in a list, say, that torch does not know
    if isinstance(value, type):
        seen.add(id(value))
        return _class_text(value, seen) if _is_own(_file_of(value)) else repr(value)
    return "".join(_parts(value, seen))


def _parts(value: Any, seen: set[int]) -> Iterator[str]:
    """Those of containers and of what can be called."""
    if isinstance(value, tuple | list):
        items = [_text(item, seen) for item in value]
        yield f"{type(value).__name__}({', '.join(items)})" if all(items) else ""
    elif isinstance(value, set | frozenset):
        yield str(sorted(_text(item, seen) for item in value))
    elif isinstance(value, Mapping):
        seen.add(id(value))
        yield str([(_text(k, seen), _text(v, seen)) for k, v in value.items()])
    elif isinstance(value, functools.partial):
        for part in (value.func, value.args, value.keywords):
            yield _text(part, seen)
    elif isinstance(value, FunctionType):
        seen.add(id(value))
        yield from _function(value, seen)
    elif isinstance(value, ModuleType) and _is_own(_file_of(value)):
        seen.add(id(value))
        with suppress(OSError):  # it may be gone since
            yield Path(_file_of(value)).read_text(encoding="utf-8", errors="replace")
    elif inspect.ismethod(value):
        yield _text(value.__func__, seen) + _text(value.__self__, seen)
    elif hasattr(value, "__wrapped__"):
        yield _text(value.__wrapped__, seen)
    elif hasattr(value, "__dict__") and _is_own(_file_of(type(value))):
        seen.add(id(value))
        yield _class_text(type(value), seen) + _text(vars(value), seen)


def _function(function: Callable[..., Any], seen: set[int]) -> Iterator[str]:
    """Its code and defaults, and if it is the user's, what its names stand for."""
    assert isinstance(function, FunctionType)
    code = function.__code__
    yield function.__qualname__
    if not _is_own(code.co_filename):
        return
    yield _code_text(code)
    yield _text((function.__defaults__, function.__kwdefaults__), seen)
    for cell in function.__closure__ or ():
        try:
            yield _text(cell.cell_contents, seen)
        except ValueError:  # not yet filled
            continue
    for name in sorted(_names(code)):
        if name in function.__globals__:
            yield f"{name}={_text(function.__globals__[name], seen)}"


def _code_text(code: CodeType) -> str:
    """What code does, wherever it stands in its file."""
    constants = [
        _code_text(c)
        if isinstance(c, CodeType)
        else repr(sorted(map(repr, c)) if isinstance(c, frozenset) else c)
        for c in code.co_consts
    ]
    return f"{code.co_code.hex()} {code.co_names} {code.co_varnames} {constants}"


def _names(code: CodeType) -> set[str]:
    inner = [_names(c) for c in code.co_consts if isinstance(c, CodeType)]
    return {*code.co_names}.union(*inner)


def _is_own(path: str) -> bool:
    """Whether code is the user's, in a file or in an interactive session."""
    return is_users(path.lstrip("<")) and not path.startswith("<frozen")


def _file_of(value: Any) -> str:
    try:
        return inspect.getsourcefile(value) or "<frozen>"
    except TypeError:  # built in, or made in an interactive session
        return "<frozen>"
