"""What each command of the `residualbind` command line does."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tangermeme.predict import predict
from torch import nn

from ..data.preparation import prepare
from ..data.public_data import RAY2013_FILES, download
from ..data.rnacompete import RNAcompete
from ..data.transforms import Transform
from ..network.keras_import import import_keras
from ..network.metrics import score_predictions
from ..network.model import ResidualBind, ResidualBindConfig
from ..network.pretrained import load_pretrained, pretrained_metadata, pretrained_names
from ..network.training import train
from ..network.weights import Metadata, load, load_metadata, save
from ..network.with_structure import add_structure, required_settings
from ..simulation.simulate import simulate_rnacompete
from ..structure.folding import CONTEXTS, FoldSettings
from ..structure.profiles import describe_settings, structure_profiles
from .sources import DATA_OPTIONS, read_data, read_sequences

logger = logging.getLogger(__name__)

ARCHITECTURES = ("paper", "released")
SCALES = ("measured", "transformed")
PARTS = ("train", "valid", "test", "all")
STRUCTURES = tuple(CONTEXTS)


def train_model(
    *,
    out: Path,
    architecture: str,
    classification: bool,
    transform: str,
    fit_per_split: bool,
    valid_fraction: float,
    random_state: int,
    checkpoint_folder: Path | None,
    n_bootstrap: int,
    dtype: str | None,
    data: Sequence[str],
    structure: str | None,
    structure_cache: Path | None,
    **options: Any,
) -> None:
    """Train a model, write it to `out` and its test metrics to stdout."""
    read_options = {name: options.pop(name) for name in DATA_OPTIONS}
    measured = read_data(data, **read_options)
    data_sha256 = measured.checksum()
    described = None
    if structure is not None:
        settings = FoldSettings(structure)
        measured = _add_channels(measured, settings, structure_cache)
        described = describe_settings(settings)
    prepared = prepare(
        measured,
        transform="none" if classification else transform,
        valid_fraction=valid_fraction,
        random_state=random_state,
        fit_per_split=fit_per_split,
    )
    torch.manual_seed(random_state)
    model = ResidualBind(_make_config(measured, architecture, classification))
    folder = checkpoint_folder or out.with_suffix(".training")
    logger.info("checkpoints and history: %s", folder)
    result = train(
        model,
        prepared.train,
        prepared.valid,
        loss=nn.functional.binary_cross_entropy if classification else _MSE,
        random_state=random_state,
        checkpoint_folder=folder,
        dtype=None if dtype is None else getattr(torch, dtype),
        verbose=True,
        **options,
    )
    logger.info(
        "kept epoch %d of %d, validation Pearson %.4f",
        result.best_epoch,
        len(result.history),
        result.best_pearson,
    )
    table = None
    if len(prepared.test):
        table = score_predictions(
            prepared.test.y,
            predict(model, prepared.test.X, batch_size=_BATCH_SIZE),
            outputs=measured.experiments,
            classification=classification,
            n_bootstrap=n_bootstrap,
        )
        write_table(table, None)
    provenance = {
        "data": [Path(path).name for path in data],
        "data_sha256": data_sha256,
        "architecture": architecture,
        "transform": transform,
        "structure": described,
        "random_state": random_state,
        "best_epoch": result.best_epoch,
        "valid_pearson": result.best_pearson,
        "test": None if table is None else table.to_dict("records"),
        "versions": {
            "torch": torch.__version__,
            "residualbind": version("tangermeme-gia"),
        },
    }
    save(
        model,
        out,
        transform=prepared.transform,
        experiments=measured.experiments,
        provenance=provenance,
    )
    logger.info("model: %s", out)


def evaluate_model(
    *,
    model: str,
    data: Sequence[str],
    part: str,
    scale: str,
    valid_fraction: float,
    random_state: int,
    classification: bool,
    n_bootstrap: int,
    confidence: float,
    batch_size: int,
    device: str | None,
    structure_cache: Path | None,
    out: Path | None,
    **read_options: Any,
) -> None:
    """Write how well a model predicts one part of the data."""
    fitted, metadata = find_model(model)
    measured = read_data(data, **read_options | {"length": fitted.config.length})
    if part != "all":
        parts = measured.split(valid_fraction=valid_fraction, random_state=random_state)
        measured = getattr(parts, part)
        if len(measured) == 0:
            raise ValueError(
                f"the data have no {part} probes; use `--part all` for all of them."
            )
    settings = required_settings(fitted.config, metadata.provenance)
    if settings is not None and measured.X.shape[1] == _SEQUENCE_CHANNELS:
        measured = _add_channels(measured, settings, structure_cache)
    y_hat = predict(fitted, measured.X, batch_size=batch_size, device=device)
    transform = metadata.transform or Transform()
    y: Any = measured.y
    if scale == "measured":
        y_hat = torch.as_tensor(transform.invert(y_hat))
    else:
        y = transform.apply(y)
    table = score_predictions(
        y,
        y_hat,
        outputs=measured.experiments,
        classification=classification,
        n_bootstrap=n_bootstrap,
        confidence=confidence,
        random_state=random_state,
    )
    write_table(table, out)


def predict_sequences(
    *,
    model: str,
    fasta: Path | None,
    table: Path | None,
    sequence: str,
    name: str | None,
    scale: str,
    batch_size: int,
    device: str | None,
    structure_cache: Path | None,
    out: Path | None,
) -> None:
    """Write the predicted score of each sequence, in the order of the input."""
    fitted, metadata = find_model(model)
    settings = required_settings(fitted.config, metadata.provenance)
    names, X = read_sequences(fasta, table, sequence, name, fitted.config.length)
    if settings is not None:
        profiles = structure_profiles(
            X, **settings._asdict(), cache_folder=structure_cache, verbose=True
        )
        X = torch.cat([X.float(), profiles], dim=1)
    y_hat = predict(fitted, X, batch_size=batch_size, device=device)
    scores = y_hat.double().numpy()
    if scale == "measured" and metadata.transform is not None:
        scores = metadata.transform.invert(scores)
    outputs = metadata.experiments or [f"output_{i}" for i in range(scores.shape[1])]
    result = pd.DataFrame(scores, columns=list(outputs))
    result.insert(0, "name", names)
    write_table(result, out)


def import_keras_weights(
    *, weights: Path, out: Path, length: int, pool_size: int, sigmoid: bool
) -> None:
    """Convert weights of the authors' Keras code to a model file."""
    model = import_keras(weights, length=length, pool_size=pool_size, sigmoid=sigmoid)
    save(model, out, provenance={"imported_from": weights.name})
    logger.info("model: %s (%s)", out, model.config)


