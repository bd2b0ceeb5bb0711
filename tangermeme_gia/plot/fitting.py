"""The one place that chooses the plot that fits a result."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from .._core.junctions import Junctions
from .._core.results import GIAResult
from .._core.scans import KmerScan
from ..statistics.comparisons import Comparison
from ..statistics.grammar import Grammar
from ..statistics.nulls import EffectNull, effect_null
from ..surveys.discovery_result import MotifDiscovery
from ..surveys.expected_result import ExpectedMotifs
from ..surveys.motif_scan_result import MotifScan
from .affinity import affinity_curve
from .collections_of_motifs import motif_effects
from .discoveries import pattern_effects
from .effects import (
    additivity_line,
    factorial_bars,
    interaction_bars,
    local_importance_boxes,
)
from .expected import expected_ranks
from .grammars import grammar_overview
from .latent import latent_curve, latent_link
from .logos import mutagenesis_heatmap
from .nulls import null_histogram
from .surveys import background_grid
from .sweeps import kmer_ranks, position_curve, spacing_curve

_PAIR = ["A", "AB", "B"]
# Controls of each kind, from which on a motif has a histogram of them, not boxes.
_MANY_CONTROLS = 20


def fitting_plot(result: Any, **options: Any) -> Axes:
    """How do I see what an experiment found, without knowing which plot shows it?

    The columns of the conditions say which one fits: `additivity_line` of several
    sites, `spacing_curve`, `position_curve`, also of windows along sequences,
    `mutagenesis_heatmap`, `interaction_bars` of two patterns, `factorial_bars` of more,
    `null_histogram` of one condition with many controls, `local_importance_boxes` of
    everything else. A k-mer scan has `kmer_ranks`, a
    comparison of backgrounds or models `background_grid`, a scan of motifs
    `motif_effects`, a discovery `pattern_effects`, expected motifs `expected_ranks`,
    pairs of motifs `grammar_overview`, graded sites `affinity_curve`, a grid of them
    `latent_link`, or `latent_curve` of several. ``result.plot()`` is
    this function.

    Parameters
    ----------
    result: GIAResult, KmerScan, MotifScan, MotifDiscovery, ExpectedMotifs, Grammar, \
Junctions, EffectNull, Comparison
        With one output; also one that was loaded or narrowed.

    options: optional
        What the function that draws it takes, such as ``ax``, ``label`` of boxes or
        ``top`` of ranks.

    Returns
    -------
    ax: matplotlib.axes.Axes

    Raises
    ------
    TypeError, ValueError
        If `result` is no result, or an option is none of the function that draws it,
        and as that function.

    Examples
    --------
    >>> import torch
    >>> starts = pd.DataFrame({"motif": "UAAUUA", "start": [0, 1], "control": "none"})
    >>> ax = fitting_plot(GIAResult(torch.zeros(9, 1), torch.randn(9, 2, 1), starts))
    >>> ax.get_xlabel()
    'Start of the motif (0-based position)'
    """
    if isinstance(result, Comparison):
        return background_grid(result, **options)
    if isinstance(result, KmerScan):
        return kmer_ranks(result, **options)
    if isinstance(result, MotifDiscovery):
        return pattern_effects(result, **options)
    if isinstance(result, ExpectedMotifs):
        return expected_ranks(result, **options)
    if isinstance(result, Grammar):
        return grammar_overview(result, **options)
    if isinstance(result, EffectNull):
        return null_histogram(result, **options)
    if isinstance(result, MotifScan):
        return motif_effects(result, **options)
    if isinstance(result, Junctions):
        return _boxes(result.result, "kmer", **options)
    if not isinstance(result, GIAResult):
        raise TypeError(
            f"`result` is a {type(result).__name__}; it must be what an experiment, a "
            "scan or a comparison returns."
        )
    return _fitting(result, options)


def _fitting(result: GIAResult, options: dict[str, Any]) -> Axes:
    table = result.conditions
    main = table[table["control"] == "none"] if "control" in table else table
    if {"level_1", "level_c", "level_d"} <= set(table):
        return latent_curve(result, **options)
    if "n_sites" in table and main["n_sites"].nunique() > 1:
        return additivity_line(result, **options)
    if {"level", "score", "site"} <= set(table):
        return affinity_curve(result, **options)
    if {"level_a", "level_b", "level_c"} <= set(table):
        return latent_link(result, **options)
    if "spacing" in table:
        return _spacing(result, **options)
    if "is_wild_type" in table and main["is_wild_type"].any():
        return mutagenesis_heatmap(result, **options)
    if "arm" in table and sorted(main["arm"].astype(str)) == _PAIR:
        return interaction_bars(result, **options)
    if len(main) == 1 and len(table) > 2 * _MANY_CONTROLS:
        return null_histogram(effect_null(result), **options)
    n_patterns = len(main.select_dtypes("bool").columns)
    if "arm" in table and n_patterns > 1 and len(main) == 2**n_patterns - 1:
        return factorial_bars(result, **options)
    if "place" in table:
        columns = ["place", "structure"]
        again = main.duplicated(columns).any()
        return _boxes(result, *columns, *(["start"] if again else []), **options)
    if "background" in table or "draw" in table:
        return _regions(result, **options)
    if {"motif", "start"} <= set(table) and _is_axis(main["start"]):
        return position_curve(result, **{"by": _varying(table, "control"), **options})
    known = [name for name in ("arm", "patterns", "motif", "kmer") if name in table]
    return _boxes(result, *known[:1], **options)


def _spacing(result: GIAResult, **options: Any) -> Axes:
    columns = ("order", "orientation", "arm")
    if not _is_axis(result.conditions["spacing"]):  # gaps that differ
        return _boxes(result, *columns, "spacing", **options)
    by = _varying(result.conditions, *columns, "control")
    return spacing_curve(result, **{"by": by, **options})


def _regions(result: GIAResult, **options: Any) -> Axes:
    """Of occlusion: a curve where windows lie side by side along the sequences."""
    table = result.conditions
    if "draw" in table:
        result = result.average("draw")
        table = result.conditions
    if {"start", "end"} <= set(table) and _is_tiling(table["start"], table["end"]):
        ax = position_curve(result, **options)
        ax.set_xlabel("Start of the window (0-based position)")
    else:
        columns = [name for name in ("start", "end") if name in table]
        ax = _boxes(result, *(columns or ["background"]), **options)
    for text in ax.texts:  # what is averaged over
        text.set_text(text.get_text().replace("background", "sequence"))
    return ax


def _is_tiling(start: pd.Series, end: pd.Series) -> bool:
    """Are windows of one width side by side, or at regular steps?"""
    starts, widths = start.sort_values(), end - start
    steps = starts.diff().dropna()
    if widths.nunique() != 1 or not len(steps) or not starts.is_unique:
        return False
    # The last of a tiling ends with the sequence.
    regular = len(steps) > 1 and steps.iloc[:-1].nunique() == 1
    return regular or bool(steps.le(widths.iloc[0]).all())


def _is_axis(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) and bool(values.notna().all())


def _boxes(result: GIAResult, *columns: str, **options: Any) -> Axes:
    there = [name for name in columns if name in result.conditions]
    label = _varying(result.conditions, *there, "control") or there[:1] or None
    return local_importance_boxes(result, **{"label": label, **options})


def _varying(conditions: pd.DataFrame, *columns: str) -> list[str]:
    """The columns that have more than one value."""
    return [
        name
        for name in columns
        if name in conditions and conditions[name].astype(str).nunique() > 1
    ]
