import pytest
import torch
from tangermeme.deep_lift_shap import deep_lift_shap
from tangermeme.ersatz import dinucleotide_shuffle, substitute
from tangermeme.marginalize import marginalize
from tangermeme.utils import one_hot_encode

from tangermeme_gia.experiments.importance import global_importance


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


class Convolution(torch.nn.Module):
    """Not linear, so that attributions depend on the references."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.filters = torch.nn.Conv1d(4, 3, 5, bias=False)
        self.relu = torch.nn.ReLU()
        weights = torch.randn(3, 4, 5, generator=generator)
        self.filters.weight = torch.nn.Parameter(weights)

    def forward(self, X):
        return self.relu(self.filters(X)).sum(dim=(1, 2))[:, None]


def with_references(model, X, args=None, **kwargs):
    return deep_lift_shap(model, X, references=args[0], **kwargs)


@pytest.mark.parametrize("func", [deep_lift_shap, with_references])
def test_seeded_attributions_do_not_depend_on_the_memory_limit(X, func):
    sets = [[("GACC", start)] for start in (2, 9, 17)]
    options = {"func": func, "additional_func_kwargs": {"n_shuffles": 3}}
    if func is deep_lift_shap:
        options["additional_func_kwargs"]["random_state"] = 0
    else:
        options["args"] = [dinucleotide_shuffle(X, n=3, random_state=0)]
    expected = global_importance(Convolution().double(), X, sets, **options)
    assert expected.local_importance.abs().mean() > 0.01
    for max_memory in (4000, 16_000):
        result = global_importance(
            Convolution().double(), X, sets, max_memory=max_memory, **options
        )
        torch.testing.assert_close(result.y_before, expected.y_before)
        torch.testing.assert_close(result.y_afters, expected.y_afters)


def test_the_same_references_before_and_after_leave_only_the_change(X, additive_model):
    # An additive model attributes weight times difference from the reference, so that
    # only the motif's attribution changes where the references do not.
    references = dinucleotide_shuffle(X, n=4, random_state=0)
    patterns = [("GACC", 2)]
    shared = global_importance(
        additive_model, X, patterns, func=with_references, args=[references]
    )
    change = shared.local_importance[:, 0]
    weights = additive_model.weights.detach()
    expected = (substitute(X, "GACC", start=2) - X) * weights
    torch.testing.assert_close(change.sum(dim=1), expected.sum(dim=1))
    seeded = {"n_shuffles": 4, "random_state": 0}
    own = global_importance(
        additive_model,
        X,
        patterns,
        func=deep_lift_shap,
        additional_func_kwargs=seeded,
    )
    assert own.local_importance[..., 6:].abs().mean() > 0.1


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        ([("GACC", 21)], "condition 0: `start`=21 with a 4-mer runs past"),
        ([[], [("GAXC", 2)]], "condition 1: .*'X' at position 2"),
        ([("GACC", 2), ("CC", 5)], "overlap at position 5"),
    ],
)
def test_wrong_patterns_are_named(X, additive_model, patterns, message):
    with pytest.raises(ValueError, match=message):
        global_importance(additive_model, X, patterns)
