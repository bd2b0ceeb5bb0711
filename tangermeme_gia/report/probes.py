"""Whether a model is still the one whose results are saved: it predicts as before.

Checksums do not see what a model computes outside torch, nor all of its code.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from .._core.identity import tensors_checksum
from .._core.motif import MotifLike
from .._core.patterns import place
from .._core.precision import agree
from .store import Fingerprint, Probe, Results, Store
from .study import Study

_SEQUENCES, _WITH_MOTIF = 4, 4


def make_probe(study: Study, results: Results) -> Probe:
    """The first backgrounds, and the motif in some, as the model predicts them now.

    Before there is a motif, the best and the worst k-mer of the results take its place,
    or the first of those that are given.
    """
    X = study.X[:_SEQUENCES].to(torch.int8)
    words: Sequence[MotifLike] = [study.placed]
    start: int | None = study.start
    if not study.motif and study.given:
        words, start = list(study.given.values())[:2], study.options.start
    elif not study.motif:
        ends = (results["scan"].top(1, lowest=lowest) for lowest in (False, True))
        words = [table["kmer"].iloc[0] for table in ends]
    parts = [X]
    for word in words:
        site = [(word, start)]
        letters, seed = study.inputs.alphabet, study.options.random_state
        parts.append(place(X[:_WITH_MOTIF], site, letters, random_state=seed))
    X = torch.cat(parts)
    return Probe(X, _predict(study, X))


def changes(
    study: Study, store: Store, part: str, fingerprint: Fingerprint
) -> list[str] | None:
    """What has changed since a part was saved, its model's predictions included.

    None if it never was, or is broken.
    """
    changed = store.changes(part, fingerprint)
    if changed == [] and not predicts_as_before(study, store.load(part).probe):
        return ["predictions of the model"]
    return changed


def predicts_as_before(study: Study, probe: Probe) -> bool:
    """Whether the model says of the sequences what it said, but for rounding."""
    if probe.X.shape[1:] != study.X.shape[1:] or len(probe.X) != len(probe.y):
        return False
    return agree(probe.y, _predict(study, probe.X))


def _predict(study: Study, X: torch.Tensor) -> torch.Tensor:
    """Predictions of this run: most parts have the same sequences."""
    key = tensors_checksum({"": X})
    if key not in study.probed:
        study.probed[key] = study.predict(X)
    return study.probed[key]
