import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch
from tangermeme.predict import predict
from tangermeme.utils import random_one_hot

from tangermeme_gia.models.loading import load_model

X = random_one_hot((5, 4, 24), random_state=0)


@pytest.mark.parametrize("name", ["Additive", "ready"])
def test_code_in_this_folder_gives_a_class_a_function_or_a_model(toys, name):
    source = load_model(f"{toys}:{name}")
    generator = torch.Generator().manual_seed(0)
    weights = torch.randint(-9, 10, (1, 4, 24), generator=generator)
    assert torch.equal(predict(source.model, X)[:, 0], (X * weights).sum(dim=(1, 2)))
    assert (source.name, source.alphabet, source.length) == (name, None, None)
    assert source.origin["code"].endswith(f"{toys}.py")
    assert not source.model.training


def test_code_may_be_the_path_of_a_file(toys, here):
    folder = here / "models"
    folder.mkdir()
    moved = (here / f"{toys}.py").rename(folder / f"{toys}.py")
    source = load_model(f"models/{toys}.py:two")
    assert predict(source.model, X).shape == (5, 2)
    assert source.origin["code"] == str(moved)


def test_code_may_state_the_letters_of_its_channels(here):
    text = "import torch\nmodel = torch.nn.Flatten()\nmodel.alphabet = {}\n"
    (here / "rna.py").write_text(text.format("'ACGU'"))
    assert load_model("rna.py:model").alphabet == ("A", "C", "G", "U")
    (here / "odd.py").write_text(text.format("4"))
    with pytest.raises(ValueError, match=r"'odd.py:model': `model.alphabet`=4 must"):
        load_model("odd.py:model")


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
    assert torch.equal(source.model.weights, state["weights"])
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


def test_weights_that_are_empty_or_a_folder_are_named(toys, here):
    (here / "folder.pt").mkdir()
    (here / "empty.pt").write_bytes(b"")
    for name in ("folder.pt", "empty.pt"):
        with pytest.raises(ValueError, match=f"`--weights`: .*{name} is empty, or no"):
            load_model(f"{toys}:Additive", here / name)


def test_weights_that_may_not_be_read_are_not_called_damaged(toys, here, monkeypatch):
    torch.save({}, here / "weights.pt")

    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(torch, "load", refuse)
    with pytest.raises(PermissionError, match="Permission denied"):
        load_model(f"{toys}:Additive", here / "weights.pt")


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
        ("TOYS:raises", r"raises\(\) fails: KeyError: 'weights' .*line 56\)"),
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


# Two folders, each with a model, what it imports at once, and what it imports later.
SCALED = """
import torch
from layers import SIZE
from parts.inner import SHIFT


class Net(torch.nn.Module):
    def forward(self, X):
        from later import POWER

        return SIZE * X.sum(dim=(1, 2)) ** POWER + SHIFT


def build():
    return Net()
"""


def write_model(folder, size, name="model"):
    (folder / "parts").mkdir(parents=True)
    (folder / f"{name}.py").write_text(SCALED)
    (folder / "layers.py").write_text(f"SIZE = {size}")
    (folder / "later.py").write_text(f"POWER = {size}")
    (folder / "parts" / "__init__.py").touch()
    (folder / "parts" / "inner.py").write_text(f"SHIFT = {100 * size}")


@pytest.mark.parametrize(
    "name", ["model", "queue", "statistics", "pandas", "safetensors"]
)
@pytest.mark.parametrize("order", ["ab", "ba"])
def test_files_of_one_name_are_models_of_their_own(here, name, order):
    expected = {"a": 1 * 24 + 100, "b": 2 * 24**2 + 200}
    for size, folder in enumerate("ab", start=1):
        write_model(here / folder, size, name)
    module = sys.modules.get(name)
    for folder in order:
        model = load_model(f"{folder}/{name}.py:build").model
        assert model(X.float()).tolist() == [expected[folder]] * 5
    # What is installed under these names is still that.
    assert sys.modules.get(name) is module
    assert type(model).__module__ in sys.modules


def test_a_module_of_the_current_folder_is_that_of_the_current_folder(
    here, monkeypatch
):
    for size, folder in enumerate(["a", "b"], start=1):
        write_model(here / folder, size, "queue")
        write_model(here / folder / "package", size)
        (here / folder / "package" / "__init__.py").touch()
        monkeypatch.chdir(here / folder)
        for spec in ("queue:build", "package.model:build"):
            model = load_model(spec).model
            assert model(X.float()).tolist() == [size * 24**size + 100 * size] * 5


def test_a_file_named_like_what_is_installed_does_not_hide_it(here, monkeypatch):
    (here / "installed").mkdir()
    (here / "installed" / "tools_of_all.py").write_text("SIZE = 5")
    monkeypatch.syspath_prepend(here / "installed")
    (here / "a").mkdir()
    (here / "a" / "uses.py").write_text("from tools_of_all import SIZE")
    (here / "a" / "tools_of_all.py").write_text(
        "import torch\nfrom uses import SIZE\nready = torch.nn.Linear(SIZE, 1)"
    )
    assert load_model("a/tools_of_all.py:ready").model.in_features == 5


def test_a_file_that_has_just_been_changed_is_read_again(here, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    # Bytecode is told from its source by its size and second.
    write_model(here, 1)
    for size in (1, 2, 3):
        (here / "layers.py").write_text(f"SIZE = {size}")
        model = load_model("model:build").model
        assert model(X.float()).tolist() == [size * 24 + 100] * 5
    assert not list(here.rglob("__pycache__"))


def test_a_folder_hides_neither_what_is_installed_nor_the_standard_library(here):
    (here / "json").mkdir()  # data, no package
    (here / "scipy").mkdir()
    Path("colorsys.py").write_text("raise ValueError('not this')")
    Path("model.py").write_text(
        "import colorsys, json, scipy, torch\n"
        "json.dumps, scipy.__version__, colorsys.rgb_to_hls\n"
        "ready = torch.nn.Identity()"
    )
    assert isinstance(load_model("model.py:ready").model, torch.nn.Identity)


def test_whole_models_are_unpickled_by_the_name_of_their_file(here):
    Path("nets.py").write_text("import torch\nclass Net(torch.nn.Identity):\n    pass")
    Path("model.py").write_text(
        "import torch\n"
        "def make():\n"
        "    import nets\n"
        "    torch.save(nets.Net(), 'whole.pt')\n"
        "    return nets.Net()\n"
        "def build():\n"
        "    return torch.load('whole.pt', weights_only=False)"
    )
    load_model("model.py:make")
    assert type(load_model("model.py:build").model).__name__ == "Net"
