"""The models of ResidualBind as tangermeme-gia's commands get them."""

import subprocess
import sys

import pytest
import safetensors.torch
import torch
from tangermeme.predict import predict
from tangermeme.utils import random_one_hot
from torch.testing import assert_close

import residualbind
from residualbind.network import gia_models
from tangermeme_gia.models.loading import load_model
from tangermeme_gia.models.providers import bundled_models, find_provider


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_installed_package_offers_them():
    assert set(residualbind.pretrained_names()) <= set(bundled_models())
    assert find_provider("A1CF") is gia_models


def test_names_are_listed_without_torch():
    code = (
        "import sys; from residualbind.network import gia_models; "
        "print(gia_models.names(), 'torch' in sys.modules)"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert output.strip() == "('A1CF', 'ANKHD1') False"


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
    profile = torch.full((4, 30), 0.25)
    residualbind.save(
        model, here / "mine.safetensors", experiments=("P1", "P2"), profile=profile
    )
    source = load_model("mine.safetensors")
    assert (source.name, source.length) == ("mine", 30)
    assert torch.equal(source.profile, profile)
    assert source.output == "predicted binding score"
    assert source.outputs == ("P1", "P2")
    probes = random_one_hot((5, 4, 30), random_state=0)
    assert_close(predict(source.model, probes), predict(model, probes))


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


def test_scores_in_another_scale_say_so():
    (output,) = load_model("A1CF").outputs
    assert output == "RNCMPT00001, as transformed for training"


def test_files_of_others_are_not_read(here):
    safetensors.torch.save_file({"w": torch.zeros(2)}, here / "other.safetensors")
    (here / "text.safetensors").write_text("nothing")
    for name in ("other.safetensors", "text.safetensors"):
        with pytest.raises(
            ValueError, match=f"{name}. is no file of .*installed package"
        ):
            load_model(name)


def test_a_damaged_file_says_what_is_wrong(here):
    safetensors.torch.save_file(
        {"w": torch.zeros(2)}, here / "newer.safetensors", {"format": "residualbind"}
    )
    with pytest.raises(ValueError, match=r"newer\.safetensors.*format version"):
        load_model("newer.safetensors")
