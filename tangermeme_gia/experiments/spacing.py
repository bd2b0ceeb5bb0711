"""Spacing: motifs at growing distances from a first one that stays put."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.designs import run_patterns
from .._core.letters import DNA, check_sequences, resolve_alphabet
from .._core.motif import Motif
from .._core.named_motifs import MotifsLike, named_motifs
from .._core.options import document
from .._core.patterns import Pattern
from .._core.results import GIAResult

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import PatternOptions

Spacings: TypeAlias = (
    Sequence[int] | Sequence[Sequence[int]] | NDArray[np.integer[Any]] | torch.Tensor
)
_Gaps: TypeAlias = tuple[int, ...]


class _Arrangement(NamedTuple):
    """Which motif stands where: order, strands and gaps from left to right."""

    order: tuple[int, ...]
    orientation: str
    gaps: _Gaps


@document
def motif_spacing(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    motifs: MotifsLike,
    spacings: Spacings,
    *,
    start: int | None = None,
    orders: Sequence[Sequence[int]] | str | None = None,
    orientations: Sequence[str] | str | None = None,
    alphabet: Sequence[str] | None = None,
    **options: Unpack[PatternOptions],
) -> GIAResult:
    """How does what motifs do together depend on the bases between them?

    The leftmost motif stays at `start` for every spacing, so that spacing is not
    confounded with its position; the others move. Each motif also stands alone at the
    coordinates that it has in each arrangement: the local importance of arm "all"
    minus those of the arms "1", "2", ... is the interaction at that spacing.

    Parameters
    ----------
    {model}

    motifs: sequence of str, torch.Tensor or numpy.ndarray
        Two or more motifs, from left to right: letters (N keeps the background),
        "FILE:NAME", one-hot, or PPMs of which each background gets one draw. Or a file,
        whose motifs are all placed.

    spacings: sequence of int, or array-like, shape=(n_spacings, len(motifs) - 1)
        Bases between neighbouring motifs: a number for all gaps, or a row with a
        number for each gap, as in `tangermeme.space.space`.

    start: int or None, optional
        The 0-based first base of the leftmost motif. None is where it stands when the
        widest arrangement is centred, for all spacings, unlike in
        `tangermeme.space.space`, which centres each. Default is None.

    orders: sequence of sequences of int, "all" or None, optional
        The orders from left to right as 0-based indices of `motifs`, such as [(0, 1),
        (1, 0)]; "all" is every order, None the given one. Default is None.

    orientations: sequence of str, "all" or None, optional
        DNA only: a sign for each of `motifs`, in the order of `motifs`, such as
        ["++", "+-"], where "-" is the reverse complement; "all" is every combination,
        None all "+". The strands of a PPM are drawn independently. Default is None.

    {options}

    {controls}

    Returns
    -------
    result: GIAResult
        Conditions by order, orientation, spacing and arm. `conditions` has the columns
        `motifs`, `order` (numbers from 1, such as "2,1"), `orientation` (such as
        "+-"), `spacing` and `distance` from start to start (a number if there is one
        for all gaps, else a tuple), `arm` ("all", or the number of the motif that
        stands alone), `starts` (a tuple, from left to right, of what the arm places)
        and `control`. A control motif is drawn for each strand.

    Raises
    ------
    ValueError, TypeError
        If there are fewer than two motifs, a spacing is negative or does not fit, an
        order is no permutation, an orientation is unknown or the alphabet not DNA, a
        motif has letters outside the alphabet, or X is not one-hot.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> result = motif_spacing(model, X, ["GATA", "TTA"], [0, 4])
    >>> result.conditions[["spacing", "arm", "starts"]].values.tolist()[-3:]
    [[4, 'all', (5, 13)], [4, '1', (5,)], [4, '2', (13,)]]
    """
    letters = resolve_alphabet(model, alphabet)
    check_sequences(X, letters)
    _, parsed = named_motifs(motifs, letters)
    if len(parsed) < 2:
        raise ValueError("`motifs` must hold at least two motifs.")
    gaps = _as_gaps(spacings, len(parsed))
    start = _resolve_first(start, sum(map(len, parsed)), gaps, X.shape[-1])
    signs = as_orientations(orientations, len(parsed), letters)
    axes = (as_orders(orders, len(parsed)), signs, gaps)
    arrangements = list(itertools.starmap(_Arrangement, itertools.product(*axes)))
    conditions, table = _tabulate(parsed, arrangements, start)
    return run_patterns(
        model,
        X,
        conditions,
        table,
        alphabet=letters,
        **options,
    )


def _tabulate(
    motifs: Sequence[Motif], arrangements: Sequence[_Arrangement], start: int
) -> tuple[list[list[Pattern]], pd.DataFrame]:
    """The conditions of every arrangement: all motifs, then each alone."""
    strands = {(i, "+"): motif for i, motif in enumerate(motifs)}
    for i in {i for a in arrangements for i in a.order if a.orientation[i] == "-"}:
        strands[i, "-"] = motifs[i].reverse_complement()
    conditions, rows = [], []
    for arrangement in arrangements:
        order, orientation, gaps = arrangement
        starts = list(_lay_out(arrangement, motifs, start))
        placed = {
            i: Pattern(strands[i, orientation[i]], position)
            for i, position in zip(order, starts, strict=True)
        }
        distances = tuple(b - a for a, b in itertools.pairwise(starts))
        arms = {"all": list(order)} | {str(i + 1): [i] for i in sorted(order)}
        for arm, members in arms.items():
            conditions.append([placed[i] for i in members])
            rows.append(
                {
                    "motifs": ", ".join(motif.label for motif in motifs),
                    "order": ",".join(str(i + 1) for i in order),
                    "orientation": orientation,
                    "spacing": _one_if_equal(gaps),
                    "distance": _one_if_equal(distances),
                    "arm": arm,
                    "starts": tuple(placed[i].start for i in members),
                }
            )
    return conditions, pd.DataFrame(rows)


def _lay_out(
    arrangement: _Arrangement, motifs: Sequence[Motif], start: int
) -> Iterator[int]:
    for i, gap in zip(arrangement.order, (*arrangement.gaps, 0), strict=True):
        yield start
        start += len(motifs[i]) + gap


def _one_if_equal(values: tuple[int, ...]) -> int | tuple[int, ...]:
    return values[0] if len(set(values)) == 1 else values


def _as_gaps(spacings: Spacings, n_motifs: int) -> list[_Gaps]:
    rows = spacings.tolist() if hasattr(spacings, "tolist") else spacings
    if not isinstance(rows, Sequence) or len(rows) == 0:
        raise ValueError(
            f"`spacings`={spacings!r} must be a sequence with at least one spacing."
        )
    gaps = []
    for row in rows:
        values: list[Any] = [row] * (n_motifs - 1)
        if isinstance(row, (Sequence, np.ndarray, torch.Tensor)):
            values = list(row)
        if len(values) != n_motifs - 1:
            raise ValueError(
                f"`spacings` has the row {row}; {n_motifs} motifs have "
                f"{n_motifs - 1} gaps."
            )
        gaps.append(tuple(as_spacing(value) for value in values))
    return gaps


def as_spacing(value: Any) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"`spacings` holds {value!r}; spacings are integers.")
    if value < 0:
        raise ValueError(
            f"`spacings` holds {value}; 0 bases between motifs is the least."
        )
    return operator.index(value)


def _resolve_first(
    start: int | None, total: int, gaps: list[_Gaps], length: int
) -> int:
    """Where the leftmost motif stands, if the widest arrangement fits from there."""
    widest = max(gaps, key=sum)
    width = total + sum(widest)
    spacing = _one_if_equal(widest)
    if width > length:
        raise ValueError(
            f"the motifs with `spacings` {spacing} take {width} bases; `X` has length "
            f"{length}."
        )
    if start is None:
        return length // 2 - width // 2
    if isinstance(start, bool) or not hasattr(start, "__index__"):
        raise TypeError(f"`start`={start!r} must be an integer or None.")
    if not 0 <= start <= length - width:
        raise ValueError(
            f"`start`={start} does not leave room for the motifs with `spacings` "
            f"{spacing}, which take {width} of the {length} bases of `X`; valid starts "
            f"are 0 to {length - width}."
        )
    return operator.index(start)


def as_orders(
    orders: Sequence[Sequence[int]] | str | None, n: int
) -> list[tuple[int, ...]]:
    if orders is None:
        return [tuple(range(n))]
    if isinstance(orders, str):
        if orders != "all":
            raise ValueError(f"`orders`={orders!r} must be 'all', None or a list.")
        return list(itertools.permutations(range(n)))
    for order in orders:
        if not isinstance(order, Sequence) or sorted(order) != list(range(n)):
            raise ValueError(
                f"`orders` holds {order!r}; an order holds each of 0 to {n - 1} once."
            )
    if len(orders) == 0:
        raise ValueError("`orders` is empty; None keeps the order of `motifs`.")
    return [tuple(order) for order in orders]


def as_orientations(
    orientations: Sequence[str] | str | None, n: int, letters: tuple[str, ...]
) -> list[str]:
    if orientations is None:
        return ["+" * n]
    if set(letters) != set(DNA):
        raise ValueError(
            f"`orientations` are the strands of DNA; `alphabet` is "
            f"{', '.join(letters)}."
        )
    if isinstance(orientations, str):
        if orientations != "all":
            raise ValueError(
                f"`orientations`={orientations!r} must be 'all', None or a list."
            )
        return ["".join(signs) for signs in itertools.product("+-", repeat=n)]
    for signs in orientations:
        if len(signs) != n or not set(signs) <= {"+", "-"}:
            raise ValueError(
                f"`orientations` holds {signs!r}; it must be {n} signs, '+' or '-'."
            )
    if len(orientations) == 0:
        raise ValueError("`orientations` is empty; None keeps all motifs as given.")
    return list(orientations)
