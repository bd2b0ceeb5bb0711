"""The ResidualBind module: its architecture, and its fast pass against a plain one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from residualbind import channels_last
from residualbind.model import (
    BATCH_NORM_EPS,
    BATCH_NORM_MOMENTUM,
    ResidualBind,
    ResidualBindConfig,
)

PAPER = ResidualBindConfig()
RELEASED = ResidualBindConfig.released()
SMALL: dict[str, Any] = {"filters": 6, "hidden": 5, "kernel_size": 5}


def build(config: ResidualBindConfig, seed: int = 0) -> ResidualBind:
    """A model in eval mode whose batch norms do not happen to be the identity."""
    generator = torch.Generator().manual_seed(seed)

    def uniform(tensor: torch.Tensor, low: float, high: float) -> None:
        tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)

    model = ResidualBind(config)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv1d | nn.Linear):
                bound = 2 * module.weight[0].numel() ** -0.5
                uniform(module.weight, -bound, bound)
                if module.bias is not None:
                    uniform(module.bias, -0.5, 0.5)
            elif isinstance(module, nn.BatchNorm1d):
                uniform(module.weight, 0.5, 2.0)
                uniform(module.bias, -0.5, 0.5)
                assert module.running_mean is not None
                assert module.running_var is not None
                uniform(module.running_mean, -0.5, 0.5)
                uniform(module.running_var, 0.2, 3.0)
    return model.eval()


def sequences(
    n: int, config: ResidualBindConfig = PAPER, seed: int = 1
) -> torch.Tensor:
    """Random one-hot sequences; channels after the first 4 are random profiles."""
    generator = torch.Generator().manual_seed(seed)
    bases = torch.randint(0, 4, (n, config.length), generator=generator)
    one_hot = F.one_hot(bases, 4).transpose(1, 2).float()
    extra = torch.rand(n, config.channels - 4, config.length, generator=generator)
    return torch.cat([one_hot, extra], dim=1)


def reference(model: ResidualBind, X: torch.Tensor) -> torch.Tensor:
    """The forward pass in eval mode, written again from the paper's text."""
    state, config = model.state_dict(), model.config

    def conv(X: torch.Tensor, name: str, dilation: int) -> torch.Tensor:
        weight = state[f"{name}.weight"]
        reach = dilation * (weight.shape[-1] // 2)
        return F.conv1d(F.pad(X, (reach, reach)), weight, dilation=dilation)

    def norm(X: torch.Tensor, name: str) -> torch.Tensor:
        mean, variance, gamma, beta = (
            state[f"{name}.{part}"].reshape(-1, *[1] * (X.ndim - 2))
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (X - mean) / (variance + 1e-3).sqrt() * gamma + beta

    X = norm(conv(X, "conv", 1), "conv_norm").clamp(min=0)
    hidden = X
    last = len(config.dilations) - 1
    for i, dilation in enumerate(config.dilations):
        hidden = conv(hidden, f"block.convs.{i}", dilation)
        hidden = norm(hidden, f"block.norms.{i}")
        if i < last:
            hidden = hidden.clamp(min=0)
    X = (X + hidden).clamp(min=0)
    pooled = config.length // config.pool_size
    X = X[:, :, : pooled * config.pool_size]
    X = X.reshape(len(X), config.filters, pooled, config.pool_size).mean(dim=-1)
    X = X.transpose(1, 2).flatten(start_dim=1)
    X = X @ state["dense.weight"].T
    if config.dense_batch_norm:
        X = norm(X, "dense_norm").clamp(min=0)
    else:
        X = (X + state["dense.bias"]).clamp(min=0)
    y = X @ state["output.weight"].T + state["output.bias"]
    return y.sigmoid() if config.sigmoid else y


@pytest.fixture
def convolutions_run(monkeypatch: pytest.MonkeyPatch) -> list[nn.Module]:
    """The Conv1d layers that ran as written, in order."""
    run: list[nn.Module] = []
    forward = nn.Conv1d.forward

    def spy(self: nn.Conv1d, X: torch.Tensor) -> torch.Tensor:
        run.append(self)
        return forward(self, X)

    monkeypatch.setattr(nn.Conv1d, "forward", spy)
    return run


# Architecture


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("length", [30, 41, 200])
@pytest.mark.parametrize("channels", [4, 6, 9])
def test_output_has_one_row_per_sequence_and_one_column_per_experiment(
    channels: int, length: int, n_outputs: int
) -> None:
    config = ResidualBindConfig(
        channels=channels, length=length, n_outputs=n_outputs, **SMALL
    )
    model = build(config)
    X = sequences(5, config)
    y = model(X)
    assert y.shape == (5, n_outputs)
    torch.testing.assert_close(y, reference(model, X), atol=1e-5, rtol=1e-5)


def test_sigmoid_turns_the_scores_into_probabilities() -> None:
    linear = build(ResidualBindConfig(n_outputs=2, **SMALL))
    sigmoid = ResidualBind(
        ResidualBindConfig(n_outputs=2, sigmoid=True, **SMALL)
    ).eval()
    sigmoid.load_state_dict(linear.state_dict())
    X = sequences(6)
    torch.testing.assert_close(sigmoid(X), torch.sigmoid(linear(X)))
    with torch.no_grad():
        torch.testing.assert_close(sigmoid(X), torch.sigmoid(linear(X)))


def test_paper_and_released_architectures_differ_as_documented() -> None:
    assert (PAPER.dilations, PAPER.dropout_block, PAPER.dense_batch_norm) == (
        (1, 2, 4),
        0.0,
        False,
    )
    assert (RELEASED.dilations, RELEASED.dropout_block, RELEASED.dense_batch_norm) == (
        (1, 2, 4, 8),
        0.1,
        True,
    )
    assert ResidualBindConfig.released(hidden=7, dilations=(3,)).dilations == (3,)
    assert ResidualBind().config == PAPER


def test_state_dict_keys_are_those_that_saved_weights_rely_on() -> None:
    norm = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    blocks = range(4)
    expected = {
        "conv.weight",
        *(f"conv_norm.{part}" for part in norm),
        *(f"block.convs.{i}.weight" for i in blocks),
        *(f"block.norms.{i}.{part}" for i in blocks for part in norm),
        "dense.weight",
        *(f"dense_norm.{part}" for part in norm),
        "output.weight",
        "output.bias",
    }
    assert set(ResidualBind(RELEASED).state_dict()) == expected
    paper = set(ResidualBind(PAPER).state_dict())
    assert paper - expected == {"dense.bias"}
    assert not any(name.startswith("dense_norm") for name in paper)


@pytest.mark.parametrize("config", [PAPER, RELEASED], ids=["paper", "released"])
def test_weights_start_within_glorot_bounds_and_biases_at_zero(
    config: ResidualBindConfig,
) -> None:
    torch.manual_seed(0)
    layers = [m for m in ResidualBind(config).modules() if hasattr(m, "weight")]
    learnt = [m for m in layers if isinstance(m, nn.Conv1d | nn.Linear)]
    assert len(learnt) == 1 + len(config.dilations) + 2
    for layer in learnt:
        width = layer.weight.shape[2] if isinstance(layer, nn.Conv1d) else 1
        fan_out, fan_in = (size * width for size in layer.weight.shape[:2])
        bound = (6 / (fan_in + fan_out)) ** 0.5
        largest = layer.weight.abs().max().item()
        assert 0.95 * bound < largest <= bound
        assert layer.bias is None or not layer.bias.any()


def test_batch_norms_have_the_constants_of_keras() -> None:
    assert (BATCH_NORM_EPS, BATCH_NORM_MOMENTUM) == (1e-3, 0.01)
    model = ResidualBind(RELEASED)
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm1d)]
    assert len(norms) == 6
    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.01)}


