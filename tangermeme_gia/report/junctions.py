"""What the best k-mers of a search do by themselves, on held-out backgrounds."""

from __future__ import annotations

from typing import Any

from .._core.junctions import Junctions
from .._core.results import GIAResult
from ..kmers.junctions import find_junctions, junction_effects
from .study import Study
from .wording import listed


def measure_winners(study: Study) -> GIAResult:
    """The best k-mers of the scan on held-out backgrounds, as the scan places them."""
    return junction_effects(study.model, study.X, **study.ask | _asked(study)).result


def split_winners(study: Study, winners: GIAResult) -> Junctions:
    """The same by whether the background completes a better one."""
    return Junctions(winners, find_junctions(study.X, **_asked(study)))


def borrowed(junctions: Junctions) -> str:
    """Which k-mers act only where they complete a better one, in sentences.

    Those whose effect is clear where they do, and elsewhere is not and clearly smaller.
    """
    frame = junctions.to_frame()
    here, alone = frame["low_with"], frame["high_without"]
    only = frame[(here > 0) & (frame["low_without"] <= 0) & (alone < here)]
    return "".join(
        f" {listed(rows['kmer'].tolist())} {'acts' if len(rows) == 1 else 'act'} only "
        f"where the background completes {better}."
        for better, rows in only.groupby("completes", sort=False)
    )


def _asked(study: Study) -> dict[str, Any]:
    return {
        "kmers": study.best_kmers["kmer"].tolist(),
        "start": study.start,
        "both_strands": study.options.both_strands,
        "alphabet": study.inputs.alphabet,
    }
