"""What a survey of pairs of motifs found, and what of it stood on other backgrounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._core.agreement import one_warning
from .._core.cards import counted, shortened, whole_table
from .._core.clusters import Values
from .._core.motif import Motif
from .._core.patterns import Pattern
from .._core.results import GIAResult
from .._core.shown import Shown
from .confirmed_pairs import placed_pair
from .intervals import confidence_interval
from .order_and_strand import dependence_table
from .spacing_rules import Confirmed, Evidence, confirm, profile_table

_WHERE = ["a", "b", "order", "orientation", "arrangement"]
_LOG = ("log_effect", "log_se", "log_low", "log_high")
_N_SHOWN = 3


class _Fields(NamedTuple):
    pairs: pd.DataFrame
    profiles: pd.DataFrame
    interactions: GIAResult
    log_interactions: GIAResult | None
    tests: pd.DataFrame
    found: pd.DataFrame
    triples: pd.DataFrame
    motifs: Mapping[str, Motif]
    n_asked: int


class Grammar(Shown, _Fields):
    """Which pairs of motifs does a model read together, at which spacing and strands?

    From `motif_grammar`. Everything but `found` was measured on the confirming half of
    the backgrounds, of questions that the other half had chosen.

    Parameters
    ----------
    pairs: pandas.DataFrame
        A row for each pair `a`, `b`: its `class` ("none" if nothing was confirmed, else
        that of the profile in the next columns); the `arrangement` and `spacing`
        (missing: the mean over spacings) that stood out most on the finding half, with
        `effect`, `se`, `low`, `high` on the confirming one; `p` and `q` of the pair;
        `order_q` and `strand_q` (does the order, do the strands matter?), `depends_on`
        in words; `period` in bases where the class is helical; `n`.

    profiles: pandas.DataFrame
        A row for each pair that was asked about, order and orientation: `class`,
        `effect` (mean over spacings) with `se`, `low`, `high`, `n`, `n_confirmed`
        spacings, `peak` (those that reach half of the highest, on the finding half),
        `hard_q`, `helical_q`, `decay_q`, `period` and `phase` (bases),
        `half_distance` (bases over which a soft interaction falls to a half).

    interactions: GIAResult
        AB - A - B + 0 on each background, added to its output: `local_importance` is
        the interaction. Conditions have `a`, `b`, `order`, `orientation`,
        `arrangement` and `spacing`, which is missing in the mean over spacings.

    log_interactions: GIAResult or None
        The same of the logarithms, if all outputs are positive.

    tests: pandas.DataFrame
        For each condition `p`, `q`, `significant` and `class`; NaN if not asked.

    found: pandas.DataFrame
        Every question on the finding half, its biased `effect`, `se`, `p`, `n` and
        whether it was `asked` of the other.

    triples: pandas.DataFrame
        Third-order interactions, where asked for.

    motifs: dict of str to Motif
        What was placed.

    n_asked: int
        How many predictions were made.
    """

    def _lines(self) -> list[str]:
        n, n_confirmed = len(self.interactions.y_before), len(self.confirmed)
        held = counted(len(self.pairs), "pair")
        motifs = counted(len(self.motifs), "motif")
        return [
            f"{type(self).__name__}: {held} of {motifs}, {n_confirmed:,} confirmed "
            f"on {counted(n, 'background')}",
            shortened(f"motifs: {', '.join(self.motifs)}"),
        ]

    def _strongest(self) -> list[str]:
        lines = []
        for row in self.confirmed.head(_N_SHOWN).to_dict("records"):
            at = "the mean" if pd.isna(row["spacing"]) else f"spacing {row['spacing']}"
            lines.append(
                f"  {row['effect']:.3g} [{row['low']:.3g}, {row['high']:.3g}] "
                f"{row['class']}, {row['arrangement']} at {at}"
            )
        head = ["interactions of pairs, 95 % intervals:"] if lines else []
        return [*head, *map(str.rstrip, lines)]

    def _table(self) -> str | None:
        return whole_table(self, self.interactions)

    @property
    def confirmed(self) -> pd.DataFrame:
        """The rows of `pairs` that stand, the largest interaction first."""
        stands = self.pairs[self.pairs["significant"].astype(bool)]
        order = stands["effect"].abs().sort_values(ascending=False, kind="stable")
        rows: pd.DataFrame = stands.loc[order.index]
        return rows

    def patterns(self, row: int = 0, start: int = 0) -> tuple[Pattern, Pattern]:
        """Which patterns are a row of `confirmed`, the left one from `start` on?

        For further questions, such as `latent_interaction(model, X, *these)`; see
        `confirmed_pairs.placed_pair`.
        """
        if not 0 <= row < len(self.confirmed):
            n = len(self.confirmed)
            raise ValueError(f"`row`={row} is none of the {n} confirmed pairs.")
        pair = self.confirmed.to_dict("records")[row]
        return placed_pair(pair, self.profiles, self.found, self.motifs, start)

    @one_warning
    def to_frame(self, confidence: float = 0.95) -> pd.DataFrame:
        """Which placement of which pair does what, how surely? A row each.

        Parameters
        ----------
        confidence: float, optional
            Coverage of the intervals. Default is 0.95.

        Returns
        -------
        frame: pandas.DataFrame
            The conditions of `interactions`, `effect`, `se`, `low`, `high`, `n`, the
            columns of `tests` and, if outputs are positive, `log_effect`, `log_se`,
            `log_low` and `log_high`.
        """
        if not len(self.interactions.conditions):
            columns = [*_WHERE, "spacing", "effect", "se", "low", "high", "n"]
            empty: pd.DataFrame = pd.DataFrame(columns=[*columns, *self.tests.columns])
            return empty
        frame: pd.DataFrame = self.interactions.to_frame(confidence)
        frame = pd.concat([frame.drop(columns="output"), self.tests], axis=1)
        if self.log_interactions is not None:
            log = self.log_interactions.to_frame(confidence)
            for name in _LOG:
                frame[name] = log[name.removeprefix("log_")]
        return frame


class Halves(NamedTuple):
    """What `judge` makes a `Grammar` of.

    Parameters
    ----------
    arrangements: pandas.DataFrame
        Columns `pair` (number), `a`, `b`, `order`, `orientation`, `arrangement`; a row
        for each profile.

    spacings: list of int
        Bases between motifs.

    effect, se, p: numpy.ndarray, shape=(n_profiles, n_spacings + 1)
        Of the finding half; the last column is the mean over spacings.

    n: numpy.ndarray of int, shape=(n_profiles,)
        Backgrounds that found.

    asked: numpy.ndarray of bool, shape=(n_profiles, n_spacings + 1)
        What was asked of the other half.
    """

    arrangements: pd.DataFrame
    spacings: list[int]
    effect: Values
    se: Values
    p: Values
    n: NDArray[np.int64]
    asked: NDArray[np.bool_]

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Which profiles were measured on the confirming half: those of asked pairs."""
        pair = self.arrangements["pair"].to_numpy()
        is_asked: NDArray[np.bool_] = np.asarray(self.asked.any(axis=1))
        return np.isin(pair, pair[is_asked])

    def to_frame(self) -> pd.DataFrame:
        """A row for each question."""
        table: pd.DataFrame = tabulated(self.arrangements, self.spacings)
        columns = {"effect": self.effect, "se": self.se, "p": self.p}
        for name, values in columns.items():
            table[name] = values.ravel()
        table["n"] = np.repeat(self.n, len(self.spacings) + 1)
        table["asked"] = self.asked.ravel()
        return table


