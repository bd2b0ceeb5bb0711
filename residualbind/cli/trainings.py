"""What a worker does for `residualbind sweep`: a training in a folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tangermeme.predict import predict

from tangermeme_gia._core.identity import environment
from tangermeme_gia._core.precision import agree
from tangermeme_gia._core.storage import write_atomically
from tangermeme_gia._core.tensor_files import read_tensor_file
from tangermeme_gia.sweep import Done

from ..methods.fitted import FORMAT, load_fitted
from ..network.weights import load, load_metadata

MODEL, _DONE = "model.safetensors", "done.json"
_PROBES = 8


def run_words(folder: Path, words: Sequence[str]) -> Done:
    """Train, and write the model, its test metrics and what it cost, in a folder.

    A training that was interrupted goes on after its last whole epoch. One that is
    finished is not looked at again as long as words, data, environment and model file
    are the same and the model predicts as it did.

    Parameters
    ----------
    folder: Path
        Of the task.

    words: sequence of str
        `train` or `fit`, and options.
    """
    from .main import parser_of

    own = ["--out", str(folder / MODEL)]
    options = vars(parser_of(words[0]).parse_args([*words[1:], *own]))
    options.pop("command"), options.pop("program")
    key = _key(words, options["data"])
    # A row that asks for something else begins anew, and finds this one again.
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:8]
    options["checkpoint_folder"] = training = folder / f"training-{digest}"
    reused = _holds(folder, key)
    if not reused:
        (_train if words[0] == "train" else _fit)(folder, training, options)
        _note(folder, key)
    return Done(_headline(folder), reused)


def _train(folder: Path, training: Path, options: dict[str, Any]) -> None:
    """A ResidualBind, its metrics and its epochs."""
    from .commands import train_model

    train_model(**options)
    provenance = load_metadata(folder / MODEL).provenance
    history = pd.read_csv(training / "history.tsv", sep="\t")
    _write(folder, "history", history)
    _write(folder, "metrics", pd.DataFrame(provenance["test"] or []))
    best = {"epochs": len(history), "valid_pearson": provenance["valid_pearson"]}
    _write(folder, "cost", pd.DataFrame([best | {"seconds": history["seconds"].sum()}]))


def _fit(folder: Path, training: Path, options: dict[str, Any]) -> None:
    """Any method, its metrics and what it cost."""
    from .fit import FitOptions, fit

    metrics = fit(FitOptions(**options))
    fitted = load_fitted(folder / MODEL)
    cost: dict[str, Any] = {
        "method": fitted.name,
        "random_state": fitted.random_state,
        "trials": fitted.trials,
        "epochs": fitted.epochs,
        "seconds": fitted.seconds,
        "parameters": fitted.n_parameters,
        "valid_pearson": fitted.pearson,
    }
    _write(folder, "metrics", metrics.assign(**cost))
    _write(folder, "cost", pd.DataFrame([cost]))


def _key(words: Sequence[str], data: Sequence[str]) -> dict[str, Any]:
    """What a training follows from."""
    sums = [hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in data]
    return {"words": list(words), "data": sums, "environment": environment()}


def _holds(folder: Path, key: dict[str, Any]) -> bool:
    """Whether the model is there, follows from the key, and predicts as it did."""
    try:
        done = json.loads((folder / _DONE).read_text())
        same = done["key"] == key and done["model"] == _checksum(folder)
        before = torch.tensor(done["predictions"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    tables = [folder / "tables" / f"{name}.tsv" for name in ("metrics", "cost")]
    if not same or not all(path.exists() for path in tables):
        return False
    return agree(before, _predictions(folder / MODEL))


def _note(folder: Path, key: dict[str, Any]) -> None:
    y = _predictions(folder / MODEL)
    done = {"key": key, "model": _checksum(folder), "predictions": y.tolist()}
    write_atomically(folder / _DONE, json.dumps(done).encode())


def _checksum(folder: Path) -> str:
    return hashlib.sha256((folder / MODEL).read_bytes()).hexdigest()


def _predictions(path: Path) -> torch.Tensor:
    """Of random sequences, the same each time, as channels that need no folding."""
    header, _ = read_tensor_file(path, with_tensors=False)
    if header.get("format") == FORMAT:
        fitted = load_fitted(path)
        model, shape = fitted.model, (fitted.channels, fitted.length)
    else:
        own = load(path)
        model, shape = own, (own.config.channels, own.config.length)
    generator = torch.Generator().manual_seed(0)
    X = torch.rand((_PROBES, *shape), generator=generator)
    y: torch.Tensor = predict(model, X, device="cpu")
    return y


def _write(folder: Path, name: str, table: pd.DataFrame) -> None:
    path = folder / "tables" / f"{name}.tsv"
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, table.to_csv(sep="\t", index=False).encode())


def _headline(folder: Path) -> dict[str, Any]:
    """Test metrics on the scale that was trained on, and what the training cost."""
    tables = folder / "tables"
    cost = pd.read_csv(tables / "cost.tsv", sep="\t")
    said: dict[str, Any] = {str(name): cost[name].iloc[0] for name in cost}
    metrics = pd.read_csv(tables / "metrics.tsv", sep="\t")
    if metrics.empty:
        return said
    own = metrics[metrics["scale"] == metrics["scale"].iloc[-1]]
    for metric, rows in own.groupby("metric", sort=False):
        name = str(metric).lower()
        said |= {name: rows["value"].mean()}
        if len(rows) == 1:  # of several experiments there is no one interval
            said |= {f"{name}_{end}": rows[end].iloc[0] for end in ("low", "high")}
    return said
