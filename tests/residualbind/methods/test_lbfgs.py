"""L-BFGS against least squares, and which iteration stays."""

import pytest
import torch
from torch import nn

from residualbind.methods import lbfgs
from residualbind.methods.lbfgs import fit_by_lbfgs
from residualbind.methods.recipes import Problem, Recipe

RECIPE = Recipe(optimizer="l-bfgs", epochs=50)


class Linear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(12, 1)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        return self.layer(X.flatten(1))


@pytest.fixture
def examples():
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(200, 4, 3, generator=generator)
    noise = torch.randn(200, 1, generator=generator)
    return X, X[:, 0, :1] - 2 * X[:, 3, 2:] + 1 + 0.1 * noise


@pytest.mark.parametrize("chunk", [16_384, 64])
def test_it_reaches_the_least_squares(examples, chunk, monkeypatch):
    monkeypatch.setattr(lbfgs, "_CHUNK", chunk)
    X, y = examples
    torch.manual_seed(0)
    model = Linear()
    pearson, iterations = fit_by_lbfgs(model, RECIPE, Problem(examples, examples, 0))
    design = torch.cat([X.flatten(1), torch.ones(200, 1)], dim=1)
    expected = torch.linalg.lstsq(design, y).solution.ravel()
    found = torch.cat([model.layer.weight[0], model.layer.bias]).detach()
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=0)
    assert pearson > 0.99
    assert 1 <= iterations <= 50
    assert not model.training


def test_the_iteration_that_predicts_the_validation_best_stays(examples):
    X, y = examples
    torch.manual_seed(0)
    model = Linear()
    with torch.no_grad():
        start = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        against = model(X)  # what the untrained weights predict perfectly
    pearson, _ = fit_by_lbfgs(model, RECIPE, Problem((X, y), (X, against), 0))
    assert pearson == pytest.approx(1)
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(tensor, start[name])


def test_iterations_end_where_they_are_told_to(examples):
    torch.manual_seed(0)
    few = Recipe(optimizer="l-bfgs", epochs=2)
    _, iterations = fit_by_lbfgs(Linear(), few, Problem(examples, examples, 0))
    assert iterations == 2


def test_a_model_without_a_defined_correlation_is_the_worst(examples):
    X, y = examples
    model = Linear()
    with torch.no_grad():
        model.layer.weight.zero_()
    pearson, _ = fit_by_lbfgs(
        model, RECIPE, Problem((X * 0, y), (X[:50] * 0, y[:50]), 0)
    )
    assert pearson == -float("inf")
