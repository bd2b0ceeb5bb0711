import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from tangermeme_gia._core.results import GIAResult
from tangermeme_gia.experiments.importance import global_importance


def table(n: int) -> pd.DataFrame:
    return pd.DataFrame({"site": range(n)})


@pytest.fixture
def result() -> GIAResult:
    """Three backgrounds with 1, 2, 6 more in condition 0 and -1 in condition 1."""
    before = torch.tensor([[10.0], [20.0], [30.0]])
    change = torch.tensor([[[1.0], [-1.0]], [[2.0], [-1.0]], [[6.0], [-1.0]]])
    return GIAResult(before, before[:, None] + change, table(2))


def test_effects_are_after_minus_before(result):
    assert result.local_importance[..., 0].tolist() == [[1, -1], [2, -1], [6, -1]]
    assert result.global_importance.tolist() == [[3], [-1]]
    before, afters, conditions = result
    assert before is result.y_before
    assert afters is result.y_afters
    assert conditions is result.conditions


def test_as_many_backgrounds_as_conditions_are_not_mixed_up():
    before = torch.tensor([1.0, 10.0, 100.0])
    afters = before[:, None].expand(3, 3).contiguous()
    assert GIAResult(before, afters, table(3)).local_importance.tolist() == 3 * [
        3 * [0]
    ]
    column = GIAResult(before[:, None], afters[..., None], table(3))
    assert column.local_importance.flatten().tolist() == 9 * [0]


def test_the_interval_is_that_of_the_mean(result):
    frame = result.to_frame()
    assert frame.columns.tolist() == [
        "site",
        "output",
        "effect",
        "se",
        "low",
        "high",
        "n",
    ]
    assert frame["effect"].tolist() == [3, -1]
    # Deviations -2, -1, 3: variance 7, standard error sqrt(7 / 3).
    assert frame["se"].tolist() == pytest.approx([np.sqrt(7 / 3), 0])
    # The 97.5 % point of t with 2 degrees of freedom, from a printed table.
    assert frame["high"][0] == pytest.approx(3 + 4.302653 * np.sqrt(7 / 3), rel=1e-5)
    assert frame["low"][0] == pytest.approx(3 - 4.302653 * np.sqrt(7 / 3), rel=1e-5)
    assert frame["n"].tolist() == [3, 3]


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.99])
def test_the_confidence_is_the_one_asked_for(result, confidence):
    row = result.to_frame(confidence).iloc[0]
    test = stats.ttest_1samp([1, 2, 6], 0).confidence_interval(confidence)
    assert (row["low"], row["high"]) == pytest.approx((test.low, test.high))


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.1])
def test_a_wrong_confidence_is_named(result, confidence):
    with pytest.raises(ValueError, match=f"`confidence`={confidence} must be between"):
        result.to_frame(confidence)


def test_one_background_has_no_interval():
    frame = GIAResult(torch.zeros(1, 1), torch.ones(1, 2, 1), table(2)).to_frame()
    assert frame["effect"].tolist() == [1, 1]
    assert frame[["se", "low", "high"]].isna().all(axis=None)
    assert frame["n"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("shape", "labels"),
    [
        ((), [0]),
        ((1,), [0]),
        ((3,), [0, 1, 2]),
        ((2, 2), [(0, 0), (0, 1), (1, 0), (1, 1)]),
    ],
)
def test_every_output_has_its_row(shape, labels):
    values = torch.arange(2 * len(labels)).reshape(2, *shape).float()
    afters = values.expand(5, *values.shape).contiguous()
    frame = GIAResult(torch.zeros(5, *shape), afters, table(2)).to_frame()
    assert frame["output"].tolist() == 2 * labels
    assert frame["site"].tolist() == [0] * len(labels) + [1] * len(labels)
    assert frame["effect"].tolist() == list(range(2 * len(labels)))


def test_outputs_of_a_list_are_told_apart():
    result = GIAResult(
        [torch.zeros(4, 1), torch.zeros(4, 2)],
        [torch.full((4, 2, 1), 1.0), torch.full((4, 2, 2), 2.0)],
        table(2),
    )
    local = result.local_importance
    assert [tuple(effects.shape) for effects in local] == [(4, 2, 1), (4, 2, 2)]
    assert [e.tolist() for e in result.global_importance] == [
        [[1], [1]],
        [[2, 2], [2, 2]],
    ]
    frame = result.to_frame()
    assert frame["output"].tolist() == 2 * [(0, 0), (1, 0), (1, 1)]
    assert frame["effect"].tolist() == 2 * [1, 2, 2]
    assert frame["site"].tolist() == 3 * [0] + 3 * [1]


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.bool])
def test_whole_numbers_are_subtracted_as_numbers(dtype):
    before = torch.tensor([[1], [0]], dtype=dtype)
    afters = torch.tensor([[[0], [1]], [[0], [1]]], dtype=dtype)
    result = GIAResult(before, afters, table(2))
    assert result.local_importance[..., 0].tolist() == [[-1, 0], [0, 1]]
    assert result.global_importance.tolist() == [[-0.5], [0.5]]
    assert result.to_frame()["effect"].tolist() == [-0.5, 0.5]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_differences_of_half_precision_outputs_are_not_rounded(dtype):
    before = torch.tensor([[1.0]], dtype=dtype)
    afters = torch.tensor([[[2.0**-12]]], dtype=dtype)
    local = GIAResult(before, afters, table(1)).local_importance
    assert local.item() == 2.0**-12 - 1
    assert before.dtype == afters.dtype == dtype


