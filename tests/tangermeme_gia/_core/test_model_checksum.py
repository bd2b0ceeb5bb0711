"""The checksum of a model sees what it computes with, and nothing else."""

import numpy as np
import pytest
import torch

from tangermeme_gia._core.identity import model_checksum, tensors_checksum
from tangermeme_gia.models.loading import load_model
from tangermeme_gia.report import OneOutput


class Scaled(torch.nn.Module):
    def __init__(self, factor=1.0, shift=0.0, table=(0.0,)) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(2, 1)
        with torch.no_grad():
            for parameter in self.linear.parameters():
                parameter.fill_(0.5)
        self.factor = factor
        self.shift = torch.tensor(shift)
        self.register_buffer("table", torch.tensor(table), persistent=False)


class Scaled2(Scaled):
    """The same weights, other code."""


@pytest.mark.parametrize(
    "other",
    [Scaled(factor=2.0), Scaled(shift=1.0), Scaled(table=(1.0,)), Scaled2()],
    ids=["attribute", "tensor", "buffer", "class"],
)
def test_the_checksum_sees_all_that_a_model_computes_with(other):
    assert model_checksum(Scaled()) == model_checksum(Scaled())
    assert model_checksum(Scaled()) != model_checksum(other)


def test_the_checksum_sees_weights_but_not_the_mode():
    model = Scaled()
    before = model_checksum(model)
    assert model_checksum(model.eval()) == before
    with torch.no_grad():
        model.linear.bias += 1e-6
    assert model_checksum(model) != before


def test_tensor_checksums_tell_shape_dtype_and_values_apart():
    X = torch.zeros(2, 3)
    others = [X.T, X.int(), X + 1, X[:1]]

    def of(tensor):
        return tensors_checksum({"": tensor})

    assert len({of(other) for other in [X, *others]}) == 5
    assert of(X.T.contiguous().T) == of(X)
    assert of(torch.tensor(True)) != of(torch.tensor(False))


MODULE = """
import functools, torch
from helpers import twice

POWER = 2
TABLE = {"a": [1.0, 2.0]}


def bend(x):
    return x**POWER


class Net(torch.nn.Module):
    def __init__(self, act=lambda x: x + 1):
        super().__init__()
        self.act = act
        self._private = functools.partial(bend)

    def forward(self, X):
        return self._private(self.act(twice(X))) * TABLE["a"][0]


ready = Net()
"""
HELPERS = """
def once(x):
    return x


def twice(x):
    return 2 * once(x)
"""


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("model", "x + 1", "x + 3"),
        ("model", "POWER = 2", "POWER = 3"),
        ("model", "[1.0, 2.0]", "[1.0, 3.0]"),
        ("model", "return x**POWER", "return x + POWER"),
        ("model", "* TABLE", "+ TABLE"),
        ("helpers", "return x\n", "return -x\n"),
        ("helpers", "2 *", "3 *"),
    ],
)
def test_the_checksum_sees_the_code_that_a_model_runs(here, file, old, new):
    (here / "model.py").write_text(MODULE)
    (here / "helpers.py").write_text(HELPERS)
    before, again = (model_checksum(load_model("model:ready").model) for _ in range(2))
    assert before == again
    path = here / f"{file}.py"
    text = path.read_text()
    assert old in text
    path.write_text(f"# a comment, and a line\n\n{text}")
    if file == "helpers":  # of a class all of its text counts
        assert model_checksum(load_model("model:ready").model) == before
    path.write_text(text.replace(old, new))
    assert model_checksum(load_model("model:ready").model) != before


def test_the_checksum_sees_functions_hooks_and_modules_that_torch_does_not_know():
    def with_(change):
        torch.manual_seed(0)
        model = Scaled()
        change(model)
        return model_checksum(model)

    class Config:
        def __init__(self, size):
            self.size = size

    def hidden(scale):
        def change(model):
            layer = torch.nn.Linear(2, 1)
            with torch.no_grad():
                layer.weight.fill_(scale)
            model.layers = [layer]

        return change

    def hook(size):
        return lambda model: model.register_forward_hook(lambda m, x, y: size * y)

    def setting(value):
        return lambda model: setattr(model, "own", value)

    changes = [
        *[hidden(scale) for scale in (1.0, 2.0)],
        *[hook(size) for size in (2, 3)],
        *[setting(Config(size)) for size in (1, 2)],
        *[setting({"a": size}) for size in (1, 2)],
        *[setting(torch.arange(size).numpy()) for size in (1, 2)],
        *[setting(np.array([name])) for name in ("a", "b")],
        *[setting((size * torch.eye(2)).to_sparse()) for size in (1, 2)],
        lambda model: None,
    ]
    found = [with_(change) for change in changes]
    assert len(set(found)) == len(changes)
    assert found == [with_(change) for change in changes]


def test_models_that_hold_themselves_have_a_checksum():
    model = Scaled()
    model.parents = [model]
    model.own = model.forward
    assert model_checksum(model) == model_checksum(model)


def test_a_target_that_is_a_function_is_known_by_its_code():
    def of(function):
        return model_checksum(OneOutput(Scaled(), function))

    first, again = (of(lambda y: y[:, 0]) for _ in range(2))
    assert first == again != of(lambda y: y[:, 1])


class Ambiguous:
    """Neither true nor false, as Keras's symbols are."""

    def __bool__(self):
        raise TypeError("cannot be used as a boolean")


@pytest.mark.parametrize("held", [Ambiguous(), torch.zeros(3)], ids=["symbol", "array"])
def test_a_private_attribute_need_not_be_true_or_false(held):
    model = torch.nn.Linear(2, 1)
    before = model_checksum(model)
    model._remembered = held
    assert model_checksum(model) == before
