import pytest
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.marginalize import marginalize
from tangermeme.utils import one_hot_encode

from tangermeme_gia.importance import global_importance


@pytest.mark.parametrize("motif", ["GACC", "GNNC", one_hot_encode("GACC")[None]])
@pytest.mark.parametrize("start", [None, 0, 20])
def test_one_pattern_equals_tangermeme(padded, motif_model, motif, start):
    result = global_importance(motif_model, padded, [(motif, start)])
    y_before, y_after = marginalize(motif_model, padded, motif, start=start)
    assert torch.equal(result.y_before, y_before)
    assert torch.equal(result.y_afters[:, 0], y_after)


def test_the_effect_is_the_motifs_score_minus_the_backgrounds(X, additive_model):
    result = global_importance(additive_model, X, [("GAC", 5), ("T", 20)])
    w = additive_model.weights.detach()
    placed = w[2, 5] + w[0, 6] + w[1, 7] + w[3, 20]
    columns = [5, 6, 7, 20]
    background = (X[:, :, columns] * w[:, columns]).sum(dim=(1, 2))
    assert torch.equal(result.local_importance[:, 0, 0], placed - background)
    expected = (placed - background).mean()
    assert torch.equal(result.global_importance[0, 0], expected)


def test_a_ppm_gives_the_expected_effect(additive_model):
    ppm = torch.tensor([[0.5, 0.0], [0.0, 1.0], [0.5, 0.0], [0.0, 0.0]])
    X = one_hot_encode("T" * 24)[None].repeat(4000, 1, 1)
    frame = global_importance(additive_model, X, [(ppm, 3)], random_state=0).to_frame()
    w = additive_model.weights.detach()
    expected = (w[0, 3] + w[2, 3]) / 2 - w[3, 3] + w[1, 4] - w[3, 4]
    assert frame["low"][0] <= expected <= frame["high"][0]
    assert frame["se"][0] > 0


def test_several_sets_are_several_conditions(X, motif_model):
    sets = [[("GACC", 2)], [], [("GACC", 2), ("CGAG", None)]]
    result = global_importance(motif_model, X, sets)
    assert result.conditions.to_dict("list") == {
        "patterns": ["GACC@2", "", "GACC@2 + CGAG@centre"],
        "n_patterns": [1, 0, 2],
        "control": 3 * ["none"],
    }
    assert torch.equal(result.y_afters[:, 1], result.y_before)
    for i in (0, 2):
        alone = global_importance(motif_model, X, sets[i])
        assert torch.equal(result.y_afters[:, i], alone.y_afters[:, 0])


def test_any_tangermeme_function_may_be_asked(X):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(96, 1))
    seeded = {"n_shuffles": 1, "random_state": 0}
    result = global_importance(
        model, X, [("GACC", 2)], func=deep_lift_shap, additional_func_kwargs=seeded
    )
    y_before, y_after = marginalize(
        model, X, "GACC", start=2, func=deep_lift_shap, **seeded
    )
    assert torch.equal(result.y_before, y_before)
    assert torch.allclose(result.y_afters[:, 0], y_after, atol=1e-6)


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ([("GACC", 21)], "condition 0: `start`=21 with a 4-mer runs past"),
        ([[], [("GAUC", 2)]], "condition 1: .*'U' at position 2"),
        ([("GACC", 2), ("CC", 5)], "overlap at position 5"),
    ],
)
def test_wrong_patterns_are_named(X, additive_model, patterns, message):
    with pytest.raises(ValueError, match=message):
        global_importance(additive_model, X, patterns)
