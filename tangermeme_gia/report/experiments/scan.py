"""Which k-mer raises the output most?"""

from __future__ import annotations

import math
from functools import partial

import pandas as pd
import torch

from ... import plot
from ..._core.scans import KmerScan
from ...kmers.codes import all_kmers, canonical_kmers, kmer_from_index
from ...kmers.scan import kmer_scan
from ...statistics.selection import benjamini_hochberg
from ...statistics.significance import paired_t_test
from ..charts import rank_chart
from ..effects import ALPHA
from ..figures import unit_of
from ..probes import changes, make_probe
from ..section import Figure, Section
from ..store import Results
from ..study import Study
from ..wording import count

_CHUNKS = 16


def obstacle(study: Study) -> str | None:
    """A scan is always possible."""
    return None


def compute(study: Study) -> Results:
    """All k-mers at one place, in chunks that are saved as they are finished."""
    kmers, both_strands = _kmers(study), study.options.both_strands
    size = math.ceil(len(kmers) / _CHUNKS)
    chunks = study.store.chunks("scan")
    fingerprint = study.fingerprint("scan")
    (X, clusters), pieces = study.backgrounds[0], []
    for first in range(0, len(kmers), size):
        name = f"{first:08d}"
        if changes(study, chunks, name, fingerprint) != []:
            piece = kmer_scan(
                study.model,
                X,
                kmers=kmers[first : first + size],
                start=study.start,
                both_strands=both_strands,
                **study.ask | {"clusters": clusters},
            )
            results = {"scan": piece}
            chunks.save(name, results, fingerprint, make_probe(study, results))
        pieces.append(chunks.load(name).results["scan"])
    effect, se = (
        torch.cat([getattr(piece, field) for piece in pieces])
        for field in ("effect", "se")
    )
    asked = len(kmers) * (2 if both_strands else 1) * study.n_scan
    scan = KmerScan(
        kmers,
        effect,
        se,
        study.n_scan,
        len(kmers),
        asked,
        asked,
        clusters=clusters,
    )
    return {"scan": scan}


def describe(study: Study, results: Results) -> Section:
    """The best k-mer, and how many raise or lower the output."""
    found: KmerScan = results["scan"]
    frame = found.to_frame()
    k = len(found.kmers[0])
    strands = (
        " averaged with their reverse complements" if study.options.both_strands else ""
    )
    return Section(
        "scan",
        f"Which {k}-mer raises the output most?",
        f"All {count(len(frame), f'{k}-mer')}{strands} at position {study.start} of "
        f"{count(found.n, 'background')}. The best of many is partly lucky: effects "
        "below are measured again on other backgrounds.",
        [
            Figure(
                "scan",
                partial(plot.kmer_ranks, found),
                _reading(found, frame),
                rank_chart(frame, f"Effect ({unit_of(study.inputs.answer)})"),
            )
        ],
        {"scan": frame.sort_values("effect", ascending=False, kind="stable")},
    )


def _kmers(study: Study) -> list[str]:
    letters, k = study.inputs.alphabet, study.options.k
    if not study.options.both_strands:
        return all_kmers(k, letters)
    indices = canonical_kmers(k, letters).tolist()
    return [kmer_from_index(index, k, letters) for index in indices]


def _reading(found: KmerScan, frame: pd.DataFrame) -> str:
    stands = benjamini_hochberg(paired_t_test(found).p, ALPHA).significant
    n_raise, n_lower = (
        int((stands & (sign * frame["effect"] > 0)).sum()) for sign in (1, -1)
    )
    best, worst = (found.top(1, lowest=lowest).iloc[0] for lowest in (False, True))
    reading = (
        f"{best['kmer']} has the highest effect of "
        f"{count(len(frame), f'{len(best.kmer)}-mer')}, {worst['kmer']} the lowest. At "
        f"a false discovery rate of 5 %, {n_raise:,} raise the output and {n_lower:,} "
        "lower it."
    )
    if n_lower and -worst["effect"] > best["effect"]:
        reading += (
            f" {worst['kmer']} lowers it by more than any raises it; `--motif "
            f"{worst['kmer']}` makes that the motif of a report."
        )
    return reading
