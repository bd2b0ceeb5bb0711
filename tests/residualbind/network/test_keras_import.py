"""Import of Keras weights, against Keras's arithmetic written again in NumPy."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from residualbind.network.keras_import import import_keras
from residualbind.network.model import ResidualBindConfig
from residualbind.network.weights import load, save

h5py = pytest.importorskip("h5py")

Array = NDArray[np.float32]
Layers = dict[str, dict[str, Array]]


class Net(NamedTuple):
    """What the files written here may vary."""

    blocks: int = 4
    conv_bias: bool = False
    dense_norm: bool = True
    dense_bias: bool = False
    channels: int = 4
    outputs: int = 1
    length: int = 41
    pool: int = 10
    width: int = 11
    filters: int = 6
    hidden: int = 5


def keras_name(kind: str, number: int) -> str:
    return f"{kind}_{number}" if number else kind


def random_layers(net: Net, first: int = 0, seed: int = 0) -> Layers:
    """Weights by layer in building order; `first` is the number Keras starts at."""
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> Array:
        return rng.normal(scale=shape[-2] ** -0.5, size=shape).astype(np.float32)

    def norm(n: int) -> dict[str, Array]:
        parts = ("gamma", "beta", "moving_mean", "moving_variance")
        low = (0.5, -0.5, -0.5, 0.2)
        return {
            part: rng.uniform(a, a + 1.5, n).astype(np.float32)
            for part, a in zip(parts, low, strict=True)
        }

    def bias(n: int) -> dict[str, Array]:
        return {"bias": rng.uniform(-1, 1, n).astype(np.float32)}

    layers: Layers = {}
    for i in range(1 + net.blocks):
        inputs, width = (net.filters, 3) if i else (net.channels, net.width)
        kernel = {"kernel": normal(width, inputs, net.filters)}
        kernel |= bias(net.filters) if net.conv_bias else {}
        layers[keras_name("conv1d", first + i)] = kernel
        layers[keras_name("batch_normalization", first + i)] = norm(net.filters)
    rows = net.length // net.pool * net.filters
    dense = {"kernel": normal(rows, net.hidden)}
    dense |= bias(net.hidden) if net.dense_bias else {}
    layers[keras_name("dense", first)] = dense
    if net.dense_norm:
        last = first + 1 + net.blocks
        layers[keras_name("batch_normalization", last)] = norm(net.hidden)
    output = {"kernel": normal(net.hidden, net.outputs), **bias(net.outputs)}
    layers[keras_name("dense", first + 1)] = output
    return layers


def write(path: Path, layers: Layers, group: str | None = None) -> Path:
    """Lay out a file as Keras does, layers without weights and all."""
    with h5py.File(path, "w") as file:
        root = file.create_group(group) if group else file
        empty = ["input_1", "activation", "dropout", "add", "top_level_model_weights"]
        root.attrs["layer_names"] = np.array([*layers, *empty], dtype="S")
        root.attrs["backend"] = b"tensorflow"
        for name in empty:
            root.create_group(name).attrs["weight_names"] = np.array([])
        for name, weights in layers.items():
            labels = [f"{name}/{part}:0" for part in weights]
            layer = root.create_group(name)
            layer.attrs["weight_names"] = np.array(labels, dtype="S")
            for label, values in zip(labels, weights.values(), strict=True):
                layer.create_dataset(label, data=values)
        if group:
            file.create_group("optimizer_weights").create_dataset("m", data=[1.0])
    return path


def keras_forward(X: Array, layers: Layers, net: Net) -> NDArray[np.float64]:
    """Predict (n, length, channels) as Keras would, in float64."""
    convs, norms, dense = (
        [weights for name, weights in layers.items() if name.startswith(kind)]
        for kind in ("conv1d", "batch_normalization", "dense")
    )

    def conv(X: NDArray[Any], i: int, dilation: int) -> NDArray[Any]:
        kernel, length = convs[i]["kernel"], X.shape[1]
        total = dilation * (len(kernel) - 1)
        padded = np.pad(X, ((0, 0), (total // 2, total - total // 2), (0, 0)))
        taps = [
            padded[:, k * dilation : k * dilation + length] @ kernel[k]
            for k in range(len(kernel))
        ]
        return sum(taps) + convs[i].get("bias", 0)

    def norm(X: NDArray[Any], i: int) -> NDArray[Any]:
        w = norms[i]
        scaled = (X - w["moving_mean"]) / np.sqrt(w["moving_variance"] + 1e-3)
        return scaled * w["gamma"] + w["beta"]

    X = np.maximum(norm(conv(X.astype(np.float64), 0, 1), 0), 0)
    hidden = X
    for i in range(1, net.blocks + 1):
        hidden = norm(conv(hidden, i, 2 ** (i - 1)), i)
        if i < net.blocks:
            hidden = np.maximum(hidden, 0)
    X = np.maximum(X + hidden, 0)
    n_windows = net.length // net.pool
    windows = np.split(X[:, : n_windows * net.pool], n_windows, axis=1)
    X = np.stack([window.mean(axis=1) for window in windows], axis=1)
    X = X.reshape(len(X), -1)
    X = X @ dense[0]["kernel"] + dense[0].get("bias", 0)
    X = np.maximum(norm(X, -1) if net.dense_norm else X, 0)
    y: NDArray[np.float64] = X @ dense[1]["kernel"] + dense[1].get("bias", 0)
    return y


def inputs(net: Net, n: int = 5) -> Array:
    rng = np.random.default_rng(7)
    return rng.random((n, net.length, net.channels)).astype(np.float32)


def predict(path: Path, X: Array, **options: Any) -> Array:
    model = import_keras(path, **options)
    with torch.no_grad():
        y: Array = model(torch.from_numpy(X.transpose(0, 2, 1).copy())).numpy()
    return y


@pytest.mark.parametrize(
    "net",
    [
        Net(),
        Net(conv_bias=True),
        Net(conv_bias=True, dense_bias=True),
        Net(dense_norm=False, dense_bias=True),
        Net(dense_norm=False),
        Net(blocks=3),
        Net(blocks=3, conv_bias=True, dense_norm=False, dense_bias=True),
        Net(channels=9, outputs=3, length=60, pool=7, width=5, hidden=4),
        Net(filters=96, hidden=256),
    ],
    ids=str,
)
@pytest.mark.parametrize("first", [0, 4, 7])
def test_predictions_equal_those_of_keras(tmp_path: Path, net: Net, first: int) -> None:
    # From 7 on, the numbers run from one digit into two: 10 comes after 9, not after 1.
    layers = random_layers(net, first)
    path = write(tmp_path / "weights.hdf5", layers)
    X = inputs(net)
    expected = keras_forward(X, layers, net)
    assert expected.std() > 1e-3
    found = predict(path, X, length=net.length, pool_size=net.pool)
    assert found.shape == expected.shape == (5, net.outputs)
    np.testing.assert_allclose(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("net", "config"),
    [
        (Net(filters=96, hidden=256), ResidualBindConfig.released()),
        (
            Net(3, dense_norm=False, dense_bias=True, filters=96, hidden=256),
            ResidualBindConfig(),
        ),
        (
            Net(3, True, True, True, 6, 2, 50, 12, 7, 8, 9),
            ResidualBindConfig(6, 50, 2, 8, 7, (1, 2, 4), 12, 9, dense_batch_norm=True),
        ),
    ],
)
def test_the_config_is_read_from_the_file(
    tmp_path: Path, net: Net, config: ResidualBindConfig
) -> None:
    path = write(tmp_path / "weights.hdf5", random_layers(net))
    model = import_keras(path, length=net.length, pool_size=net.pool)
    assert model.config == config
    assert not model.training


def test_the_file_of_a_whole_model_is_read_too(tmp_path: Path) -> None:
    layers = random_layers(Net())
    weights = write(tmp_path / "weights.hdf5", layers)
    whole = write(tmp_path / "model.h5", layers, group="model_weights")
    X = inputs(Net())
    np.testing.assert_array_equal(predict(whole, X), predict(weights, X))


def test_sigmoid_is_taken_from_the_caller(tmp_path: Path) -> None:
    path = write(tmp_path / "weights.hdf5", random_layers(Net()))
    X = inputs(Net())
    logits = predict(path, X)
    np.testing.assert_allclose(
        predict(path, X, sigmoid=True), 1 / (1 + np.exp(-logits)), atol=1e-6
    )


def test_an_output_without_bias_has_bias_zero(tmp_path: Path) -> None:
    layers = random_layers(Net())
    del layers["dense_1"]["bias"]
    path = write(tmp_path / "weights.hdf5", layers)
    X = inputs(Net())
    np.testing.assert_allclose(
        predict(path, X), keras_forward(X, layers, Net()), atol=1e-5
    )


def test_an_imported_model_can_be_saved_and_trained(tmp_path: Path) -> None:
    path = write(tmp_path / "weights.hdf5", random_layers(Net()))
    random_state = torch.get_rng_state()
    model = import_keras(path)
    assert torch.equal(torch.get_rng_state(), random_state)
    save(model, tmp_path / "model.safetensors")
    X = torch.rand(2, 4, 41)
    with torch.no_grad():
        assert torch.equal(load(tmp_path / "model.safetensors")(X), model(X))
    model.train()(X).sum().backward()
    assert model.conv.weight.grad is not None
    assert model.conv_norm.num_batches_tracked == 1


# Errors


def drop(*names: str) -> Callable[[Layers], None]:
    def change(layers: Layers) -> None:
        for name in names:
            layer, _, weight = name.partition("/")
            if weight:
                del layers[layer][weight]
            else:
                del layers[layer]

    return change


def put(name: str, *shape: int) -> Callable[[Layers], None]:
    def change(layers: Layers) -> None:
        layer, weight = name.split("/")
        layers.setdefault(layer, {})[weight] = np.zeros(shape, np.float32)

    return change


def two_modules(layers: Layers) -> None:
    """The authors' older architecture, with a second convolutional stage."""
    for i in (5, 6, 7):
        layers[f"conv1d_{i}"] = layers["conv1d_4"]
        layers[f"batch_normalization_{i}"] = layers["batch_normalization_4"]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (drop("conv1d/kernel"), ["missing 'conv1d/kernel'"]),
        (
            drop("batch_normalization_2/gamma", "batch_normalization_3/moving_mean"),
            [
                "missing 'batch_normalization_2/gamma'",
                "missing 'batch_normalization_3/moving_mean'",
            ],
        ),
        (drop("conv1d_2"), ["missing layers between 'conv1d_1' and 'conv1d_3'"]),
        (
            drop("batch_normalization_3", "batch_normalization_4"),
            [
                "missing layers between 'batch_normalization_2' and "
                "'batch_normalization_5'"
            ],
        ),
        (
            drop("conv1d_3", "conv1d_4"),
            [
                "3 conv1d layers, where 4 or 5 are expected",
                "6 batch_normalization layers, where one for each of the 3 conv1d "
                "layers and at most one more are expected",
                "'batch_normalization_3/gamma' has shape (6,), not (5,)",
            ],
        ),
        (two_modules, ["8 conv1d layers, where 4 or 5 are expected"]),
        (drop("dense_1"), ["1 dense layers, where 2 are expected"]),
        (drop("dense", "dense_1"), ["0 dense layers, where 2 are expected"]),
        (put("lstm/kernel", 2, 2), ["unexpected layer 'lstm'"]),
        (put("dense_2/kernel", 1, 1), ["3 dense layers, where 2 are expected"]),
        (put("conv1d/scale", 6), ["unexpected 'conv1d/scale'"]),
        (
            put("conv1d_1/kernel", 5, 6, 6),
            ["'conv1d_1/kernel' has shape (5, 6, 6), not (3, 6, 6)"],
        ),
        (
            put("conv1d/kernel", 11, 6),
            ["'conv1d/kernel' has shape (11, 6), not (?, ?, ?)"],
        ),
        (put("conv1d_4/bias", 7), ["'conv1d_4/bias' has shape (7,), not (6,)"]),
        (
            put("batch_normalization/beta", 6, 1),
            ["'batch_normalization/beta' has shape (6, 1), not (6,)"],
        ),
        (
            put("batch_normalization_5/beta", 6),
            ["'batch_normalization_5/beta' has shape (6,), not (5,)"],
        ),
        (
            put("dense/kernel", 30, 5),
            ["'dense/kernel' has shape (30, 5), not (24, 5)"],
        ),
        (
            put("dense_1/kernel", 4, 1),
            ["'dense_1/kernel' has shape (4, 1), not (5, 1)"],
        ),
        (put("dense_1/bias", 2), ["'dense_1/bias' has shape (2,), not (1,)"]),
    ],
)
def test_every_kind_of_misfit_is_named(
    tmp_path: Path, change: Callable[[Layers], None], expected: list[str]
) -> None:
    layers = random_layers(Net())
    change(layers)
    path = write(tmp_path / "weights.hdf5", layers)
    with pytest.raises(ValueError, match=r"weights\.hdf5' does not hold") as raised:
        import_keras(path)
    for part in expected:
        assert part in str(raised.value)


