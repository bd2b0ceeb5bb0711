"""Global Importance Analysis: what has a model learned, and how sure are we?

Experiments are here; what goes around them has a name space each: `backgrounds`,
`statistics`, `motifs`, `structure`, `genome`, `plot` and `report`. The public names
stand in the stub beside this file; each module is imported when one of its names is
asked for.
"""

from importlib.metadata import version

import lazy_loader

from ._core.above import provide
from ._core.numba_cache import provide_numba_cache

provide_numba_cache()
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = version("tangermeme-gia")

_RESULTS = {
    "GIAResult": "_core.results",
    "KmerScan": "_core.scans",
    "Junctions": "_core.junctions",
    "Comparison": "statistics.comparisons",
    "EffectNull": "statistics.nulls",
    "Grammar": "statistics.grammar",
    "Motif": "_core.motif",
    "Measured": "surveys.motif_scan_result",
    "MotifScan": "surveys.motif_scan_result",
    "ExpectedMotifs": "surveys.expected_result",
    "MotifDiscovery": "surveys.discovery_result",
}
provide({"effects folder": f"{__name__}._core.effects_folder:EffectsFolder"})
provide({"plot": f"{__name__}.plot:fitting_plot", "version": f"{__name__}:__version__"})
provide({f"result {n}": f"{__name__}.{module}:{n}" for n, module in _RESULTS.items()})
