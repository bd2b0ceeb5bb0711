"""Saving and loading trained models: one safetensors file, and no pickle anywhere."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from tangermeme_gia._core.identity import tensors_checksum
from tangermeme_gia._core.storage import write_atomically
from tangermeme_gia._core.tensor_files import read_tensor_file, tensor_file

from ..data.transforms import Transform
from .metadata import Metadata, metadata_to_header, parse_metadata
from .model import ResidualBind, ResidualBindConfig

_Path = str | os.PathLike[str]


def save(
    model: ResidualBind,
    path: _Path,
    *,
    transform: Transform | None = None,
    experiments: Sequence[str] | None = None,
    provenance: Mapping[str, Any] | None = None,
    profile: torch.Tensor | None = None,
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

    profile: torch.Tensor or None, shape=(4, length), optional
        Mean frequency of A, C, G and U at each position of the probes, from which
        backgrounds are drawn. Default is None.

    Raises
    ------
    TypeError
        If the model is not a ResidualBind, the experiments are not names, or the
        provenance holds something JSON has no type for.
    ValueError
        If the experiments are not as many as the model's outputs, the transform was
        fitted on another number of outputs, or the profile is none of the model's.
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
    metadata = metadata_to_header(
        model.config, transform, experiments, provenance, profile
    )
    tensors = {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
    }
    metadata["checksum"] = tensors_checksum(tensors, metadata)
    write_atomically(Path(path), tensor_file(tensors, metadata))


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
    header, tensors = read_tensor_file(Path(path))
    metadata = parse_metadata(Path(path), header)
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
        the `provenance`, a dict, and the `profile` of the probes or None.

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
    header, _ = read_tensor_file(Path(path), with_tensors=False)
    return parse_metadata(Path(path), header)


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
