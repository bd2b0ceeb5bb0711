"""What two motifs do together, and how they have to stand, in a biologist's words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..plot.pairs import short_names
from ..statistics.grammar import Grammar
from .sentences import NEARLY
from .wording import count, listed, number, numeral, spans

_MOST_SPANS = 3
# Of the largest, what is seen in an arrangement that holds the same rule.
_ALIKE = 0.5
# By the strands of the left and of the right motif.
_FACING = {
    "++": "both on the forward strand",
    "--": "both on the reverse strand",
    "+-": "facing each other",
    "-+": "back to back",
}
_SAME, _OPPOSITE = {"++", "--"}, {"+-", "-+"}
_OTHER = "on opposite strands"


class Written(NamedTuple):
    """Order and strands of two motifs, as in the tables of a `Grammar`."""

    order: str
    signs: str

    def turned(self) -> Written:
        """What it is on the other strand.

        Examples
        --------
        >>> Written("1,2", "++").turned()
        Written(order='2,1', signs='--')
        """
        signs = "".join("-" if sign == "+" else "+" for sign in self.signs)
        return Written("2,1" if self.order == "1,2" else "1,2", signs)


class Together(NamedTuple):
    """A confirmed pair of motifs.

    Parameters
    ----------
    row: dict
        Of `Grammar.pairs`.

    placements: pandas.DataFrame
        Rows of `Grammar.to_frame` of the pair, but for means over spacings.

    profiles: pandas.DataFrame
        Rows of `Grammar.profiles` of the pair.

    short: mapping of str to str
        What motifs are called the second time.

    unit: str
        What a sequence consists of.
    """

    row: Mapping[str, Any]
    placements: pd.DataFrame
    profiles: pd.DataFrame
    short: Mapping[str, str]
    unit: str

    @property
    def names(self) -> str:
        """Both motifs by their whole names."""
        a, b = self.row["a"], self.row["b"]
        return f"Two sites of {a}" if a == b else f"{a} and {b}"

    @property
    def strongest(self) -> pd.Series[Any]:
        """The profile in which the pair stood out most."""
        is_it = self.profiles["arrangement"] == self.row["arrangement"]
        found: pd.Series[Any] = self.profiles[is_it].iloc[0]
        return found

    @property
    def curve(self) -> pd.DataFrame:
        """Its placements, by spacing."""
        is_it = self.placements["arrangement"] == self.row["arrangement"]
        rows: pd.DataFrame = self.placements[is_it]
        return rows

    def sentence(self) -> str:
        """How they have to stand, and what they do then: without the stop."""
        return f"{self.names} act together {self._stand()}: {self._does()}"

    def _stand(self) -> str:
        first, second, strands = self._arrangement()
        strands = f", {strands}" if strands else ""
        behind = f"{second} {{}}behind {first}" if first else ""
        if self.row["class"] == "helical":
            period = number(float(self.strongest["period"]), 2).rstrip("0").rstrip(".")
            turn = f"once in every turn of the helix ({period} {self.unit}s)"
            return f"{turn}{', ' if behind else ''}{behind.format('')}{strands}"
        if behind:
            return f"with {behind.format(self._distance() + ' ')}{strands}"
        return f"{self._distance()} apart{strands}"

    def _arrangement(self) -> tuple[str, str, str]:
        """Which motif stands before which, and on which strands, where that matters.

        Two arrangements that read the same on the other strand are one; of motifs on
        the same strand the second is downstream on it.
        """
        depends, profile = str(self.row["depends_on"]), self.strongest
        own = Written(str(profile["order"]), str(profile["orientation"]))
        a, b = (self.short[self.row[name]] for name in ("a", "b"))
        order = (a, b) if own.order == "1,2" else (b, a)
        first, second = order if "order" in depends else ("", "")
        if "strands" not in depends:
            return first, second, ""
        alike = self._alike() | {own}
        if alike == {own, own.turned()} and len(alike) == 2:
            one = own if own.order == "1,2" else own.turned()
            if one.signs in _SAME:
                ends = (a, b) if one.signs == "++" else (b, a)
                return (*(ends if first else ("", "")), "both on the same strand")
            return "", "", _FACING[one.signs]
        signs = {each.signs for each in alike}
        if len(signs) == 2:  # one of both may be on either strand
            for name, i in ((a, 0), (b, 1)):
                (sign, *more) = {each[i] for each in signs}
                if not more:
                    which = "forward" if sign == "+" else "reverse"
                    return first, second, f"{name} on the {which} strand"
        for together, words in (
            (_SAME, "both on the same strand"),
            (_OPPOSITE, _OTHER),
        ):
            if len(signs) > 1 and signs <= together:
                return first, second, words
        if own.signs == "--":  # along their strand
            first, second = second, first
        return first, second, _FACING[own.signs[:: 1 if own.order == "1,2" else -1]]

    def _alike(self) -> set[Written]:
        """The arrangements that hold the rule where it stood out most."""
        there = self.placements[self.placements["spacing"].isin(self._there())]
        sign = np.sign(float(self.row["effect"]))
        size = sign * there.groupby("arrangement")["effect"].mean()
        stands = self.profiles[self.profiles["class"] != "none"]
        kept = stands["arrangement"].isin(size.index[size >= _ALIKE * size.max()])
        columns = (stands.loc[kept, name] for name in ("order", "orientation"))
        return {Written(*map(str, each)) for each in zip(*columns, strict=True)}

    def _does(self) -> str:
        """By how much the output is other than the sum of both, and what elsewhere."""
        kind, spacing = self.row["class"], self.row["spacing"]
        curve = self.curve
        stands = curve.loc[curve["significant"].astype(bool), "spacing"].tolist()
        # What stood out most when found need not be confirmed where others are.
        is_mean = pd.isna(spacing) or int(spacing) not in stands
        effect = float((self.strongest if is_mean else self.row)["effect"])
        word = "more" if effect > 0 else "less"
        most = " on average" if is_mean else ""
        does = f"{number(abs(effect))} {word} than the sum of each alone{most}"
        if kind == "hard":
            return f"{does}, less than half as much at other spacings (a hard rule)"
        if kind == "helical":
            return f"{does} at the peaks"
        half = float(self.strongest["half_distance"])
        decay = ""
        if np.isfinite(half) and round(half) > 0:
            decay = f", half as much every {count(round(half), self.unit)}"
        return f"{does}{decay} (a soft rule)"

    def _there(self) -> list[int]:
        """The spacings at which it was confirmed, where it stood out most."""
        curve, sign = self.curve, np.sign(float(self.row["effect"]))
        own = curve["significant"].astype(bool) & (np.sign(curve["effect"]) == sign)
        there = curve.loc[own, "spacing"].astype(int).tolist()
        if self.row["class"] == "hard" and not there:
            there = [int(s) for s in self.strongest["peak"]]
        # The mean may stand, and no single spacing.
        return there or curve["spacing"].astype(int).tolist()

    def _distance(self) -> str:
        there = self._there()
        ranges = spans(there)
        if len(ranges) > _MOST_SPANS:
            ranges = [f"{there[0]}–{there[-1]}"]
        return f"{listed(ranges)} {self.unit}{'' if there == [1] else 's'}"


def confirmed_pairs(grammar: Grammar, unit: str) -> list[Together]:
    """Those that stand, the largest interaction first."""
    names = list(grammar.motifs)
    short = dict(zip(names, short_names(names), strict=True))
    frame = grammar.to_frame()
    frame = frame[frame["spacing"].notna()]
    records: Any = grammar.confirmed.to_dict("records")
    return [
        Together(row, _of(frame, row), _of(grammar.profiles, row), short, unit)
        for row in records
    ]


def in_short(
    together: Sequence[Together], n_motifs: int, widest: int, unit: str
) -> str:
    """What the first screen says of all pairs."""
    if not together:
        which = f"No two of {numeral(n_motifs)} motifs"
        apart = f"0 to {count(widest, unit)} apart"
        return f"{which} were seen to do other than the sum of both, {apart}."
    first, *others = [abs(float(pair.row["effect"])) for pair in together]
    n_alike = sum(size >= NEARLY * first for size in others)
    n_less = len(others) - n_alike
    more = ""
    if n_alike:
        does = "So does one other pair" if n_alike == 1 else "So do {} other pairs"
        more = f" {does.format(numeral(n_alike))} of the motifs."
    if n_less:
        pairs = f"{numeral(n_less)} other pair{'' if n_less == 1 else 's'}"
        more += f" In {pairs} they do so by less than a tenth as much."
    return f"{together[0].sentence()}.{more}"


def _of(table: pd.DataFrame, row: Mapping[str, Any]) -> pd.DataFrame:
    part: pd.DataFrame = table[(table["a"] == row["a"]) & (table["b"] == row["b"])]
    return part
