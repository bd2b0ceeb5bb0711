"""One page about what a model has learned: the paper's analysis, from scan to page.

Imports matplotlib; `import tangermeme_gia` does not import this.
"""

from .experiments import EXPERIMENTS
from .one_output import OneOutput, OutputError
from .overview import write_overview
from .run import run_report
from .store import load_results
from .study import ReportInputs, ReportOptions

__all__ = [
    "EXPERIMENTS",
    "OneOutput",
    "OutputError",
    "ReportInputs",
    "ReportOptions",
    "load_results",
    "run_report",
    "write_overview",
]
