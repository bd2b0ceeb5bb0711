"""Files of TorchScript and torch.export give what the model that was saved gives."""

import pickle
import sys
import types
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from tangermeme.predict import predict
from tangermeme.saturation_mutagenesis import saturation_mutagenesis
from tangermeme.utils import random_one_hot

import tangermeme_gia as gia
from tangermeme_gia._core.identity import model_checksum
from tangermeme_gia.models.files import Exported, Onnx, in_groups, kind_of_file
from tangermeme_gia.models.loading import check_model, load_model

X = random_one_hot((7, 4, 24), random_state=0)
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")


class Net(torch.nn.Module):
    """Every base adds its weight; dropout, so that modes make a difference."""

    def __init__(self, scale=1.0):
        super().__init__()
        weights = scale * torch.arange(96.0).reshape(4, 24)
        self.weights = torch.nn.Parameter(weights)
        self.dropout = torch.nn.Dropout(0.5)

    def forward(self, X):
        return self.dropout((X * self.weights).sum(dim=(1, 2)))[:, None]


EXPECTED = (X * Net().weights.detach()).sum(dim=(1, 2)).tolist()


def save_script(path, scale=1.0):
    torch.jit.save(torch.jit.script(Net(scale).eval()), path)


def save_export(path, scale=1.0, n=None, model=None):
    shapes = None if n else ({0: torch.export.Dim("n")},)
    example = (torch.zeros(n or 2, 4, 24),)
    net = Net(scale) if model is None else model
    program = torch.export.export(net.eval(), example, dynamic_shapes=shapes)
    torch.export.save(program, path)


@pytest.mark.parametrize(
    ("save", "name", "kind"),
    [
        (save_script, "net.pt", "TorchScript"),
        (save_script, "net.ts", "TorchScript"),
        (save_export, "net.pt2", "torch.export"),
        (save_export, "net.bin", "torch.export"),
    ],
)
def test_a_file_is_known_by_what_it_holds(here, save, name, kind):
    save(name)
    assert kind_of_file(name) == kind
    source = load_model(name)
    assert (source.name, source.origin) == ("net", {"model": name})
    assert predict(source.model, X)[:, 0].tolist() == EXPECTED
    result = gia.global_importance(source.model, X, [("ACG", 3)])
    placed = gia.place(X, [("ACG", 3)])
    effect = (placed * Net().weights.detach()).sum(dim=(1, 2)) - torch.tensor(EXPECTED)
    assert result.local_importance.flatten().tolist() == effect.tolist()
    found = saturation_mutagenesis(source.model, X.float())
    torch.testing.assert_close(found, saturation_mutagenesis(Net().eval(), X.float()))
    with pytest.raises(ValueError, match="`--weights` belongs to a model given as"):
        load_model(name, Path("w.pt"))


def test_files_of_other_weights_are_other_models(here):
    for save in (save_script, save_export):
        save("one.bin")
        save("two.bin", scale=2.0)
        one, again, two = (load_model(f"{n}.bin").model for n in ("one", "one", "two"))
        assert model_checksum(one) == model_checksum(again) != model_checksum(two)


class Squares(Net):
    def forward(self, X):
        return super().forward(X) ** 2


def test_programs_of_other_code_are_other_models(here):
    save_export("one.pt2")
    save_export("two.pt2", model=Squares())
    assert (
        len({model_checksum(load_model(f"{n}.pt2").model) for n in ("one", "two")}) == 2
    )


def test_a_program_stays_in_the_mode_it_was_exported_in(here):
    save_export("net.pt2")
    model = Exported(Path("net.pt2"))
    assert model.train().training
    assert model(X.float())[:, 0].tolist() == EXPECTED
    assert not model.eval().training


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_program_for_so_many_sequences_takes_any_number(here, n):
    save_export("net.pt2", n=n)
    model = load_model("net.pt2").model
    for rows in (1, 2, 5, 7):
        assert model(X[:rows].float())[:, 0].tolist() == EXPECTED[:rows]


def test_groups_are_joined_whatever_is_given():
    two = [torch.arange(5), torch.arange(5) + 10]
    tensor = in_groups(lambda a, b: a + b, two, 3)
    heads = in_groups(lambda a, b: (a, {"b": b}, None), two, 3)
    assert tensor.tolist() == [10, 12, 14, 16, 18]
    assert heads[0].tolist() == [0, 1, 2, 3, 4]
    assert heads[1]["b"].tolist() == [10, 11, 12, 13, 14]
    assert heads[2] is None


class Runs:
    """What would run if a file of it were read as pickle."""

    def __reduce__(self):
        return Path.touch, (Path("ran"),)


