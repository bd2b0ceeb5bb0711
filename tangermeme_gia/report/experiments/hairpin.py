"""Is the motif read in a loop or a stem?"""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import torch

from ... import plot
from ..._core.results import GIAResult
from ...experiments.hairpin import hairpin_importance
from ...statistics.effects import effect_difference
from ...statistics.intervals import Interval
from ...structure.pairs import Hairpin
from ..effects import local_effects
from ..layout import NOT_NUCLEOTIDES, room
from ..section import Figure, Line, Section
from ..sentences import direction
from ..store import Results
from ..study import Study
from ..thumbnails import strip
from ..wording import row_with_interval

# Bases of the paper's probes, in which it places its hairpin.
_PAPER_LENGTH = 41
# What the experiment calls the places, and what the page does.
_PLACES = {
    "loop": "loop",
    "left arm": "5′ side of the stem",
    "right arm": "3′ side of the stem",
}
# What a table over many models calls the same.
_COLUMNS = dict(zip(_PLACES.values(), ("loop", "stem_left", "stem_right"), strict=True))


def obstacle(study: Study) -> str | None:
    """A hairpin is of RNA, unless it is asked for, and needs room without padding."""
    if not study.inputs.has_nucleotides:
        return NOT_NUCLEOTIDES
    chosen = study.options.experiments or ()
    if "U" not in study.inputs.alphabet and "hairpin" not in chosen:
        return "hairpins are a question about RNA; `--experiments hairpin` asks it"
    shape = _shape(study)
    start = shape.stem_start
    end = start + 2 * shape.stem_length + shape.loop_length
    if end > study.inputs.length:
        return f"a hairpin that holds the motif needs {end} bases"
    first, last = room(study)
    if start < first or end > last:
        return "a hairpin that holds the motif would change positions that are kept"
    if not (study.X[:, :, start:end].sum(dim=1) == 1).all():
        return "the backgrounds have padding or N where the hairpin would be"
    return None


def compute(study: Study) -> Results:
    """The motif in the loop and on either side of a stem, and without a hairpin."""
    result = hairpin_importance(
        study.model, study.X, study.placed, _shape(study), **study.ask
    )
    return {"hairpin": result}


def describe(study: Study, results: Results) -> Section:
    """The motif's effect at each place, in the hairpin and without structure."""
    result = _folded_and_not(results["hairpin"])
    frame = result.to_frame()
    differences = _differences(result, frame)
    loop, left, right = _by_place(frame, differences)
    shape, palindrome = _shape(study), _pairs_with_itself(study)
    in_loop = (frame["place"] == "loop") & (frame["structure"] == "hairpin")
    return Section(
        "hairpin",
        "Is the motif read in a loop or a stem?",
        f"Hairpins with stems of {shape.stem_length} pairs from position "
        f"{shape.stem_start} and a loop of {shape.loop_length} bases. The effect of "
        "the motif in the hairpin is against the empty hairpin, that without structure "
        "against the background; both are measured at the same place. In a "
        "stem the other side becomes the reverse complement of the motif."
        f"{_caution(study) if palindrome else ''} A model of sequence alone can know "
        "structure only through what pairs.",
        [
            Figure(
                "hairpin",
                partial(plot.local_importance_boxes, result, ["place", "structure"]),
                f"In the loop the motif adds {loop}; on the 5′ side of the stem "
                f"{left}; on its 3′ side {right}.",
            )
        ],
        {"hairpin": frame},
        _sentence(differences, palindrome),
        _thumbnail(frame),
        summary=[
            Line(
                "In the loop of a hairpin",
                loop,
                float(frame[in_loop]["effect"].iloc[0]),
            )
        ],
        headline=_numbers(frame),
    )


def _numbers(frame: pd.DataFrame) -> dict[str, float]:
    """For a table over many models: the effect at each place of the hairpin."""
    rows = frame[frame["structure"] == "hairpin"].set_index("place")
    parts = {"": "effect", "_low": "low", "_high": "high"}
    return {
        f"{name}{part}": float(rows[column][place])
        for place, name in _COLUMNS.items()
        for part, column in parts.items()
    }


def _thumbnail(frame: pd.DataFrame) -> str:
    """The effect at each place in the hairpin."""
    rows = frame[frame["structure"] == "hairpin"]
    names = [place.replace("side of the ", "") for place in rows["place"]]
    return strip(names, rows["effect"], rows["low"], rows["high"])


def _sentence(differences: list[Interval], palindrome: bool) -> str:
    """How the effect in a hairpin compares with that at the same place without one."""
    words = {1: "larger", 0: "not clearly other", -1: "smaller"}
    loop, left, right = (words[direction(each)] for each in differences)
    begin = f"In the loop of a hairpin its effect is {loop} than without the hairpin"
    if palindrome:
        return f"{begin}."
    if left == right:
        return f"{begin}, in the stem {left}."
    return f"{begin}, on the 5′ side of the stem {left}, on the 3′ side {right}."


def _pairs_with_itself(study: Study) -> bool:
    return study.placed.reverse_complement() == study.placed


def _caution(study: Study) -> str:
    """What such a motif says of structure."""
    return (
        f" {study.motif} is its own reverse complement: in a stem its partner is a "
        "second site, so the stem says nothing about structure."
    )


def _shape(study: Study) -> Hairpin:
    """The paper's hairpin, or one in the middle whose stem and loop hold the motif."""
    k, length = len(study.placed), study.inputs.length
    if length == _PAPER_LENGTH and k <= Hairpin.paper().loop_length:
        return Hairpin.paper()
    stem, loop = max(8, k), k + 3
    return Hairpin(max(0, (length - 2 * stem - loop) // 2), stem, loop)


def _folded_and_not(result: GIAResult) -> GIAResult:
    """The motif's own effect at each place: in the hairpin and without structure."""
    inside = result.select(structure="hairpin").relative_to(place="none")
    flat = (result.conditions["structure"] == "unstructured").to_numpy()
    effects = np.concatenate(
        [local_effects(inside), local_effects(result)[:, flat]], axis=1
    )
    conditions = pd.concat([inside.conditions, result.conditions[flat]])
    conditions = conditions.assign(place=conditions["place"].map(_PLACES))
    order = np.argsort(conditions["start"].to_numpy(int), kind="stable")
    after = torch.from_numpy(effects[:, order])[..., None]
    return GIAResult(
        torch.zeros_like(after[:, 0]),
        after,
        conditions.iloc[order].reset_index(drop=True),
        outputs=inside.outputs,
        clusters=result.clusters,
    )


def _rows(frame: pd.DataFrame) -> list[tuple[int, int]]:
    """For each place the rows with the hairpin and without."""
    keys = zip(frame["structure"], frame["place"], strict=True)
    at = {key: i for i, key in enumerate(keys)}
    places = _PLACES.values()
    return [(at["hairpin", place], at["unstructured", place]) for place in places]


def _differences(result: GIAResult, frame: pd.DataFrame) -> list[Interval]:
    """For each place the effect in the hairpin minus that without, paired."""
    effects = local_effects(result)
    return [
        effect_difference(effects[:, i], effects[:, j], clusters=result.clusters)
        for i, j in _rows(frame)
    ]


def _by_place(frame: pd.DataFrame, differences: list[Interval]) -> list[str]:
    """For each place the effect folded, not folded, and their paired difference."""
    return [
        f"{row_with_interval(frame.iloc[folded])}, without structure "
        f"{row_with_interval(frame.iloc[flat])} (difference "
        f"{row_with_interval(difference)})"
        for (folded, flat), difference in zip(_rows(frame), differences, strict=True)
    ]
