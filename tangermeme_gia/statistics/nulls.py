"""How large is an effect beside those of other words at the same place?"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import scipy
import torch
from numpy.typing import NDArray

from .._core.cards import counted, shortened, whole_table
from .._core.finite import check_effects
from .._core.outputs import Label, as_columns, as_heads, find_output
from .._core.results import GIAResult
from .._core.shown import Shown
from .inputs import check_fraction

Values = NDArray[np.float64]
Arm = Literal["random", "shuffled"]
_NOUNS = {"random": "random word", "shuffled": "shuffle"}
_OF_CONTROLS = ["control", "control_letters"]
# Of the largest output, what effects of words that do the same may differ by.
_ROUNDING = 1e-6


class Standing(NamedTuple):
    """Where an effect stands among those of words.

    `percentile` is the share of words (in per cent) below it, of which those with the
    same effect count half; `low` and `high` are its exact interval over words (Clopper
    and Pearson), from all of these being above to all being below, and, where that is
    given, over the interval of the effect. `n_below` and `n_equal` are of `n_words`,
    and `reads` says it in words.
    """

    percentile: float
    low: float
    high: float
    n_below: int
    n_equal: int
    n_words: int
    reads: str


class _Fields(NamedTuple):
    motifs: GIAResult
    words: pd.DataFrame
    effects: torch.Tensor
    rounding: torch.Tensor


class EffectNull(Shown, _Fields):
    """Effects of random words, and of shuffles, each in the place of a motif.

    From `statistics.effect_null`. It keeps means over backgrounds only.

    Parameters
    ----------
    motifs: GIAResult
        What the motifs do, without controls.

    words: pandas.DataFrame, n_words rows
        `condition` (a row of `motifs`), `arm` ("random" or "shuffled"), `letters` and
        `is_motif`: shuffles of one letter are the motif itself, and left out.

    effects: torch.Tensor, shape=(n_words, n_outputs), dtype=float64
        The effect of each word on each output.

    rounding: torch.Tensor, shape=(n_outputs,), dtype=float64
        Effects that differ by no more are equal.
    """

    def _lines(self) -> list[str]:
        n_words, n = len(self.words), len(as_heads(self.motifs.y_before)[0])
        head = (
            f"{type(self).__name__}: {counted(n_words, 'word')} in the place of "
            f"{counted(len(self.motifs.conditions), 'condition')}, on "
            f"{counted(n, 'background')}"
        )
        return [shortened(head)]

    def _strongest(self) -> list[str]:
        if len(self.motifs.outputs) != 1 or len(self.motifs.conditions) != 1:
            return []
        frame = self.to_frame()
        return [f"effect {row.effect:.3g}: {row.reads}" for row in frame.itertuples()]

    def _table(self) -> str | None:
        return whole_table(self, self.motifs)

    def of(self, arm: Arm, condition: int = 0, output: Label | None = None) -> Values:
        """The effects of the words of one arm that are not the motif itself.

        Parameters
        ----------
        arm: {"random", "shuffled"}
            Random letters, or the motif's own in another order.

        condition: int, optional
            Which row of `motifs`. Default is 0.

        output: int, tuple of int or None, optional
            Which output, as for `GIAResult.output`. Default is None, the only one.

        Returns
        -------
        effects: numpy.ndarray, shape=(n_words,)

        Raises
        ------
        ValueError
            If there is no such arm, condition or output.
        """
        column = find_output(self.motifs.outputs, output)
        effects: Values = self.effects[self._rows(arm, condition), column].numpy()
        return effects

    def place(
        self,
        effect: float,
        arm: Arm = "random",
        condition: int = 0,
        output: Label | None = None,
        *,
        interval: tuple[float, float] | None = None,
        confidence: float = 0.95,
    ) -> Standing:
        """Where does an effect stand among those of words?

        Parameters
        ----------
        effect: float
            Of a motif of this length, at this place of these backgrounds and on this
            output, or nothing that is comparable.

        arm, condition, output
            As for `of`. Shuffles are of the letters of one motif.

        interval: tuple of float or None, optional
            The ends of the effect's own interval over backgrounds; that of the
            percentile then reaches from where the lower one stands to where the higher
            one does. None takes the effect as exact. Default is None.

        confidence: float, optional
            Coverage of the interval. Default is 0.95.

        Returns
        -------
        standing: Standing
            NaN for no word.

        Raises
        ------
        ValueError
            As `of`, or if `effect` is no number.
        """
        check_fraction("confidence", confidence)
        if not np.isfinite(effect):
            raise ValueError(f"`effect`={effect} must be finite.")
        tie = float(self.rounding[find_output(self.motifs.outputs, output)])
        words = self.of(arm, condition, output)
        first, last = (effect, effect) if interval is None else interval
        below = int((words < effect - tie).sum())
        equal = int((np.abs(words - effect) <= tie).sum())
        n = len(words)
        low = _bounds(int((words < first - tie).sum()), n, confidence)[0]
        high = _bounds(int((words <= last + tie).sum()), n, confidence)[1]
        known = n > 0 and np.isfinite([first, last]).all()
        return Standing(
            100 * (below + equal / 2) / n if n else np.nan,
            low if known else np.nan,
            high if known else np.nan,
            below,
            equal,
            n,
            _reads(effect, below, equal, n, _NOUNS[arm]),
        )

    def to_frame(self, confidence: float = 0.95) -> pd.DataFrame:
        """Is each effect large, beside those of words? A row each, for each arm.

        Parameters
        ----------
        confidence: float, optional
            Coverage of both intervals. Default is 0.95.

        Returns
        -------
        frame: pandas.DataFrame
            The table of `motifs`, then `arm`, `percentile` with `percentile_low` and
            `percentile_high`, over words and backgrounds, `n_below`, `n_equal` and
            `n_words` (see `Standing`), `n_distinct` words that differ, `n_left_out`,
            those that are the motif itself, and `reads`, the same in words.
        """
        effects, labels = self.motifs.to_frame(confidence), self.motifs.outputs
        rows: list[dict[str, Any]] = []
        for i, row in enumerate(effects.to_dict("records")):
            condition, column = divmod(i, len(labels))
            ends = row["low"], row["high"]
            for arm in self._arms:
                where = arm, condition, labels[column]
                standing = self.place(
                    row["effect"], *where, interval=ends, confidence=confidence
                )
                told = self.words[self._of_arm(arm, condition)]
                rows.append(_as_row(arm, standing, told))
        repeated = np.repeat(np.arange(len(effects)), len(self._arms))
        whole: pd.DataFrame = pd.concat(
            [effects.iloc[repeated].reset_index(drop=True), pd.DataFrame(rows)], axis=1
        )
        return whole

    @property
    def _arms(self) -> list[Arm]:
        return [arm for arm in _NOUNS if (self.words["arm"] == arm).any()]  # type: ignore[misc]

    def _of_arm(self, arm: str, condition: int) -> NDArray[np.bool_]:
        n = len(self.motifs.conditions)
        if not 0 <= condition < n:
            raise ValueError(
                f"`condition`={condition} is none of the {n} rows of `motifs`."
            )
        if arm not in self._arms:
            raise ValueError(f"`arm`={arm!r} must be one of {self._arms}.")
        is_there = (self.words["arm"] == arm) & (self.words["condition"] == condition)
        return np.asarray(is_there)

    def _rows(self, arm: str, condition: int) -> NDArray[np.bool_]:
        is_other = ~self.words["is_motif"].to_numpy(bool)
        rows: NDArray[np.bool_] = self._of_arm(arm, condition) & is_other
        return rows


def effect_null(result: GIAResult) -> EffectNull:
    """Is an effect large, beside what other words do in the same place?

    Each effect is compared with those of its own controls: random words of the motif's
    length and permutations of its letters, on the same backgrounds, at the same place
    and in the same arrangement. So several sites, hairpins and spacings have a null of
    their own kind each. Contrasts, such as an interaction, and ratios have none: they
    are no effect of a condition.

    Parameters
    ----------
    result: GIAResult
        Of any experiment with `n_controls`, such as 500: a hundred tell the percentile
        to about ten points, 500 to about four.

    Returns
    -------
    null: EffectNull
        `to_frame` has a percentile for each effect, `place` that of any other one. It
        is no p-value of the effect: 0 may be a high percentile, and an effect that is
        surely there an average one. It is of this length, place, output, model and
        these backgrounds. Its interval is over words and backgrounds. A PPM is an
        average over words, whose effects spread less than those of single ones: its
        shuffles are its like, random words are not (or place its `consensus`).

    Raises
    ------
    TypeError, ValueError
        If `result` is no GIAResult, has no controls, or an effect is NaN or infinite.

    Examples
    --------
    >>> from tangermeme_gia import global_importance
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> result = global_importance(model, X, [("GATTA", 8)], n_controls=100)
    >>> effect_null(result).to_frame()[["arm", "n_words"]].values.tolist()
    [['random', 100], ['shuffled', 100]]
    """
    own, groups = _check(result)
    mean = [as_columns(y) for y in as_heads(result.global_importance)]
    effects = torch.cat(mean, dim=1)
    check_effects(effects.numpy(), "conditions", lambda i: f"that of row {i}")
    table = result.conditions
    is_word = ~own
    place = {group: i for i, group in enumerate(groups[own])}
    words = pd.DataFrame(
        {
            "condition": [place[group] for group in groups[is_word]],
            "arm": table["control"][is_word].str.split(" ").str[0].to_numpy(),
            "letters": table["control_letters"][is_word].to_numpy(),
        }
    )
    values = effects.numpy()
    same = (values[is_word] == values[own][words["condition"]]).all(axis=1)
    words["is_motif"] = same & [_is_of_one_letter(x) for x in words["letters"]]
    motifs = result.select(own)
    kept = motifs.conditions.drop(columns=_OF_CONTROLS)
    largest = [as_columns(y, 1).abs().amax(dim=0) for y in as_heads(result.y_before)]
    return EffectNull(
        motifs._replace(conditions=kept),
        words,
        effects[is_word],
        _ROUNDING * torch.maximum(torch.cat(largest), effects.abs().amax(dim=0)),
    )


def _as_row(arm: Arm, standing: Standing, words: pd.DataFrame) -> dict[str, Any]:
    """A row of the table; `words` are those of the arm, the motif itself, too."""
    is_motif = words["is_motif"].to_numpy(bool)
    return {
        "arm": arm,
        "percentile": standing.percentile,
        "percentile_low": standing.low,
        "percentile_high": standing.high,
        "n_below": standing.n_below,
        "n_equal": standing.n_equal,
        "n_words": standing.n_words,
        "n_distinct": words["letters"][~is_motif].nunique(),
        "n_left_out": int(is_motif.sum()),
        "reads": standing.reads,
    }


def _bounds(count: int, n: int, confidence: float) -> tuple[float, float]:
    """The exact interval of a share, in per cent; NaN of none."""
    if n == 0:
        return np.nan, np.nan
    ends = scipy.stats.binomtest(count, n).proportion_ci(confidence, method="exact")
    return 100 * float(ends.low), 100 * float(ends.high)


def _check(result: GIAResult) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Which conditions are no controls, and for each which of these it belongs to."""
    if not isinstance(result, GIAResult):
        raise TypeError(
            f"`result` is a {type(result).__name__}; it must be a GIAResult, of an "
            "experiment with `n_controls`."
        )
    table = result.conditions
    if not {*_OF_CONTROLS} <= {*table}:
        raise ValueError(
            "`result` has no controls to compare its effects with; run the experiment "
            "with `n_controls`, such as 500."
        )
    own: NDArray[np.bool_] = np.array(table["control"] == "none")
    text = table.astype(str)
    copy = text.groupby(list(text.columns), sort=False).cumcount()
    keys = text.drop(columns=_OF_CONTROLS).assign(_copy=copy)
    numbers = keys.groupby(list(keys.columns), sort=False).ngroup()
    groups: NDArray[np.int64] = np.array(numbers, dtype=np.int64)
    missing = {*groups[~own]} ^ {*groups[own]}
    if missing or not len(groups):
        row = int(np.isin(groups, [*missing]).argmax())
        raise ValueError(
            f"`result` has a condition without its controls, or controls without it, "
            f"such as row {row}; give the whole result."
        )
    return own, groups


def _is_of_one_letter(letters: str) -> bool:
    """Whether every motif of a condition is, so that shuffles are the motif itself."""
    return all(len({*part} - {"N"}) <= 1 for part in letters.split(" + "))


def _reads(effect: float, below: int, equal: int, n: int, noun: str) -> str:
    """In words, from the side on which the effect is."""
    if n == 0:
        return f"no {noun} is another word"
    nouns = f"{noun}{'' if n == 1 else 's'}"
    side, beyond = "above", below
    if effect < 0:
        side, beyond = "below", n - below - equal
    if beyond == n:
        return f"{side} all {n:,} {nouns}"
    like = f", like {equal:,}" if equal else ""
    return f"{side} {beyond:,} of {n:,} {nouns}{like}"
