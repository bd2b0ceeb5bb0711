"""A model whose report a reader can foretell, and its finished report."""

from pathlib import Path

import pytest
import torch
from tangermeme.utils import one_hot_encode

from tangermeme_gia.report import (
    OneOutput,
    ReportInputs,
    ReportOptions,
    run_report,
)
from tangermeme_gia.report import run as run_module
from tangermeme_gia.report.run import experiment
from tangermeme_gia.report.section import Section
from tangermeme_gia.report.store import Store
from tangermeme_gia.report.study import Study

LENGTH = 41
RNA = ("A", "C", "G", "U")
# A and U alone, so that no background holds the motif GAC or GC.
AU = torch.tensor([[0.5], [0.0], [0.0], [0.5]]).repeat(1, LENGTH)


class Sites(torch.nn.Module):
    """Output = sum of `base` A's + `weight` per GAC, in fractions of 2: no rounding.

    `gc_bonus` comes for each GAC if there is a GCGCGC at the very end; `most` is how
    many GAC count. `calls` is a list, so that the model's checksum stays the same.
    """

    def __init__(self, weight=2.0, base=0.125, gc_bonus=0.0, most=99) -> None:
        super().__init__()
        motif = one_hot_encode("GAC").float()[None]
        self.conv = torch.nn.Conv1d(4, 1, 3, bias=False)
        self.conv.weight = torch.nn.Parameter(motif)
        flank = one_hot_encode("GCGCGC").float()
        self.register_buffer("flank", flank, persistent=False)
        self.weight, self.base = weight, base
        self.gc_bonus, self.most = gc_bonus, most

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        count = torch.relu(self.conv(X) - 2).sum(dim=(1, 2)).clamp(max=self.most)
        has_flank = ((X[:, :, -6:] * self.flank).sum(dim=(1, 2)) == 6).float()
        base = self.base * X[:, 0].sum(dim=1)
        return (base + self.weight * count + self.gc_bonus * has_flank * count)[:, None]


class Thirds(Sites):
    """A model whose contrasts are rounded."""

    def forward(self, X):
        return super().forward(X) / 3


class Counter(torch.nn.Module):
    """Another model that counts its sequences, and may fail after a number of them."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model
        self._n, self._fails_after, self._error = [0], None, RuntimeError("stopped")

    def fail_after(self, n: int, error: BaseException) -> None:
        self._fails_after, self._error = n, error

    def reset(self) -> None:
        self._n[0], self._fails_after = 0, None

    @property
    def seen(self) -> int:
        return self._n[0]

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        self._n[0] += len(X)
        if self._fails_after is not None and self._n[0] > self._fails_after:
            raise self._error
        return self.model(X)


def inputs_of(model: torch.nn.Module, **changes) -> ReportInputs:
    values = {"alphabet": RNA, "profile": AU, "output": "score"} | changes
    return ReportInputs("Sites", OneOutput(model), **values)


def linear_study(motif="UGCAUG", length=41, alphabet=RNA, **options) -> Study:
    """A study of some motif in sequences of some length, whose answer is not asked."""
    size = length * len(alphabet)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(size, 1))
    profile = torch.full((len(alphabet), length), 1 / len(alphabet))
    inputs = inputs_of(model, alphabet=alphabet, profile=profile)
    return Study(inputs, ReportOptions(motif=motif, n=4, n_scan=2, **options), NOWHERE)


def results_of(name, model, folder=None, options=None, **changes):
    """A study with the results of an experiment, after the scan if there is one."""
    store = NOWHERE if folder is None else Store(folder)
    study = Study(inputs_of(model, **changes), options or GIVEN, store)
    if not study.options.given:
        study.finished["scan"] = experiment("scan").compute(study)
    return study, experiment(name).compute(study)


# Of studies that write nothing.
NOWHERE = Store(Path("nowhere"))
GIVEN = ReportOptions(motif="GAC", n=24, n_scan=2, backgrounds=("profile",))
OPTIONS = ReportOptions(k=3, n=24, n_scan=8)
SMALL = ReportOptions(k=2, n=8, n_scan=4, experiments=("scan", "motif", "sites"))


@pytest.fixture
def quick(monkeypatch) -> None:
    """Reports whose figures are not drawn."""

    def save(section: Section, folder: Path, unit: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for figure in section.figures:
            for ending in ("svg", "png"):
                (folder / f"{figure.name}.{ending}").write_text("<svg/>")

    monkeypatch.setattr(run_module, "save_figures", save)


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Path:
    """The folder of a whole report, with figures."""
    folder = tmp_path_factory.mktemp("report") / "Sites"
    inputs = inputs_of(Sites(gc_bonus=1.0), origin={"made by": "<a> & b"})
    run_report(inputs, folder, OPTIONS, command="made --by <me>")
    return folder
