"""Any installed package may offer models by an entry point."""

from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest
import torch

from tangermeme_gia.cli.options import read_inputs
from tangermeme_gia.models import providers
from tangermeme_gia.models.loading import load_model
from tangermeme_gia.models.providers import ModelSource, bundled_models, find_provider


def source(spec: str) -> ModelSource:
    return ModelSource(
        spec,
        torch.nn.Flatten(0),
        alphabet=("A", "C"),
        length=3,
        profile=torch.full((2, 3), 0.5),
        output="log counts",
        outputs=("K562", "HepG2"),
        origin={"model": f"zoo: {spec}"},
    )


ZOO = SimpleNamespace(
    names=lambda: ("panda", "koala"),
    reads=lambda path: path.endswith(".zoo"),
    load=source,
)


@pytest.fixture
def installed(monkeypatch):
    """What the entry points of the group name; at first one zoo."""
    found = [ZOO]

    def entry_points(*, group):
        assert group == "tangermeme_gia.models"
        return [
            EntryPoint(f"zoo{i}", f"{__name__}:found", group) for i in range(len(found))
        ]

    monkeypatch.setattr(providers, "entry_points", entry_points)
    monkeypatch.setattr(EntryPoint, "load", lambda self: found[int(self.name[3:])])
    return found


def test_models_of_another_package_are_found(installed):
    assert bundled_models() == ("panda", "koala")
    assert find_provider("koala") is ZOO
    assert find_provider("tiger") is None
    assert load_model("koala").origin == {"model": "zoo: koala"}
    with pytest.raises(ValueError, match=r"is none of .*; bundled are panda, koala"):
        load_model("tiger")


def test_files_of_another_package_are_read_if_they_are_there(installed, here):
    (here / "tiger.zoo").touch()
    assert load_model("tiger.zoo").name == "tiger.zoo"
    with pytest.raises(ValueError, match=r"`--model`='lion\.zoo' is none of"):
        load_model("lion.zoo")


def test_what_the_package_says_of_a_model_reaches_the_command(installed):
    inputs = read_inputs("panda", target=1)
    assert (inputs.name, inputs.alphabet, inputs.length) == ("panda", ("A", "C"), 3)
    assert inputs.profile.sum() == 3
    assert inputs.output == "log counts (HepG2)"
    assert inputs.origin["model"] == "zoo: panda"


def test_no_package_needs_to_be_there(installed):
    installed.clear()
    assert bundled_models() == ()
    with pytest.raises(ValueError, match="bundled are none"):
        load_model("panda")


def test_a_name_that_two_packages_offer_is_none_of_them(installed):
    installed.append(ZOO)
    with pytest.raises(ValueError, match="'panda' is a model of 2 packages"):
        load_model("panda")
