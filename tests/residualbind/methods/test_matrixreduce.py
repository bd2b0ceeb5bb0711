"""MATRIXReduce, with affinities whose sums can be computed by hand."""

import pytest
import torch

import residualbind as rb
from residualbind.methods.matrixreduce import MATRIXReduce

A, C, G, U = range(4)


def model_of_ga() -> MATRIXReduce:
    """G then A; another first letter has a tenth, another second one a fifth."""
    model = MATRIXReduce(width=2)
    affinities = torch.full((4, 2), 0.1)
    affinities[:, 1] = 0.2
    affinities[[G, A], [0, 1]] = 1
    with torch.no_grad():
        model.energies.copy_(affinities.log())
        model.scale.copy_(torch.tensor([10.0, 3.0]))
    return model


def test_affinities_of_all_places_add_up(encoded):
    # GACU: GA 1, AC 0.02, CU 0.02. UUUU: three times 0.02.
    scores = model_of_ga()(encoded("GACU", "UUUU")).flatten().tolist()
    assert scores == pytest.approx([10 * 1.04 + 3, 10 * 0.06 + 3], rel=1e-5)


def test_places_with_padding_or_n_count_nothing(encoded):
    model = model_of_ga()
    assert model(encoded("GANGA", length=9)).item() == pytest.approx(10 * 2 + 3)


def test_the_best_letter_has_the_affinity_one():
    model = model_of_ga()
    with torch.no_grad():
        model.energies.add_(2)
    expected = torch.tensor([[0.1, 1], [0.1, 0.2], [1, 0.2], [0.1, 0.2]])
    torch.testing.assert_close(model.affinities, expected)


def test_the_planted_motif_is_found(prepared):
    fitted = rb.fit_method("matrixreduce", prepared, epochs=30)
    affinities = fitted.model.affinities
    letters = "".join("ACGU"[i] for i in affinities.argmax(dim=0))
    assert letters[1:-1] == "UGCAUG"
    # The best other letter within the motif, and the worst one in the flanks.
    assert affinities[:, 1:-1].topk(2, dim=0).values[1].max() < 0.3
    assert affinities[:, [0, -1]].min() > 0.5
    assert fitted.pearson > 0.9
