"""Models whose outputs a reader can compute, and backgrounds for them."""

import itertools
import sys
from pathlib import Path

import pytest
import torch
from tangermeme.utils import one_hot_encode, random_one_hot

# Small models as a user writes them.
CODE = """
import torch

LENGTH = 24


class Additive(torch.nn.Module):
    def __init__(self, n_outputs=1):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        weights = torch.randint(-9, 10, (n_outputs, 4, LENGTH), generator=generator)
        self.weights = torch.nn.Parameter(weights.float())

    def forward(self, X):
        return torch.einsum("ncl,ocl->no", X[..., :LENGTH].float(), self.weights)


class Needs(Additive):
    def __init__(self, n_outputs):
        super().__init__(n_outputs)


class Breaks(Additive):
    '''Fails on sequences with more than two GATA.'''

    def forward(self, X):
        motif = torch.eye(4)[[2, 0, 3, 0]].T[None]
        counts = (torch.nn.functional.conv1d(X.float(), motif) > 3).sum(dim=(1, 2))
        if counts.max() > 2:
            raise RuntimeError("mat1 and mat2 shapes\\ncannot be multiplied")
        return super().forward(X)


class Many(Additive):
    def forward(self, X):
        y = super().forward(X)
        return [y, y]


class Tracks(torch.nn.Module):
    def forward(self, X):
        return X[:, :3]


class Heads(torch.nn.Module):
    def forward(self, X):
        n = X.sum(dim=-1)
        return {"ac": n[:, :2], "t": n[:, 3:]}


def two():
    return Additive(2)


def raises():
    return {}["weights"]


def no_model():
    return 3


zero = 0
ready = Additive()
"""
_numbers = itertools.count()


class AdditiveModel(torch.nn.Module):
    """Every base adds its whole-number weight: output = sum of weights[letter, i]."""

    def __init__(self, length: int = 24) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        weights = torch.randint(-9, 10, (4, length), generator=generator)
        self.weights = torch.nn.Parameter(weights.float())

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return (X * self.weights).sum(dim=(1, 2))[:, None]


class MotifModel(torch.nn.Module):
    """Counts motifs: output 0 = n(GACC) + 2 n(CGAG) + 5 n(GACC) n(CGAG).

    The product is a planted epistasis, whatever the positions; output 1 has none.
    """

    def __init__(self) -> None:
        super().__init__()
        motifs = torch.stack([one_hot_encode(m) for m in ("GACC", "CGAG")])
        self.motifs = torch.nn.Parameter(motifs.float())

    def count(self, X: torch.Tensor) -> torch.Tensor:
        matches = torch.nn.functional.conv1d(X, self.motifs)
        return torch.relu(matches - 3).sum(dim=-1)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        a, b = self.count(X).unbind(dim=1)
        return torch.stack([a + 2 * b + 5 * a * b, a + 2 * b], dim=1)


@pytest.fixture
def additive_model() -> AdditiveModel:
    return AdditiveModel()


@pytest.fixture
def motif_model() -> MotifModel:
    return MotifModel()


@pytest.fixture
def X() -> torch.Tensor:
    """Ten backgrounds of 24 bases."""
    return random_one_hot((10, 4, 24), random_state=0)


@pytest.fixture
def blank() -> torch.Tensor:
    """Five backgrounds of 24 T, in which MotifModel finds only what was placed."""
    return one_hot_encode("T" * 24)[None].repeat(5, 1, 1)


@pytest.fixture
def padded() -> torch.Tensor:
    """Ten sequences of 14 to 23 bases in 24 columns, with an N in each."""
    X = random_one_hot((10, 4, 24), random_state=1)
    for i in range(10):
        X[i, :, : (10 - i) // 2] = 0
        X[i, :, 24 - (10 - i) // 2 - i % 2 :] = 0
        X[i, :, 11] = 0
    return X


class Recorder:
    """`func` that keeps the size of every batch and the sequences it was given."""

    def __init__(self) -> None:
        self.batches: list[torch.Tensor] = []

    def __call__(self, model, X, args=None, **kwargs) -> torch.Tensor:
        self.batches.append(X.clone())
        with torch.no_grad():
            return model(X.float(), *(args or []))

    @property
    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.batches]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return tmp_path


@pytest.fixture
def toys(here) -> str:
    """The name of a module of models in the current folder, new in each test."""
    name = f"toys_{next(_numbers)}"
    (here / f"{name}.py").write_text(CODE)
    return name
