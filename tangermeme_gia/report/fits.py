"""Predictions beside measured scores: how they go together, and pictures of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import scipy
import torch

from .._core.clusters import Values
from .._core.motif import Motif, MotifLike
from ..plot.style import MEDIUM, SMALL, finish
from ..statistics.intervals import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_RESAMPLES = 999


def spearman(x: Values, y: Values, random_state: int) -> Interval:
    """Spearman's correlation with a 95 % percentile interval of the bootstrap.

    NaN where either does not vary, in all or in a resample.

    Examples
    --------
    >>> x = np.arange(20.0)
    >>> interval = spearman(x, x**3, 0)
    >>> float(interval.effect), float(interval.low)
    (1.0, 1.0)
    """
    rng = np.random.default_rng(random_state)
    resampled = np.array(
        [
            _rank_correlation(x[rows], y[rows])
            for rows in (rng.integers(len(x), size=len(x)) for _ in range(_RESAMPLES))
        ]
    )
    low, high = np.quantile(resampled, [0.025, 0.975])
    effect, error, low, high = map(
        np.asarray, (_rank_correlation(x, y), resampled.std(), low, high)
    )
    return Interval(effect, error, low, high, len(x))


def best_match(
    X: torch.Tensor, motif: MotifLike, alphabet: Sequence[str]
) -> torch.Tensor:
    """The most letters of a motif that stand at one place of each sequence.

    Examples
    --------
    >>> best_match(torch.eye(4)[None], "CGA", "ACGT").tolist()
    [2]
    """
    # A letter that stands for several is matched by each of them, N by none, a column
    # of a matrix by the letters that are at least half as likely as the first.
    ppm = Motif.parse(motif, alphabet).ppm
    allowed = torch.from_numpy((ppm > 0) & (2 * ppm >= ppm.max(axis=0))).float()
    matches = torch.nn.functional.conv1d(X.float(), allowed[None])
    return matches.amax(dim=(1, 2)).round().long()


def draw_maps(
    changes: torch.Tensor,
    sequences: Sequence[str],
    titles: Sequence[str],
    structures: Sequence[str] | None,
    logo: Callable[..., Axes],
) -> Axes:
    """A logo for each sequence, one below the other, each on its own scale."""
    from matplotlib import pyplot

    axes = pyplot.subplots(
        len(sequences), 1, figsize=(7.0, 1.5 * len(sequences)), layout="constrained"
    )[1]
    for i, ax in enumerate(axes):
        structure = None if structures is None else structures[i]
        logo(changes[i].numpy(), sequences[i], structure=structure, ax=ax)
        ax.set_title(titles[i], fontsize=MEDIUM, loc="left")
        ax.set_ylabel("Sensitivity", fontsize=SMALL)
        ax.set_xlabel("")
    finish(axes[-1], "Position (from 0)", "Sensitivity")
    last: Axes = axes[-1]
    return last


def _rank_correlation(x: Values, y: Values) -> float:
    a, b = (scipy.stats.rankdata(v) for v in (x, y))
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a**2).sum() * (b**2).sum())
    return float((a * b).sum() / scale) if scale > 0 else float("nan")
