"""The `residualbind` command: each option is the library keyword of the same name."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from tangermeme_gia._core.command_line import Parser, add_command, run

from .. import __version__
from .arguments import (
    METHODS,
    TRANSFORMS,
    add_bootstrap,
    add_data,
    add_device,
    add_expected,
    add_model,
    add_numbers,
    add_prediction,
    add_split,
    add_structure_cache,
)

# Choices and defaults of the library, which is imported when a command runs; tests
# hold them to it.
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
        _add_fit,
        _add_sweep,
        _add_benchmark,
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
    add = {"train": _add_train, "fit": _add_fit}.get(command)
    if add is None:
        raise ValueError(f"`command`={command!r} must be 'train' or 'fit'.")
    parser = Parser(prog="residualbind")
    add(subparsers := parser.add_subparsers())
    found: Parser = subparsers.choices[command]
    return found


def _command(name: str, module: str = "commands") -> Callable[..., None]:
    """A function of `commands`, which is imported when it is called."""

    def call(**given: Any) -> None:
        getattr(import_module(f".{module}", __package__), name)(**given)

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
    add_data(parser)
    parser.add_argument("--length", type=int, default=41, help="pad sequences to this")
    parser.add_argument("--out", type=Path, required=True, help="model file to write")
    _add_model_and_scores(parser)
    add_structure_cache(parser)
    add_split(parser)
    add_numbers(parser, _TRAINING)
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
    add_device(parser)
    add_bootstrap(parser)


def _add_fit(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "fit",
        _command("fit_model", "fit"),
        "Fit one of the methods that ResidualBind is compared with, by the recipe of "
        "its authors, and report its test metrics.",
        "--method dlprb-cnn --data RNCMPT00001.train.txt.gz RNCMPT00001.test.txt.gz "
        "--out A1CF_dlprb.safetensors",
    )
    parser.add_argument(
        "--method",
        required=True,
        choices=METHODS,
        metavar="METHOD",
        help=f"one of {', '.join(METHODS)}",
    )
    add_data(parser)
    parser.add_argument("--length", type=int, default=41, help="pad sequences to this")
    parser.add_argument("--out", type=Path, required=True, help="model file to write")
    _add_recipe(parser)
    _add_transform(parser)
    add_split(parser)
    add_structure_cache(parser)
    add_device(parser)
    add_bootstrap(parser)


def _add_recipe(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--channels",
        type=int,
        help="4 for the sequence alone, 6 or 9 with structure (default: the method's)",
    )
    parser.add_argument(
        "--trials",
        help="settings to try where the authors search: a number, or full for theirs "
        "(default: as many as a laptop can do)",
    )
    parser.add_argument("--epochs", type=int, help="at most (default: the recipe's)")
    parser.add_argument(
        "--checkpoint-folder",
        type=Path,
        help="where training is saved after each epoch and resumed from (default: "
        "nowhere)",
    )


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


def _add_benchmark(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "benchmark",
        None,
        "Fit and score every method on every experiment of a table, with the same "
        "splits, and compare them. Run again, it does what is missing.",
        "experiments.tsv --methods all --out benchmark --workers 2 --data scores.tsv "
        "--format table",
    )
    parser.fill = lambda *given: import_module(".benchmark", __package__).add_options(
        *given
    )


def _add_transform(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--transform",
        choices=TRANSFORMS,
        default="log",
        help="of the scores, fitted on the training split; saved with the model",
    )
    parser.add_argument(
        "--fit-per-split",
        action="store_true",
        help="transform each split by its own fit, as the authors did",
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
    _add_transform(parser)
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
    add_model(parser)
    add_data(parser)
    parser.add_argument(
        "--part",
        choices=("train", "valid", "test", "all"),
        default="test",
        help="which probes: set B is the test set, set A is divided by the seed",
    )
    add_split(parser)
    parser.add_argument(
        "--classification", action="store_true", help="scores are 0 or 1: AUROC, AUPR"
    )
    add_bootstrap(parser)
    parser.add_argument(
        "--confidence", type=float, default=0.95, help="coverage of the intervals"
    )
    add_expected(parser)
    add_structure_cache(parser)
    add_prediction(parser)


def _add_predict(subparsers: Any) -> None:
    parser = add_command(
        subparsers,
        "predict",
        _command("predict_sequences"),
        "Predict the binding score of each sequence.",
        "--model A1CF --sequences probes.fa",
    )
    add_model(parser)
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
    add_structure_cache(parser)
    add_prediction(parser)


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
    add_numbers(parser, _SIMULATION)
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
