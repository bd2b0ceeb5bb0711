"""Where the patterns of several experiments stand, and what has no room."""

from __future__ import annotations

import numpy as np

from .._core.kept import free_starts, resolve_keep
from .study import Study

FLANK = "GCGCGC"
NOT_NUCLEOTIDES = "the alphabet is not that of nucleotides"
# Bases from the start of a flank to that of the motif in the paper's layout (0, 17,
# 35), and from one site to the next beyond its length (3, 10, 17).
_FLANK_DISTANCE = 17
SITE_GAP = 1


def room(study: Study) -> tuple[int, int]:
    """The stretch around the motif that may be changed: its first base, and its end."""
    kept = resolve_keep(study.options.keep, study.inputs.length)
    before = np.flatnonzero(kept[: study.start])
    behind = np.flatnonzero(kept[study.start :])
    first = int(before[-1]) + 1 if len(before) else 0
    end = study.start + int(behind[0]) if len(behind) else study.inputs.length
    return first, end


def all_starts(study: Study) -> list[int]:
    """Every place where the motif changes nothing that is to stay."""
    kept, k = resolve_keep(study.options.keep, study.inputs.length), len(study.placed)
    return [int(start) for start in free_starts(kept, np.arange(k), k)]


def site_starts(study: Study) -> list[int]:
    """Up to three sites from the motif's own to the left, as in the paper."""
    step, (first, _) = len(study.placed) + SITE_GAP, room(study)
    starts = (study.start - 2 * step, study.start - step, study.start)
    return [start for start in starts if start >= first]


def no_second_site(study: Study) -> str | None:
    """Why a study has no second site, or None."""
    if len(site_starts(study)) < 2:
        return "there is no room for a second site left of the motif"
    return None


def flank_starts(study: Study) -> tuple[int, int]:
    """Where flanks stand: the ends of a 41-nt probe, as far from it in longer ones."""
    first, last = room(study)
    end = study.start + len(study.placed)
    left = max(first, study.start - _FLANK_DISTANCE)
    right = end + _FLANK_DISTANCE - len(FLANK) + 1
    return left, min(last - len(FLANK), right)


def no_flanks(study: Study) -> str | None:
    """Why a study has no flanks beside the motif, or None."""
    if not study.inputs.has_nucleotides:
        return NOT_NUCLEOTIDES
    left, right = flank_starts(study)
    fits = left + len(FLANK) <= study.start
    if not fits or right < study.start + len(study.placed):
        return "there is no room for flanks beside the motif"
    return None
