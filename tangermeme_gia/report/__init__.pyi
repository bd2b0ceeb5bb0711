from .experiments import EXPERIMENTS as EXPERIMENTS
from .inputs import ReportInputs as ReportInputs
from .one_output import OneOutput as OneOutput
from .one_output import OutputError as OutputError
from .options import ReportOptions as ReportOptions
from .overview import write_overview as write_overview
from .run import run_report as run_report
from .store import load_results as load_results
