"""Where the command line's measurements and sequences come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from tangermeme_gia._core.fasta import read_fasta_sequences
from tangermeme_gia._core.readers import open_table

from ..data.encoding import encode_sequences
from ..data.fasta import read_fasta
from ..data.hdf5 import read_hdf5
from ..data.readers import (
    read_deepbind,
    read_ray2013,
    read_score_pair,
    read_scores,
    read_table,
)
from ..data.rnacompete import RNAcompete
from .files import check_inputs

# Files that each format of `--data` takes, at least and at most.
FORMATS = {
    "scores": (1, 2),
    "deepbind": (2, 2),
    "ray2013": (1, 1),
    "hdf5": (1, 1),
    "table": (1, 1),
    "fasta": (2, 2),
}

_FASTA = (".fa", ".fasta", ".fna")


@dataclass(frozen=True)
class DataOptions:
    """Which measurements: the options that commands on data share."""

    data: Sequence[str]
    format: str
    experiment: Sequence[str] | None
    sequence: str
    score: str
    set_column: str | None
    protein: str | None


def read_data(options: DataOptions, length: int | None) -> RNAcompete:
    """Measurements in any of the formats, of the asked experiments."""
    data, experiment = options.data, options.experiment
    fewest, most = FORMATS[options.format]
    if not fewest <= len(data) <= most:
        wanted = str(most) if fewest == most else f"{fewest} or {most}"
        raise ValueError(
            f"`--data` names {len(data)} files; `--format {options.format}` takes "
            f"{wanted}."
        )
    check_inputs(data=data)
    score, set_column = options.score, options.set_column
    if options.format == "scores":
        measured = _read_scores(data, experiment, length)
    elif options.format == "deepbind":
        measured = read_deepbind(
            data[0], data[1], experiments=experiment, length=length
        )
    elif options.format == "ray2013":
        measured = read_ray2013(data[0], experiments=experiment, length=length)
    elif options.format == "hdf5":
        measured = read_hdf5(data[0], protein=options.protein, length=length)
    elif options.format == "table":
        measured = read_table(
            data[0],
            sequence=options.sequence,
            score=score,
            set_column=set_column,
            length=length,
        )
    else:
        measured = read_fasta(
            data[0], data[1], score=score, set_column=set_column, length=length
        )
    return _choose_experiments(measured, experiment)


def read_sequences(
    path: Path, sequence: str, name: str | None, length: int
) -> tuple[list[str], torch.Tensor]:
    """Names and one-hot sequences of a FASTA file, or else of a table's named columns.

    Rows of a table without a column of names are numbered from 0.
    """
    kind = Path(path.name.lower().removesuffix(".gz")).suffix
    if kind in _FASTA:
        names, sequences = read_fasta_sequences(path)
        places = [f"{path}, sequence {title!r}" for title in names]
    else:
        opened = open_table(path)
        columns = [sequence] if name is None else [sequence, name]
        (sequences, *titles), _ = opened.read(columns, [])
        names = titles[0] if titles else [str(row) for row in range(len(sequences))]
        places = [opened.place(row) for row in range(len(sequences))]
    for place, letters in zip(places, sequences, strict=True):
        if len(letters) > length:
            raise ValueError(
                f"{place}: {len(letters)} letters, but the model was built for at most "
                f"{length}. Sequences are never cut."
            )
    return names, encode_sequences(sequences, length, places.__getitem__)


def _read_scores(
    data: Sequence[str], experiment: Sequence[str] | None, length: int | None
) -> RNAcompete:
    """Of one experiment, whose name is the files' if none is given."""
    if experiment is not None and len(experiment) > 1:
        raise ValueError(
            f"`--experiment` names {len(experiment)}; `--format scores` has one."
        )
    name = experiment[0] if experiment else None
    if len(data) == 1:
        return read_scores(data[0], experiment=name, length=length)
    return read_score_pair(data[0], data[1], experiment=name, length=length)


def _choose_experiments(
    data: RNAcompete, experiment: Sequence[str] | None
) -> RNAcompete:
    if experiment is None and len(data.experiments) > 1:
        raise ValueError(
            f"the data hold {len(data.experiments)} experiments, such as "
            f"{', '.join(data.experiments[:3])}; choose with `--experiment`."
        )
    chosen = list(experiment or data.experiments)
    if len(chosen) == 1:
        return data.select(chosen[0])
    unknown = sorted(set(chosen) - set(data.experiments))
    if unknown:
        raise ValueError(f"`--experiment` names {unknown}, which the data do not hold.")
    columns = [data.experiments.index(name) for name in chosen]
    return replace(data, y=data.y[:, columns], experiments=tuple(chosen))
