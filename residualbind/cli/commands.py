"""What each command of the `residualbind` command line does."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from tangermeme.predict import predict
from torch import nn

from tangermeme_gia._core.command_line import (
    check_device,
    check_folders,
    write_table,
)
from tangermeme_gia._core.letters import RNA
from tangermeme_gia._core.storage import only_one

from ..data.preparation import Prepared, prepare
from ..data.public_data import RAY2013_FILES, download
from ..data.rnacompete import RNAcompete
from ..data.transforms import Transform
from ..network.checkpoints import CheckpointError, NotedFolder
from ..network.keras_import import import_keras
from ..network.metadata import Metadata
from ..network.model import ResidualBind, ResidualBindConfig
from ..network.pretrained import load_pretrained, pretrained_metadata, pretrained_names
from ..network.schedule import Schedule
from ..network.trainer import TrainingResult
from ..network.training import train
from ..network.weights import load, load_metadata, save
from ..network.with_structure import add_structure, required_settings
from ..simulation.simulate import simulate_rnacompete
from ..simulation.truth import Truth
from ..structure.folding import FoldSettings
from ..structure.profiles import describe_settings, structure_profiles
from .expected import expected_ranks
from .files import check_inputs, check_outputs
from .scales import score_scales
from .sources import DataOptions, read_data, read_sequences

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainOptions(DataOptions):
    """The options of `train`."""

    length: int
    out: Path
    architecture: str
    classification: bool
    transform: str
    fit_per_split: bool
    structure: str | None
    structure_cache: Path | None
    valid_fraction: float
    drop_duplicates: bool
    random_state: int
    epochs: int
    batch_size: int
    lr: float
    lr_decay: float
    lr_patience: int
    patience: int
    checkpoint_folder: Path | None
    restart: bool
    dtype: str | None
    device: str | None
    n_resamples: int

    @property
    def folder(self) -> Path:
        """Where the run is saved; another model file has another."""
        beside = self.out.with_name(f"{self.out.name}.training")
        return self.checkpoint_folder or beside


@dataclass(frozen=True)
class EvaluateOptions(DataOptions):
    """The options of `evaluate`."""

    model: str
    part: str
    valid_fraction: float
    drop_duplicates: bool
    random_state: int
    classification: bool
    n_resamples: int
    confidence: float
    expected: list[str] | None
    n_backgrounds: int
    structure_cache: Path | None
    batch_size: int
    device: str | None
    out: Path | None


def train_model(**given: Any) -> None:
    """Train a model, write it to `--out` and its test metrics to stdout."""
    options = TrainOptions(**given)
    check_outputs(options.data, out=options.out)
    check_folders(checkpoint_folder=options.folder)
    _check_surroundings(options)
    measured = read_data(options, options.length)
    lock = options.out.resolve().with_name(f".{options.out.name}.lock")
    try:
        with only_one(
            lock, CheckpointError(f"another training writes `out`, {options.out}")
        ):
            _train_and_save(options, measured)
    except CheckpointError as error:
        another = "--out" if options.checkpoint_folder is None else "another folder"
        reason = _OPTION.sub(lambda m: f"--{m[1].replace('_', '-')}", error.reason)
        raise ValueError(f"{reason}: choose another {another}, or --restart") from error


def _train_and_save(options: TrainOptions, measured: RNAcompete) -> None:
    provenance = _describe_input(options, measured)
    if options.structure is not None:
        settings = FoldSettings(options.structure)
        measured = _add_channels(measured, settings, options.structure_cache)
        provenance["structure"] = describe_settings(settings)
    prepared = prepare(
        measured,
        transform="none" if options.classification else options.transform,
        valid_fraction=options.valid_fraction,
        random_state=options.random_state,
        fit_per_split=options.fit_per_split,
        drop_duplicates=options.drop_duplicates,
    )
    torch.manual_seed(options.random_state)
    model = ResidualBind(_make_config(options, measured))
    result = _train(model, prepared, options)
    provenance |= {
        "best_epoch": result.best_epoch,
        "valid_pearson": result.best_pearson,
        "test": _test(model, prepared, options),
    }
    save(
        model,
        options.out,
        transform=prepared.transform,
        experiments=measured.experiments,
        provenance=provenance,
        profile=measured.X[:, : len(RNA)].mean(dim=0, dtype=torch.float32),
    )
    logger.info("model: %s", options.out)


def evaluate_model(**given: Any) -> None:
    """Write how well a model predicts one part of the data."""
    options = EvaluateOptions(**given)
    check_outputs([*options.data, options.model], out=options.out)
    _check_surroundings(options)
    fitted, metadata = find_model(options.model)
    measured = _take_part(options, read_data(options, fitted.config.length))
    ranks = _ranks(options, measured)
    settings = required_settings(fitted.config, metadata.provenance)
    if settings is not None and measured.X.shape[1] == len(RNA):
        measured = _add_channels(measured, settings, options.structure_cache)
    y_hat = predict(
        fitted, measured.X, batch_size=options.batch_size, device=options.device
    )
    transform = metadata.transform or Transform()
    table = score_scales(
        measured,
        transform.apply(measured.y),
        y_hat,
        transform,
        classification=options.classification,
        n_resamples=options.n_resamples,
        confidence=options.confidence,
        random_state=options.random_state,
    )
    write_table(pd.concat([table, *ranks], ignore_index=True), options.out)


def predict_sequences(
    *,
    model: str,
    sequences: Path,
    sequence: str,
    name: str | None,
    scale: str,
    batch_size: int,
    device: str | None,
    structure_cache: Path | None,
    out: Path | None,
) -> None:
    """Write the predicted score of each sequence, in the order of the input."""
    check_outputs([sequences, model], out=out)
    check_folders(structure_cache=structure_cache)
    check_device(device)
    fitted, metadata = find_model(model)
    check_inputs(sequences=[sequences])
    settings = required_settings(fitted.config, metadata.provenance)
    names, X = read_sequences(sequences, sequence, name, fitted.config.length)
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
    check_inputs(weights=[weights])
    check_outputs([weights], out=out)
    model = import_keras(weights, length=length, pool_size=pool_size, sigmoid=sigmoid)
    save(model, out, provenance={"imported_from": weights.name})
    logger.info("model: %s (%s)", out, model.config)


def simulate_data(
    *, n: int, random_state: int, out: Path | None, truth: Path | None, **planted: Any
) -> None:
    """Write a simulated experiment as a table that `--format table` reads."""
    check_outputs(out=out, truth=truth)
    simulation = simulate_rnacompete(n, Truth(**planted), random_state=random_state)
    table = pd.DataFrame(
        {
            "set": simulation.sets,
            "sequence": simulation.sequences,
            "score": simulation.y[:, 0].numpy(),
        }
    )
    write_table(table, out)
    if truth is not None:
        columns = [simulation.design, simulation.components]
        write_table(pd.concat(columns, axis=1), truth, "truth")


def download_tables(*, out: Path, files: Sequence[str] | None) -> None:
    """Fetch the public RNAcompete tables."""
    check_folders(out=out)
    for path in download(out, files or RAY2013_FILES):
        logger.info("%s", path)


def _check_surroundings(options: TrainOptions | EvaluateOptions) -> None:
    check_folders(structure_cache=options.structure_cache)
    check_device(options.device)


_BATCH_SIZE = 512
# An option's keyword, as errors of the library name it.
_OPTION = re.compile(r"`(\w+)`")
# Options that say where to, how long and on what, not what is trained.
_NO_PART = {"out", "epochs", "patience", "checkpoint_folder", "restart", "device"}
_NO_PART |= {"structure_cache", "n_resamples"}


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


def _describe_input(options: TrainOptions, measured: RNAcompete) -> dict[str, Any]:
    return {
        "data": [Path(path).name for path in options.data],
        "data_sha256": measured.checksum(),
        "architecture": options.architecture,
        "transform": options.transform,
        "structure": None,
        "random_state": options.random_state,
        "versions": {
            "torch": torch.__version__,
            "residualbind": version("tangermeme-gia"),
        },
    }


def _train(
    model: ResidualBind, prepared: Prepared, options: TrainOptions
) -> TrainingResult:
    cross_entropy = nn.functional.binary_cross_entropy
    logger.info("checkpoints and history: %s", options.folder)
    named = {k: v for k, v in vars(options).items() if k not in _NO_PART}
    result = train(
        model,
        prepared.train,
        prepared.valid,
        epochs=options.epochs,
        batch_size=options.batch_size,
        lr=options.lr,
        schedule=Schedule(options.lr_decay, options.lr_patience, options.patience),
        loss=cross_entropy if options.classification else nn.functional.mse_loss,
        checkpoint_folder=NotedFolder(options.folder, named),
        restart=options.restart,
        random_state=options.random_state,
        device=options.device,
        dtype=None if options.dtype is None else getattr(torch, options.dtype),
        verbose=True,
    )
    logger.info(
        "kept epoch %d of %d, validation Pearson %.4f on %s scores",
        result.best_epoch,
        len(result.history),
        result.best_pearson,
        "transformed" if prepared.transform.steps else "measured",
    )
    return result


def _test(
    model: ResidualBind, prepared: Prepared, options: TrainOptions
) -> list[Any] | None:
    """Write the metrics on the test set, if there is one."""
    test = prepared.test
    if len(test) == 0:
        return None
    table = score_scales(
        replace(test, y=prepared.test_scores),
        test.y,
        predict(model, test.X, batch_size=_BATCH_SIZE),
        prepared.transform,
        classification=options.classification,
        n_resamples=options.n_resamples,
    )
    write_table(table, None)
    records: list[Any] = table.to_dict("records")
    return records


def _take_part(options: EvaluateOptions, measured: RNAcompete) -> RNAcompete:
    if options.part == "all":
        return measured
    parts = measured.split(
        valid_fraction=options.valid_fraction,
        random_state=options.random_state,
        drop_duplicates=options.drop_duplicates,
    )
    part: RNAcompete = getattr(parts, options.part)
    if len(part) == 0:
        raise ValueError(
            f"the data have no {options.part} probes; use `--part all` for all of them."
        )
    return part


def _ranks(options: EvaluateOptions, measured: RNAcompete) -> list[pd.DataFrame]:
    """Those of the motifs that are expected, if any are."""
    if options.expected is None:
        return []
    ranks = expected_ranks(
        options.model,
        measured,
        options.expected,
        options.n_backgrounds,
        confidence=options.confidence,
        random_state=options.random_state,
        device=options.device,
        batch_size=options.batch_size,
    )
    return [ranks]


def _add_channels(
    data: RNAcompete, settings: FoldSettings, cache_folder: Path | None
) -> RNAcompete:
    return add_structure(
        data, **settings._asdict(), cache_folder=cache_folder, verbose=True
    )


def _make_config(options: TrainOptions, data: RNAcompete) -> ResidualBindConfig:
    released = options.architecture == "released"
    _, channels, length = data.X.shape
    return (ResidualBindConfig.released if released else ResidualBindConfig)(
        channels=channels,
        length=length,
        n_outputs=len(data.experiments),
        sigmoid=options.classification,
    )
