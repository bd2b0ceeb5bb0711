"""Import of the authors' Keras weights (`.hdf5`) into a `ResidualBind`."""

from __future__ import annotations

import itertools
import math
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from tangermeme_gia._core.hdf5 import (
    damage,
    is_group,
    members,
    open_hdf5,
    read_dataset,
)

from .model import ResidualBind, ResidualBindConfig
from .weights import model_from_tensors

# Keras numbers the layers of each kind in the order they were built, from any number;
# the first of a session has none. The authors build a batch norm right after the
# layer it belongs to, so that the i-th one follows the i-th convolution and a last
# one, if there is one more, the fully connected layer.
_LAYER_NAME = re.compile(r"(conv1d|batch_normalization|dense)(?:_([0-9]{1,9}))?")
_REQUIRED = {
    "conv1d": ("kernel",),
    "batch_normalization": ("gamma", "beta", "moving_mean", "moving_variance"),
    "dense": ("kernel",),
}
_OPTIONAL = {"conv1d": ("bias",), "batch_normalization": (), "dense": ("bias",)}
_LISTED = "weight_names"
_DILATIONS = {3: (1, 2, 4), 4: (1, 2, 4, 8)}


class _Layer(NamedTuple):
    name: str
    kind: str
    number: int
    weights: dict[str, NDArray[np.float32]]


class _Network(NamedTuple):
    """The layers of each kind in the order they were built."""

    convs: list[_Layer]
    norms: list[_Layer]
    dense: list[_Layer]


class _Sizes(NamedTuple):
    """What the kernels tell; None where a kernel is missing or malformed."""

    kernel_size: int | None
    channels: int | None
    filters: int | None
    hidden: int | None
    n_outputs: int | None


