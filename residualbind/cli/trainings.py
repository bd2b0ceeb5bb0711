"""What a worker does for `residualbind sweep`: a training in a folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from tangermeme.predict import predict

from tangermeme_gia._core.identity import environment
from tangermeme_gia._core.storage import write_atomically
from tangermeme_gia.sweep import Done

from ..network.model import ResidualBind
from ..network.weights import load, load_metadata

if TYPE_CHECKING:
    from .commands import TrainOptions

MODEL, _DONE = "model.safetensors", "done.json"
_PROBES, _TOLERANCE = 8, 1e-3


def run_words(folder: Path, words: Sequence[str]) -> Done:
    """Train, and write the model, its test metrics and its history, in a folder.

    A training that was interrupted goes on after its last whole epoch. One that is
    finished is not looked at again as long as words, data, environment and model file
    are the same and the model predicts as it did.

    Parameters
    ----------
    folder: Path
        Of the task.

    words: sequence of str
        `train` and its options.
    """
    from .commands import TrainOptions, train_model
    from .main import parser_of

    own = ["--out", str(folder / MODEL)]
    options = vars(parser_of(words[0]).parse_args([*words[1:], *own]))
    options.pop("command"), options.pop("program")
    key = _key(words, TrainOptions(**options))
    # A row that asks for something else begins anew, and finds this one again.
    digest = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:8]
    options["checkpoint_folder"] = training = folder / f"training-{digest}"
    if _holds(folder, key):
        return Done(_headline(folder), reused=True)
    train_model(**options)
    _write_tables(folder, training)
    _note(folder, key)
    return Done(_headline(folder))


def _key(words: Sequence[str], options: TrainOptions) -> dict[str, Any]:
    """What a training follows from."""
    sums = [hashlib.sha256(Path(p).read_bytes()).hexdigest() for p in options.data]
    return {"words": list(words), "data": sums, "environment": environment()}


def _holds(folder: Path, key: dict[str, Any]) -> bool:
    """Whether the model is there, follows from the key, and predicts as it did."""
    try:
        done = json.loads((folder / _DONE).read_text())
        same = done["key"] == key and done["model"] == _checksum(folder)
        before = torch.tensor(done["predictions"])
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if not same or not (folder / "tables" / "metrics.tsv").exists():
        return False
    now = _predictions(load(folder / MODEL))
    largest = float(before.abs().max())
    return now.shape == before.shape and bool(
        ((now - before).abs() <= _TOLERANCE * largest).all()
    )


def _note(folder: Path, key: dict[str, Any]) -> None:
    y = _predictions(load(folder / MODEL))
    done = {"key": key, "model": _checksum(folder), "predictions": y.tolist()}
    write_atomically(folder / _DONE, json.dumps(done).encode())


def _checksum(folder: Path) -> str:
    return hashlib.sha256((folder / MODEL).read_bytes()).hexdigest()


def _predictions(model: ResidualBind) -> torch.Tensor:
    """Of random sequences, the same each time."""
    shape = _PROBES, model.config.channels, model.config.length
    X = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    y: torch.Tensor = predict(model, X, device="cpu")
    return y


def _write_tables(folder: Path, training: Path) -> None:
    """The metrics on test probes and the epochs, as tables."""
    tables = folder / "tables"
    tables.mkdir(exist_ok=True)
    history = (training / "history.tsv").read_bytes()
    write_atomically(tables / "history.tsv", history)
    test = load_metadata(folder / MODEL).provenance["test"] or []
    text = pd.DataFrame(test).to_csv(sep="\t", index=False)
    write_atomically(tables / "metrics.tsv", text.encode())


def _headline(folder: Path) -> dict[str, Any]:
    """Test metrics on the scale that was trained on, and how long it took."""
    metrics = pd.read_csv(folder / "tables" / "metrics.tsv", sep="\t")
    history = pd.read_csv(folder / "tables" / "history.tsv", sep="\t")
    said: dict[str, Any] = {"epochs": len(history)}
    if metrics.empty:
        return said | {"valid_pearson": history["valid_pearson"].max()}
    own = metrics[metrics["scale"] == metrics["scale"].iloc[-1]]
    for metric, rows in own.groupby("metric", sort=False):
        name = str(metric).lower()
        said |= {name: rows["value"].mean()}
        if len(rows) == 1:  # of several experiments there is no one interval
            said |= {f"{name}_{end}": rows[end].iloc[0] for end in ("low", "high")}
    return said
