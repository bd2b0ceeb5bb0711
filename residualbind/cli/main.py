"""The `residualbind` command: each option is the library keyword of the same name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from tangermeme_gia._core.command_line import Parser, add_command, run

from .. import __version__
from ..network.pretrained import pretrained_names

# Choices and defaults of the library, which is imported when a command runs; tests
# hold them to it.
_FORMATS = ("scores", "deepbind", "ray2013", "hdf5", "table", "fasta")
_TRANSFORMS = ("log", "clip", "clip-std", "zscore", "none")
_STRUCTURES = ("PU", "PHIME")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Parameters
    ----------
    arguments: sequence of str or None, optional
        The words after `residualbind`. None takes those of the process.

    Returns
    -------
    code: int
        0; 2 for bad input, with one line on stderr that says what is wrong; 130 if
        interrupted; 141 if whatever read the output has ended. Finished epochs of a
        training are kept.

    Examples
    --------
    >>> main(["simulate", "--n", "0"])
    2
    """
    words = sys.argv[1:] if arguments is None else arguments
    return run(build_parser(), words, "residualbind")


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = Parser(
        prog="residualbind",
        description="ResidualBind: predict protein binding from RNA sequence. Tables "
        "go to stdout or to --out, messages to stderr.",
    )
    version = f"residualbind {__version__}"
    parser.add_argument("--version", action="version", version=version)
    subparsers = parser.add_subparsers(required=True, metavar="command")
    for add in (
        _add_train,
        _add_sweep,
        _add_evaluate,
        _add_predict,
        _add_import_keras,
        _add_simulate,
        _add_download,
    ):
        add(subparsers)
    return parser


def parser_of(command: str) -> Parser:
    """The parser of a command that a sweep runs."""
    if command != "train":
        raise ValueError(f"`command`={command!r} must be 'train'.")
    parser = Parser(prog="residualbind")
    _add_train(subparsers := parser.add_subparsers())
    train: Parser = subparsers.choices[command]
    return train


def _command(name: str) -> Callable[..., None]:
    """A function of `commands`, which is imported when it is called."""

    def call(**given: Any) -> None:
        getattr(import_module(".commands", __package__), name)(**given)

    return call


def _add_train(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "train",
        _command("train_model"),
        "Train a ResidualBind on RNAcompete scores and report its test metrics.",
        "--data RNCMPT00001.train.txt.gz RNCMPT00001.test.txt.gz "
        "--out A1CF.safetensors",
    )
    _add_data(parser)
    parser.add_argument("--length", type=int, default=41, help="pad sequences to this")
    parser.add_argument("--out", type=Path, required=True, help="model file to write")
    _add_model_and_scores(parser)
    _add_structure_cache(parser)
    _add_split(parser)
    _add_numbers(parser, _TRAINING)
    parser.add_argument(
        "--checkpoint-folder",
        type=Path,
        help="where the run is saved after each epoch and resumed from (default: the "
        "model file's name and .training)",
    )
    parser.add_argument(
        "--restart",
        action="store_true",
        help="start anew, whatever run is saved in that folder",
    )
    parser.add_argument(
        "--dtype",
        choices=("float32", "bfloat16"),
        help="mixed precision (default: bfloat16 on a GPU, float32 on a CPU)",
    )
    _add_device(parser)
    _add_bootstrap(parser)


def _add_sweep(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "sweep",
        None,
        "Train a model for each row of a table, here or on a cluster. Run again, it "
        "does what is missing.",
        "experiments.tsv --out models --workers 2 --data scores.tsv --format table",
    )
    parser.fill = lambda *given: import_module(".sweep", __package__).add_options(
        *given
    )


_TRAINING = (
    ("epochs", 100, "at most"),
    ("batch_size", 100, "mini-batch"),
    ("lr", 0.001, "learning rate of Adam"),
    ("lr_decay", 0.3, "its factor when validation stalls"),
    ("lr_patience", 7, "epochs of stalling before it falls"),
    ("patience", 20, "epochs of stalling before the end"),
)


def _add_model_and_scores(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--architecture",
        choices=("paper", "released"),
        default="released",
        help="the paper's text, or the authors' released code, which predicts better",
    )
    parser.add_argument(
        "--classification",
        action="store_true",
        help="scores are 0 or 1: sigmoid output, cross entropy, no transform",
    )
    parser.add_argument(
        "--transform",
        choices=_TRANSFORMS,
        default="log",
        help="of the scores, fitted on the training split; saved with the model",
    )
    parser.add_argument(
        "--fit-per-split",
        action="store_true",
        help="transform each split by its own fit, as the authors did",
    )
    parser.add_argument(
        "--structure",
        choices=_STRUCTURES,
        help="fold the probes for further channels: PU has paired and unpaired, PHIME "
        "paired, hairpin, internal, multi and external (default: sequence alone)",
    )


def _add_evaluate(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "evaluate",
        _command("evaluate_model"),
        "Report how well a model predicts measured scores, with intervals.",
        "--model A1CF --data RNCMPT00001.test.txt.gz --part all",
    )
    _add_model(parser)
    _add_data(parser)
    parser.add_argument(
        "--part",
        choices=("train", "valid", "test", "all"),
        default="test",
        help="which probes: set B is the test set, set A is divided by the seed",
    )
    _add_split(parser)
    parser.add_argument(
        "--classification", action="store_true", help="scores are 0 or 1: AUROC, AUPR"
    )
    _add_bootstrap(parser)
    parser.add_argument(
        "--confidence", type=float, default=0.95, help="coverage of the intervals"
    )
    _add_structure_cache(parser)
    _add_prediction(parser)


