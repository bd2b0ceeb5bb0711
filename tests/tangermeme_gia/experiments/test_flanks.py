import pytest
import torch
from tangermeme.ersatz import substitute
from tangermeme.predict import predict

from tangermeme_gia.experiments.flanks import gc_flank
from tangermeme_gia.experiments.importance import global_importance

ARMS = ["motif", "left", "right", "motif+left", "motif+right", "both"]


def effects(result) -> dict[str, torch.Tensor]:
    return dict(zip(result.conditions["arm"], result.y_afters.unbind(1), strict=True))


def test_the_six_arms_are_what_they_say(X, additive_model):
    result = gc_flank(additive_model, X, "ACAT", "GCG", "CC", start=9, left_start=2)
    assert result.conditions["arm"].tolist() == ARMS
    assert result.conditions["starts"].tolist() == [
        (9,),
        (2,),
        (22,),
        (2, 9),
        (9, 22),
        (2, 9, 22),
    ]
    starts = {"left": ("GCG", 2), "motif": ("ACAT", 9), "right": ("CC", 22)}
    for arm, after in effects(result).items():
        treated = X
        for name in starts if arm == "both" else arm.split("+"):
            motif, start = starts[name]
            treated = substitute(treated, motif, start=start)
        assert torch.equal(after, predict(additive_model, treated)), arm


def test_the_papers_layout_is_the_default(X, additive_model):
    result = gc_flank(additive_model, X, "ACATAC")
    assert result.conditions["starts"].iloc[-1] == (0, 9, 18)
    assert set(result.conditions["left"]) == {"GCGCGC"}
    both = global_importance(
        additive_model, X, [("GCGCGC", 0), ("ACATAC", 9), ("GCGCGC", 18)]
    )
    assert torch.equal(effects(result)["both"], both.y_afters[:, 0])


def test_controls_replace_flanks_and_motif(X, additive_model):
    result = gc_flank(additive_model, X, "ACATAC", n_controls=1, random_state=0)
    assert result.conditions["arm"].tolist() == 3 * ARMS
    assert result.conditions["control"].tolist() == (
        6 * ["none"] + 6 * ["random 1"] + 6 * ["shuffled 1"]
    )


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"start": 22}, "`motif`: `start`=22 with a 6-mer runs past"),
        ({"left_start": -2}, "`left`: `start`=-2 is before"),
        ({"right_start": 30}, "`right`: `start`=30 .* last valid start is 18"),
        ({"right": "G" * 25}, "`right`: a 25-mer is longer than `X` of length 24"),
        ({"start": 3}, "condition 3: .*overlap at position 3"),
    ],
)
def test_wrong_layouts_are_named(X, additive_model, kwargs, message):
    with pytest.raises(ValueError, match=message):
        gc_flank(additive_model, X, "ACATAC", **kwargs)
