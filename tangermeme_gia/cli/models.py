"""The model that a command asks: bundled, from a file, or from the user's own code."""

from __future__ import annotations

import importlib
import inspect
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from ..motif_codes import RNA
from ..report import OneOutput

_FORMS = (
    "a bundled model, a residualbind .safetensors file, or module:callable such as "
    "my_models:build"
)


class ModelSource(NamedTuple):
    """A model, and what is known of its input and its output."""

    name: str
    model: OneOutput
    alphabet: tuple[str, ...] | None
    length: int | None
    profile: torch.Tensor | None
    output: str
    origin: dict[str, str]


def bundled_models() -> tuple[str, ...]:
    """Names of the models that need neither files nor code."""
    import residualbind

    return residualbind.pretrained_names()


def load_model(
    spec: str, weights: Path | None = None, target: int | None = None
) -> ModelSource:
    """Load the model that `--model` names.

    Parameters
    ----------
    spec: str
        The name of a bundled model, the path of a residualbind file, or
        "module:callable", whose call without arguments gives a torch.nn.Module; the
        module may lie in the current folder.

    weights: Path or None, optional
        State dict for a model of the third kind: .safetensors, or a file of
        `torch.save`, read without running code of it. Default is None.

    target: int or None, optional
        Which output to explain; None is the only one. Default is None.

    Returns
    -------
    source: ModelSource

    Raises
    ------
    ValueError, TypeError, OSError
        If there is no such model, or the weights do not fit it.

    Examples
    --------
    >>> source = load_model("A1CF")
    >>> source.alphabet, source.length
    (('A', 'C', 'G', 'U'), 41)
    """
    named = spec in bundled_models()
    if weights is not None and (named or ":" not in spec):
        raise ValueError(
            f"`--weights` belongs to a model given as module:callable; {spec!r} has "
            "its own."
        )
    if named or spec.endswith(".safetensors"):
        return _load_residualbind(spec, named, target)
    if ":" not in spec:
        raise ValueError(
            f"`--model`={spec!r} is none of {_FORMS}; bundled are "
            f"{', '.join(bundled_models())}."
        )
    return _load_code(spec, weights, target)


def _load_residualbind(spec: str, named: bool, target: int | None) -> ModelSource:
    import residualbind

    metadata: residualbind.Metadata
    if named:
        model = residualbind.load_pretrained(spec)
        metadata = residualbind.pretrained_metadata(spec)
        profile = residualbind.load_profile(spec)
    else:
        model = residualbind.load(spec)
        metadata = residualbind.load_metadata(spec)
        profile = None
    if metadata.config.channels != len(RNA):
        raise ValueError(
            f"`--model`={spec!r} reads {metadata.config.channels} channels, sequence "
            f"and structure; a motif can be placed in models of {len(RNA)}."
        )
    experiments = metadata.experiments or ()
    output = "predicted binding score"
    if metadata.transform is not None:
        output += " in the scale of training"
    if len(experiments) > (target or 0):
        output += f" of {experiments[target or 0]}"
    return ModelSource(
        spec if named else Path(spec).stem,
        OneOutput(model, target),
        RNA,
        metadata.config.length,
        profile,
        output,
        {
            "model": "bundled with residualbind" if named else spec,
            **{k: str(v) for k, v in metadata.provenance.items() if k in _SHOWN},
        },
    )


# Of a residualbind file's provenance: what a reader of a report wants to know.
_SHOWN = ("protein", "experiment", "source", "seed", "architecture", "transform")


def _load_code(spec: str, weights: Path | None, target: int | None) -> ModelSource:
    module_name, _, attribute = spec.partition(":")
    if os.getcwd() not in sys.path:  # console scripts do not look here
        sys.path.insert(0, os.getcwd())
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name != module_name.split(".")[0] and error.name != module_name:
            raise
        raise ValueError(
            f"`--model`={spec!r}: there is no module {error.name!r}, neither installed "
            f"nor in this folder. Give {_FORMS}."
        ) from error
    if not hasattr(module, attribute):
        raise ValueError(f"`--model`={spec!r}: {module_name} has no {attribute!r}.")
    found = getattr(module, attribute)
    model = found if isinstance(found, torch.nn.Module) else found()
    if not isinstance(model, torch.nn.Module):
        raise TypeError(
            f"`--model`={spec!r} gives a {type(model).__name__}; it must give a "
            "torch.nn.Module."
        )
    origin = {"model": spec}
    if weights is not None:
        _load_weights(model, weights)
        origin["weights"] = str(weights)
    source = inspect.getsourcefile(type(model))
    origin["code"] = source or module_name
    return ModelSource(
        attribute,
        OneOutput(model.eval(), target),
        None,
        None,
        None,
        "output of the model",
        origin,
    )


def _load_weights(model: torch.nn.Module, path: Path) -> None:
    state: Any
    try:
        if path.suffix == ".safetensors":
            state = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except (SafetensorError, RuntimeError, EOFError, ValueError) as error:
        raise ValueError(f"`--weights`: {path} cannot be read: {error}") from error
    except Exception as error:  # pickle errors have many types
        raise ValueError(
            f"`--weights`: {path} is no state dict that can be read without running "
            "its code. Save `model.state_dict()`, or load the whole model in the "
            "callable of `--model`."
        ) from error
    if not isinstance(state, Mapping):
        raise ValueError(f"`--weights`: {path} holds a {type(state).__name__}.")
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(f"`--weights`: {path} does not fit: {error}") from error
