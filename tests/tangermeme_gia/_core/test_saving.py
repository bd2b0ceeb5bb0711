"""A result that was saved is the one that is loaded, and nothing else is loaded."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

import tangermeme_gia as gia
from tangermeme_gia import GIAResult, Junctions, KmerScan, load
from tangermeme_gia._core import saving
from tangermeme_gia._core.identity import tensors_checksum
from tangermeme_gia._core.tensor_files import read_tensor_file, tensor_file
from tangermeme_gia.statistics.comparisons import Comparison

CONDITIONS = pd.DataFrame(
    {
        "starts": [(3, 10), (), (17,)],
        "gaps": [2, [3, 1], None],
        "start": pd.array([None, 3, 4], dtype="Int64"),
        "letter": [None, "A", "<&>"],
        "share": [0.5, float("nan"), 1e-300],
        "is_wild_type": [True, False, True],
    }
)


def outputs(*shape: int, dtype=torch.float32) -> torch.Tensor:
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return (8 * drawn).to(dtype)


def result(*, dtype=torch.float32, **labels) -> GIAResult:
    y = outputs(7, 1, dtype=dtype)
    return GIAResult(y, y[:, None].repeat(1, 3, 1), CONDITIONS, **labels)


def scan() -> KmerScan:
    effect = torch.tensor([[0.1], [float("nan")]], dtype=torch.float64)
    clusters = list("aabbbcc")
    return KmerScan(
        ["AC", "CA"],
        effect,
        effect / 3,
        7,
        16,
        40,
        outputs=[("k", 2)],
        clusters=clusters,
    )._after_race(0.125, True)


def heads() -> GIAResult:
    before = [outputs(7, 1), outputs(7, 2, 4)]
    after = [y[:, None].expand(-1, 3, *y.shape[1:]) for y in before]
    return GIAResult(before, after, CONDITIONS)


RESULTS = {
    "one output": result(),
    "no outputs": GIAResult(torch.zeros(7), torch.zeros(7, 3), CONDITIONS),
    "heads": heads(),
    "labels": result(outputs=["counts"]),
    "numbered clusters": result(clusters=np.arange(7, dtype=np.int16) // 2),
    "named clusters": result(clusters=list("aabbccc")),
    "mixed clusters": result(clusters=["a", 3, 3, "a", 0.5, 0.5, "a"]),
    "scan": scan(),
    "junctions": Junctions(
        result()._replace(conditions=CONDITIONS.assign(kmer=["GA", "AT", "TA"])),
        np.array(7 * [[-1, 0, 2]]),
    ),
    "comparison": Comparison({"shuffle": result(), "my own": result()}, "model"),
    "scans": Comparison({"": scan()}),
    "nothing": GIAResult(torch.zeros(0, 1), torch.zeros(0, 0, 1), pd.DataFrame()),
    **{
        str(dtype): result(dtype=dtype)
        for dtype in (torch.float16, torch.bfloat16, torch.float64, torch.int8)
    },
    "bool": result(dtype=torch.bool),
}


def assert_equal(a, b):
    assert type(a) is type(b)
    if isinstance(a, torch.Tensor):
        torch.testing.assert_close(a, b, rtol=0, atol=0, equal_nan=True)
    elif isinstance(a, pd.DataFrame):
        pd.testing.assert_frame_equal(a, b, check_exact=True)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    elif isinstance(a, dict):
        assert list(a) == list(b)
        assert_equal([*a.values()], [*b.values()])
    elif isinstance(a, (tuple, list)):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_equal(one, other)
    else:
        assert a == b
    for name, value in getattr(a, "__dict__", {}).items():
        if name.startswith("_") and not isinstance(a, (torch.Tensor, pd.DataFrame)):
            assert_equal(value, b.__dict__[name])


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_comes_back(name, tmp_path):
    saved, path = RESULTS[name], tmp_path / "a result.gia"
    assert saved.save(path) is None
    loaded = load(str(path))
    assert_equal(loaded, saved)
    assert repr(loaded) == repr(saved)
    assert list(tmp_path.iterdir()) == [path]


def test_what_is_loaded_is_a_result_like_any_other(tmp_path):
    for name in ("one output", "heads", "named clusters", "scan"):
        loaded = load_of(RESULTS[name], tmp_path)
        pd.testing.assert_frame_equal(loaded.to_frame(), RESULTS[name].to_frame())
    with pytest.raises(ValueError, match="holds only the 2 lowest of 16"):
        load_of(scan(), tmp_path).top(1)
    assert load_of(scan(), tmp_path).unseen_share == 0.125
    clusters = load_of(RESULTS["numbered clusters"], tmp_path).clusters
    assert not clusters.flags.writeable


def load_of(saved, folder):
    saved.save(folder / "x")
    return load(folder / "x")


def test_k_mers_that_are_spelled_when_read_come_back(tmp_path):
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(32, 1))
    X = torch.eye(4)[torch.randint(4, (9, 8), generator=torch.Generator())].mT
    found = gia.kmer_scan(model, X.to(torch.int8), 2)
    assert load_of(found, tmp_path).kmers == list(found.kmers)


def test_a_part_of_a_large_tensor_is_saved_alone(tmp_path):
    y = torch.zeros(100_000, 7)
    small = GIAResult(y[:7, 0], y[:7, :3], CONDITIONS)
    small.save(tmp_path / "x")
    assert (tmp_path / "x").stat().st_size < 5_000
    assert_equal(load(tmp_path / "x"), small)


def test_a_long_text_lies_beside_the_tensors(tmp_path, monkeypatch):
    result().save(tmp_path / "short")
    monkeypatch.setattr(saving, "_LONGEST_TEXT", 10)
    result().save(tmp_path / "long")
    assert len(read_tensor_file(tmp_path / "long")[0]) == 4
    assert_equal(load(tmp_path / "long"), load(tmp_path / "short"))


def test_equal_results_are_equal_bytes():
    assert saving.result_file(result()) == saving.result_file(result())


def test_other_tools_read_the_tensors_and_what_is_beside_them(tmp_path):
    result().save(tmp_path / "x")
    with safe_open(tmp_path / "x", "np") as file:
        assert file.get_tensor("y_afters").shape == (7, 3, 1)
        metadata = file.metadata()
    assert metadata["format"] == "tangermeme-gia result"
    assert metadata["format_version"] == "1"
    assert metadata["package_version"] == gia.__version__
    assert json.loads(metadata["result"])["result"]["kind"] == "GIAResult"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_what_is_on_a_gpu_comes_back_on_the_cpu(tmp_path):
    y = outputs(7, 1)
    found = GIAResult(y.cuda(), y[:, None].repeat(1, 3, 1).cuda(), CONDITIONS)
    assert_equal(load_of(found, tmp_path), result())


def test_what_cannot_be_saved_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "x"
    result().save(path)
    odd = result()._replace(conditions=CONDITIONS.assign(x=[{1}, {2}, {3}]))
    with pytest.raises(TypeError, match=r"`conditions` in the column 'x' holds .1., a"):
        odd.save(path)
    assert_equal(load(path), result())
    with pytest.raises(FileNotFoundError, match=r"no.where.*its folder does not exist"):
        result().save(tmp_path / "no" / "where")
    assert list(tmp_path.iterdir()) == [path]


def changed(path, **texts):
    """The same file with other texts, and a checksum that fits them."""
    header, tensors = read_tensor_file(path)
    header = {k: v for k, v in {**header, **texts}.items() if v is not None}
    header["checksum"] = tensors_checksum(
        tensors, {k: v for k, v in header.items() if k != "checksum"}
    )
    path.write_bytes(tensor_file(tensors, header))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"format": None}, "is a safetensors file, but holds no result"),
        ({"format": "residualbind"}, "is a safetensors file, but holds no result"),
        ({"format_version": "2"}, "format version 2, but .* reads up to 1; install a"),
        ({"format_version": "new"}, "has format version 'new', not a number"),
        ({"result": "{"}, "holds no result that this version"),
        ({"result": "[]"}, "holds no result that this version"),
        ({"result": '{"list": []}'}, "holds no result that this version"),
        ({"result": None}, "holds no result that this version"),
        ({"result": '{"result": {"kind": "plot"}}'}, "holds no result that this"),
        ({"result": '{"tensor": "y_after"}'}, "holds no result that this version"),
        ({"result": '{"unknown": 3}'}, "holds no result that this version"),
    ],
)
def test_what_was_not_written_by_save_is_refused(tmp_path, texts, message):
    path = tmp_path / "x.gia"
    result().save(path)
    changed(path, **texts)
    with pytest.raises(ValueError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "x.gia"
    with pytest.raises(FileNotFoundError, match=re.escape(f"{str(path)!r}: there is")):
        load(path)
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        load(tmp_path)
    for content in (b"", b"GATA\n", b"\0" * 100, b"PK\x03\x04" + b"x" * 99):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"x.gia' is not a safetensors file, or"):
            load(path)
    torch.save({"y": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match=r"x.gia' is not a safetensors file, or"):
        load(path)
    save_file({"y": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match=r"x.gia' is a safetensors file, but holds no"):
        load(path)


def test_a_damaged_or_cut_file_is_refused(tmp_path):
    path = tmp_path / "x.gia"
    result().save(path)
    whole = path.read_bytes()
    for n in (0, 1, 8, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:n])
        with pytest.raises(ValueError, match=r"x.gia' is not a safetensors file, or"):
            load(path)
    path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
    with pytest.raises(ValueError, match=r"x.gia' is damaged: its numbers or what it"):
        load(path)
    path.write_bytes(whole.replace(b"1e-300", b"1e-301"))
    with pytest.raises(ValueError, match=r"x.gia' is damaged: its numbers or what it"):
        load(path)