def test_convolutions_have_no_bias_and_neither_has_a_dense_layer_with_batch_norm() -> (
    None
):
    released, paper = ResidualBind(RELEASED), ResidualBind(PAPER)
    convs = [m for m in released.modules() if isinstance(m, nn.Conv1d)]
    assert [conv.bias for conv in convs] == [None] * 5
    assert released.dense.bias is None
    assert paper.dense.bias is not None
    assert released.output.bias is not None


def test_layers_run_in_the_order_of_the_paper_with_dropout_in_its_places() -> None:
    config = ResidualBindConfig.released(
        dilations=(1, 2),
        dropout=0.1,
        dropout_block=0.2,
        dropout_pool=0.3,
        dropout_dense=0.4,
        **SMALL,
    )
    model = ResidualBind(config)
    run: list[str] = []
    for name, module in model.named_modules():
        if not list(module.children()):
            module.register_forward_hook(
                lambda module, inputs, output, name=name: run.append(
                    f"{name} {module.p}" if isinstance(module, nn.Dropout) else name
                )
            )
    model(sequences(4, config))
    assert run == [
        "conv",
        "conv_norm",
        "conv_relu",
        "conv_dropout 0.1",
        "block.convs.0",
        "block.norms.0",
        "block.relus.0",
        "block.dropouts.0 0.2",
        "block.convs.1",
        "block.norms.1",
        "block.sum_relu",
        "pool",
        "pool_dropout 0.3",
        "dense",
        "dense_norm",
        "dense_relu",
        "dense_dropout 0.4",
        "output",
        "output_activation",
    ]


