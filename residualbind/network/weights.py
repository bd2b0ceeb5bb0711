"""Saving and loading trained models: one safetensors file, and no pickle anywhere."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as tensors_to_bytes

from tangermeme_gia._core.identity import tensors_checksum
from tangermeme_gia._core.storage import write_atomically

from ..data.transforms import Transform
from .model import ResidualBind, ResidualBindConfig

FORMAT = "residualbind"
FORMAT_VERSION = 1
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "config": (dict,),
    "transform": (dict, type(None)),
    "experiments": (list, type(None)),
    "provenance": (dict,),
}

_Path = str | os.PathLike[str]


class Metadata(NamedTuple):
    """What a weights file says about its model."""

    config: ResidualBindConfig
    transform: Transform | None
    experiments: tuple[str, ...] | None
    provenance: dict[str, Any]


def save(
    model: ResidualBind,
    path: _Path,
    *,
    transform: Transform | None = None,
    experiments: Sequence[str] | None = None,
    provenance: Mapping[str, Any] | None = None,
) -> None:
    """How can a trained model be kept with all that is needed to use it again?

    Weights, batch-norm statistics and metadata go into one safetensors file. It is
    written beside its final name and moved there when complete, so that an
    interrupted or failed write leaves an earlier file as it was. Equal models with
    equal metadata give equal bytes.

    Parameters
    ----------
    model: ResidualBind
        The model, on any device. It is not changed.

    path: str or path-like
        The file to write; an existing one is replaced. Its folder must exist.

    transform: Transform or None, optional
        The fitted transform of the training scores, with which predictions can be
        returned to the original scale. Default is None.

    experiments: sequence of str or None, optional
        The name of each output. Default is None.

    provenance: mapping or None, optional
        Where the weights come from (data, seed, versions, metrics), in JSON types.
        Default is None, which saves an empty one.

    Raises
    ------
    TypeError
        If the model is not a ResidualBind, the experiments are not names, or the
        provenance holds something JSON has no type for.
    ValueError
        If the experiments are not as many as the model's outputs, or the transform
        was fitted on another number of outputs.
    OSError
        If the file cannot be written, or its folder does not exist.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(ResidualBind(), f"{folder}/model.safetensors", experiments=["A1CF"])
    ...     load_metadata(f"{folder}/model.safetensors").experiments
    ('A1CF',)
    """
    if not isinstance(model, ResidualBind):
        raise TypeError(f"`model` is a {type(model).__name__}, not a ResidualBind.")
    n_outputs = model.config.n_outputs
    _check_experiments(experiments, n_outputs)
    _check_transform(transform, n_outputs)
    metadata = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "config": json.dumps(asdict(model.config)),
        "transform": json.dumps(None if transform is None else transform.to_dict()),
        "experiments": json.dumps(None if experiments is None else list(experiments)),
        "provenance": _provenance_to_json(provenance),
    }
    tensors = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
    }
    metadata["checksum"] = tensors_checksum(tensors, metadata)
    write_atomically(Path(path), _to_bytes(tensors, metadata))


def load(path: _Path) -> ResidualBind:
    """What does a saved model predict?

    The model comes back in eval mode, on the CPU and in the precision it was saved
    in. Global random state is not touched.

    Parameters
    ----------
    path: str or path-like
        A file written by `save`.

    Returns
    -------
    model: ResidualBind

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a safetensors file or not one written by `save`, if a newer
        version wrote it, or if tensors are missing, unexpected, or of the wrong
        shape or type; all such tensors are listed at once.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(ResidualBind(), f"{folder}/model.safetensors")
    ...     model = load(f"{folder}/model.safetensors")
    >>> model.training, model(torch.zeros(2, 4, 41)).shape
    (False, torch.Size([2, 1]))
    """
    header, tensors = _read(Path(path), with_tensors=True)
    metadata = _parse_metadata(Path(path), header)
    model = model_from_tensors(metadata.config, tensors, f"`path`={str(path)!r}")
    checksum = header.pop("checksum", None)
    if checksum != tensors_checksum(tensors, header):
        raise ValueError(
            f"`path`={str(path)!r} is damaged: its weights or what it says of them are "
            "not those that were saved. Train or copy it again."
        )
    return model


def load_metadata(path: _Path) -> Metadata:
    """What is known about a saved model, without loading its weights?

    Parameters
    ----------
    path: str or path-like
        A file written by `save`.

    Returns
    -------
    metadata: Metadata
        `config`, the fitted `transform` or None, the `experiments` by name or None,
        and the `provenance`, a dict.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a safetensors file, was not written by `save`, was written by a
        newer version, or its metadata is damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/model.safetensors"
    ...     save(ResidualBind(), path, provenance={"seed": 1})
    ...     load_metadata(path).provenance
    {'seed': 1}
    """
    header, _ = _read(Path(path), with_tensors=False)
    return _parse_metadata(Path(path), header)


def model_from_tensors(
    config: ResidualBindConfig, tensors: Mapping[str, torch.Tensor], source: str
) -> ResidualBind:
    """Which model has this architecture and these weights?

    Parameters
    ----------
    config: ResidualBindConfig
        The architecture.

    tensors: mapping of str to torch.Tensor
        The state dict; the model holds these very tensors.

    source: str
        Where they come from, for error messages.

    Returns
    -------
    model: ResidualBind
        In eval mode.

    Raises
    ------
    ValueError
        If tensors are missing, unexpected, or of the wrong shape or type; all of
        them are listed.

    Examples
    --------
    >>> model = ResidualBind()
    >>> same = model_from_tensors(model.config, model.state_dict(), "memory")
    >>> torch.equal(same.conv.weight, model.conv.weight)
    True
    """
    # Nothing is initialised on the meta device, so no random number is drawn.
    with torch.device("meta"):
        model = ResidualBind(config)
    problems = _tensor_problems(model.state_dict(), tensors)
    if problems:
        raise ValueError(
            f"{source} does not hold the weights of {config}: " + "; ".join(problems)
        )
    model.load_state_dict(dict(tensors), assign=True)
    return model.eval()


def _tensor_problems(
    expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]
) -> list[str]:
    problems = []
    missing = [name for name in expected if name not in found]
    if missing:
        problems.append(f"missing {missing}")
    unexpected = [name for name in found if name not in expected]
    if unexpected:
        problems.append(f"unexpected {unexpected}")
    for name, tensor in found.items():
        if name not in expected:
            continue
        if tensor.shape != expected[name].shape:
            problems.append(
                f"{name!r} has shape {tuple(tensor.shape)}, "
                f"not {tuple(expected[name].shape)}"
            )
        if tensor.is_floating_point() != expected[name].is_floating_point():
            problems.append(
                f"{name!r} has type {tensor.dtype}, not {expected[name].dtype}"
            )
    return problems


def _check_experiments(experiments: Sequence[str] | None, n_outputs: int) -> None:
    if experiments is None:
        return
    if isinstance(experiments, str) or not all(
        isinstance(name, str) for name in experiments
    ):
        raise TypeError(
            f"`experiments`={experiments!r} must be a sequence of names, "
            "one for each output."
        )
    if len(experiments) != n_outputs:
        raise ValueError(
            f"`experiments` has {len(experiments)} names, but `model` has "
            f"{n_outputs} output(s); give one name for each."
        )


def _check_transform(transform: Transform | None, n_outputs: int) -> None:
    if transform is None:
        return
    try:
        transform.apply(np.zeros((1, n_outputs)))
    except ValueError as error:
        raise ValueError(
            f"`transform` cannot be saved with a model of {n_outputs} output(s): "
            f"{error}"
        ) from error


def _provenance_to_json(provenance: Mapping[str, Any] | None) -> str:
    try:
        return json.dumps(dict(provenance or {}))
    except TypeError as error:
        raise TypeError(
            f"`provenance` must hold JSON types only (dict, list, str, int, float, "
            f"bool, None): {error}"
        ) from error


def _to_bytes(tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> bytes:
    written = tensors_to_bytes(tensors, metadata)
    # safetensors writes the metadata in random order, which would give every file
    # of the same model another checksum: 8 bytes of length, a JSON header, the data.
    end = 8 + int.from_bytes(written[:8], "little")
    header = json.loads(written[8:end]) | {"__metadata__": metadata}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + written[end:]


def _read(
    path: Path, *, with_tensors: bool
) -> tuple[dict[str, str], dict[str, torch.Tensor]]:
    if not path.is_file():
        raise FileNotFoundError(f"`path`={str(path)!r}: there is no such file.")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            header = file.metadata() or {}
            # Copies, because the tensors handed out may be views of the mapped file.
            names = file.keys() if with_tensors else ()
            return header, {name: file.get_tensor(name).clone() for name in names}
    except SafetensorError as error:
        raise ValueError(
            f"`path`={str(path)!r} is not a safetensors file, or it is damaged: {error}"
        ) from error


def _parse_metadata(path: Path, header: dict[str, str]) -> Metadata:
    source = f"`path`={str(path)!r}"
    if header.get("format") != FORMAT:
        raise ValueError(
            f"{source} is a safetensors file, but not one written by "
            "`residualbind.network.weights.save`."
        )
    version = header.get("format_version", "")
    if not version.isdecimal():
        raise ValueError(f"{source} has format version {version!r}, not a number.")
    if int(version) > FORMAT_VERSION:
        raise ValueError(
            f"{source} has format version {version}, but this version of "
            f"tangermeme-gia reads up to {FORMAT_VERSION}; install a newer one."
        )
    parsed = {key: _parse_json(source, header, key) for key in _JSON_TYPES}
    config = _parse_config(source, parsed["config"])
    experiments = parsed["experiments"]
    try:
        _check_experiments(experiments, config.n_outputs)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{source} is damaged: {error}") from error
    return Metadata(
        config=config,
        transform=_parse_transform(source, parsed["transform"]),
        experiments=None if experiments is None else tuple(experiments),
        provenance=parsed["provenance"],
    )


def _parse_json(source: str, header: dict[str, str], key: str) -> Any:
    try:
        value = json.loads(header[key])
    except (KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{source} has no readable {key!r} metadata.") from error
    if not isinstance(value, _JSON_TYPES[key]):
        raise ValueError(
            f"{source} has {key!r} metadata of the wrong type: {header[key]}"
        )
    return value


def _parse_config(source: str, state: dict[str, Any]) -> ResidualBindConfig:
    known = [field.name for field in fields(ResidualBindConfig)]
    unknown = [name for name in state if name not in known]
    missing = [name for name in known if name not in state]
    if unknown or missing:
        raise ValueError(
            f"{source} has a config that does not fit this version of tangermeme-gia: "
            f"unknown fields {unknown}, missing fields {missing}."
        )
    try:
        return ResidualBindConfig(**state)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{source} has an invalid config: {error}") from error


def _parse_transform(source: str, state: dict[str, Any] | None) -> Transform | None:
    if state is None:
        return None
    try:
        return Transform.from_dict(state)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{source} has an invalid transform: {error}") from error
