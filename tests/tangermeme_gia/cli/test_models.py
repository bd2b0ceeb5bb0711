import sys

import pytest
import safetensors.torch
import torch
from tangermeme.predict import predict
from tangermeme.utils import random_one_hot
from torch.testing import assert_close

import residualbind
from tangermeme_gia.cli.models import load_model
from tangermeme_gia.report import OutputError

X = random_one_hot((5, 4, 24), random_state=0)


def test_a_bundled_model_brings_alphabet_length_and_profile():
    source = load_model("ANKHD1")
    assert (source.name, source.alphabet, source.length) == (
        "ANKHD1",
        ("A", "C", "G", "U"),
        41,
    )
    assert torch.equal(source.profile, residualbind.load_profile("ANKHD1"))
    expected = residualbind.load_pretrained("ANKHD1")
    probes = random_one_hot((5, 4, 41), random_state=0)
    assert_close(predict(source.model, probes), predict(expected, probes))


def test_a_residualbind_file_is_read(here):
    config = residualbind.ResidualBindConfig(length=30, n_outputs=2)
    model = residualbind.ResidualBind(config).eval()
    residualbind.save(model, here / "mine.safetensors", experiments=("P1", "P2"))
    source = load_model("mine.safetensors", target=1)
    assert (source.name, source.length, source.profile) == ("mine", 30, None)
    assert source.output == "predicted binding score (P2)"
    probes = random_one_hot((5, 4, 30), random_state=0)
    assert_close(predict(source.model, probes), predict(model, probes)[:, 1:])


@pytest.mark.parametrize("channels", [6, 9])
def test_a_model_that_reads_structure_folds_its_sequences(here, channels):
    torch.manual_seed(0)
    config = residualbind.ResidualBindConfig(channels=channels)
    model = residualbind.ResidualBind(config).eval()
    residualbind.save(model, here / "folded.safetensors")
    source = load_model("folded.safetensors")
    probes = random_one_hot((5, 4, 41), random_state=0)
    kind = {6: "PU", 9: "PHIME"}[channels]
    profiles = residualbind.structure_profiles(probes, kind)
    expected = predict(model, torch.cat([probes.float(), profiles], dim=1))
    assert_close(predict(source.model, probes), expected)
    assert source.length == 41


def test_a_model_that_reads_structure_needs_vienna(here, monkeypatch):
    config = residualbind.ResidualBindConfig(channels=9)
    residualbind.save(residualbind.ResidualBind(config), here / "folded.safetensors")
    monkeypatch.setitem(sys.modules, "RNA", None)
    with pytest.raises(ImportError, match=r"tangermeme-gia\[vienna\]"):
        load_model("folded.safetensors")


@pytest.mark.parametrize("name", ["Additive", "ready"])
def test_code_in_this_folder_gives_a_class_a_function_or_a_model(toys, name):
    source = load_model(f"{toys}:{name}")
    own = getattr(sys.modules[toys], name)
    expected = own if isinstance(own, torch.nn.Module) else own()
    assert torch.equal(predict(source.model, X), predict(expected, X))
    assert (source.name, source.alphabet, source.length) == (name, None, None)
    assert source.origin["code"].endswith(f"{toys}.py")
    assert not source.model.training


def test_code_may_be_the_path_of_a_file(toys, here):
    folder = here / "models"
    folder.mkdir()
    moved = (here / f"{toys}.py").rename(folder / f"{toys}.py")
    source = load_model(f"models/{toys}.py:two", target=1)
    assert predict(source.model, X).shape == (5, 1)
    assert source.origin["code"] == str(moved)


def test_one_of_several_outputs_is_chosen(toys):
    whole = predict(load_model(f"{toys}:two").model.model, X)
    for target in (0, 1):
        chosen = load_model(f"{toys}:two", target=target).model
        assert torch.equal(predict(chosen, X)[:, 0], whole[:, target])
    with pytest.raises(OutputError, match="2 outputs; choose one of 0 to 1 with"):
        predict(load_model(f"{toys}:two").model, X)
    with pytest.raises(OutputError, match="`--target`=2, but the model has"):
        predict(load_model(f"{toys}:two", target=2).model, X)
    with pytest.raises(OutputError, match="a list of 2 for 5 sequences"):
        predict(load_model(f"{toys}:Many").model, X)


