"""What a report says of the motif itself: scan, effect, letters, logo."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy
import torch

from .. import plot
from ..kmer_motifs import KmerAlignment, align_kmers
from ..kmer_results import KmerScan
from ..kmers import mutagenesis_change
from ..motifs import information_content
from ..results import GIAResult
from ..selection import benjamini_hochberg
from ..statistics import Values
from .parts import TOP
from .store import Results
from .study import Study
from .wording import count, number, row_with_interval

if TYPE_CHECKING:
    pass

from .section import ALPHA, Figure, Section, as_result

# Positions of a motif with less information are not read as a letter.
_LEAST_BITS = 0.5


def scan(study: Study, results: Results) -> Section:
    found = _scan_of(results)
    frame = found.to_frame()
    k = len(found.kmers[0])
    p = 2 * scipy.stats.t.sf(np.abs(frame["effect"] / frame["se"]), found.n - 1)
    differ = int(benjamini_hochberg(p, ALPHA).significant.sum())
    top = found.top(min(TOP, len(found.kmers)))
    strands = (
        " averaged with their reverse complements" if study.options.both_strands else ""
    )
    reading = (
        f"{top['kmer'][0]} has the largest effect of {count(len(frame), f'{k}-mer')}; "
        f"{differ:,} differ from 0 at a false discovery rate of 5 %."
    )
    return Section(
        "scan",
        f"Which {k}-mer matters most?",
        f"All {count(len(frame), f'{k}-mer')}{strands} at position {study.start} of "
        f"{count(found.n, 'background')}. The best of many is partly lucky: effects "
        "below are measured again on other backgrounds.",
        [Figure("scan", partial(plot.kmer_ranks, found), reading)],
        {"scan": frame.sort_values("effect", ascending=False, kind="stable")},
    )


def motif(study: Study, results: Results) -> Section:
    controls = as_result(results["controls"])
    frame = controls.to_frame()
    own = frame[frame["control"] == "none"].iloc[0]
    random = frame[frame["control"].str.startswith("random")]["effect"]
    shuffled = frame[frame["control"].str.startswith("shuffled")]["effect"]
    reading = (
        f"{study.motif} changes the {study.inputs.output} by {row_with_interval(own)}; "
        f"random motifs of its length by {_span(random)}, permutations of its letters "
        f"by {_span(shuffled)}."
    )
    section = Section(
        "motif",
        f"How large is the effect of {study.motif}?",
        f"{study.motif} at position {study.start} of "
        f"{count(len(study.X), 'background')}, with random motifs and permutations of "
        "its letters as controls on the same backgrounds.",
        [
            Figure(
                "motif",
                partial(plot.local_importance_boxes, _named(controls, study.motif)),
                reading,
            )
        ],
        {"motif": frame},
        f"{study.motif} {_raises(own)} the {study.inputs.output} by "
        f"{row_with_interval(own)}.",
        [("Effect of the motif", f"{study.motif}: {row_with_interval(own)}")],
        {
            "motif": study.motif,
            "effect": own["effect"],
            "effect_low": own["low"],
            "effect_high": own["high"],
        },
    )
    if "winners" in results:
        winners = as_result(results["winners"]).to_frame()
        section.tables["winners"] = winners
        first = winners["effect"].to_numpy().argmax() == 0
        order = "stays first" if first else "is not the largest"
        section.method += (
            " It is the best k-mer of the scan, and these are other backgrounds than "
            f"those that chose it. Among the {len(winners)} best of the scan it "
            f"{order} here."
        )
    return section


def mutagenesis(study: Study, results: Results) -> Section:
    result = as_result(results["mutagenesis"])
    changes = mutagenesis_change(result, alphabet=study.inputs.alphabet)
    values = changes.to_numpy()
    place = int((values**2).sum(axis=1).argmax())
    most = f"{study.motif[place]} at position {place}"
    reading = (
        f"{most} of the motif matters most. The most harmful single change is "
        f"{_variant(study, values, int(values.argmin()))}"
    )
    if values.max() > 0:
        reading += f", the largest gain {_variant(study, values, int(values.argmax()))}"
    return Section(
        "mutagenesis",
        "Which of its letters matter?",
        "Every single-letter variant of the motif in place of it. The heat map shows "
        "the change from the motif itself, the logo its length (L2 norm) at each "
        "position.",
        [
            Figure(
                "mutagenesis",
                partial(
                    plot.mutagenesis_heatmap,
                    changes,
                    study.motif,
                    study.inputs.alphabet,
                ),
                f"{reading}.",
            )
        ],
        {"mutagenesis": result.to_frame()},
        f"Its most important letter is {most} of the motif.",
        [("Most important letter", f"{most} of the motif")],
    )


def alignment(study: Study, results: Results) -> Section:
    top = _scan_of(results).top(TOP)
    letters = study.inputs.alphabet
    aligned = align_motif(study, results)
    consensus = _consensus(aligned.ppm, letters)
    return Section(
        "alignment",
        "What does the motif look like?",
        f"The {len(top)} best k-mers of the scan, aligned to the best and weighted by "
        "their effects. It is drawn from effects on the model, not from counts of "
        "binding sites.",
        [
            Figure(
                "alignment",
                partial(plot.motif_logo, aligned.ppm, letters),
                f"The aligned k-mers read {consensus} where they agree (N: less than "
                f"{_LEAST_BITS} bits).",
            )
        ],
        {"alignment": aligned.table},
        f"The best k-mers align to {consensus}.",
        [("Aligned motif", consensus)],
        {"consensus": consensus},
    )


def align_motif(study: Study, results: Results) -> KmerAlignment:
    """The motif of a scan's best k-mers."""
    top = _scan_of(results).top(TOP)
    return align_kmers(
        top["kmer"].tolist(),
        top["effect"].tolist(),
        alphabet=study.inputs.alphabet,
        both_strands=study.options.both_strands,
    )


def _variant(study: Study, values: Values, index: int) -> str:
    """A single change of the motif and what it does."""
    place, letter = divmod(index, values.shape[1])
    return (
        f"{study.motif[place]} to {study.inputs.alphabet[letter]} at position {place} "
        f"({number(float(values[place, letter]), 2)})"
    )


def _consensus(ppm: torch.Tensor, letters: Sequence[str]) -> str:
    """The likeliest letters, N where none is likely, without N at the ends."""
    bits = information_content(ppm)
    likeliest = [letters[i] for i in ppm.argmax(dim=0)]
    kept = [
        letter if bit >= _LEAST_BITS else "N"
        for letter, bit in zip(likeliest, bits.tolist(), strict=True)
    ]
    return "".join(kept).strip("N")


def _raises(effect: Any) -> str:
    if effect["low"] > 0:
        return "raises"
    return "lowers" if effect["high"] < 0 else "may not change"


def _span(effects: pd.Series[float]) -> str:
    return f"{number(effects.min(), 2)} to {number(effects.max(), 2)}"


def _named(controls: GIAResult, motif: str) -> GIAResult:
    """The same result with one column that says what stands in each condition."""
    kinds = controls.conditions["control"]
    names = [motif if kind == "none" else kind for kind in kinds]
    return controls._replace(conditions=pd.DataFrame({"pattern": names}))


def _scan_of(results: Results) -> KmerScan:
    found = results["scan"]
    assert isinstance(found, KmerScan)
    return found
