"""Every reader, given spoilt files: it reads them, or has an error of its own.

`make fuzz` runs 5,000 files through each reader; the suite runs a few. Hypothesis
spoils a sound file: it deletes, repeats, overwrites and inserts, also with words that
mean something in a format, and cuts off.
"""

import gzip
import io
import os
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

h5py = pytest.importorskip("h5py")
hypothesis = pytest.importorskip("hypothesis")

from hypothesis import strategies as st  # noqa: E402

import residualbind as rb  # noqa: E402
from residualbind import load_deepbind  # noqa: E402
from residualbind.data import hdf5, readers  # noqa: E402
from residualbind.data.fasta import read_fasta  # noqa: E402
from residualbind.network.keras_import import import_keras  # noqa: E402
from tangermeme_gia import GIAResult, positional_bias, read_motifs  # noqa: E402
from tangermeme_gia._core import saving  # noqa: E402
from tangermeme_gia.backgrounds import genomic_background  # noqa: E402
from tangermeme_gia.cli.sequences import read_sequences  # noqa: E402
from tangermeme_gia.cli.sweep import _program  # noqa: E402
from tangermeme_gia.motifs import read_cwms, read_seqlets  # noqa: E402
from tangermeme_gia.report import report_entry, write_fleet  # noqa: E402
from tangermeme_gia.sweep import read_ledger  # noqa: E402
from tangermeme_gia.sweep.table import read_tasks  # noqa: E402

N_FILES = int(os.environ.get("FUZZ_FILES", "25"))

MEME = (
    "MEME version 4\n\nALPHABET= ACGT\n\nMOTIF one Gata\nletter-probability matrix: "
    "alength= 4 w= 2 nsites= 20 E= 0\n0 0 1 0\n0.33 0.33 0.34 0\n\nMOTIF two\n"
    "letter-probability matrix:\n1 0 0 0\n"
)
JASPAR = ">one Gata\nA [ 0 2 ]\nC [ 0 0 ]\nG [ 1 0 ]\nT [ 0 0 ]\n>two\n0\n0\n0\n9\n"
HOMER = ">GA\tone\t6.05\t-9\n0 0 1 0\n1 0 0 0\n>T\ttwo\t3\n0 0 0 1\n"
TRANSFAC = "AC  one\nXX\nID  x\nP0  A C G T\n01 0 0 7 0 G\n02 1 1 0 2 A\nXX\n//\n"
FASTA = ">a first\nACGTN\nacg\n\n>b\nRYKGT\nUUU\n"
BED = "track x\nchr1\t0\t4\tp\t1\t-\nchr1\t2\t6\nchr2\t1\t5\tp\t1\t+\t1\t2.5\t3\t2\n"
PEAKS = "chr1\t0\t4\tp\t1\t-\t1\t2.5\t3\t2\nchr2\t1\t5\tp\t1\t+\t1\t2e-3\t3\t-1\n"
GENOME = ">chr1\nACGTACGTAC\n>chr2\nGGGGG\nCCCCC\n"
DEEPBIND = """# deepbind 0.1
reverse_complement = 1
num_detectors = 1
detector_len = 2
has_avg_pooling = 0
num_hidden = 2
detectors = 0,0,1,0,1,0,0,0
thresholds = -0.5
weights1 = 2,1
biases1 = 0.25,1
weights2 = 1e-3,-1
biases2 = 3
"""
WORDS = [
    *("MOTIF", "letter-probability matrix:", "w= 9", "ALPHABET= ACGU", "URL x", "XX"),
    *("//", "P0  A C G T", "AC  z", ">", "]", "[", "#", "chr1", "track", "\t", "\n"),
    *(",", '"', " ", "nan", "inf", "-1", "1e999", "9" * 30, "0.5", "_1", "\r", "\0"),
    *("\ufeff", "é", "١", "\x1f\x8b", "NA", "PK"),
]


def array_file() -> bytes:
    file = io.BytesIO()
    X = np.eye(4)[[0, 1, 2, 3]].T[None].repeat(2, axis=0)
    np.savez_compressed(file, X=X.astype(np.int8), y=np.ones(2))
    return file.getvalue()


def hdf5_file(datasets: dict, attributes: dict | None = None, **options) -> bytes:
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        for key, values in datasets.items():
            opened.create_dataset(key, data=values, **options)
        for key, values in (attributes or {}).items():
            opened[key].attrs["weight_names"] = values
    return file.getvalue()


def rnacompete_file(names: list) -> bytes:
    X = np.eye(4)[[0, 1, 2, 3]].T[None].repeat(2, axis=0).astype(np.float32)
    parts = ("train", "valid", "test")
    datasets = {f"X_{p}": X for p in parts} | {f"Y_{p}": np.ones((2, 1)) for p in parts}
    return hdf5_file(datasets | {"experiment": names})


