"""Tests of residualbind.hdf5."""

import builtins

import numpy as np
import pytest
import torch

from residualbind.data.encoding import encode_sequences
from residualbind.data.hdf5 import read_hdf5

h5py = pytest.importorskip("h5py")

SIZES = {"train": 8, "valid": 3, "test": 5}
NAMES = [b"RNCMPT00001", b"RNCMPT00002"]


def make_arrays(channels: int = 4, length: int = 41, n_outputs: int = 2):
    """Arrays of one file in the authors' layout, and the sequences in it."""
    rng = np.random.default_rng(0)
    arrays, sequences = {}, []
    for part, n in SIZES.items():
        letters = ["".join(rng.choice(list("ACGU"), length - i % 4)) for i in range(n)]
        sequences += letters
        X = encode_sequences(letters, length).numpy().astype(np.float32)
        structure = rng.dirichlet(np.ones(5), size=(n, length)).transpose(0, 2, 1)
        structure = structure[:, : channels - 4]
        arrays[f"X_{part}"] = np.concatenate([X, structure], axis=1).astype(np.float32)
        arrays[f"Y_{part}"] = rng.normal(size=(n, n_outputs)).astype(np.float32)
    arrays["experiment"] = np.array(NAMES[:n_outputs])
    return arrays, sequences


@pytest.fixture
def write(tmp_path):
    def write(arrays, group=None):
        path = tmp_path / "rnacompete.h5"
        with h5py.File(path, "a") as file:
            where = file if group is None else file.require_group(group)
            for key, values in arrays.items():
                where.create_dataset(key, data=values)
        return path

    return write


def test_file_of_2013_is_read(write):
    arrays, sequences = make_arrays()
    arrays["Y_valid"][1, 0] = np.nan
    data = read_hdf5(write(arrays))
    assert data.X.dtype == torch.int8
    assert data.sequences == sequences
    assert data.sets.tolist() == ["train"] * 8 + ["valid"] * 3 + ["test"] * 5
    assert data.experiments == ("RNCMPT00001", "RNCMPT00002")
    y = np.concatenate([arrays[f"Y_{part}"] for part in SIZES])
    np.testing.assert_array_equal(data.y.numpy(), y)
    assert data.select("RNCMPT00001").n_dropped == 1
    assert [len(part) for part in data.split()] == [8, 3, 5]


def test_channels_last_is_the_same_as_the_authors_channels_first(write, tmp_path):
    arrays, sequences = make_arrays(channels=9)
    expected = np.concatenate([arrays[f"X_{part}"] for part in SIZES])
    for part in SIZES:
        arrays[f"X_{part}"] = arrays[f"X_{part}"].transpose(0, 2, 1)
    data = read_hdf5(write(arrays))
    np.testing.assert_array_equal(data.X.numpy(), expected)
    assert data.sequences == sequences


