"""Of pairs that act together: is it an interaction, or does the output saturate?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.agreement import one_warning
from .._core.clusters import Labels
from .._core.engine import NO_RAW
from .._core.graded import as_levels
from .._core.kept import Keep, resolve_keep
from .._core.letters import (
    RandomState,
    as_seed,
    check_count,
    check_sequences,
    resolve_alphabet,
)
from .._core.options import document
from .._core.patterns import Pattern
from ..experiments.latent import latent_interaction
from ..statistics.grammar import Grammar
from ..statistics.inputs import check_fraction
from ..statistics.latent import latent_contrast
from .grammar import N_FIRST
from .measuring import divide

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options

# The third element stands so far away, if there is room.
_FAR = 100
NOT_ASKED = "not asked"
_NO_ROOM = "there is no room for a third element beside the pair"
_MEASURED = ("latent", "latent_low", "latent_high", "raw", "raw_low", "raw_high")


class Trio(NamedTuple):
    """Both motifs of a pair and, away from them, the left one again."""

    a: Pattern
    b: Pattern
    c: Pattern


@document
@one_warning
def latent_pairs(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    grammar: Grammar,
    n_levels: Sequence[int] = (5, 5, 4),
    *,
    n_words: int = 48,
    margin: float = 0.25,
    confidence: float = 0.95,
    alphabet: Sequence[str] | None = None,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> pd.DataFrame:
    """Which confirmed pairs interact, and which only meet an output that saturates?

    `motif_grammar` asks on the scale of the output, on which whatever bends it makes an
    interaction. Each confirmed pair is placed again where it stood out most, with
    graded variants of both and of a third element, as in `latent_interaction`, and
    judged by `statistics.latent_contrast`.

    Parameters
    ----------
    {model}

    grammar: Grammar
        That of `motif_grammar`, of the same model. Give other backgrounds as `X` than
        those that found it, on which the pairs were chosen: new ones, or
        `X[confirming_rows(len(X), ...)]` of the same.

    n_levels: sequence of int, optional
        Grades of the left motif, of the right one and of the third element, which is
        the left one again, 100 bases away or as far as there is room. Default is
        (5, 5, 4).

    n_words: int, optional
        Words that are tried for each. Default is 48.

    margin, confidence: float, optional
        As for `latent_contrast`; of each pair by itself. Default is 0.25 and 0.95.

    {options}

    Returns
    -------
    table: pandas.DataFrame
        A row for each of `grammar.confirmed`, in its order: `a`, `b`, `arrangement`,
        `spacing` (of a mean over spacings, that which stood out most), `verdict` and
        `reason`; the interaction on the latent scale, `latent`, in effects of the left
        motif, and on the output's, `raw`, each with its interval; `n` backgrounds.
        *not asked*, with the reason, where there is no room for a third element, or a
        motif has too few letters for so many grades.

    Raises
    ------
    ValueError, TypeError
        If the model has several outputs (choose one with `target`), or an option is out
        of range; and as in `latent_interaction`.

    Examples
    --------
    >>> class Pair(torch.nn.Module):
    ...     "exp of what GATA and TTA do."
    ...     def forward(self, X):
    ...         gata, tta = (
    ...             torch.nn.functional.conv1d(X, w).relu().pow(2) / 9
    ...             for w in (one_hot("GATA"), one_hot("TTA"))
    ...         )
    ...         total = gata.sum(dim=(1, 2)) + tta.sum(dim=(1, 2))
    ...         return total.div(9).exp()[:, None]
    >>> def one_hot(letters):
    ...     return torch.eye(4)[["ACGT".index(x) for x in letters]].T[None]
    >>> from tangermeme_gia import motif_grammar
    >>> X = torch.eye(4)[torch.randint(4, (120, 40))].transpose(1, 2)
    >>> grammar = motif_grammar(
    ...     Pair(), X[:60], ["GATA", "TTA"], range(3), random_state=0
    ... )
    >>> table = latent_pairs(Pair(), X[60:], grammar, random_state=0)
    >>> len(table) == len(grammar.confirmed), "survives" in set(table["verdict"])
    (True, False)
    """
    letters, seed = resolve_alphabet(model, alphabet), as_seed(random_state)
    check_sequences(X, letters)
    check_fraction("confidence", confidence)
    check_count("n_words", n_words)
    sizes = as_levels(n_levels, "abc")
    if not margin > 0:
        raise ValueError(f"`margin`={margin} must be above 0.")
    if options.get("save_to") is not None:
        raise ValueError(NO_RAW)
    span = widest_free(options.get("keep"), X.shape[-1])
    rows = []
    for i, pair in enumerate(grammar.confirmed.to_dict("records")):
        left, right = grammar.patterns(i)
        row: dict[str, Any] = {name: pair[name] for name in ("a", "b", "arrangement")}
        row["spacing"] = (right.start or 0) - len(left.motif)
        trio = with_third(left, right, span)
        reason = too_short((left, right), sizes, len(letters))
        if reason or trio is None:
            row |= {"verdict": NOT_ASKED, "reason": reason or _NO_ROOM}
            rows.append(row | dict.fromkeys(_MEASURED, np.nan) | {"n": 0})
            continue
        result = latent_interaction(
            model,
            X,
            *trio,
            n_levels=sizes,
            n_words=n_words,
            alphabet=letters,
            random_state=seed,
            **options,
        )
        fit = latent_contrast(result, confidence, margin=margin)
        row |= {"verdict": fit.verdict, "reason": fit.reason}
        for name, found in (("latent", fit.latent), ("raw", fit.raw)):
            row[name], row[f"{name}_low"] = float(found.effect), float(found.low)
            row[f"{name}_high"] = float(found.high)
        rows.append(row | {"n": fit.raw.n})
    columns = ["a", "b", "arrangement", "spacing", "verdict", "reason", *_MEASURED, "n"]
    table: pd.DataFrame = pd.DataFrame(rows, columns=columns)
    return table


def confirming_rows(
    n: int, clusters: Labels | None = None, random_state: RandomState = None
) -> NDArray[np.int64]:
    """Which backgrounds of a `motif_grammar` with this seed have not chosen the pairs?

    Examples
    --------
    >>> confirming_rows(8, random_state=0)
    array([0, 4, 5, 6])
    """
    return divide(n, clusters, as_seed(random_state), N_FIRST).confirming


def widest_free(keep: Keep | None, length: int) -> tuple[int, int]:
    """The longest stretch that may be written: its first base and its end.

    Examples
    --------
    >>> widest_free(None, 9), widest_free([2], 9), widest_free(slice(None), 9)
    ((0, 9), (3, 9), (0, 0))
    """
    free = np.concatenate([[False], ~resolve_keep(keep, length), [False]])
    first, end = np.flatnonzero(np.diff(free)).reshape(-1, 2).T
    if not len(first):
        return 0, 0
    longest = int((end - first).argmax())
    return int(first[longest]), int(end[longest])


def with_third(left: Pattern, right: Pattern, span: tuple[int, int]) -> Trio | None:
    """The pair in the middle, and the left motif again beside it, if there is room.

    `left` is at 0; `span` are the first base that may be written and the end.

    Examples
    --------
    >>> from tangermeme_gia._core.motif import Motif
    >>> pair = [Pattern(Motif.parse(x), at) for x, at in (("GATA", 0), ("TTA", 6))]
    >>> [start for _, start in with_third(*pair, (0, 300))]
    [145, 151, 254]
    >>> [start for _, start in with_third(*pair, (0, 16))], with_third(*pair, (0, 12))
    ([0, 6, 12], None)
    """
    first, end = span
    width, more = (right.start or 0) + len(right.motif), len(left.motif)
    if width + more > end - first:
        return None
    # As central as a third so far away leaves room.
    middle = first + (end - first - width) // 2
    start = max(first, min(middle, end - more - _FAR - width))
    away = min(_FAR, end - more - (start + width))
    return Trio(
        Pattern(left.motif, start),
        Pattern(right.motif, start + (right.start or 0)),
        Pattern(left.motif, start + width + away),
    )


def too_short(pair: Sequence[Pattern], n_levels: Sequence[int], n_letters: int) -> str:
    """Why a motif has too few different words, if so."""
    for motif, _ in pair:
        if n_letters ** len(motif.written) < max(n_levels):
            return f"{motif.label!r} has too few letters for {max(n_levels)} grades"
    return ""
