"""What a report says of the motif itself: scan, effect, letters, logo."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import scipy
import torch

from .. import plot
from .._core.motif_codes import DNA, RNA
from .._core.results import GIAResult
from ..kmers.mutagenesis import mutagenesis_change
from ..kmers.results import KmerScan
from ..motifs.from_kmers import KmerAlignment, align_kmers
from ..motifs.matrices import information_content
from ..statistics.effects import effect_difference
from ..statistics.intervals import Values
from ..statistics.selection import benjamini_hochberg
from .parts import TOP
from .section import ALPHA, Figure, Section, as_result, extremes, local_effects
from .store import Results
from .study import Study
from .wording import count, number, row_with_interval, span, with_interval

# Positions of a motif with less information are not read as a letter.
_LEAST_BITS = 0.5
# The aligned motif for other tools, in MEME's format.
MOTIF_FILE = "motif.meme"


def scan(study: Study, results: Results) -> Section:
    found = _scan_of(results)
    frame = found.to_frame()
    k = len(found.kmers[0])
    stands = benjamini_hochberg(_p_values(frame, found.n), ALPHA).significant
    n_raise, n_lower = (
        int((stands & (sign * frame["effect"] > 0)).sum()) for sign in (1, -1)
    )
    best, worst = (found.top(1, lowest=lowest).iloc[0] for lowest in (False, True))
    strands = (
        " averaged with their reverse complements" if study.options.both_strands else ""
    )
    reading = (
        f"{best['kmer']} has the highest effect of {count(len(frame), f'{k}-mer')}, "
        f"{worst['kmer']} the lowest. At a false discovery rate of 5 %, {n_raise:,} "
        f"raise the output and {n_lower:,} lower it."
    )
    if n_lower and -worst["effect"] > best["effect"]:
        reading += (
            f" {worst['kmer']} lowers it by more than any raises it; `--motif "
            f"{worst['kmer']}` makes that the motif of a report."
        )
    return Section(
        "scan",
        f"Which {k}-mer raises the output most?",
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
    boxes = partial(plot.local_importance_boxes, _named(controls, study.motif))
    section = Section(
        "motif",
        f"How large is the effect of {study.motif}?",
        f"{study.motif} at position {study.start} of "
        f"{count(len(study.X), 'background')}, with random motifs and permutations of "
        "its letters as controls on the same backgrounds.",
        [Figure("motif", boxes, f"{_does(study, own)}. {_beside_controls(controls)}")],
        {"motif": frame},
        f"{_does(study, own)}.",
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
        section.method += _among_winners(winners)
    return section


def _beside_controls(controls: GIAResult) -> str:
    """How the motif, the first condition, stands beside backgrounds and controls."""
    frame = controls.to_frame()
    effect, kinds, local = frame["effect"], frame["control"], local_effects(controls)
    # The strongest control in the direction of the motif, against which it must stand.
    sign = -1 if effect.iloc[0] < 0 else 1
    rival = 1 + int((sign * effect.iloc[1:]).to_numpy().argmax())
    beyond = effect_difference(local[:, 0], local[:, rival])
    alone = controls.y_before
    assert isinstance(alone, torch.Tensor)
    return (
        f"{100 * (sign * local[:, 0] > 0).mean():.0f} % of backgrounds have an effect "
        "of this sign; their own outputs have the mean "
        f"{number(float(alone.mean()))} and the standard deviation "
        f"{number(float(alone.std()))}. Random motifs of its length have effects of "
        f"{span(effect[kinds.str.startswith('random')])}, permutations of its letters "
        f"{span(effect[kinds.str.startswith('shuffled')])}; from the strongest of "
        f"these its own differs by {row_with_interval(beyond)}."
    )


def _among_winners(winners: pd.DataFrame) -> str:
    """Whether the scan's best k-mer is the best on other backgrounds, too."""
    first = winners["effect"].to_numpy().argmax()
    names = winners["patterns"].str.split("@").str[0]
    order = (
        "stays first here" if first == 0 else f"is not first here, but {names[first]}"
    )
    return (
        " It is the best k-mer of the scan, and these are other backgrounds than those "
        f"that chose it. Among the {len(winners)} best of the scan it {order}."
    )