@pytest.mark.parametrize("kind", ["conv1d", "batch_normalization"])
def test_a_gap_in_the_numbers_is_not_filled_by_the_next_layer(
    tmp_path: Path, kind: str
) -> None:
    layers = random_layers(Net())
    del layers[f"{kind}_2"]
    path = write(tmp_path / "weights.hdf5", layers)
    message = rf"`pool_size`=10: missing layers between '{kind}_1' and '{kind}_3'$"
    with pytest.raises(ValueError, match=message):
        import_keras(path)


def test_all_misfits_are_listed_at_once_and_nothing_else(tmp_path: Path) -> None:
    layers = random_layers(Net(), first=3)
    drop("conv1d_4", "batch_normalization_8/beta")(layers)
    put("lstm/kernel", 2, 2)(layers)
    put("dense_3/kernel", 30, 5)(layers)
    path = write(tmp_path / "weights.hdf5", layers)
    with pytest.raises(ValueError, match="does not hold") as raised:
        import_keras(path)
    _, _, listed = str(raised.value).partition("`pool_size`=10: ")
    assert listed.split("; ") == [
        "unexpected layer 'lstm'",
        "missing layers between 'conv1d_3' and 'conv1d_5'",
        "missing 'batch_normalization_8/beta'",
        "'dense_3/kernel' has shape (30, 5), not (24, 5)",
    ]