def test_backgrounds_that_agree_have_no_error():
    # The mean of seven 0.1 is not 0.1 in floating point.
    afters = torch.full((7, 2, 1), 0.1, dtype=torch.float64)
    frame = GIAResult(torch.zeros(7, 1).double(), afters, table(2)).to_frame()
    assert frame["se"].tolist() == [0, 0]


@pytest.mark.parametrize("n_rows", [1, 3])
def test_a_table_of_other_conditions_is_refused(result, n_rows):
    wrong = result._replace(conditions=table(n_rows))
    with pytest.raises(
        ValueError, match=f"`conditions` has {n_rows} rows, but `y_afters` 2 cond"
    ):
        wrong.to_frame()


def test_a_column_of_the_conditions_is_not_overwritten(result):
    wrong = result._replace(conditions=table(2).assign(n=5, se="south-east"))
    with pytest.raises(
        ValueError, match=r"has the columns \['n', 'se'\], which the fr"
    ):
        wrong.to_frame()


def test_the_table_is_not_changed(result):
    before = result.conditions.copy()
    frame = result.to_frame()
    frame["site"] += 1
    assert result.conditions.equals(before)


def test_half_precision_is_summarised_in_double():
    afters = 1000 + torch.arange(64).reshape(64, 1, 1).to(torch.bfloat16)
    frame = GIAResult(torch.zeros(64, 1).bfloat16(), afters, table(1)).to_frame()
    assert frame["effect"][0] == afters.double().mean().item()


class Heads(torch.nn.Module):
    """Counts of each letter at three positions, and of G in all."""

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return X[:, :, 8:11].float(), X[:, 2].float().sum(dim=1, keepdim=True)


@pytest.fixture
def several(blank) -> GIAResult:
    """GACC and CGAG in T, read by two heads of shapes (4, 3) and (1,)."""
    return global_importance(Heads(), blank, [[("GACC", 8)], [("CGAG", 9)]])


def test_heads_are_a_list_whatever_the_model_returns(several, result):
    counts, total = several.heads
    assert counts.y_afters.shape == (5, 2, 4, 3)
    assert counts.outputs[0] == (0, 0, 0)
    assert total.outputs == [(1, 0)]
    assert total.global_importance.tolist() == [[1], [2]]
    assert total.to_frame()["output"].tolist() == [(1, 0), (1, 0)]
    (alone,) = result.heads
    assert alone.y_afters is result.y_afters
    assert alone.outputs == result.outputs == [0]


def test_an_output_is_the_hand_sliced_one_under_its_label(several):
    labels = several.outputs
    assert len(labels) == 13
    frame = several.to_frame()
    for label in labels:
        one = several.output(label)
        head, *index = label
        expected = several.local_importance[head][(..., *index)]
        assert torch.equal(one.local_importance, expected)
        assert one.y_before.shape == (5,)
        assert one.outputs == [label]
        rows = frame[[found == label for found in frame["output"]]]
        pd.testing.assert_frame_equal(one.to_frame(), rows.reset_index(drop=True))
    with pytest.raises(ValueError, match=r"`label`=1 is none of the outputs: \(0, 0"):
        several.output(1)
    with pytest.raises(ValueError, match="has 13 outputs"):
        several.output()
    # G of the first position: GACC has it, CGAG begins one base later.
    assert several.output((0, 2, 0)).global_importance.tolist() == [1, 0]


def test_an_index_chooses_where_one_axis_is_longer_than_1(several):
    total = several.heads[1]
    assert torch.equal(total.output(0).y_before, total.y_before[:, 0])
    axis = GIAResult(torch.zeros(5, 1, 7), torch.zeros(5, 2, 1, 7), table(2))
    assert axis.output(6).outputs == [(0, 6)]


def test_labels_stay_with_what_is_selected_or_replaced(several):
    one = several.output((0, 1, 2))
    for kept in (
        one.select(0),
        one.select(rows=[0, 1]),
        one.output(),
        one.heads[0],
        one.relative_to(0),
        one._replace(conditions=table(2)),
        pickle.loads(pickle.dumps(one)),
        copy.deepcopy(one),
    ):
        assert kept.outputs == [(0, 1, 2)]
    y = torch.zeros(5, 2)
    with pytest.raises(ValueError, match="`outputs` has 1 labels for 2 outputs"):
        GIAResult(y, y[:, None], table(1), outputs=[62])


