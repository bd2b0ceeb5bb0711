"""ResidualBind as the `model` of tangermeme's functions, value by value."""

from __future__ import annotations

import importlib

import pytest
import torch
import torch.nn.functional as F
from tangermeme.ablate import ablate
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.ersatz import shuffle
from tangermeme.marginalize import marginalize
from tangermeme.predict import predict
from tangermeme.saturation_mutagenesis import saturation_mutagenesis
from tangermeme.space import space
from torch import nn

from residualbind.network.model import ResidualBind, ResidualBindConfig

# tangermeme tells of a failed convergence check, and of a fast path given up, by a
# warning.
pytestmark = pytest.mark.filterwarnings("error")

RNA = ["A", "C", "G", "U"]
SIZES = {"filters": 12, "hidden": 16, "n_outputs": 2}
CONFIGS = {
    "paper": ResidualBindConfig(**SIZES),
    "released": ResidualBindConfig.released(**SIZES),
    "classifier": ResidualBindConfig(sigmoid=True, **SIZES),
}


@pytest.fixture(params=CONFIGS)
def model(request: pytest.FixtureRequest) -> ResidualBind:
    """A model whose batch norms are not the identity, in eval mode."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = ResidualBind(CONFIGS[request.param])
        for module in model.modules():
            if isinstance(module, nn.BatchNorm1d):
                nn.init.uniform_(module.weight, 0.5, 2)
                nn.init.uniform_(module.bias, -0.5, 0.5)
                nn.init.uniform_(module.running_mean, -0.5, 0.5)
                nn.init.uniform_(module.running_var, 0.2, 2)
    return model.eval()


@pytest.fixture
def X() -> torch.Tensor:
    bases = torch.randint(0, 4, (5, 41), generator=torch.Generator().manual_seed(3))
    return F.one_hot(bases, 4).transpose(1, 2).to(torch.int8)


def direct(model: ResidualBind, X: torch.Tensor) -> torch.Tensor:
    """Every layer as written, one sequence set at a time, no tangermeme."""
    return model(X.to(next(model.parameters()).dtype)).detach()


def put(X: torch.Tensor, motif: str, start: int) -> torch.Tensor:
    X = X.clone()
    X[:, :, start : start + len(motif)] = 0
    for i, base in enumerate(motif):
        X[:, RNA.index(base), start + i] = 1
    return X


def assert_equal(found: torch.Tensor, expected: torch.Tensor) -> None:
    assert expected.std() > 1e-3  # equality of constants would show nothing
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("batch_size", [1, 2, 32])
def test_predict_equals_the_forward_pass(
    model: ResidualBind, X: torch.Tensor, batch_size: int
) -> None:
    y = predict(model, X, batch_size=batch_size, device="cpu")
    assert_equal(y, direct(model, X))


def test_predict_from_training_mode_predicts_in_eval_and_returns_to_training(
    model: ResidualBind, X: torch.Tensor
) -> None:
    expected = direct(model, X)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    y = predict(model.train(), X, device="cpu")
    assert_equal(y, expected)
    assert all(module.training for module in model.modules())
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name])


def test_predict_takes_padded_probes_and_other_precisions(
    model: ResidualBind, X: torch.Tensor
) -> None:
    X[:, :, :3] = X[:, :, -3:] = 0
    assert_equal(predict(model, X, device="cpu"), direct(model, X))
    half = predict(model, X, dtype="bfloat16", device="cpu")
    torch.testing.assert_close(half.float(), direct(model, X), atol=0.1, rtol=0)
    model.double()
    double = predict(model, X, device="cpu")
    assert double.dtype == torch.float64
    torch.testing.assert_close(double, direct(model, X), atol=1e-12, rtol=0)


def test_marginalize_equals_two_forward_passes(
    model: ResidualBind, X: torch.Tensor
) -> None:
    result = marginalize(model, X, "UGCAUG", start=17, alphabet=RNA, device="cpu")
    assert_equal(result.y_before, direct(model, X))
    assert_equal(result.y_after, direct(model, put(X, "UGCAUG", 17)))


def test_space_equals_a_forward_pass_for_each_spacing(
    model: ResidualBind, X: torch.Tensor
) -> None:
    spacings = [[0], [4], [20]]
    result = space(
        model, X, ["UGCAUG", "GCAC"], spacings, start=5, alphabet=RNA, device="cpu"
    )
    assert_equal(result.y_before, direct(model, X))
    assert result.y_afters.shape == (5, 3, 2)
    for i, (spacing,) in enumerate(spacings):
        expected = put(put(X, "UGCAUG", 5), "GCAC", 5 + 6 + spacing)
        assert_equal(result.y_afters[:, i], direct(model, expected))


def test_ablate_equals_forward_passes_on_the_shuffled_region(
    model: ResidualBind, X: torch.Tensor
) -> None:
    result = ablate(model, X, start=10, end=30, n=3, random_state=0, device="cpu")
    shuffled = shuffle(X, start=10, end=30, n=3, random_state=0)
    assert not torch.equal(shuffled[:, 0], X)
    assert_equal(result.y_before, direct(model, X))
    for k in range(3):
        assert_equal(result.y_after[:, k], direct(model, shuffled[:, k]))


@pytest.mark.parametrize("target", [0, 1])
def test_deep_lift_shap_converges_to_the_difference_from_the_references(
    model: ResidualBind, X: torch.Tensor, target: int
) -> None:
    # float64, so that the threshold tests the rules and not the rounding.
    model.double()
    result = deep_lift_shap(
        model,
        X,
        target=target,
        n_shuffles=4,
        return_references=True,
        warning_threshold=1e-9,
        random_state=0,
        device="cpu",
    )
    references = result.references.flatten(0, 1)
    y_references = direct(model, references).reshape(5, 4, 2).mean(dim=1)
    difference = (direct(model, X) - y_references)[:, target]
    assert difference.abs().max() > 1e-3
    total = result.attributions.sum(dim=(1, 2))
    torch.testing.assert_close(total, difference, atol=1e-9, rtol=0)


def test_deep_lift_shap_converges_in_single_precision(
    model: ResidualBind, X: torch.Tensor
) -> None:
    attributions = deep_lift_shap(
        model, X, n_shuffles=4, warning_threshold=1e-4, random_state=0, device="cpu"
    )
    assert attributions.abs().max() > 1e-3
    double = deep_lift_shap(
        model.double(), X, n_shuffles=4, random_state=0, device="cpu"
    )
    torch.testing.assert_close(attributions.double(), double, atol=1e-4, rtol=0)


def test_deep_lift_shap_leaves_the_model_as_it_was(
    model: ResidualBind, X: torch.Tensor
) -> None:
    with torch.no_grad():
        before = model(X.float())
    deep_lift_shap(model, X, n_shuffles=2, random_state=0, device="cpu")
    with torch.no_grad():
        assert torch.equal(model(X.float()), before)
    assert not any(module.training for module in model.modules())
    assert not any(
        module._forward_hooks or module._backward_hooks for module in model.modules()
    )


@pytest.fixture
def always_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `fast=True` capture any job, not only one of more than 30 seconds."""
    module = importlib.import_module("tangermeme.saturation_mutagenesis")
    monkeypatch.setattr(module, "_FAST_MIN_SECONDS", 0.0)
    monkeypatch.setattr(module, "_FAST_MAX_RELATIVE_TIME", float("inf"))


