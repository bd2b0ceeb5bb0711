"""Results of a report's parts on disk: reused if nothing they follow from changed."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as tensors_to_bytes

from .._core.results import GIAResult
from .._core.scans import KmerScan
from .._core.storage import write_atomically

# Of an experiment by name: `GIAResult`, or `KmerScan` of the scan.
Results = dict[str, Any]
Fingerprint = dict[str, str]

# Written last, so that a folder with it holds a whole report.
REPORT = "report.json"


def model_checksum(model: torch.nn.Module) -> str:
    """SHA-256 of a model's weights, structure and the code of its class."""
    digest = hashlib.sha256(repr(model).encode())
    for module in model.modules():
        try:
            digest.update(inspect.getsource(type(module)).encode())
        except (OSError, TypeError):  # classes made in an interactive session
            digest.update(type(module).__qualname__.encode())
        digest.update(repr(_settings(module)).encode())
    # A state dict leaves out buffers that are not persistent.
    held = {**dict(model.named_buffers()), **model.state_dict()}
    for name, tensor in held.items():
        if isinstance(tensor, torch.Tensor):
            digest.update(name.encode())
            digest.update(tensor_checksum(tensor).encode())
    return digest.hexdigest()


def _settings(module: torch.nn.Module) -> list[tuple[str, str]]:
    """Plain attributes of a module, which its weights and its text may not show."""
    return [
        (name, tensor_checksum(value) if torch.is_tensor(value) else repr(value))
        for name, value in sorted(vars(module).items())
        if name != "training"
        and not name.startswith("_")
        and (torch.is_tensor(value) or _is_plain(value))
    ]


def _is_plain(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(_is_plain(item) for item in value)
    return value is None or isinstance(value, (bool, int, float, str))


def tensor_checksum(tensor: torch.Tensor | None) -> str:
    """SHA-256 of a tensor's values, shape and dtype; of nothing for None."""
    if tensor is None:
        return "none"
    values = tensor.detach().cpu().contiguous()
    digest = hashlib.sha256(f"{values.dtype}{tuple(values.shape)}".encode())
    digest.update(values.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


class Store:
    """A folder with one safetensors file for each part.

    Parameters
    ----------
    folder: Path
        Where the files are; made when the first is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, part: str) -> Path:
        """The file of a part."""
        return self.folder / f"{part}.safetensors"

    def chunks(self, part: str) -> Store:
        """Pieces of a part that is not finished; they go when it is saved."""
        return Store(self.folder / f"{part}.chunks")

    def changes(self, part: str, fingerprint: Fingerprint) -> list[str] | None:
        """What has changed since a part was saved; None if it never was, or is broken.

        An empty list says that the saved results are those that would come out again.
        """
        try:
            saved = read_results(self.path(part))[1]
        except (OSError, ValueError):
            return None
        keys = sorted({*saved, *fingerprint})
        return [key for key in keys if saved.get(key) != fingerprint.get(key)]

    def save(self, part: str, results: Results, fingerprint: Fingerprint) -> None:
        """Write the results of a part, whole or not at all."""
        tensors: dict[str, torch.Tensor] = {}
        tables = {}
        for name, result in results.items():
            if isinstance(result, KmerScan):
                parts = {"effect": result.effect, "se": result.se}
                held = result._asdict() | {"kmers": list(result.kmers)}
                tables[name] = {k: v for k, v in held.items() if k not in parts}
            else:
                parts = {"y_before": result.y_before, "y_afters": result.y_afters}
                tables[name] = {"conditions": _table_to_json(result.conditions)}
            for field, tensor in parts.items():
                assert isinstance(tensor, torch.Tensor)  # OneOutput gives no lists
                # Tensors that share memory cannot be saved.
                copied = tensor.clone(memory_format=torch.contiguous_format)
                tensors[f"{name}.{field}"] = copied
        metadata = {
            "fingerprint": json.dumps(fingerprint),
            "tables": json.dumps(tables),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path(part), tensors_to_bytes(tensors, metadata))
        shutil.rmtree(self.chunks(part).folder, ignore_errors=True)

    def load(self, part: str) -> Results:
        """The saved results of a part."""
        return read_results(self.path(part))[0]


def read_results(path: Path) -> tuple[Results, Fingerprint]:
    """The results in a file and what they follow from.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is none, or it is not one of a report.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        tables = json.loads(metadata["tables"])
        fingerprint: Fingerprint = json.loads(metadata["fingerprint"])
        results: Results = {}
        for name, table in tables.items():
            if "kmers" in table:
                effect, se = tensors[f"{name}.effect"], tensors[f"{name}.se"]
                results[name] = KmerScan(effect=effect, se=se, **table)
            else:
                before, after = (
                    tensors[f"{name}.{field}"] for field in ("y_before", "y_afters")
                )
                conditions = _table_from_json(table["conditions"])
                results[name] = GIAResult(before, after, conditions)
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} holds no results of a report: {error}") from error
    return results, fingerprint


def load_results(folder: str | os.PathLike[str]) -> dict[str, Results]:
    """What did a report measure, so that nothing has to be predicted again?

    Parameters
    ----------
    folder: str or path-like
        The folder of one model's report.

    Returns
    -------
    results: dict of str to dict
        For each part of the report its results by name: `GIAResult` with the outputs
        on every background, `KmerScan` with the moments of a scan. Of a report that
        was not finished, all parts that are there.

    Raises
    ------
    FileNotFoundError
        If the folder holds no results.

    ValueError
        If a file is damaged.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> y = torch.zeros(3, 1)
    >>> result = GIAResult(y, y[:, None] + 1, pd.DataFrame({"starts": [(3, 10)]}))
    >>> with TemporaryDirectory() as folder:
    ...     Store(Path(folder, "results")).save("sites", {"sites": result}, {})
    ...     load_results(folder)["sites"]["sites"].conditions["starts"].tolist()
    [(3, 10)]
    """
    paths = sorted(Path(folder, "results").glob("*.safetensors"))
    if not paths:
        raise FileNotFoundError(f"`folder`={str(folder)!r} holds no results.")
    # Parts of an earlier report may lie beside those of this one.
    parts = finished_report(Path(folder)).get("parts")
    return {
        path.stem: read_results(path)[0]
        for path in paths
        if parts is None or path.stem in parts
    }


def finished_report(folder: Path) -> dict[str, Any]:
    """What `report.json` of a finished report says; nothing if there is none."""
    try:
        held: dict[str, Any] = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
    return held


def _table_to_json(table: pd.DataFrame) -> dict[str, Any]:
    columns = {
        str(name): [None if _is_missing(value) else value for value in column.tolist()]
        for name, column in table.items()
    }
    return {"columns": columns, "dtypes": {k: str(v) for k, v in table.dtypes.items()}}


def _table_from_json(saved: Mapping[str, Any]) -> pd.DataFrame:
    # JSON has lists where the tables hold tuples.
    columns = {
        name: pd.Series(
            [tuple(v) if isinstance(v, list) else v for v in values],
            dtype=saved["dtypes"][name],
        )
        for name, values in saved["columns"].items()
    }
    table: pd.DataFrame = pd.DataFrame(columns)
    return table


def _is_missing(value: Any) -> bool:
    return not isinstance(value, (tuple, list)) and bool(pd.isna(value))
