import pytest
import torch
from tangermeme.ersatz import substitute
from tangermeme.predict import predict

from tangermeme_gia.experiments.importance import global_importance
from tangermeme_gia.experiments.sites import multi_site


def test_sites_fill_in_the_given_order(X, additive_model):
    result = multi_site(additive_model, X, "GACC", [12, 2, 18])
    assert result.conditions["n_sites"].tolist() == [1, 2, 3]
    assert result.conditions["starts"].tolist() == [(12,), (12, 2), (12, 2, 18)]
    assert set(result.conditions["motif"]) == {"GACC"}
    treated = X
    for i, start in enumerate([12, 2, 18]):
        treated = substitute(treated, "GACC", start=start)
        assert torch.equal(result.y_afters[:, i], predict(additive_model, treated))


def test_equal_copies_add_up_to_a_straight_line(blank, motif_model):
    effects = multi_site(motif_model, blank, "GACC", [0, 8, 16]).global_importance
    assert effects[:, 0].tolist() == [1, 2, 3]


def test_one_site_is_global_importance(X, additive_model):
    one = multi_site(additive_model, X, "GACC", [None])
    assert one.conditions["starts"].tolist() == [(10,)]
    other = global_importance(additive_model, X, [("GACC", None)])
    assert torch.equal(one.y_afters, other.y_afters)


def test_controls_stand_at_the_same_sites(X, additive_model):
    result = multi_site(additive_model, X, "GACC", [0, 8], n_controls=2, random_state=0)
    controls = result.conditions["control"]
    assert controls.tolist() == [
        name
        for name in ["none", "random 1", "random 2", "shuffled 1", "shuffled 2"]
        for _ in range(2)
    ]
    assert result.conditions["starts"].tolist() == 5 * [(0,), (0, 8)]


@pytest.mark.parametrize(
    ("starts", "message"),
    [
        ([2, 12, 14], "condition 2: .*`start`=12 and .*`start`=14 overlap"),
        ([2, 21], "condition 1: `start`=21 with a 4-mer runs past .* is 20"),
        ([-1], "condition 0: `start`=-1 is before the first base"),
        ([], "`starts` is empty"),
    ],
)
def test_wrong_starts_are_named(X, additive_model, starts, message):
    with pytest.raises(ValueError, match=message):
        multi_site(additive_model, X, "GACC", starts)
