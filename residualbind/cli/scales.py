"""Metrics on the two scales of a score: as measured, and as it was trained on."""

from __future__ import annotations

import logging
from typing import Any

import pandas as pd
import torch

from ..data.rnacompete import RNAcompete
from ..data.transforms import Transform
from ..network.metrics import score_predictions

logger = logging.getLogger(__name__)


def score_scales(
    measured: RNAcompete,
    transformed: Any,
    y_hat: torch.Tensor,
    transform: Transform,
    **options: Any,
) -> pd.DataFrame:
    """Metrics on measured scores, and on those transformed for training if they are."""
    pairs = {"measured": (measured.y, torch.as_tensor(transform.invert(y_hat)))}
    if transform.steps:
        pairs["transformed"] = torch.as_tensor(transformed), y_hat
    tables = [
        score_predictions(*pair, outputs=measured.experiments, **options).assign(
            scale=scale
        )
        for scale, pair in pairs.items()
    ]
    kinds = ", ".join(str(step["kind"]) for step in transform.steps) or "none"
    logger.info(
        "column `scale`: measured scores, or transformed as for training (%s)", kinds
    )
    both: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return both