def every_edit(X: torch.Tensor) -> torch.Tensor:
    """All single substitutions, shape=(n, 4, length, 4, length)."""
    _, n_bases, length = X.shape
    edits = X[:, None, None].repeat(1, n_bases, length, 1, 1)
    for base in range(n_bases):
        for position in range(length):
            edits[:, base, position, :, position] = 0
            edits[:, base, position, base, position] = 1
    return edits


def test_saturation_mutagenesis_equals_a_forward_pass_for_each_edit(
    model: ResidualBind, X: torch.Tensor
) -> None:
    X = X[:2]
    expected = direct(model, every_edit(X).flatten(0, 2)).reshape(2, 4, 41, 2)
    y0, y_hat = saturation_mutagenesis(
        model, X, raw_outputs=True, fast=False, device="cpu"
    )
    assert_equal(y0, direct(model, X))
    assert_equal(y_hat, expected)
    attributions = saturation_mutagenesis(
        model, X, target=1, hypothetical=True, fast=False, device="cpu"
    )
    change = expected[..., 1] - direct(model, X)[:, None, None, 1]
    assert_equal(attributions, change - change.mean(dim=1, keepdim=True))


@pytest.mark.usefixtures("always_fast")
def test_fast_saturation_mutagenesis_captures_the_model_and_agrees(
    model: ResidualBind, X: torch.Tensor
) -> None:
    X = X[:1]
    y0, y_hat = saturation_mutagenesis(
        model, X, raw_outputs=True, fast=True, device="cpu"
    )
    expected = direct(model, every_edit(X).flatten(0, 2)).reshape(1, 4, 41, 2)
    torch.testing.assert_close(y0, direct(model, X), atol=1e-5, rtol=0)
    assert_equal(y_hat, expected)


def test_fast_saturation_mutagenesis_of_a_short_job_agrees(
    model: ResidualBind, X: torch.Tensor
) -> None:
    found = [
        saturation_mutagenesis(model, X, fast=fast, device="cpu")
        for fast in (True, False)
    ]
    assert_equal(found[0].float(), found[1].float())
