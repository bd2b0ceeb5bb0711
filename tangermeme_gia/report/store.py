"""Results of a report's parts on disk: reused if nothing they follow from changed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import torch

from .._core.as_json import from_json, to_json
from .._core.identity import tensors_checksum
from .._core.storage import write_atomically
from .._core.tensor_files import read_tensor_file, tensor_file

# Of an experiment by name: `GIAResult`, `KmerScan` of the scan, `Grammar` of pairs.
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
        tensors: dict[str, torch.Tensor] = {}
        held = to_json({**probe._asdict(), "results": results}, tensors, part)
        texts = {"fingerprint": json.dumps(fingerprint), "held": json.dumps(held)}
        metadata = {**texts, "checksum": tensors_checksum(tensors, texts)}
        self.folder.mkdir(parents=True, exist_ok=True)
        # What is about to be replaced is what a finished report shows.
        (self.folder.parent / REPORT).unlink(missing_ok=True)
        write_atomically(self.path(part), tensor_file(tensors, metadata))
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
    try:
        metadata, tensors = read_tensor_file(path)
        texts = {name: metadata[name] for name in ("fingerprint", "held")}
        if metadata["checksum"] != tensors_checksum(tensors, texts):
            raise ValueError("its checksum is not that of its content")
        fingerprint: Fingerprint = json.loads(texts["fingerprint"])
        held = from_json(json.loads(texts["held"]), tensors)
        return Saved(held["results"], fingerprint, Probe(held["X"], held["y"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} holds no results of a report: {error}") from error


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
        on every background, `KmerScan` with the moments of a scan, `Grammar` of pairs
        of motifs. Of a report that was not finished, all parts that are there.

    Raises
    ------
    FileNotFoundError
        If the folder holds no results.

    ValueError
        If a file is damaged.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from tangermeme_gia import GIAResult
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