def import_keras(
    path: str | os.PathLike[str],
    *,
    length: int = 41,
    pool_size: int = 10,
    sigmoid: bool = False,
) -> ResidualBind:
    """What does a ResidualBind trained with the authors' Keras code predict?

    The architecture is read from the shapes in the file: channels, filters, kernel
    size, units, outputs, whether batch norm follows the fully connected layer, and
    the dilations, which are (1, 2, 4) for three convolutions in the residual module
    and (1, 2, 4, 8) for four. A bias in front of a batch norm is folded into the
    running mean, which leaves the predictions as they are. Needs h5py.

    Parameters
    ----------
    path: str or path-like
        An HDF5 file written by Keras's `save_weights` or `save`.

    length: int, optional
        Input length in nucleotides; the file only tells how many positions are
        left after pooling. Default is 41.

    pool_size: int, optional
        Window of the mean pooling. Default is 10.

    sigmoid: bool, optional
        Whether the model ends in a sigmoid (classification), which the weights do
        not tell. Default is False.

    Returns
    -------
    model: ResidualBind
        In eval mode, on the CPU. Dropout rates, which weights do not tell either
        and only training uses, are those of `ResidualBindConfig` for three
        convolutions in the residual module and of `ResidualBindConfig.released()`
        for four.

    Raises
    ------
    ImportError
        If h5py is not installed.
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not an HDF5 file of Keras layers, or layers or weights are missing,
        unexpected or of the wrong shape; all of them are listed at once.

    Examples
    --------
    >>> model = import_keras("RNCMPT00001.hdf5")  # doctest: +SKIP
    >>> import_keras("missing.hdf5")
    Traceback (most recent call last):
    FileNotFoundError: `path`='missing.hdf5': there is no such file.
    """
    ResidualBindConfig(length=length, pool_size=pool_size, sigmoid=sigmoid)
    source = f"`path`={str(path)!r}"
    layers, problems = _read_layers(Path(path), source)
    network = _in_order(layers)
    sizes = _infer_sizes(network)
    problems += _structure_problems(network)
    shapes = _expected_shapes(network, sizes, length // pool_size)
    problems += _weight_problems(layers, shapes)
    if problems:
        raise ValueError(
            f"{source} does not hold the weights of a ResidualBind of `length`="
            f"{length} and `pool_size`={pool_size}: "
            + "; ".join(dict.fromkeys(problems))
        )
    settings: dict[str, Any] = {
        **sizes._asdict(),
        "length": length,
        "pool_size": pool_size,
        "sigmoid": sigmoid,
        "dilations": _DILATIONS[len(network.convs) - 1],
        "dense_batch_norm": len(network.norms) > len(network.convs),
    }
    released = settings["dilations"] == ResidualBindConfig.released().dilations
    build = ResidualBindConfig.released if released else ResidualBindConfig
    try:
        config = build(**settings)
    except ValueError as error:
        raise ValueError(f"{source} cannot be a ResidualBind: {error}") from error
    return model_from_tensors(config, _state_dict(network), source)


def _read_layers(path: Path, source: str) -> tuple[list[_Layer], list[str]]:
    if not path.exists():
        raise FileNotFoundError(f"{source}: there is no such file.")
    layers, problems = [], []
    with open_hdf5(path) as file:
        # `save` puts the layers under this group, `save_weights` at the top.
        root = file
        if "model_weights" in members(file, path):
            with damage(f"{path}, model_weights is damaged"):
                root = file["model_weights"]
        with damage(f"{path} is damaged"):
            groups = [n for n in members(root, path) if _LISTED in root[n].attrs]
        if not groups:
            raise ValueError(
                f"{source} is an HDF5 file, but no group in it has the attribute "
                f"`{_LISTED}` that Keras gives to every layer."
            )
        for name in groups:
            weights = _read_weights(root, name, path)
            n_listed = _n_listed(root, name, path)
            if len(weights) != n_listed:
                problems.append(
                    f"{n_listed} weights are listed in {name!r}, where "
                    f"{', '.join(weights) or 'none'} can be read"
                )
            match = _LAYER_NAME.fullmatch(name)
            if match:
                layers.append(_Layer(name, match[1], int(match[2] or 0), weights))
            elif weights:
                problems.append(f"unexpected layer {name!r}")
    return layers, problems


def _n_listed(root: Any, name: str, path: Path) -> int:
    """How many weights a layer lists; the names themselves may announce gigabytes."""
    with damage(f"{path}, {name} is damaged"):
        shape = root[name].attrs.get_id(_LISTED).shape
        return math.prod(shape or (shape is not None,))


def _read_weights(root: Any, name: str, path: Path) -> dict[str, NDArray[np.float32]]:
    """The weights in a layer's group as numbers, by what they are of the layer."""
    labels: list[str] = []
    with damage(f"{path}, {name} is damaged"):
        if hasattr(root[name], "visit"):
            root[name].visit(labels.append)
        if not all(isinstance(label, str) for label in labels):
            raise ValueError("a name that is not UTF-8")
    weights = {}
    for key in (f"{name}/{label}" for label in labels):
        if is_group(root, key, path):
            continue
        values = read_dataset(root, key, path)
        if values.dtype.kind not in "biuf":
            raise ValueError(f"{path}, {key}: {values.dtype} values are not numbers.")
        with np.errstate(over="ignore"):
            weights[key.rsplit("/", 1)[-1].split(":")[0]] = values.astype(np.float32)
    return weights


def _in_order(layers: list[_Layer]) -> _Network:
    layers = sorted(layers, key=lambda layer: layer.number)
    return _Network(*([x for x in layers if x.kind == kind] for kind in _REQUIRED))


def _infer_sizes(network: _Network) -> _Sizes:
    kernel_size, channels, filters = _kernel_shape(network.convs[:1], 3)
    _, hidden = _kernel_shape(network.dense[:1], 2)
    _, n_outputs = _kernel_shape(network.dense[1:2], 2)
    return _Sizes(kernel_size, channels, filters, hidden, n_outputs)


def _kernel_shape(layers: list[_Layer], ndim: int) -> tuple[int | None, ...]:
    kernel = layers[0].weights.get("kernel") if layers else None
    if kernel is None or kernel.ndim != ndim:
        return (None,) * ndim
    return kernel.shape


def _structure_problems(network: _Network) -> list[str]:
    problems = [
        f"missing layers between {before.name!r} and {after.name!r}"
        for layers in network
        for before, after in itertools.pairwise(layers)
        if after.number != before.number + 1
    ]
    n_convs, n_norms, n_dense = map(_span, network)
    if n_convs - 1 not in _DILATIONS:
        allowed = " or ".join(str(1 + n_blocks) for n_blocks in _DILATIONS)
        problems.append(f"{n_convs} conv1d layers, where {allowed} are expected")
    if n_norms not in (n_convs, n_convs + 1):
        problems.append(
            f"{n_norms} batch_normalization layers, where one for each of the "
            f"{n_convs} conv1d layers and at most one more are expected"
        )
    if n_dense != 2:
        problems.append(f"{n_dense} dense layers, where 2 are expected")
    return problems


def _expected_shapes(
    network: _Network, sizes: _Sizes, pooled: int
) -> dict[str, tuple[int | None, ...]]:
    """The shape of each layer's kernel; for a batch norm, of each of its weights."""
    kernel_size, channels, filters, hidden, n_outputs = sizes
    rows = None if filters is None else pooled * filters
    shapes: dict[str, tuple[int | None, ...]] = {}
    for layer, i in _places(network.convs):
        width, inputs = (3, filters) if i else (kernel_size, channels)
        shapes[layer.name] = (width, inputs, filters)
    for layer, i in _places(network.norms):
        shapes[layer.name] = (filters,) if i < _span(network.convs) else (hidden,)
    for layer, i in _places(network.dense):
        shapes[layer.name] = (hidden, n_outputs) if i else (rows, hidden)
    return shapes


def _span(layers: list[_Layer]) -> int:
    """How many layers there are, those missing in between included."""
    return layers[-1].number - layers[0].number + 1 if layers else 0


def _places(layers: list[_Layer]) -> list[tuple[_Layer, int]]:
    return [(layer, layer.number - layers[0].number) for layer in layers]


def _weight_problems(
    layers: list[_Layer], shapes: dict[str, tuple[int | None, ...]]
) -> list[str]:
    problems = []
    for layer in layers:
        required, optional = _REQUIRED[layer.kind], _OPTIONAL[layer.kind]
        for name in required:
            if name not in layer.weights:
                problems.append(f"missing '{layer.name}/{name}'")
        for name, values in layer.weights.items():
            if name not in (*required, *optional):
                problems.append(f"unexpected '{layer.name}/{name}'")
                continue
            shape = shapes[layer.name]
            expected = shape[-1:] if name == "bias" else shape
            if not _fits(values.shape, expected):
                shown = str(expected).replace("None", "?")
                problems.append(
                    f"'{layer.name}/{name}' has shape {values.shape}, not {shown}"
                )
    return problems


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    return len(shape) == len(expected) and all(
        size is None or n == size for n, size in zip(shape, expected, strict=True)
    )


def _state_dict(network: _Network) -> dict[str, torch.Tensor]:
    convs, norms, dense = network
    state = {}
    for i, (conv, norm) in enumerate(zip(convs, norms, strict=False)):
        conv_name, norm_name = "conv", "conv_norm"
        if i > 0:
            conv_name, norm_name = f"block.convs.{i - 1}", f"block.norms.{i - 1}"
        # Keras kernels are (width, in, out), torch's (out, in, width).
        state[f"{conv_name}.weight"] = _tensor(conv.weights["kernel"].T)
        state |= _norm_state(norm_name, norm, conv.weights.get("bias"))
    hidden, output = (layer.weights for layer in dense)
    state["dense.weight"] = _tensor(hidden["kernel"].T)
    if len(norms) > len(convs):
        state |= _norm_state("dense_norm", norms[-1], hidden.get("bias"))
    else:
        state["dense.bias"] = _bias(hidden)
    state["output.weight"] = _tensor(output["kernel"].T)
    state["output.bias"] = _bias(output)
    return state


def _norm_state(
    name: str, norm: _Layer, bias: NDArray[np.float32] | None
) -> dict[str, torch.Tensor]:
    mean = norm.weights["moving_mean"]
    if bias is not None:
        # gamma * ((x + bias) - mean) = gamma * (x - (mean - bias))
        mean = mean - bias
    return {
        f"{name}.weight": _tensor(norm.weights["gamma"]),
        f"{name}.bias": _tensor(norm.weights["beta"]),
        f"{name}.running_mean": _tensor(mean),
        f"{name}.running_var": _tensor(norm.weights["moving_variance"]),
        f"{name}.num_batches_tracked": torch.tensor(0),
    }


def _bias(weights: dict[str, NDArray[np.float32]]) -> torch.Tensor:
    units = weights["kernel"].shape[1]
    return _tensor(weights.get("bias", np.zeros(units, np.float32)))


def _tensor(values: NDArray[np.float32]) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values))
