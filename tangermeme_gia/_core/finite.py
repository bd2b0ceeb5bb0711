"""Numbers that are not finite: an error wherever they would be averaged or ranked."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch


def check_finite(
    y: Sequence[torch.Tensor],
    who: str,
    condition: Callable[[int, int], str],
    row: Callable[[int], int],
) -> None:
    """Raise if outputs, shape=(n_rows, n_conditions, ...), hold NaN or infinity.

    Parameters
    ----------
    y: sequence of torch.Tensor
        The outputs, a tensor for each head.

    who: str
        What gives them.

    condition: function
        What a condition is, by its number on axis 1 and that of the row.

    row: function
        Which background a row is.

    Raises
    ------
    ValueError
        If so, with how many and where the first is.

    Examples
    --------
    >>> check_finite([torch.ones(2, 2)], "`model`", "condition {}".format, int)
    """
    wrong = [~torch.isfinite(head) for head in y]
    n_wrong = sum(int(head.sum()) for head in wrong)
    if not n_wrong:
        return
    places = torch.stack(
        [head.reshape(*head.shape[:2], -1).any(dim=2) for head in wrong]
    )
    first_condition, first_row = torch.nonzero(places.any(dim=0).T)[0].tolist()
    where = f"{condition(first_condition, first_row)} and sequence {row(first_row)}"
    raise ValueError(
        f"{who} gives NaN or infinity as {n_wrong:,} of "
        f"{sum(head.numel() for head in wrong):,} outputs; the first is for "
        f"{where} of `X`. Such numbers are never averaged or ranked: mend the model, "
        "choose other outputs by `target`, or leave these sequences out."
    )


def check_effects(effects: np.ndarray, what: str, named: Callable[[int], str]) -> None:
    """Raise if effects to be ranked or shown, a row for each of `what`, are not finite.

    Raises
    ------
    ValueError
        If so, with how many and the first.
    """
    wrong = ~np.isfinite(effects.reshape(len(effects), -1)).all(axis=1)
    if wrong.any():
        raise ValueError(
            f"effects of {wrong.sum():,} of {len(effects):,} {what} are NaN or "
            f"infinite, the first {named(int(wrong.argmax()))}; they have no mean "
            "and no rank."
        )
