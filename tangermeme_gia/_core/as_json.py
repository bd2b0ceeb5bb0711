"""Values, tables and results as JSON and tensors, from which they come back equal.

JSON has no tuples, missing values or types of numbers: what it would change stands in
an object with one key that names its kind, such as ``{"tuple": [3, 10]}``.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import torch

from .above import provided

Json: TypeAlias = Any
Tensors: TypeAlias = dict[str, torch.Tensor]

_PLAIN = (str, int, bool, type(None))
_MISSING = {"NA": pd.NA, "NaT": pd.NaT}
_SHOWN = 40
# Of numpy's own types; longer floats and complex numbers are no JSON and no tensors.
_LONGEST_NUMBER = 8


def to_json(value: Any, tensors: Tensors, where: str) -> Json:
    """A value as JSON; its tensors are added to those given, under `where`.

    Raises
    ------
    TypeError, ValueError
        If it is of a type, or a table has an index, that would not come back.

    Examples
    --------
    >>> to_json({"starts": (3, 10), "share": float("nan")}, {}, "`conditions`")
    {'dict': [['starts', {'tuple': [3, 10]}], ['share', {'float': 'nan'}]]}
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is float:
        return value if math.isfinite(value) else {"float": str(value)}
    if kind in (list, tuple):
        return _sequence_to_json(value, tensors, where)
    for name, missing in _MISSING.items():
        if value is missing:
            return {name: None}
    if isinstance(value, torch.Tensor):
        return {"tensor": _keep(value, tensors, where)}
    if isinstance(value, np.ndarray):
        return _array_to_json(value, tensors, where)
    if isinstance(value, np.generic):
        dtype = _number_type(value, where)
        return {"number": [dtype, to_json(value.item(), tensors, where)]}
    if isinstance(value, pd.DataFrame):
        return {"table": _table_to_json(value, tensors, where)}
    if hasattr(value, "_parts"):
        return _result_to_json(value, tensors, where)
    return _container_to_json(value, tensors, where)


def from_json(value: Json, tensors: Tensors) -> Any:
    """The value that `to_json` was given.

    Raises
    ------
    KeyError, TypeError, ValueError, and others
        If it is not of `to_json`.

    Examples
    --------
    >>> from_json({"dict": [["starts", {"tuple": [3, 10]}]]}, {})
    {'starts': (3, 10)}
    """
    if isinstance(value, list):
        return [from_json(each, tensors) for each in value]
    if not isinstance(value, dict):
        return value
    ((kind, held),) = value.items()
    if kind in _MISSING:
        return _MISSING[kind]
    if kind == "tensor":
        return tensors[held]
    return _READ[kind](held, tensors)


def _keep(tensor: torch.Tensor, tensors: Tensors, where: str) -> str:
    """Put a tensor where it is written from: on the CPU, whole, with its own memory."""
    if tensor.layout != torch.strided or tensor.is_quantized:
        raise TypeError(f"{where} is {tensor.layout}, {tensor.dtype}; make it dense.")
    own = tensor.detach().cpu().contiguous()
    shared = own.untyped_storage()
    others = {each.untyped_storage().data_ptr() for each in tensors.values()}
    if shared.nbytes() > own.nbytes or shared.data_ptr() in others:
        own = own.clone()
    stem = re.sub(r"\W+", "_", where).strip("_")
    numbers = itertools.count(1)
    name = stem
    while name in tensors:
        name = f"{stem}.{next(numbers)}"
    tensors[name] = own
    return name


def _number_type(value: Any, where: str) -> str:
    dtype = value.dtype
    if dtype.kind not in "biufU" or (
        dtype.kind != "U" and dtype.itemsize > _LONGEST_NUMBER
    ):
        raise _refused(value, where)
    return "str" if dtype.kind == "U" else str(dtype)


def _array_to_json(array: Any, tensors: Tensors, where: str) -> Json:
    if array.dtype.kind in "OU" and array.ndim == 1:
        held = to_json(array.tolist(), tensors, where)
        return {"objects": held if isinstance(held, list) else [*held]}
    _number_type(array, where)
    native = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("=")))
    # `ascontiguousarray` gives a number an axis.
    tensor = torch.from_numpy(native.reshape(array.shape).copy())
    return {"array": _keep(tensor, tensors, where)}


def _container_to_json(value: Any, tensors: Tensors, where: str) -> Json:
    if type(value) is dict:
        items = value.items()
        return {"dict": [[to_json(x, tensors, where) for x in item] for item in items]}
    if hasattr(value, "_fields") or not isinstance(value, Sequence):
        raise _refused(value, where)
    if isinstance(value, (str, bytes, range)):
        raise _refused(value, where)
    # k-mers may be spelled as they are read.
    return _sequence_to_json(list(value), tensors, where)


def _sequence_to_json(
    value: list[Any] | tuple[Any, ...], tensors: Tensors, where: str
) -> Json:
    held = list(value)
    if not all(type(each) in _PLAIN for each in held):
        held = [to_json(each, tensors, where) for each in held]
    return {"tuple": held} if type(value) is tuple else held


def _refused(value: Any, where: str) -> TypeError:
    shown = " ".join(repr(value).split())
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    return TypeError(
        f"{where} holds {shown}, a {type(value).__name__}, which cannot be saved: it "
        "must be a number, text, True, False, missing, or a tuple, list or dict of "
        "these."
    )


