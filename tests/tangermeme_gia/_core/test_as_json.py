"""What becomes JSON and tensors comes back equal, with its types; or is refused."""

import json
import math

import numpy as np
import pandas as pd
import pytest
import torch

from tangermeme_gia._core.as_json import from_json, to_json

MARK = object()


def there_and_back(value):
    tensors = {}
    text = json.dumps(to_json(value, tensors, "`value`"), allow_nan=False)
    return from_json(json.loads(text), tensors)


def same(a, b) -> bool:
    """Equal in value and type, also within lists, and of NaN."""
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict):
        return same([*a.items()], [*b.items()])
    if isinstance(a, (float, np.floating)) and math.isnan(a):
        return math.isnan(b)
    return a is b or bool(a == b)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 0, -7, 2**70, 0.1, 1e-300, -0.0, "", "A\n\ud800<&>é"),
        *(float("nan"), float("inf"), -float("inf"), pd.NA, pd.NaT),
        *((), (3, 10), [], [1, [2, (None,)]], ((1, float("nan")), "x")),
        *({}, {"a": (1,), 2: [3], (4, 5): None}, {"tuple": [1]}, {"float": "nan"}),
        *(np.int64(3), np.float32(0.1), np.bool_(True), np.uint8(9), np.str_("A")),
        np.float64("nan"),
    ],
    ids=repr,
)
def test_a_value_comes_back(value):
    assert same(there_and_back(value), value)


@pytest.mark.parametrize(
    "dtype",
    [
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float16",
        "float32",
        "float64",
        ">i4",
        ">f8",
    ],
)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 4)])
def test_an_array_comes_back(dtype, shape):
    array = np.arange(math.prod(shape)).reshape(shape).astype(dtype)
    back = there_and_back(array)
    np.testing.assert_array_equal(back, array)
    assert back.dtype == array.dtype.newbyteorder("=")
    assert back.shape == shape


def test_an_array_of_objects_comes_back():
    labels = np.array(["a", 3, None, "a"], dtype=object)
    back = there_and_back(labels)
    assert back.dtype == object
    assert same(back.tolist(), labels.tolist())


COLUMNS = {
    "tuples of one length": pd.Series([(3, 10), (4, 11), (5, 12)]),
    "tuples": pd.Series([(3, 10), (), (17,)]),
    "lists": pd.Series([[3], [4], [5]]),
    "mixed": pd.Series([3, "GATA", None], dtype=object),
    "mixed with gaps": pd.Series([2, [3, 1], float("nan")], dtype=object),
    "objects that are whole": pd.Series([1, 2, 3], dtype=object),
    "numpy in objects": pd.Series([np.int64(1), np.float32(0.5), pd.NA], dtype=object),
    "text": pd.Series(["a", "<&>", None]),
    "string": pd.Series(["a", None, "c"], dtype="string"),
    "bool": pd.Series([True, False, True]),
    "boolean": pd.Series([True, None, False], dtype="boolean"),
    "int": pd.Series([1, 2, 3]),
    "int8": pd.Series([1, -2, 3], dtype="int8"),
    "uint64": pd.Series([1, 2**64 - 1, 3], dtype="uint64"),
    "Int64": pd.Series([1, None, 2**60 + 1], dtype="Int64"),
    "float": pd.Series([0.1, float("nan"), float("-inf")]),
    "float32": pd.Series([0.1, float("nan"), 1e-40], dtype="float32"),
    "float16": pd.Series([0.1, 2, 3], dtype="float16"),
    "Float64": pd.Series([0.1, None, 3.0], dtype="Float64"),
    "category": pd.Series(["b", "a", None], dtype="category"),
    "ordered": pd.Series(pd.Categorical([3, 1, 3], [3, 2, 1], ordered=True)),
    "time": pd.Series(pd.to_datetime(["2021-05-13", None, "2026-01-01"])),
    "duration": pd.Series(pd.to_timedelta([1, 2, None], unit="s")),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_comes_back(name):
    table = pd.DataFrame({"x": COLUMNS[name]})
    back = there_and_back(table)
    pd.testing.assert_frame_equal(back, table, check_exact=True)
    if table["x"].dtype == object:
        assert same(back["x"].tolist(), table["x"].tolist())


def test_a_table_comes_back_with_its_index_and_names():
    table = pd.DataFrame(COLUMNS)
    table.attrs = {"seed": 3}
    for index in ([2, 0, 2], ["a", "b", None], [(1, 2), (3, 4), ()], [0.5, 1, 2]):
        table.index = pd.Index(index, name="site", tupleize_cols=False)
        back = there_and_back(table)
        pd.testing.assert_frame_equal(back, table, check_exact=True)
        assert back.attrs == {"seed": 3}
    table = pd.DataFrame([[1, "a", 2.0]], columns=["x", "x", 7])
    pd.testing.assert_frame_equal(there_and_back(table), table)
    numbered = pd.DataFrame(np.eye(2), columns=pd.RangeIndex(5, 7, name="k"))
    back = there_and_back(numbered)
    pd.testing.assert_frame_equal(back, numbered)
    assert isinstance(back.columns, pd.RangeIndex)


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame(),
        pd.DataFrame(index=range(3)),
        pd.DataFrame(
            {"a": pd.Series([], dtype="Int64"), "b": pd.Series([], dtype=str)}
        ),
    ],
)
def test_an_empty_table_comes_back(table):
    pd.testing.assert_frame_equal(there_and_back(table), table)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, r"`value` holds {1, 2}, a set, which cannot be saved"),
        ([(3, MARK)], "a object, which cannot be saved"),
        (1j, r"`value` holds 1j, a complex,"),
        (np.longdouble(1) if np.longdouble(0).itemsize > 8 else b"", "cannot be saved"),
        (np.array([1j]), "a ndarray, which cannot be saved"),
        (b"GATA", "a bytes, which cannot be saved"),
        (range(3), "a range, which"),
        (pd.Timestamp("2021-05-13"), "a Timestamp, which"),
        (torch.zeros(3).to_sparse(), "`value` is torch.sparse_coo, .*; make it dense"),
        (
            pd.DataFrame({"starts": [(3,), {4}]}),
            r"`value` in the column 'starts' holds .4., a set",
        ),
        (
            pd.DataFrame({"x": pd.period_range("2021", periods=2, freq="D")}),
            "`value` in the column 'x' holds Period",
        ),
        (
            pd.DataFrame({"x": [1]}, index=pd.MultiIndex.from_tuples([(1, 2)])),
            "the index of `value` has several levels",
        ),
    ],
)
def test_what_would_not_come_back_is_refused_in_one_line(value, message):
    with pytest.raises(TypeError, match=message) as caught:
        to_json(value, {}, "`value`")
    assert "\n" not in str(caught.value)


def test_tensors_are_whole_and_share_no_memory():
    tensors = {}
    y = torch.arange(12.0).reshape(3, 4).requires_grad_()
    to_json([y, y, y[1:], y.T, y[:, 1]], tensors, "`y_before`")
    assert list(tensors) == ["y_before", *(f"y_before.{i}" for i in range(1, 5))]
    storages = {each.untyped_storage().data_ptr() for each in tensors.values()}
    assert len(storages) == 5
    for each, expected in zip(
        tensors.values(), (y, y, y[1:], y.T, y[:, 1]), strict=True
    ):
        assert torch.equal(each, expected)
        assert each.is_contiguous()
        assert not each.requires_grad
        assert each.untyped_storage().nbytes() == each.nbytes
