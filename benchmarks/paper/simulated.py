"""Simulated proteins with a planted truth, and ResidualBinds trained on them.

They stand in where a panel needs measured scores, and none are given. Trained weights
are kept in a folder by what they depend on, so that a second run trains nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from torch import nn

import residualbind as rb
from residualbind.data.preparation import Prepared

RNA = ("A", "C", "G", "U")
VTS1, CONTROL, RBFOX1, CG17838 = "VTS1-like", "control", "RBFOX1-like", "CG17838-like"
NAMES = (VTS1, CONTROL, RBFOX1, CG17838)
WORD = {VTS1: "GCUGGC", CONTROL: "GCUGGC", RBFOX1: "UGCAUG", CG17838: "CAAAUU"}
# Gain of a site in a hairpin loop and loss of one that is paired, where it binds
# anything else with 8.
LOOP, PAIRED = 4.0, 4.0
# How sure the letters of RBFOX1's simulated motif are, from UGCAUG's first to last.
_SURE = (0.7, 0.94, 0.85, 0.9, 0.82, 0.88)


@dataclasses.dataclass(frozen=True)
class Budget:
    """What a run may cost; every panel states it."""

    probes: int = 40_000
    epochs: int = 12
    n: int = 1000
    n_scan: int = 200
    k: int = 6
    seed: int = 0
    filters: int = 96


def rbfox1_matrix() -> np.ndarray:
    """Letter probabilities of RBFOX1's simulated motif, shape=(4, 6)."""
    matrix = np.zeros((len(RNA), len(_SURE)))
    for column, (letter, sure) in enumerate(zip(WORD[RBFOX1], _SURE, strict=True)):
        matrix[:, column] = (1 - sure) / 3
        matrix[RNA.index(letter), column] = sure
    return matrix


def truth_of(name: str) -> rb.Truth:
    """What a simulated protein binds, apart from structure that ViennaRNA predicts."""
    if name == RBFOX1:
        return rb.Truth(
            rbfox1_matrix(), site_threshold=0.2, loop_preference=0, stem_penalty=0
        )
    gc_effect = 0.6 if name == CG17838 else 0.0
    return rb.Truth(WORD[name], loop_preference=0, stem_penalty=0, gc_effect=gc_effect)


class Folded(nn.Module):
    """A protein that binds where ViennaRNA predicts a hairpin loop, without error.

    A site gains `LOOP` times the mean probability of its bases to be in a hairpin loop
    and loses `PAIRED` times that of being paired.

    Parameters
    ----------
    truth: Truth
        Everything else that it binds; its motif is a word.
    """

    def __init__(self, truth: rb.Truth, cache_folder: Path | None = None) -> None:
        super().__init__()
        self.linear, self.cache_folder = truth.model(), cache_folder
        columns = [RNA.index(letter) for letter in truth.consensus]
        self.register_buffer("word", torch.eye(len(RNA))[columns].T[None])

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Scores without noise, shape=(n, 1)."""
        profiles = rb.structure_profiles(
            X.to(torch.int8), "PHIME", n_jobs=1, cache_folder=self.cache_folder
        )
        width = self.word.shape[-1]
        matches = nn.functional.conv1d(X.float(), self.word)[:, 0] > width - 0.5
        paired, loop = nn.functional.avg_pool1d(profiles[:, :2], width, 1).unbind(1)
        by_structure = (matches * (LOOP * loop - PAIRED * paired)).sum(1, keepdim=True)
        return self.linear(X.float()) + by_structure


def true_model(name: str, cache_folder: Path | None = None) -> nn.Module:
    """The noise-free score of a simulated protein, as a model to ask."""
    truth = truth_of(name)
    return Folded(truth, cache_folder) if name == VTS1 else truth.model()


def simulate(name: str, budget: Budget, cache_folder: Path | None) -> rb.RNAcompete:
    """The measured probes of a simulated protein; those of VTS1 and its control agree.

    Two fifths of the probes have a hairpin of one of four recurring stems, a third of
    these each with the motif in the loop, in the stem, or nowhere.
    """
    structured = name in (VTS1, CONTROL)
    simulation = rb.simulate_rnacompete(
        budget.probes,
        truth_of(name),
        copies=[0.25] * 4 if structured else (0.4, 0.3, 0.2, 0.1),
        hairpin_fraction=0.4 if structured else 0.0,
        random_state=budget.seed,
    )
    if name != VTS1:
        return simulation.data
    clean = torch.tensor(simulation.components["score"].to_numpy(copy=True))[:, None]
    with torch.no_grad():
        folded = true_model(name, cache_folder)(simulation.X)
    y = simulation.y + (folded - clean).to(simulation.y.dtype)
    return dataclasses.replace(simulation.data, y=y)


class OnScale(nn.Module):
    """A model whose output is in the scale of the scores, if that is linear in it."""

    def __init__(self, model: nn.Module, transform: rb.Transform) -> None:
        super().__init__()
        self.model = model
        zero, one = transform.invert(torch.tensor([[0.0], [1.0]])).flatten().tolist()
        self.shift, self.scale = zero, one - zero

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Predicted scores, shape=(n, 1)."""
        return self.shift + self.scale * self.model(X)


