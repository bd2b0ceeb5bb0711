"""The predictions of each part of a report; what they say is in `sections`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch

from .._core.results import GIAResult
from ..experiments.flanks import gc_flank
from ..experiments.hairpin import hairpin_importance
from ..experiments.importance import global_importance
from ..experiments.positions import positional_bias
from ..experiments.robustness import across_backgrounds
from ..experiments.sites import multi_site
from ..experiments.spacing import motif_spacing
from ..kmers.codes import all_kmers, canonical_kmers, kmer_from_index
from ..kmers.mutagenesis import kmer_mutagenesis
from ..kmers.results import KmerScan
from ..kmers.scan import kmer_scan
from ..structure.pairs import PAPER_HAIRPIN, Hairpin
from ..structure.processes import require_vienna
from .store import Results, Store
from .study import Study

TOP = 10
N_CONTROLS = 3
FLANK = "GCGCGC"
# Bases from the start of a flank to that of the motif in the paper's layout (0, 17,
# 35), and from one site to the next beyond its length (3, 10, 17).
_FLANK_DISTANCE = 17
_SITE_GAP = 1
# Bases of the paper's probes, in which it places its hairpin.
_PAPER_LENGTH = 41
_MOST_SPACINGS = 21
# Sequences of so many bases that are folded; of longer ones fewer, at least so many.
_FOLDED, _FOLDED_LENGTH, _FEWEST_FOLDED = 1000, 60, 50
_LONGEST_FOLDED = 300
_MOST_STARTS = 101
_SCAN_CHUNKS = 16


class Part(NamedTuple):
    """How a part is computed, and why it may not apply to a study."""

    compute: Callable[[Study, Store], Results]
    obstacle: Callable[[Study], str | None] = lambda study: None


def scan(study: Study, store: Store) -> Results:
    """All k-mers at one place, in chunks that are saved as they are finished."""
    letters, k = study.inputs.alphabet, study.options.k
    if study.options.both_strands:
        indices = canonical_kmers(k, letters).tolist()
        kmers = [kmer_from_index(index, k, letters) for index in indices]
    else:
        kmers = all_kmers(k, letters)
    size = math.ceil(len(kmers) / _SCAN_CHUNKS)
    chunks = Store(store.folder / "scan.chunks")
    fingerprint = study.fingerprint("scan")
    pieces = []
    for first in range(0, len(kmers), size):
        name = f"{first:08d}"
        if chunks.changes(name, fingerprint) != []:
            piece = kmer_scan(
                study.model,
                study.backgrounds[0],
                kmers=kmers[first : first + size],
                start=study.start,
                fold_reverse_complements=study.options.both_strands,
                **study.ask,
            )
            chunks.save(name, {"scan": piece}, fingerprint)
        pieces.append(chunks.load(name)["scan"])
    effect, se = (
        torch.cat([getattr(piece, field) for piece in pieces])
        for field in ("effect", "se")
    )
    strands = 2 if study.options.both_strands else 1
    asked = len(kmers) * strands * study.n_scan
    return {"scan": KmerScan(kmers, effect, se, study.n_scan, len(kmers), asked, asked)}


def motif(study: Study, store: Store) -> Results:
    """The best k-mers on held-out backgrounds, and controls of the best."""
    results: Results = {
        "controls": global_importance(
            study.model,
            study.X,
            [(study.motif, study.start)],
            n_controls=N_CONTROLS,
            **study.ask,
        )
    }
    if store.path("scan").exists() and not study.options.motif:
        found = store.load("scan")["scan"]
        assert isinstance(found, KmerScan)
        winners = found.top(min(TOP, len(found.kmers)))["kmer"].tolist()
        conditions = [[(kmer, study.start)] for kmer in winners]
        results["winners"] = global_importance(
            study.model, study.X, conditions, **study.ask
        )
    return results


def mutagenesis(study: Study, store: Store) -> Results:
    """Every single-letter variant of the motif."""
    result = kmer_mutagenesis(
        study.model, study.X, study.motif, study.start, **study.ask
    )
    return {"mutagenesis": result}


def site_starts(study: Study) -> list[int]:
    """Up to three sites from the motif's own to the left, as in the paper."""
    step = len(study.motif) + _SITE_GAP
    return [
        s for s in (study.start - 2 * step, study.start - step, study.start) if s >= 0
    ]


def sites(study: Study, store: Store) -> Results:
    """One to three copies of the motif, and each of them alone."""
    starts = site_starts(study)
    alone = [[(study.motif, start)] for start in starts]
    return {
        "sites": multi_site(study.model, study.X, study.motif, starts, **study.ask),
        "alone": global_importance(study.model, study.X, alone, **study.ask),
    }


def _no_second_site(study: Study) -> str | None:
    if len(site_starts(study)) < 2:
        return "there is no room for a second site left of the motif"
    return None


def spacing(study: Study, store: Store) -> Results:
    """Two copies at growing spacing, the first where the first site was."""
    first, k = site_starts(study)[0], len(study.motif)
    room = study.inputs.length - first - 2 * k
    spacings = range(min(_MOST_SPACINGS, room + 1))
    motifs = [study.motif, study.motif]
    result = motif_spacing(
        study.model, study.X, motifs, spacings, start=first, **study.ask
    )
    return {"spacing": result}