def simulate_data(*, out: Path | None, truth: Path | None, **options: Any) -> None:
    """Write a simulated experiment as a table that `--format table` reads."""
    simulation = simulate_rnacompete(**options)
    table = pd.DataFrame(
        {
            "set": simulation.sets,
            "sequence": simulation.sequences,
            "score": simulation.y[:, 0].numpy(),
        }
    )
    write_table(table, out)
    if truth is not None:
        write_table(
            pd.concat([simulation.design, simulation.components], axis=1), truth
        )


def download_tables(*, folder: Path, files: Sequence[str] | None) -> None:
    """Fetch the public RNAcompete tables."""
    for path in download(folder, files or RAY2013_FILES):
        logger.info("%s", path)


_MSE = nn.functional.mse_loss
_BATCH_SIZE = 512
_SEQUENCE_CHANNELS = 4


def find_model(name: str) -> tuple[ResidualBind, Metadata]:
    """A bundled model by its name, or a model file by its path."""
    if name in pretrained_names():
        return load_pretrained(name), pretrained_metadata(name)
    if not Path(name).exists():
        raise ValueError(
            f"`--model` {name} is neither a file nor a bundled model; bundled are "
            f"{', '.join(pretrained_names())}."
        )
    return load(name), load_metadata(name)


def write_table(table: pd.DataFrame, out: Path | None) -> None:
    """Write a TSV to a file, or to stdout where there is none."""
    table.to_csv(
        sys.stdout if out is None else out, sep="\t", index=False, float_format="%.6g"
    )


def _add_channels(
    data: RNAcompete, settings: FoldSettings, cache_folder: Path | None
) -> RNAcompete:
    return add_structure(
        data, **settings._asdict(), cache_folder=cache_folder, verbose=True
    )


def _make_config(
    data: RNAcompete, architecture: str, classification: bool
) -> ResidualBindConfig:
    _, channels, length = data.X.shape
    config = (
        ResidualBindConfig()
        if architecture == "paper"
        else ResidualBindConfig.released()
    )
    return replace(
        config,
        channels=channels,
        length=length,
        n_outputs=len(data.experiments),
        sigmoid=classification,
    )
