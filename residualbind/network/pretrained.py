"""The models that come with the package, and the profiles of their probes.

Their names are listed without importing torch.
"""

from __future__ import annotations

import csv
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.abc import Traversable  # its place differs between Python versions

    import torch

    from .metadata import Metadata
    from .model import ResidualBind

_WEIGHTS = ".safetensors"
_PROFILE = ".profile.tsv"
# Frequencies are written rounded, so that a full column may sum to a little over 1.
_ROUNDING = 1e-4


def pretrained_names() -> tuple[str, ...]:
    """Which pretrained models come with the package?

    Returns
    -------
    names: tuple of str
        In alphabetical order.

    Examples
    --------
    >>> isinstance(pretrained_names(), tuple)
    True
    """
    root = _root()
    if not root.is_dir():
        return ()
    found = [file.name for file in root.iterdir()]
    return tuple(
        sorted(name.removesuffix(_WEIGHTS) for name in found if name.endswith(_WEIGHTS))
    )


def load_pretrained(name: str) -> ResidualBind:
    """How strongly does this protein bind an RNA sequence, by a trained model?

    Parameters
    ----------
    name: str
        One of `pretrained_names()`.

    Returns
    -------
    model: ResidualBind
        In eval mode, on the CPU.

    Raises
    ------
    ValueError
        If there is no such model.

    Examples
    --------
    >>> import torch
    >>> for name in pretrained_names():
    ...     model = load_pretrained(name)
    ...     y = model(torch.zeros(1, model.config.channels, model.config.length))
    """
    from .weights import load

    with as_file(_resource(name, _WEIGHTS)) as path:
        return load(path)


def pretrained_metadata(name: str) -> Metadata:
    """How was a pretrained model made, and in which scale does it predict?

    Parameters
    ----------
    name: str
        One of `pretrained_names()`.

    Returns
    -------
    metadata: Metadata
        `config`, the fitted `transform` of its scores, the `experiments` it predicts,
        and its `provenance`: data, split, seed, versions and test metrics.

    Raises
    ------
    ValueError
        If there is no such model.

    Examples
    --------
    >>> [pretrained_metadata(name).provenance["seed"] in range(3)
    ...  for name in pretrained_names()]
    [True, True]
    """
    from .weights import load_metadata

    with as_file(_resource(name, _WEIGHTS)) as path:
        return load_metadata(path)


def load_profile(name: str) -> torch.Tensor:
    """Which nucleotides do the probes of a pretrained model have at each position?

    Probes shorter than the model's input are padded with zeros, so that a position
    near either end may sum to less than 1.

    Parameters
    ----------
    name: str
        One of `pretrained_names()`.

    Returns
    -------
    profile: torch.Tensor, shape=(4, length)
        Mean frequency of A, C, G and U at each position, float32.

    Raises
    ------
    ValueError
        If there is no such model or it comes without a profile, or if the file does
        not have the columns `position A C G U`, one row for each position of the
        model's input in order from 0, and frequencies that are each at least 0 and
        together at most 1.

    Examples
    --------
    >>> for name in pretrained_names():
    ...     profile = load_profile(name)
    ...     assert profile.shape[0] == 4 and profile.sum(dim=0).max() < 1.001
    """
    length = pretrained_metadata(name).config.length
    file = _resource(name, _PROFILE)
    if not file.is_file():
        raise ValueError(f"`name`={name!r} comes without a profile ({file.name}).")
    return _parse_profile(file.read_text(encoding="utf-8"), file.name, length)


def _root() -> Traversable:
    return files("residualbind") / "pretrained"


def _resource(name: str, suffix: str) -> Traversable:
    names = pretrained_names()
    if name not in names:
        raise ValueError(
            f"`name`={name!r} is not a pretrained model; known: {list(names)}."
        )
    return _root() / f"{name}{suffix}"


def _parse_profile(text: str, source: str, length: int) -> torch.Tensor:
    import torch

    from tangermeme_gia._core.letters import RNA

    header, *rows = list(csv.reader(text.splitlines(), delimiter="\t")) or [[]]
    if header != ["position", *RNA]:
        raise ValueError(
            f"{source} has the columns {header}; expected position, A, C, G, U."
        )
    if [row[0] if row else "" for row in rows] != [str(i) for i in range(length)]:
        raise ValueError(
            f"{source} has {len(rows)} rows; expected one for each position from 0 "
            f"to {length - 1}, in order."
        )
    profile = torch.zeros(len(RNA), length)
    for i, (_, *row) in enumerate(rows):
        frequencies = _as_floats(row)
        if len(frequencies) != len(RNA) or not (
            all(value >= 0 for value in frequencies)
            and sum(frequencies) <= 1 + _ROUNDING
        ):
            raise ValueError(
                f"{source} has {row} at position {i}; expected four frequencies that "
                "are each at least 0 and together at most 1."
            )
        profile[:, i] = torch.tensor(frequencies)
    return profile


def _as_floats(row: list[str]) -> list[float]:
    try:
        return [float(value) for value in row]
    except ValueError:
        return []