def test_structure_channels_are_kept_summed_or_left_out(write):
    arrays, sequences = make_arrays(channels=9)
    path = write(arrays)
    stored = np.concatenate([arrays[f"X_{part}"] for part in SIZES])
    for channels in (None, 9):
        full = read_hdf5(path, channels=channels)
        assert full.X.dtype == torch.float32
        np.testing.assert_array_equal(full.X.numpy(), stored)
    six = read_hdf5(path, channels=6).X.numpy()
    np.testing.assert_array_equal(six[:, :5], stored[:, :5])
    np.testing.assert_allclose(six[:, 5], stored[:, 5:].sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(six[:, 4:].sum(axis=1), 1, rtol=1e-6)
    four = read_hdf5(path, channels=4)
    assert four.X.dtype == torch.int8
    assert four.sequences == sequences


def test_channels_that_are_not_there_cannot_be_asked_for(write):
    path = write(make_arrays(channels=6)[0])
    with pytest.raises(
        ValueError, match="holds 6 channels; `channels`=9 cannot be made"
    ):
        read_hdf5(path, channels=9)
    with pytest.raises(
        ValueError, match=r"`channels`=5 is not one of \(4, 6, 9\) or None"
    ):
        read_hdf5(path, channels=5)


def test_group_of_2009_is_read_with_scores_of_either_shape(write):
    arrays, sequences = make_arrays(n_outputs=1)
    del arrays["experiment"]
    path = write(arrays, "VTS1")
    other = make_arrays(n_outputs=1)[0] | {
        f"Y_{part}": np.arange(n, dtype=np.float32) for part, n in SIZES.items()
    }
    del other["experiment"]
    write(other, "HuR")
    data = read_hdf5(path, "VTS1")
    assert data.experiments == ("VTS1",)
    assert data.sequences == sequences
    assert read_hdf5(path, "HuR").y[:8].tolist() == [[float(i)] for i in range(8)]
    with pytest.raises(ValueError, match=r"give one of \['HuR', 'VTS1'\] as `protein`"):
        read_hdf5(path)
    with pytest.raises(
        ValueError, match=r"no group 'PTB' \(`protein`\); it has \['HuR'"
    ):
        read_hdf5(path, "PTB")


def test_protein_of_a_file_without_groups_is_an_error(write):
    path = write(make_arrays()[0])
    with pytest.raises(
        ValueError, match=r"no group 'HuR' .* it has none, so give None"
    ):
        read_hdf5(path, "HuR")


def test_shorter_matrices_are_centred_and_longer_ones_an_error(write):
    arrays, sequences = make_arrays(length=38)
    path = write(arrays)
    data = read_hdf5(path)
    assert data.X.shape == (16, 4, 41)
    assert data.sequences == sequences
    assert data.X[0, :, 1:39].tolist() == arrays["X_train"][0].tolist()
    assert read_hdf5(path, length=None).X.shape[2] == 38
    with pytest.raises(
        ValueError, match="`length`=30 is less than the 38 columns stored"
    ):
        read_hdf5(path, length=30)
    with pytest.raises(ValueError, match="`length`=0 must be a positive"):
        read_hdf5(path, length=0)


def _without(key):
    return lambda arrays: arrays.pop(key)


def _change(key, change):
    def apply(arrays):
        arrays[key] = change(arrays[key])

    return apply


def _set(key, index, value):
    def apply(arrays):
        arrays[key][index] = value

    return apply


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            _without("X_valid"),
            r"has no dataset 'X_valid'; it has \['X_test', 'X_train', ",
        ),
        (_without("Y_test"), "has no dataset 'Y_test'"),
        (_without("experiment"), "has no dataset 'experiment'"),
        (
            _change("X_train", lambda X: X[:, :3]),
            r"X_train has shape \(8, 3, 41\); it must",
        ),
        (_change("X_test", lambda X: X[0]), r"X_test has shape \(4, 41\)"),
        (
            _change("X_valid", lambda X: X[:2]),
            r"Y_valid has shape \(3, 2\); X_valid holds 2",
        ),
        (_change("Y_test", lambda y: y[:, :, None]), r"Y_test has shape \(5, 2, 1\)"),
        (
            _change("Y_test", lambda y: y[:, :1]),
            r"Y_test: a probe has shape \(1,\), in Y_tr",
        ),
        (
            _change("X_test", lambda X: X[:, :, :40]),
            r"X_test: a probe has shape \(4, 40\)",
        ),
        (
            _change("experiment", lambda e: e[:1]),
            r"1 experiment name\(s\) for the 2 column",
        ),
        (
            _change("experiment", lambda e: e[[0, 0]]),
            "experiment holds a name more than on",
        ),
        (
            _change("Y_train", lambda y: y.astype("S")),
            r"Y_train: \|S\d+ values are not num",
        ),
        (_set("Y_valid", (1, 0), np.inf), "Y_valid: the score in row 1 is infinite"),
        (
            _set("X_valid", (2, 0, 20), 0.5),
            "X_valid` is not one-hot: sequence 2 holds",
        ),
        (
            _set("X_valid", (1, slice(0, 2), 20), 1),
            "X_valid` is not one-hot: sequence 1 holds",
        ),
        (_set("X_train", (4,), 0), "X_train: row 4 holds no base"),
    ],
)
def test_malformed_files_are_errors_that_name_file_and_key(write, spoil, message):
    arrays, _ = make_arrays()
    spoil(arrays)
    with pytest.raises(ValueError, match=message) as caught:
        read_hdf5(write(arrays))
    assert "rnacompete.h5" in str(caught.value)


def test_structure_that_is_not_finite_is_an_error(write):
    arrays, _ = make_arrays(channels=9)
    arrays["X_test"][0, 7, 3] = np.nan
    with pytest.raises(ValueError, match="X_test holds values that are not finite"):
        read_hdf5(write(arrays))


def test_files_that_are_no_hdf5_damaged_or_missing_are_errors(write, tmp_path):
    text = tmp_path / "text.h5"
    text.write_text("X_train")
    with pytest.raises(ValueError, match=r"text\.h5 is not an HDF5 file, or damaged"):
        read_hdf5(text)
    path = write(make_arrays()[0])
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(
        ValueError, match=r"rnacompete\.h5 is not an HDF5 file, or damaged"
    ):
        read_hdf5(path)
    with pytest.raises(FileNotFoundError, match="absent"):
        read_hdf5(tmp_path / "absent.h5")


def test_a_size_that_no_file_can_hold_is_not_allocated(write):
    arrays, _ = make_arrays()
    path = write(arrays)
    with h5py.File(path, "a") as file:
        del file["X_valid"]
        file.create_dataset("X_valid", (10**10, 4, 41), "f4", chunks=(1, 4, 41))
    with pytest.raises(
        ValueError, match=r"rnacompete\.h5, X_valid: 6,560,000,000,000 b"
    ):
        read_hdf5(path)


def test_missing_h5py_says_what_to_install(monkeypatch, tmp_path):
    real_import = builtins.__import__

    def no_h5py(name, *args, **kwargs):
        if name == "h5py":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_h5py)
    with pytest.raises(ImportError, match=r'pip install "tangermeme-gia\[hdf5\]"'):
        read_hdf5(tmp_path / "any.h5")