def test_what_a_model_raises_becomes_one_line(toys):
    model = load_model(f"{toys}:Additive").model
    with pytest.raises(OutputError, match=r"fails on sequences of shape \(5, 4, 20\)"):
        predict(model, X[..., :20])


@pytest.mark.parametrize("wrapped", [False, True])
@pytest.mark.parametrize("ending", ["pt", "safetensors"])
def test_weights_are_those_of_the_file(toys, here, ending, wrapped):
    load_model(f"{toys}:Additive")
    state = {"weights": torch.arange(96.0).reshape(1, 4, 24)}
    path = here / f"weights.{ending}"
    if ending == "pt":
        torch.save({"state_dict": state, "epoch": 3} if wrapped else state, path)
    else:
        safetensors.torch.save_file(state, path)
    source = load_model(f"{toys}:Additive", path)
    assert torch.equal(source.model.model.weights, state["weights"])
    assert source.origin["weights"] == str(path)


class _Unsafe:
    pass


def test_weights_that_do_not_fit_are_refused(toys, here):
    cases = {
        "other.pt": ({"weights": torch.zeros(1, 4, 9)}, "size mismatch for weights"),
        "names.pt": ({"bias": torch.zeros(1)}, "Missing key"),
        "tensor.pt": (torch.zeros(3), "holds a Tensor"),
        "object.pt": (_Unsafe(), "no state dict that can be read without running"),
    }
    for name, (state, message) in cases.items():
        torch.save(state, here / name)
        with pytest.raises(ValueError, match=message):
            load_model(f"{toys}:Additive", here / name)
    (here / "text.safetensors").write_text("nothing")
    (here / "text.pt").write_text("nothing")
    for name in ("text.safetensors", "text.pt"):
        with pytest.raises(ValueError, match=f"{name} (cannot be read|is no state)"):
            load_model(f"{toys}:Additive", here / name)
    with pytest.raises(FileNotFoundError, match=r"there is no file .*none\.pt"):
        load_model(f"{toys}:Additive", here / "none.pt")
    with pytest.raises(ValueError, match="`--weights` belongs to a model given as"):
        load_model("A1CF", here / "other.pt")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("RBFOX", "bundled are A1CF, ANKHD1"),
        ("none.safetensors", "none.safetensors"),
        ("none:build", "there is no module 'none', neither installed nor in this"),
        ("none.py:build", "there is no file none.py"),
        ("TOYS:build", "TOYS has no 'build'"),
        ("TOYS:", "TOYS has no ''"),
        (
            "TOYS:Needs",
            r"Needs\(\) fails: TypeError: .*missing 1 .* It is called without",
        ),
        ("TOYS:raises", r"raises\(\) fails: KeyError: 'weights' .*line 45\)"),
        ("TOYS:no_model", "gives a value of type int; it must give a torch.nn.Module"),
        ("TOYS:zero", "zero is of type int, neither a torch.nn.Module nor a function"),
        ("broken:build", r"importing broken fails: SyntaxError: .*broken.py"),
        ("needy:build", "importing needy fails: .*No module named 'not_installed'"),
    ],
)
def test_a_model_that_cannot_be_had_is_explained(toys, here, spec, message):
    (here / "broken.py").write_text("def build(:\n")
    (here / "needy.py").write_text("import not_installed\n")
    pattern = message.replace("TOYS", toys)
    with pytest.raises((ValueError, TypeError, OSError), match=pattern):
        load_model(spec.replace("TOYS", toys))


def test_another_safetensors_file_is_no_residualbind_model(here):
    safetensors.torch.save_file({"w": torch.zeros(2)}, here / "other.safetensors")
    with pytest.raises(ValueError, match=r"other\.safetensors"):
        load_model("other.safetensors")
