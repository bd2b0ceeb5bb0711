"""What panels are drawn from: bundled models, a folder of trained ones, simulations."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import pandas as pd
import torch

import residualbind as rb
import tangermeme_gia as gia
from tangermeme_gia._core.scans import KmerScan
from tangermeme_gia.models.loading import load_model

from .panel import Missing
from .simulated import RNA, WORD, Budget, Trained, Trainings

# The paper's 18-24 begins here.
START = 17
_BUNDLED = (
    "the bundled models of A1CF and ANKHD1 (RNAcompete 2013, subsets of 60,000 probes "
    "each); no folder of models was given."
)
# Whose panels are drawn one by one; all others are in the histograms.
_SHOWN = 2


@dataclasses.dataclass(frozen=True)
class Given:
    """What a user gives; nothing of it is needed.

    `data` is a folder with files of `residualbind train`, at any depth; `measured` a
    table with the columns set, sequence and one for each experiment; `performance` one
    with experiment, group, method, seed, pearson; `affinities` one of k-mers and
    numbers for a model by name; `motifs` are collections that `read_motifs` reads;
    `subjects` are the models that panels of single proteins show.
    """

    data: Path | None = None
    measured: Path | None = None
    performance: Path | None = None
    affinities: Mapping[str, Path] = dataclasses.field(default_factory=dict)
    motifs: tuple[Path, ...] = ()
    subjects: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Subject:
    """A model, the profile of its probes, and experiments' usual arguments."""

    name: str
    model: torch.nn.Module
    profile: torch.Tensor
    budget: Budget
    origin: Mapping[str, str] = dataclasses.field(default_factory=dict)
    # The motif of a simulated protein; None is to be found.
    planted: str | None = None

    @cached_property
    def X(self) -> torch.Tensor:
        """Backgrounds of the paper's first kind."""
        return gia.backgrounds.profile_background(
            self.profile, n=self.budget.n, random_state=self.budget.seed
        )

    @cached_property
    def top(self) -> KmerScan:
        """The ten best k-mers: found on other backgrounds, measured on `X`."""
        others = gia.backgrounds.profile_background(
            self.profile, n=self.budget.n_scan, random_state=self.budget.seed + 1
        )
        asked = {"start": START, "alphabet": RNA}
        found = gia.best_kmers(
            self.model,
            others,
            k=self.budget.k,
            random_state=self.budget.seed,
            **asked,
        )
        kmers = found.top(10)["kmer"].tolist()
        return gia.kmer_scan(self.model, self.X, kmers=kmers, **asked)

    @property
    def motif(self) -> str:
        """The best k-mer of those that were found, before they were measured again."""
        return self.planted or str(self.top.to_frame()["kmer"][0])

    @cached_property
    def aligned(self) -> gia.motifs.from_kmers.KmerAlignment:
        """The best k-mers as a matrix."""
        table = self.top.to_frame()
        return gia.motifs.align_kmers(
            table["kmer"].tolist(), table["effect"].tolist(), alphabet=RNA
        )


class Material:
    """All that panels ask for; models are loaded and trained when one does.

    Parameters
    ----------
    budget: Budget
        Backgrounds, and of simulations probes and epochs.

    cache_folder: Path
        Where trained weights and folded structures are kept.

    given: Given
        What the user has.
    """

    def __init__(self, budget: Budget, cache_folder: Path, given: Given | None = None):
        self.budget, self.given = budget, given or Given()
        self.trainings = Trainings(budget, cache_folder)

    @cached_property
    def subjects(self) -> dict[str, Subject]:
        """Every model that is given, or those that are bundled."""
        if self.given.data is None:
            specs = {name: name for name in rb.pretrained_names()}
        else:
            specs = _model_files(self.given.data)
        return {name: self._subject(name, spec) for name, spec in specs.items()}

    @property
    def shown(self) -> dict[str, Subject]:
        """The models that panels of single proteins show."""
        names = self.given.subjects or tuple(self.subjects)[:_SHOWN]
        unknown = set(names) - set(self.subjects)
        if unknown:
            raise ValueError(
                f"`subjects` has {sorted(unknown)}; there are {list(self.subjects)}."
            )
        return {name: self.subjects[name] for name in names}

    @property
    def source(self) -> str:
        """Where the models are from, in words."""
        if self.given.data is None:
            return _BUNDLED
        return f"{len(self.subjects)} models of the folder that was given."

    def simulated(self, name: str) -> Subject:
        """The model that was trained on a simulated protein."""
        trained = self.trainings.trained(name)
        profile = trained.prepared.test.X.float().mean(dim=0)
        return Subject(name, trained.on_scale, profile, self.budget, planted=WORD[name])

    def trained(self, name: str, **how: str) -> Trained:
        """A training on a simulated protein, with its probes."""
        return self.trainings.trained(name, **how)

    def measured(self) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """Probes of set B, and their scores, of each model that has a column."""
        if self.given.measured is None:
            return {}
        columns = read_header(self.given.measured)
        named = [name for name in self.shown if name in columns]
        if not named:
            raise Missing(
                f"the table of probes has no column of {list(self.shown)}, but "
                f"{columns}"
            )
        data = rb.read_table(self.given.measured, score=named, set_column="set")
        found = {}
        for name in named:
            one = data.select(name)
            in_b = torch.from_numpy(one.sets == "B")
            found[name] = (one.X[in_b], one.y[in_b, 0])
        return found

    def _subject(self, name: str, spec: str) -> Subject:
        source = load_model(spec)
        if source.profile is None:
            raise Missing(f"{spec} says nothing of its probes' base frequencies")
        return Subject(
            name, source.model.eval(), source.profile, self.budget, source.origin
        )


def read_header(path: Path) -> list[str]:
    """The columns of a table of probes."""
    columns: list[str] = pd.read_csv(path, sep="\t", nrows=0).columns.tolist()
    missing = {"set", "sequence"} - set(columns)
    if missing:
        raise ValueError(f"`measured`: {path} has no column {sorted(missing)[0]}.")
    return columns


def _model_files(folder: Path) -> dict[str, str]:
    """Files of trained models by name: that of the experiment, or of the file."""
    found = {}
    for path in sorted(folder.rglob("*.safetensors")):
        if path.name == "checkpoint.safetensors":
            continue
        metadata = rb.load_metadata(path)
        name = metadata.experiments[0] if metadata.experiments else path.stem
        if name in found:
            raise ValueError(
                f"`data` has two models of {name}: {found[name]} and {path}."
            )
        found[name] = str(path)
    if not found:
        raise ValueError(f"`data`={str(folder)!r} has no file of a trained model.")
    return found
