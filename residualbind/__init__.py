"""ResidualBind: predict protein binding from RNA sequence, from data to model."""

from importlib.metadata import version

from .encoding import decode_sequences, encode_sequences
from .fasta import read_fasta, read_fasta_sequences
from .hdf5 import read_hdf5
from .keras_import import import_keras
from .metrics import evaluate, pearson, score_predictions
from .model import ResidualBind, ResidualBindConfig
from .preparation import Prepared, prepare
from .pretrained_models import (
    load_pretrained,
    load_profile,
    pretrained_metadata,
    pretrained_names,
)
from .public_data import download
from .readers import (
    read_deepbind,
    read_ray2013,
    read_score_pair,
    read_scores,
    read_table,
)
from .rnacompete import RNAcompete, RNAcompeteSplit
from .simulate import Simulation, simulate_rnacompete
from .splits import Split, split_sets
from .structure import structure_profiles
from .structured import WithStructure, add_structure
from .training import TrainingError, TrainingResult, train
from .transforms import (
    Chain,
    Clip,
    Log,
    Transform,
    ZScore,
    make_transform,
    transform_from_dict,
)
from .truth import Truth
from .weights import Metadata, load, load_metadata, save

__version__ = version("tangermeme-gia")

__all__ = [
    "Chain",
    "Clip",
    "Log",
    "Metadata",
    "Prepared",
    "RNAcompete",
    "RNAcompeteSplit",
    "ResidualBind",
    "ResidualBindConfig",
    "Simulation",
    "Split",
    "TrainingError",
    "TrainingResult",
    "Transform",
    "Truth",
    "WithStructure",
    "ZScore",
    "__version__",
    "add_structure",
    "decode_sequences",
    "download",
    "encode_sequences",
    "evaluate",
    "import_keras",
    "load",
    "load_metadata",
    "load_pretrained",
    "load_profile",
    "make_transform",
    "pearson",
    "prepare",
    "pretrained_metadata",
    "pretrained_names",
    "read_deepbind",
    "read_fasta",
    "read_fasta_sequences",
    "read_hdf5",
    "read_ray2013",
    "read_score_pair",
    "read_scores",
    "read_table",
    "save",
    "score_predictions",
    "simulate_rnacompete",
    "split_sets",
    "structure_profiles",
    "train",
    "transform_from_dict",
]