def modisco_file() -> bytes:
    key = "pos_patterns/pattern_0"
    return hdf5_file(
        {
            f"{key}/sequence": np.eye(4),
            f"{key}/contrib_scores": np.eye(4),
            f"{key}/seqlets/example_idx": np.arange(2),
            f"{key}/seqlets/start": np.arange(2),
            f"{key}/seqlets/end": 4 + np.arange(2),
            f"{key}/seqlets/is_revcomp": np.array([False, True]),
        },
        compression="gzip",
    )


def keras_file() -> bytes:
    """The weights of a network of 2 filters and 3 hidden units for 41 bases."""
    shapes = {"conv1d_1": {"kernel": (5, 4, 2)}, "dense_1": {"kernel": (8, 3)}}
    shapes |= {f"conv1d_{i}": {"kernel": (3, 2, 2)} for i in (2, 3, 4)}
    shapes |= {"dense_2": {"kernel": (3, 1), "bias": (1,)}}
    for i in range(1, 5):
        names = ("gamma", "beta", "moving_mean", "moving_variance")
        shapes[f"batch_normalization_{i}"] = dict.fromkeys(names, (2,))
    datasets, attributes = {}, {}
    for layer, weights in shapes.items():
        attributes[layer] = [f"{layer}/{name}:0".encode() for name in weights]
        for name, shape in weights.items():
            datasets[f"{layer}/{layer}/{name}:0"] = np.ones(shape, np.float32)
    return hdf5_file(datasets, attributes)


def result_file() -> bytes:
    y = torch.arange(6.0).reshape(3, 2)
    conditions = pd.DataFrame({"starts": [(3, 10), ()], "letter": ["A", None]})
    regions = pd.DataFrame({"chrom": list("aab"), "start": 5, "end": [8, 9, 10]})
    result = GIAResult(y[:, 0], y, conditions, clusters=list("aab"), regions=regions)
    return saving.result_file(result)


def fitted_file() -> bytes:
    data = rb.prepare(rb.simulate_rnacompete(100).data)
    fitted = rb.fit_method("matrixreduce", data, epochs=1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "m.safetensors")
        fitted.save(path)
        return path.read_bytes()


def effects_files() -> dict[str, bytes]:
    """A folder of `save_to`, of two blocks."""
    X = torch.eye(4)[[0, 1, 2, 3, 0, 1]].T[None].repeat(3, 1, 1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "effects")
        options = {"max_memory": 150, "save_to": folder}
        positional_bias(lambda X: X[:, :2].sum(-1), X, "GC", range(3), **options)
        assert len((folder / "finished.jsonl").read_text().splitlines()) > 1
        return {path.name: path.read_bytes() for path in folder.iterdir()}


EFFECTS = effects_files()


def spoilt_effects(path: Path):
    """Reads the folder with one of its files as it is there."""
    for name, content in EFFECTS.items():
        if name != path.name:
            path.with_name(name).write_bytes(content)
    return saving.load(path.parent)


def with_other(read, other: str, name: str):
    """A reader of two files, of which the second is sound."""

    def call(path: Path):
        second = path.with_name(name)
        second.write_text(other)
        return read(path, second)

    return call


def peaks(path: Path, genome: Path):
    return read_sequences(path, genome=genome, length=3)


def spoilt_genome(path: Path):
    regions = path.with_name("peaks.bed")
    regions.write_text(BED)
    return read_sequences(regions, genome=path, length=3)


def spoilt_background(path: Path):
    loci = pd.DataFrame({"chrom": ["chr1"], "start": [1], "end": [4]})
    return genomic_background(loci, path, n=1)


SETS = "Fold ID\tseq\nA\tACGU\nB\tGGGA\n"
TABLE = "sequence,score\nACGT,1\nGGGA,NA\n"
# The name of the file, a sound one, and what reads it.
REPORT = (
    '{"name": "m", "output": ["counts", 0], "headline": {"motif": "GAC", "effect": 2.5,'
    ' "effect_low": 2, "effect_high": 3, "r2": null, "left": 1e-3}, "logo": {"A": [1,'
    ' 0.25], "C": [0, 0.25], "G": [0.0, 0.25], "U": [0, 0.25]}}'
)


def page_of_report(path):
    """The page of many of one report; of what it cannot show it says where it is."""
    write_fleet(path.parent, [report_entry(path.parent)])


LEDGER = (
    '{"task": "a", "state": "waiting", "time": 1.5, "folder": "a", "key": "0f", '
    '"group": "", "labels": {}}\n'
    '{"task": "a", "state": "finished", "time": 2, "seconds": 0.5, "worker": "0", '
    '"headline": {"effect": 1.5}, "reused": false}\n'
)
SWEEP = "name\tmodel\tn\ttissue\na\tA1CF\t20\tliver\nb\tA1CF ANKHD1\t\t\n"