def _result_to_json(result: Any, tensors: Tensors, where: str) -> Json:
    fields, beside = result._parts()
    parts = [
        {
            name: to_json(value, tensors, f"`{name}`")
            for name, value in {**values}.items()
        }
        for values in (fields, beside)
    ]
    kind = type(result).__name__
    return {"result": {"kind": kind, "fields": parts[0], "beside": parts[1]}}


def _result_from_json(held: Json, tensors: Tensors) -> Any:
    fields, beside = (
        {name: from_json(value, tensors) for name, value in held[part].items()}
        for part in ("fields", "beside")
    )
    return provided(f"result {held['kind']}")._from_parts(fields, beside)


def _table_to_json(table: pd.DataFrame, tensors: Tensors, where: str) -> Json:
    columns = [
        _column_to_json(table.iloc[:, i], tensors, f"{where} in the column {name!r}")
        for i, name in enumerate(table.columns)
    ]
    return {
        "index": _index_to_json(table.index, tensors, f"the index of {where}"),
        "names": _index_to_json(table.columns, tensors, f"the columns of {where}"),
        "columns": columns,
        "attrs": to_json(dict(table.attrs), tensors, f"`attrs` of {where}"),
    }


def _table_from_json(held: Json, tensors: Tensors) -> pd.DataFrame:
    index = _index_from_json(held["index"], tensors)
    columns = [_column_from_json(each, tensors) for each in held["columns"]]
    if any(len(column) != len(index) for column in columns):
        raise ValueError("columns of a table differ in length")
    numbered = {i: column.set_axis(index) for i, column in enumerate(columns)}
    table: pd.DataFrame = pd.DataFrame(numbered, index=index)
    table.columns = _index_from_json(held["names"], tensors)
    table.attrs = from_json(held["attrs"], tensors)
    return table


def _index_to_json(index: pd.Index, tensors: Tensors, where: str) -> Json:
    if isinstance(index, pd.MultiIndex):
        raise TypeError(
            f"{where} has several levels, which cannot be saved; give `conditions` "
            "after `reset_index`."
        )
    name = to_json(index.name, tensors, f"the name of {where}")
    if isinstance(index, pd.RangeIndex):
        return {"name": name, "range": [index.start, index.stop, index.step]}
    return {"name": name, "column": _column_to_json(index.to_series(), tensors, where)}


def _index_from_json(held: Json, tensors: Tensors) -> pd.Index:
    name = from_json(held["name"], tensors)
    if "range" in held:
        start, stop, step = held["range"]
        counted: pd.Index = pd.RangeIndex(start, stop, step, name=name)
        return counted
    column = _column_from_json(held["column"], tensors)
    # An index of tuples would become one of several levels.
    index: pd.Index = pd.Index(
        column.array, dtype=column.dtype, name=name, tupleize_cols=False
    )
    return index


def _column_to_json(column: pd.Series, tensors: Tensors, where: str) -> Json:
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        levels = dtype.categories.to_series()
        return {
            "codes": column.cat.codes.tolist(),
            "levels": _column_to_json(levels, tensors, f"levels of {where}"),
            "ordered": bool(dtype.ordered),
        }
    if isinstance(dtype, np.dtype) and dtype.kind in "mM":
        times = column.to_numpy().view(np.int64).tolist()
        return {"times": times, "dtype": str(dtype)}
    try:
        returns = pd.Series([], dtype=str(dtype)).dtype == dtype
    except TypeError:
        returns = False
    if not returns:
        raise TypeError(f"{where} has the type {dtype}, which cannot be saved.")
    values = to_json(column.tolist(), tensors, where)
    return {"values": values, "dtype": str(dtype)}


def _column_from_json(held: Json, tensors: Tensors) -> pd.Series:
    values: Any
    if "codes" in held:
        levels = _index_from_json({"name": None, "column": held["levels"]}, tensors)
        dtype = pd.CategoricalDtype(levels, held["ordered"])
        values = pd.Categorical.from_codes(held["codes"], dtype=dtype)
    elif "times" in held:
        values = np.array(held["times"], dtype=np.int64).view(held["dtype"])
        dtype = values.dtype
    else:
        values, dtype = from_json(held["values"], tensors), held["dtype"]
        values = _objects(values) if dtype == "object" else values
    column: pd.Series = pd.Series(values, dtype=dtype)
    return column


def _objects(values: list[Any]) -> Any:
    """An array of objects, also where all are sequences of one length."""
    return np.fromiter(values, dtype=object, count=len(values))


def _read_number(held: Json, tensors: Tensors) -> Any:
    dtype, value = from_json(held, tensors)
    return np.str_(value) if dtype == "str" else np.dtype(dtype).type(value)


_READ = {
    "float": lambda held, _: float(held),
    "tuple": lambda held, tensors: tuple(from_json(held, tensors)),
    "dict": lambda held, tensors: dict(from_json(held, tensors)),
    "number": _read_number,
    "array": lambda held, tensors: tensors[held].numpy(),
    "objects": lambda held, tensors: _objects(from_json(held, tensors)),
    "table": _table_from_json,
    "result": _result_from_json,
}
