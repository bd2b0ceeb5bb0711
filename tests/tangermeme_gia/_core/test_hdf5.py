"""HDF5 files that are damaged, that lie about their size, or that cannot be read."""

import gzip
import os

import numpy as np
import pytest

from tangermeme_gia._core import hdf5

h5py = pytest.importorskip("h5py")


def read(path, key="x"):
    with hdf5.open_hdf5(path) as file:
        return hdf5.read_dataset(file, key, path)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(1000.0)
        file.create_group("group")["y"] = [1]
    return path


def test_datasets_are_read_and_others_named(path):
    assert read(path).tolist() == list(range(1000))
    assert read(path, "group/y").tolist() == [1]
    for key in ("group", "none"):
        with pytest.raises(ValueError, match=rf"a\.h5 has no dataset '{key}'; it has"):
            read(path, key)


@pytest.mark.parametrize("packed", [False, True])
def test_a_size_far_beyond_the_file_is_not_allocated(tmp_path, packed):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (10**12,), "f8", chunks=(100,) if packed else None)
    with pytest.raises(ValueError, match=r"a\.h5, x: 8,000,000,000,000 bytes are ann"):
        read(path)


def test_a_dataset_that_grows_beyond_all_data_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(hdf5, "_MOST_BYTES", 1 << 16)
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=np.zeros(10**6), compression="gzip")
    with pytest.raises(ValueError, match=r"a\.h5, x: 8,000,000 bytes are announced"):
        read(path)


@pytest.mark.parametrize("packed", [False, True])
def test_texts_of_variable_length_are_read_unless_they_announce_too_much(
    tmp_path, packed
):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["x"] = ["HuR", "QKI"]
        file["none"] = np.array([], dtype=h5py.string_dtype())
        start = file["x"].id.get_offset()
    data = path.read_bytes()
    for length, error in ((3, None), (0xF0000000, "4,026,531,8.. bytes are ann")):
        changed = data[:start] + length.to_bytes(4, "little") + data[start + 4 :]
        path.write_bytes(gzip.compress(changed) if packed else changed)
        assert read(path, "none").tolist() == []
        if error is None:
            assert read(path).tolist() == [b"HuR", b"QKI"]
        else:
            with pytest.raises(ValueError, match=rf"a\.h5, x: {error}"):
                read(path)


def test_layouts_of_text_that_are_not_read_are_named(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=["HuR"], chunks=(1,), dtype=h5py.string_dtype())
        file.create_dataset("y", (1,), h5py.vlen_dtype(np.int8))
    with pytest.raises(
        ValueError, match="x cannot be read: text of variable length is"
    ):
        read(path)
    with pytest.raises(ValueError, match="y cannot be read: neither numbers nor text"):
        read(path, "y")


def test_damage_is_named_by_file_and_key(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        values = np.random.default_rng(0).random(1000)
        file.create_dataset("x", data=values, compression="gzip", fletcher32=True)
        start = file["x"].id.get_chunk_info(0).byte_offset
    data = bytearray(path.read_bytes())
    data[start + 10] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(ValueError, match=r"a\.h5, x is damaged: "):
        read(path)


def test_a_name_that_is_no_text_is_damage(path):
    with h5py.File(path, "a") as file:
        file[b"\xff\xfe"] = [1]
    with hdf5.open_hdf5(path) as file, pytest.raises(ValueError, match="not UTF-8"):
        hdf5.members(file, path)


def test_a_file_that_is_cut_off_or_of_another_kind_is_named(path):
    data = path.read_bytes()
    for content in (data[:-10], data[:40], b"", b"text"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.h5 is not an HDF5 file, or damaged"):
            read(path)


def test_a_file_that_cannot_be_opened_is_not_called_damaged(path, monkeypatch):
    with pytest.raises(FileNotFoundError):
        read(path.with_name("none.h5"))
    with pytest.raises(IsADirectoryError):
        read(path.parent)

    def locked(*_):
        raise BlockingIOError(11, "unable to lock file")

    monkeypatch.setattr(h5py, "File", locked)
    with pytest.raises(BlockingIOError, match="unable to lock file"):
        read(path)
    assert os.path.exists(path)