def test_files_that_bring_code_along_are_refused(here):
    torch.save(torch.nn.Linear(2, 2), "whole.pt")
    torch.save(torch.nn.Linear(2, 2).state_dict(), "weights.pt")
    for name in ("whole.pt", "weights.pt"):
        with pytest.raises(
            ValueError, match=r"is a file of `torch.save`: weights, or a"
        ):
            load_model(name)
    # torch.export reads its example inputs as pickle where they are no plain tensors.
    save_export("net.pt2")
    torch.save(Runs(), "runs.pt")
    with zipfile.ZipFile("net.pt2") as old, zipfile.ZipFile("evil.pt2", "w") as new:
        for name in old.namelist():
            is_inputs = "sample_inputs" in name
            content = Path("runs.pt").read_bytes() if is_inputs else old.read(name)
            new.writestr(name, content)
    with pytest.raises(ValueError, match="cannot be read as a file of torch"):
        load_model("evil.pt2")
    assert not Path("ran").exists()


def test_files_of_no_kind_are_named(here):
    Path("text.pt").write_text("nothing")
    with pytest.raises(ValueError, match="is no file of TorchScript, torch"):
        check_model("text.pt")


@pytest.mark.parametrize("save", [save_script, save_export])
def test_damage_that_torch_would_not_notice_is_named(here, save):
    save("net.pt")
    load_model("net.pt")
    data = bytearray(Path("net.pt").read_bytes())
    data[data.index(Net().weights.detach().numpy().tobytes()) + 40] ^= 1
    Path("net.pt").write_bytes(data)
    with pytest.raises(
        ValueError, match=r"net.pt cannot be read.* the file is damaged"
    ):
        load_model("net.pt")


def test_archives_that_lack_a_part_are_named(here):
    save_script("net.pt")
    with zipfile.ZipFile("net.pt") as old, zipfile.ZipFile("less.pt", "w") as new:
        for name in old.namelist():
            if not name.endswith("data.pkl"):
                new.writestr(name, old.read(name))
    with pytest.raises(ValueError, match=r"less.pt cannot be read as a file of Torch"):
        load_model("less.pt")


class Session:
    """A session of onnxruntime: what a model of two inputs would give."""

    def __init__(self, path, options=None, providers=()):
        assert Path(path).is_file()

    def get_inputs(self):
        value = types.SimpleNamespace
        return [
            value(name="X", type="tensor(float)", shape=["n", 24, 4]),
            value(name="cell", type="tensor(int64)", shape=["n"]),
        ]

    def get_outputs(self):
        return [types.SimpleNamespace(name=name) for name in ("sum", "cell")]

    def run(self, names, given):
        assert given["X"].dtype == np.float32
        assert given["cell"].dtype == np.int64
        return [given["X"].sum(axis=(1, 2)), given["cell"]]


def _options():
    return types.SimpleNamespace(intra_op_num_threads=0)


@pytest.fixture
def _runtime(monkeypatch):
    runtime = types.ModuleType("onnxruntime")
    runtime.InferenceSession = Session
    runtime.SessionOptions = _options
    runtime.get_available_providers = lambda: ["CPUExecutionProvider"]
    monkeypatch.setitem(sys.modules, "onnxruntime", runtime)


@pytest.mark.usefixtures("_runtime")
def test_an_onnx_model_is_given_arrays_of_its_types(here):
    Path("net.onnx").write_bytes(b"one")
    source = load_model("net.onnx")
    model = gia.adapt(source.model, "channels_last", args=[torch.tensor(3)])
    y = model(X.float())
    assert y["sum"].tolist() == [24.0] * 7
    assert y["cell"].tolist() == [3] * 7
    assert pickle.loads(pickle.dumps(source.model)).names == ["X", "cell"]
    with pytest.raises(TypeError, match="has no gradients, so that `deep_lift_shap`"):
        model(X.float().requires_grad_())
    with pytest.raises(TypeError, match=r"takes 2 inputs \(X, cell\), not 1; those"):
        source.model(X)
    Path("two.onnx").write_bytes(b"two")
    assert model_checksum(source.model) != model_checksum(load_model("two.onnx").model)


def test_onnx_without_onnxruntime_is_told_what_to_install(here, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    Path("net.onnx").write_bytes(b"one")
    with pytest.raises(ImportError, match=r"pip install 'tangermeme-gia\[onnx\]'"):
        load_model("net.onnx")
    assert not issubclass(ImportError, ValueError)
    with pytest.raises(ImportError):
        Onnx(Path("net.onnx"))
