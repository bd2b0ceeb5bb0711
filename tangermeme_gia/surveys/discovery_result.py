"""What motif discovery found, and what became of each hypothesis."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from .._core.agreement import one_warning
from .._core.cards import counted, shortened, whole_table
from .._core.motif import Motif
from .._core.results import GIAResult
from .._core.shown import Shown
from ..statistics.inputs import check_fraction
from ..statistics.selection import benjamini_hochberg
from ..statistics.significance import paired_t_test, sign_flip_test
from .motif_scan_result import MotifScan

Values = NDArray[np.float64]

_MEASURED = ("effect", "low", "high")
_N_SHOWN = 3
_SIGNS = {"pos_patterns": 1, "neg_patterns": -1}


@dataclass(frozen=True, repr=False)
class MotifDiscovery(Shown):
    """Which patterns does the model read: hypotheses, and what testing them gave.

    Parameters
    ----------
    motifs: mapping of str to Motif
        The patterns, named as in results of TF-MoDISco: "pos_patterns.pattern_0" is the
        one with the most seqlets of those that raise the output, "neg_patterns..."
        lower it.

    cwms: mapping of str to torch.Tensor, shape=(4, length)
        Mean contribution of each letter; empty if patterns were given.

    seqlets: pandas.DataFrame
        Where each was found: `pattern`, `example_idx` (in X), `start`, `end`, `strand`.

    instances: pandas.DataFrame
        Where each stands in sequences that discovery has not seen: these columns,
        `score`, `p_value`, and whether it was `removed`.

    placed: MotifScan or None
        The effects of placing each; None if there is none.

    removed: GIAResult or None
        The effects of removing those of `instances` that were, one row each; sequences
        (or the labels given as `clusters`) are its clusters. None if there is none.

    names: pandas.DataFrame
        `pattern`, the most similar known motif as `name`, and its `name_q`; empty if
        none were given.
    """

    motifs: Mapping[str, Motif]
    cwms: Mapping[str, torch.Tensor]
    seqlets: pd.DataFrame
    instances: pd.DataFrame
    placed: MotifScan | None
    removed: GIAResult | None
    names: pd.DataFrame

    def _lines(self) -> list[str]:
        held = f"{type(self).__name__}: {counted(len(self.motifs), 'pattern')} of"
        return [
            f"{held} {counted(len(self.seqlets), 'seqlet')}, "
            f"{counted(len(self.instances), 'instance')} held out",
            shortened(f"patterns: {', '.join(self.motifs)}"),
        ]

    def _strongest(self) -> list[str]:
        table = self.to_frame()
        return [
            shortened(f"  {pattern} {consensus}: {verdict}")
            for pattern, consensus, verdict in table[
                ["pattern", "consensus", "verdict"]
            ].itertuples(index=False)
        ][:_N_SHOWN]

    def _table(self) -> str | None:
        return whole_table(self)

    def _parts(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return {field.name: getattr(self, field.name) for field in fields(self)}, {}

    @one_warning
    def to_frame(self, confidence: float = 0.95, alpha: float = 0.05) -> pd.DataFrame:
        """Is each pattern sufficient, and is it necessary?

        *Sufficient*: placed in a background, it changes the output more than its own
        letters in another order, with q below `alpha`, in the direction of its
        contributions. *Necessary*: where it stands, its letters in another order change
        the output the other way, with q below `alpha`. Of given motifs, whose direction
        is not known, placing may change the output either way, and removing too where
        placing does not.

        Parameters
        ----------
        confidence: float, optional
            Coverage of the t intervals. Default is 0.95.

        alpha: float, optional
            Share of the claims, of either kind, that may be false. Default is 0.05.

        Returns
        -------
        frame: pandas.DataFrame
            A row for each pattern: `pattern`, `consensus`, `sign` (1, -1, or 0 where it
            is not known), `n_seqlets`, `n_instances` (all that were found in the
            sequences held out), `n_removed`; `name` and `name_q`, if known motifs were
            given; `placed_effect`, `placed_low`, `placed_high` and `placed_q`, and the
            same with `removed_`; `verdict`. q are by Benjamini and Hochberg over all
            tests of both kinds: t, and of removing the larger p of t and sign flips, by
            which fewer than six sequences are never sure. Effects, p and q are NaN
            where nothing could be tested: of a pattern of one letter, or one that fewer
            than two sequences (or clusters) hold.

        Raises
        ------
        ValueError
            If an option is not between 0 and 1.
        """
        check_fraction("confidence", confidence)
        check_fraction("alpha", alpha)
        frame = self._described()
        placed, placed_p = self._placed(confidence)
        removed, removed_p = self._removed(confidence)
        p = np.stack([placed_p, removed_p])
        q, known = np.full_like(p, np.nan), np.isfinite(p)
        if known.any():
            q[known] = benjamini_hochberg(p[known], alpha).p_adjusted
        for name, values, own in (("placed", placed, q[0]), ("removed", removed, q[1])):
            for column, measured in zip(_MEASURED, values.T, strict=True):
                frame[f"{name}_{column}"] = measured
            frame[f"{name}_q"] = own
        rows = zip(frame["sign"], placed[:, 0], q[0], removed[:, 0], q[1], strict=True)
        frame["verdict"] = np.array([_verdict(*row, alpha) for row in rows], object)
        return frame

    def _described(self) -> pd.DataFrame:
        """What each pattern is and how often it was seen."""
        patterns = list(self.motifs)
        seen = {
            "n_seqlets": self.seqlets["pattern"],
            "n_instances": self.instances["pattern"],
            "n_removed": self.instances["pattern"][self.instances["removed"]],
        }
        consensus = [motif.consensus().letters for motif in self.motifs.values()]
        frame: pd.DataFrame = pd.DataFrame(
            {
                "pattern": np.array(patterns, dtype=object),
                "consensus": np.array(consensus, dtype=object),
                "sign": np.array([sign_of(name) for name in patterns], dtype=int),
            }
        )
        for column, column_of in seen.items():
            counts = column_of.value_counts()
            frame[column] = counts.reindex(patterns, fill_value=0).to_numpy(int)
        if len(self.names):
            frame = frame.merge(self.names, on="pattern", how="left")
        return frame

    def _placed(self, confidence: float) -> tuple[Values, Values]:
        """Effects with intervals, shape=(n, 3), and p."""
        if self.placed is None:
            return np.empty((0, 3)), np.empty(0)
        frame = self.placed.to_frame(confidence)
        names = ["difference", "difference_low", "difference_high"]
        return frame[names].to_numpy(float), frame["p"].to_numpy(float)

    def _removed(self, confidence: float) -> tuple[Values, Values]:
        """The same of removing."""
        n = len(self.motifs)
        values, p = np.full((n, len(_MEASURED)), np.nan), np.full(n, np.nan)
        if self.removed is None:
            return values, p
        of_rows = self.instances["pattern"][self.instances["removed"]].to_numpy()
        for i, (name, motif) in enumerate(self.motifs.items()):
            rows = np.flatnonzero(of_rows == name)
            if not len(rows) or is_of_one_letter(motif):
                continue
            result = self.removed.select(rows=rows)
            if len(np.unique(np.asarray(result.clusters))) > 1:
                values[i] = result.to_frame(confidence)[list(_MEASURED)].iloc[0]
                # Few that happen to agree look certain to t, but not to their signs.
                tests = paired_t_test(result), sign_flip_test(result, random_state=0)
                p[i] = max(float(np.ravel(test.p)[0]) for test in tests)
        return values, p


def sign_of(name: str) -> int:
    """1 for patterns that raise the output, -1 for those that lower it, else 0.

    Examples
    --------
    >>> [sign_of(n) for n in ("pos_patterns.pattern_0", "neg_patterns.0", "GATA1")]
    [1, -1, 0]
    """
    return _SIGNS.get(name.split(".")[0], 0)


def is_of_one_letter(motif: Motif) -> bool:
    """Whether its likeliest letters have only one order.

    Examples
    --------
    >>> is_of_one_letter(Motif.parse("AAA")), is_of_one_letter(Motif.parse("AAC"))
    (True, False)
    """
    codes = motif.consensus().values
    return len(np.unique(codes[codes >= 0])) < 2


def _verdict(
    sign: int,
    placed: float,
    placed_q: float,
    removed: float,
    removed_q: float,
    alpha: float,
) -> str:
    if np.isnan(placed_q) and np.isnan(removed_q):
        return "not tested"
    sufficient = placed_q < alpha and (sign == 0 or placed * sign > 0)
    direction = np.sign(placed) if sign == 0 and sufficient else sign
    necessary = removed_q < alpha and (direction == 0 or removed * direction < 0)
    if np.isnan(removed_q):
        return f"{'' if sufficient else 'not '}sufficient, removal not tested"
    if sufficient and necessary:
        return "sufficient and necessary"
    if sufficient or necessary:
        return "sufficient only" if sufficient else "necessary only"
    return "neither"