def tabulated(arrangements: pd.DataFrame, spacings: list[int]) -> pd.DataFrame:
    """A row for each profile and spacing, and its mean over spacings."""
    number = np.repeat(np.arange(len(arrangements)), len(spacings) + 1)
    table: pd.DataFrame = arrangements[_WHERE].iloc[number].reset_index(drop=True)
    table["spacing"] = pd.array([*spacings, None] * len(arrangements), dtype="Int64")
    return table


def judge(
    halves: Halves,
    interactions: GIAResult,
    log_interactions: GIAResult | None,
    *,
    alpha: float,
    seed: int,
) -> Grammar:
    """Verdicts on what was found, from the confirming half.

    Parameters
    ----------
    halves: Halves
        What was found.

    interactions, log_interactions: GIAResult
        Of the profiles that were kept, on the confirming half.

    alpha: float
        False discovery rate.

    seed: int
        Of permutations.

    Returns
    -------
    grammar: Grammar
        Without triples and motifs.
    """
    evidence = _evidence(halves, interactions)
    kept = halves.arrangements[halves.kept].reset_index(drop=True)
    confirmed = confirm(evidence, alpha)
    profiles = kept.drop(columns="pair")
    if len(kept):
        shapes = profile_table(evidence, confirmed, alpha, seed)
        profiles = profiles.join(shapes)
    tests = pd.DataFrame(
        {
            "p": confirmed.p.ravel(),
            "q": confirmed.q.ravel(),
            "significant": confirmed.significant.ravel(),
        }
    )
    kinds = profiles.get("class", pd.Series(dtype=object)).to_numpy()
    tests["class"] = np.repeat(kinds, len(halves.spacings) + 1)
    if log_interactions is not None and len(kept):
        log = evidence._replace(
            local=_local(log_interactions, len(kept), len(halves.spacings))
        )
        tests["log_p"], tests["log_q"] = (
            each.ravel() for each in confirm(log, alpha)[:2]
        )
    pairs = _pair_table(halves, evidence, confirmed, profiles, alpha)
    found = halves.to_frame()
    return Grammar(
        pairs,
        profiles,
        interactions,
        log_interactions,
        tests,
        found,
        pd.DataFrame(),
        {},
        0,
    )