READERS = {
    "meme": ("m.meme", MEME, read_motifs),
    "jaspar": ("m.jaspar", JASPAR, read_motifs),
    "homer": ("m.homer", HOMER, read_motifs),
    "transfac": ("m.dat", TRANSFAC, read_motifs),
    "zipped motifs": ("m.gz", gzip.compress(MEME.encode()), read_motifs),
    "modisco": ("modisco_results.h5", modisco_file(), read_motifs),
    "cwms": ("modisco_results.h5", modisco_file(), read_cwms),
    "seqlets": ("modisco_results.h5", modisco_file(), read_seqlets),
    "fasta": ("x.fa", FASTA, read_sequences),
    "lines": ("x.txt", "1.5 ACGT\n-2 GGGA\n", read_sequences),
    "csv": ("x.csv", TABLE.replace("NA", "2"), read_sequences),
    "npz": ("x.npz", array_file(), read_sequences),
    "bed": ("x.bed", BED, with_other(peaks, GENOME, "genome.fa")),
    "narrowPeak": ("x.narrowPeak", PEAKS, with_other(peaks, GENOME, "genome.fa")),
    "genome": ("genome.fa", GENOME, spoilt_genome),
    "genomic background": ("genome.fa", GENOME, spoilt_background),
    "scores": ("HuR.txt", "1.5 ACGU\nNA GGGA\n", readers.read_scores),
    "ray2013": ("r.txt", "Probe_Set\tRNA_Seq\tH\nSetA\tACG\t1\n", readers.read_ray2013),
    "table": ("t.csv", TABLE, readers.read_table),
    "deepbind": (
        "s.tsv",
        SETS,
        with_other(readers.read_deepbind, "H\n1\n2\n", "t.tsv"),
    ),
    "fasta and table": (
        "x.fa",
        ">a\nACG\n>b\nGGU\n",
        with_other(read_fasta, "name\tscore\na\t1\nb\t2\n", "t.tsv"),
    ),
    "hdf5": ("d.h5", rnacompete_file([b"HuR"]), hdf5.read_hdf5),
    "hdf5 with texts": ("d.h5", rnacompete_file(["HuR"]), hdf5.read_hdf5),
    "deepbind model": ("D1.txt", DEEPBIND, load_deepbind),
    "keras": ("w.hdf5", keras_file(), import_keras),
    "fitted method": ("m.safetensors", fitted_file(), rb.load_fitted),
    "result": ("sites.gia", result_file(), saving.load),
    "report": ("report.json", REPORT, page_of_report),
    "ledger": ("ledger.jsonl", LEDGER, lambda path: read_ledger(path.parent)),
    "sweep": (
        "models.tsv",
        SWEEP,
        lambda path: read_tasks(path, _program(), "report", []),
    ),
    **{
        name: (name, EFFECTS[name], spoilt_effects)
        for name in ("result.safetensors", "y_afters.safetensors", "finished.jsonl")
    },
}

SPOIL = st.tuples(
    st.sampled_from(["delete", "repeat", "overwrite", "insert", "cut"]),
    st.floats(0, 1),
    st.integers(1, 40),
    st.sampled_from([word.encode() for word in WORDS]) | st.binary(max_size=8),
)


def spoil(data: bytes, changes: list) -> bytes:
    for what, where, length, word in changes:
        start = int(where * len(data))
        end = start + length
        if what == "delete":
            data = data[:start] + data[end:]
        elif what == "repeat":
            data = data[:end] + data[start:]
        elif what == "overwrite":
            data = data[:start] + word + data[start + len(word) :]
        elif what == "insert":
            data = data[:start] + word + data[start:]
        else:
            data = data[: max(start, 1)]
    return data


@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisWarning")
@pytest.mark.parametrize("reader", READERS)
def test_a_spoilt_file_is_read_or_refused_in_own_words(reader):
    name, sound, read = READERS[reader]
    data = sound.encode() if isinstance(sound, str) else sound
    outcomes = {"read": 0, "refused": 0}

    @hypothesis.settings(
        max_examples=N_FILES,
        deadline=20_000,  # a hang
        database=None,
        derandomize=N_FILES < 1000,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(st.lists(SPOIL, max_size=4))
    def run(changes):
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            path = Path(folder, name)
            path.write_bytes(spoil(data, changes))
            try:
                read(path)
            except ValueError as error:
                # Own errors name the file; those of other packages do not.
                if type(error) is not ValueError or folder not in str(error):
                    raise
                outcomes["refused"] += 1
            else:
                outcomes["read"] += 1

    run()
    print(f"{reader}: {outcomes}", flush=True)
    assert outcomes["read"]
    assert outcomes["refused"] or N_FILES < 1000
