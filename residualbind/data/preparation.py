"""From measurements of one experiment to what a model is trained and tested on."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import torch

from tangermeme_gia._core.short import in_short

from .rnacompete import RNAcompete
from .transforms import Transform


@in_short
class Prepared(NamedTuple):
    """The three splits in the scale of training, and the transform that made them.

    `test_scores` are those of the test split as they were measured.
    """

    train: RNAcompete
    valid: RNAcompete
    test: RNAcompete
    transform: Transform
    test_scores: torch.Tensor


def prepare(
    data: RNAcompete,
    *,
    transform: str = "log",
    valid_fraction: float = 0.1,
    random_state: int = 0,
    fit_per_split: bool = False,
    drop_duplicates: bool = False,
) -> Prepared:
    """How are binding scores made ready for training without looking at the test set?

    Parameters
    ----------
    data: RNAcompete
        Probes with scores. Several experiments are transformed column by column.

    transform: str, optional
        A recipe of `Transform.fit`: "log", "clip", "clip-std", "zscore" or "none".
        Default is "log".

    valid_fraction: float, optional
        Fraction of set A used for validation. Default is 0.1.

    random_state: int, optional
        Seed of the division of set A. Default is 0.

    fit_per_split: bool, optional
        Whether each split is transformed by its own fit, as in the authors' code,
        instead of the fit of the training split. Test scores then leak into their
        own scale. Default is False.

    drop_duplicates: bool, optional
        Whether to leave out validation and test probes that have the sequence of a
        probe in a set before; see `RNAcompete.split`. Default is False.

    Returns
    -------
    prepared: Prepared
        `train`, `valid` and `test`, whose `y` is transformed, the `transform` fitted
        on the training split, to be saved with the model, and `test_scores`, as
        measured.

    Raises
    ------
    ValueError
        If the recipe is unknown or the training split has no scores to fit it on.

    Examples
    --------
    >>> from residualbind import simulate_rnacompete
    >>> prepared = prepare(simulate_rnacompete(n=200).data)
    >>> len(prepared.train), len(prepared.valid), len(prepared.test)
    (90, 10, 100)
    """
    parts = data.split(
        valid_fraction=valid_fraction,
        random_state=random_state,
        drop_duplicates=drop_duplicates,
    )
    fitted = Transform.fit(parts.train.y, transform)
    transformed = []
    for part in parts:
        # An absent split, such as the test set of a table without sets, stays empty.
        own = fit_per_split and len(part) > 0
        applied = Transform.fit(part.y, transform) if own else fitted
        y = torch.as_tensor(applied.apply(part.y), dtype=torch.float32)
        transformed.append(replace(part, y=y))
    train, valid, test = transformed
    return Prepared(train, valid, test, fitted, parts.test.y)
