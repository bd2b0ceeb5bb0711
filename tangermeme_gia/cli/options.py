"""Options that commands share: which model, which sequences, which backgrounds."""

from __future__ import annotations

import argparse
import inspect
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .._core.command_line import check_device
from ..models.providers import ModelSource, bundled_models
from .folds import AVERAGE, CROSS, say_folds
from .models import Loading, add_loading
from .values import target as target_of

if TYPE_CHECKING:  # what explains the options needs no torch
    import torch

    from .._core.target import Target
    from ..report import ReportInputs

_Some = TypeVar("_Some")
_log = logging.getLogger("tangermeme_gia.cli")

# Named alphabets; any other is spelled out.
_PROTEIN = "ACDEFGHIKLMNPQRSTVWY"
_ALPHABETS = {"DNA": "ACGT", "RNA": "ACGU", "protein": _PROTEIN}


def add_model(parser: argparse.ArgumentParser, several: bool = False) -> None:
    """The option `--model`; the default is the first bundled model, if there is one."""
    names = list(bundled_models())
    text = (
        f"a bundled model ({', '.join(names) or 'none'}), a model file (TorchScript, "
        "torch.export, ONNX, or of an installed package), or module:callable"
    )
    parser.add_argument(
        "--model",
        nargs="+" if several else None,
        default=names[:1] if several else next(iter(names), None),
        required=not names,
        help=f"one or more: {text}" if several else text,
    )


