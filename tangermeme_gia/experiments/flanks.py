"""Context: what GC-rich flanks add to a motif."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
import torch
from tangermeme.utils import PackedSequence

from .._core.designs import run_patterns
from .._core.letters import check_sequences, resolve_alphabet
from .._core.motif import Motif, MotifLike
from .._core.options import document
from .._core.patterns import Pattern, resolve_start
from .._core.results import GIAResult

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import PatternOptions

# What each arm places; the paper's five, and the motif between both flanks.
_ARMS = {
    "motif": ("motif",),
    "left": ("left",),
    "right": ("right",),
    "motif+left": ("left", "motif"),
    "motif+right": ("motif", "right"),
    "both": ("left", "motif", "right"),
}


@document
def gc_flank(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    motif: MotifLike,
    left: MotifLike = "GCGCGC",
    right: MotifLike = "GCGCGC",
    *,
    start: int | None = None,
    left_start: int = 0,
    right_start: int | None = None,
    alphabet: Sequence[str] | None = None,
    **options: Unpack[PatternOptions],
) -> GIAResult:
    """Does GC at the 5' or the 3' end change what a motif does?

    The paper's GC-bias experiment: the flank alone and the motif alone are the
    controls of the flank with the motif. Any other flanks may be given.

    Parameters
    ----------
    {model}

    motif: str, torch.Tensor or numpy.ndarray
        The motif: letters (N keeps the background), "FILE:NAME", one-hot, or a PPM of
        which each background gets one draw.

    left, right: str, torch.Tensor or numpy.ndarray, optional
        The 5' and the 3' flank, likewise. Default is "GCGCGC".

    start: int or None, optional
        The 0-based first base of the motif, None for the centre. Default is None.

    left_start: int, optional
        The first base of the 5' flank. Default is 0.

    right_start: int or None, optional
        The first base of the 3' flank; None puts it at the end of X. Starts are
        columns of X, so that in shorter, padded sequences a flank at either end is
        written over the padding. Default is None.

    {options}

    {controls}

    Returns
    -------
    result: GIAResult
        Six conditions. `conditions` has the columns `arm` ("motif", "left", "right",
        "motif+left", "motif+right", and "both", the motif between both flanks),
        `motif`, `left`, `right`, `starts` (a tuple, from 5' to 3', of what the arm
        places) and `control`.

    Raises
    ------
    ValueError, TypeError
        If a pattern runs past X, overlaps another or has letters outside the
        alphabet, or X is not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(164, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 41))].transpose(1, 2)
    >>> result = gc_flank(model, X, "UGCAUG", alphabet="ACGU")
    >>> result.conditions[["arm", "starts"]].iloc[-1].tolist()
    ['both', (0, 17, 35)]
    """
    letters = resolve_alphabet(model, alphabet)
    check_sequences(X, letters)
    given = {"left": left, "motif": motif, "right": right}
    conditions, table = _tabulate(
        {name: Motif.parse(given[name], letters) for name in given},
        {"left": left_start, "motif": start, "right": right_start},
        X.shape[-1],
    )
    return run_patterns(
        model,
        X,
        conditions,
        table,
        alphabet=letters,
        **options,
    )


def _tabulate(
    motifs: dict[str, Motif],
    starts: dict[str, int | None],
    length: int,
) -> tuple[list[list[Pattern]], pd.DataFrame]:
    """The conditions and their table."""
    if starts["right"] is None:
        # A flank longer than X is reported by `resolve_start`.
        starts["right"] = max(0, length - len(motifs["right"]))
    patterns = {
        name: Pattern(motif, _resolve(name, starts[name], motif, length))
        for name, motif in motifs.items()
    }
    conditions = [[patterns[name] for name in arm] for arm in _ARMS.values()]
    table = pd.DataFrame({"arm": list(_ARMS)})
    for name in ("motif", "left", "right"):
        table[name] = motifs[name].label
    table["starts"] = [tuple(p.start for p in placed) for placed in conditions]
    return conditions, table


def _resolve(name: str, start: int | None, motif: Motif, length: int) -> int:
    try:
        return resolve_start(start, len(motif), length)
    except (TypeError, ValueError) as error:
        raise type(error)(f"`{name}`: {error}") from error
