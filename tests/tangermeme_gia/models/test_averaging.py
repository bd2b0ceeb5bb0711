"""Folds of a model as one."""

import pytest
import torch
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia
from tangermeme_gia import AveragedModels


class Heads(torch.nn.Module):
    def __init__(self, weight: float, kind: type) -> None:
        super().__init__()
        self.weight, self.kind = torch.nn.Parameter(torch.tensor(weight)), kind

    def forward(self, X, offset=None):
        y = self.weight * X[:, 0].sum(dim=1, keepdim=True)
        y = y if offset is None else y + offset
        heads = {"counts": y, "profile": self.weight * X[:, 1]}
        return heads if self.kind is dict else self.kind(heads.values())


@pytest.fixture
def X() -> torch.Tensor:
    return random_one_hot((20, 4, 15), random_state=0).float()


@pytest.mark.parametrize("kind", [dict, list, tuple])
def test_every_head_is_the_mean(X, kind):
    folds = [Heads(weight, kind) for weight in (1.0, 2.0, 6.0)]
    y = AveragedModels(folds)(X)
    heads = list(y.values()) if kind is dict else y
    torch.testing.assert_close(heads[0], 3 * X[:, 0].sum(dim=1, keepdim=True))
    torch.testing.assert_close(heads[1], 3 * X[:, 1])


def test_effects_are_the_means_of_those_of_the_folds(X):
    torch.manual_seed(0)
    folds = [
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(60, 2))
        for _ in range(5)
    ]
    together = gia.global_importance(AveragedModels(folds), X, [("GATA", 5)])
    each = [gia.global_importance(fold, X, [("GATA", 5)]) for fold in folds]
    expected = torch.stack([result.local_importance for result in each]).mean(dim=0)
    torch.testing.assert_close(together.local_importance, expected)


def test_side_inputs_reach_every_fold(X):
    folds = [Heads(weight, list) for weight in (1.0, 3.0)]
    offset = torch.ones(20, 1)
    y = AveragedModels(folds)(X, offset=offset)
    torch.testing.assert_close(y[0], 2 * X[:, 0].sum(dim=1, keepdim=True) + 1)


def test_the_alphabet_is_the_one_that_is_stated():
    rna, silent = torch.nn.Flatten(), torch.nn.Flatten()
    rna.alphabet = "ACGU"
    assert AveragedModels([silent, rna]).alphabet == "ACGU"
    assert AveragedModels([silent, torch.nn.Flatten()]).alphabet is None
    silent.alphabet = "ACGT"
    with pytest.raises(ValueError, match="`models` state different alphabets"):
        AveragedModels([silent, rna])


def test_what_cannot_be_averaged_is_named(X):
    with pytest.raises(ValueError, match="`models` has 1; an average needs two"):
        AveragedModels([torch.nn.Flatten()])
    with pytest.raises(TypeError, match=r"holds a function \(number 1\)"):
        AveragedModels([torch.nn.Flatten(), lambda X: X])
    wide = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(60, 2))
    with pytest.raises(ValueError, match=r"shape \(20, 60\) and, number 1, \(20, 2\)"):
        AveragedModels([torch.nn.Flatten(), wide])(X)
    with pytest.raises(ValueError, match="a Tensor and, number 1, a dict"):
        AveragedModels([torch.nn.Flatten(), Heads(1.0, dict)])(X)
