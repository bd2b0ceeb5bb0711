"""Do two sites interact, or does the output only saturate?"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from ... import plot
from ..._core.clusters import as_codes
from ..._core.results import GIAResult
from ...experiments.latent import latent_interaction
from ...statistics.intervals import Interval
from ...statistics.latent import LatentContrast, latent_contrast
from ...statistics.latent_verdicts import ADDS_UP, EXPLAINED, SURVIVES, UNKNOWN
from ..effects import first_half
from ..layout import all_starts, site_starts
from ..pairs import pair_interaction
from ..section import Figure, Line, Section
from ..sentences import Pairs
from ..store import Results
from ..study import Study
from ..thumbnails import strip
from ..wording import count, listed, row_with_interval

if TYPE_CHECKING:
    from ...backgrounds.shuffles import Templates

# More backgrounds answer little more; fewer leave no half of them an interval.
_MOST_BACKGROUNDS, _FEWEST_BACKGROUNDS = 400, 20
_FEWEST_LETTERS = 2
_METHOD = (
    "Variants of {motif} from full strength to nothing at {starts}, each with each, on "
    "{n} backgrounds, others than those that chose the spacing at which the deviation "
    "from the sum is largest. If sites add up on some scale, all cells lie on one "
    "rising curve; the two full sites, which did not make it, lie on it unless they "
    "interact. The interaction is in units of the first site's effect."
)
_SAID = {
    SURVIVES: "What two sites {apart} do other than their sum is an interaction: no "
    "saturation of the output explains it.",
    EXPLAINED: "What two sites {apart} do other than their sum is explained by the "
    "output's own bend, such as saturation: on the scale on which other sites add up, "
    "these do.",
    ADDS_UP: "On further backgrounds two sites {apart} do not clearly deviate from "
    "their sum, with or without saturation of the output.",
    UNKNOWN: "Whether two sites {apart} interact, or the output only bends, cannot be "
    "told here.",
}


class _Places(NamedTuple):
    """First bases of both sites, and of a third far from them."""

    a: int
    b: int
    c: int


def obstacle(study: Study) -> str | None:
    """Two sites that do other than their sum, and room for a third, are needed."""
    if "spacing" not in study.finished:
        return "two sites were not compared by spacing"
    if len(study.placed) < _FEWEST_LETTERS:
        return "a motif of one letter has too few weaker variants"
    if _spacing(study) is None:
        return "no two sites clearly deviate from the sum of both by a tenth"
    if _places(study) is None:
        return "there is no room for a third site beside the two"
    X, clusters = _measured_on(study)
    n = len(X) if clusters is None else len({*as_codes(clusters).tolist()})
    if n < _FEWEST_BACKGROUNDS:
        return f"{2 * _FEWEST_BACKGROUNDS} independent backgrounds are needed"
    return None


def compute(study: Study) -> Results:
    """Weaker and weaker variants of each of three sites, each with each."""
    places = _places(study)
    assert places is not None
    X, clusters = _measured_on(study)
    a, b, c = ((study.placed, start) for start in places)
    asked = {**study.ask, "clusters": clusters}
    return {"saturation": latent_interaction(study.model, X, a, b, c, **asked)}


def describe(study: Study, results: Results) -> Section:
    """The interaction on the output's scale and on that on which other sites add up."""
    result: GIAResult = results["saturation"]
    fit = latent_contrast(result)
    starts = result.conditions["starts"].iloc[0]
    gap = starts[1] - starts[0] - len(study.placed)
    unit = study.inputs.unit
    apart = f"{count(gap, unit)} apart" if gap else "side by side"
    raw, latent = _in_effects(fit), fit.latent
    said = f"{fit.verdict}: {fit.reason}"
    return Section(
        "saturation",
        "Is that an interaction, or does the output saturate?",
        _METHOD.format(motif=study.motif, starts=listed(starts), n=f"{fit.raw.n:,}"),
        [
            Figure(
                "saturation",
                partial(plot.latent_link, result, fit),
                f"{said[0].upper()}{said[1:]}.",
            )
        ],
        {"saturation": fit.cells, "saturation_checks": fit.checks},
        _SAID[fit.verdict].format(apart=apart),
        strip(
            ["output", "latent"],
            *([float(each[i]) for each in (raw, latent)] for i in (0, 2, 3)),
        ),
        summary=[
            Line(
                f"Interaction of two sites {apart}, in effects of one",
                f"{row_with_interval(raw)} on the output's scale, "
                f"{row_with_interval(latent)} beyond its saturation",
            )
        ],
        headline={
            "saturation": fit.verdict,
            "interaction_latent": float(latent.effect),
            "interaction_latent_low": float(latent.low),
            "interaction_latent_high": float(latent.high),
        },
    )


def _spacing(study: Study) -> int | None:
    """Where one half of the backgrounds deviates most from the sum, if clearly."""
    whole: GIAResult = study.finished["spacing"]["spacing"]
    half = _chosen_on(study)
    y_before, y_after = (torch.as_tensor(y)[half] for y in whole[:2])
    clusters = None if whole.clusters is None else whole.clusters[half]
    result = GIAResult(y_before, y_after, whole.conditions, clusters=clusters)
    table, _ = pair_interaction(result)
    off = Pairs.of(table).off
    if not off.any():
        return None
    size = table["interaction"].abs().to_numpy() * off
    return int(table["spacing"].iloc[int(size.argmax())])


def _places(study: Study) -> _Places | None:
    """The two sites at that spacing, and the third as far from them as may be."""
    spacing, k = _spacing(study), len(study.placed)
    assert spacing is not None
    a = site_starts(study)[0]
    b = a + k + spacing
    gaps = {
        c: max(a - c - k, c - b - k, min(c - a, b - c) - k) for c in all_starts(study)
    }
    c = max(gaps, key=lambda start: gaps[start], default=a)
    return _Places(a, b, c) if gaps.get(c, -1) >= 0 else None


def _chosen_on(study: Study) -> torch.Tensor:
    """The backgrounds that choose the spacing."""
    return torch.as_tensor(first_half(len(study.X), study.ask["clusters"]))


def _measured_on(study: Study) -> tuple[torch.Tensor, Templates | None]:
    """The others, and their clusters."""
    rows = torch.where(~_chosen_on(study))[0][:_MOST_BACKGROUNDS]
    clusters = study.ask["clusters"]
    return study.X[rows], None if clusters is None else clusters[rows.numpy()]


def _in_effects(fit: LatentContrast) -> Interval:
    """That of the outputs in units of the first site's effect there."""
    cells = fit.cells.set_index(["level_a", "level_b", "level_c"])["output"]
    top = int(fit.cells["level_a"].max())
    unit = abs(float(cells[top, 0, 0] - cells[0, 0, 0])) or np.nan
    effect, se, low, high, n = fit.raw
    return Interval(effect / unit, se / unit, low / unit, high / unit, n)