def test_pooled_positions_are_flattened_length_first_as_keras_does() -> None:
    model = build(ResidualBindConfig(**SMALL))
    seen: dict[str, torch.Tensor] = {}
    model.pool.register_forward_hook(lambda m, X, y: seen.update(pooled=y))
    model.dense.register_forward_hook(lambda m, X, y: seen.update(flat=X[0]))
    model(sequences(3))
    pooled, flat = seen["pooled"], seen["flat"]
    assert pooled.shape == (3, 6, 4)
    for position in range(4):
        for unit in range(6):
            assert torch.equal(flat[:, position * 6 + unit], pooled[:, unit, position])


# A model whose prediction can be computed by hand


@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize(
    ("sequence", "prediction"),
    [
        ("TTTTTTTTTTTTTT", 0.5),
        ("TACGTTTTTTTTTT", 0.5 + 5 * 1),  # one ACG in window 0
        ("TTTTTACGTTTTTT", 0.5 + 5 * 2),  # one in window 1
        ("TTTTTTTTTACGTT", 0.5 + 5 * 3),  # one in window 2
        ("ACGTACGTTACGTT", 0.5 + 5 * (1 + 2 + 3)),
        ("TTTTTTTTTTTACG", 0.5),  # its middle is in the remainder
        ("TTTTTTTTTTACGT", 0.5 + 5 * 3),  # its middle is the window's last position
        ("TTACTTACTTTCGT", 0.5),  # two of three letters are not enough
    ],
)
def test_a_hand_weighted_model_counts_its_motif_by_window(
    sequence: str, prediction: float, folded: bool
) -> None:
    # 14 positions give 3 windows of 4 and a remainder of 2. The filter counts the
    # letters of ACG that match; batch norm subtracts 2, so that only a full match, at
    # its middle letter, passes the ReLU, with 1. The residual module passes its input
    # on and thereby doubles it. A window of 4 averages, so that a match counts 2 / 4;
    # the dense layer weighs window w by w + 1, the output by 10, plus 0.5.
    config = ResidualBindConfig(
        length=14, filters=1, kernel_size=3, dilations=(1,), pool_size=4, hidden=1
    )
    model = ResidualBind(config).eval()
    with torch.no_grad():
        model.conv.weight.zero_()
        for position, base in enumerate("ACG"):
            model.conv.weight[0, "ACGT".index(base), position] = 1
        model.conv_norm.bias.fill_(-2)
        model.block.convs[0].weight.copy_(torch.tensor([[[0.0, 1.0, 0.0]]]))
        for norm in (model.conv_norm, model.block.norms[0]):
            norm.running_var.fill_(1 - BATCH_NORM_EPS)
        model.dense.weight.copy_(torch.tensor([[1.0, 2.0, 3.0]]))
        model.output.weight.fill_(10)
        model.output.bias.fill_(0.5)
    bases = torch.tensor(["ACGT".index(base) for base in sequence])
    X = F.one_hot(bases, 4).T.float().unsqueeze(0)
    with torch.set_grad_enabled(not folded):
        assert model(X).item() == pytest.approx(prediction, abs=1e-5)


