"""Which k-mer raises the output most?"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pandas as pd
import torch

from ... import plot
from ..._core.clusters import as_codes
from ..._core.moments import effect_moments
from ..._core.progress import whole
from ..._core.results import GIAResult
from ..._core.scans import KmerScan
from ...kmers.codes import all_kmers, canonical_kmers, kmer_from_index
from ...kmers.ends import effects_of_kmers, race_to_both_ends
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
# The lowest lie closer together than the highest, and take longer to tell apart.
_N_LOWEST = 3


def obstacle(study: Study) -> str | None:
    """A scan is always possible."""
    return None


def compute(study: Study) -> Results:
    """All k-mers on a few backgrounds; both ends on many, and again on others."""
    options: dict[str, Any] = {
        "start": study.start,
        "both_strands": study.options.both_strands,
        **study.ask,
    }
    effects = _landscape(study, options)
    scan = _as_scan(effects, 2 if study.options.both_strands else 1)
    ends = _ends(study, effects, scan, options)
    chosen = {kmer for end in ends.values() for kmer in end.kmers}
    both = [kmer for kmer in scan.kmers if kmer in chosen]
    again = kmer_scan(study.model, study.X, kmers=both, **options)
    return {"scan": scan, **ends, "again": again}


def _ends(
    study: Study, effects: GIAResult, scan: KmerScan, options: dict[str, Any]
) -> dict[str, KmerScan]:
    """The highest and the lowest by races; by the scan if it had every background."""
    search, n_best = study.backgrounds[0], (BEST_KMERS, _N_LOWEST)
    if scan.n < len(search.X):
        clusters = {"clusters": search.clusters}
        return race_to_both_ends(
            study.model, search.X, effects, n_best, **options | clusters
        )._asdict()
    ends = {}
    for name, n in zip(("highest", "lowest"), n_best, strict=True):
        best = scan.top(n, lowest=name == "lowest")["kmer"]
        part = _part_of(scan, [scan.kmers.index(kmer) for kmer in best])
        ends[name] = part._after_race(0.0, name == "lowest")
    return ends


def _landscape(study: Study, options: dict[str, Any]) -> GIAResult:
    """All k-mers at one place, in chunks that are saved as they are finished."""
    kmers = _kmers(study)
    size = math.ceil(len(kmers) / _CHUNKS)
    chunks = study.store.chunks("scan")
    fingerprint = study.fingerprint("scan")
    (X, clusters, _), pieces = study.backgrounds[0].part(slice(_N_LANDSCAPE)), []
    strands = 2 if study.options.both_strands else 1
    with whole(len(kmers) * len(X) * strands, "sequences", study.verbose):
        for first in range(0, len(kmers), size):
            name = f"{first:08d}"
            if changes(study, chunks, name, fingerprint) != []:
                few = kmers[first : first + size]
                asked = options | {"clusters": clusters}
                effects = effects_of_kmers(study.model, X, few, **asked)
                results: Results = {
                    "effects": effects,
                    "scan": _as_scan(effects, strands),
                }
                chunks.save(name, results, fingerprint, make_probe(study, results))
            pieces.append(chunks.load(name).results["effects"])
    y_afters = torch.cat([piece.y_afters for piece in pieces], dim=1)
    table = pd.DataFrame({"kmer": kmers})
    return GIAResult(pieces[0].y_before, y_afters, table, clusters=clusters)


def _as_scan(effects: GIAResult, strands: int) -> KmerScan:
    """The means over the backgrounds, as `kmer_scan` gives them."""
    assert isinstance(effects.y_before, torch.Tensor)
    assert isinstance(effects.y_afters, torch.Tensor)
    codes = None if effects.clusters is None else as_codes(effects.clusters)
    effect, se = map(
        torch.from_numpy, effect_moments(effects.y_before, effects.y_afters, codes)
    )
    kmers, n = effects.conditions["kmer"].tolist(), len(effects.y_before)
    asked = len(kmers) * strands * n
    return KmerScan(
        kmers, effect, se, n, len(kmers), asked, asked, clusters=effects.clusters
    )


def _part_of(scan: KmerScan, rows: list[int]) -> KmerScan:
    """Some k-mers of a scan, which says of how many they are."""
    assert isinstance(scan.effect, torch.Tensor)
    assert isinstance(scan.se, torch.Tensor)
    return scan._replace(
        kmers=[scan.kmers[i] for i in rows],
        effect=scan.effect[rows],
        se=scan.se[rows],
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
        results[name].top(len(results[name].kmers), lowest=name == "lowest")["kmer"]
        for name in ("highest", "lowest")
    )
    best, worst, n = highest.iloc[0], lowest.iloc[0], results["scan"].n_scanned
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
