"""Options that commands share: which model, which sequences, which backgrounds."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from .._core.command_line import add_command
from .._core.letters import DNA, RNA
from ..report import ReportInputs
from .models import ModelSource, bundled_models, load_model
from .sequences import read_sequences

DEFAULT_MODEL = "A1CF"
# The options of `read_inputs`.
INPUTS = (
    "weights",
    "target",
    "sequences",
    "genome",
    "sequence",
    "score",
    "length",
    "alphabet",
)
# Named alphabets; any other is spelled out.
_PROTEIN = "ACDEFGHIKLMNPQRSTVWY"
_ALPHABETS = {"DNA": "".join(DNA), "RNA": "".join(RNA), "protein": _PROTEIN}


def add_parser(
    subparsers: Any, name: str, summary: str, example: str
) -> argparse.ArgumentParser:
    """Add a command that asks one model; `example` is what follows its name."""
    parser = add_command(subparsers, name, None, summary, example)
    parser.add_argument("--model", default=DEFAULT_MODEL, help=model_help())
    return parser


def add_output(parser: argparse.ArgumentParser, local: bool = True) -> None:
    """Options that say what is written where."""
    group = parser.add_argument_group("output")
    group.add_argument(
        "--out", type=Path, metavar="FILE", help="table to write (default: stdout)"
    )
    group.add_argument(
        "--plot", type=Path, metavar="FILE", help="picture to draw: .png, .svg or .pdf"
    )
    if local:
        group.add_argument(
            "--local",
            type=Path,
            metavar="FILE",
            help="table of the effect on each single sequence",
        )
    group.add_argument(
        "--confidence", type=float, default=0.95, help="coverage of the intervals"
    )


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Options that say which sequences and which output of the model."""
    group = parser.add_argument_group("model and sequences")
    group.add_argument(
        "--weights", type=Path, help="state dict for a model given as module:callable"
    )
    group.add_argument(
        "--target", type=int, help="which output of the model, from 0, if several"
    )
    group.add_argument(
        "--sequences",
        type=Path,
        metavar="FILE",
        help="observed sequences: FASTA, table (.tsv, .csv), lines of score and "
        "sequence (.txt), one-hot (.npz) or regions (.bed, with --genome); default: "
        "the profile of a bundled model, or uniform bases",
    )
    group.add_argument("--genome", type=Path, help="FASTA that a .bed file refers to")
    group.add_argument(
        "--sequence", default="sequence", help="column of a table with the sequences"
    )
    group.add_argument(
        "--score", help="column of a table with measured scores (default: score)"
    )
    group.add_argument(
        "--length", type=int, help="bases the model reads; shorter are padded"
    )
    group.add_argument(
        "--alphabet",
        help="DNA, RNA, protein, or letters in channel order (default: RNA for "
        "residualbind models, else DNA)",
    )
    group.add_argument(
        "--device", help="such as cpu or cuda (default: CUDA if present)"
    )
    group.add_argument("--batch-size", type=int, help="sequences at once")
    group.add_argument("--seed", type=int, default=0, help="of all draws")


def model_help() -> str:
    """What `--model` may be."""
    names = ", ".join(bundled_models())
    return (
        f"a bundled model ({names}), a residualbind .safetensors file, or "
        "module:callable"
    )


def read_inputs(
    model: str,
    *,
    weights: Path | None = None,
    target: int | None = None,
    sequences: Path | None = None,
    genome: Path | None = None,
    sequence: str = "sequence",
    score: str | None = None,
    length: int | None = None,
    alphabet: str | None = None,
) -> ReportInputs:
    """The model of `--model` and the sequences of the other options."""
    if length is not None and length < 1:
        raise ValueError(f"`--length`={length} must be at least 1.")
    source = load_model(model, weights, target)
    letters = _alphabet(alphabet, source)
    if source.length is not None and length not in (None, source.length):
        raise ValueError(
            f"`--length`={length}, but {source.name} reads {source.length} bases."
        )
    length = source.length or length
    if sequences is None:
        if genome is not None:
            raise ValueError("`--genome` goes with a .bed file of `--sequences`.")
        return _without_sequences(source, letters, length)
    observed = read_sequences(
        sequences,
        letters,
        length=length,
        genome=genome,
        sequence=sequence,
        score=score,
    )
    return ReportInputs(
        source.name,
        source.model,
        letters,
        X=observed.X,
        scores=observed.scores,
        output=source.output,
        origin={**source.origin, "sequences": observed.origin},
    )


class Asked(NamedTuple):
    """What a command is asked about, and how."""

    inputs: ReportInputs
    seed: int
    prediction: dict[str, Any]
    given: dict[str, Any]

    @property
    def keywords(self) -> dict[str, Any]:
        """Those that every experiment takes."""
        return {
            "alphabet": self.inputs.alphabet,
            "random_state": self.seed,
            "verbose": sys.stderr.isatty(),
            **self.prediction,
        }


def ask(options: Mapping[str, Any]) -> Asked:
    """Read what the shared options name; `given` are the options that remain.

    Raises
    ------
    ValueError, TypeError, OSError
        As `read_inputs` and `prediction_options`.
    """
    own = dict(options)
    model, seed, device, batch_size = (
        own.pop(name) for name in ("model", "seed", "device", "batch_size")
    )
    inputs = {name: own.pop(name) for name in INPUTS}
    prediction = prediction_options(device, batch_size)
    return Asked(read_inputs(model, **inputs), seed, prediction, own)


def check_confidence(confidence: float) -> None:
    """Refuse what is no coverage of an interval."""
    if not 0 < confidence < 1:
        raise ValueError(f"`--confidence`={confidence:g} must be between 0 and 1.")


def prediction_options(device: str | None, batch_size: int | None) -> dict[str, Any]:
    """Those of the options that were given, as keywords of `predict`.

    Raises
    ------
    ValueError
        If there is no such device, or the batch size is not positive.
    """
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"`--batch-size`={batch_size} must be at least 1.")
    if device is not None:
        try:
            torch.empty(0, device=device)
        except Exception as error:  # torch has no one type for this
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ValueError(f"`--device`={device!r} cannot be used: {reason}") from (
                error
            )
    given = {"device": device, "batch_size": batch_size}
    return {name: value for name, value in given.items() if value is not None}


def _without_sequences(
    source: ModelSource, letters: tuple[str, ...], length: int | None
) -> ReportInputs:
    if source.profile is not None:
        profile, origin = source.profile, "the model's nucleotide profile"
    elif length is not None:
        profile = torch.full((len(letters), length), 1 / len(letters))
        origin = f"none; {length} uniform bases"
    else:
        raise ValueError(
            f"{source.name} needs `--sequences`, or `--length` for uniform bases."
        )
    return ReportInputs(
        source.name,
        source.model,
        letters,
        profile=profile,
        output=source.output,
        origin={**source.origin, "sequences": origin},
    )


def _alphabet(given: str | None, source: ModelSource) -> tuple[str, ...]:
    if given is None:
        return source.alphabet or DNA
    named = {name.upper(): letters for name, letters in _ALPHABETS.items()}
    letters = tuple(named.get(given.upper(), given.upper()))
    if len(set(letters)) < len(letters) or len(letters) < 2:
        raise ValueError(
            f"`--alphabet`={given!r} must be {', '.join(_ALPHABETS)} or distinct "
            "letters, such as ACGU."
        )
    if source.alphabet is not None and letters != source.alphabet:
        raise ValueError(
            f"`--alphabet`={given!r}, but {source.name} reads "
            f"{''.join(source.alphabet)}."
        )
    return letters
