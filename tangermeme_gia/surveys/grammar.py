"""All pairs of motifs, in every order, on all strands, at all spacings."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from tangermeme.utils import PackedSequence

from .._core.agreement import one_warning, unnoted
from .._core.clusters import as_codes
from .._core.engine import Engine
from .._core.letters import (
    RandomState,
    as_seed,
    check_count,
    check_sequences,
    resolve_alphabet,
)
from .._core.moments import summarise
from .._core.named_motifs import MotifsLike
from .._core.options import document
from .._core.outputs import output_labels
from .._core.results import GIAResult
from ..experiments.spacing import as_spacing
from ..statistics.grammar import Grammar, Halves, judge, tabulated
from ..statistics.inputs import check_fraction
from ..statistics.selection import benjamini_hochberg
from ..statistics.significance import paired_t_test
from ..statistics.spacing_rules import simes
from .arrangements import Arrangement, Strands, all_arrangements, distinct_motifs
from .measuring import (
    Measured,
    Rows,
    Survey,
    Values,
    divide,
    offsets_of,
    total_stride,
)
from .triples import third_order

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._core.options import Options

# Backgrounds on which every question is seen.
N_FIRST = 24
# A pair goes on, and a question is asked of the other half, from these p values on,
# adjusted within the pair: both are meant to lose little, not to prove anything.
GOES_ON = 0.2
# More starts than these are not taken by themselves.
_MOST_STARTS = 128


@document
@one_warning
def motif_grammar(
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    motifs: MotifsLike,
    spacings: Sequence[int],
    *,
    start: int | None = None,
    orders: Sequence[Sequence[int]] | str | None = "all",
    orientations: Sequence[str] | str | None = "all",
    n_starts: int | None = None,
    found: Grammar | None = None,
    triples: bool = False,
    alpha: float = 0.05,
    consensus: bool = False,
    alphabet: Sequence[str] | None = None,
    random_state: RandomState = None,
    **options: Unpack[Options],
) -> Grammar:
    """Which motifs act together, and how must they stand: spacing, order, strands?

    Every pair of motifs, those of a motif with itself too, is placed in every order,
    on all strands and at every spacing; each motif also stands alone at the same
    coordinates. AB - A - B + 0 is the interaction on a background. Half of the
    backgrounds find, the other half confirm what these found, so that no effect is
    raised by having been chosen.

    Parameters
    ----------
    {model}

    motifs: mapping or sequence of motifs, or path
        By name, as from `read_motifs`, a list, or a motif file: letters (N keeps the
        background), one-hot, or PPMs of which each background gets one draw.

    spacings: sequence of int
        Bases between the motifs, such as range(40). For the period of the helix they
        must span 21 bases with gaps of 2 at most; with less nothing is said of it.

    start: int or None, optional
        The 0-based first base of the leftmost motif, the same in all arrangements.
        None centres the widest. Default is None.

    orders: sequence of sequences of int, "all" or None, optional
        [(0, 1)] has the pair's first motif, that which comes first in `motifs`, on the
        left, [(1, 0)] on the right; "all" is both, None the former. Default is "all".

    orientations: sequence of str, "all" or None, optional
        Strands of both, such as ["++", "+-"], as in `motif_spacing`; "all" is every
        combination for DNA, and "++" for other alphabets; None is "++".
        Default is "all".

    n_starts: int or None, optional
        From how many neighbouring starts on the leftmost motif stands, another one in
        each background. A model that pools over k bases knows where motifs are in
        steps of k, which look like a period; over k starts the steps even out. None is
        the product of the strides of the model's layers, as far as X has room.
        Default is None.

    found: Grammar or None, optional
        An earlier result with the same arrangements: what it asked is asked again, on
        all of these backgrounds, and nothing is searched. So several models answer the
        same questions (`across_models`). Default is None.

    triples: bool, optional
        Whether to ask for third-order interactions of three motifs, all of whose pairs
        were confirmed. Default is False.

    alpha: float, optional
        False discovery rate. Default is 0.05.

    {consensus}

    {options}

    Returns
    -------
    grammar: Grammar
        Tables `pairs` and `profiles`, `interactions` as a result, and `to_frame()`
        with a row for each placement.

    Raises
    ------
    ValueError, TypeError
        If the motifs or spacings do not fit X, are given twice, or there are fewer
        than 8 backgrounds (or templates); if the model has several outputs (choose one
        with `target`); if `found` has other arrangements; and as in `motif_spacing`.

    Notes
    -----
    The design, measured in benchmarks/grammar.py:

    1. Every spacing is seen: a coarse grid would miss hard rules and alias the helix.
    2. All questions on 24 backgrounds; pairs go on of which any question, or the mean
       over spacings in one arrangement, has p < 0.2 by Simes' test. These are seen on
       the whole finding half.
    3. Questions with p < 0.2, adjusted within the pair (Benjamini-Hochberg), are
       asked of the confirming half, where their pairs are measured whole.
    4. What is asked is one family (Benjamini-Hochberg, `alpha`; paired t tests); pairs
       by Simes' test are another. An interaction stands if both do.
    5. *none*: nothing of the profile (pair, order, strands) stands.
    6. *helical*: a cosine of 9.5 to 11.5 bases explains a third of the variance around
       a line, is a fifth of the curve's root mean square, stands out from curves with
       permuted spacings (`statistics.spacing_periodicity`), and the one that fits the
       finding half is there on the confirming half (the larger p of the two).
    7. *hard*: the spacings that reach half of the highest on the finding half are at
       most a fifth of all, do more than the others on the confirming half, and these
       do less than half as much. Five spacings or more are needed.
    8. *soft*: all else. Where it falls with the spacing, an exponential says over how
       many bases to a half.
    9. Order and strands matter if the two arrangements whose difference stood out most
       on the finding half differ on the confirming one.
    10. Shapes, order and strands are further families, each at `alpha`.

    Examples
    --------
    >>> class Pair(torch.nn.Module):
    ...     "GATA and, 3 bases after it, TTA."
    ...     def forward(self, X):
    ...         gata, tta = (
    ...             torch.nn.functional.conv1d(X, w).eq(w.sum()).float()
    ...             for w in (one_hot("GATA"), one_hot("TTA"))
    ...         )
    ...         return (gata[..., :-8] * tta[..., 7:-2]).sum(dim=(1, 2))[:, None]
    >>> def one_hot(letters):
    ...     return torch.eye(4)[["ACGT".index(x) for x in letters]].T[None]
    >>> X = torch.eye(4)[torch.randint(4, (40, 30))].transpose(1, 2)
    >>> grammar = motif_grammar(Pair(), X, ["GATA", "TTA"], range(8), random_state=0)
    >>> grammar.pairs[["a", "b", "class", "spacing"]].values.tolist()[1]
    ['GATA', 'TTA', 'hard', 3]
    """
    letters, seed = resolve_alphabet(model, alphabet), as_seed(random_state)
    check_sequences(X, letters)
    check_fraction("alpha", alpha)
    named = distinct_motifs(motifs, letters, consensus)
    gaps = _as_spacings(spacings)
    strands, arrangements = all_arrangements(named, orders, orientations, letters)
    engine = Engine(model, X, **options)
    _check_one_output(engine)
    survey = _survey(engine, strands, arrangements, gaps, (start, n_starts), seed)
    with unnoted():
        if found is None:
            halves, rows, n_asked = _find(survey, arrangements, gaps, seed)
        else:
            halves = _asked_before(found, arrangements, gaps, strands)
            rows, n_asked = np.arange(len(X)), 0
        kept = [
            a for a, is_kept in zip(arrangements, halves.kept, strict=True) if is_kept
        ]
        measured = survey.pairs(rows, kept, gaps)
        clusters = None if engine.clusters is None else engine.clusters[rows]
        results = _results(measured, halves, clusters)
        grammar = judge(halves, *results, alpha=alpha, seed=seed)
        n_asked += measured.n_asked
        third = pd.DataFrame()
        if triples:
            third, n_more = third_order(grammar, survey, rows, arrangements, alpha)
            n_asked += n_more
    return grammar._replace(triples=third, motifs=named, n_asked=n_asked)


def _as_spacings(spacings: Sequence[int]) -> list[int]:
    if not hasattr(spacings, "__iter__") or len(spacings) == 0:
        raise ValueError(
            f"`spacings`={spacings!r} must be a sequence with at least one spacing."
        )
    gaps = sorted(as_spacing(gap) for gap in spacings)
    twice = [a for a, b in itertools.pairwise(gaps) if a == b]
    if twice:
        raise ValueError(f"`spacings` holds {twice[0]} twice.")
    return gaps


def _check_one_output(engine: Engine) -> None:
    """Raise, before much is run, if a sequence has several outputs."""
    few = engine.on(np.arange(min(2, len(engine.X))))
    with few.held():
        labels = output_labels(few.before())
    if len(labels) != 1:
        raise ValueError(
            f"`model` gives {len(labels)} outputs for a sequence; choose one with "
            "`target`, which may be a function."
        )


def _survey(
    engine: Engine,
    strands: Strands,
    arrangements: Sequence[Arrangement],
    gaps: Sequence[int],
    given: tuple[int | None, int | None],
    seed: int,
) -> Survey:
    """Where everything stands, if it fits."""
    start, n_starts = given
    n, _, length = engine.X.shape
    width = gaps[-1] + max(
        len(strands.motifs[a.left]) + len(strands.motifs[a.right]) for a in arrangements
    )
    room = length - width - (start or 0)
    if start is not None:
        check_count("start", start, 0)
    if n_starts is None:
        most = min(total_stride(engine.model), _MOST_STARTS)
        n_starts = max(1, min(most, room + 1))
    check_count("n_starts", n_starts)
    if room < n_starts - 1:
        raise ValueError(
            f"motifs with {gaps[-1]} bases between them take {width} bases, from "
            f"`start`={start} on and with `n_starts`={n_starts}; `X` has length "
            f"{length}."
        )
    first = (room - n_starts + 1) // 2 if start is None else start
    codes = [motif.draw(n, seed) for motif in strands.motifs]
    return Survey(engine, strands, codes, first, offsets_of(n, n_starts, seed))


def _find(
    survey: Survey, arrangements: Sequence[Arrangement], gaps: list[int], seed: int
) -> tuple[Halves, Rows, int]:
    """What the finding half asks, and the rows that are to answer it."""
    engine = survey.engine
    division = divide(len(engine.X), engine.clusters, seed, N_FIRST)
    measured = survey.pairs(division.first, arrangements, gaps)
    pair = np.array([a.pair for a in arrangements])
    effect, se, p = _tested(measured.local, engine, division.first)
    goes_on = np.zeros(len(pair), dtype=bool)
    for i in np.unique(pair):
        goes_on[pair == i] = simes(p[pair == i].ravel()) < GOES_ON
    n = np.full(len(pair), len(division.first))
    n_asked = measured.n_asked
    rest = np.setdiff1d(division.finding, division.first)
    if len(rest) and goes_on.any():
        on = [a for a, goes in zip(arrangements, goes_on, strict=True) if goes]
        more = survey.pairs(rest, on, gaps)
        rows = np.concatenate([division.first, rest])
        local = np.concatenate([measured.local[:, goes_on], more.local])
        effect[goes_on], se[goes_on], p[goes_on] = _tested(local, engine, rows)
        n[goes_on] = len(rows)
        n_asked += more.n_asked
    asked = np.zeros(p.shape, dtype=bool)
    for i in np.unique(pair[goes_on]):
        asked[pair == i] = benjamini_hochberg(p[pair == i]).p_adjusted < GOES_ON
    halves = Halves(_table(arrangements, survey.strands), gaps, effect, se, p, n, asked)
    return halves, division.confirming, n_asked


def _tested(local: Values, engine: Engine, rows: Rows) -> tuple[Values, Values, Values]:
    """Means, errors and p values over backgrounds."""
    clusters = None if engine.clusters is None else engine.clusters[rows]
    p = paired_t_test(local, clusters=clusters).p
    codes = None if clusters is None else as_codes(clusters)
    summary = summarise(local, codes)
    return np.array(summary.mean), np.array(summary.se), np.array(p)


def _table(arrangements: Sequence[Arrangement], strands: Strands) -> pd.DataFrame:
    table: pd.DataFrame = pd.DataFrame(arrangements)
    written = [
        f"{strands.written(left)} {strands.written(right)}"
        for left, right in zip(table["left"], table["right"], strict=True)
    ]
    table["arrangement"] = written
    kept: pd.DataFrame = table.drop(columns=["left", "right"])
    return kept


def _asked_before(
    found: Grammar,
    arrangements: Sequence[Arrangement],
    gaps: list[int],
    strands: Strands,
) -> Halves:
    """The questions of an earlier survey, if it had these arrangements."""
    table, before = _table(arrangements, strands), found.found
    expected = tabulated(table, gaps)
    if not before[list(expected.columns)].equals(expected):
        raise ValueError(
            "`found` is of other motifs, spacings, orders or orientations; ask for the "
            "same ones."
        )
    shape = (len(table), len(gaps) + 1)
    effect, se, p, asked = (
        before[name].to_numpy().reshape(shape)
        for name in ("effect", "se", "p", "asked")
    )
    n = before["n"].to_numpy().reshape(shape)[:, 0]
    return Halves(table, gaps, effect, se, p, n, asked)


def _results(
    measured: Measured, halves: Halves, clusters: Any
) -> tuple[GIAResult, GIAResult | None]:
    """Interactions as results, of outputs and of their logarithms."""
    table = tabulated(halves.arrangements[halves.kept], halves.spacings)

    def result(before: Values, local: Values) -> GIAResult:
        flat = torch.from_numpy(local.reshape(len(local), -1))
        y = torch.from_numpy(before)
        return GIAResult(y, y[:, None] + flat, table, clusters=clusters)

    log = None
    if measured.log is not None:
        log = result(np.log(measured.before), measured.log)
    return result(measured.before, measured.local), log
