"""Effects of words in a motif's place, with the motif's own among them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from .._core.outputs import Label
from ..statistics.nulls import Arm, EffectNull
from .style import (
    BLUE,
    GLOBAL,
    ORANGE,
    VERMILION,
    add_legend,
    backgrounds,
    finish,
    new_axes,
    note,
)

_BINS = 40
_COLOURS: dict[Arm, str] = {"random": BLUE, "shuffled": ORANGE}


def null_histogram(
    null: EffectNull,
    condition: int = 0,
    output: Label | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Is an effect large, beside what other words do in the same place?

    Effects of random words of the motif's length, of permutations of its letters, and
    its own as a line with its 95 % interval.

    Parameters
    ----------
    null: EffectNull
        From `statistics.effect_null`.

    condition: int, optional
        Which row of `null.motifs`. Default is 0.

    output: int, tuple of int or None, optional
        Which output, as for `GIAResult.output`. Default is None, the only one.

    ax
        As for `spacing_curve`.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If `null` is no EffectNull, or has no such condition or output.

    Examples
    --------
    >>> import torch
    >>> from tangermeme_gia import global_importance
    >>> from tangermeme_gia.statistics import effect_null
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(80, 1))
    >>> X = torch.eye(4)[torch.randint(4, (50, 20))].transpose(1, 2)
    >>> result = global_importance(model, X, [("GATTA", 8)], n_controls=50)
    >>> null_histogram(effect_null(result)).get_ylabel()
    'Share of words'
    """
    if not isinstance(null, EffectNull):
        raise TypeError(
            f"`null` is a {type(null).__name__}; it must be an EffectNull, as "
            "`statistics.effect_null` makes one."
        )
    one = null.motifs.output(output).select([condition])
    row = one.to_frame().iloc[0]
    arms = [arm for arm in _COLOURS if arm in set(null.words["arm"])]
    words = [null.of(arm, condition, output) for arm in arms]
    ax = new_axes(ax, height=2.9)
    every = np.concatenate([*words, [row["effect"]]])
    # Of effects that are all alike, one bar of some width.
    width = 0.0 if np.ptp(every) else 0.5
    ends = every.min() - width, every.max() + width
    handles: list[Any] = []
    for arm, effects in zip(arms, words, strict=True):
        share = np.full(len(effects), 1 / max(1, len(effects)))
        look: dict[str, Any] = {
            "color": _COLOURS[arm],
            "alpha": 0.5,
            "histtype": "stepfilled",
        }
        bars = ax.hist(effects, bins=_BINS, range=ends, weights=share, **look)[2]
        handles.append(bars[0])  # type: ignore[index]
    if np.isfinite(row["low"]):
        ax.axvspan(row["low"], row["high"], color=VERMILION, alpha=0.2, linewidth=0)
    line = ax.axvline(row["effect"], color=VERMILION, linewidth=1.2)
    told = [null.place(row["effect"], arm, condition, output).reads for arm in arms]
    names = ["the motif is", *(f"... {words}" for words in told)]
    below: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (-0.1, -0.32)}
    add_legend(ax, [line, *handles], names, beside=False, **below)
    templates = () if one.clusters is None else [len(set(one.clusters))]
    of = "" if len(null.motifs.conditions) == 1 else f"condition {condition}, "
    note(ax, of + backgrounds([len(one.y_before)], templates))
    return finish(ax, GLOBAL, "Share of words")