# Errors


@pytest.mark.parametrize(
    "shape", [(2, 6, 41), (2, 4, 40), (2, 41, 4), (4, 41), (2, 4, 41, 1)]
)
@pytest.mark.parametrize("grad", [True, False])
def test_input_of_another_shape_is_an_error_that_says_what_is_expected(
    shape: tuple[int, ...], grad: bool
) -> None:
    model = ResidualBind(ResidualBindConfig(**SMALL)).eval()
    message = (
        rf"`X` has shape \({', '.join(map(str, shape))}\).*4 channels and length 41"
    )
    with torch.set_grad_enabled(grad), pytest.raises(ValueError, match=message):
        model(torch.zeros(shape))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        *(
            ({name: value}, rf"`{name}`={value!r} must be a positive integer")
            for name in (
                "channels",
                "length",
                "n_outputs",
                "filters",
                "kernel_size",
                "pool_size",
                "hidden",
            )
            for value in (0, -1, 2.0, True)
        ),
        ({"dilations": (1, 0)}, r"`dilations\[1\]`=0 must be a positive integer"),
        ({"dilations": ()}, r"`dilations` is empty"),
        ({"dilations": 4}, r"`dilations`=4 must be a sequence of integers"),
        ({"kernel_size": 10}, r"`kernel_size`=10 is even"),
        ({"length": 9}, r"`length`=9 is shorter than `pool_size`=10"),
        *(
            ({name: value}, rf"`{name}`={value!r} must be at least 0 and below 1")
            for name in ("dropout", "dropout_block", "dropout_pool", "dropout_dense")
            for value in (-0.1, 1, float("nan"), "0.1")
        ),
        ({"sigmoid": "no"}, r"`sigmoid`='no' must be True or False"),
        ({"dense_batch_norm": 1}, r"`dense_batch_norm`=1 must be True or False"),
    ],
)
def test_config_that_no_model_can_have_is_an_error_naming_the_field(
    changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ResidualBindConfig(**changes)


def test_config_accepts_dilations_in_a_list_and_cannot_be_changed() -> None:
    config = ResidualBindConfig(dilations=[1, 3])  # type: ignore[arg-type]
    assert config.dilations == (1, 3)
    assert hash(config) == hash(ResidualBindConfig(dilations=(1, 3)))
    with pytest.raises(AttributeError, match="cannot assign to field"):
        config.length = 50  # type: ignore[misc]


# The fast pass


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [0, 1, 7])
@pytest.mark.parametrize("config", [PAPER, RELEASED], ids=["paper", "released"])
def test_prediction_without_gradients_equals_the_layers_as_written(
    config: ResidualBindConfig,
    n: int,
    dtype: torch.dtype,
    convolutions_run: list[nn.Module],
) -> None:
    model = build(config).to(dtype)
    X = sequences(n).to(dtype)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    with torch.no_grad():
        fast = model(X)
    assert convolutions_run == []
    plain = model(X).detach()
    assert convolutions_run == [model.conv, *model.block.convs]
    assert fast.dtype == dtype
    assert fast.shape == (n, 1)
    torch.testing.assert_close(fast, plain, atol=tolerance, rtol=0)
    torch.testing.assert_close(fast, reference(model, X), atol=tolerance, rtol=0)


@pytest.mark.parametrize("config", [PAPER, RELEASED], ids=["paper", "released"])
def test_a_large_batch_is_predicted_as_its_parts_are(
    config: ResidualBindConfig,
) -> None:
    config = ResidualBindConfig.released(
        dilations=config.dilations, dense_batch_norm=config.dense_batch_norm, **SMALL
    )
    model = build(config)
    X = sequences(5000)
    with torch.inference_mode():
        fast = model(X)
        parts = torch.cat([model(part) for part in X.split(617)])
    torch.testing.assert_close(fast, parts, atol=1e-6, rtol=0)
    torch.testing.assert_close(fast, reference(model, X), atol=1e-5, rtol=0)