def test_a_data_set_that_is_announced_but_absent_is_missing(tmp_path: Path) -> None:
    layers = random_layers(Net(conv_bias=True))
    path = write(tmp_path / "weights.hdf5", layers)
    with h5py.File(path, "a") as file:
        del file["conv1d/conv1d/bias:0"]
        del file["dense/dense/kernel:0"]
    with pytest.raises(ValueError, match="does not hold") as raised:
        import_keras(path)
    listed = "weights are listed in"
    assert str(raised.value).endswith(
        f"2 {listed} 'conv1d', where kernel can be read; 1 {listed} 'dense', where "
        "none can be read; missing 'dense/kernel'"
    )


@pytest.mark.parametrize(("length", "pool_size"), [(51, 10), (41, 8), (39, 10)])
def test_a_length_that_leaves_another_number_of_positions_is_an_error(
    tmp_path: Path, length: int, pool_size: int
) -> None:
    path = write(tmp_path / "weights.hdf5", random_layers(Net()))
    rows = length // pool_size * 6
    message = (
        rf"`length`={length} and `pool_size`={pool_size}: "
        rf"'dense/kernel' has shape \(24, 5\), not \({rows}, 5\)$"
    )
    with pytest.raises(ValueError, match=message):
        import_keras(path, length=length, pool_size=pool_size)


