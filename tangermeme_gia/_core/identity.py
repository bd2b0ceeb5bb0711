"""What an object is made of, as flat text that two runs can be compared by.

Settings, tensors and code are followed as far as they reach: attributes, arguments of
partials, closures, globals that a function reads. What belongs to an installed package
is known by its name and the package's version. What cannot be described is an error.
"""

from __future__ import annotations

import builtins
import copyreg
import dis
import functools
import hashlib
import platform
import sys
import sysconfig
import types
import weakref
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

DIGEST, VERSION = "sha256:", "version of "

_SCALARS = (type(None), bool, int, float, complex, str, bytes, type(...))
_BUILTIN = (
    types.BuiltinFunctionType,
    types.WrapperDescriptorType,
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.MethodWrapperType,
    types.GetSetDescriptorType,
    types.MemberDescriptorType,
)
_WRAPPERS = (staticmethod, classmethod)
# Of a module: its mode, which training sets, and what is described apart.
_APART = {"training", "_parameters", "_buffers", "_modules", "_compiled_call_impl"}
_APART |= {"_c"}  # TorchScript's own object of a module, whose code is described
# Of a class: what says nothing about what it does.
_BESIDE = {"__module__", "__qualname__", "__doc__", "__dict__", "__weakref__"}
_BESIDE |= {"__annotations__", "__firstlineno__", "__static_attributes__"}
_BESIDE |= {"__annotations_cache__", "__annotate_func__", "__annotate__"}
_BESIDE |= {"_abc_impl", "__abstractmethods__", "__parameters__", "__orig_bases__"}
_OWN = ("residualbind", "tangermeme_gia")
_ALWAYS = ("torch", "numpy", "residualbind")


def describe(
    learned: Iterable[torch.Tensor] = (), /, *, strict: bool = True, **roots: Any
) -> dict[str, str]:
    """What are these objects made of?

    Parameters
    ----------
    learned: iterable of torch.Tensor, optional
        Tensors of which shape, type and whether they are trained count, not their
        values. Default is ().

    strict: bool, optional
        Whether everything counts. If False, private attributes of layers, which may be
        what they remember between calls, count only if they can be called, and what
        cannot be described counts by its class alone. Default is True.

    roots: object
        Anything, by the name that its descriptions begin with.

    Returns
    -------
    description: dict of str to str
        What each part is, by its path, such as `{"loss.delta": "10.0"}`; code and
        values of tensors are checksums that begin with "sha256:". The versions of the
        packages that take part are among them.

    Raises
    ------
    TypeError
        If a part cannot be described, by its path, and `strict`.

    Examples
    --------
    >>> describe(loss=nn.HuberLoss(delta=2.0))["loss.delta"]
    '2.0'
    """
    describer = _Describer(learned, strict)
    for name, root in roots.items():
        describer.add(name, root)
    for package in sorted({*_ALWAYS, *describer.packages}):
        describer.out[VERSION + package] = _version(package)
    return describer.out


def model_checksum(model: nn.Module) -> str:
    """SHA-256 of a model: its weights, settings and code, as `describe` sees them.

    What is computed elsewhere, as in a session of another library, is not seen.
    """
    return _digest(repr(describe(strict=False, model=model)).encode())


def environment() -> str:
    """Versions of what computes."""
    packages = ("tangermeme-gia", "tangermeme", "torch", "numpy")
    versions = [f"{name} {metadata.version(name)}" for name in packages]
    return f"Python {platform.python_version()}, {', '.join(versions)}"


def tensors_checksum(
    tensors: Mapping[str, torch.Tensor], texts: Mapping[str, str] | None = None
) -> str:
    """SHA-256 of tensors, and of texts: names, types, shapes, bytes, in any order."""
    digest = hashlib.sha256(repr(sorted((texts or {}).items())).encode())
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu()
        if tensor.layout != torch.strided:
            tensor = tensor.to_dense()
        tensor = tensor.contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        if tensor.numel():  # one of numpy without numbers has a stride of 0
            digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return DIGEST + digest.hexdigest()