@dataclasses.dataclass(frozen=True)
class Trained:
    """A model trained on simulated probes, the probes, and how it was trained."""

    model: nn.Module
    prepared: Prepared
    pearson: float
    budget: str

    @property
    def on_scale(self) -> nn.Module:
        """The model in units of the scores."""
        return OnScale(self.model, self.prepared.transform).eval()


class Trainings:
    """Models trained on simulated proteins, each once.

    Parameters
    ----------
    budget: Budget
        Probes, epochs and seed.

    folder: Path
        Where weights and folded structures are kept.
    """

    def __init__(self, budget: Budget, folder: Path) -> None:
        self.budget, self.folder = budget, folder
        self.profiles = folder / "profiles"
        self._data: dict[str, rb.RNAcompete] = {}
        self._trained: dict[tuple, Trained] = {}

    def data(self, name: str) -> rb.RNAcompete:
        """The probes of a protein."""
        if name not in self._data:
            self._data[name] = simulate(name, self.budget, self.profiles)
        return self._data[name]

    def trained(
        self, name: str, kind: str = "sequence", transform: str = "zscore"
    ) -> Trained:
        """The model of a protein, of sequence or of structure, too ("PU", "PHIME").

        Transforms other than "zscore" are trained on intensities, 2 to the power of
        half the score, as those that arrays measure have a long tail.
        """
        key = (name, kind, transform)
        if key not in self._trained:
            self._trained[key] = self._train(*key)
        return self._trained[key]

    def _train(self, name: str, kind: str, transform: str) -> Trained:
        data = self.data(name)
        if kind != "sequence":
            data = rb.add_structure(data, kind, n_jobs=1, cache_folder=self.profiles)
        if transform != "zscore":
            data = dataclasses.replace(data, y=2 ** (data.y / 2))
        prepared = rb.prepare(
            data,
            transform=transform,
            random_state=self.budget.seed,
            drop_duplicates=True,
        )
        torch.manual_seed(self.budget.seed)
        model = rb.ResidualBind(
            rb.ResidualBindConfig.released(
                channels=data.X.shape[1], filters=self.budget.filters
            )
        )
        result = rb.train(
            model,
            prepared.train,
            prepared.valid,
            epochs=self.budget.epochs,
            random_state=self.budget.seed,
            checkpoint_folder=self.folder / self._folder_of(name, kind, transform),
        )
        table = rb.evaluate(model, prepared.test.X, prepared.test.y, n_resamples=100)
        pearson = float(table.set_index("metric")["value"]["pearson"])
        return Trained(model.eval(), prepared, pearson, self._said(result.best_epoch))

    def _folder_of(self, *parts: str) -> str:
        """A name that says what decides on the weights."""
        b = self.budget
        decides = [b.probes, b.epochs, b.seed, b.filters, LOOP, PAIRED]
        said = json.dumps([*parts, repr(truth_of(parts[0])), decides])
        return "-".join([*parts, hashlib.sha256(said.encode()).hexdigest()[:12]])

    def _said(self, best_epoch: int) -> str:
        b = self.budget
        return (
            f"{b.probes:,} simulated probes (half of them for training), "
            f"{b.epochs} epochs of which epoch {best_epoch} was kept, seed {b.seed}"
        )