@pytest.mark.parametrize("name", ["length", "pool_size"])
def test_sizes_that_no_model_can_have_are_errors(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / "weights.hdf5", random_layers(Net()))
    with pytest.raises(ValueError, match=rf"`{name}`=0 must be at least 1"):
        import_keras(path, **{name: 0})


def test_an_even_kernel_is_an_error_naming_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "weights.hdf5", random_layers(Net(width=10)))
    with pytest.raises(
        ValueError, match=r"weights\.hdf5' cannot be .*`kernel_size`=10"
    ):
        import_keras(path)


def test_a_missing_file_is_an_error_naming_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"nowhere\.hdf5.*no such file"):
        import_keras(tmp_path / "nowhere.hdf5")


def test_another_format_is_an_error_naming_the_file(tmp_path: Path) -> None:
    path = tmp_path / "weights.hdf5"
    path.write_text("not HDF5")
    with pytest.raises(ValueError, match=r"weights\.hdf5 is not an HDF5 file"):
        import_keras(path)


def test_an_hdf5_file_of_something_else_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "data.h5"
    with h5py.File(path, "w") as file:
        file["X_train"] = np.zeros((2, 4, 41))
        file.create_group("layers/conv1d/vars")
    with pytest.raises(ValueError, match=r"data\.h5' is an HDF5 file, but no group"):
        import_keras(path)