class _Describer:
    def __init__(self, learned: Iterable[torch.Tensor], strict: bool) -> None:
        self.strict = strict
        self.learned = {id(tensor) for tensor in learned}
        self.out: dict[str, str] = {}
        self.packages: set[str] = set()
        # What is being described, and what is known by identity: code and layers.
        self.inside: dict[int, str] = {}
        self.known: dict[int, str] = {}

    def add(self, path: str, value: Any) -> None:
        if isinstance(value, _SCALARS):
            self.out[path] = repr(value)
            return
        before = self.inside.get(id(value)) or self.known.get(id(value))
        if before is not None:
            self.out[path] = f"the same as {before}"
            return
        self.inside[id(value)] = path
        if isinstance(value, (nn.Module, nn.Parameter, type, types.FunctionType)):
            self.known[id(value)] = path
        try:
            self._add_compound(path, value)
        finally:
            del self.inside[id(value)]

    def _add_compound(self, path: str, value: Any) -> None:
        if isinstance(value, nn.Module):
            self._add_module(path, value)
        elif isinstance(value, (torch.Tensor, np.ndarray)) and value.dtype != object:
            self._add_tensor(path, value)
        elif isinstance(value, type):
            self._add_class(path, value)
        elif isinstance(value, types.ModuleType):
            self._add_python_module(path, value)
        elif isinstance(value, types.FunctionType):
            self._add_function(path, value)
        elif isinstance(value, types.MethodType):
            self.add(f"{path}.function", value.__func__)
            self.add(f"{path}.self", value.__self__)
        elif isinstance(value, _BUILTIN):
            self._add_builtin(path, value)
        elif isinstance(value, _WRAPPERS):
            self.add(path, value.__func__)
        elif isinstance(value, functools.partial):
            names = "func", "args", "keywords"
            self._add_items(path, ((name, getattr(value, name)) for name in names))
        elif isinstance(value, weakref.ReferenceType):
            self.add(path, value())
        elif isinstance(value, functools.cached_property):
            self.add(path, value.func)
        elif isinstance(value, functools._lru_cache_wrapper):
            self.add(path, value.__wrapped__)
        elif isinstance(value, property):
            self._add_items(path, (("get", value.fget), ("set", value.fset)))
        elif isinstance(value, (list, tuple, set, frozenset, dict)):
            self._add_container(path, value)
        else:
            self._add_object(path, value)

    def _add_items(self, path: str, items: Any) -> None:
        for name, value in items:
            self.add(f"{path}.{name}", value)

    def _add_container(self, path: str, value: Any) -> None:
        self.out[path] = f"{_name(type(value))} of {len(value)}"
        if isinstance(value, dict):
            for i, (key, item) in enumerate(value.items()):
                if isinstance(key, _SCALARS):
                    self.add(f"{path}[{key!r}]", item)
                else:
                    self.add(f"{path}.keys[{i}]", key)
                    self.add(f"{path}.values[{i}]", item)
            return
        if isinstance(value, (set, frozenset)):
            value = sorted(value, key=repr)
        for i, item in enumerate(value):
            self.add(f"{path}[{i}]", item)

    def _add_tensor(self, path: str, value: Any) -> None:
        if id(value) in self.learned:
            trained = "trained" if value.requires_grad else "not trained"
            self.out[path] = f"{value.dtype} {tuple(value.shape)}, {trained}"
        elif isinstance(value, torch.Tensor) and value.grad_fn is not None:
            self.out[path] = "computed from others"
        elif isinstance(value, torch.Tensor):
            self.out[path] = tensors_checksum({"": value})
        else:
            header = f"{value.dtype} {value.shape}\n".encode()
            self.out[path] = _digest(header + value.tobytes())

    def _add_module(self, path: str, module: nn.Module) -> None:
        if isinstance(compiled := getattr(module, "_orig_mod", None), nn.Module):
            self.add(path, compiled)
            return
        self._add_class(path, type(module))
        self._add_items(path, module._parameters.items())
        self._add_items(path, module._buffers.items())
        for name, value in vars(module).items():
            if name.endswith("_hooks"):  # by numbers that differ from call to call
                value = list(value.values() if isinstance(value, Mapping) else value)
            if self._counts(name, value):
                self.add(f"{path}.{name}", value)
        if isinstance(module, torch.jit.ScriptModule):
            self.out[f"{path}.code"] = str(module.code)
        self._add_items(path, module._modules.items())

    def _counts(self, name: str, value: Any) -> bool:
        if name in _APART or not name.startswith("_"):
            return name not in _APART
        is_hooks = name.endswith("_hooks")
        return (self.strict or is_hooks or callable(value)) and _holds(value)

    def _add_class(self, path: str, cls: type) -> None:
        # The user's own module may be called otherwise whenever it is loaded.
        is_own = not self._is_installed(cls.__module__)
        self.out[path] = cls.__qualname__ if is_own else _name(cls)
        if self.known.setdefault(id(cls), path) != path:
            return
        for base in cls.__mro__:
            if self._is_installed(base.__module__):
                continue
            for name, value in vars(base).items():
                if name not in _BESIDE:
                    self.add(f"{path}.{base.__name__}.{name}", value)

    def _add_python_module(self, path: str, module: types.ModuleType) -> None:
        self.out[path] = f"module {module.__name__}"
        file = getattr(module, "__file__", None)
        if not self._is_installed(module.__name__) and file is not None:
            self.out[path] = _digest(Path(file).read_bytes())

    def _add_builtin(self, path: str, function: Any) -> None:
        owner = getattr(function, "__self__", None)
        kind = getattr(function, "__objclass__", None)
        self.out[path] = f"{_name(kind)}." if kind else ""
        self.out[path] += function.__name__
        if not (owner is None or isinstance(owner, types.ModuleType)):
            self.add(f"{path}.self", owner)

    def _add_function(self, path: str, function: types.FunctionType) -> None:
        if self._is_installed(function.__module__) and "<" not in function.__qualname__:
            self.out[path] = _name(function)
            return
        code = function.__code__
        self.out[path] = _digest(repr(_constant(code)).encode())
        self._add_items(path, _nonempty(vars(function).items()))
        given = (
            ("defaults", function.__defaults__),
            ("keywords", function.__kwdefaults__),
        )
        self._add_items(path, _nonempty(given))
        cells = function.__closure__ or ()
        for name, cell in zip(code.co_freevars, cells, strict=True):
            self.add(f"{path}.{name}", _content(cell))
        for name in sorted(set(_globals_read(code))):
            if name in function.__globals__:
                self.add(f"{path}.{name}", function.__globals__[name])
            elif not hasattr(builtins, name):
                self.out[f"{path}.{name}"] = "not defined"

    def _add_object(self, path: str, value: Any) -> None:
        """What pickle would keep of it."""
        try:
            reduce = copyreg.dispatch_table.get(type(value))
            reduced = reduce(value) if reduce else value.__reduce_ex__(2)
        except Exception as error:
            if not self.strict:
                self.out[path] = _name(type(value))
                return
            raise TypeError(
                f"`{path}` is a {_name(type(value))}, of which it cannot be said "
                f"whether a later run has the same ({error})."
            ) from error
        if isinstance(reduced, str):
            self.out[path] = f"{_name(type(value))} {reduced}"
            return
        self._add_class(path, type(value))
        function, arguments, state, items, pairs = (*reduced, None, None, None)[:5]
        name = getattr(function, "__name__", "")
        if name not in ("__newobj__", "__newobj_ex__", "_reconstructor"):
            self.add(f"{path}.made_by", function)
            self._add_items(f"{path}.argument", enumerate(arguments))
        elif arguments[1:]:
            self._add_items(f"{path}.argument", enumerate(arguments[1:]))
        if isinstance(state, dict):
            self._add_items(path, state.items())
        elif state is not None:
            self.add(f"{path}.state", state)
        for name, content in (("items", items), ("pairs", pairs)):
            if content is not None:
                self.add(f"{path}.{name}", list(content))

    def _is_installed(self, name: str | None) -> bool:
        """Whether a module is of Python, of an installed package or of these two."""
        top = (name or "builtins").partition(".")[0]
        module = sys.modules.get(name or "") or sys.modules.get(top)
        file = getattr(module, "__file__", None)
        if top in _OWN or file is None:
            return top in (*_OWN, *sys.builtin_module_names, *sys.stdlib_module_names)
        path = Path(file).resolve()
        if {"site-packages", "dist-packages"} & set(path.parts):
            self.packages.add(top)
            return True
        return path.is_relative_to(Path(sysconfig.get_path("stdlib")).resolve())