def add_output(
    parser: argparse.ArgumentParser, raw: bool = True, intervals: bool = True
) -> argparse._ArgumentGroup:
    """Options that say what is written where; the group, to add others.

    `raw` is whether the effect on each single sequence is kept.
    """
    group = parser.add_argument_group("output")
    group.add_argument(
        "--out", type=Path, metavar="FILE", help="table to write (default: stdout)"
    )
    group.add_argument(
        "--plot", type=Path, metavar="FILE", help="picture to draw: .png, .svg or .pdf"
    )
    group.add_argument(
        "--save",
        type=Path,
        metavar="FILE",
        help="the whole result, for tangermeme_gia.load in Python",
    )
    if raw:
        group.add_argument(
            "--save-to",
            type=Path,
            metavar="FOLDER",
            help="instead, a folder that the effects on each single sequence are "
            "written to as conditions finish, for results larger than memory; the same "
            "command goes on where it stopped",
        )
        group.add_argument(
            "--local",
            type=Path,
            metavar="FILE",
            help="table of the effect on each single sequence",
        )
    if intervals:
        group.add_argument(
            "--confidence", type=float, default=0.95, help="coverage of the intervals"
        )
    return group


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Options that say which sequences and which output of the model."""
    group = parser.add_argument_group("model and sequences")
    add_loading(group)
    group.add_argument(
        "--target",
        type=target_of,
        help="which output of the model, if several: its index on axis 1 from 0, "
        "those on axes 1, 2, ... such as 2,62, or the key of a head; of profiles and "
        "bins what is read, such as track=0,centre=200,log2=1 (see Readout)",
    )
    group.add_argument(
        "--minus",
        type=target_of,
        help="another output, such as another cell type, of which the effect is taken "
        "from that of --target, paired on each background",
    )
    _add_sequences(group)
    group.add_argument(
        "--length", type=int, help="bases the model reads; shorter are padded"
    )
    group.add_argument(
        "--alphabet",
        help="DNA, RNA, protein, or letters in channel order (default: the "
        "model's own if it is known, else DNA)",
    )
    group.add_argument(
        "--device", help="such as cpu or cuda (default: CUDA if present)"
    )
    group.add_argument("--batch-size", type=int, help="sequences at once")
    group.add_argument(
        "--no-reuse",
        dest="reuse",
        action="store_const",
        const=False,
        help="compute every sequence in full, and do not try whether computing only "
        "what a motif changes is faster",
    )
    group.add_argument("--random-state", type=int, default=0, help="seed of all draws")


def _add_sequences(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--sequences",
        type=Path,
        metavar="FILE",
        help="observed sequences: FASTA, table (.tsv, .csv), lines of score and "
        "sequence (.txt), one-hot (.npz) or regions (.bed or .narrowPeak, with "
        "--genome); default: the profile of a bundled model, or uniform bases",
    )
    group.add_argument("--genome", type=Path, help="FASTA that regions refer to")
    group.add_argument(
        "--chroms",
        nargs="+",
        metavar="CHROM",
        help="only regions on these chromosomes, such as those held out of training",
    )
    group.add_argument(
        "--keep-copies",
        action="store_true",
        help="count a sequence that is there twice as two independent ones",
    )
    group.add_argument(
        "--sequence", default="sequence", help="column of a table with the sequences"
    )
    group.add_argument(
        "--score", help="column of a table with measured scores (default: score)"
    )


class Reading(NamedTuple):
    """What the options say of the sequences: which file, and how it is read."""

    sequences: Path | None = None
    genome: Path | None = None
    chroms: list[str] | None = None
    keep_copies: bool = False
    numbered: bool = False
    sequence: str = "sequence"
    score: str | None = None

    def read(self, alphabet: tuple[str, ...], length: int | None) -> dict[str, Any]:
        """The sequences as keywords of `ReportInputs`; `origin` says what they are."""
        from .sequences import read_sequences

        assert self.sequences is not None
        how = {**self._asdict(), "length": length}
        return read_sequences(how.pop("sequences"), alphabet, **how)._asdict()

    def check(self) -> None:
        """Raise where options are given that go with sequences, and these are not."""
        for option in ("genome", "chroms"):
            if self.sequences is None and getattr(self, option) is not None:
                raise ValueError(
                    f"`--{option}` goes with regions given as `--sequences`."
                )


def read_inputs(
    model: str,
    *,
    loading: Loading | None = None,
    target: Target | None = None,
    reading: Reading | None = None,
    length: int | None = None,
    alphabet: str | None = None,
) -> ReportInputs:
    """The model of `--model` and the sequences of the other options."""
    from ..report import OneOutput, ReportInputs

    reading = reading or Reading()
    reading.check()
    if length is not None and length < 1:
        raise ValueError(f"`--length`={length} must be at least 1.")
    named = None if alphabet is None else _named_alphabet(alphabet)
    source = (loading or Loading()).load(model, named)
    adapts = loading is not None and loading.adapts
    letters = _alphabet(None if adapts else named, source)
    if source.length is not None and length not in (None, source.length):
        raise ValueError(
            f"`--length`={length}, but {source.name} reads {source.length} bases."
        )
    length = source.length or length
    if reading.sequences is None:
        profile, origin = _profile(source, letters, length)
        found: dict[str, Any] = {"profile": profile}
    else:
        found = reading.read(letters, length)
        origin = found.pop("origin")
    return ReportInputs(
        source.name,
        OneOutput(source.model, target).eval(),
        letters,
        **found,
        output=_describe_output(source, target),
        origin={**source.origin, "sequences": origin},
    )


class Asked(NamedTuple):
    """What a command is asked about, and how.

    `folds` are the models of several weights by name, each as `model`, if they are to
    be crossed.
    """

    inputs: ReportInputs
    seed: int
    prediction: dict[str, Any]
    reuse: bool | None
    given: dict[str, Any]
    n_weights: int = 1
    folds: Mapping[str, torch.nn.Module] = MappingProxyType({})

    @property
    def model(self) -> torch.nn.Module:
        """The whole model, of which experiments choose the output themselves."""
        return self.inputs.model.whole()

    @property
    def keywords(self) -> dict[str, Any]:
        """Those that every experiment takes."""
        return {
            "alphabet": self.inputs.alphabet,
            "target": self.inputs.model.target,
            "random_state": self.seed,
            "verbose": True,
            "reuse": self.reuse,
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
    take_contrast(own)
    prediction = take(own, prediction_options)
    loading, reading = take(own, Loading), take(own, Reading)
    inputs = take(own, partial(read_inputs, loading=loading, reading=reading))
    name, folds = own.pop("name", None), own.pop("folds", AVERAGE)
    inputs = replace(inputs, name=name or inputs.name)
    say_folds(inputs.name, folds, loading.weights or ())
    crossed = folds_of(inputs, loading) if folds == CROSS else {}
    n_weights = len(loading.weights or ())
    seed, reuse = own.pop("random_state"), own.pop("reuse")
    return Asked(inputs, seed, prediction, reuse, own, n_weights, crossed)


def folds_of(inputs: ReportInputs, loading: Loading) -> dict[str, torch.nn.Module]:
    """The models of several weights by name, each with all that it gives."""
    from ..models.averaging import AveragedModels
    from ..report import OneOutput

    one = inputs.model
    assert isinstance(one.model, AveragedModels)
    return {
        name: OneOutput(model, one.target).eval().whole()
        for name, model in zip(loading.fold_names, one.model.models, strict=True)
    }


def take(options: dict[str, Any], to: Callable[..., _Some]) -> _Some:
    """What a class or function makes of the options it takes; the others remain."""
    names = [name for name in inspect.signature(to).parameters if name in options]
    return to(**{name: options.pop(name) for name in names})


def prediction_options(device: str | None, batch_size: int | None) -> dict[str, Any]:
    """Those of the options that were given, as keywords of `predict`.

    Raises
    ------
    ValueError
        If there is no such device, or the batch size is not positive.
    """
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"`--batch-size`={batch_size} must be at least 1.")
    check_device(device)
    given = {"device": device, "batch_size": batch_size}
    return {name: value for name, value in given.items() if value is not None}


def _profile(
    source: ModelSource, letters: tuple[str, ...], length: int | None
) -> tuple[torch.Tensor, str]:
    """Letter frequencies to draw sequences from, and where they are from."""
    import torch

    if source.profile is not None:
        return source.profile, "the model's nucleotide profile"
    if length is None:
        raise ValueError(
            f"{source.name} needs `--sequences`, or `--length` for uniform bases."
        )
    _log.info(
        "%s comes without a profile of its sequences: backgrounds are of uniform bases;"
        " `--sequences` gives realistic ones",
        source.name,
    )
    uniform = torch.full((len(letters), length), 1 / len(letters))
    return uniform, f"none; {length} uniform bases"


def take_contrast(options: dict[str, Any]) -> None:
    """Make one target of `--target` and `--minus`."""
    from .._core.target import Contrast

    minus = options.pop("minus")
    if minus is None:
        return
    if options["target"] is None:
        raise ValueError("`--minus` is taken from `--target`: give both.")
    options["target"] = Contrast(options["target"], minus)


def _describe_output(source: ModelSource, target: Target | None) -> str:
    place = 0 if target is None else target
    if isinstance(place, int) and any(source.outputs[place : place + 1]):
        return f"{source.output} ({source.outputs[place]})"
    return source.output


def _named_alphabet(given: str) -> tuple[str, ...]:
    named = {name.upper(): letters for name, letters in _ALPHABETS.items()}
    letters = tuple(named.get(given.upper(), given.upper()))
    if len(set(letters)) < len(letters) or len(letters) < 2:
        raise ValueError(
            f"`--alphabet`={given!r} must be {', '.join(_ALPHABETS)} or distinct "
            "letters, such as ACGU."
        )
    return letters


def _alphabet(given: tuple[str, ...] | None, source: ModelSource) -> tuple[str, ...]:
    from .._core.spelling import respell  # letters need torch

    if given is None:
        return source.alphabet or tuple(_ALPHABETS["DNA"])
    letters = "".join(given)
    own = "".join(source.alphabet or given)
    if respell(letters, own) != own:
        raise ValueError(f"`--alphabet`={letters!r}, but {source.name} reads {own}.")
    return given
