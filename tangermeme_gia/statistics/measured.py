"""Do effects of k-mers follow affinities that were measured?"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import scipy

from .._core.clusters import Values
from .._core.results import GIAResult
from .._core.scans import KmerScan
from .._core.short import in_short
from .associations import correlation
from .inputs import check_fraction, without_controls
from .intervals import Interval

# Any two points lie on a line. Of fewer than four `correlation` has no interval; those
# of four ranks are too narrow, of seven not (benchmarks/affinity_regression.py).
_FEWEST, _FEWEST_NUMBERS, _FEWEST_RANKS = 3, 4, 7
_MOST_NAMED = 5
# Columns that spell a k-mer, the first that is there.
_SPELLED = ("letters", "kmer", "motif")

Affinities = Mapping[str, float] | pd.Series | pd.DataFrame


@in_short
class AffinityRegression(NamedTuple):
    """A line through effects of k-mers against their measured affinities.

    `slope` is per unit of the affinity, or of its natural logarithm if `log`; `r2` and
    `p` are those of the line; `kmers` has a row per k-mer, in the order given:
    `kmer`, `affinity`, `x` (the affinity or its logarithm), `effect`, `low`, `high`
    (as far as the result has these) and `residual`.
    """

    slope: Interval
    intercept: float
    r2: float
    p: float
    pearson: Interval
    spearman: Interval
    kmers: pd.DataFrame
    log: bool


def affinity_regression(
    result: GIAResult | KmerScan | pd.DataFrame,
    affinities: Affinities,
    *,
    log: bool = False,
    confidence: float = 0.95,
) -> AffinityRegression:
    """Do k-mers that bind better in the laboratory have larger effects in the model?

    A line by least squares through the global importance of each k-mer against what was
    measured (the paper's figure 2f, with the logarithm of dissociation constants: there
    a model that is right falls). The k-mers are the sample, so few of them give wide
    intervals however many backgrounds there were. As measured
    (benchmarks/affinity_regression.py, normal deviations, 4 to 20 k-mers), 95 %
    intervals of the slope hold it in 94 to 96 %, those of Pearson's correlation in 95
    to 98 %, of Spearman's in 93 to 96 %.

    Parameters
    ----------
    result: GIAResult, KmerScan or pandas.DataFrame as from `to_frame`
        Effects of k-mers on one output, such as of `kmer_mutagenesis` or `kmer_scan`,
        without those of controls. K-mers are in the column `letters`, `kmer` or
        `motif`.

    affinities: dict or pandas.Series of k-mer to number, or pandas.DataFrame
        What was measured for each k-mer, one number each. A table has one column of
        text and one of numbers. Case and T or U make no difference.

    log: bool, optional
        Whether to take the natural logarithm of the affinities. Default is False.

    confidence: float, optional
        Coverage of the intervals. Default is 0.95.

    Returns
    -------
    regression: AffinityRegression
        `slope` has a t interval with two degrees of freedom fewer than there are
        k-mers, and `p` is that of a slope of 0; neither is there for fewer than 3
        k-mers, nor an R2. `pearson` has an interval as of `correlation` from 4 k-mers
        on, `spearman` (the same of ranks, ties at their mean) from 7. NaN is what
        cannot be told, and everything if all affinities, or all effects, are equal.

    Raises
    ------
    TypeError, ValueError
        If an affinity is no finite number (above 0 for `log`), a k-mer is there twice,
        the result lacks one (all such are named), has several outputs, or no column of
        k-mers, fewer than two k-mers are given, or `confidence` is not between 0 and 1.

    Examples
    --------
    >>> effects = pd.DataFrame(
    ...     {"kmer": ["UGC", "UGU", "AGC"], "effect": [3.0, 2.0, 0.0]}
    ... )
    >>> fit = affinity_regression(effects, {"UGC": 1.0, "TGT": 2.0, "agc": 3.0})
    >>> float(fit.slope.effect), round(fit.r2, 3)
    (-1.5, 0.964)
    """
    check_fraction("confidence", confidence)
    measured = _as_series(affinities, log)
    effects = _effects(result)
    missing = [kmer for kmer in measured.index if _spelled(kmer) not in effects.index]
    if missing:
        raise ValueError(
            f"`affinities` has {len(missing)} of {len(measured)} k-mers that `result` "
            f"does not: {_named(missing)}. Place them, too, or leave them out."
        )
    rows = effects.loc[[_spelled(kmer) for kmer in measured.index]]
    kmers = pd.DataFrame({"kmer": measured.index, "affinity": measured.to_numpy()})
    kmers["x"] = np.log(kmers["affinity"]) if log else kmers["affinity"]
    for name in ("effect", "low", "high"):
        if name in rows:
            kmers[name] = rows[name].to_numpy(dtype=np.float64)
    x, y = (kmers[name].to_numpy(dtype=np.float64) for name in ("x", "effect"))
    slope, intercept, r2, p = _line(x, y, confidence)
    kmers["residual"] = y - intercept - float(slope.effect) * x
    ranks = [np.asarray(scipy.stats.rankdata(values)) for values in (x, y)]
    pearson = _correlation(x, y, confidence, _FEWEST_NUMBERS)
    spearman = _correlation(ranks[0], ranks[1], confidence, _FEWEST_RANKS)
    return AffinityRegression(slope, intercept, r2, p, pearson, spearman, kmers, log)


def _line(
    x: Values, y: Values, confidence: float
) -> tuple[Interval, float, float, float]:
    """The slope, intercept, R2 and p value of the line of least squares."""
    n, nan = len(x), float("nan")
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return _interval(nan, nan, nan, n), nan, nan, nan
    a, b = x - x.mean(), y - y.mean()
    slope = float(a @ b / (a @ a))
    intercept = float(y.mean() - slope * x.mean())
    if n < _FEWEST:
        return _interval(slope, nan, nan, n), intercept, nan, nan
    left = float(((b - slope * a) ** 2).sum())
    se = float(np.sqrt(left / (n - 2) / (a @ a)))
    margin = float(scipy.stats.t.ppf((1 + confidence) / 2, n - 2)) * se
    t = abs(slope) / se if se > 0 else np.inf
    p = float(2 * scipy.stats.t.sf(t, n - 2))
    return _interval(slope, se, margin, n), intercept, 1 - left / float(b @ b), p


def _interval(effect: float, se: float, margin: float, n: int) -> Interval:
    ends = (effect, se, effect - margin, effect + margin)
    value, error, low, high = (np.asarray(each, dtype=np.float64)[()] for each in ends)
    return Interval(value, error, low, high, n)


def _correlation(x: Values, y: Values, confidence: float, fewest: int) -> Interval:
    if len(x) >= fewest:
        return correlation(x, y, confidence)
    told = len(x) >= _FEWEST and np.ptp(x) > 0 and np.ptp(y) > 0
    r = float(np.corrcoef(x, y)[0, 1]) if told else float("nan")
    return _interval(r, float("nan"), float("nan"), len(x))


def _effects(result: Any) -> pd.DataFrame:
    """A row per k-mer, by its letters."""
    if isinstance(result, GIAResult):
        result = without_controls(result)
    if isinstance(result, GIAResult | KmerScan):
        result = result.output().to_frame()
    if not isinstance(result, pd.DataFrame):
        raise TypeError(
            f"`result` is a {type(result).__name__}; it must be a GIAResult, a "
            "KmerScan or a table as from their `to_frame`."
        )
    column = next((name for name in _SPELLED if name in result), None)
    if column is None or "effect" not in result:
        raise ValueError(
            f"`result` has the columns {list(result.columns)}; a column 'effect' and "
            "one of k-mers, 'letters', 'kmer' or 'motif', are needed."
        )
    if "control" in result:
        result = result[result["control"] == "none"]
    effects: pd.DataFrame = result.set_index(result[column].map(_spelled))
    _check_once("result", effects.index, "narrow it, by `select` or `output`")
    return effects


def _as_series(affinities: Any, log: bool) -> pd.Series:
    """Numbers by k-mer, checked."""
    if isinstance(affinities, pd.DataFrame):
        numbers = affinities.select_dtypes("number")
        text = affinities.columns.difference(numbers.columns)
        if numbers.shape[1] != 1 or len(text) != 1:
            raise ValueError(
                f"`affinities` has the columns {list(affinities.columns)}; exactly one "
                "of text, the k-mers, and one of numbers are needed."
            )
        affinities = numbers.iloc[:, 0].set_axis(affinities[text[0]])
    if not isinstance(affinities, pd.Series | Mapping):
        raise TypeError(
            f"`affinities` is a {type(affinities).__name__}; it must be a dict or "
            "Series of k-mer to number, or a table."
        )
    given: pd.Series = pd.Series(affinities)
    _check_once("affinities", given.index.map(_spelled), "give one number for each")
    if len(given) < 2:
        raise ValueError(f"`affinities` has {len(given)} k-mers; 2 or more are needed.")
    values = pd.to_numeric(given, errors="coerce").astype(np.float64)
    wrong = ~np.isfinite(values) | ((values <= 0) & log)
    if wrong.any():
        kind = "finite numbers above 0, of which there is a log," if log else "finite"
        raise ValueError(
            f"`affinities` must be {kind} for every k-mer, but not "
            f"{_named([f'{k}: {given[k]}' for k in given.index[wrong]])}."
        )
    return values


def _check_once(argument: str, kmers: pd.Index, advice: str) -> None:
    again = kmers[kmers.duplicated()].unique()
    if len(again):
        raise ValueError(
            f"`{argument}` has {_named(again.tolist())} more than once; {advice}."
        )


def _spelled(kmer: Hashable) -> str:
    return str(kmer).strip().upper().replace("T", "U")


def _named(names: list[Any]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(map(str, names[:_MOST_NAMED])) + more