@pytest.mark.parametrize("channels", [4, 9])
def test_input_is_never_modified_whatever_its_memory_layout(channels: int) -> None:
    config = ResidualBindConfig(channels=channels, **SMALL)
    model = build(config)
    X = sequences(4, config)
    kept = X.clone()
    length_first = X.transpose(1, 2).contiguous().transpose(1, 2)
    assert not length_first.is_contiguous()
    expected = reference(model, X)
    for grad in (True, False):
        for given in (X, length_first):
            with torch.set_grad_enabled(grad):
                y = model(given)
            torch.testing.assert_close(y, expected, atol=1e-5, rtol=0)
            assert torch.equal(given, kept)


def test_training_updates_batch_norm_by_the_statistics_of_the_batch() -> None:
    model = build(RELEASED).train()
    before = model.conv_norm.running_mean.clone()
    X = sequences(8)
    with torch.no_grad():
        batch_mean = F.conv1d(X, model.conv.weight, padding=5).mean(dim=(0, 2))
        model(X)
    torch.testing.assert_close(
        model.conv_norm.running_mean, 0.99 * before + 0.01 * batch_mean
    )


def trained_state(
    model: ResidualBind, X: torch.Tensor, dtype: torch.dtype = torch.float32
) -> dict[str, torch.Tensor]:
    """Output, gradients and running statistics of a training step's pass."""
    model = copy.deepcopy(model).train()
    X = X.clone().requires_grad_()
    torch.manual_seed(0)
    with torch.autocast("cpu", dtype, enabled=dtype != torch.float32):
        y = model(X)
    y.float().square().sum().backward()
    gradients = {f"d {name}": p.grad for name, p in model.named_parameters()}
    return {"y": y.detach(), "dX": X.grad, **gradients, **dict(model.named_buffers())}


NO_DROPOUT = dict.fromkeys(
    ("dropout", "dropout_block", "dropout_pool", "dropout_dense"), 0.0
)


@pytest.mark.parametrize(
    "config",
    [
        ResidualBindConfig(**NO_DROPOUT),
        ResidualBindConfig.released(n_outputs=3, channels=9, **NO_DROPOUT),
    ],
    ids=["paper", "released"],
)
def test_a_training_step_is_that_of_the_layers_as_written(
    config: ResidualBindConfig, convolutions_run: list[nn.Module]
) -> None:
    model = build(config)
    X = sequences(32, config)
    fast = trained_state(model, X)
    fast_bfloat16 = trained_state(model, X, torch.bfloat16)
    assert convolutions_run == []
    model.pool.register_forward_hook(lambda module, X, y: None)
    written = trained_state(model, X)
    written_bfloat16 = trained_state(model, X, torch.bfloat16)
    assert len(convolutions_run) == 2 * (1 + len(config.dilations))
    assert fast.keys() == written.keys()
    for name, value in written.items():
        scale = value.abs().max().clamp(min=1e-2).item()
        torch.testing.assert_close(
            fast[name], value, atol=1e-5 * scale, rtol=0, msg=name
        )
        # Rounding to bfloat16 moves gradients by a fifth, whichever pass it is. Few
        # numbers may come off lightly in one of them: half a last bit is allowed.
        half_a_bit = torch.finfo(torch.bfloat16).eps / 2 * value.float().norm().item()
        rounded, allowed = (
            (state[name].float() - value).norm().item()
            for state in (fast_bfloat16, written_bfloat16)
        )
        assert rounded <= 1.5 * allowed + half_a_bit, name


