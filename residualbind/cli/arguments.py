"""Options that commands of `residualbind` share."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from ..network.pretrained import pretrained_names

# Choices of the library, which is imported when a command runs; tests hold them to it.
FORMATS = ("scores", "deepbind", "ray2013", "hdf5", "table", "fasta")
METHODS = (
    "residualbind",
    "deepbind-1",
    "deepbind-2",
    "dlprb-cnn",
    "dlprb-rnn",
    "cdeepbind-cnn",
    "cdeepbind-rnn",
    "thermonet",
    "rck",
    "rnacontext",
    "matrixreduce",
    "kmer-ridge",
)
TRANSFORMS = ("log", "clip", "clip-std", "zscore", "none")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Which measurements, and where the scores stand."""
    group = parser.add_argument_group("data")
    group.add_argument(
        "--data",
        nargs="+",
        required=True,
        metavar="FILE",
        help="scores: set A, set B; deepbind: sequences, targets; fasta: FASTA, scores",
    )
    group.add_argument(
        "--format", choices=FORMATS, default="scores", help="of the files"
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


def add_model(parser: argparse.ArgumentParser) -> None:
    """A model of a file, or a bundled one."""
    names = ", ".join(pretrained_names())
    parser.add_argument(
        "--model", required=True, help=f"model file, or a bundled model: {names}"
    )


def add_structure_cache(parser: argparse.ArgumentParser) -> None:
    """Where profiles are kept."""
    parser.add_argument(
        "--structure-cache",
        type=Path,
        metavar="FOLDER",
        help="where structure profiles are kept between runs (default: nowhere)",
    )


def add_split(parser: argparse.ArgumentParser) -> None:
    """How set A is divided."""
    parser.add_argument(
        "--valid-fraction", type=float, default=0.1, help="of set A, for validation"
    )
    parser.add_argument(
        "--drop-duplicates",
        action="store_true",
        help="leave out validation and test probes whose sequence is in a set before",
    )
    parser.add_argument("--random-state", type=int, default=0, help="seed")


def add_bootstrap(parser: argparse.ArgumentParser) -> None:
    """How intervals are made."""
    parser.add_argument(
        "--n-resamples", type=int, default=1000, help="resamples for the intervals"
    )


def add_expected(parser: argparse.ArgumentParser) -> None:
    """Which motifs the model should have learned."""
    parser.add_argument(
        "--expected",
        nargs="+",
        metavar="MOTIF",
        help="also say whether the model has learned the protein's known motif, by its "
        "rank among all words: letters, such as UGCAUG or WUAAUUR, FILE:NAME, or FILE "
        "[NAME ...]",
    )
    parser.add_argument(
        "--n-backgrounds",
        type=int,
        default=100,
        help="on which all words are placed for --expected",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Where it is computed."""
    parser.add_argument(
        "--device", help="such as cpu or cuda (default: CUDA if present)"
    )


def add_prediction(parser: argparse.ArgumentParser) -> None:
    """How a model is asked, and where the table goes."""
    parser.add_argument("--batch-size", type=int, default=512, help="of prediction")
    add_device(parser)
    parser.add_argument("--out", type=Path, help="table to write (default: stdout)")


def add_numbers(
    parser: argparse.ArgumentParser, options: Iterable[tuple[str, float, str]]
) -> None:
    """Add options by keyword, default and help; the default tells int from float."""
    for name, default, text in options:
        option = "--" + name.replace("_", "-")
        parser.add_argument(option, type=type(default), default=default, help=text)
