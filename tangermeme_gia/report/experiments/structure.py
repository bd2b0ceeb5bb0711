"""Does the fold of its sequence matter to the motif?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ... import plot
from ..._core.results import GIAResult
from ...experiments.importance import global_importance
from ...experiments.structure_reading import importance_by_structure
from ...statistics.associations import correlation
from ...statistics.intervals import Interval, confidence_interval
from ...structure.processes import require_vienna
from ..layout import NOT_NUCLEOTIDES
from ..section import Figure, Line, Section
from ..store import Results
from ..study import Study
from ..thumbnails import strip
from ..wording import count, row_with_interval

# Sequences of so many bases that are folded; of longer ones fewer, at least so many.
_FOLDED, _FOLDED_LENGTH, _FEWEST_FOLDED = 1000, 60, 50
_LONGEST_FOLDED = 300
# Columns that the effect is put beside.
_BESIDE = ("unpaired", "energy")
_GROUPS = 4
# Where an effect is larger if the correlation is above 0, and if it is below.
_BY_SITE = ("where its site is unpaired", "where its site is paired")
_BY_ENERGY = ("in unstable sequences", "in stable sequences")


def obstacle(study: Study) -> str | None:
    """Folds are of RNA, take time, and need ViennaRNA."""
    if not study.inputs.has_nucleotides:
        return NOT_NUCLEOTIDES
    if "U" not in study.inputs.alphabet:
        return "folding is a question about RNA"
    if study.inputs.length > _LONGEST_FOLDED:
        return f"sequences of {study.inputs.length:,} bases take long to fold"
    try:
        require_vienna()
    except ImportError as error:
        return str(error)
    return None


def compute(study: Study) -> Results:
    """The motif in as many backgrounds as can be folded in a few seconds."""
    # The time of a fold grows with more than the square of the length.
    most = _FOLDED * min(1.0, (_FOLDED_LENGTH / study.inputs.length) ** 2.3)
    X, clusters, _ = study.backgrounds[1].part(slice(max(_FEWEST_FOLDED, int(most))))
    site = [(study.placed, study.start)]
    ask = {**study.ask, "clusters": clusters}
    return {"structure": global_importance(study.model, X, site, **ask)}


def describe(study: Study, results: Results) -> Section:
    """Whether the effect goes along with the fold of each sequence."""
    result: GIAResult = results["structure"]
    n = len(result.y_before)
    frame = importance_by_structure(
        result,
        study.X[:n],
        [(study.placed, study.start)],
        alphabet=study.inputs.alphabet,
        random_state=study.options.random_state,
    )
    by = [
        correlation(frame[name], frame["local_importance"], clusters=result.clusters)
        for name in _BESIDE
    ]
    pairs = partial(plot.pairedness_scatter, frame)
    energies = partial(plot.stability_scatter, frame)
    quarters = _quarters(frame, result.clusters)
    return Section(
        "structure",
        "Does the fold of its sequence matter?",
        _method(study, n),
        [
            Figure("pairedness", pairs, f"The effect is {_reading(by[0], *_BY_SITE)}."),
            Figure(
                "stability", energies, f"The effect is {_reading(by[1], *_BY_ENERGY)}."
            ),
        ],
        {"structure": quarters},
        f"Its effect is {_where(by[0], *_BY_SITE)}, and "
        f"{_where(by[1], *_BY_ENERGY)}; letters and folds are not told apart by this.",
        _thumbnail(quarters),
        summary=[
            Line(
                "Correlation with the fold",
                f"{row_with_interval(by[0])} with the site's probability to be "
                f"unpaired, {row_with_interval(by[1])} with the free energy",
            )
        ],
        headline=_numbers(by),
    )


def _numbers(by: Sequence[Interval]) -> dict[str, float]:
    """For a table over many models."""
    return {
        f"{name}{part}": float(value)
        for name, r in zip(("r_unpaired", "r_energy"), by, strict=True)
        for part, value in (("", r.effect), ("_low", r.low), ("_high", r.high))
    }


def _method(study: Study, n: int) -> str:
    fewer = (
        f" The first {count(n, 'background')} were folded." if n < len(study.X) else ""
    )
    return (
        f"Each background with {study.motif} at {study.start} is folded by ViennaRNA "
        f"(Turner 2004, 37 °C).{fewer} A site is unpaired to the mean probability of "
        "its bases to be unpaired; a sequence is stable if its most stable structure "
        "has a low free energy. These sequences differ in their letters as well as in "
        "their folds, so that what goes along with a fold need not be due to it; the "
        "hairpins compare one place with and without a stem. A model of sequence alone "
        "can know a fold only through the letters that pair."
    )


def _reading(r: Interval, up: str, down: str) -> str:
    """What a correlation says: where the effect is larger."""
    if np.isnan(r.effect):
        return f"{_where(r, up, down)}, for all of them or all folds agree"
    return f"{_where(r, up, down)} (correlation {row_with_interval(r)})"


def _where(r: Interval, up: str, down: str) -> str:
    if np.isnan(r.effect):
        return f"neither larger nor smaller {up}"
    if r.low > 0:
        return f"larger {up}"
    return f"larger {down}" if r.high < 0 else f"not clearly larger or smaller {up}"


def _thumbnail(quarters: pd.DataFrame) -> str:
    """The effect where the site is most paired, and on to least."""
    rows = quarters[quarters["by"] == _BESIDE[0]]
    names = [f"{a:.2f}–{b:.2f}" for a, b in zip(rows["from"], rows["to"], strict=True)]
    return strip(names, rows["effect"], rows["low"], rows["high"])


def _quarters(frame: pd.DataFrame, clusters: NDArray[Any] | None) -> pd.DataFrame:
    """The mean effect in quarters of the sequences, from paired and stable on."""
    rows: list[dict[str, Any]] = []
    for name in _BESIDE:
        values = frame[name].to_numpy()
        local = frame["local_importance"].to_numpy()
        parts = np.array_split(np.argsort(values, kind="stable"), _GROUPS)
        for i, part in enumerate(parts, start=1):
            if len(part) < 2:
                continue
            known = None if clusters is None else clusters[part]
            interval = confidence_interval(local[part], clusters=known)
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
