"""Weights under the names of training loops, and classes of Lightning checkpoints."""

import pytest
import torch

from tangermeme_gia.cli import main
from tangermeme_gia.models.loading import load_model
from tangermeme_gia.models.weights import hyper_parameters

NETS = """
import torch


class Lit(torch.nn.Module):
    def __init__(self, width, bias=True):
        super().__init__()
        self.model = torch.nn.Conv1d(4, width, 3, bias=bias)

    def forward(self, X):
        return self.model(X).sum(dim=2)


class Any(torch.nn.Linear):
    def __init__(self, **kwargs):
        super().__init__(2, kwargs["width"])


def build():
    return torch.nn.Linear(4, 1)


class Plain(torch.nn.Linear):
    def __init__(self):
        super().__init__(4, 1)
"""
LINEAR = {"weight": torch.ones(1, 4), "bias": torch.zeros(1)}


@pytest.fixture
def nets(here):
    (here / "nets.py").write_text(NETS)
    return here


def save(state, path, prefix=""):
    torch.save({f"{prefix}{name}": value for name, value in state.items()}, path)


@pytest.mark.parametrize(
    "prefix",
    ["module.", "_orig_mod.", "model.", "_orig_mod.module.", "model._orig_mod."],
)
@pytest.mark.parametrize("is_inside", [False, True])
def test_what_wrappers_put_before_names_is_taken_off(nets, prefix, is_inside, caplog):
    caplog.set_level("INFO")
    state = {f"{prefix}{name}": value for name, value in LINEAR.items()}
    torch.save({"state_dict": state} if is_inside else state, "w.pt")
    model = load_model("nets.py:build", nets / "w.pt").model
    assert model.weight.tolist() == [[1.0] * 4]
    assert f"`{prefix}` is taken off the names of the weights" in caplog.text
    assert len(caplog.records) == 1


def test_names_that_fit_stay_and_others_are_refused(nets, caplog):
    caplog.set_level("INFO")
    lit = {"model.weight": torch.ones(2, 4, 3), "model.bias": torch.zeros(2)}
    torch.save({"state_dict": lit, "hyper_parameters": {"width": 2}}, "lit.ckpt")
    assert load_model("nets.py:Lit", nets / "lit.ckpt").model.model.weight.sum() == 24
    save(LINEAR, "other.pt", "net.")
    with pytest.raises(ValueError, match=r"does not fit the model: .*net\.weight"):
        load_model("nets.py:build", nets / "other.pt")
    # Of a common prefix and one name without it none is taken off.
    torch.save({"module.weight": LINEAR["weight"], "loss": torch.ones(1)}, "two.pt")
    with pytest.raises(ValueError, match=r"does not fit the model: .*module\.weight"):
        load_model("nets.py:build", nets / "two.pt")
    assert not caplog.records


def test_a_class_is_called_as_its_lightning_checkpoint_says(nets):
    lit = {"model.weight": torch.ones(5, 4, 3)}
    given = {"width": 5, "bias": False, "lr": 0.1}
    torch.save({"state_dict": lit, "hyper_parameters": given}, "lit.ckpt")
    model = load_model("nets.py:Lit", nets / "lit.ckpt").model
    assert model.model.weight.shape == (5, 4, 3)
    assert model.model.bias is None
    # Functions and classes that take nothing are called without.
    torch.save({"state_dict": LINEAR, "hyper_parameters": given}, "plain.ckpt")
    for name in ("build", "Plain"):
        assert (
            load_model(f"nets.py:{name}", nets / "plain.ckpt").model.weight.sum() == 4
        )
    wrong = {"state_dict": lit, "hyper_parameters": {"bias": False}}
    torch.save(wrong, "wrong.ckpt")
    with pytest.raises(ValueError, match=r"missing 1 .*It is called with those of"):
        load_model("nets.py:Lit", nets / "wrong.ckpt")
    state = {"weight": torch.ones(3, 2), "bias": torch.ones(3)}
    torch.save({"state_dict": state, "hyper_parameters": {"width": 3}}, "any.ckpt")
    assert load_model("nets.py:Any", nets / "any.ckpt").model.weight.shape == (3, 2)
    assert hyper_parameters({"hyper_parameters": 3}, torch.nn.Linear) == {}


def test_commands_log_the_line(nets, caplog):
    caplog.set_level("INFO", logger="tangermeme_gia")
    (nets / "conv.py").write_text(
        NETS.replace("width, bias=True", "width=1, bias=True")
    )
    conv = {"weight": torch.ones(1, 4, 3), "bias": torch.zeros(1)}
    save(conv, "w.pt", "module.model.")
    words = ["--model", "conv.py:Lit", "--weights", "w.pt", "--length", "20"]
    assert main(["global-importance", *words, "--patterns", "ACG", "--n", "3"]) == 0
    assert "w.pt: `module.` is taken off the names of the weights" in caplog.text


def test_damage_that_torch_would_not_notice_is_named(nets):
    torch.save({"weight": torch.arange(4.0)[None], "bias": torch.zeros(1)}, "w.pt")
    load_model("nets.py:build", nets / "w.pt")
    data = bytearray((nets / "w.pt").read_bytes())
    data[data.index(torch.arange(4.0).numpy().tobytes()) + 8] ^= 1
    (nets / "w.pt").write_bytes(data)
    with pytest.raises(ValueError, match=r"w.pt cannot be read: .* file is damaged"):
        load_model("nets.py:build", nets / "w.pt")