@pytest.mark.parametrize("block", [1, 7, 40, 10**6])
def test_tables_are_the_same_for_every_block(monkeypatch, block):
    monkeypatch.setattr("tangermeme_gia._core.moments._BLOCK", block)
    generator = torch.Generator().manual_seed(0)
    before = [torch.randn(5, *shape, generator=generator) for shape in ((), (3, 2))]
    after = [
        torch.randn(5, 4, *shape, generator=generator).to(torch.bfloat16)
        for shape in ((), (3, 2))
    ]
    found = GIAResult(before, after, table(4)).to_frame()
    local = torch.cat(
        [
            (a.float() - b[:, None]).double().reshape(5, 4, -1)
            for a, b in zip(after, before, strict=True)
        ],
        dim=2,
    )
    assert np.allclose(found["effect"], local.mean(dim=0).flatten())
    assert np.allclose(found["se"], local.std(dim=0).flatten() / 5**0.5)


def test_a_result_cannot_be_changed(result):
    with pytest.raises(AttributeError, match="`y_before` of a GIAResult cannot be set"):
        result.y_before = torch.zeros(3, 1)
    with pytest.raises(AttributeError, match="`clusters` of a GIAResult"):
        result.clusters = None
    assert len(result) == 3


def test_conditions_and_backgrounds_are_selected_in_every_head(several):
    part = several.select([1, 0], rows=[4, 0, 1])
    for y, whole in zip(part.y_afters, several.y_afters, strict=True):
        assert torch.equal(y, whole[[4, 0, 1]][:, [1, 0]])
    for y, whole in zip(part.y_before, several.y_before, strict=True):
        assert torch.equal(y, whole[[4, 0, 1]])
    assert part.conditions["patterns"].tolist() == ["CGAG@9", "GACC@8"]
    assert part.conditions.index.tolist() == [0, 1]
    named = several.select(patterns="CGAG@9")
    assert torch.equal(named.y_afters[1], several.y_afters[1][:, 1:])
    with pytest.raises(ValueError, match="`rows` chooses none of the 5 backgrounds"):
        several.select(rows=[False] * 5)
    with pytest.raises(ValueError, match="`rows` holds 5; it must be from 0 to 4"):
        several.select(rows=[5])
    with pytest.raises(ValueError, match="`pattern` is no column"):
        several.select(pattern="GACC@8")


def test_effects_are_relative_to_another_condition(several, result):
    relative = several.relative_to(patterns="GACC@8")
    assert relative.conditions["patterns"].tolist() == ["CGAG@9"]
    assert relative.heads[1].global_importance.tolist() == [[1]]
    for y, whole in zip(relative.y_before, several.y_afters, strict=True):
        assert torch.equal(y, whole[:, 0])
    with pytest.raises(ValueError, match="2 of 2 conditions are chosen; effects are"):
        several.relative_to()
    with pytest.raises(ValueError, match="1 of 1 conditions are chosen"):
        result.select(0).relative_to(0)


def test_an_average_is_over_what_differs_in_one_column_only():
    conditions = pd.DataFrame(
        {"start": [1, 1, 5, 5], "kind": ["a", "b", "b", "a"], "n_sites": 2}
    )
    after = torch.tensor([[[1.0], [3.0], [10.0], [20.0]]])
    result = GIAResult(torch.zeros(1, 1), after, conditions)
    mean = result.average("kind")
    assert mean.y_afters.tolist() == [[[2], [15]]]
    assert mean.conditions.columns.tolist() == ["start", "n_sites"]
    assert result.average("start").y_afters.tolist() == [[[10.5], [6.5]]]
    heads = GIAResult([torch.zeros(1, 1)] * 2, [after, -after], conditions)
    assert [y.tolist() for y in heads.average("kind").y_afters] == [
        [[[2], [15]]],
        [[[-2], [-15]]],
    ]


def test_the_letters_of_controls_go_with_their_column():
    table = pd.DataFrame(
        {"motif": "GAT", "control": ["r 1", "r 2"], "control_letters": ["AAA", "CCC"]}
    )
    y = torch.tensor([[[1.0], [3.0]]])
    mean = GIAResult(torch.zeros(1, 1), y, table).average("control")
    assert mean.conditions.columns.tolist() == ["motif"]
    assert mean.y_afters.tolist() == [[[2.0]]]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("place", ["y_before", "y_afters"])
def test_a_table_of_numbers_that_are_none_names_the_first(value, place):
    """As the engine: they are never averaged silently."""
    y = {"y_before": torch.zeros(3, 2), "y_afters": torch.ones(3, 4, 2)}
    y[place][1 if place == "y_before" else (slice(None), 2)] = value
    result = GIAResult(**y, conditions=pd.DataFrame({"site": range(4)}))
    n, first = (4, 0) if place == "y_before" else (1, 2)
    text = (
        f"effects of {n} of 4 conditions are NaN or infinite, the first .* row {first}"
    )
    with pytest.raises(ValueError, match=text):
        result.to_frame()
    if place == "y_afters":
        assert len(result.select(site=[0, 1, 3]).to_frame()) == 6
