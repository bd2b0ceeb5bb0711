"""The search for settings, with scores that are known."""

import builtins
import sys

import pytest
import torch

import residualbind as rb
from residualbind.data.copies import first_copies
from residualbind.methods.recipes import Recipe, log_uniform, one_of
from residualbind.methods.search import folds_of, search

DRAWN = Recipe(lr=0.1, space={"lr": log_uniform(0.01, 1.0)})
LISTED = Recipe(
    batch_size=20,
    epochs=2,
    space={"batch_size": one_of(10, 20, 30), "epochs": one_of(1, 2)},
)


def tried(recipe, n, seed=0, score=lambda r: 0.0):
    seen = []

    def note(candidate, i):
        assert i == len(seen)
        seen.append(candidate)
        return score(candidate)

    return search(recipe, n, note, seed), seen


def test_the_first_trial_is_the_recipe_as_it_is():
    best, seen = tried(DRAWN, 4)
    assert seen[0] == DRAWN
    assert best == DRAWN  # of equal ones the first
    rates = [recipe.lr for recipe in seen]
    assert len(set(rates)) == 4
    assert all(0.01 <= rate <= 1 for rate in rates)


def test_the_highest_score_wins_and_undefined_ones_never():
    def score(recipe):
        return float("nan") if recipe == LISTED else -recipe.batch_size + recipe.epochs

    best, _ = tried(LISTED, 6, score=score)
    assert (best.batch_size, best.epochs) == (10, 2)
    best, _ = tried(LISTED, 6, score=lambda recipe: float("nan"))
    assert best == LISTED


def test_a_space_with_an_end_is_gone_through_without_repeats():
    _, seen = tried(LISTED, 100)
    assert len(seen) == 6
    assert len({(r.batch_size, r.epochs) for r in seen}) == 6
    _, seen = tried(LISTED, 4)
    assert len({(r.batch_size, r.epochs) for r in seen}) == 4


@pytest.mark.parametrize("recipe", [DRAWN, LISTED])
def test_a_seed_repeats_the_trials(recipe):
    assert tried(recipe, 5)[1] == tried(recipe, 5)[1]
    assert tried(recipe, 5)[1] != tried(recipe, 5, seed=1)[1]


def test_folds_hold_out_every_probe_once_and_copies_together():
    sequences = list(rb.simulate_rnacompete(40).sequences)
    X = rb.encode_sequences(sequences + sequences[:20])
    held_out = []
    for rows, out in folds_of(X, 3, 0):
        assert not set(rows.tolist()) & set(out.tolist())
        assert len(rows) + len(out) == 60
        groups = first_copies(X)
        assert not set(groups[rows]) & set(groups[out])
        held_out.append(out)
    assert torch.cat(held_out).sort().values.tolist() == list(range(60))
    assert max(map(len, held_out)) < 30


def test_optuna_says_nothing_and_speaks_as_before(capfd):
    import optuna

    before = optuna.logging.get_verbosity()
    tried(DRAWN, 2)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr() == ("", "")


def test_without_optuna_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"tangermeme-gia\[search\].*`trials=0`"):
        tried(DRAWN, 1)


def test_optuna_is_imported_when_it_is_used(monkeypatch):
    real = builtins.__import__

    def no_optuna(name, *given, **options):
        assert not name.startswith("optuna")
        return real(name, *given, **options)

    monkeypatch.setattr(builtins, "__import__", no_optuna)
    data = rb.prepare(rb.simulate_rnacompete(100).data)
    rb.fit_method("deepbind-1", data, trials=0, epochs=1)
