"""Packages that offer models: how commands get them by name, or from their files.

A package offers models by an entry point of the group "tangermeme_gia.models", which
names a module (or another object) with the attributes of `Provider`::

    [project.entry-points."tangermeme_gia.models"]
    my_package = "my_package.gia_models"

It is imported for every list of names, so it should import torch only when it loads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:  # a list of names needs no torch
    import torch

# What a model predicts, where nothing is known of it.
OUTPUT = "output of the model"
GROUP = "tangermeme_gia.models"


class ModelSource(NamedTuple):
    """A model, and what is known of its input and its output.

    Parameters
    ----------
    name: str
        What to call it.

    model: torch.nn.Module
        The model, in eval mode, which gives numbers of shape (n,), (n, n_outputs) or
        more, or several such heads.

    alphabet: tuple of str or None, optional
        Letters in channel order, if they are fixed. Default is None.

    length: int or None, optional
        Bases of its input, if they are fixed. Default is None.

    profile: torch.Tensor or None, shape=(len(alphabet), length), optional
        Letter frequencies by position of the sequences that it is meant for, from
        which backgrounds are drawn. Default is None.

    output: str, optional
        What it predicts, in words. Default is "output of the model".

    outputs: tuple of str, optional
        What tells each of its outputs from the others, such as the experiment.

    origin: mapping, optional
        Where it is from, for the provenance.
    """

    name: str
    model: torch.nn.Module
    alphabet: tuple[str, ...] | None = None
    length: int | None = None
    profile: torch.Tensor | None = None
    output: str = OUTPUT
    outputs: tuple[str, ...] = ()
    origin: Mapping[str, str] = {}


class Provider(Protocol):
    """What an entry point of the group names: a module, or an object."""

    def names(self) -> Sequence[str]:
        """Names of the models that come with the package."""

    def reads(self, path: str) -> bool:
        """Whether a file that exists is a model of the package's own kind."""

    def load(self, spec: str) -> ModelSource:
        """The model of this name, or of this file; ValueError if it is damaged."""


def providers() -> list[Provider]:
    """All that are installed."""
    return [entry.load() for entry in entry_points(group=GROUP)]


def bundled_models() -> tuple[str, ...]:
    """Names of the models that need neither files nor code."""
    return tuple(name for provider in providers() for name in provider.names())


def find_provider(spec: str) -> Provider | None:
    """The package that offers a model of this name, or reads this file.

    Raises
    ------
    ValueError
        If several do.
    """
    is_file = Path(spec).is_file()
    found = [
        provider
        for provider in providers()
        if spec in provider.names() or (is_file and provider.reads(spec))
    ]
    if len(found) > 1:
        raise ValueError(f"`--model`={spec!r} is a model of {len(found)} packages.")
    return found[0] if found else None
