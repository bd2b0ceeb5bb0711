"""Whether numbers differ by more than rounding: of a `dtype`, of another run."""

from __future__ import annotations

import warnings

import numpy as np
import torch

from .background_rows import BackgroundRows
from .calls import Caller
from .changed_blocks import Asking
from .conditions import Design

# Backgrounds and conditions that are computed twice.
_ROWS, _CONDITIONS = 2, 4
# Of the spread of effects, what their error may be.
_ACCEPTED = 0.05
# Of the largest output: what processors and their precisions differ by, and what single
# precision cannot tell; and of the range of outputs, which may be far from 0.
_OTHER_PROCESSOR, _ROUNDING, _OF_RANGE = 1e-3, 1e-6, 1e-2


def check_precision(caller: Caller, rows: BackgroundRows, design: Design) -> None:
    """Warn if effects of a few conditions are other in the precision of the weights.

    Parameters
    ----------
    caller: Caller
        How the model is asked; nothing is done where no `dtype` is given.

    rows: BackgroundRows
        The backgrounds, of which the first are asked.

    design: Design
        The conditions, of which some that lie apart are asked.
    """
    exactly = caller.in_precision_of_weights()
    if exactly is None:
        return
    few, lengths = slice(0, min(_ROWS, len(rows.X))), design.lengths
    chosen = np.linspace(0, len(lengths) - 1, _CONDITIONS).astype(int)
    X = rows.one_hot(few)
    found: list[torch.Tensor] = []
    truth: list[torch.Tensor] = []
    for i in np.unique(chosen).tolist():
        sequences = design.build(X, few, slice(i, i + 1))
        asking = Asking(rows.numbers[few], X, rows.side_inputs(few), sequences)
        for effects, ask in ((found, caller), (truth, exactly)):
            after, before = (
                torch.cat([y.flatten(1).to(torch.float64) for y in ask(*given)], dim=1)
                for given in (asking.flat(), (X, asking.args))
            )
            effects.append(after - before)
    error = float((torch.cat(found) - torch.cat(truth)).abs().max())
    spread = float(torch.cat(truth).std(correction=0))
    if error > _ACCEPTED * spread:
        warnings.warn(
            f"`dtype`: effects of a few sequences differ by up to {error:.3g} "
            f"from those in the precision of the weights, and spread by {spread:.3g}. "
            "Leave `dtype` out, or compare results.",
            RuntimeWarning,
            stacklevel=2,
        )


def agree(before: torch.Tensor, now: torch.Tensor, rounding: float = _ROUNDING) -> bool:
    """Whether two predictions of the same sequences differ by no more than rounding.

    `rounding` is that of the largest of them, whatever their range.

    Examples
    --------
    >>> agree(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.001]))
    True
    >>> agree(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.1]))
    False
    """
    if before.shape != now.shape:
        return False
    before, now = before.double(), now.double()
    largest = float(before.abs().max())
    spread = float(before.max() - before.min())
    tolerance = min(_OTHER_PROCESSOR * largest, _OF_RANGE * spread)
    most = max(tolerance, rounding * largest)
    return bool(((before - now).abs() <= most).all())
