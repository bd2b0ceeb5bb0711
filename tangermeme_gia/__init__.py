"""Global Importance Analysis: what has a model learned, and how sure are we?

Experiments, backgrounds and statistics are here; plots are in `tangermeme_gia.plot`,
which is imported by name because it draws matplotlib in.
"""

from importlib.metadata import version

from .additivity import AdditivityFit, additivity_fit
from .associations import correlation
from .backgrounds import (
    background_names,
    composition_background,
    dinucleotide_shuffled_background,
    filtered_background,
    profile_background,
    quantile_background,
    sample_background,
    shuffled_background,
    structured_background,
    template_rows,
)
from .comparisons import BackgroundComparison, ModelComparison
from .composition import (
    Comparison,
    KmerDivergence,
    gc_comparison,
    kmer_divergence,
    motif_occurrences,
)
from .context import gc_flank
from .diagnostics import PredictionShift, diagnose_background, prediction_shift
from .effects import (
    FactorialContrasts,
    Interaction,
    effect_difference,
    effect_ratio,
    factorial_contrasts,
    interaction_contrast,
    standardised_effect,
)
from .folding import (
    FoldingCheck,
    Folds,
    fold,
    folding_check,
    pair_probabilities,
    unpaired_probabilities,
)
from .hairpin import hairpin_importance, relative_to_stem
from .importance import global_importance
from .interaction import factorial, pairwise_interaction
from .kmer_motifs import KmerAlignment, align_kmers, sensitivity_logo
from .kmer_results import KmerScan
from .kmers import kmer_mutagenesis, kmer_scan, mutagenesis_change
from .motif_codes import reverse_complement, sample_motif
from .motif_database import compare_motifs, write_meme
from .motifs import (
    information_content,
    information_logo,
    pfm_to_ppm,
    ppm_to_pwm,
    pwm_to_ppm,
)
from .pairing import forms_pairs, impose_pairs
from .patterns import Pattern, place
from .planning import backgrounds_needed
from .positions import positional_bias, random_position
from .removal import average_draws, occlusion, occlusion_annotations
from .results import GIAResult
from .robustness import across_backgrounds, across_models, sample_backgrounds
from .selection import (
    Discoveries,
    benjamini_hochberg,
    rescore_winners,
    split_and_rescore,
    top_conditions,
)
from .significance import (
    Significance,
    paired_t_test,
    sign_flip_test,
    welch_test,
    wilcoxon_test,
)
from .sites import multi_site
from .spacing import motif_spacing
from .statistics import Interval, confidence_interval, standard_error
from .structure import (
    PAPER_HAIRPIN,
    RELEASED_HAIRPIN,
    Hairpin,
    complementary_bases,
    format_dot_bracket,
    pair_indices,
    parse_dot_bracket,
)
from .structure_reading import importance_by_structure

__version__ = version("tangermeme-gia")

__all__ = [
    "PAPER_HAIRPIN",
    "RELEASED_HAIRPIN",
    "AdditivityFit",
    "BackgroundComparison",
    "Comparison",
    "Discoveries",
    "FactorialContrasts",
    "FoldingCheck",
    "Folds",
    "GIAResult",
    "Hairpin",
    "Interaction",
    "Interval",
    "KmerAlignment",
    "KmerDivergence",
    "KmerScan",
    "ModelComparison",
    "Pattern",
    "PredictionShift",
    "Significance",
    "__version__",
    "across_backgrounds",
    "across_models",
    "additivity_fit",
    "align_kmers",
    "average_draws",
    "background_names",
    "backgrounds_needed",
    "benjamini_hochberg",
    "compare_motifs",
    "complementary_bases",
    "composition_background",
    "confidence_interval",
    "diagnose_background",
    "correlation",
    "dinucleotide_shuffled_background",
    "effect_difference",
    "effect_ratio",
    "factorial",
    "factorial_contrasts",
    "filtered_background",
    "fold",
    "folding_check",
    "format_dot_bracket",
    "forms_pairs",
    "gc_comparison",
    "gc_flank",
    "global_importance",
    "hairpin_importance",
    "importance_by_structure",
    "impose_pairs",
    "information_content",
    "information_logo",
    "interaction_contrast",
    "kmer_divergence",
    "kmer_mutagenesis",
    "kmer_scan",
    "motif_occurrences",
    "motif_spacing",
    "multi_site",
    "mutagenesis_change",
    "occlusion",
    "occlusion_annotations",
    "pair_indices",
    "pair_probabilities",
    "paired_t_test",
    "pairwise_interaction",
    "parse_dot_bracket",
    "pfm_to_ppm",
    "place",
    "positional_bias",
    "ppm_to_pwm",
    "prediction_shift",
    "profile_background",
    "pwm_to_ppm",
    "quantile_background",
    "random_position",
    "relative_to_stem",
    "rescore_winners",
    "reverse_complement",
    "sample_background",
    "sample_backgrounds",
    "sample_motif",
    "sensitivity_logo",
    "shuffled_background",
    "sign_flip_test",
    "split_and_rescore",
    "standard_error",
    "standardised_effect",
    "structured_background",
    "template_rows",
    "top_conditions",
    "unpaired_probabilities",
    "welch_test",
    "wilcoxon_test",
    "write_meme",
]
