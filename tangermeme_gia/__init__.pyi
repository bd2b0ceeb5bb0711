from . import backgrounds as backgrounds
from . import genome as genome
from . import motifs as motifs
from . import plot as plot
from . import report as report
from . import statistics as statistics
from . import structure as structure
from ._core.junctions import Junctions as Junctions
from ._core.motif_files import read_motifs as read_motifs
from ._core.patterns import place as place
from ._core.readouts import Readout as Readout
from ._core.results import GIAResult as GIAResult
from ._core.saving import load as load
from ._core.scans import KmerScan as KmerScan
from ._core.target import Contrast as Contrast
from .experiments.affinity import affinity_response as affinity_response
from .experiments.flanks import gc_flank as gc_flank
from .experiments.hairpin import hairpin_importance as hairpin_importance
from .experiments.importance import global_importance as global_importance
from .experiments.interaction import factorial as factorial
from .experiments.interaction import pairwise_interaction as pairwise_interaction
from .experiments.latent import latent_interaction as latent_interaction
from .experiments.latent_sites import latent_sites as latent_sites
from .experiments.occlusion import occlusion as occlusion
from .experiments.occlusion import occlusion_annotations as occlusion_annotations
from .experiments.positions import positional_bias as positional_bias
from .experiments.positions import random_position as random_position
from .experiments.robustness import across_backgrounds as across_backgrounds
from .experiments.robustness import across_models as across_models
from .experiments.sites import multi_site as multi_site
from .experiments.spacing import motif_spacing as motif_spacing
from .experiments.structure_reading import (
    importance_by_structure as importance_by_structure,
)
from .kmers.junctions import junction_effects as junction_effects
from .kmers.mutagenesis import kmer_mutagenesis as kmer_mutagenesis
from .kmers.race import best_kmers as best_kmers
from .kmers.scan import kmer_scan as kmer_scan
from .models.adapted import adapt as adapt
from .models.averaging import AveragedModels as AveragedModels
from .surveys.discovery import discover_motifs as discover_motifs
from .surveys.discovery_result import MotifDiscovery as MotifDiscovery
from .surveys.expected import rank_expected as rank_expected
from .surveys.expected_result import ExpectedMotifs as ExpectedMotifs
from .surveys.grammar import motif_grammar as motif_grammar
from .surveys.latent_pairs import confirming_rows as confirming_rows
from .surveys.latent_pairs import latent_pairs as latent_pairs
from .surveys.motif_scan import motif_scan as motif_scan
from .surveys.motif_scan_result import MotifScan as MotifScan

__version__: str
