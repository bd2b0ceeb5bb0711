"""Which k-mer raises the output most?"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch

from ... import plot
from ..._core.scans import KmerScan
from ...kmers.codes import all_kmers, canonical_kmers, kmer_from_index
from ...kmers.race import best_kmers
from ...kmers.scan import kmer_scan
from ...statistics.selection import benjamini_hochberg
from ...statistics.significance import paired_t_test
from ..charts import rank_chart
from ..effects import ALPHA
from ..figures import unit_of
from ..probes import changes, make_probe
from ..section import Figure, Section
from ..store import Results
from ..study import BEST_KMERS, Study
from ..wording import count

_CHUNKS = 16
# Backgrounds of the scan of all k-mers, from which no number is stated.
_N_LANDSCAPE = 64


def obstacle(study: Study) -> str | None:
    """A scan is always possible."""
    return None


def compute(study: Study) -> Results:
    """All k-mers on a few backgrounds; both ends on many, and again on others."""
    kmers = _kmers(study)
    scan = _landscape(study, kmers)
    options: dict[str, Any] = {
        "start": study.start,
        "both_strands": study.options.both_strands,
        **study.ask,
    }
    ends = _ends(study, kmers, scan, options)
    best = {
        kmer
        for name, end in ends.items()
        for kmer in end.top(BEST_KMERS, lowest=name == "lowest")["kmer"]
    }
    both = [kmer for kmer in kmers if kmer in best]
    again = kmer_scan(study.model, study.X, kmers=both, **options)
    return {"scan": scan, **ends, "again": again}


def _ends(
    study: Study, kmers: list[str], scan: KmerScan, options: dict[str, Any]
) -> dict[str, KmerScan]:
    """The highest and the lowest by races; by the scan if it had every background."""
    search, names = study.backgrounds[0], ("highest", "lowest")
    if scan.n == len(search.X):
        return dict.fromkeys(names, scan)
    return {
        name: best_kmers(
            study.model,
            search.X,
            kmers=kmers,
            top=BEST_KMERS,
            lowest=name == "lowest",
            **options | {"clusters": search.clusters},
        )
        for name in names
    }


def _landscape(study: Study, kmers: list[str]) -> KmerScan:
    """All k-mers at one place, in chunks that are saved as they are finished."""
    both_strands = study.options.both_strands
    size = math.ceil(len(kmers) / _CHUNKS)
    chunks = study.store.chunks("scan")
    fingerprint = study.fingerprint("scan")
    (X, clusters), pieces = study.backgrounds[0].part(slice(_N_LANDSCAPE)), []
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
    asked = len(kmers) * (2 if both_strands else 1) * len(X)
    return KmerScan(
        kmers, effect, se, len(X), len(kmers), asked, asked, clusters=clusters
    )


def describe(study: Study, results: Results) -> Section:
    """The best k-mer, and which of both ends raise or lower the output."""
    found: KmerScan = results["scan"]
    frame = found.to_frame()
    k = len(found.kmers[0])
    strands = (
        " averaged with their reverse complements" if study.options.both_strands else ""
    )
    return Section(
        "scan",
        f"Which {k}-mer raises the output most?",
        f"All {count(len(frame), f'{k}-mer')}{strands} at position {study.start}: the "
        f"figure shows their ranks on {count(found.n, 'background')}; nothing is "
        f"tested there. The highest and the lowest are chosen on "
        f"{results['highest'].n:,} and measured again on {results['again'].n:,} "
        "others, from which every number in words comes.",
        [
            Figure(
                "scan",
                partial(plot.kmer_ranks, found),
                _reading(results),
                rank_chart(frame, f"Effect ({unit_of(study.inputs.answer)})"),
            )
        ],
        {
            "scan": frame.sort_values("effect", ascending=False, kind="stable"),
            "highest_and_lowest": results["again"].to_frame(),
        },
    )


def _kmers(study: Study) -> list[str]:
    letters, k = study.inputs.alphabet, study.options.k
    if not study.options.both_strands:
        return all_kmers(k, letters)
    indices = canonical_kmers(k, letters).tolist()
    return [kmer_from_index(index, k, letters) for index in indices]


def _reading(results: Results) -> str:
    frame = results["again"].to_frame().set_index("kmer")
    p = paired_t_test(results["again"]).p
    stands = benjamini_hochberg(p, ALPHA).significant
    effect = frame["effect"].where(stands, 0)
    highest, lowest = (
        results[name].top(BEST_KMERS, lowest=name == "lowest")["kmer"].tolist()
        for name in ("highest", "lowest")
    )
    best, worst, n = highest[0], lowest[0], results["scan"].n_scanned
    reading = (
        f"{best} has the highest effect of {count(n, f'{len(best)}-mer')}, {worst} the "
        f"lowest. Measured again, at a false discovery rate of 5 %, "
        f"{(effect[highest] > 0).sum()} of the {len(highest)} highest raise the output "
        f"and {(effect[lowest] < 0).sum()} of the {len(lowest)} lowest lower it."
    )
    if effect[worst] < 0 and -effect[worst] > frame["effect"][best]:
        reading += (
            f" {worst} lowers it by more than any raises it; `--motif {worst}` makes "
            "that the motif of a report."
        )
    return reading
