import pytest
import torch
from tangermeme.predict import predict

from tangermeme_gia._core.patterns import place
from tangermeme_gia.experiments.interaction import factorial, pairwise_interaction

A, B, C = ("GACC", 1), ("CGAG", 9), ("AA", 16)


def arms(result) -> dict[str, torch.Tensor]:
    local = result.local_importance.unbind(1)
    return dict(zip(result.conditions["arm"], local, strict=True))


def test_an_additive_model_has_no_interaction(X, additive_model):
    effects = arms(pairwise_interaction(additive_model, X, A, B))
    assert torch.equal(effects["AB"] - effects["A"] - effects["B"], torch.zeros(10, 1))
    assert effects["A"].abs().max() > 0


def test_a_planted_epistasis_is_recovered(blank, motif_model):
    effects = arms(pairwise_interaction(motif_model, blank, A, B))
    assert effects["A"].tolist() == 5 * [[1, 1]]
    assert effects["B"].tolist() == 5 * [[2, 2]]
    assert (effects["AB"] - effects["A"] - effects["B"]).tolist() == 5 * [[5, 0]]


def test_the_table_names_what_is_there(X, additive_model):
    table = pairwise_interaction(additive_model, X, A, ("CGAG", None)).conditions
    assert table.to_dict("list") == {
        "arm": ["A", "B", "AB"],
        "A": [True, False, True],
        "B": [False, True, True],
        "patterns": ["GACC@1", "CGAG@10", "GACC@1 + CGAG@10"],
        "starts": [(1,), (10,), (1, 10)],
        "control": 3 * ["none"],
    }


def test_the_factorial_is_every_subset(X, motif_model):
    result = factorial(motif_model, X, [A, B, C])
    table = result.conditions
    assert table["arm"].tolist() == ["A", "B", "C", "AB", "AC", "BC", "ABC"]
    for i, row in table.iterrows():
        members = [p for p, name in zip([A, B, C], "ABC", strict=True) if row[name]]
        assert row["arm"] == "".join(name for name in "ABC" if row[name])
        expected = predict(motif_model, place(X, members))
        assert torch.equal(result.y_afters[:, i], expected)


def test_one_pattern_has_one_arm(X, additive_model):
    assert factorial(additive_model, X, [A]).conditions["arm"].tolist() == ["A"]


@pytest.mark.parametrize(
    ("patterns", "error", "message"),
    [
        ([], ValueError, "`patterns` has 0 patterns; allowed are 1 to 16"),
        (17 * [A], ValueError, "`patterns` has 17 patterns"),
        ([A, ("CGAG", 3)], ValueError, "condition 2: .*overlap at position 3"),
        ([A, ("CGAG", 22)], ValueError, "pattern B: `start`=22 with a 4-mer runs past"),
        ([[A, B]], TypeError, "is not a pattern"),
    ],
)
def test_wrong_patterns_are_named(X, additive_model, patterns, error, message):
    with pytest.raises(error, match=message):
        factorial(additive_model, X, patterns)
