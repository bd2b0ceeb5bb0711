"""Models and data with structure profiles as channels beside the sequence."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tangermeme_gia._core.letters import RNA, check_count
from tangermeme_gia.structure.processes import count_jobs, require_vienna

from ..data.encoding import decode_sequences
from ..data.rnacompete import RNAcompete
from ..structure.folding import CONTEXTS, FoldSettings, Profile, fold
from ..structure.profiles import (
    arrange_profiles,
    check_long_enough,
    check_settings,
    structure_profiles,
)
from .model import ResidualBindConfig
from .weights import load, load_metadata

# The kind of profiles a model takes, by its number of channels.
KINDS = {len(RNA) + len(names): kind for kind, names in CONTEXTS.items()}


def add_structure(
    data: RNAcompete,
    kind: str = "PU",
    *,
    energies: str = "turner1999",
    temperature: float = 37.0,
    n_jobs: int | None = None,
    cache_folder: str | Path | None = None,
    verbose: bool = False,
) -> RNAcompete:
    """What does a model with structure channels see of these probes?

    Parameters
    ----------
    data: RNAcompete
        Probes with the four channels of the sequence.

    kind, energies, temperature, n_jobs, cache_folder, verbose: optional
        As of `structure_profiles`. `kind` is "PU" by default.

    Returns
    -------
    data: RNAcompete
        The same, with `X` of 6 ("PU") or 9 ("PHIME") channels in float32.

    Raises
    ------
    ValueError
        If there are other channels than the sequence already; also as
        `structure_profiles`.
    ImportError
        If ViennaRNA is not installed.

    Examples
    --------
    >>> from residualbind import simulate_rnacompete
    >>> add_structure(simulate_rnacompete(n=20).data, "PU").X.shape
    torch.Size([20, 6, 41])
    """
    if data.X.shape[1] != len(RNA):
        raise ValueError(
            f"`data` has {data.X.shape[1]} channels; profiles are added to the "
            f"{len(RNA)} of the sequence."
        )
    profiles = structure_profiles(
        data.X,
        kind,
        energies=energies,
        temperature=temperature,
        n_jobs=n_jobs,
        cache_folder=cache_folder,
        verbose=verbose,
    )
    return replace(data, X=torch.cat([data.X.float(), profiles.to(data.X.device)], 1))


def required_settings(
    config: ResidualBindConfig, provenance: Mapping[str, Any]
) -> FoldSettings | None:
    """Which profiles does a saved model need beside the sequence?

    Parameters
    ----------
    config: ResidualBindConfig
        Its architecture, whose channels tell the kind.

    provenance: mapping
        Where it comes from; `structure`, if there, has the other settings.

    Returns
    -------
    settings: FoldSettings or None
        None for a model of sequence alone.

    Raises
    ------
    ValueError
        If the number of channels is not 4, 6 or 9.
    """
    if config.channels == len(RNA):
        return None
    if config.channels not in KINDS:
        raise ValueError(
            f"the model needs {config.channels} channels; only models of {len(RNA)} "
            f"(sequence), {' and '.join(map(str, KINDS))} (with structure) can be fed."
        )
    stated = provenance.get("structure") or {}
    default = FoldSettings()
    return check_settings(
        KINDS[config.channels],
        stated.get("energies", default.energies),
        stated.get("temperature", default.temperature),
    )


class WithStructure(nn.Module):
    """What does a model with structure channels make of a sequence alone?

    Folds its input in `forward` and hands sequence and profiles to the model, so that
    every function of tangermeme and tangermeme_gia takes it as a model of sequence: a
    motif that is placed, a base that is mutated changes the predicted structure, too.

    **Gradients flow through the sequence channels only**: folding has none. What a
    base does by way of the structure is missing from saliency and from DeepLIFT/SHAP,
    whose attributions then do not add up (tangermeme warns of it). In silico
    mutagenesis has both parts.

    Folding takes nearly all the time, about 2,000 sequences of 41 nt per second and
    core with "PU". Sequences seen before, such as backgrounds, are not folded again.

    Parameters
    ----------
    model: torch.nn.Module
        Takes sequence and profiles, shape=(-1, 6, 9 or 64, length). It is part of this
        one, in whose mode and on whose device it is.

    kind: str or None, optional
        The profiles it takes: "PU", "PHIME", or ThermoNet's "sampled". None is what a
        `ResidualBind` of 6 or 9 channels needs. Default is None.

    energies, temperature, n_jobs: optional
        As of `structure_profiles`; they must be those of the training.

    cache_size: int, optional
        Sequences whose profiles are kept in memory, those used last; 41 nt take about
        1 kB with "PHIME". Default is 100,000.

    Raises
    ------
    ValueError
        If an option is not allowed, or does not fit the model's channels.
    ImportError
        If ViennaRNA is not installed.

    Examples
    --------
    >>> from residualbind import ResidualBind, ResidualBindConfig, encode_sequences
    >>> model = WithStructure(ResidualBind(ResidualBindConfig(channels=6)).eval())
    >>> model.kind, model(encode_sequences(["GGGGAAAACCCC"])).shape
    ('PU', torch.Size([1, 1]))
    """

    # Letters of the channels, which experiments take.
    alphabet = RNA

    def __init__(
        self,
        model: nn.Module,
        kind: str | None = None,
        *,
        energies: str = "turner1999",
        temperature: float = 37.0,
        n_jobs: int | None = None,
        cache_size: int = 100_000,
    ) -> None:
        super().__init__()
        kind = _choose_kind(model, kind)
        self.settings = check_settings(kind, energies, temperature)
        self.n_jobs = count_jobs(n_jobs)
        check_count("cache_size", cache_size, 0)
        require_vienna("`WithStructure`")
        self.cache_size = cache_size
        self.model = model
        self.train(model.training)
        self._cache: OrderedDict[str, Profile] = OrderedDict()

    @classmethod
    def from_file(cls, path: str | Path, **options: Any) -> WithStructure:
        """What does a saved model with structure channels make of a sequence?

        Parameters
        ----------
        path: str or Path
            A file written by `save` or `residualbind train --structure`. Energies and
            temperature are those that it states, or else the defaults.

        options: optional
            `n_jobs` and `cache_size`, as above.

        Returns
        -------
        model: WithStructure
            In eval mode, on the CPU.

        Raises
        ------
        ValueError
            If the model has no structure channels; also as `load`.
        ImportError
            If ViennaRNA is not installed.
        """
        metadata = load_metadata(path)
        settings = required_settings(metadata.config, metadata.provenance)
        if settings is None:
            raise ValueError(
                f"`path`={str(path)!r} is a model of sequence alone, which needs no "
                "structure; use `load`."
            )
        return cls(load(path), **(settings._asdict() | options))

    @property
    def kind(self) -> str:
        """The profiles that the model takes."""
        return self.settings.kind

    def forward(self, X: torch.Tensor, *args: Any) -> Any:
        """Fold sequences and predict from sequence and structure.

        Parameters
        ----------
        X: torch.Tensor, shape=(-1, 4, length)
            One-hot sequences of any number type, each with five bases or more; zero
            columns as in `structure_profiles`.

        args: optional
            Further inputs of the model.

        Returns
        -------
        y: torch.Tensor
            What the model returns.

        Raises
        ------
        ValueError
            If `X` is not one-hot, as in mixtures of sequences, which do not fold.
        """
        if X.ndim != 3 or X.shape[1] != len(RNA):
            raise ValueError(
                f"`X` has shape {tuple(X.shape)}; a model with structure takes one-hot "
                f"sequences, (n, {len(RNA)}, length), and folds them itself."
            )
        profiles = self._fold(X)
        X = X if X.is_floating_point() else X.to(torch.float32)
        return self.model(torch.cat([X, profiles.to(X)], dim=1), *args)

    def _fold(self, X: torch.Tensor) -> torch.Tensor:
        letters = decode_sequences(X)
        check_long_enough(letters, "X")
        table: dict[str, Profile] = {}
        missing = []
        for sequence in dict.fromkeys(letters):
            if sequence in self._cache:
                self._cache.move_to_end(sequence)
                table[sequence] = self._cache[sequence]
            else:
                missing.append(sequence)
        table.update(fold(missing, self.settings, self.n_jobs))
        self._cache.update((sequence, table[sequence]) for sequence in missing)
        while len(self._cache) > self.cache_size:
            self._cache.popitem(last=False)
        return arrange_profiles(X.detach().cpu(), letters, table, self.kind)


def _choose_kind(model: nn.Module, kind: str | None) -> str:
    channels = getattr(getattr(model, "config", None), "channels", None)
    if kind is None:
        if channels not in KINDS:
            found = "unknown" if channels is None else channels
            raise ValueError(
                f"`kind` must be given: `model` has {found} channels, and only "
                f"{' and '.join(map(str, KINDS))} tell which profiles they need."
            )
        return KINDS[channels]
    if channels is not None and kind in CONTEXTS and KINDS.get(channels) != kind:
        raise ValueError(
            f"`kind`={kind!r} makes {len(RNA) + len(CONTEXTS[kind])} channels, but "
            f"`model` was built for {channels}."
        )
    return kind
