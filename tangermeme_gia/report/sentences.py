"""The plain sentences of a report, chosen by stated rules from numbers with intervals.

"Clear" is an effect whose interval leaves out 0. "Nearly" is within a tenth: a clear
difference that is smaller is not worth a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._core.clusters import Values
from ..statistics.intervals import Interval
from .effects import ROUNDING
from .wording import count, listed, number, numeral, spans

Flags: TypeAlias = NDArray[np.bool_]

# The share of a sum, or of an effect, that is worth a word.
NEARLY = 0.1
# Pearson correlations below this leave nine tenths of the variance unexplained.
WEAK = 0.3
# Effects under several backgrounds that differ by less than this agree in size.
_SIMILAR = 1.5
_MOST_SPANS = 3


def direction(effect: Any) -> int:
    """1 or -1 for a clear effect, 0 for one that is not clear or not defined."""
    if effect.low > 0:
        return 1
    return -1 if effect.high < 0 else 0


def reads(name: str, motif: str, effect: Any, sd: float, searched: bool) -> str:
    """What the motif does to the model's output."""
    sign = direction(effect)
    if np.isnan(effect.effect):
        return f"The effect of {motif} on the output of {name} is not defined."
    if not sign:
        return f"{motif} has no clear effect on the output of {name}."
    does = "raises" if sign > 0 else "lowers"
    by = ""
    if sd > 0:
        by = f" by {number(abs(effect.effect) / sd, 1)} standard deviations"
    if searched:
        return f"{name} reads {motif}, which {does} its output{by}."
    return f"{motif} {does} the output of {name}{by}."


def weakness(name: str, pearson: Interval) -> str:
    """Why a model should not be believed; empty if its predictions follow scores."""
    r = float(pearson.effect)
    if np.isnan(r):
        return (
            f"How well {name} predicts is not defined: its predictions or the measured "
            "scores do not vary."
        )
    if r >= WEAK:
        return ""
    told = "" if pearson.low > 0 else ", not clearly above 0"
    return (
        f"{name} is a weak model: its predictions have a correlation (Pearson) of only "
        f"{number(r, 2)} with the measured scores{told}. What it has learned says "
        "little about the molecule."
    )


def fits(pearson: Interval) -> str:
    """How well predictions follow measured scores."""
    r = float(pearson.effect)
    if np.isnan(r):
        return "How well it predicts measured scores is not defined."
    if r < WEAK:
        return f"It hardly predicts measured scores (Pearson {number(r, 2)})."
    return f"Its predictions follow measured scores (Pearson {number(r, 2)})."


class Pairs(NamedTuple):
    """What two sites do beyond the sum of both, by spacing.

    `share` is that of the sum, above 0 for more of the same effect; `off` says where it
    is clear and larger than a tenth, `near` where it is surely smaller.
    """

    spacings: Sequence[int]
    share: Values
    off: Flags
    near: Flags
    exact: bool

    @classmethod
    def of(cls, table: pd.DataFrame) -> Pairs:
        """From the table of `pair_interaction`."""
        total = table["additive"].to_numpy(float)
        safe = np.where(total == 0, np.nan, total)
        share = table["interaction"].to_numpy(float) / safe
        ends = table[["low", "high"]].to_numpy(float) / safe[:, None]
        significant = table["significant"].to_numpy(bool)
        # NaN is neither: what is not defined is not said to add up.
        near = (np.abs(ends).max(axis=1) <= NEARLY) | (
            significant & (np.abs(share) <= NEARLY)
        )
        return cls(
            table["spacing"].tolist(),
            share,
            significant & (np.abs(share) > NEARLY),
            near,
            bool((np.abs(ends) < ROUNDING).all()),
        )

    def at(self, spacing: int) -> int | None:
        """Where a spacing stands among them."""
        return self.spacings.index(spacing) if spacing in self.spacings else None


def pairs_add_up(pairs: Pairs, unit: str) -> str:
    """At which spacings two sites have the effect of both."""
    every = f"at every spacing from {pairs.spacings[0]} to "
    every += count(pairs.spacings[-1], unit)
    if pairs.exact:
        return f"Two sites add up {every}."
    if not pairs.off.any():
        if pairs.near.all():
            return f"Two sites nearly add up {every}."
        return "Two sites do not clearly deviate from the sum of both at any spacing."
    less, more = pairs.off & (pairs.share < 0), pairs.off & (pairs.share > 0)
    for part, word in ((less, "less"), (more, "more")):
        if part.all():
            return f"Two sites have {word} effect than the sum of both {every}."
        closest = int(part.argmin())
        if part.sum() == pairs.off.sum() == closest:
            return _unless_close(pairs, closest, word, unit)
    first, *second = [
        (word, _places(pairs, part, unit))
        for part, word in ((less, "less"), (more, "more"))
        if part.any()
    ]
    begin = f"Two sites {first[1]} have {first[0]} effect than the sum of both"
    begin += "".join(f", {places} {word}" for word, places in second)
    rest = pairs.near[~pairs.off].all()
    return f"{begin}; others {'nearly add up' if rest else 'do not clearly deviate'}."


def _unless_close(pairs: Pairs, closest: int, word: str, unit: str) -> str:
    """If only the closest sites do not add up."""
    bound = count(pairs.spacings[closest], unit)
    if pairs.near[closest:].all():
        return (
            f"Sites nearly add up unless closer than {bound}, where two have {word} "
            "effect than the sum of both."
        )
    return (
        f"Two sites closer than {bound} have {word} effect than the sum of both; "
        "further apart they do not clearly deviate from it."
    )


