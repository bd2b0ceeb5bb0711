"""`evaluate --expected`: has the model learned the motif that it should know?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch

from tangermeme_gia import rank_expected
from tangermeme_gia._core.letters import RNA
from tangermeme_gia.backgrounds import profile_background

from ..data.rnacompete import RNAcompete
from ..network.gia_models import load


def expected_ranks(
    model: str,
    measured: RNAcompete,
    motifs: Sequence[str],
    n: int,
    *,
    confidence: float,
    random_state: int,
    **prediction: Any,
) -> pd.DataFrame:
    """Ranks of motifs among all words, as rows of a table of metrics.

    Parameters
    ----------
    model: str
        A bundled model by its name, or a model file.

    measured: RNAcompete
        What it is evaluated on, which names its outputs; backgrounds are like these
        probes where the model does not know those that it was trained on.

    motifs: sequence of str
        Words, or motifs of files.

    n: int
        Number of backgrounds.

    confidence: float
        Of the intervals.

    random_state: int
        Seed of the backgrounds.

    prediction: optional
        Keywords for `predict`.

    Returns
    -------
    table: pandas.DataFrame
        A row for each output and motif: `output`, `metric` ("rank of UGCAUG"), `value`,
        `low` and `high`, `n` backgrounds, and the verdict as `note`.

    Raises
    ------
    ValueError, TypeError
        As `rank_expected`.
    """
    if n < 2:
        raise ValueError(f"`--n-backgrounds`={n} must be at least 2.")
    source = load(model)
    profile = source.profile
    if profile is None:
        profile = measured.X[:, : len(RNA)].mean(dim=0, dtype=torch.float32)
    X = profile_background(profile, n, random_state)
    tables = []
    for i, output in enumerate(measured.experiments):
        found = rank_expected(
            source.model,
            X,
            motifs,
            alphabet=RNA,
            target=i,
            random_state=random_state,
            verbose=True,
            **prediction,
        ).to_frame(confidence)
        own = {"output": output, "metric": "rank of " + found["motif"], "n": found["n"]}
        for name, column in (("value", ""), ("low", "_low"), ("high", "_high")):
            own[name] = found[f"rank{column}"].astype(float)
        tables.append(pd.DataFrame({**own, "note": found["line"]}))
    whole: pd.DataFrame = pd.concat(tables, ignore_index=True)
    return whole
