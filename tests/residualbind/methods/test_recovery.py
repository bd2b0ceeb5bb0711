"""What a method has learned of a simulated protein is what the protein binds."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import residualbind as rb
from residualbind.methods.inputs import as_channels
from residualbind.methods.registry import METHODS

MOTIF = "UGCAUG"
# Epochs (iterations) in which a recipe learns from few probes.
EPOCHS = {
    "residualbind": 8,
    "deepbind-1": 12,
    "deepbind-2": 12,
    "dlprb-cnn": 12,
    "dlprb-rnn": 12,
    "cdeepbind-cnn": 15,
    "cdeepbind-rnn": 20,
    "thermonet": 6,
    "rck": 10,
    "rnacontext": 10,
    "matrixreduce": 10,
    "kmer-ridge": 1,
}
# Of recipes that are made for a hundred times as many probes.
QUICKER = {
    "dlprb-rnn": {"lr": 0.005, "batch_size": 32},
    "cdeepbind-cnn": {"lr": 0.01},
    "cdeepbind-rnn": {"batch_size": 32},
}


def rank_of_the_motif(fitted: rb.Fitted, X: torch.Tensor) -> int:
    """How many of 40 random words have as large a mean effect as the planted one."""
    X = X[:60, :4].to(torch.int8)
    rng = np.random.default_rng(0)
    words = ["".join(rng.choice(list("ACGU"), 6)) for _ in range(40)]
    effects = []
    for word in (MOTIF, *words):
        placed = X.clone()
        placed[:, :, 17:23] = rb.encode_sequences([word], None)
        effects.append(fitted.predict(placed, n_jobs=1).mean().item())
    return sum(effect >= effects[0] for effect in effects[1:])


@pytest.mark.parametrize("name", METHODS)
def test_the_planted_motif_is_what_raises_the_score(name, with_channels, monkeypatch):
    method = METHODS[name]
    quicker = method.recipe.chosen(QUICKER.get(name, {}))
    monkeypatch.setitem(METHODS, name, replace(method, recipe=quicker))
    # Sequence alone where that is allowed: folding takes longer than all the rest.
    channels = 4 if 4 in method.channels else method.channels[0]
    data = with_channels(channels)
    options = {"channels": channels, "trials": 0, "epochs": EPOCHS[name]}
    fitted = rb.fit_method(name, data, device="cpu", **options)
    assert rb.pearson(data.test.y, fitted.predict(data.test.X))[0] > 0.5
    assert rank_of_the_motif(fitted, data.test.X) == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_the_recipe_of_the_authors_learns_the_motif(name):
    """From 5,400 probes, and with what it reads; a recipe is made for 108,000."""
    truth = rb.Truth(MOTIF, loop_preference=0, stem_penalty=0)
    simulated = rb.simulate_rnacompete(12_000, truth, random_state=1)
    data = rb.prepare(simulated.data, drop_duplicates=True)
    fitted = rb.fit_method(name, data, trials=0, epochs=20, device="cpu")
    test = data.test.subset(range(1500))
    assert rb.pearson(test.y, fitted.predict(test.X))[0] > 0.6
    assert rank_of_the_motif(fitted, test.X) == 0


def test_a_preference_for_loops_is_seen_by_those_that_read_structure():
    """A site counts only in a loop, of stems that do not recur."""
    truth = rb.Truth("UGCAUG", motif_effect=0, loop_preference=8, stem_penalty=0)
    simulated = rb.simulate_rnacompete(
        2400, truth, hairpin_fraction=0.8, stems=["NNNNNNNN"], copies=(0.5, 0.5)
    )
    data = rb.prepare(simulated.data, transform="zscore")
    parts = [
        replace(part, X=as_channels(part.X, 9, n_jobs=1).float()) for part in data[:3]
    ]
    data = data._replace(train=parts[0], valid=parts[1], test=parts[2])
    scores = {}
    for channels in (4, 9):
        fitted = rb.fit_method("rnacontext", data, channels=channels, epochs=25)
        predicted = fitted.predict(data.test.X)
        scores[channels] = rb.pearson(data.test.y, predicted)[0]
    contexts = fitted.model.contexts.detach()
    assert scores[9] > scores[4] + 0.1
    assert contexts.argmax() == 1  # paired, hairpin, internal, multi, external
