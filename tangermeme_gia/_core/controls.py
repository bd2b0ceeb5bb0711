"""Control motifs: what a motif's length or letters alone would do."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .letters import GAP, Codes, check_count
from .motif import Motif
from .patterns import Pattern

CONTROLS = ("random", "shuffled")
_DRAWS = 100


def with_controls(
    conditions: Sequence[Sequence[Pattern]],
    table: pd.DataFrame,
    n_controls: int,
    seed: int,
) -> tuple[list[list[Pattern]], pd.DataFrame]:
    """What would other letters do at the same places?

    Parameters
    ----------
    conditions: sequence of sequences of Pattern
        What each condition places.

    table: pandas.DataFrame
        One row per condition.

    n_controls: int
        How often the conditions are repeated with each kind of control. "random" are
        uniformly random letters, "shuffled" the motif's own letters (or columns)
        permuted; gaps stay where they are. Where each background has its own motif, all
        get the same random letters, or the same permutation.

    seed: int
        Seed of the controls.

    Returns
    -------
    conditions: list of lists of Pattern
        The conditions, then each with its motifs replaced. One motif has the same
        replacement in every condition, so that a control has the arms of what it
        controls. A replacement is unlike the motif wherever a draw in a hundred is;
        where none is, a warning says so.

    table: pandas.DataFrame
        The rows of the conditions, repeated, with a column `control` more, and where
        there are controls `control_letters`, what they place ("" for the motifs).

    Raises
    ------
    TypeError, ValueError
        If the number of controls is not an integer of at least 0.

    Examples
    --------
    >>> conditions = [[Pattern(Motif.parse("GATA"), 3)]]
    >>> table = pd.DataFrame({"start": [3]})
    >>> conditions, table = with_controls(conditions, table, 1, 0)
    >>> table.iloc[1:]
       start     control control_letters
    1      3    random 1            TGGC
    2      3  shuffled 1            AGTA
    """
    check_count("n_controls", n_controls, 0)
    repeated = [list(condition) for condition in conditions]
    names = ["none"]
    stuck: dict[tuple[str, Motif], int] = {}
    for number, kind in enumerate(CONTROLS):
        for i in range(n_controls):
            rng = np.random.default_rng([seed, number, i])
            replaced: dict[Motif, Motif] = {}
            for motif in (p.motif for condition in conditions for p in condition):
                if motif not in replaced:
                    replaced[motif], n_equal = _control(motif, kind, rng)
                    if n_equal:
                        stuck[kind, motif] = n_equal
            repeated += [
                [Pattern(replaced[motif], start) for motif, start in condition]
                for condition in conditions
            ]
            names.append(f"{kind} {i + 1}")
    for (kind, motif), n_equal in stuck.items():
        _warn_of_equal(kind, motif, n_equal)
    tables = [table.assign(control=name) for name in names]
    whole: pd.DataFrame = pd.concat(tables, ignore_index=True)
    if n_controls:
        letters = [" + ".join(p.motif.label for p in placed) for placed in repeated]
        whole["control_letters"] = np.where(whole["control"] == "none", "", letters)
    return repeated, whole


def permuted_letters(codes: Codes, n: int, seed: Sequence[int]) -> Codes:
    """The letters of each background in a random order of its own.

    Parameters
    ----------
    codes: numpy.ndarray, dtype=int8, shape=(1, k) or (n, k)
        Letters for all backgrounds or for each; gaps stay where they are.

    n: int
        Number of backgrounds.

    seed: sequence of int
        Seed of the permutations.

    Returns
    -------
    codes: numpy.ndarray, dtype=int8, shape=(n, k)
        Unlike those given wherever a permutation in a hundred is.

    Examples
    --------
    >>> permuted_letters(np.array([[2, 0, -1, 3]], np.int8), 2, [0])
    array([[ 0,  2, -1,  3],
           [ 3,  2, -1,  0]], dtype=int8)
    """
    rng = np.random.default_rng(list(seed))
    codes = np.repeat(codes, n, axis=0) if len(codes) == 1 < n else codes
    # Letters to the left and gaps to the right, each in its order.
    places = np.argsort(codes == GAP, axis=1, kind="stable")
    permuted: Codes = codes.copy()
    left = np.arange(len(codes))
    for _ in range(_DRAWS):
        keys = rng.random((len(left), codes.shape[1]))
        keys[codes[left] == GAP] = np.inf
        sources = np.argsort(keys, axis=1, kind="stable")
        letters = np.take_along_axis(codes[left], sources, axis=1)
        permuted[left[:, None], places[left]] = letters
        left = left[(permuted[left] == codes[left]).all(axis=1)]
        left = left[_n_letters(codes[left]) > 1]
        if not len(left):
            break
    return permuted


def _n_letters(codes: Codes) -> NDArray[np.intp]:
    """How many different letters each row has."""
    ordered = np.sort(codes, axis=1)
    new = np.diff(ordered, axis=1, prepend=np.int8(GAP)) > 0
    return np.asarray(new.sum(axis=1))


def _control(motif: Motif, kind: str, rng: np.random.Generator) -> tuple[Motif, int]:
    """A control, and in how many of the motif's rows it is the motif itself."""
    draw = _random if kind == "random" else _shuffled
    values = motif.values
    written = np.asarray(values.any(axis=1) if motif.is_drawn else values >= 0)
    control, fewest = motif, len(values) + 1
    for _ in range(_DRAWS):
        drawn = draw(motif, written, rng)
        n_equal = _n_equal(motif, drawn, written)
        if n_equal < fewest:
            control, fewest = drawn, n_equal
        if fewest == 0:
            break
    return control, fewest


def _n_equal(motif: Motif, control: Motif, written: NDArray[np.bool_]) -> int:
    """In how many rows with letters they are the same, or the control the best."""
    values = motif.values
    if motif.is_drawn and not control.is_drawn:
        values = np.where(written, values.argmax(axis=1), GAP)
    same = (values == control.values).reshape(len(values), -1).all(axis=1)
    return int((same & written.any(axis=1)).sum())


def _warn_of_equal(kind: str, motif: Motif, n_equal: int) -> None:
    where = ""
    if len(motif.values) > 1:
        where = f" in {n_equal} of {len(motif.values)} backgrounds"
    warnings.warn(
        f"a {kind} control of {motif.label!r} is the motif itself{where}: "
        f"{_DRAWS} draws gave no other. It does there what the motif does; compare "
        "with the other kind of control.",
        UserWarning,
        stacklevel=2,
    )


def _random(
    motif: Motif, written: NDArray[np.bool_], rng: np.random.Generator
) -> Motif:
    # The same for every background, so that a motif that only moves keeps its control.
    letters = rng.integers(len(motif.alphabet), size=written.sum(axis=1).max(initial=0))
    codes = np.full(written.shape, GAP, dtype=np.int8)
    codes[written] = letters[(written.cumsum(axis=1) - 1)[written]]
    return Motif(motif.alphabet, codes)


def _shuffled(
    motif: Motif, written: NDArray[np.bool_], rng: np.random.Generator
) -> Motif:
    counts = written.sum(axis=1)
    order = rng.permutation(counts.max(initial=0))
    values = motif.values.copy()
    for count in np.unique(counts):
        same = counts == count
        places = np.nonzero(written[same])[1].reshape(same.sum(), count)
        sources = places[:, order[order < count]]
        if motif.is_drawn:
            places, sources = places[:, None], sources[:, None]
        part = values[same]
        moved = np.take_along_axis(part, sources, axis=-1)
        np.put_along_axis(part, places, moved, axis=-1)
        values[same] = part
    return Motif(motif.alphabet, values)
