from .by_name import background_names as background_names
from .by_name import sample_backgrounds as sample_backgrounds
from .composition import kmer_divergence as kmer_divergence
from .composition import motif_occurrences as motif_occurrences
from .diagnostics import diagnose_background as diagnose_background
from .genomic import genomic_background as genomic_background
from .profiles import composition_background as composition_background
from .profiles import profile_background as profile_background
from .shuffles import (
    dinucleotide_shuffled_background as dinucleotide_shuffled_background,
)
from .shuffles import shuffled_background as shuffled_background
from .structured import structured_background as structured_background
from .subsets import filtered_background as filtered_background
from .subsets import quantile_background as quantile_background
