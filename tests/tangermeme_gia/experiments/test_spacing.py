import numpy as np
import pytest
import torch
from tangermeme.predict import predict
from tangermeme.space import space

from tangermeme_gia._core.letters import RNA
from tangermeme_gia._core.patterns import place
from tangermeme_gia.experiments.spacing import motif_spacing

TWO = ["GACC", "CGAG"]
THREE = ["GACC", "CGAG", "AA"]


def arm(result, name: str) -> torch.Tensor:
    return result.y_afters[:, (result.conditions["arm"] == name).tolist()]


@pytest.mark.parametrize(
    ("motifs", "rows"),
    [(TWO, [[0], [7], [3]]), (THREE, [[0, 2], [5, 0], [4, 4]])],
)
def test_all_motifs_at_a_start_equal_tangermeme(X, motif_model, motifs, rows):
    result = motif_spacing(motif_model, X, motifs, rows, start=3)
    y_before, y_afters = space(motif_model, X, motifs, rows, start=3)
    assert torch.equal(result.y_before, y_before)
    assert torch.equal(arm(result, "all"), y_afters)
    for spacings in (np.array(rows), torch.tensor(rows)):
        again = motif_spacing(motif_model, X, motifs, spacings, start=3)
        assert again.conditions.equals(result.conditions)


def test_the_widest_arrangement_is_centred_as_in_tangermeme(X, motif_model):
    result = motif_spacing(motif_model, X, TWO, [1, 6, 3])
    assert {starts[0] for starts in result.conditions["starts"][::3]} == {5}
    widest = space(motif_model, X, TWO, [[6]]).y_afters
    assert torch.equal(arm(result, "all")[:, 1:2], widest)


def test_the_first_motif_stays_put_and_the_table_says_where(X, additive_model):
    table = motif_spacing(additive_model, X, TWO, range(3), start=2).conditions
    assert table.columns.tolist() == [
        "motifs",
        "order",
        "orientation",
        "spacing",
        "distance",
        "arm",
        "starts",
        "control",
    ]
    assert table["motifs"].unique().tolist() == ["GACC, CGAG"]
    assert table[["spacing", "distance", "arm", "starts"]].values.tolist() == [
        [0, 4, "all", (2, 6)],
        [0, 4, "1", (2,)],
        [0, 4, "2", (6,)],
        [1, 5, "all", (2, 7)],
        [1, 5, "1", (2,)],
        [1, 5, "2", (7,)],
        [2, 6, "all", (2, 8)],
        [2, 6, "1", (2,)],
        [2, 6, "2", (8,)],
    ]


def test_an_additive_model_has_no_interaction_at_any_spacing(X, additive_model):
    effects = motif_spacing(additive_model, X, THREE, range(6)).local_importance
    together, *alone = effects.reshape(10, 6, 4).unbind(dim=2)
    assert torch.equal(together, sum(alone))


def test_a_planted_epistasis_is_flat_over_spacing(blank, motif_model):
    effects = motif_spacing(motif_model, blank, TWO, range(8)).global_importance
    together, first, second = effects[:, 0].reshape(8, 3).unbind(dim=1)
    assert (together - first - second).tolist() == 8 * [5]


def test_orders_and_strands_are_conditions(X, motif_model):
    result = motif_spacing(
        motif_model, X, TWO, [2, 5], start=1, orders="all", orientations="all"
    )
    table = result.conditions
    assert len(table) == 2 * 4 * 2 * 3
    assert table["order"].unique().tolist() == ["1,2", "2,1"]
    assert table["orientation"].unique().tolist() == ["++", "+-", "-+", "--"]
    strands = {"1+": "GACC", "1-": "GGTC", "2+": "CGAG", "2-": "CTCG"}
    for i, row in table.iterrows():
        names = row["order"].split(",") if row["arm"] == "all" else [row["arm"]]
        placed = [strands[n + row["orientation"][int(n) - 1]] for n in names]
        expected = place(X, list(zip(placed, row["starts"], strict=True)))
        assert torch.equal(result.y_afters[:, i], predict(motif_model, expected))


def test_an_order_lays_out_motifs_of_their_own_length(X, additive_model):
    table = motif_spacing(
        additive_model, X, THREE, [(1, 2)], start=0, orders=[(2, 0, 1)]
    ).conditions
    assert table["starts"].tolist() == [(0, 3, 9), (3,), (9,), (0,)]
    assert table["arm"].tolist() == ["all", "1", "2", "3"]
    assert table["order"][0] == "3,1,2"
    assert table["spacing"][0] == (1, 2)
    assert table["distance"][0] == (3, 6)


def test_chosen_strands_take_any_kind_of_motif(X, additive_model):
    ppm = torch.full((4, 4), 0.1) + 0.6 * torch.eye(4)
    result = motif_spacing(
        additive_model, X, [ppm, "CGAG"], [1], orientations=["-+"], random_state=0
    )
    assert result.conditions["orientation"].unique().tolist() == ["-+"]
    assert result.conditions["motifs"][0] == "PPM(ACGT), CGAG"


@pytest.mark.parametrize(
    ("kwargs", "error", "message"),
    [
        ({"motifs": ["GACC"]}, ValueError, "`motifs` must hold at least two"),
        ({"motifs": "GACC"}, ValueError, "`motifs`='GACC' is not a file"),
        ({"spacings": []}, ValueError, "`spacings`=.* must be a sequence"),
        ({"spacings": 3}, ValueError, "`spacings`=3 must be a sequence"),
        ({"spacings": [-1]}, ValueError, "`spacings` holds -1; 0 bases"),
        ({"spacings": [1.0]}, TypeError, "`spacings` holds 1.0; .* integers"),
        ({"spacings": [[1, 2]]}, ValueError, r"row \[1, 2\]; 2 motifs have 1 gaps"),
        ({"spacings": [17]}, ValueError, "`spacings` 17 take 25 bases"),
        ({"start": 14}, ValueError, "`start`=14 .* valid starts are 0 to 13"),
        ({"start": -1}, ValueError, "`start`=-1 .* valid starts are 0 to 13"),
        ({"start": 1.5}, TypeError, "`start`=1.5 must be an integer or None"),
        ({"orders": [(0, 0)]}, ValueError, r"`orders` holds \(0, 0\); .* 0 to 1"),
        ({"orders": []}, ValueError, "`orders` is empty"),
        ({"orders": "some"}, ValueError, "`orders`='some' must be 'all'"),
        ({"orientations": ["+"]}, ValueError, r"holds '\+'; it must be 2 signs"),
        ({"orientations": []}, ValueError, "`orientations` is empty"),
        ({"orientations": "++"}, ValueError, r"`orientations`='\+\+' must be 'all'"),
        (
            {"orientations": "all", "alphabet": RNA},
            ValueError,
            "`orientations` are the strands of DNA; `alphabet` is A, C, G, U",
        ),
    ],
)
def test_wrong_arguments_are_named(X, additive_model, kwargs, error, message):
    arguments = {"motifs": TWO, "spacings": [3]} | kwargs
    with pytest.raises(error, match=message):
        motif_spacing(additive_model, X, **arguments)
