"""`residualbind fit`: any of the methods that ResidualBind is compared with."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from tangermeme_gia._core.command_line import (
    check_device,
    check_folders,
    write_table,
)

from ..data.preparation import Prepared, prepare
from ..methods.fitted import Fitted
from ..methods.fitting import fit_method
from .files import check_outputs
from .scales import score_scales
from .sources import DataOptions, read_data

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitOptions(DataOptions):
    """The options of `fit`."""

    method: str
    length: int
    out: Path
    channels: int | None
    trials: str | None
    epochs: int | None
    transform: str
    fit_per_split: bool
    valid_fraction: float
    drop_duplicates: bool
    random_state: int
    structure_cache: Path | None
    checkpoint_folder: Path | None
    device: str | None
    n_resamples: int


def fit_model(**given: Any) -> None:
    """Fit a method, write it to `--out` and its test metrics to stdout."""
    write_table(fit(FitOptions(**given)), None)


def fit(options: FitOptions) -> pd.DataFrame:
    """Fit a method and write it; its metrics on the test set, none if there is none."""
    check_outputs(options.data, out=options.out)
    check_folders(
        checkpoint_folder=options.checkpoint_folder,
        structure_cache=options.structure_cache,
    )
    check_device(options.device)
    measured = read_data(options, options.length)
    prepared = prepare(
        measured,
        transform=options.transform,
        valid_fraction=options.valid_fraction,
        random_state=options.random_state,
        fit_per_split=options.fit_per_split,
        drop_duplicates=options.drop_duplicates,
    )
    trials = options.trials
    fitted = fit_method(
        options.method,
        prepared,
        channels=options.channels,
        trials=int(trials) if trials is not None and trials.isdecimal() else trials,
        epochs=options.epochs,
        checkpoint_folder=options.checkpoint_folder,
        cache_folder=options.structure_cache,
        random_state=options.random_state,
        device=options.device,
        verbose=True,
    )
    fitted.save(options.out)
    logger.info("model: %s (%r)", options.out, fitted)
    return _test(fitted, prepared, options)


def _test(fitted: Fitted, prepared: Prepared, options: FitOptions) -> pd.DataFrame:
    test = prepared.test
    table: pd.DataFrame = pd.DataFrame(columns=["output", "metric", "value", "scale"])
    if len(test):
        table = score_scales(
            replace(test, y=prepared.test_scores),
            test.y,
            fitted.predict(test.X, cache_folder=options.structure_cache),
            prepared.transform,
            classification=False,
            n_resamples=options.n_resamples,
        )
    return table