def mutagenesis(study: Study, results: Results) -> Section:
    result = as_result(results["mutagenesis"])
    changes = mutagenesis_change(result, alphabet=study.inputs.alphabet)
    values = changes.to_numpy()
    place = int((values**2).sum(axis=1).argmax())
    most = f"{study.motif[place]} at position {place}"
    local = local_effects(result)
    ends = extremes(local[:, 1:] - local[:, :1])
    lowers, raises = ends.low["high"] < 0, ends.high["low"] > 0
    down, up = (_variant(study, result, row) for row in (ends.low, ends.high))
    reading = f"{most} of the motif matters most. Of all single changes, " + (
        f"{down} lowers the effect most" if lowers else "none clearly lowers the effect"
    )
    reading += f"; {up} raises it most" if raises else "; none clearly raises it"
    if not lowers and not raises:
        most, reading = "none is clear", "No single change clearly alters the effect"
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
                f"{reading} (found on one half of the backgrounds, measured on the "
                "other).",
            )
        ],
        {"mutagenesis": result.to_frame()},
        f"Its most important letter is {most} of the motif."
        if lowers or raises
        else "None of its letters clearly matters.",
        [("Most important letter", most)],
    )


def alignment(study: Study, results: Results) -> Section:
    top = _scan_of(results).top(TOP)
    letters = study.inputs.alphabet
    aligned = align_motif(study, results)
    consensus = _consensus(aligned.ppm, letters)
    reads = f"read {consensus}" if consensus else "agree on no letter"
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
                f"The aligned k-mers {reads} ({_gap(letters)}: less than "
                f"{_LEAST_BITS} bits).",
            )
        ],
        {"alignment": aligned.table},
        f"Aligned, the best k-mers {reads}.",
        [("Aligned motif", consensus or "none")],
        {"consensus": consensus},
        # The format knows no other alphabets.
        (MOTIF_FILE,) if letters in (DNA, RNA) else (),
    )


def no_alignment(results: Results) -> str | None:
    """Why the best k-mers of a scan cannot be aligned."""
    if float(_scan_of(results).top(1)["effect"].iloc[0]) <= 0:
        return "no k-mer raises the output, and effects above 0 weight the motif"
    return None


def align_motif(study: Study, results: Results) -> KmerAlignment:
    """The motif of a scan's best k-mers."""
    top = _scan_of(results).top(TOP)
    return align_kmers(
        top["kmer"].tolist(),
        top["effect"].tolist(),
        alphabet=study.inputs.alphabet,
        both_strands=study.options.both_strands,
    )


def _variant(study: Study, result: GIAResult, row: Any) -> str:
    """A single change of the motif and what it does."""
    variant = result.conditions.iloc[1 + int(row["condition"])]
    place = int(variant["position"])
    return (
        f"{study.motif[place]} to {variant['letter']} at position {place} "
        f"({row_with_interval(row)})"
    )


def _p_values(frame: pd.DataFrame, n: int) -> Values:
    """Of t tests of all effects; where all backgrounds agree there is no doubt."""
    effect, se = frame["effect"].to_numpy(), frame["se"].to_numpy()
    t = np.where(effect == 0, 0.0, np.inf)
    np.divide(np.abs(effect), se, out=t, where=se > 0)
    p: Values = 2 * scipy.stats.t.sf(t, n - 1)
    return p


def _consensus(ppm: torch.Tensor, letters: Sequence[str]) -> str:
    """The likeliest letters, N where none is likely, without N at the ends."""
    bits = information_content(ppm)
    likeliest = [letters[i] for i in ppm.argmax(dim=0)]
    gap = _gap(letters)
    kept = [
        letter if bit >= _LEAST_BITS else gap
        for letter, bit in zip(likeliest, bits.tolist(), strict=True)
    ]
    return "".join(kept).strip(gap)


def _gap(letters: Sequence[str]) -> str:
    """What stands for any letter; N is asparagine in proteins."""
    return next(sign for sign in "NX·" if sign not in letters)


def _does(study: Study, effect: Any) -> str:
    """What the motif does to the output, with its interval."""
    output, text = study.inputs.output, row_with_interval(effect)
    if effect["low"] > 0:
        return f"{study.motif} raises the {output} by {text}"
    if effect["high"] < 0:
        size = with_interval(-effect["effect"], -effect["high"], -effect["low"])
        return f"{study.motif} lowers the {output} by {size}"
    return f"{study.motif} has no clear effect on the {output}: {text}"


def _named(controls: GIAResult, motif: str) -> GIAResult:
    """The same result with one column that says what stands in each condition."""
    kinds = controls.conditions["control"]
    names = [motif if kind == "none" else kind for kind in kinds]
    return controls._replace(conditions=pd.DataFrame({"pattern": names}))


def _scan_of(results: Results) -> KmerScan:
    found = results["scan"]
    assert isinstance(found, KmerScan)
    return found
