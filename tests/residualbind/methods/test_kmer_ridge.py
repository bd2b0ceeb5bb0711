"""Ridge regression on words, against numpy."""

import numpy as np
import pytest
import torch

import residualbind as rb
from residualbind.methods.kmer_ridge import KmerRidge, fit
from residualbind.methods.kmers import kmer_counts
from residualbind.methods.recipes import Problem
from residualbind.methods.registry import get_method

A, C, G, U = range(4)


def test_the_score_is_the_sum_over_words(encoded):
    model = KmerRidge(k=2)
    with torch.no_grad():
        model.intercept.fill_(5)
        model.words[0][A] = 1
        model.words[1][G * 4 + C] = 10
    scores = model(encoded("AGCAGC", "ANGNC", "UUU", length=8)).flatten().tolist()
    assert scores == pytest.approx([5 + 2 + 20, 6, 5])


def test_weights_are_those_of_the_normal_equations(prepared):
    recipe = get_method("kmer-ridge").recipe.chosen({"settings.k": 2})
    parts = [(part.X, part.y) for part in prepared[:2]]
    outcome = fit(recipe, Problem(*parts, 0))
    (X, y), alpha = parts[0], outcome.recipe.settings["alpha"]
    counts = np.hstack([kmer_counts(X, k).toarray() for k in (1, 2)]).astype(float)
    centred, target = counts - counts.mean(axis=0), y.double().numpy().ravel()
    penalised = centred.T @ centred + alpha * np.eye(20)
    weights = np.linalg.solve(penalised, centred.T @ (target - target.mean()))
    found = torch.cat(list(outcome.model.words)).detach().numpy()
    np.testing.assert_allclose(found, weights, atol=2e-3 * np.abs(weights).max())


def test_the_planted_word_weighs_most(prepared):
    fitted = rb.fit_method("kmer-ridge", prepared)
    best = int(fitted.model.words[5].argmax())
    assert "".join("ACGU"[best // 4**i % 4] for i in range(5, -1, -1)) == "UGCAUG"
    assert fitted.pearson > 0.8
    assert fitted.n_parameters == sum(4**k for k in range(1, 7)) + 1
