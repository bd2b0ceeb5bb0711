"""What does the motif look like?"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch

from ... import plot
from ..._core.junctions import Junctions
from ..._core.letters import DNA, RNA
from ...motifs.database import write_meme
from ...motifs.from_kmers import align_kmers
from ...motifs.matrices import information_content
from ..figures import letters_from_one
from ..junctions import split_winners
from ..section import Figure, Line, Section
from ..store import Results
from ..study import Study
from ..thumbnails import logo

# Positions of a motif with less information are not read as a letter.
_LEAST_BITS = 0.5
# The aligned motif for other tools, in MEME's format.
_MOTIF_FILE = "motif.meme"


def obstacle(study: Study) -> str | None:
    """The best k-mers are weighted by their effects."""
    if not (_junctions(study).to_frame()["effect_without"] > 0).any():
        return "no k-mer raises the output, and effects above 0 weight the motif"
    return None


def compute(study: Study) -> Results:
    """Nothing of its own: scan and winners have been measured."""
    return {}


def describe(study: Study, results: Results) -> Section:
    """The motif of the scan's best k-mers."""
    letters = study.inputs.alphabet
    aligned = align_kmers(
        _junctions(study), alphabet=letters, both_strands=study.options.both_strands
    )
    consensus = _consensus(aligned.ppm, letters)
    reads = f"read {consensus}" if consensus else "have no letter in common"
    # Names in MEME's format end at a blank.
    motifs = {"_".join(study.inputs.name.split()): aligned.ppm}

    def write(path: Path) -> None:
        write_meme(path, motifs, alphabet=letters)

    return Section(
        "alignment",
        "What does the motif look like?",
        f"The {len(aligned.table)} best k-mers of the scan, aligned to the best and "
        "weighted by their effects on held-out backgrounds where they complete no "
        "better one of them. It is drawn from effects on the model, not from counts of "
        "binding sites.",
        [
            Figure(
                "alignment",
                partial(
                    letters_from_one, partial(plot.motif_logo, aligned.ppm, letters)
                ),
                f"The aligned k-mers {reads} ({_gap(letters)}: less than "
                f"{_LEAST_BITS} bits).",
            )
        ],
        {"alignment": aligned.table},
        f"Aligned, its best k-mers {reads}.",
        logo(aligned.ppm, letters),
        summary=[Line("Aligned motif", consensus or "none")],
        headline={"consensus": consensus},
        motif=aligned.ppm,
        # The format knows no other alphabets.
        files={_MOTIF_FILE: write} if letters in (DNA, RNA) else {},
    )


def _junctions(study: Study) -> Junctions:
    return split_winners(study, study.finished["motif"]["winners"])


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
