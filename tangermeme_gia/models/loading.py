"""The model that `--model` names: bundled, from a file, or from the user's own code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from .._core.letters import resolve_alphabet
from .code import import_file, import_here
from .failures import describe_error
from .files import kind_of_file, load_file_model
from .providers import ModelSource, Provider, bundled_models, find_provider
from .weights import fill, hyper_parameters, read_checkpoint

_FORMS = (
    "a bundled model, a model file, or module:callable such as my_models:build or "
    "my_models.py:build"
)


def load_model(spec: str, weights: Path | None = None) -> ModelSource:
    """Which model does a name, a file or a piece of code stand for?

    Parameters
    ----------
    spec: str
        The name of a bundled model; the path of a file of TorchScript, torch.export or
        ONNX, or of one that an installed package reads; or "module:callable", whose
        call without arguments gives a torch.nn.Module, or that is one. The module is
        installed, lies in the current folder, or is the path of a .py file.

    weights: Path or None, optional
        State dict for a model of the last kind: .safetensors, or a file of
        `torch.save`, read without running code of it. A class is called with the
        hyper-parameters of a Lightning checkpoint. Names may all begin with "module.",
        "_orig_mod." or "model.", which is taken off. Default is None.

    Returns
    -------
    source: ModelSource

    Raises
    ------
    ValueError, TypeError, OSError
        If there is no such model, or the weights do not fit it.

    ImportError
        If the model needs what is not installed, as onnxruntime.

    Examples
    --------
    >>> source = load_model("A1CF")
    >>> source.alphabet, source.length
    (('A', 'C', 'G', 'U'), 41)
    """
    provider = check_model(spec, weights)
    if provider is not None:
        return provider.load(spec)
    if Path(spec).is_file():
        model, origin = load_file_model(spec), {"model": spec}
        return ModelSource(Path(spec).stem, model.eval(), origin=origin)
    return _load_code(spec, weights)


def check_model(spec: str, weights: Path | None = None) -> Provider | None:
    """Can this be a model, as far as is known without loading it?

    Returns
    -------
    provider: Provider or None
        The package that offers it; None for module:callable, and for files of other
        tools.

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
        if kind_of_file(spec) is None:
            raise ValueError(
                f"`--model`: {spec!r} is no file of TorchScript, torch.export or ONNX, "
                "nor of an installed package."
            )
        return None
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
    checkpoint = {} if weights is None else read_checkpoint(weights)
    model = _build(spec, attribute, getattr(module, attribute), checkpoint)
    origin = {"model": spec}
    if weights is not None:
        fill(model, checkpoint, weights)
        origin["weights"] = str(weights)
    origin["code"] = module.__file__ or module_name
    return ModelSource(attribute, model.eval(), _alphabet(spec, model), origin=origin)


def _build(
    spec: str, attribute: str, model: Any, checkpoint: Mapping[str, Any]
) -> torch.nn.Module:
    """The model that an attribute is, or that calling it gives."""
    if not isinstance(model, torch.nn.Module):
        if not callable(model):
            raise TypeError(
                f"`--model`={spec!r}: {attribute} is of type "
                f"{type(model).__name__}, neither a torch.nn.Module nor a function "
                "that gives one."
            )
        given = hyper_parameters(checkpoint, model)
        try:
            model = model(**given)
        except (Exception, SystemExit) as error:  # users' code may raise anything
            is_type = isinstance(error, TypeError)
            how = "with those of `--weights`" if given else "without arguments"
            advice = f" It is called {how}." * is_type
            raise ValueError(
                f"`--model`={spec!r}: {attribute}() fails: {describe_error(error)}."
                f"{advice}"
            ) from error
    if not isinstance(model, torch.nn.Module):
        raise TypeError(
            f"`--model`={spec!r} gives a value of type {type(model).__name__}; it "
            "must give a torch.nn.Module."
        )
    return model


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
