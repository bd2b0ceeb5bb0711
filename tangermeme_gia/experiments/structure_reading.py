"""Results beside the structure of the sequences that they were measured on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from tangermeme.utils import PackedSequence

from .._core.letters import DNA, as_seed, check_alphabet, check_sequences
from .._core.outputs import as_columns
from .._core.patterns import (
    Pattern,
    PatternsLike,
    as_conditions,
    as_consensus,
    compile_conditions,
)
from .._core.placements import Placement
from .._core.results import GIAResult
from ..structure.folding import Values, fold, folds_and_probabilities
from ..structure.pairs import complementary_bases
from ..structure.processes import require_vienna

# The columns that do not come from the conditions.
_ADDED = (
    "background",
    "cluster",
    "output",
    "energy_before",
    "energy",
    "unpaired",
    "local_importance",
)


def importance_by_structure(
    result: GIAResult,
    X: torch.Tensor | PackedSequence,
    patterns: PatternsLike,
    *,
    alphabet: Sequence[str] = DNA,
    insert: bool = False,
    consensus: bool = False,
    random_state: int | None = None,
    n_jobs: int | None = None,
    verbose: bool = False,
) -> pd.DataFrame:
    """Does a motif do more where its site is unpaired, or in stable sequences?

    A result holds no sequences. They are made again from the backgrounds and what was
    placed in them, and folded by ViennaRNA; every local importance then stands beside
    the stability of its sequence and the pairedness of its site.

    Backgrounds differ in their letters as well as in their folds: more C and G make a
    sequence more stable and a site more paired. What goes along with structure need not
    be due to it; `hairpin_importance` compares one place with and without a stem.

    Parameters
    ----------
    result: GIAResult
        From `global_importance`, or any experiment that places patterns; of controls,
        only the rows "none" are read.

    X: torch.Tensor, shape=(n, len(alphabet), length), or PackedSequence
        The backgrounds of the experiment.

    patterns: sequence of (motif, start), or sequence of such sequences
        What each condition has placed, as for `global_importance`.

    alphabet: sequence of str, optional
        A, C, G and one of T and U, in channel order. Default is ("A", "C", "G", "T").

    insert: bool, optional
        Whether patterns were inserted. Default is False.

    consensus: bool, optional
        Whether PPMs were placed as their most likely letters. Default is False.

    random_state: int or None, optional
        Seed of the experiment; PPMs, of which motifs are drawn, need it. Default is
        None.

    n_jobs: int or None, optional
        Processes that fold, as in `fold`. Default is None.

    verbose: bool, optional
        Whether to show progress bars. Default is False.

    Returns
    -------
    frame: pandas.DataFrame
        One row per condition, background and output: the columns of the conditions,
        `background` (from 0), its `cluster` if the result has some, `output` (as in
        `GIAResult.to_frame`), `energy_before`
        and `energy` (free energy of the most stable structure without and with the
        patterns, in kcal/mol; lower is more stable), `unpaired` (mean probability that
        a base of the patterns is unpaired; missing where a condition has none) and
        `local_importance`.

    Raises
    ------
    ImportError
        If ViennaRNA is missing.

    TypeError, ValueError
        If `result`, `X` and `patterns` do not belong together, a pattern does not fit,
        a PPM comes without a seed, or the alphabet is not of nucleotides.

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> from tangermeme_gia import global_importance
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(164, 1))
    >>> X = random_one_hot((20, 4, 41), random_state=0)
    >>> patterns = [("GCTGGC", 17)]
    >>> result = global_importance(model, X, patterns)
    >>> frame = importance_by_structure(result, X, patterns)
    >>> frame[["background", "energy", "unpaired"]].round(2).head(2)
       background  energy  unpaired
    0           0    -6.4      0.17
    1           1    -4.9      0.58
    """
    letters = check_alphabet(alphabet)
    complementary_bases(letters)
    check_sequences(X, letters)
    conditions = as_conditions(patterns, letters)
    conditions = as_consensus(conditions) if consensus else conditions
    rows = _rows(result, len(X), len(conditions))
    if random_state is None:
        _check_certain(conditions)
    require_vienna()
    placements = compile_conditions(
        conditions,
        len(X),
        X.shape[-1],
        letters,
        insert=insert,
        random_state=as_seed(random_state),
    )
    one_hot = X.to_one_hot() if isinstance(X, PackedSequence) else X
    before = fold(X, alphabet=letters, n_jobs=n_jobs, verbose=verbose).energies
    columns = []
    for placement in placements:
        treated = placement.apply(one_hot)
        folds, unpaired = folds_and_probabilities(treated, letters, n_jobs, verbose)
        columns.append((before, folds.energies, _site_mean(placement, unpaired)))
    return _table(result, rows, columns)


def _rows(result: GIAResult, n: int, n_conditions: int) -> NDArray[np.intp]:
    """Which conditions of a result the patterns are."""
    if not isinstance(result, GIAResult):
        raise TypeError(
            f"`result` is a {type(result).__name__}; it must be a GIAResult."
        )
    table = result.conditions
    taken = table.columns.intersection([*_ADDED]).tolist()
    if taken:
        raise ValueError(
            f"`result` has conditions with the columns {taken}, which the frame adds; "
            "rename them."
        )
    rows = np.arange(len(table))
    if "control" in table:
        rows = np.flatnonzero(table["control"] == "none")
    n_measured = len(result.heads[0].y_before)
    if n_measured != n:
        raise ValueError(
            f"`X` has {n} backgrounds and `result` {n_measured}; they must be "
            "those of the experiment."
        )
    if len(rows) != n_conditions:
        raise ValueError(
            f"`patterns` has {n_conditions} conditions and `result` {len(rows)}; they "
            "must be the same."
        )
    return rows


def _check_certain(conditions: list[list[Pattern]]) -> None:
    for pattern in (pattern for condition in conditions for pattern in condition):
        if pattern.motif.is_drawn:
            raise ValueError(
                "`random_state`=None, but `patterns` holds a PPM; which letters each "
                "background got follows from the seed of the experiment."
            )


def _site_mean(placement: Placement, unpaired: Values) -> Values:
    """The mean over the bases that a condition has written in each background."""
    if not len(placement.columns):
        return np.full(len(unpaired), np.nan)
    written = np.broadcast_to(
        placement.codes >= 0, (len(unpaired), len(placement.columns))
    )
    total = np.where(written, unpaired[:, placement.columns], 0).sum(axis=1)
    mean: Values = total / written.sum(axis=1)
    return mean


def _table(
    result: GIAResult,
    rows: NDArray[np.intp],
    columns: list[tuple[Values, Values, Values]],
) -> pd.DataFrame:
    local = as_columns(result.local_importance, 2)[:, rows]
    labels, n = result.outputs, len(local)
    table: pd.DataFrame = result.conditions.iloc[
        np.repeat(rows, n * len(labels))
    ].reset_index(drop=True)
    background = np.repeat(np.arange(n), len(labels))
    table["background"] = np.tile(background, len(rows))
    if result.clusters is not None:
        table["cluster"] = result.clusters[table["background"]]
    outputs = pd.Series(labels * (n * len(rows)), dtype=object)
    table["output"] = outputs.infer_objects()
    for i, name in enumerate(("energy_before", "energy", "unpaired")):
        values = np.concatenate([condition[i] for condition in columns])
        table[name] = np.repeat(values, len(labels))
    table["local_importance"] = local.transpose(0, 1).numpy().ravel()
    return table
