"""RNAcontext and RCK, with weights whose scores can be computed by hand."""

import pytest
import torch

import residualbind as rb
from residualbind.methods.kmers import letters_of
from residualbind.methods.rck import RCK, RNAcontext

A, C, G, U = range(4)
HAIRPIN = 1  # among the contexts
SURE = 30.0


def with_contexts(X: torch.Tensor) -> torch.Tensor:
    """All bases external, but the first three in a hairpin."""
    contexts = torch.zeros(len(X), 5, X.shape[2])
    contexts[:, 4, 3:] = 1
    contexts[:, HAIRPIN, :3] = 1
    return torch.cat([X, contexts], dim=1)


def words() -> RCK:
    """GC is bound for sure, nothing else is; the score is 1 + 2 * bound."""
    model = RCK(width=2)
    with torch.no_grad():
        model.motif.fill_(-SURE)
        model.motif[G * 4 + C] = SURE
        model.bias.zero_()
        model.scale.copy_(torch.tensor([2.0, 1.0]))
    return model


def matrix() -> RNAcontext:
    """The same as a matrix."""
    model = RNAcontext(width=2)
    with torch.no_grad():
        model.motif.fill_(-2 * SURE)
        model.motif[[G, C], [0, 1]] = SURE
        model.bias.zero_()
        model.scale.copy_(torch.tensor([2.0, 1.0]))
    return model


@pytest.mark.parametrize("make", [words, matrix])
def test_a_probe_is_bound_if_any_window_is(encoded, make):
    X = with_contexts(encoded("AGCAAAAA", "AGCAGCGC", "AAAAAAAA"))
    # Without a preference the structure's term is a half for each site.
    expected = [1 + 2 * 0.5, 1 + 2 * (1 - 0.5**3), 1]
    assert make()(X).flatten().tolist() == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("make", [words, matrix])
def test_a_site_is_bound_in_the_context_that_is_liked(encoded, make):
    model = make()
    with torch.no_grad():
        model.contexts[HAIRPIN] = 2 * SURE
        model.bias[1] = -SURE
    X = with_contexts(encoded("GCAAAA", "AAAAGC", "AAGCAA"))
    # Half of the last site is in the hairpin, which is a term of a half.
    expected = [3, 1, 1 + 2 * 0.5]
    assert model(X).flatten().tolist() == pytest.approx(expected, abs=1e-3)


def test_each_word_has_its_own_structure(encoded):
    model = words()
    with torch.no_grad():
        model.motif[A * 4 + A] = SURE
        model.bias[1] = -SURE
        model.contexts[HAIRPIN, G * 4 + C] = 2 * SURE
        model.contexts[4, A * 4 + A] = 2 * SURE
    X = with_contexts(encoded("GCUUUU", "UUUUGC", "AAUUUU", "UUUUAA"))
    assert model(X).flatten().tolist() == pytest.approx([3, 1, 1, 3], abs=1e-3)


@pytest.mark.parametrize("make", [words, matrix])
def test_windows_with_padding_or_n_are_not_bound(encoded, make):
    model = make()
    with torch.no_grad():
        model.motif.fill_(SURE)
    X = with_contexts(encoded("ANANANAN", length=12))
    assert model(X).item() == pytest.approx(1)


def test_letters_alone_need_no_structure(encoded):
    model = RCK(channels=4, width=2)
    with torch.no_grad():
        model.motif[G * 4 + C] = SURE
    assert model(encoded("AGCA")).item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("name", ["rck", "rnacontext"])
def test_the_planted_word_is_found(with_channels, name):
    fitted = rb.fit_method(name, with_channels(9), epochs=15)
    width = fitted.recipe.settings["width"]
    motif = fitted.model.motif
    if name == "rck":
        best = letters_of(int(motif.argmax()), width)
    else:
        best = motif.argmax(dim=0).tolist()
    found = "".join("ACGU"[i] for i in best)
    assert found in "UGCAUG" or "UGCAU" in found or "GCAUG" in found
    assert fitted.pearson > 0.8
