"""Plots, one for each question: axes in, axes out, nothing shown or set globally.

Only the `plot` modules import matplotlib and logomaker.
"""

from .affinity import affinity_curve
from .backgrounds import background_boxes
from .collections_of_motifs import motif_effects
from .discoveries import pattern_effects
from .effects import (
    additivity_line,
    factorial_bars,
    interaction_bars,
    local_importance_boxes,
)
from .expected import expected_ranks
from .fitting import fitting_plot
from .grammars import grammar_overview
from .latent import latent_curve, latent_link
from .logos import motif_logo, mutagenesis_heatmap, mutagenesis_logo
from .measured import affinity_regression, predicted_measured
from .nulls import null_histogram
from .pairs import pair_matrix, pair_network, spacing_heatmap
from .structure import (
    pairedness_scatter,
    stability_scatter,
    structure_arcs,
    unpaired_logo,
)
from .surveys import additivity_histogram, background_grid, gc_bias_histograms
from .sweeps import kmer_ranks, position_curve, spacing_curve

__all__ = [
    "additivity_histogram",
    "additivity_line",
    "affinity_curve",
    "affinity_regression",
    "background_boxes",
    "background_grid",
    "expected_ranks",
    "factorial_bars",
    "fitting_plot",
    "gc_bias_histograms",
    "grammar_overview",
    "interaction_bars",
    "kmer_ranks",
    "latent_curve",
    "latent_link",
    "local_importance_boxes",
    "motif_effects",
    "motif_logo",
    "mutagenesis_heatmap",
    "mutagenesis_logo",
    "null_histogram",
    "pair_matrix",
    "pair_network",
    "pairedness_scatter",
    "pattern_effects",
    "position_curve",
    "predicted_measured",
    "spacing_curve",
    "spacing_heatmap",
    "stability_scatter",
    "structure_arcs",
    "unpaired_logo",
]
