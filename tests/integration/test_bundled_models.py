"""The bundled models are what their cards say, and prefer their motifs."""

import json
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from tangermeme.marginalize import marginalize

import residualbind
from residualbind.network.pretrained import (
    load_pretrained,
    load_profile,
    pretrained_metadata,
    pretrained_names,
)

ROOT = Path(__file__).parents[2]
# What the models bind, and a shuffle of each. ANKHD1's was chosen after its k-mer scan:
# it guards the shipped weights and is no independent evidence.
MOTIFS = {"A1CF": ("UAAUUA", "UUAAUA"), "ANKHD1": ("AGACGU", "GUAGCA")}
FOLDER = files("residualbind") / "pretrained"


def test_both_experiments_are_there():
    assert pretrained_names() == ("A1CF", "ANKHD1")


@pytest.mark.parametrize("name", pretrained_names())
def test_files_are_small_and_complete(name):
    assert len((FOLDER / f"{name}.safetensors").read_bytes()) <= 1_000_000
    metadata = pretrained_metadata(name)
    assert metadata.config == residualbind.ResidualBindConfig.released()
    assert metadata.transform.to_dict()["kind"] == "chain"
    provenance = metadata.provenance
    assert provenance["protein"] == name
    assert len(provenance["data_sha256"]) == 64
    card = (FOLDER / f"{name}.md").read_text()
    for key in ("experiment", "data_sha256", "split", "command"):
        assert str(provenance[key]) in card
    shipped = [line for line in card.splitlines() if "(shipped)" in line]
    assert len(shipped) == 1
    assert f"{provenance['valid_pearson']:.4f}" in shipped[0]


@pytest.mark.parametrize("name", pretrained_names())
def test_a_flipped_bit_of_a_bundled_model_is_found(name, tmp_path, monkeypatch):
    content = bytearray((FOLDER / f"{name}.safetensors").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / f"{name}.safetensors").write_bytes(content)
    monkeypatch.setattr("residualbind.network.pretrained._root", lambda: tmp_path)
    with pytest.raises(ValueError, match=f"{name}.safetensors.* is damaged"):
        load_pretrained(name)


@pytest.mark.parametrize("name", pretrained_names())
def test_the_shipped_seed_has_the_best_validation_pearson(name):
    rows = [
        line.split("|")
        for line in (FOLDER / f"{name}.md").read_text().splitlines()
        if line.startswith("| ") and line[2].isdigit()
    ]
    assert len(rows) == 3
    valid = {row[1].strip(): float(row[3]) for row in rows}
    assert "shipped" in max(valid, key=valid.get)


@pytest.mark.parametrize("name", pretrained_names())
def test_the_recorded_test_figures_are_those_of_a_good_model(name):
    records = pretrained_metadata(name).provenance["test"]
    for record in records:
        assert record["n"] == 30_000
        if record["metric"] == "pearson":
            assert record["low"] < record["value"] < record["high"]
            assert record["value"] > 0.7
    json.dumps(records)


@pytest.mark.parametrize("name", pretrained_names())
def test_the_profile_is_that_of_rnacompete_probes(name):
    profile = load_profile(name)
    assert profile.shape == (4, 41)
    totals = profile.sum(dim=0)
    # All probes hold the middle, few reach the ends.
    assert totals[10:30] == pytest.approx(1, abs=1e-5)
    assert totals[[0, -1]].max() < 0.1


@pytest.mark.parametrize("name", pretrained_names())
def test_the_known_motif_raises_the_score_more_than_its_shuffle(name):
    model, profile = load_pretrained(name), load_profile(name)
    assert not model.training
    motif, shuffled = MOTIFS[name]
    assert sorted(motif) == sorted(shuffled)
    generator = torch.Generator().manual_seed(0)
    columns = profile.T / profile.sum(dim=0)[:, None]
    letters = torch.multinomial(columns, 500, replacement=True, generator=generator)
    X = torch.nn.functional.one_hot(letters.T, 4).transpose(1, 2).to(torch.int8)
    effects = []
    for letters in (motif, shuffled):
        before, after = marginalize(
            model, X, letters, start=17, alphabet=["A", "C", "G", "U"], device="cpu"
        )
        effects.append((after - before).mean().item())
    assert effects[0] > 0.5
    assert effects[0] > 2 * effects[1]
