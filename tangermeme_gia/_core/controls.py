"""Control motifs: what a motif's length or letters alone would do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .letters import GAP, check_count
from .motif import Motif
from .patterns import Pattern

CONTROLS = ("random", "shuffled")


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
        controls. A replacement is unlike the motif wherever a draw in a hundred is.

    table: pandas.DataFrame
        The rows of the conditions, repeated, with a column `control` more.

    Raises
    ------
    TypeError, ValueError
        If the number of controls is not an integer of at least 0.

    Examples
    --------
    >>> conditions = [[Pattern(Motif.parse("GATA"), 3)]]
    >>> table = pd.DataFrame({"start": [3]})
    >>> conditions, table = with_controls(conditions, table, 1, 0)
    >>> table.assign(motif=[condition[0].motif.label for condition in conditions])
       start     control motif
    0      3        none  GATA
    1      3    random 1  TGGC
    2      3  shuffled 1  AGTA
    """
    check_count("n_controls", n_controls, 0)
    repeated = [list(condition) for condition in conditions]
    names = ["none"]
    for number, kind in enumerate(CONTROLS):
        for i in range(n_controls):
            rng = np.random.default_rng([seed, number, i])
            replaced: dict[Motif, Motif] = {}
            for motif in (p.motif for condition in conditions for p in condition):
                if motif not in replaced:
                    replaced[motif] = _control(motif, kind, rng)
            repeated += [
                [Pattern(replaced[motif], start) for motif, start in condition]
                for condition in conditions
            ]
            names.append(f"{kind} {i + 1}")
    tables = [table.assign(control=name) for name in names]
    return repeated, pd.concat(tables, ignore_index=True)


def _control(motif: Motif, kind: str, rng: np.random.Generator) -> Motif:
    draw = _random if kind == "random" else _shuffled
    values = motif.values
    written = np.asarray(values.any(axis=1) if motif.is_drawn else values >= 0)
    control = motif
    for _ in range(100):
        control = draw(motif, written, rng)
        if control != motif:
            break
    return control


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
