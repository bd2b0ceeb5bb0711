"""Weights from a file, under whatever names a training loop gave them."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from .files import check_whole

# Letters of a list of tensors that do not fit.
_LONGEST = 400
# What wrappers of models put before the names of weights: DataParallel, torch.compile,
# and Lightning modules that hold one.
_PREFIXES = ("module.", "_orig_mod.", "model.")

_log = logging.getLogger("tangermeme_gia.models")


def read_checkpoint(path: Path) -> Mapping[str, Any]:
    """What a file of weights holds, read without running code of it.

    Raises
    ------
    ValueError, OSError
        If it cannot be read so.
    """
    content: Any
    if not path.exists():
        raise FileNotFoundError(f"`--weights`: there is no file {path}.")
    if not path.is_file() or not path.stat().st_size:
        raise ValueError(f"`--weights`: {path} is empty, or no file but a folder, say.")
    try:
        if path.suffix == ".safetensors":
            content = load_file(path)
        else:
            check_whole(path)
            content = torch.load(path, map_location="cpu", weights_only=True)
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
    if not isinstance(content, Mapping):
        raise ValueError(f"`--weights`: {path} holds a {type(content).__name__}.")
    return content


def hyper_parameters(
    checkpoint: Mapping[str, Any], build: Callable[..., Any]
) -> dict[str, Any]:
    """What a class was called with when Lightning wrote a checkpoint of it.

    Nothing for functions, and for files without them.

    Examples
    --------
    >>> written = {"state_dict": {}, "hyper_parameters": {"bias": False, "lr": 0.1}}
    >>> class Net(torch.nn.Module):
    ...     def __init__(self, bias=True): ...
    >>> hyper_parameters(written, Net)
    {'bias': False}
    """
    given = checkpoint.get("hyper_parameters")
    if not isinstance(build, type) or not isinstance(given, Mapping):
        return {}
    parameters = inspect.signature(build).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    return {name: v for name, v in given.items() if takes_any or name in parameters}


def fill(model: torch.nn.Module, checkpoint: Mapping[str, Any], path: Path) -> None:
    """Load weights into a model; what is taken off their names is logged.

    Raises
    ------
    ValueError
        If they do not fit.
    """
    state: Mapping[str, Any] = checkpoint
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(state.get(key), Mapping):  # checkpoints of training loops
            state = state[key]
            break
    own = set(getattr(model, "state_dict", dict)())
    renamed, prefix = _without_prefix(state, own)
    if prefix:
        _log.info("%s: `%s` is taken off the names of the weights", path, prefix)
    try:
        model.load_state_dict(renamed)
    except (RuntimeError, AttributeError) as error:
        raise ValueError(
            f"`--weights`: {path} does not fit the model: {_shortened(error)}"
        ) from error


def _without_prefix(
    state: Mapping[str, Any], own: set[str]
) -> tuple[Mapping[str, Any], str]:
    """Weights under the names that the model has, and what was before all of these."""
    names, taken = [str(name) for name in state], ""
    while not own & set(names):
        prefix = next(
            (p for p in _PREFIXES if names and all(n.startswith(p) for n in names)), ""
        )
        if not prefix:
            return state, ""
        names, taken = [n.removeprefix(prefix) for n in names], taken + prefix
    return dict(zip(names, state.values(), strict=True)), taken


def _shortened(error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."
