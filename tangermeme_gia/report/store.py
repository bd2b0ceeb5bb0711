"""Results of a report's parts on disk: reused if nothing they follow from changed."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as tensors_to_bytes

from .._core.identity import tensors_checksum
from .._core.results import GIAResult
from .._core.scans import KmerScan
from .._core.storage import write_atomically

# Of an experiment by name: `GIAResult`, or `KmerScan` of the scan.
Results = dict[str, Any]
Fingerprint = dict[str, str]

# Written last, so that a folder with it holds a whole report.
REPORT = "report.json"


class Probe(NamedTuple):
    """A few sequences and what a model says of them, by which it is known again.

    Parameters
    ----------
    X: torch.Tensor, dtype=int8, shape=(n, n_letters, length)
        The sequences.

    y: torch.Tensor, shape=(n, 1)
        The predictions.
    """

    X: torch.Tensor
    y: torch.Tensor


class Saved(NamedTuple):
    """What the file of a part holds."""

    results: Results
    fingerprint: Fingerprint
    probe: Probe


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

        An empty list says that the saved results are those that would come out again,
        as far as checksums tell.
        """
        try:
            saved = read_results(self.path(part)).fingerprint
        except (FileNotFoundError, ValueError):
            return None
        keys = sorted({*saved, *fingerprint})
        return [key for key in keys if saved.get(key) != fingerprint.get(key)]

    def save(
        self, part: str, results: Results, fingerprint: Fingerprint, probe: Probe
    ) -> None:
        """Write the results of a part, whole or not at all."""
        tensors: dict[str, torch.Tensor] = probe._asdict()
        tables = {}
        for name, result in results.items():
            if isinstance(result, KmerScan):
                parts = {"effect": result.effect, "se": result.se}
                held = result._asdict() | {"kmers": list(result.kmers)}
                tables[name] = {k: v for k, v in held.items() if k not in parts}
                tables[name]["race"] = result._race
            else:
                parts = {"y_before": result.y_before, "y_afters": result.y_afters}
                tables[name] = {"conditions": _table_to_json(result.conditions)}
            tables[name]["outputs"] = result.outputs
            known = result.clusters
            tables[name]["clusters"] = None if known is None else known.tolist()
            for field, tensor in parts.items():
                assert isinstance(tensor, torch.Tensor)  # OneOutput gives no lists
                tensors[f"{name}.{field}"] = tensor
        # Tensors that share memory cannot be saved.
        whole = torch.contiguous_format
        tensors = {k: v.clone(memory_format=whole) for k, v in tensors.items()}
        texts = {"fingerprint": json.dumps(fingerprint), "tables": json.dumps(tables)}
        metadata = {**texts, "checksum": tensors_checksum(tensors, texts)}
        self.folder.mkdir(parents=True, exist_ok=True)
        # What is about to be replaced is what a finished report shows.
        (self.folder.parent / REPORT).unlink(missing_ok=True)
        write_atomically(self.path(part), tensors_to_bytes(tensors, metadata))
        shutil.rmtree(self.chunks(part).folder, ignore_errors=True)

    def load(self, part: str) -> Saved:
        """What is saved of a part."""
        return read_results(self.path(part))

    def remove_other_models(self, fingerprint: Fingerprint) -> None:
        """Leave only what is of the model and the sequences of this fingerprint."""
        for path in self.folder.glob("**/*.safetensors"):
            try:
                saved = read_results(path).fingerprint
            except (OSError, ValueError):
                continue  # not of a report
            if any(saved.get(key) != fingerprint[key] for key in ("model", "data")):
                path.unlink()


def read_results(path: Path) -> Saved:
    """The results in a file, what they follow from, and how to know the model again.

    Raises
    ------
    FileNotFoundError, ValueError
        If there is none, or it is damaged or not one of a report.
    """
    with path.open("rb"):  # an error that is not of its content
        pass
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        texts = {name: metadata[name] for name in ("fingerprint", "tables")}
        if metadata["checksum"] != tensors_checksum(tensors, texts):
            raise ValueError("its checksum is not that of its content")
        fingerprint: Fingerprint = json.loads(texts["fingerprint"])
        tables = json.loads(texts["tables"])
        results = {name: _result(name, tables[name], tensors) for name in tables}
        probe = Probe(tensors["X"], tensors["y"])
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} holds no results of a report: {error}") from error
    return Saved(results, fingerprint, probe)


def _result(
    name: str, table: dict[str, Any], tensors: Mapping[str, torch.Tensor]
) -> GIAResult | KmerScan:
    beside = {
        "outputs": [_from_json(label) for label in table.pop("outputs")],
        "clusters": table.pop("clusters"),
    }
    if "kmers" in table:
        effect, se = tensors[f"{name}.effect"], tensors[f"{name}.se"]
        race = table.pop("race")
        scan = KmerScan(effect=effect, se=se, **table, **beside)
        return scan._after_race(*race)
    before, after = (tensors[f"{name}.{field}"] for field in ("y_before", "y_afters"))
    conditions = _table_from_json(table["conditions"])
    return GIAResult(before, after, conditions, **beside)


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
    ...     store, probe = Store(Path(folder, "results")), Probe(y, y)
    ...     store.save("sites", {"sites": result}, {}, probe)
    ...     load_results(folder)["sites"]["sites"].conditions["starts"].tolist()
    [(3, 10)]
    """
    paths = sorted(Path(folder, "results").glob("*.safetensors"))
    if not paths:
        raise FileNotFoundError(f"`folder`={str(folder)!r} holds no results.")
    # Parts of an earlier report may lie beside those of this one.
    parts = finished_report(Path(folder)).get("parts")
    return {
        path.stem: read_results(path).results
        for path in paths
        if parts is None or path.stem in parts
    }


def finished_report(folder: Path) -> dict[str, Any]:
    """What `report.json` of a finished report says; nothing if there is none."""
    try:
        held = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _table_to_json(table: pd.DataFrame) -> dict[str, Any]:
    columns = {
        str(name): [None if _is_missing(value) else value for value in column.tolist()]
        for name, column in table.items()
    }
    return {"columns": columns, "dtypes": {k: str(v) for k, v in table.dtypes.items()}}


def _table_from_json(saved: Mapping[str, Any]) -> pd.DataFrame:
    columns = {
        name: pd.Series(
            [_from_json(value) for value in values],
            dtype=saved["dtypes"][name],
        )
        for name, values in saved["columns"].items()
    }
    table: pd.DataFrame = pd.DataFrame(columns)
    return table


def _from_json(value: Any) -> Any:
    # JSON has lists where tables and labels hold tuples.
    return tuple(value) if isinstance(value, list) else value


def _is_missing(value: Any) -> bool:
    return not isinstance(value, (tuple, list)) and bool(pd.isna(value))
