"""What a report says of the motif's effect beside the fold of its sequences."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from .. import plot
from ..experiments.structure_reading import importance_by_structure
from ..statistics.associations import correlation
from ..statistics.intervals import Interval, confidence_interval
from .section import Figure, Section, as_result
from .store import Results
from .study import Study
from .wording import count, row_with_interval

# What the effect is put beside: its column, and how it is called.
_PAIREDNESS, _STABILITY = "unpaired", "energy"
_GROUPS = 4


def structure(study: Study, results: Results) -> Section:
    result = as_result(results["structure"])
    n = len(result.y_before)
    frame = importance_by_structure(
        result,
        study.X[:n],
        [(study.motif, study.start)],
        alphabet=study.inputs.alphabet,
        random_state=study.options.random_state,
    )
    local = frame["local_importance"].to_numpy()
    r = {
        name: correlation(frame[name].to_numpy(), local)
        for name in (_PAIREDNESS, _STABILITY)
    }
    readings = {
        _PAIREDNESS: _reading(
            r[_PAIREDNESS], "where its site is unpaired", "where its site is paired"
        ),
        _STABILITY: _reading(
            r[_STABILITY], "in unstable sequences", "in stable sequences"
        ),
    }
    fewer = (
        f" The first {count(n, 'background')} were folded." if n < len(study.X) else ""
    )
    return Section(
        "structure",
        "Does the fold of its sequence matter?",
        f"Each background with {study.motif} at {study.start} is folded by ViennaRNA "
        f"(Turner 2004, 37 °C).{fewer} A site is unpaired to the mean probability of "
        "its bases to be unpaired; a sequence is stable if its most stable structure "
        "has a low free energy. These sequences differ in their letters as well as in "
        "their folds, so that what goes along with a fold need not be due to it; the "
        "hairpins compare one place with and without a stem. A model of sequence alone "
        "can know a fold only through the letters that pair.",
        [
            Figure(
                "pairedness",
                partial(plot.pairedness_scatter, frame),
                f"The effect is {readings[_PAIREDNESS]}.",
            ),
            Figure(
                "stability",
                partial(plot.stability_scatter, frame),
                f"The effect is {readings[_STABILITY]}.",
            ),
        ],
        {"structure": _quarters(frame)},
        f"Its effect is {readings[_PAIREDNESS]}, and {readings[_STABILITY]}; letters "
        "and folds are not told apart by this.",
        [
            (
                "Correlation with the fold",
                f"{row_with_interval(r[_PAIREDNESS])} with the site's probability to "
                f"be unpaired, {row_with_interval(r[_STABILITY])} with the free energy",
            )
        ],
        {f"r_{name}": float(interval.effect) for name, interval in r.items()},
    )


def _reading(r: Interval, up: str, down: str) -> str:
    """What a correlation says: where the effect is larger."""
    if np.isnan(r.effect):
        return f"neither larger nor smaller {up}, for all of them or all folds agree"
    where = f"larger {up}" if r.low > 0 else f"not clearly larger or smaller {up}"
    if r.high < 0:
        where = f"larger {down}"
    return f"{where} (correlation {row_with_interval(r)})"


def _quarters(frame: pd.DataFrame) -> pd.DataFrame:
    """The mean effect in quarters of the sequences, from paired and stable on."""
    rows: list[dict[str, Any]] = []
    for name in (_PAIREDNESS, _STABILITY):
        values = frame[name].to_numpy()
        local = frame["local_importance"].to_numpy()
        parts = np.array_split(np.argsort(values, kind="stable"), _GROUPS)
        for i, part in enumerate(parts, start=1):
            if len(part) < 2:
                continue
            interval = confidence_interval(local[part])
            rows.append(
                {
                    "by": name,
                    "quarter": i,
                    "from": values[part].min(),
                    "to": values[part].max(),
                    "effect": float(interval.effect),
                    "low": float(interval.low),
                    "high": float(interval.high),
                    "n": len(part),
                }
            )
    table: pd.DataFrame = pd.DataFrame(rows)
    return table