def _version(package: str) -> str:
    if package == "residualbind":
        return metadata.version("tangermeme-gia")
    version = getattr(sys.modules.get(package), "__version__", None)
    if version is None:
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            version = "unknown"
    return str(version)


def _globals_read(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _globals_read(constant)


def _constant(value: Any) -> Any:
    """A constant of code whose text is the same in every process."""
    if isinstance(value, types.CodeType):
        constants = [_constant(constant) for constant in value.co_consts]
        names = value.co_names, value.co_varnames, value.co_freevars
        return value.co_code, constants, names, value.co_flags
    if isinstance(value, frozenset):
        return "frozenset", sorted(repr(_constant(item)) for item in value)
    if isinstance(value, tuple):
        return "tuple", [_constant(item) for item in value]
    return value


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return "not defined"


def _nonempty(items: Any) -> Iterator[tuple[str, Any]]:
    return ((name, value) for name, value in items if _holds(value))


def _holds(value: Any) -> bool:
    """Whether it is anything; arrays and Keras's symbols do not say, and are."""
    try:
        return bool(value)
    except Exception:  # each library has its own
        return True


def _digest(data: bytes) -> str:
    return DIGEST + hashlib.sha256(data).hexdigest()


def _name(named: Any) -> str:
    return f"{named.__module__}.{named.__qualname__}"