def test_a_file_that_lies_or_is_damaged_is_named_by_file_and_key(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "weights.hdf5", random_layers(Net()))
    with h5py.File(path, "a") as file:
        name = next(n for n in file if n.startswith("dense"))
        label = file[name].attrs["weight_names"][0].decode()
        del file[f"{name}/{label}"]
        file.create_dataset(f"{name}/{label}", (10**6, 10**6), "f4")
    with pytest.raises(
        ValueError, match=rf"weights\.hdf5, {name}/{label}: 4,000,000,000,000 bytes"
    ):
        import_keras(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match=r"weights\.hdf5 is not an HDF5 file, or dam"):
        import_keras(path)
    with pytest.raises(IsADirectoryError):
        import_keras(tmp_path)


def test_a_list_of_names_that_announces_gigabytes_is_not_read(tmp_path: Path) -> None:
    """h5py writes a list of names as texts of variable length, each with its length."""
    layers = random_layers(Net())
    path = write(tmp_path / "weights.hdf5", layers)
    with h5py.File(path, "a") as file:
        for name in layers:
            names = file[name].attrs["weight_names"].tolist()
            file[name].attrs["weight_names"] = names
    size = len(f"{name}/{next(iter(layers[name]))}:0")
    data = path.read_bytes()
    announced = re.compile(
        size.to_bytes(4, "little") + rb"(?=.{8}[\1-\xff]\0\0\0)", re.S
    )
    changed, n = announced.subn((0xF0000000).to_bytes(4, "little"), data)
    assert n
    expected = import_keras(path, length=Net().length).state_dict()
    path.write_bytes(changed)
    found = import_keras(path, length=Net().length).state_dict()
    torch.testing.assert_close(found, expected)


def test_two_weights_of_one_name_are_an_error(tmp_path: Path) -> None:
    path = write(tmp_path / "weights.hdf5", random_layers(Net()))
    with h5py.File(path, "a") as file:
        name = next(n for n in file if n.startswith("dense"))
        names = file[name].attrs["weight_names"]
        file[name].attrs["weight_names"] = [*names, b"other/kernel:0"]
        file[f"{name}/other/kernel:0"] = np.zeros((2, 2))
    with pytest.raises(ValueError, match=f"weights are listed in '{name}', where kern"):
        import_keras(path)


def test_without_h5py_the_error_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "weights.hdf5", random_layers(Net()))
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r'pip install "tangermeme-gia\[hdf5\]"'):
        import_keras(path)
