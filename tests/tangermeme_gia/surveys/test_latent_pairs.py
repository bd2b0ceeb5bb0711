"""Which confirmed pairs interact: of models that know, and where nothing is asked."""

import re

import pandas as pd
import pytest
import torch
from tangermeme.utils import one_hot_encode, random_one_hot

import tangermeme_gia as gia
from tangermeme_gia.surveys.latent_pairs import confirming_rows, latent_pairs

A, B = "GATAACCT", "CACGTGAC"


class Model(torch.nn.Module):
    """Sites are worth a logit a letter beyond five; more for both 4 bases apart."""

    def __init__(self, readout=torch.exp, planted=0.0):
        super().__init__()
        self.words = torch.stack([one_hot_encode(w).float() for w in (A, B)])
        self.readout, self.planted = readout, planted

    def forward(self, X):
        hits = torch.nn.functional.conv1d(X.float(), self.words)
        a, b = torch.relu(hits - 4).unbind(dim=1)
        whole = (a[:, :-12] > 3.5) & (b[:, 12:] > 3.5)
        latent = 0.4 * (a + b).sum(dim=1) + self.planted * whole.any(dim=1)
        return self.readout(latent - 2)[:, None]


@pytest.fixture(scope="module")
def X():
    return random_one_hot((160, 4, 90), random_state=0).float()


def found(model, X, length=90, spacings=(3, 4, 5)):
    return gia.motif_grammar(
        model,
        X[:80, :, :length],
        {"A": A, "B": B},
        spacings,
        orientations=["++"],
        orders=[(0, 1)],
        random_state=0,
    )


def verdicts(model, X, spacings=(3, 4, 5)):
    grammar = found(model, X, spacings=spacings)
    table = latent_pairs(model, X[80:], grammar, random_state=0)
    named = ["a", "b"]
    assert table[named].equals(grammar.confirmed[named].reset_index(drop=True))
    return table.set_index(named)


def test_what_the_readout_joins_is_explained(X):
    table = verdicts(Model(), X)
    assert len(table) == 3  # on the output's scale all three multiply
    assert (table["raw_low"] > 0).all()
    assert table.loc[("A", "B"), "verdict"] == "explained by saturation"
    assert "survives" not in set(table["verdict"])
    assert (table["n"] == 80).all()


@pytest.mark.parametrize("readout", [torch.exp, torch.sigmoid])
def test_what_the_model_joins_survives(X, readout):
    row = verdicts(Model(readout, 0.6), X, [4]).loc[("A", "B")]
    assert row["verdict"] == "survives"
    assert row["spacing"] == 4
    assert row["latent_low"] > 0
    assert row["latent_high"] > 0.6 / 1.6  # a whole site is worth 1.6 at most


def test_where_the_mean_over_spacings_stands_the_strongest_is_placed(X):
    model = Model()
    grammar = found(model, X)
    pairs = grammar.pairs.assign(spacing=pd.NA)
    table = latent_pairs(model, X[80:], grammar._replace(pairs=pairs), random_state=0)
    assert table["spacing"].between(3, 5).all()
    assert "not asked" not in set(table["verdict"])


def test_without_room_for_a_third_a_pair_is_not_asked(X):
    model = Model()
    grammar = found(model, X, 24)
    table = latent_pairs(model, X[80:, :, :24], grammar, random_state=0)
    assert len(table) == len(grammar.confirmed) > 0
    assert set(table["verdict"]) == {"not asked"}
    assert table["reason"].str.contains("no room for a third element").all()
    assert table["latent"].isna().all()


def test_what_is_kept_is_not_written(X):
    """All three stand in the widest stretch that is free, not about the centre."""
    model, seen = Model(), []

    def asked(X):
        seen.append(X[:, :, 40:44])
        return model(X)

    grammar = found(model, X)
    keep = slice(40, 44)
    table = latent_pairs(asked, X[80:], grammar, random_state=0, keep=keep)
    assert "not asked" not in set(table["verdict"])
    given = {x.tobytes() for x in X[80:, :, 40:44].numpy()}
    assert {x.tobytes() for part in seen for x in part.float().numpy()} <= given


def test_too_few_letters_for_the_grades_are_said(X):
    def pair(X):
        both = (X[:, 0, :-1] * X[:, 1, 1:]).sum(dim=1)
        return both[:, None].float()

    grammar = gia.motif_grammar(
        pair, X[:80], ["A", "C"], [0, 1, 2], orientations=["++"], random_state=0
    )
    assert len(grammar.confirmed)
    table = latent_pairs(pair, X[80:], grammar, random_state=0)
    assert table["reason"].str.contains("'[AC]' has too few letters for 5 grades").all()


def test_without_confirmed_pairs_the_table_is_empty(X):
    grammar = found(lambda X: X[:, :1, 0].float(), X)
    table = latent_pairs(lambda X: X[:, :1, 0], X[80:], grammar)
    assert table.empty
    assert {"verdict", "latent_low", "n"} <= set(table)


def test_confirming_rows_are_those_that_confirmed(X):
    rows = confirming_rows(80, random_state=0)
    grammar = found(Model(), X)
    before = Model()(X[:80][rows]).flatten()
    mine = torch.as_tensor(grammar.interactions.y_before).flatten()
    torch.testing.assert_close(mine.float(), before, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"margin": 0}, "`margin`=0 must be above 0"),
        ({"confidence": 2}, "`confidence`=2"),
        ({"n_words": 0}, "`n_words`=0"),
        ({"n_levels": (5, 5)}, "must be 3 numbers"),
        ({"save_to": "raw"}, "`save_to` is for experiments that return a GIAResult"),
        ({"n_levels": 5}, "`n_levels`=5 must be 3 numbers"),
    ],
)
def test_options_out_of_range_are_named(X, options, message):
    model = Model()
    with pytest.raises(ValueError, match=re.escape(message)):
        latent_pairs(model, X[80:], found(model, X), random_state=0, **options)