def _add_predict(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "predict",
        _command("predict_sequences"),
        "Predict the binding score of each sequence.",
        "--model A1CF --sequences probes.fa",
    )
    _add_model(parser)
    parser.add_argument(
        "--sequences",
        type=Path,
        required=True,
        metavar="FILE",
        help="FASTA (.fa, .fasta, .fna) or a table (TSV, CSV), plain or gzipped",
    )
    parser.add_argument(
        "--sequence", default="sequence", help="column of a table with the sequences"
    )
    parser.add_argument(
        "--name", help="column of a table with names (default: row numbers)"
    )
    parser.add_argument(
        "--scale",
        choices=("measured", "transformed"),
        default="measured",
        help="scores as measured, or as transformed for training",
    )
    _add_structure_cache(parser)
    _add_prediction(parser)


def _add_import_keras(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "import-keras",
        _command("import_keras_weights"),
        "Convert .hdf5 weights of the authors' Keras code to a model file.",
        "--weights log_norm_seq.hdf5 --out model.safetensors",
    )
    parser.add_argument("--weights", type=Path, required=True, help="Keras HDF5 file")
    parser.add_argument("--out", type=Path, required=True, help="model file to write")
    parser.add_argument("--length", type=int, default=41, help="input length")
    parser.add_argument("--pool-size", type=int, default=10, help="of mean pooling")
    parser.add_argument(
        "--sigmoid", action="store_true", help="the output ends in a sigmoid"
    )


def _add_simulate(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "simulate",
        _command("simulate_data"),
        "Write a synthetic RNAcompete experiment whose binding rules are known.",
        "--motif UGCAUG --noise 1 --out simulated.tsv",
    )
    parser.add_argument("--n", type=int, default=20_000, help="number of probes")
    parser.add_argument(
        "--motif", default="UGCAUG", help="what is bound; N stands for any base"
    )
    _add_numbers(parser, _SIMULATION)
    parser.add_argument("--out", type=Path, help="table to write (default: stdout)")
    parser.add_argument(
        "--truth", type=Path, help="table of what makes up each probe's score"
    )


_SIMULATION = (
    ("motif_effect", 8.0, "score of a site"),
    (
        "spacing_penalty",
        4.0,
        "loss of the second of two close sites",
    ),
    (
        "min_spacing",
        6,
        "bases between sites from which nothing is lost",
    ),
    ("loop_preference", 4.0, "gain of a site in a hairpin loop"),
    ("stem_penalty", 4.0, "loss of a site in a stem"),
    ("gc_effect", 0.3, "score of each G or C at the 3' end"),
    ("gc_window", 7, "bases of the 3' end"),
    ("noise", 1.0, "standard deviation of the noise"),
    ("random_state", 0, "seed"),
)


def _add_numbers(
    parser: argparse.ArgumentParser, options: Iterable[tuple[str, float, str]]
) -> None:
    """Add options by keyword, default and help; the default tells int from float."""
    for name, default, text in options:
        option = "--" + name.replace("_", "-")
        parser.add_argument(option, type=type(default), default=default, help=text)


def _add_download(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "download",
        _command("download_tables"),
        "Fetch the public RNAcompete tables of Ray et al. (2013).",
        "--out rnacompete",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument("--files", nargs="+", help="which (default: all)")


def _add_data(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data",
        nargs="+",
        required=True,
        metavar="FILE",
        help="scores: set A, set B; deepbind: sequences, targets; fasta: FASTA, scores",
    )
    group.add_argument(
        "--format", choices=_FORMATS, default="scores", help="of the files"
    )
    group.add_argument(
        "--experiment", nargs="+", help="one or several; needed where there are more"
    )
    group.add_argument("--sequence", default="sequence", help="column of a table")
    group.add_argument("--score", default="score", help="column of a table")
    group.add_argument(
        "--set-column",
        help="column of a table with A and B (set A is divided, B is the test set), or "
        "train, valid and test; without valid, train is divided (default: all are "
        "set A)",
    )
    group.add_argument("--protein", help="group of the authors' 2009 HDF5 files")


def _add_model(parser: argparse.ArgumentParser) -> None:
    names = ", ".join(pretrained_names())
    parser.add_argument(
        "--model", required=True, help=f"model file, or a bundled model: {names}"
    )


def _add_structure_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--structure-cache",
        type=Path,
        metavar="FOLDER",
        help="where structure profiles are kept between runs (default: nowhere)",
    )


def _add_split(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--valid-fraction", type=float, default=0.1, help="of set A, for validation"
    )
    parser.add_argument(
        "--drop-duplicates",
        action="store_true",
        help="leave out validation and test probes whose sequence is in a set before",
    )
    parser.add_argument("--random-state", type=int, default=0, help="seed")


def _add_bootstrap(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--n-resamples", type=int, default=1000, help="resamples for the intervals"
    )


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--device", help="such as cpu or cuda (default: CUDA if present)"
    )


def _add_prediction(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--batch-size", type=int, default=512, help="of prediction")
    _add_device(parser)
    parser.add_argument("--out", type=Path, help="table to write (default: stdout)")
