"""Results of one experiment side by side: under many backgrounds, or of many models."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import scipy

from .._core.agreement import one_warning
from .._core.cards import counted, shortened, whole_table
from .._core.clusters import Codes, Values, as_codes, as_labels, degrees_of_freedom
from .._core.moments import summarise
from .._core.outputs import Label, as_columns
from .._core.results import GIAResult
from .._core.shown import Shown

# What `to_frame` measures; all other columns say what was measured.
_EFFECT = ("effect", "se", "low", "high", "n", "n_clusters", "df")
_DIFFERENCE = ("difference", "difference_se", "difference_low", "difference_high")
_SCAN = ("control_effect", *_DIFFERENCE, "p", "q", "cluster", "representative")
_MEASURED = (*_EFFECT, *_SCAN)
# Any two points lie on a line.
_FEWEST_TO_CORRELATE = 3
# Of which `repr` shows an effect.
_MOST_SHOWN = 3


class _Fields(NamedTuple):
    results: dict[str, Any]
    across: Literal["background", "model"] = "background"


class Comparison(Shown, _Fields):
    """Does a finding depend on the choice of background, or hold for other models?

    Parameters
    ----------
    results: dict of str to GIAResult or KmerScan
        What the experiment returned under each background, or for each model on the
        same backgrounds.

    across: {"background", "model"}, optional
        Which of the two. Default is "background".

    Examples
    --------
    >>> import torch
    >>> y = torch.zeros(2, 1)
    >>> sites = pd.DataFrame({"n_sites": [1, 2]})
    >>> low = GIAResult(y, torch.tensor([[[1.0], [2.0]], [[2.0], [4.0]]]), sites)
    >>> high = GIAResult(y, torch.tensor([[[2.0], [3.0]], [[2.0], [5.0]]]), sites)
    >>> comparison = Comparison({"profile": low, "shuffle": high})
    >>> comparison.to_frame().columns[:4].tolist()
    ['background', 'n_sites', 'output', 'effect']
    >>> comparison.spread()["range"].tolist()
    [0.5, 1.0]
    """

    def _lines(self) -> list[str]:
        names = [str(name) for name in self.results]
        n = counted(len(names), self.across)
        shown = f"{type(self).__name__} of {n}: {', '.join(names)}"
        return [shortened(shown), *next(iter(self.results.values()))._lines()]

    def _strongest(self) -> list[str]:
        told = {name: one._strongest() for name, one in self.results.items()}
        first = {name: lines[1].strip() for name, lines in told.items() if lines[1:]}
        lines = [f"  {name}: {line}" for name, line in [*first.items()][:_MOST_SHOWN]]
        return ["strongest effect of each, 95 % interval:", *lines] if lines else []

    def _table(self) -> str | None:
        return whole_table(self, *self.results.values())

    def output(self, label: Label | None = None) -> Comparison:
        """How do backgrounds or models compare on one output?

        Parameters
        ----------
        label: int, tuple of int or None, optional
            Which output, as for `GIAResult.output`. Default is None, the only one.

        Returns
        -------
        comparison: Comparison
        """
        narrowed = {name: r.output(label) for name, r in self.results.items()}
        return Comparison(narrowed, self.across)

    def to_frame(self, confidence: float = 0.95) -> pd.DataFrame:
        """How large is each effect under each background or model? One row each.

        Parameters
        ----------
        confidence: float, optional
            Coverage of the intervals over backgrounds. Default is 0.95.

        Returns
        -------
        frame: pandas.DataFrame
            The tables of `results` below each other, with a first column `background`
            or `model`. Conditions that have such a column keep it as
            `condition_background` or `condition_model`. If any result has clusters, all
            rows have `n_clusters` and `df`; independent backgrounds are their own.
        """
        frames = comparable_frames(self.results, self.across, confidence)
        if any("n_clusters" in frame for frame in frames.values()):
            for frame in frames.values():
                if "n_clusters" not in frame:
                    frame["n_clusters"], frame["df"] = frame["n"], frame["n"] - 1.0
        table: pd.DataFrame = pd.concat(frames.values(), ignore_index=True)
        lengths = [len(frame) for frame in frames.values()]
        table.insert(0, self.across, np.repeat(list(frames), lengths))
        return table

    def agreement(self) -> pd.DataFrame:
        """Do two of them rank the conditions alike? A row per pair and output.

        Returns
        -------
        frame: pandas.DataFrame
            `background_a` and `background_b` (or `model_a` and `model_b`), `output`,
            and over conditions: `pearson` and `spearman` of the effects (NaN for fewer
            than three conditions, or where all effects are equal; noise of the effects
            lowers both), `sign_agreement`, the share of conditions whose effects have
            the same sign, and `n_conditions`.
        """
        frames = comparable_frames(self.results, self.across)
        first = next(iter(frames.values()))
        output = (
            first["output"] if "output" in first else pd.Series(0, index=first.index)
        )
        codes, labels = pd.factorize(output)
        names = [f"{self.across}_a", f"{self.across}_b"]
        measures = ["output", "pearson", "spearman", "sign_agreement", "n_conditions"]
        rows = []
        for a, b in itertools.combinations(frames, 2):
            for code, label in enumerate(labels):
                x, y = (frames[k]["effect"].to_numpy()[codes == code] for k in (a, b))
                ranks = scipy.stats.rankdata(x), scipy.stats.rankdata(y)
                same = float(np.mean(np.sign(x) == np.sign(y)))
                both = _correlation(x, y), _correlation(*ranks)
                rows.append((a, b, label, *both, same, len(x)))
        table: pd.DataFrame = pd.DataFrame(rows, columns=names + measures)
        return table

    def spread(self, confidence: float = 0.95) -> pd.DataFrame:
        """How far do they differ on each condition?

        Parameters
        ----------
        confidence: float, optional
            Coverage of the intervals that `robust` reads. Default is 0.95.

        Returns
        -------
        frame: pandas.DataFrame
            The columns of the conditions and `output`, then `mean`, `lowest`, `highest`
            and `range` of the effects; `same_sign`, whether all effects have the same
            sign; and `robust`, whether all intervals lie on the same side of 0. No
            interval comes with the mean: backgrounds are chosen, not drawn.
        """
        frames = comparable_frames(self.results, self.across, confidence)
        effect, low, high = (
            np.stack([frame[column].to_numpy() for frame in frames.values()])
            for column in ("effect", "low", "high")
        )
        signs = np.sign(effect)
        table: pd.DataFrame = _keys(next(iter(frames.values()))).assign(
            mean=effect.mean(axis=0),
            lowest=effect.min(axis=0),
            highest=effect.max(axis=0),
            range=np.ptp(effect, axis=0),
            same_sign=(signs == signs[0]).all(axis=0),
            robust=np.logical_or((low > 0).all(axis=0), (high < 0).all(axis=0)),
        )
        return table

    def summary(self, confidence: float = 0.95) -> pd.DataFrame:
        """How large is each effect for models like these, and how sure is it?

        The models are taken as a sample: the interval is for the mean over all models
        that could have been trained, and all backgrounds that could have been drawn.

        Parameters
        ----------
        confidence: float, optional
            Coverage of the intervals. Default is 0.95.

        Returns
        -------
        frame: pandas.DataFrame
            The columns of the conditions and `output`, then `effect` (mean over models,
            each counting alike), `se`, `low`, `high`, `df` (degrees of freedom of the
            interval), `between_sd` (standard deviation of the models' global
            importances), `n_models`, `n` backgrounds and, if these are in clusters,
            `n_clusters`. With one model, se and interval are NaN: how models differ is
            unknown; with one cluster, too.

        Raises
        ------
        ValueError
            If `confidence` is not between 0 and 1, the models were asked on different
            numbers of backgrounds or on other clusters, or these are backgrounds, which
            are chosen and no sample of others.

        Examples
        --------
        >>> import torch
        >>> y = torch.zeros(2, 1)
        >>> site = pd.DataFrame({"n_sites": [1]})
        >>> results = {
        ...     name: GIAResult(y, torch.full((2, 1, 1), effect), site)
        ...     for name, effect in {"a": 1.0, "b": 2.0, "c": 3.0}.items()
        ... }
        >>> summary = Comparison(results, "model").summary()
        >>> summary[["effect", "se", "between_sd"]].round(3).values.tolist()
        [[2.0, 0.577, 1.0]]

        Notes
        -----
        The variance of the effect is that of the models' global importances over the
        number of models, plus what all models share because they saw the same
        backgrounds: the mean covariance of their global importances over backgrounds,
        or over clusters of them (a layout of models crossed with backgrounds, both
        random). For results without local importances the models' mean squared standard
        error is its upper bound. Intervals are t intervals with n_models - 1 degrees of
        freedom, or those of the clusters if these are fewer, so that few replicates or
        templates give wide ones. They cover as asked where the models make up
        most of the variance, and are too wide, not too narrow, where the backgrounds do
        (simulated 95 % intervals of three models hold the mean in 95 % and 100 % of
        cases). Satterthwaite's degrees of freedom would be narrower there, but fall to
        90 % for two models and 93 % for three, in between.
        """
        if self.across != "model":
            raise ValueError(
                "`summary` takes models as a sample of those that could have been "
                "trained; backgrounds are chosen: use `spread`."
            )
        frames = comparable_frames(self.results, "model", confidence)
        first = next(iter(frames.values()))
        effects = np.stack([frame["effect"].to_numpy() for frame in frames.values()])
        n_models = len(effects)
        _check_same_numbers(frames)
        between = np.full(effects.shape[1], np.nan)
        half_width = se = between
        df = float("nan")
        if n_models > 1:
            between = effects.std(axis=0, ddof=1)
            codes = same_clusters(self.results, int(first["n"].iloc[0]))
            shared, df = shared_variance(self.results, frames, codes)
            se = np.sqrt(between**2 / n_models + shared)
            df = min(df, n_models - 1)
            half_width = scipy.stats.t.ppf((1 + confidence) / 2, df) * se
        mean = effects.mean(axis=0)
        table: pd.DataFrame = _keys(first).assign(
            effect=mean,
            se=se,
            low=mean - half_width,
            high=mean + half_width,
            df=df,
            between_sd=between,
            n_models=n_models,
            n=first["n"],
        )
        if "n_clusters" in first:
            table["n_clusters"] = first["n_clusters"]
        return table


def _keys(frame: pd.DataFrame) -> pd.DataFrame:
    """The columns that say what was measured.

    Not `starts`: they follow from the others, or were drawn for each background.
    """
    dropped = [*frame.columns.intersection([*_MEASURED, "starts"])]
    keys: pd.DataFrame = frame.drop(columns=dropped)
    return keys


@one_warning
def comparable_frames(
    results: Mapping[str, Any], axis: str, confidence: float = 0.95
) -> dict[str, pd.DataFrame]:
    """The table of each result, all with the same conditions in the same rows.

    A column of the conditions with the name of the `axis` gets a prefix.

    Raises
    ------
    ValueError
        If the conditions differ.
    """
    frames = {name: result.to_frame(confidence) for name, result in results.items()}
    first, *others = frames
    for name in others:
        if not _keys(frames[name]).equals(_keys(frames[first])):
            raise ValueError(
                f"the conditions under {axis} {name!r} differ from those under "
                f"{first!r}; an experiment can only be compared with itself. Choose "
                "conditions (and a `random_state`) that do not depend on the "
                f"{axis}."
            )
    taken = {axis: f"condition_{axis}"}
    return {name: frame.rename(columns=taken) for name, frame in frames.items()}


def _check_same_numbers(frames: Mapping[str, pd.DataFrame]) -> None:
    numbers = {name: set(frame["n"]) for name, frame in frames.items()}
    if len(set().union(*numbers.values())) > 1:
        raise ValueError(
            f"`results` are of different numbers of backgrounds, {numbers}; all models "
            "must be asked on the same ones."
        )


def _correlation(x: Values, y: Values) -> float:
    if len(x) < _FEWEST_TO_CORRELATE or np.ptp(x) == 0 or np.ptp(y) == 0:
        return float("nan")
    return float(np.corrcoef(x, y)[0, 1])


def same_clusters(results: Mapping[str, Any], n: int) -> Codes | None:
    """The cluster of each background, if all models were asked on the same ones."""
    labels = [getattr(result, "clusters", None) for result in results.values()]
    known = [as_codes(as_labels(each, n)) for each in labels if each is not None]
    if known and len(known) < len(labels):
        raise ValueError(
            f"`results` have clusters for {len(known)} of {len(labels)} models; all "
            "must be asked on the same backgrounds."
        )
    if any(not np.array_equal(each, known[0]) for each in known):
        raise ValueError(
            "`results` are of backgrounds in other clusters; all models must be asked "
            "on the same ones."
        )
    return known[0] if known else None


def shared_variance(
    results: Mapping[str, Any],
    frames: Mapping[str, pd.DataFrame],
    codes: Codes | None,
) -> tuple[Values, float]:
    """Variance of the effects that is the same for all models, one number per row.

    And the degrees of freedom of the backgrounds, or clusters, that it comes from.
    """
    n = int(next(iter(frames.values()))["n"].iloc[0])
    df = n - 1.0 if codes is None else degrees_of_freedom(np.bincount(codes))
    if not all(isinstance(result, GIAResult) for result in results.values()):
        errors = np.stack([frame["se"].to_numpy() for frame in frames.values()])
        return np.asarray((errors**2).mean(axis=0), dtype=np.float64), df
    local = np.stack([_rows_of_frame(result) for result in results.values()])
    total = summarise(local.sum(axis=0), codes).se ** 2
    own = sum(summarise(each, codes).se ** 2 for each in local)
    covariance = (total - own) / (len(local) * (len(local) - 1))
    return np.maximum(covariance, 0), df


def _rows_of_frame(result: GIAResult) -> Values:
    """Local importances, shape=(n, n_rows), in the row order of `to_frame`."""
    return as_columns(result.local_importance, 2).flatten(start_dim=1).numpy()