def _places(pairs: Pairs, part: Flags, unit: str) -> str:
    chosen = [s for s, is_there in zip(pairs.spacings, part, strict=True) if is_there]
    ranges = spans(chosen)
    if len(ranges) > _MOST_SPANS:
        return f"at {len(chosen)} of {count(len(pairs.spacings), 'spacing')}"
    # Neighbours of a spacing say the unit once.
    plural = "" if ranges == ["1"] else "s"
    return f"{listed(ranges)} {unit}{plural} apart"


def sites_add_up(point: Any, gap: int, pairs: Pairs | None, unit: str) -> str:
    """Whether several sites have their sum's effect, and why not, as pairs tell.

    `point` has `n_sites`, `additive` and the deviation from it with its interval.
    """
    n = numeral(int(point["n_sites"]))
    sites = f"{n.capitalize()} sites {count(gap, unit)} apart"
    total = float(point["additive"])
    ends = [float(point[f"deviation_{end}"]) for end in ("low", "high")]
    if np.isnan([total, *ends]).any():
        return f"Whether {n} sites add up is not defined."
    if max(map(abs, ends)) <= ROUNDING * abs(total):
        return f"{sites} have the effect of their sum."
    if ends[0] <= 0 <= ends[1] or total == 0:
        return f"{sites} have no clearly other effect than their sum."
    share = float(point["deviation"]) / total
    word = "more" if share > 0 else "less"
    size = number(100 * abs(share), 0)
    as_pairs = _as_pairs(share, gap, pairs)
    return f"{sites} have {size} % {word} effect than their sum{as_pairs}."


def _as_pairs(share: float, gap: int, pairs: Pairs | None) -> str:
    """How that goes with what two sites do at the same gap, and at all others."""
    i = None if pairs is None else pairs.at(gap)
    if pairs is None or i is None:
        return ""
    if not pairs.off[i]:
        return ", though two at that gap nearly have theirs" if pairs.near[i] else ""
    same = pairs.share[i] * share > 0
    if not same:
        word = "more" if pairs.share[i] > 0 else "less"
        return f", though two at that gap have {word}"
    extreme = np.nanargmin(pairs.share) if share < 0 else np.nanargmax(pairs.share)
    told = f", the {'worst' if share < 0 else 'best'} of all" if extreme == i else ""
    return f", as have two at that gap{told}"


def gc_changes(motif: str, inside: Mapping[str, Interval]) -> str:
    """What GC on either side does to the effect of the motif.

    `inside` holds by side how many times the effect without GC it is, GC's own effect
    taken off.
    """
    if not all(np.isfinite([v.low, v.high]).all() for v in inside.values()):
        return f"What GC beside {motif} does to its effect is not defined."
    changed = [
        f"GC on its {side} side {_changes(times)}"
        for side, times in inside.items()
        if not times.low <= 1 <= times.high and abs(times.effect - 1) > NEARLY
    ]
    if changed:
        return f"{'; '.join(changed)}."
    if all(abs(end - 1) <= NEARLY for v in inside.values() for end in (v.low, v.high)):
        return "GC beside it makes no difference to its effect beyond a tenth."
    return "GC beside it makes no clear difference to its effect."


def _changes(times: Interval) -> str:
    size = f"{number(float(times.effect), 1)}-fold"
    if times.high < 0:
        return "turns its effect into the opposite"
    if times.low <= 0:
        return "leaves no clear effect of it"
    if times.effect > 1:
        return f"amplifies its effect {size}"
    return f"weakens its effect to {number(100 * float(times.effect), 0)} %"


def position_matters(low: Any, high: Any, places: Sequence[int], differ: bool) -> str:
    """Where the effect is smallest and largest; `places` are those of both."""
    if not differ:
        return "Its effect does not clearly depend on where it stands."
    ends = sorted(zip((low, high), places, strict=True), key=lambda e: abs(e[0].effect))
    (weak, weak_at), (strong, strong_at) = ends
    if not direction(weak):
        return (
            f"Its effect is largest at position {strong_at} and not clear at {weak_at}."
        )
    if direction(weak) != direction(strong):
        return f"Its effect at position {strong_at} has the opposite sign at {weak_at}."
    times = number(float(strong.effect / weak.effect), 1)
    return f"Its effect at position {strong_at} is {times} times that at {weak_at}."


def backgrounds_agree(effects: pd.DataFrame) -> str:
    """Whether the effect is the same under all backgrounds, which are the index."""
    rows = list(effects.itertuples())
    if len(rows) < 2:
        return "Only one kind of background was asked."
    signs = [direction(row) for row in rows]
    all_ = f"All {numeral(len(rows))} kinds" if len(rows) > 2 else "Both kinds"
    all_ += " of background"
    if 0 in signs:
        unclear = listed([row.Index for row in rows if not direction(row)])
        if not any(signs):
            return f"No kind of background shows a clear effect ({unclear})."
        return f"The effect is not clear under every kind of background: {unclear}."
    if len({*signs}) > 1:
        up, down = (
            listed([row.Index for row in rows if direction(row) == sign])
            for sign in (1, -1)
        )
        return f"Backgrounds contradict each other: up under {up}, down under {down}."
    sizes = effects["effect"].abs()
    if sizes.max() <= _SIMILAR * sizes.min():
        return f"{all_} agree."
    return (
        f"{all_} agree on the direction; the effect under {sizes.idxmax()} is "
        f"{number(sizes.max() / sizes.min(), 1)} times that under {sizes.idxmin()}."
    )
