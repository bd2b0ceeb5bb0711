"""The model that `--model` names: bundled, from a file, or from the user's own code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from .._core.letters import resolve_alphabet
from .code import import_file, import_here
from .failures import describe_error
from .providers import ModelSource, Provider, bundled_models, find_provider

_FORMS = (
    "a bundled model, a model file, or module:callable such as my_models:build or "
    "my_models.py:build"
)
# Letters of a list of tensors that do not fit.
_LONGEST = 400


def load_model(spec: str, weights: Path | None = None) -> ModelSource:
    """Which model does a name, a file or a piece of code stand for?

    Parameters
    ----------
    spec: str
        The name of a bundled model, the path of a file that an installed package
        reads, or "module:callable", whose call without arguments gives a
        torch.nn.Module, or that is one. The module is installed, lies in the current
        folder, or is the path of a .py file.

    weights: Path or None, optional
        State dict for a model of the third kind: .safetensors, or a file of
        `torch.save`, read without running code of it. Default is None.

    Returns
    -------
    source: ModelSource

    Raises
    ------
    ValueError, TypeError, OSError
        If there is no such model, or the weights do not fit it.

    ImportError
        If the model needs what is not installed.

    Examples
    --------
    >>> source = load_model("A1CF")
    >>> source.alphabet, source.length
    (('A', 'C', 'G', 'U'), 41)
    """
    provider = check_model(spec, weights)
    return _load_code(spec, weights) if provider is None else provider.load(spec)


def check_model(spec: str, weights: Path | None = None) -> Provider | None:
    """Can this be a model, as far as is known without loading it?

    Returns
    -------
    provider: Provider or None
        The package that offers it; None for module:callable.

    Raises
    ------
    ValueError, FileNotFoundError
        If there is no such model or file.

    Examples
    --------
    >>> check_model("nets.py:build")
    Traceback (most recent call last):
    FileNotFoundError: `--model`='nets.py:build': there is no file nets.py.
    """
    provider = find_provider(spec)
    if weights is not None and (provider or ":" not in spec):
        raise ValueError(
            f"`--weights` belongs to a model given as module:callable; {spec!r} has "
            "its own."
        )
    if provider is not None:
        return provider
    if Path(spec).is_file():
        raise ValueError(f"`--model`: no installed package reads the file {spec!r}.")
    if ":" not in spec:
        raise ValueError(
            f"`--model`={spec!r} is none of {_FORMS}; bundled are "
            f"{', '.join(bundled_models()) or 'none'}."
        )
    name = spec.rpartition(":")[0]
    if name.endswith(".py") and not Path(name).is_file():
        raise FileNotFoundError(f"`--model`={spec!r}: there is no file {name}.")
    return None


def _load_code(spec: str, weights: Path | None) -> ModelSource:
    module_name, _, attribute = spec.rpartition(":")
    module = _import(spec, module_name)
    if not hasattr(module, attribute):
        raise ValueError(f"`--model`={spec!r}: {module_name} has no {attribute!r}.")
    model = getattr(module, attribute)
    if not isinstance(model, torch.nn.Module):
        if not callable(model):
            raise TypeError(
                f"`--model`={spec!r}: {attribute} is of type "
                f"{type(model).__name__}, neither a torch.nn.Module nor a function "
                "that gives one."
            )
        try:
            model = model()
        except (Exception, SystemExit) as error:  # users' code may raise anything
            advice = " It is called without arguments." * isinstance(error, TypeError)
            raise ValueError(
                f"`--model`={spec!r}: {attribute}() fails: {describe_error(error)}."
                f"{advice}"
            ) from error
    if not isinstance(model, torch.nn.Module):
        raise TypeError(
            f"`--model`={spec!r} gives a value of type {type(model).__name__}; it "
            "must give a torch.nn.Module."
        )
    origin = {"model": spec}
    if weights is not None:
        _load_weights(model, weights)
        origin["weights"] = str(weights)
    origin["code"] = module.__file__ or module_name
    return ModelSource(attribute, model.eval(), _alphabet(spec, model), origin=origin)


def _alphabet(spec: str, model: torch.nn.Module) -> tuple[str, ...] | None:
    """The letters that a model states, if it does."""
    if getattr(model, "alphabet", None) is None:
        return None
    try:
        return resolve_alphabet(model, None)
    except ValueError as error:
        raise ValueError(f"`--model`={spec!r}: {error}") from error


def _import(spec: str, name: str) -> ModuleType:
    """The module of this name, installed or here, or of this file."""
    try:
        is_file = name.endswith(".py")
        return import_file(Path(name)) if is_file else import_here(name)
    except (Exception, SystemExit) as error:  # users' code may raise anything
        missing = getattr(error, "name", None)
        if isinstance(error, ModuleNotFoundError) and missing in (
            name,
            name.split(".")[0],
        ):
            raise ValueError(
                f"`--model`={spec!r}: there is no module {missing!r}, neither "
                f"installed nor in this folder. It must be {_FORMS}."
            ) from error
        raise ValueError(
            f"`--model`={spec!r}: importing {name} fails: {describe_error(error)}."
        ) from error


def _load_weights(model: torch.nn.Module, path: Path) -> None:
    state: Any
    if not path.exists():
        raise FileNotFoundError(f"`--weights`: there is no file {path}.")
    if not path.is_file() or not path.stat().st_size:
        raise ValueError(f"`--weights`: {path} is empty, or no file but a folder, say.")
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, RuntimeError, EOFError, ValueError) as error:
        raise ValueError(f"`--weights`: {path} cannot be read: {error}") from error
    except OSError:  # it may not be read, say, which is no damage
        raise
    except Exception as error:  # pickle errors have many types
        raise ValueError(
            f"`--weights`: {path} is no state dict that can be read without running "
            "its code. Save `model.state_dict()`, or load the whole model in the "
            "callable of `--model`."
        ) from error
    if not isinstance(state, Mapping):
        raise ValueError(f"`--weights`: {path} holds a {type(state).__name__}.")
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(state.get(key), Mapping):  # checkpoints of training loops
            state = state[key]
            break
    try:
        model.load_state_dict(state)
    except (RuntimeError, AttributeError) as error:
        raise ValueError(
            f"`--weights`: {path} does not fit the model: {_shortened(error)}"
        ) from error


def _shortened(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