def _local(result: GIAResult, n_profiles: int, n_spacings: int) -> Values:
    values: Values = result.local_importance.numpy()  # type: ignore[union-attr]
    return values.reshape(len(values), n_profiles, n_spacings + 1)


def _evidence(halves: Halves, interactions: GIAResult) -> Evidence:
    kept = halves.kept
    return Evidence(
        halves.spacings,
        halves.effect[kept],
        halves.se[kept],
        halves.asked[kept],
        _local(interactions, int(kept.sum()), len(halves.spacings)),
        interactions.clusters,
        halves.arrangements["pair"].to_numpy()[kept],
    )


def _pair_table(
    halves: Halves,
    evidence: Evidence,
    confirmed: Confirmed,
    profiles: pd.DataFrame,
    alpha: float,
) -> pd.DataFrame:
    table = halves.arrangements[["pair", "a", "b"]].drop_duplicates("pair")
    rows = []
    for pair in table["pair"]:
        row: dict[str, object] = {"class": "none", "significant": False}
        q = confirmed.pair_q.get(pair, np.nan)
        row |= {"p": confirmed.pair_p.get(pair, np.nan), "q": q}
        members = np.flatnonzero(evidence.pair == pair)
        if len(members):
            row |= _strongest(evidence, confirmed, profiles, members)
        rows.append(row)
    pairs = table.reset_index(drop=True).join(pd.DataFrame(rows, columns=_PAIR))
    pairs["spacing"] = pairs["spacing"].astype("Int64")
    stands = pairs["significant"].astype(bool)
    written = list(zip(profiles["order"], profiles["orientation"], strict=True))
    dependence = dependence_table(evidence, written, pairs["pair"][stands].tolist())
    dependence.index = pairs.index[stands]
    pairs = pairs.join(dependence)
    pairs["depends_on"] = [
        " and ".join(
            name for name, q in (("order", order), ("strands", strand)) if q < alpha
        )
        for order, strand in zip(pairs["order_q"], pairs["strand_q"], strict=True)
    ]
    whole: pd.DataFrame = pairs.drop(columns="pair")
    return whole


_PAIR = [
    "class",
    "arrangement",
    "spacing",
    "effect",
    "se",
    "low",
    "high",
    "p",
    "q",
    "significant",
    "period",
    "n",
]


def _strongest(
    evidence: Evidence,
    confirmed: Confirmed,
    profiles: pd.DataFrame,
    members: NDArray[np.int64],
) -> dict[str, object]:
    """The placement that stood out most where it was found, as confirmed."""
    stands = confirmed.significant[members]
    row, column = _foremost(evidence, members, evidence.asked[members])
    if stands.any() and not stands[row].any():
        row, column = _foremost(evidence, members, stands)
    i = int(members[row])
    interval = confidence_interval(
        evidence.local[:, i, column], clusters=evidence.codes
    )
    is_mean = column == len(evidence.spacings)
    return {
        "class": profiles["class"][i] if stands.any() else "none",
        "significant": bool(stands.any()),
        "arrangement": profiles["arrangement"][i],
        "spacing": pd.NA if is_mean else evidence.spacings[column],
        "effect": float(interval.effect),
        "se": float(interval.se),
        "low": float(interval.low),
        "high": float(interval.high),
        "period": profiles["period"][i] if stands.any() else np.nan,
        "n": interval.n,
    }


def _foremost(
    evidence: Evidence, members: NDArray[np.int64], chosen: NDArray[np.bool_]
) -> tuple[int, int]:
    """Which of the chosen questions was largest next to its error when found."""
    size = np.abs(evidence.found[members])
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.nan_to_num(size / evidence.found_se[members], nan=0.0, posinf=np.inf)
    # Where nothing varies the largest effect stands out most.
    best = np.lexsort((size.ravel(), np.where(chosen, t, -1.0).ravel()))[-1]
    row, column = np.unravel_index(int(best), t.shape)
    return int(row), int(column)