def position(study: Study, store: Store) -> Results:
    """The motif at every start, or at a hundred of long sequences."""
    last = study.inputs.length - len(study.motif)
    step = math.ceil((last + 1) / _MOST_STARTS)
    starts = list(range(0, last + 1, step))
    result = positional_bias(study.model, study.X, study.motif, starts, **study.ask)
    return {"position": result}


def gc(study: Study, store: Store) -> Results:
    """The motif with GC-rich flanks on either side, both, and the flanks alone."""
    left, right = flank_starts(study)
    result = gc_flank(
        study.model,
        study.X,
        study.motif,
        FLANK,
        FLANK,
        start=study.start,
        left_start=left,
        right_start=right,
        **study.ask,
    )
    return {"gc": result}


def flank_starts(study: Study) -> tuple[int, int]:
    """Where flanks stand: the ends of a 41-nt probe, as far from it in longer ones."""
    end = study.start + len(study.motif)
    left = max(0, study.start - _FLANK_DISTANCE)
    right = end + _FLANK_DISTANCE - len(FLANK) + 1
    return left, min(study.inputs.length - len(FLANK), right)


def _no_flanks(study: Study) -> str | None:
    if not study.inputs.has_nucleotides:
        return "the alphabet is not that of nucleotides"
    left, right = flank_starts(study)
    fits = left + len(FLANK) <= study.start
    if not fits or right < study.start + len(study.motif):
        return "there is no room for flanks beside the motif"
    return None


def report_hairpin(study: Study) -> Hairpin:
    """The paper's hairpin, or one in the middle whose stem and loop hold the motif."""
    k, length = len(study.motif), study.inputs.length
    if length == _PAPER_LENGTH and k <= PAPER_HAIRPIN.loop_length:
        return PAPER_HAIRPIN
    stem, loop = max(8, k), k + 3
    return Hairpin(max(0, (length - 2 * stem - loop) // 2), stem, loop)


def hairpin(study: Study, store: Store) -> Results:
    """The motif in the loop and in either arm of a hairpin, and without one."""
    result = hairpin_importance(
        study.model, study.X, study.motif, report_hairpin(study), **study.ask
    )
    return {"hairpin": result}


def _no_hairpin(study: Study) -> str | None:
    if not study.inputs.has_nucleotides:
        return "the alphabet is not that of nucleotides"
    chosen = study.options.experiments or ()
    if "U" not in study.inputs.alphabet and "hairpin" not in chosen:
        return "hairpins are a question about RNA; `--experiments hairpin` asks it"
    shape = report_hairpin(study)
    start = shape.stem_start
    end = start + 2 * shape.stem_length + shape.loop_length
    if end > study.inputs.length:
        return f"a hairpin that holds the motif needs {end} bases"
    if not (study.X[:, :, start:end].sum(dim=1) == 1).all():
        return "the backgrounds have padding or N where the hairpin would be"
    return None


def structure(study: Study, store: Store) -> Results:
    """The motif in as many backgrounds as can be folded in a few seconds."""
    result = global_importance(
        study.model,
        study.X[: _n_folded(study)],
        [(study.motif, study.start)],
        **study.ask,
    )
    return {"structure": result}


def _n_folded(study: Study) -> int:
    # The time of a fold grows with more than the square of the length.
    most = _FOLDED * min(1.0, (_FOLDED_LENGTH / study.inputs.length) ** 2.3)
    return min(study.options.n, max(_FEWEST_FOLDED, int(most)))


def _no_structure(study: Study) -> str | None:
    if not study.inputs.has_nucleotides:
        return "the alphabet is not that of nucleotides"
    if "U" not in study.inputs.alphabet:
        return "folding is a question about RNA"
    if study.inputs.length > _LONGEST_FOLDED:
        return f"sequences of {study.inputs.length:,} bases take long to fold"
    try:
        require_vienna()
    except ImportError as error:
        return str(error)
    return None


def robustness(study: Study, store: Store) -> Results:
    """The main conditions under every background."""
    backgrounds = {
        name: study.other_backgrounds(name) for name in study.options.backgrounds
    }
    conditions = [
        [(study.motif, start) for start in site_starts(study)[-n:]]
        for n in range(1, len(site_starts(study)) + 1)
    ]
    if _no_flanks(study) is None:
        left, right = flank_starts(study)
        site = (study.motif, study.start)
        conditions += [[(FLANK, left), site], [site, (FLANK, right)]]
    comparison = across_backgrounds(
        global_importance, study.model, backgrounds, conditions, **study.ask
    )
    results: Results = {}
    for name, result in comparison.results.items():
        assert isinstance(result, GIAResult)
        results[name] = result
    return results


PARTS: dict[str, Part] = {
    "scan": Part(scan),
    "motif": Part(motif),
    "mutagenesis": Part(mutagenesis),
    "sites": Part(sites, _no_second_site),
    "spacing": Part(spacing, _no_second_site),
    "position": Part(position),
    "gc": Part(gc, _no_flanks),
    "hairpin": Part(hairpin, _no_hairpin),
    "structure": Part(structure, _no_structure),
    "robustness": Part(robustness),
}
