"""The text files of published DeepBind models."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import torch

from tangermeme_gia._core.text import read_bytes

from .deepbind import DeepBind

# The published files and, of each, how many numbers it announces.
_FLAGS = ("reverse_complement", "has_avg_pooling")
_COUNTS = ("num_detectors", "detector_len", "num_hidden")
_WEIGHTS = ("detectors", "thresholds", "weights1", "biases1", "weights2", "biases2")


def load_deepbind(
    path: str | os.PathLike[str], *, alphabet: Sequence[str] | None = None
) -> DeepBind:
    """What does one of the published DeepBind models predict?

    Reads a parameter file of DeepBind's repository (tools.genes.toronto.edu/deepbind;
    also kundajelab/deepbind), of which there are 927, such as "D00410.003.txt" (GATA3).
    Scores are those of its program: the best window of the detectors' width.

    Parameters
    ----------
    path: str or path-like
        The file, plain or gzipped.

    alphabet: sequence of str or None, optional
        Letters in channel order, which the file does not tell. None is DNA for models
        that read both strands, else RNA. Default is None.

    Returns
    -------
    model: DeepBind
        In eval mode.

    Raises
    ------
    ValueError
        If the file is of another kind or damaged.

    OSError
        If it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> text = \"\"\"# deepbind 0.1
    ... reverse_complement = 0
    ... num_detectors = 1
    ... detector_len = 2
    ... has_avg_pooling = 0
    ... num_hidden = 0
    ... detectors = 0,0,1,0,1,0,0,0
    ... thresholds = -0.5
    ... weights1 = 2
    ... biases1 = 0.25
    ... weights2 =
    ... biases2 =
    ... \"\"\"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "GA.txt").write_text(text)
    ...     model = load_deepbind(f"{folder}/GA.txt")
    >>> GA = torch.tensor([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    >>> model(GA[None]).item()  # (1 + 1 - 0.5) * 2 + 0.25
    3.25
    """
    path = Path(path)
    fields = _read_fields(path)
    numbers = {name: _numbers(name, fields, path) for name in _WEIGHTS}
    flags = {name: _whole(name, fields, path, most=1) for name in _FLAGS}
    n_detectors, width, n_hidden = (_whole(name, fields, path) for name in _COUNTS)
    if not n_detectors or not width:
        raise ValueError(f"{path} announces no detectors, or such without bases.")
    n_features = n_detectors * (1 + flags["has_avg_pooling"])
    n_weights, n_first = 4 * n_detectors * width, n_features * (n_hidden or 1)
    last = (n_hidden, int(n_hidden > 0))
    sizes = (n_weights, n_detectors, n_first, n_hidden or 1, *last)
    for name, size in zip(_WEIGHTS, sizes, strict=True):
        if len(numbers[name]) != size:
            raise ValueError(
                f"{path}: `{name}` has {len(numbers[name]):,} numbers; {n_detectors} "
                f"detectors of {width} bases and {n_hidden} hidden units need {size:,}."
            )
    model = DeepBind(
        n_detectors,
        width,
        average=bool(flags["has_avg_pooling"]),
        n_hidden=n_hidden,
        both_strands=bool(flags["reverse_complement"]),
        by_window=True,
        alphabet=alphabet,
    )
    _fill(model, numbers)
    return model.eval()


def _read_fields(path: Path) -> dict[str, str]:
    """What stands behind each name, checked to be complete."""
    lines = read_bytes(path).decode().splitlines()
    if not lines or not lines[0].startswith("# deepbind"):
        raise ValueError(
            f"{path} is no parameter file of DeepBind, which begins with '# deepbind'."
        )
    fields: dict[str, str] = {}
    for i, line in enumerate(lines[1:], start=2):
        name, equals, text = (part.strip() for part in line.partition("="))
        if not line.strip() or line.startswith("#"):
            continue
        known = name in (*_FLAGS, *_COUNTS, *_WEIGHTS)
        if not equals or not known or name in fields:
            why = "is there twice" if name in fields else "is no field of DeepBind's"
            raise ValueError(f"{path}, line {i}: {name[:40]!r} {why}.")
        fields[name] = text
    missing = [n for n in (*_FLAGS, *_COUNTS, *_WEIGHTS) if n not in fields]
    if missing:
        raise ValueError(f"{path} has no {', '.join(missing)}; is it cut off?")
    return fields


def _whole(name: str, fields: dict[str, str], path: Path, most: int = 9999) -> int:
    text = fields[name]
    short = len(text) <= len(str(most))
    if not (short and text.isascii() and text.isdecimal() and int(text) <= most):
        raise ValueError(
            f"{path}: `{name}` must be a whole number up to {most:,}, got "
            f"{text[:40]!r}."
        )
    return int(text)


def _numbers(name: str, fields: dict[str, str], path: Path) -> torch.Tensor:
    words = [word.strip() for word in fields[name].split(",") if word.strip()]
    try:
        values = [float(word) for word in words]
    except ValueError as error:
        raise ValueError(f"{path}: `{name}`: {error}.") from None
    if not all(map(math.isfinite, values)):
        raise ValueError(f"{path}: `{name}` has values that are not finite.")
    return torch.tensor(values)


def _fill(model: DeepBind, numbers: dict[str, torch.Tensor]) -> None:
    """Give the model its weights; index = detector + n_detectors * (base + 4 * i)."""
    weight = model.detectors.weight
    n_detectors, _, width = weight.shape
    detectors = numbers["detectors"].reshape(width, 4, n_detectors).permute(2, 1, 0)
    values = [detectors, numbers["thresholds"]]
    for layer, i in ((0, "1"), (2, "2")):
        if layer < len(model.layers):
            biases = numbers[f"biases{i}"]
            weights = numbers[f"weights{i}"].reshape(-1, len(biases)).T
            values += [weights, biases]
    with torch.no_grad():
        for parameter, value in zip(model.parameters(), values, strict=True):
            parameter.copy_(value)