def test_training_drops_the_shares_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    config = ResidualBindConfig(
        dropout=0.1,
        dropout_block=0.2,
        dropout_pool=0.3,
        dropout_dense=0.4,
        dilations=(1, 2),
        **SMALL,
    )
    model = build(config).train()
    dropped: list[tuple[float, tuple[int, ...]]] = []

    def record(dropout: nn.Dropout, X: torch.Tensor) -> torch.Tensor:
        dropped.append((dropout.p, tuple(X.shape)))
        return X

    monkeypatch.setattr(channels_last, "_drop", record)
    model(sequences(4, config))
    assert dropped == [
        (0.1, (4 * 41, 6)),
        (0.2, (4 * 41, 6)),
        (0.3, (4, 6, 4)),
        (0.4, (4, model.config.hidden)),
    ]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_dropout_keeps_its_rate_and_the_mean(rate: float, dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    n = 199_999
    X = torch.ones(n, 1, dtype=dtype, requires_grad=True)
    y = channels_last._drop(nn.Dropout(rate), X)
    y.sum().backward()
    kept = y.detach() != 0
    error = (rate * (1 - rate) / n) ** 0.5
    assert abs(1 - kept.double().mean().item() - rate) <= 4 * error
    scale = torch.tensor(1 / (1 - rate), dtype=dtype).item()
    assert y[kept].unique().tolist() == pytest.approx([scale], rel=1e-2)
    assert torch.equal(X.grad, y.detach())
    # Neighbours are drawn alone.
    both = (kept[1:] & kept[:-1]).double().mean().item()
    assert abs(both - (1 - rate) ** 2) <= 8 * error


def test_each_pass_in_training_drops_other_values() -> None:
    model = build(RELEASED).train()
    X = sequences(8)
    state = copy.deepcopy(model.state_dict())
    outputs = []
    for seed in (0, 0, 1):
        model.load_state_dict(state)
        torch.manual_seed(seed)
        outputs.append(model(X).detach())
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.allclose(outputs[0], outputs[2], atol=1e-3)


@pytest.mark.parametrize("frozen", ["conv_norm", "block.norms.1", "dense_dropout"])
def test_a_layer_in_eval_mode_stays_so_in_training(frozen: str) -> None:
    model = build(RELEASED).train()
    model.get_submodule(frozen).eval()
    before = {name: b.clone() for name, b in model.named_buffers()}
    torch.manual_seed(0)
    y = model(sequences(8))
    for name, buffer in model.named_buffers():
        changed = not torch.equal(buffer, before[name])
        assert changed == (not name.startswith(frozen))
    model.conv.register_forward_hook(lambda module, X, y: None)
    torch.manual_seed(0)
    model.load_state_dict(before, strict=False)
    torch.testing.assert_close(model(sequences(8)), y)


def test_a_backward_hook_sees_a_training_step() -> None:
    model = build(RELEASED).train()
    seen: list[str] = []
    model.block.convs[1].register_full_backward_hook(
        lambda module, given, out: seen.append("conv")
    )
    model(sequences(4)).sum().backward()
    assert seen == ["conv"]


def test_gradients_with_respect_to_input_and_weights_are_right() -> None:
    config = ResidualBindConfig(
        length=12, filters=2, kernel_size=3, pool_size=5, hidden=3, dilations=(1, 2)
    )
    model = build(config).double()
    X = sequences(2, config).double().requires_grad_()
    assert torch.autograd.gradcheck(model, X)
    model(X).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    assert model.conv.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("kind", ["forward", "forward_pre"])
@pytest.mark.parametrize(
    "name", ["conv", "block", "block.relus.1", "block.norms.3", "pool", "dense_relu"]
)
def test_a_hook_on_any_layer_sees_it_run(name: str, kind: str) -> None:
    model = build(RELEASED)
    X = sequences(3)
    seen: list[nn.Module] = []
    layer = model.get_submodule(name)
    register = getattr(layer, f"register_{kind}_hook")
    handle = register(lambda module, *values: seen.append(module))
    with torch.no_grad():
        hooked = model(X)
        assert seen == [layer]
        handle.remove()
        torch.testing.assert_close(model(X), hooked, atol=1e-5, rtol=0)
        assert seen == [layer]


def test_a_hook_that_changes_a_layer_changes_the_prediction() -> None:
    model = build(PAPER)
    X = sequences(3)
    with torch.no_grad():
        handle = model.pool.register_forward_hook(lambda module, X, y: y * 0)
        silenced = model(X)
        handle.remove()
        torch.testing.assert_close(silenced, silenced[:1].expand(3, 1))
        assert not torch.allclose(model(X), silenced)


def test_dropout_left_on_in_an_eval_model_stays_on() -> None:
    model = build(RELEASED)
    model.dense_dropout.train()
    X = sequences(3)
    with torch.no_grad():
        assert not torch.equal(model(X), model(X))


def test_a_layer_put_in_anothers_place_is_used() -> None:
    model, X = build(PAPER), sequences(3)
    with torch.no_grad():
        before = model(X)
        replaced = copy.deepcopy(model)
        replaced.block.relus[0] = nn.Tanh().eval()
        with torch.enable_grad():
            expected = replaced(X).detach()
        assert not torch.allclose(expected, before)
        torch.testing.assert_close(replaced(X), expected, atol=1e-5, rtol=0)
        converted = nn.SyncBatchNorm.convert_sync_batchnorm(copy.deepcopy(model))
        torch.testing.assert_close(converted(X), before, atol=1e-5, rtol=0)


def test_a_parametrized_layer_predicts_with_its_parametrized_weight() -> None:
    model, X = build(PAPER), sequences(3)
    nn.utils.parametrizations.weight_norm(model.conv)
    with torch.no_grad():
        model.conv.parametrizations.weight.original0.mul_(3)
        fast = model(X)
    torch.testing.assert_close(fast, model(X), atol=1e-5, rtol=0)


def test_prediction_can_be_mapped_over_sequences() -> None:
    model, X = build(ResidualBindConfig(**SMALL)), sequences(3)
    with torch.no_grad():
        mapped = torch.vmap(lambda x: model(x.unsqueeze(0))[0])(X)
        torch.testing.assert_close(mapped, model(X), atol=1e-6, rtol=0)


def in_place(model: ResidualBind) -> None:
    model.conv.weight.mul_(2)


def through_data(model: ResidualBind) -> None:
    model.block.convs[1].weight.data[:, 0] += 1


def by_new_data(model: ResidualBind) -> None:
    model.block.convs[0].weight.data = -model.block.convs[0].weight.data


def by_loading(model: ResidualBind) -> None:
    model.load_state_dict(build(model.config, seed=9).state_dict())


def by_assigning(model: ResidualBind) -> None:
    model.load_state_dict(build(model.config, seed=9).state_dict(), assign=True)


def batch_norm_mean(model: ResidualBind) -> None:
    model.conv_norm.running_mean.add_(1)


def batch_norm_variance(model: ResidualBind) -> None:
    model.block.norms[2].running_var.data.mul_(7)


def new_buffer(model: ResidualBind) -> None:
    model.block.norms[0].running_mean = model.block.norms[0].running_mean + 2


def new_parameter(model: ResidualBind) -> None:
    model.conv.weight = nn.Parameter(-model.conv.weight)


def dense_weight(model: ResidualBind) -> None:
    model.dense.weight.data.neg_()


def by_an_optimizer(model: ResidualBind) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with torch.enable_grad():
        model(sequences(4)).sum().backward()
    optimizer.step()


def by_training_batch_norm(model: ResidualBind) -> None:
    model.train()
    for seed in range(20):
        model(sequences(4, seed=seed))
    model.eval()


@pytest.mark.parametrize(
    "change",
    [
        in_place,
        through_data,
        by_new_data,
        by_loading,
        by_assigning,
        batch_norm_mean,
        batch_norm_variance,
        new_buffer,
        new_parameter,
        dense_weight,
        by_an_optimizer,
        by_training_batch_norm,
    ],
)
def test_a_change_of_weights_changes_the_next_prediction(
    change: Callable[[ResidualBind], None],
) -> None:
    model, X = build(RELEASED), sequences(3)
    with torch.no_grad():
        before = model(X)
        change(model)
        after = model(X)
    assert not torch.allclose(after, before, atol=1e-3)
    torch.testing.assert_close(after, reference(model, X), atol=1e-5, rtol=1e-5)


def test_a_change_of_precision_changes_the_next_prediction() -> None:
    model, X = build(RELEASED), sequences(3)
    with torch.no_grad():
        single = model(X)
        double = model.double()(X.double())
    assert (single.dtype, double.dtype) == (torch.float32, torch.float64)
    torch.testing.assert_close(double, reference(model, X.double()), atol=1e-12, rtol=0)


def test_copies_predict_alike_and_change_independently() -> None:
    model, X = build(PAPER), sequences(3)
    with torch.no_grad():
        before = model(X)
        other = copy.deepcopy(model)
        assert torch.equal(other(X), before)
        other.conv.weight.zero_()
        assert torch.equal(model(X), before)
        assert not torch.allclose(other(X), before)
